-- ?1 task, ?2 name. Primary key.
SELECT 1 FROM rota_signal WHERE task = ?1 AND name = ?2
