-- ?1 name. Unique index.
SELECT id FROM rota_namespace WHERE name = ?1
