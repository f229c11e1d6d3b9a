-- ?1 name, ?2 boot, ?3 worker or 0. Unique index.
SELECT id FROM rota_holder WHERE name = ?1 AND boot = ?2 AND worker = ?3
