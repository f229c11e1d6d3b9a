-- rota_in: a predecessor, b successor, c policy, d settled. Primary key, in its order.
INSERT INTO rota_edge(predecessor, successor, policy, settled) SELECT a, b, c, d FROM rota_in
