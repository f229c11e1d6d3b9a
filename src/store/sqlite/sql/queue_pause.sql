-- ?1 queue, ?2 paused. Primary key.
UPDATE rota_queue SET paused = ?2 WHERE id = ?1
