-- Primary key of rota_meta.
INSERT INTO rota_meta(name, value) VALUES('queues', 1) ON CONFLICT(name) DO UPDATE SET value = value + 1
