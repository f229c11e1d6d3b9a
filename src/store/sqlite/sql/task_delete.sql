-- rota_in: a id. Primary key.
DELETE FROM rota_task WHERE id IN (SELECT a FROM rota_in)
