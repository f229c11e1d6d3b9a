-- ?1 id. Primary key.
SELECT slot, gone FROM rota_worker WHERE id = ?1
