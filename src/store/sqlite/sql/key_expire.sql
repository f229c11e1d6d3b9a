-- ?1 now, ?2 how many. Index rota_key_free.
DELETE FROM rota_key WHERE (namespace, key) IN (
	SELECT namespace, key FROM rota_key WHERE free_at <= ?1 ORDER BY free_at LIMIT ?2)
