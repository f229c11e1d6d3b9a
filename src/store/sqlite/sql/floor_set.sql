-- ?1 the highest id given out. Primary key of rota_meta.
INSERT INTO rota_meta(name, value) VALUES('floor', ?1) ON CONFLICT(name) DO UPDATE SET value = excluded.value
