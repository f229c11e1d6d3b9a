-- ?1 slot, whose byte is ours now: whoever had it is dead. Workers are few, and join rarely.
-- scan: rota_worker
UPDATE rota_worker SET gone = 1, slot = NULL WHERE slot = ?1
