-- Reads the whole table: it has at most ROTA_TYPES_MAX rows, and only a new type asks.
-- scan: rota_type
SELECT count(*) FROM rota_type
