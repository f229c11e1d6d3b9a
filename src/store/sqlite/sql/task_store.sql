-- rota_in: a id, b state, … the facts as they are now. Primary key.
UPDATE rota_task SET state = i.b, run_at = i.c, flags = i.d, attempt = i.e, attempts_max = i.f, token = i.g,
	settled = i.h, settled_outcome = i.i, pending = i.j, failed_dependencies = i.k, signals = i.l, holder = i.m,
	lease_until = i.n, updated_at = ?1, started_at = i.o, first_started_at = i.p, heartbeat_at = i.q,
	finished_at = i.r
FROM rota_in AS i WHERE rota_task.id = i.a
