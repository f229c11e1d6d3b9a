-- rota_in: a task, b title, c content_type, d partition, e traceparent, f notify_channel, g retry_attempts,
-- h doublings, i backoff_min, j backoff_max, k duration_max, l jitter_percent, m timeout, n stall, o dedup_for,
-- p expires_at. Primary key. Over an older row when a task is replaced.
INSERT OR REPLACE INTO rota_extra(task, title, content_type, partition, traceparent, notify_channel, retry_attempts,
	doublings, backoff_min, backoff_max, duration_max, jitter_percent, timeout, stall, dedup_for, expires_at,
	expire_check)
SELECT a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, p FROM rota_in
