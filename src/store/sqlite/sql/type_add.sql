-- ?1 name.
INSERT INTO rota_type(name) VALUES(?1)
