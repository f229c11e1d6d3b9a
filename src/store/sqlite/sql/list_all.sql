-- ?1 below this id, ?2 namespace, ?3 how many. The primary key, backwards; stops when it has enough.
SELECT id FROM rota_task WHERE id < ?1 AND queue IN (SELECT id FROM rota_queue WHERE namespace = ?2)
ORDER BY id DESC LIMIT ?3
