-- The first of index rota_key_free.
SELECT free_at FROM rota_key WHERE free_at IS NOT NULL ORDER BY free_at LIMIT 1
