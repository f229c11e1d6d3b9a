-- ?1 id. Primary key.
SELECT id, priority, run_at, flags, attempt, attempts_max, token, failed_dependencies, created_at, key, payload
FROM rota_task WHERE id = ?1
