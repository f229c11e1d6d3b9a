-- Primary key of rota_meta.
SELECT value FROM rota_meta WHERE name = 'schema'
