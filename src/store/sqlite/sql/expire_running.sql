-- ?1 now. Index rota_extra_expire. Whoever waits again is looked at again.
UPDATE rota_extra SET expire_check = NULL WHERE expire_check <= ?1
AND (SELECT state FROM rota_task WHERE id = rota_extra.task) >= 3
