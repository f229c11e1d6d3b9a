-- ?1 namespace, ?2 key. Primary key.
SELECT task FROM rota_key WHERE namespace = ?1 AND key = ?2 AND free_at IS NULL
