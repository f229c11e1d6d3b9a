-- rota_in: a predecessor, b successor, c settled. Primary key.
UPDATE rota_edge SET settled = i.c FROM rota_in AS i
WHERE rota_edge.predecessor = i.a AND rota_edge.successor = i.b
