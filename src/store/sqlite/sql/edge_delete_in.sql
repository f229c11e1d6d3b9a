-- rota_in: a task. A range of rota_edge_successor for each.
DELETE FROM rota_edge WHERE successor IN (SELECT a FROM rota_in)
