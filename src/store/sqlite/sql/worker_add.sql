-- ?1 name, ?2 boot, ?3 pid, ?4 slot or -1, ?5 now.
INSERT INTO rota_worker(name, boot, pid, slot, joined_at, beat_at) VALUES(?1, ?2, ?3, nullif(?4, -1), ?5, ?5)
