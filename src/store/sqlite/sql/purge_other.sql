-- ?1 queue, ?2 how many. Index rota_task_other, for each state.
SELECT id FROM rota_task INDEXED BY rota_task_other WHERE state <> 2 AND state IN (0, 1, 4, 5, 6) AND queue = ?1 LIMIT ?2
