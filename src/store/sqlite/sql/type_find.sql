-- ?1 name. Unique index.
SELECT id FROM rota_type WHERE name = ?1
