-- ?1 task, ?2 name.
INSERT INTO rota_signal(task, name) VALUES(?1, ?2)
