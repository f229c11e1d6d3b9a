-- rota_in: a key; ?1 namespace. Primary key, once per key; only keys that are there give a row.
SELECT i.rowid, k.task, k.free_at, k.state FROM rota_in AS i CROSS JOIN rota_key AS k
ON k.namespace = ?1 AND k.key = i.a
