-- ?1 queue, ?2 keep_completed, ?3 keep_failed; -1 leaves one alone. Primary key.
UPDATE rota_queue SET keep_completed = iif(?2 < 0, keep_completed, ?2), keep_failed = iif(?3 < 0, keep_failed, ?3)
WHERE id = ?1
