-- ?1 namespace, ?2 key. Primary key.
SELECT task, free_at, state FROM rota_key WHERE namespace = ?1 AND key = ?2
