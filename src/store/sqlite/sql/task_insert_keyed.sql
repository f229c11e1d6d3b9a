-- rota_in: a id, b run_at, c payload, d key; ?1 now, ?2 state, ?3 queue, ?4 type, ?5 priority, ?6 attempts_max, ?7 flags: tasks
-- that differ in nothing else. Ascending ids: the table only grows at its end.
INSERT INTO rota_task(id, state, queue, type, priority, run_at, flags, attempts_max, created_at, updated_at, key,
	payload)
SELECT a, ?2, ?3, ?4, ?5, b, ?7, ?6, ?1, ?1, d, c FROM rota_in
