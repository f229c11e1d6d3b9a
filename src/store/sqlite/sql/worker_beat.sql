-- ?1 id, ?2 now, ?3 metrics or NULL. Primary key.
UPDATE rota_worker SET beat_at = ?2, metrics = coalesce(?3, metrics) WHERE id = ?1 AND gone = 0
