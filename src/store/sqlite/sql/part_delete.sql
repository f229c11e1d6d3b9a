-- rota_in: a task. A range of the primary key for each.
DELETE FROM rota_part WHERE id IN (
	SELECT p.id FROM rota_in AS i CROSS JOIN rota_part AS p ON p.id BETWEEN i.a * 16 AND i.a * 16 + 15)
