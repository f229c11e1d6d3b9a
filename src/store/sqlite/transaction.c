/* transaction.c: begin, commit, rollback, and keeping the write-ahead log small. */
#include <stdatomic.h>
#include "base/error.h"
#include "store/sqlite/sqlite.h"

/* Above this wait for the lock, others could not renew their leases either. */
#define LOCK_HARD ROTA_MS(500)
/* How long their holders, if they live, are then left alone. */
#define LOCK_GRACE ROTA_SECONDS(10)
/* Long enough to share a warm page cache among many commits, short enough not to be noticed. */
#define LOCK_TURN ROTA_MS(5)
/* A waiter that lives takes the lock within a few wake-ups. */
#define LOCK_OFFER ROTA_MS(3)

/* ---- waiting for the lock ---- */

/* Noted while it is so, for all processes: who comes when it is over cannot know otherwise. */
static void lock_hard(struct rota_session *session, rota_tick now)
{
	atomic_store(&session->backend->hard_at, now);
	if (session->backend->side)
		rota_side_hard(session->backend->side, now);
}

rota_tick rota_session_clear_at(const struct rota_session *session)
{
	const struct rota_backend *backend = session->backend;
	rota_tick at = atomic_load(&backend->hard_at);

	if (backend->side)
		at = ROTA_MAX(at, rota_side_hard_at(backend->side, session->tick));
	return at ? rota_tick_add(at, LOCK_GRACE) : 0;
}

/* Between 1/2 and 1 of a length that grows: waiters must not march in step, and the first tries
 * must be quick, since a commit takes 100 µs. */
static void lock_sleep(struct rota_session *session, int tries)
{
	struct rota_world *world = session->backend->world;
	int64_t longest_us = tries < 8 ? 30 : tries < 32 ? 200 : 2000;
	int64_t us = longest_us / 2 + (int64_t)(world->random(world) % (uint64_t)(longest_us / 2));
	rota_tick until = rota_tick_add(world->now(world), us);
	static const uint32_t nobody_wakes;

	if (session->lock_queued && world->threads && rota_side_there(session->backend->side))
		rota_side_queue_sleep(session->backend->side, until);
	else
		world->park(world, &nobody_wakes, 0, until);
}

static int lock_wait(void *arg, int tries)
{
	struct rota_session *session = arg;
	struct rota_world *world = session->backend->world;
	rota_tick now = world->now(world);

	if (!tries || !session->lock_waited)
		session->lock_waited = now;
	if (session->beginning && session->backend->side && !session->lock_queued) {
		session->lock_queued = true;
		rota_side_queue(session->backend->side, true);
	}
	if (now - session->lock_waited >= LOCK_HARD)
		lock_hard(session, now);
	if (now - session->lock_waited >= session->backend->lock_timeout)
		return 0;
	lock_sleep(session, tries);
	return 1;
}

/* How long it was waited for. */
static rota_duration lock_wait_ends(struct rota_session *session)
{
	struct rota_world *world = session->backend->world;
	rota_tick since = session->lock_waited, now;

	session->lock_waited = 0;
	session->beginning = false;
	if (!since)
		return 0;
	now = world->now(world);
	session->turn_since = now;
	if (session->lock_queued)
		rota_side_queue(session->backend->side, false);
	session->lock_queued = false;
	return now - since;
}

static void lock_got(struct rota_session *session)
{
	struct rota_world *world = session->backend->world;

	if (lock_wait_ends(session) >= LOCK_HARD)
		lock_hard(session, world->now(world));
}

/* Before a transaction: whoever has had the lock for a while steps back when another waits. */
static void lock_offer(struct rota_session *session)
{
	struct rota_side *side = session->backend->side;
	struct rota_world *world = session->backend->world;
	rota_tick now;

	if (!side || !world->threads || !rota_side_queued(side))
		return;
	now = world->now(world);
	if (now - session->turn_since < LOCK_TURN || now < session->offer_after)
		return;
	session->turn_since = now;
	/* Those that wait may be counted for ever because they were killed. */
	if (!rota_side_offer(side, rota_tick_add(now, LOCK_OFFER)))
		session->offer_after = rota_tick_add(now, ROTA_SECONDS(1));
}

static enum rota_status lock_missed(struct rota_session *session, struct rota_error *err)
{
	struct rota_world *world = session->backend->world;
	rota_duration waited = lock_wait_ends(session);

	/* However short it was: a renewal may have given up like this. */
	if (session->backend->lock_timeout)
		lock_hard(session, world->now(world));
	(void)rota_err(err, ROTA_BUSY,
		"%s: another program has held the database's write lock for %lld ms; nothing was "
		"changed, "
		"try again when its transaction is over",
		session->backend->path, (long long)(waited / 1000));
	if (err)
		err->os_code = sqlite3_extended_errcode(session->db);
	return ROTA_BUSY;
}

