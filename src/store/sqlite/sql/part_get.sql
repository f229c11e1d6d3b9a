-- ?1 id. Primary key.
SELECT data FROM rota_part WHERE id = ?1
