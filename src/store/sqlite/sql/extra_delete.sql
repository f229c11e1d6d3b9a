-- rota_in: a task. Primary key.
DELETE FROM rota_extra WHERE task IN (SELECT a FROM rota_in)
