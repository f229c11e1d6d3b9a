-- Primary key of rota_meta: changes with rota_queue.
SELECT value FROM rota_meta WHERE name = 'queues'