/* ---- the log ---- */

#define WAL_STEP (ROTA_SQLITE_WAL_PAGES / 4)

static int wal_grew(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct rota_session *session = arg;

	(void)db, (void)name;
	if (pages > session->wal_pages && pages - session->wal_pages > session->wal_group)
		session->wal_group = pages - session->wal_pages;
	session->wal_pages = pages;
	return SQLITE_OK;
}

enum rota_status rota_session_prepare(struct rota_session *session, struct rota_error *err)
{
	if (!rota_sql_query(session, ROTA_SQL_ROLLBACK, ""))
		return rota_session_answer(session, err);
	(void)sqlite3_busy_handler(session->db, lock_wait, session);
	(void)sqlite3_wal_hook(session->db, wal_grew, session);
	session->durability = ROTA_DURABILITY_COMMIT; /* the connection's pragmas say FULL */
	return ROTA_OK;
}

static enum rota_status checkpointer_open(struct rota_session *session)
{
	struct rota_error err = {.status = ROTA_OK};
	enum rota_status status;

	if (session->checkpointer)
		return ROTA_OK;
	status = rota_session_connect(
		session->backend, SQLITE_OPEN_READWRITE, &session->checkpointer, &err);
	if (status)
		return status;
	/* It must have read once: a connection that has never opened the log does nothing. */
	if (sqlite3_exec(
		    session->checkpointer, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL))
		return ROTA_UNAVAILABLE;
	return ROTA_OK;
}

/* SQLite before 3.51.3 can lose commits when a checkpoint meets another connection's reset of the
 * log. Nobody resets it while we hold the write lock; so it is taken first, on the session, and the
 * checkpoint runs on the second connection, passively. What is busy is done next time. */
static enum rota_status checkpoint(struct rota_session *session)
{
	int pages = -1, done = 0;

	if (checkpointer_open(session))
		return ROTA_OK;
	(void)sqlite3_busy_handler(session->db, NULL, NULL);
	if (sqlite3_exec(session->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK) {
		(void)sqlite3_wal_checkpoint_v2(
			session->checkpointer, "main", SQLITE_CHECKPOINT_PASSIVE, &pages, &done);
		(void)sqlite3_exec(session->db, "ROLLBACK", NULL, NULL, NULL);
	}
	(void)sqlite3_busy_handler(session->db, lock_wait, session);
	/* A reader that stays holds back the rest: that is tried again when the log has grown. */
	session->wal_next = pages >= 0 && done < pages ? session->wal_pages + WAL_STEP : 0;
	if (pages >= 0 && done == pages)
		session->wal_pages = 0;
	return ROTA_OK;
}

/* Early enough that the next group stays below what makes foreign connections checkpoint. */
static int wal_full(const struct rota_session *session)
{
	int full = ROTA_SQLITE_WAL_PAGES - 2 * session->wal_group;

	return ROTA_MAX(full, ROTA_SQLITE_WAL_PAGES / 4);
}

enum rota_status rota_sqlite_housekeep(struct rota_session *session, struct rota_error *err)
{
	(void)err;
	if (session->wal_pages < ROTA_MAX(wal_full(session), session->wal_next))
		return ROTA_OK;
	session->wal_group -= session->wal_group / 4; /* one large group does not count for ever */
	return checkpoint(session);
}

/* ---- transactions ---- */

static uint32_t data_version(struct rota_session *session)
{
	uint32_t version = 0;

	(void)sqlite3_file_control(session->db, "main", SQLITE_FCNTL_DATA_VERSION, &version);
	return version;
}

static enum rota_status durability_set(
	struct rota_session *session, enum rota_durability durability, struct rota_error *err)
{
	enum rota_status status;

	if (session->durability == durability)
		return ROTA_OK;
	status = rota_sql_run(session,
		durability == ROTA_DURABILITY_RELAXED ? ROTA_SQL_SYNC_NORMAL : ROTA_SQL_SYNC_FULL,
		"");
	if (!status)
		session->durability = durability;
	else if (err)
		*err = session->error;
	return status;
}

static void session_idle(struct rota_session *session)
{
	session->writing = session->reading = false;
	session->news = &session->no_news;
}

static void names_check(struct rota_session *session)
{
	session->names.queues_stale = true;
	session->names.last_holder = NULL; /* it may have been cleared away */
	if (session->names.name_space < 0)
		session->names.name_space = 0;
}

/* Others may have changed what we remember. */
static void caches_check(struct rota_session *session)
{
	uint32_t version = data_version(session);

	if (session->version == version)
		return;
	session->version = version;
	session->next_id = 0;
	session->edges = 0;
	names_check(session);
}

static enum rota_status begin_failed(struct rota_session *session, struct rota_error *err)
{
	int code = sqlite3_errcode(session->db);

