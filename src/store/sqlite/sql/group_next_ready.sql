-- ?1 state (2), ?2 queue, ?3 type: the group of ready tasks after that one. Index rota_task_ready: one step.
SELECT ?1, queue, type FROM rota_task INDEXED BY rota_task_ready
WHERE state = 2 AND (queue, type) > (?2, ?3) ORDER BY queue, type LIMIT 1
