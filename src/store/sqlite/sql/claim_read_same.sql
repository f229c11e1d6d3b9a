-- ?1 queue, ?2 type, ?3 priority, ?4 run_at, ?5 id of the last row read, ?6 how many. Index rota_task_ready:
-- the others of that priority and run_at. With claim_read in one, the index would be walked from the first
-- of them on each time.
SELECT id, priority, run_at, flags, attempt, attempts_max, token, failed_dependencies, created_at, key, payload
FROM rota_task INDEXED BY rota_task_ready
WHERE state = 2 AND queue = ?1 AND type = ?2 AND priority = ?3 AND run_at = ?4 AND id > ?5
ORDER BY id LIMIT ?6
