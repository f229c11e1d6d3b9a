-- rota_in: a id. Primary key, once per id; the rowid of rota_in says which.
SELECT i.rowid, t.id, t.state, t.queue, t.flags, t.attempt, t.token, t.settled, t.settled_outcome
FROM rota_in AS i CROSS JOIN rota_task AS t ON t.id = i.a
