-- ?1 predecessor, ?2 the last successor seen, ?3 how many. Primary key, from there on.
SELECT successor, settled FROM rota_edge WHERE predecessor = ?1 AND successor > ?2 ORDER BY successor LIMIT ?3
