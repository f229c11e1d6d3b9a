-- ?1 namespace, ?2 task. Primary keys.
DELETE FROM rota_key WHERE namespace = ?1 AND key = (SELECT key FROM rota_task WHERE id = ?2)
