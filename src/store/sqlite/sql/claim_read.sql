-- ?1 queue, ?2 type, ?3 priority, ?4 run_at, ?5 how many. Index rota_task_ready, behind all of that
-- priority and run_at, in its order.
SELECT id, priority, run_at, flags, attempt, attempts_max, token, failed_dependencies, created_at, key, payload
FROM rota_task INDEXED BY rota_task_ready
WHERE state = 2 AND queue = ?1 AND type = ?2 AND (priority, run_at) > (?3, ?4)
ORDER BY priority, run_at, id LIMIT ?5
