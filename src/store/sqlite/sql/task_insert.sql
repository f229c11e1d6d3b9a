-- rota_in: a id, b state, c queue, d type, e priority, f run_at, g flags, h attempts_max, i pending, j signals,
-- k key, l payload; ?1 now. Ascending ids: the table only grows at its end.
INSERT INTO rota_task(id, state, queue, type, priority, run_at, flags, attempts_max, pending, signals,
	created_at, updated_at, key, payload)
SELECT a, b, c, d, e, f, g, h, i, j, ?1, ?1, k, l FROM rota_in
