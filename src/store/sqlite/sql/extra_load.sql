-- ?1 task. Primary key.
SELECT timeout, stall, dedup_for, expires_at, expire_check, crashes, retry_attempts, doublings, backoff_min,
	backoff_max, duration_max, jitter_percent FROM rota_extra WHERE task = ?1
