-- Counts: reads all of index rota_task_ready.
-- scan: rota_task
SELECT 2, queue, type, count(*), min(run_at) FROM rota_task INDEXED BY rota_task_ready WHERE state = 2 GROUP BY queue, type
