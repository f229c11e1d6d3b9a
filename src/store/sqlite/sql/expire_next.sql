-- The first of index rota_extra_expire.
SELECT expire_check FROM rota_extra WHERE expire_check IS NOT NULL ORDER BY expire_check LIMIT 1
