-- ?1 task, ?2 expires_at, ?3 expire_check, ?4 crashes. Primary key.
INSERT INTO rota_extra(task, expires_at, expire_check, crashes) VALUES(?1, ?2, ?3, ?4)
ON CONFLICT(task) DO UPDATE SET expires_at = excluded.expires_at, expire_check = excluded.expire_check,
	crashes = excluded.crashes
