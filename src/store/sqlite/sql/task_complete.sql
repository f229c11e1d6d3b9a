-- rota_in: a id; ?1 now, ?2 flags kept, ?3 the outcome. Primary key. Only running tasks.
UPDATE rota_task SET state = 4, flags = flags & ?2, settled = token, settled_outcome = ?3, lease_until = NULL,
	updated_at = ?1, finished_at = ?1
WHERE id IN (SELECT a FROM rota_in) AND state = 3
