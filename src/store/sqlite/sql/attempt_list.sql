-- ?1 task. A range of the primary key, in its order.
SELECT token, attempt, worker, outcome, error, started_at, finished_at FROM rota_attempt WHERE task = ?1 ORDER BY token
