-- rota_in: a task, b state. Primary key.
INSERT OR REPLACE INTO rota_gone(task, state) SELECT a, b FROM rota_in
