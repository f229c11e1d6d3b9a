-- ?1 task, ?2 token, ?3 attempt, ?4 worker, ?5 outcome, ?6 error, ?7 started_at, ?8 now. One lease leaves one
-- row: what is said late says it better. Primary key.
INSERT INTO rota_attempt(task, token, attempt, worker, outcome, error, started_at, finished_at)
VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT(task, token) DO UPDATE SET attempt = excluded.attempt, worker = coalesce(excluded.worker, worker), outcome = excluded.outcome,
	error = excluded.error, started_at = excluded.started_at, finished_at = excluded.finished_at
