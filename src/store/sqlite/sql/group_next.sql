-- ?1 state, ?2 queue, ?3 type: the group after that one, and its first time. Index rota_task_other: one step.
SELECT state, queue, type, coalesce(finished_at, run_at) FROM rota_task INDEXED BY rota_task_other
WHERE state <> 2 AND (state, queue, type) > (?1, ?2, ?3)
ORDER BY state, queue, type, coalesce(finished_at, run_at) LIMIT 1
