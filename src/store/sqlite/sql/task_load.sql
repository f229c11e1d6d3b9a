-- rota_in: a id. Its primary key, once per id; the rowid of rota_in says which.
SELECT i.rowid, t.id, t.state, t.queue, t.type, t.priority, t.run_at, t.flags, t.attempt, t.attempts_max,
	t.token, t.settled, t.settled_outcome, t.pending, t.failed_dependencies, t.signals, t.holder,
	t.lease_until, t.created_at, t.updated_at, t.started_at, t.first_started_at, t.heartbeat_at, t.finished_at
FROM rota_in AS i CROSS JOIN rota_task AS t ON t.id = i.a
