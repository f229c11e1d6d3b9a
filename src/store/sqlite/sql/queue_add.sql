-- ?1 namespace, ?2 name.
INSERT INTO rota_queue(namespace, name) VALUES(?1, ?2)
