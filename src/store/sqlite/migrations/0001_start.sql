-- The store's tables. Everything is called rota_*, because the file may be an application's own.
-- A task's row holds what claims and finishes touch, in as few columns as they can do with; what most
-- tasks do not have is in rota_extra and rota_part, and flags say that it is there.

-- schema: the newest migration applied. floor: ids up to it were given out, even if their rows are gone.
CREATE TABLE rota_meta(name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;

CREATE TABLE rota_namespace(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE rota_type(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
-- keep_*: microseconds; NULL: the library's default.
CREATE TABLE rota_queue(
	id INTEGER PRIMARY KEY,
	namespace INTEGER NOT NULL,
	name TEXT NOT NULL,
	paused INTEGER NOT NULL DEFAULT 0,
	keep_completed INTEGER,
	keep_failed INTEGER,
	UNIQUE(namespace, name));

-- state: 0 blocked 1 scheduled 2 ready 3 running 4 completed 5 failed 6 cancelled.
-- Times are microseconds since 1970 UTC; lease_until alone is the machine's boot clock, and holder says
-- (rota_holder) of which boot; it stays when the lease is over.
CREATE TABLE rota_task(
	id INTEGER PRIMARY KEY,
	state INTEGER NOT NULL CHECK(state BETWEEN 0 AND 6),
	queue INTEGER NOT NULL,
	type INTEGER NOT NULL,
	priority INTEGER NOT NULL,
	run_at INTEGER NOT NULL,
	flags INTEGER NOT NULL,
	attempt INTEGER NOT NULL DEFAULT 0,
	attempts_max INTEGER NOT NULL,
	token INTEGER NOT NULL DEFAULT 0,
	settled INTEGER NOT NULL DEFAULT 0,
	settled_outcome INTEGER NOT NULL DEFAULT -1,
	pending INTEGER NOT NULL DEFAULT 0,
	failed_dependencies INTEGER NOT NULL DEFAULT 0,
	signals INTEGER NOT NULL DEFAULT 0,
	holder INTEGER,
	lease_until INTEGER,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	started_at INTEGER,
	first_started_at INTEGER,
	heartbeat_at INTEGER,
	finished_at INTEGER,
	key TEXT,
	payload BLOB);
-- What may be claimed, in the order of claims.
CREATE INDEX rota_task_ready ON rota_task(queue, type, priority, run_at) WHERE state = 2;
-- All others: what is due, leased, or old enough to be pruned.
CREATE INDEX rota_task_other ON rota_task(state, queue, type, coalesce(finished_at, run_at)) WHERE state <> 2;

-- expire_check: expires_at while somebody must look at it.
CREATE TABLE rota_extra(
	task INTEGER PRIMARY KEY,
	title TEXT,
	content_type TEXT,
	partition TEXT,
	traceparent TEXT,
	notify_channel TEXT,
	retry_attempts INTEGER,
	doublings INTEGER,
	backoff_min INTEGER,
	backoff_max INTEGER,
	duration_max INTEGER,
	jitter_percent INTEGER,
	timeout INTEGER,
	stall INTEGER,
	dedup_for INTEGER,
	expires_at INTEGER,
	expire_check INTEGER,
	crashes INTEGER);
CREATE INDEX rota_extra_expire ON rota_extra(expire_check) WHERE expire_check IS NOT NULL;

-- id = task * 16 + kind: 0 payload (a large one), 1 result, 2 progress, 3 status_text, 4 last_error.
CREATE TABLE rota_part(id INTEGER PRIMARY KEY, data BLOB NOT NULL);

-- free_at: the task is gone and the key is taken until then; state: how it ended.
CREATE TABLE rota_key(
	namespace INTEGER NOT NULL,
	key TEXT NOT NULL,
	task INTEGER NOT NULL,
	free_at INTEGER,
	state INTEGER,
	PRIMARY KEY(namespace, key)) WITHOUT ROWID;
CREATE INDEX rota_key_free ON rota_key(free_at) WHERE free_at IS NOT NULL;

-- policy: 0 run, 1 cancel. settled: 0 awaited, 1 counted as succeeded, 2 counted as failed.
CREATE TABLE rota_edge(
	predecessor INTEGER NOT NULL,
	successor INTEGER NOT NULL,
	policy INTEGER NOT NULL,
	settled INTEGER NOT NULL,
	PRIMARY KEY(predecessor, successor)) WITHOUT ROWID;
CREATE INDEX rota_edge_successor ON rota_edge(successor, predecessor);

-- Attempts that did not complete.
CREATE TABLE rota_attempt(
	task INTEGER NOT NULL,
	token INTEGER NOT NULL,
	attempt INTEGER NOT NULL,
	worker TEXT,
	outcome TEXT NOT NULL,
	error TEXT,
	started_at INTEGER,
	finished_at INTEGER,
	PRIMARY KEY(task, token)) WITHOUT ROWID;

-- Named signals that were counted.
CREATE TABLE rota_signal(task INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY(task, name)) WITHOUT ROWID;

-- Tasks that are gone: -1 deleted, else the state they were pruned in (a completed one needs no row).
CREATE TABLE rota_gone(task INTEGER PRIMARY KEY, state INTEGER NOT NULL);

-- Who holds leases: a name, in one boot of the machine, and the worker process if it is one.
CREATE TABLE rota_holder(
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL,
	boot TEXT NOT NULL,
	worker INTEGER NOT NULL,
	UNIQUE(name, boot, worker));

-- Worker processes. slot: its byte in the side file, locked while it lives; NULL: it has none, or has left.
CREATE TABLE rota_worker(
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL,
	boot TEXT NOT NULL,
	pid INTEGER NOT NULL,
	slot INTEGER,
	gone INTEGER NOT NULL DEFAULT 0,
	joined_at INTEGER NOT NULL,
	beat_at INTEGER NOT NULL,
	metrics BLOB);
