-- ?1 boot: those that are gone, but for the newest, so that no id is given out again. Workers are few.
-- scan: rota_worker
DELETE FROM rota_worker WHERE (gone = 1 OR boot <> ?1) AND id < (SELECT max(id) FROM rota_worker)
