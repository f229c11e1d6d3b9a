-- ?1 id. Primary key.
SELECT state, queue FROM rota_task WHERE id = ?1
