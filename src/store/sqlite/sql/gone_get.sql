-- ?1 task. Primary key.
SELECT state FROM rota_gone WHERE task = ?1
