-- ?1 boot. Of the oldest, which are those of earlier boots; the newest stays, so that no id is given out
-- twice. The first rows only, scan: rota_worker
DELETE FROM rota_worker WHERE id IN (SELECT id FROM rota_worker ORDER BY id LIMIT 100)
AND boot <> ?1 AND id < (SELECT max(id) FROM rota_worker)
