-- ?1 namespace. Unique index.
SELECT count(*) FROM rota_queue WHERE namespace = ?1
