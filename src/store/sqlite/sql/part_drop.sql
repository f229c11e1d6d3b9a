-- ?1 id. Primary key.
DELETE FROM rota_part WHERE id = ?1
