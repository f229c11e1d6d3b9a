-- The last row of rota_task: one step from the end of its tree.
SELECT max(id) FROM rota_task
