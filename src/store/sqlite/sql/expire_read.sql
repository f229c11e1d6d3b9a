-- ?1 now, ?2 how many. Index rota_extra_expire, in its order.
SELECT e.task FROM rota_extra AS e CROSS JOIN rota_task AS t ON t.id = e.task
WHERE e.expire_check <= ?1 AND t.state < 3 ORDER BY e.expire_check LIMIT ?2
