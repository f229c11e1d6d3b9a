-- ?1 the newest: it stays, so that no id is given out again. Holders are few, and it runs once for many new ones.
-- scan: rota_holder
DELETE FROM rota_holder WHERE id < ?1 AND id NOT IN (
	SELECT holder FROM rota_task INDEXED BY rota_task_other
	WHERE state <> 2 AND state = 3 AND holder IS NOT NULL)
