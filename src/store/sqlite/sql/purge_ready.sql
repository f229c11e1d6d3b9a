-- ?1 queue, ?2 how many. Index rota_task_ready.
SELECT id FROM rota_task INDEXED BY rota_task_ready WHERE state = 2 AND queue = ?1 LIMIT ?2
