-- rota_in: a task. A range of the primary key for each.
DELETE FROM rota_edge WHERE predecessor IN (SELECT a FROM rota_in)
