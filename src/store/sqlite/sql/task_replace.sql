-- ?1 id, ?2 queue, ?3 type, ?4 priority, ?5 payload. Primary key.
UPDATE rota_task SET queue = ?2, type = ?3, priority = ?4, payload = ?5 WHERE id = ?1
