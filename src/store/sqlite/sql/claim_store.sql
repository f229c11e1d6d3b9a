-- rota_in: a id; ?1 holder, ?2 lease_until, ?3 now, ?4 flags kept, ?5 flags set. Primary key. Only ready tasks.
UPDATE rota_task SET state = 3, token = token + 1, attempt = min(attempt + 1, 2147483647), flags = (flags & ?4) | ?5,
	holder = ?1, lease_until = ?2, started_at = ?3, updated_at = ?3, heartbeat_at = ?3
WHERE id IN (SELECT a FROM rota_in) AND state = 2
