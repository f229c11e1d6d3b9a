-- rota_in: a predecessor, b the last successor seen. The primary key from there on; settled edges are
-- passed over.
SELECT i.rowid, e.successor, e.policy, e.settled FROM rota_in AS i CROSS JOIN rota_edge AS e
ON e.predecessor = i.a AND e.successor > i.b
