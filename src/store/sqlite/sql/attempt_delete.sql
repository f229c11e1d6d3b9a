-- rota_in: a task. A range of the primary key for each.
DELETE FROM rota_attempt WHERE task IN (SELECT a FROM rota_in)
