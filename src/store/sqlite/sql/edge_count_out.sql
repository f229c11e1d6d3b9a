-- ?1 task. A range of the primary key.
SELECT count(*) FROM rota_edge WHERE predecessor = ?1
