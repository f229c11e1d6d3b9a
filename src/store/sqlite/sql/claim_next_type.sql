-- ?1 queue, ?2 the last type seen. Index rota_task_ready: one step.
SELECT type FROM rota_task INDEXED BY rota_task_ready WHERE state = 2 AND queue = ?1 AND type > ?2
ORDER BY type LIMIT 1
