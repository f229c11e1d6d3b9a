-- ?1 task. A range of the primary key: at most ROTA_ATTEMPTS_KEPT_MAX rows.
SELECT count(*) FROM rota_attempt WHERE task = ?1
