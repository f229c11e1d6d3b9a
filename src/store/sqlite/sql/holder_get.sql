-- ?1 id. Primary key.
SELECT name, boot, worker FROM rota_holder WHERE id = ?1
