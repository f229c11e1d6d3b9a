-- Index rota_task_other: every running task, with its row.
SELECT id, holder, coalesce(lease_until, 0) FROM rota_task INDEXED BY rota_task_other WHERE state <> 2 AND state = 3