	if ((code & 0xff) == SQLITE_BUSY)
		return lock_missed(session, err);
	(void)lock_wait_ends(session);
	return rota_sqlite_error(
		session->db, code, session->backend->path, "beginning a transaction", err);
}

/* Prepared beforehand: what is to be undone may be that memory ran out. */
static void transaction_undo(struct rota_session *session)
{
	struct rota_error error = session->error;

	if (!sqlite3_get_autocommit(session->db))
		(void)rota_sql_run(session, ROTA_SQL_ROLLBACK, "");
	session->error = error;
}

enum rota_status rota_session_begin(
	struct rota_session *session, const struct rota_begin *begin, struct rota_error *err)
{
	enum rota_status status = ROTA_OK;

	transaction_undo(session); /* in case an undo failed */
	if (begin->write) {
		lock_offer(session);
		status = durability_set(session, begin->durability, err);
	}
	if (status)
		return status;
	session->lock_waited = 0;
	session->beginning = begin->write;
	if (rota_sql_run(session, begin->write ? ROTA_SQL_BEGIN_WRITE : ROTA_SQL_BEGIN_READ, ""))
		return begin_failed(session, err);
	lock_got(session);
	session->writing = begin->write;
	session->reading = true;
	session->no_news = (struct rota_news){.due_in = ROTA_FOREVER};
	session->news = begin->news ? begin->news : &session->no_news;
	session->deleted_max = 0;
	session->notable = false;
	session->names.added = false;
	if (begin->write)
		caches_check(session);
	else
		names_check(session);
	return ROTA_OK;
}

/* Rows with the highest ids may be gone: what is remembered of ids must not sink. */
static enum rota_status floor_write(struct rota_session *session)
{
	rota_id next;
	enum rota_status status;

	if (!session->deleted_max || (session->next_id && session->deleted_max <= session->floor))
		return ROTA_OK;
	status = rota_session_next_id(session, &next);
	if (status || session->deleted_max <= session->floor)
		return status;
	session->floor = ROTA_MAX(next - 1, session->deleted_max);
	session->next_id = session->floor + 1;
	return rota_sql_run(session, ROTA_SQL_FLOOR_SET, "i", session->floor);
}

/* An I/O error in COMMIT may come after the log held the whole transaction. */
static enum rota_status commit_failed(
	struct rota_session *session, bool committing, struct rota_error *err)
{
	int code = sqlite3_errcode(session->db) & 0xff;
	bool uncertain = committing && code == SQLITE_IOERR;
	struct rota_error error = session->error;

	rota_session_rollback(session);
	if (err)
		*err = error;
	if (!uncertain)
		return error.status;
	(void)rota_err(err, ROTA_UNCERTAIN,
		"%s: an I/O error while committing: it may or may not be there (%.200s)",
		session->backend->path, error.message);
	return ROTA_UNCERTAIN;
}

enum rota_status rota_session_commit(struct rota_session *session, struct rota_error *err)
{
	bool wrote = session->writing;

	if (wrote && floor_write(session))
		return commit_failed(session, false, err);
	if (rota_sql_run(session, ROTA_SQL_COMMIT, ""))
		return commit_failed(session, wrote, err);
	if (wrote)
		session->version = data_version(session);
	if (session->notable && session->backend->side)
		rota_side_tell(session->backend->side);
	session_idle(session);
	return ROTA_OK;
}

void rota_session_rollback(struct rota_session *session)
{
	transaction_undo(session);
	rota_work_forget(session);
	session->next_id = 0;
	session->edges = 0;
	session->names.queues_stale = true;
	if (session->names.added || session->writing)
		rota_names_forget(session);
	session_idle(session);
}

bool rota_session_changed(struct rota_session *session)
{
	int64_t version = 0;

	if (rota_sql_number(session, ROTA_SQL_DATA_VERSION, &version, NULL, ""))
		return true;
	if (session->seen_version == version)
		return false;
	session->seen_version = version;
	return true;
}

enum rota_status rota_session_next_id(struct rota_session *session, rota_id *ret)
{
	enum rota_status status = ROTA_OK;

	if (!session->next_id) {
		status = rota_sql_number(session, ROTA_SQL_FLOOR_GET, &session->floor, NULL, "");
		if (!status)
			status = rota_sql_number(
				session, ROTA_SQL_TASK_MAX, &session->next_id, NULL, "");
		if (!status)
			session->next_id = ROTA_MAX(ROTA_MAX(session->next_id, session->floor),
						   session->deleted_max) +
					   1;
		else
			session->next_id = 0;
	}
	*ret = session->next_id;
	return status;
}

void rota_session_start(struct rota_session *session)
{
	struct rota_world *world = session->backend->world;

	session->now = world->date(world);
	session->tick = world->now(world);
	rota_arena_reset(&session->scratch);
}
