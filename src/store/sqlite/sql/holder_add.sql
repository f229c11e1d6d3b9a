-- ?1 name, ?2 boot, ?3 worker or 0.
INSERT INTO rota_holder(name, boot, worker) VALUES(?1, ?2, ?3)
