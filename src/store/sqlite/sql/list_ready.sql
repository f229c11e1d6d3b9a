-- ?1 below this id, ?2 namespace, ?3 queue or NULL, ?4 type or NULL, ?5 how many. Index rota_task_ready, for each queue.
SELECT id FROM rota_task INDEXED BY rota_task_ready
WHERE state = 2 AND queue IN (SELECT id FROM rota_queue WHERE namespace = ?2 AND (?3 IS NULL OR name = ?3))
	AND (?4 IS NULL OR type = ?4) AND id < ?1
ORDER BY id DESC LIMIT ?5
