-- ?1 id. Primary key.
SELECT name FROM rota_type WHERE id = ?1
