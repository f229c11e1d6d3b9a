-- ?1 task. A range of rota_edge_successor.
SELECT count(*) FROM rota_edge WHERE successor = ?1
