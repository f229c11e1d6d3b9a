-- ?1 name.
INSERT INTO rota_namespace(name) VALUES(?1)
