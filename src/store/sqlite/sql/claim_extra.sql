-- ?1 task. Primary key.
SELECT title, content_type, partition, traceparent, timeout, stall, expires_at, crashes FROM rota_extra WHERE task = ?1
