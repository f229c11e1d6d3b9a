-- ?1 task. A range of rota_edge_successor, in its order, with each predecessor's row.
SELECT t.id, t.key, t.state, e.settled, e.policy FROM rota_edge AS e CROSS JOIN rota_task AS t ON t.id = e.predecessor
WHERE e.successor = ?1 ORDER BY e.predecessor
