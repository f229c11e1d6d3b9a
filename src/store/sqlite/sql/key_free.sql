-- rota_in: a task; ?1 namespace. Primary keys.
DELETE FROM rota_key WHERE (namespace, key) IN (
	SELECT ?1, t.key FROM rota_in AS i CROSS JOIN rota_task AS t ON t.id = i.a)
