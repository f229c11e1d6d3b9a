-- ?1 predecessor. A range of the primary key.
SELECT successor FROM rota_edge WHERE predecessor = ?1 AND settled = 0
