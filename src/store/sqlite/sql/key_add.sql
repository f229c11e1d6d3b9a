-- rota_in: a key, b task; ?1 namespace. Primary key, in its order. Over a tombstone whose time is over.
INSERT OR REPLACE INTO rota_key(namespace, key, task) SELECT ?1, a, b FROM rota_in
