-- Every queue: at most ROTA_QUEUES_MAX per namespace, read again only when settings may have changed.
-- scan: rota_queue
SELECT id, namespace, name, paused, keep_completed, keep_failed FROM rota_queue
