-- ?1 id. Primary keys.
SELECT t.key, t.payload, e.title, e.content_type, e.partition, e.traceparent, e.notify_channel
FROM rota_task AS t LEFT JOIN rota_extra AS e ON e.task = t.id WHERE t.id = ?1
