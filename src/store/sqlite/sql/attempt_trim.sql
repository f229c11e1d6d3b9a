-- ?1 task: the oldest goes. Primary key.
DELETE FROM rota_attempt WHERE task = ?1 AND token = (SELECT min(token) FROM rota_attempt WHERE task = ?1)
