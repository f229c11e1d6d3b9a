-- ?1 id. Primary key.
UPDATE rota_worker SET gone = 1, slot = NULL WHERE id = ?1 AND gone = 0
