-- ?1 id, ?2 data. Primary key.
INSERT INTO rota_part(id, data) VALUES(?1, ?2) ON CONFLICT(id) DO UPDATE SET data = excluded.data
