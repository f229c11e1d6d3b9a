-- ?1 queue, ?2 type, ?3 priority, ?4 run_at, ?5 id of the last row read, ?6 how many. Index rota_task_ready, from
-- there on, in its order.
SELECT id, priority, run_at, flags, attempt, attempts_max, token, failed_dependencies, created_at, key, payload
FROM rota_task INDEXED BY rota_task_ready
WHERE state = 2 AND queue = ?1 AND type = ?2 AND (priority, run_at, id) > (?3, ?4, ?5)
ORDER BY priority, run_at, id LIMIT ?6
