-- Stops at the first row.
-- scan: rota_edge
SELECT 1 FROM rota_edge LIMIT 1
