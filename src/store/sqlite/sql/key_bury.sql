-- ?1 namespace, ?2 task, ?3 free_at, ?4 state. Primary keys.
UPDATE rota_key SET free_at = ?3, state = ?4
WHERE namespace = ?1 AND key = (SELECT key FROM rota_task WHERE id = ?2)
