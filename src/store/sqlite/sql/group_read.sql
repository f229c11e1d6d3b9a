-- ?1 state, ?2 queue, ?3 type, ?4 until when, ?5 how many. Index rota_task_other, in its order.
SELECT id FROM rota_task INDEXED BY rota_task_other
WHERE state <> 2 AND state = ?1 AND queue = ?2 AND type = ?3 AND coalesce(finished_at, run_at) <= ?4
ORDER BY coalesce(finished_at, run_at) LIMIT ?5
