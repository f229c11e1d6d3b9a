-- ?1 task. A range of the primary key, in its order, with each successor's row.
SELECT t.id, t.key, t.state, e.settled, e.policy FROM rota_edge AS e CROSS JOIN rota_task AS t ON t.id = e.successor
WHERE e.predecessor = ?1 ORDER BY e.successor
