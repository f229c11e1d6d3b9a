-- rota_in: a id, b lease_until, c updated_at, NULL for as it is; ?1 now. Primary key.
UPDATE rota_task SET lease_until = coalesce(i.b, lease_until), updated_at = coalesce(i.c, updated_at), heartbeat_at = ?1
FROM rota_in AS i WHERE rota_task.id = i.a
