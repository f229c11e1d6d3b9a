-- Counts: reads all of index rota_task_other.
-- scan: rota_task
SELECT state, queue, type, count(*) FROM rota_task INDEXED BY rota_task_other WHERE state <> 2 GROUP BY state, queue, type
