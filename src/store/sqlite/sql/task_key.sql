-- ?1 id. Primary key.
SELECT key FROM rota_task WHERE id = ?1
