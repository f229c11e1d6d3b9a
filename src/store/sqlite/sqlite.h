/* sqlite.h (internal): the SQLite backend's shared parts. Only this directory includes sqlite3.h.
 *
 * Errors: a function that talks to the database returns ROTA_OK or what went wrong, whose words are
 * in session->error (rota_session_failed). That ends the group. A refused item is something else:
 * it is answered in its op, and the function returns ROTA_OK. */
#ifndef ROTA_STORE_SQLITE_H
#define ROTA_STORE_SQLITE_H
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include "base/buf.h"
#include "base/limits.h"
#include "base/macros.h"
#include "base/map.h"
#include "core/facts.h"
#include "store/store.h"
#include "store/sqlite/input.h"
#include "sqlite_sql.h"

#define ROTA_SQLITE_SCHEMA 1 /* the newest migration this library knows */
#define ROTA_SQLITE_ROWS                                                                           \
	1000 /* rows handled by one statement: enough to share its cost, small enough to sit in L2 \
	      */
#define ROTA_SQLITE_WAL_PAGES                                                                      \
	1000 /* foreign connections checkpoint from there on by themselves; we come before */

struct rota_side;

struct rota_backend {
	char *path, *name_space;
	struct rota_world *world;
	rota_duration lock_timeout;
	struct rota_side *side;      /* NULL: could not be made */
	_Atomic(sqlite3 *) spare;    /* the connection that migrated, for the first session */
	struct rota_map *worker_fds; /* worker id to the descriptor that locks its byte, plus 1 */
	_Atomic uint32_t hint_stopped;
	_Atomic rota_tick hard_at; /* when the write lock was last hard to get; 0: never */
};

/* ---- queues, types, namespaces: texts outside, numbers inside (names.c) ---- */

struct rota_queue_row {
	int64_t id, name_space;
	char *name;
	bool paused;
	rota_duration keep_completed, keep_failed; /* resolved */
};
struct rota_name_cache {
	struct rota_names *queue_ids, *type_ids; /* of queues only this namespace's */
	struct rota_map *queues, *types,
		*holders;       /* id to struct rota_queue_row, char *, struct rota_holder_row */
	int64_t name_space;     /* 0: not looked up, -1: there is none yet */
	bool queues_stale;      /* settings may have changed */
	int64_t queues_version; /* as read with them, from rota_meta; 0: never */
	bool added;             /* in this transaction: a rollback makes all of it wrong */
	const char *last_queue, *last_type; /* texts of the last look-ups, in the maps */
	int64_t last_queue_id, last_type_id;
	const struct rota_holder_row *last_holder;
	const struct rota_queue_row *last_found; /* by id */
};
struct rota_holder_row {
	int64_t id;
	bool now;       /* of this boot */
	int64_t worker; /* 0: just a name */
	char name[];
};

/* ---- a connection ---- */

struct rota_row;
struct rota_new;   /* enqueue.h */
struct rota_chunk; /* enqueue.c */
struct rota_session {
	struct rota_backend *backend;
	sqlite3 *db;
	sqlite3 *checkpointer; /* the second connection, made at the first checkpoint */
	sqlite3_stmt *statements[ROTA_SQL_COUNT];
	struct rota_error error;
	struct rota_news *news; /* of the transaction; never NULL inside run */
	struct rota_news no_news;
	struct rota_input input; /* what the table rota_in shows */
	enum rota_session_role role;
	enum rota_durability durability; /* as the connection is set now */
	bool writing, reading;
	bool notable;             /* this transaction did something that others wait for */
	int wal_next;             /* no checkpoint before the log has that many pages */
	int wal_pages, wal_group; /* after the last commit; the most that one group wrote */
	int64_t seen_version;     /* what rota_session_changed saw last */
	uint32_t version;    /* of the data, after our last transaction: tells foreign commits */
	bool finishes_brief; /* the last finishes removed their rows; see finish.c */
	bool beginning, lock_queued; /* queued: the side file knows that the lock is waited for */
	rota_tick turn_since;        /* when we last got the lock after a wait */
	rota_tick offer_after;       /* nobody took the last offer: no other before then */
	rota_tick lock_waited;       /* since when the lock is waited for; 0: it is not */
	rota_tick lease_next,
		lease_look; /* no lease known ends before; look at all then anyway (maintain.c) */
	rota_time now;      /* read once per run */
	rota_tick tick;
	rota_id next_id; /* 0: not known */
	rota_id floor, deleted_max;
	int edges; /* are there any? 0: not known, -1: none, 1: perhaps */
	struct rota_name_cache names;
	struct rota_work *work; /* rows being worked on; see row.h */
	struct rota_new *fresh; /* the same for enqueue: collected, not yet inserted */
	size_t fresh_count;
	struct rota_chunk *chunk;  /* made at the first call that needs one */
	struct rota_arena scratch; /* reset at the start of each run */
	struct rota_arena reads;   /* of a row's texts; reset by its user */
};

/* session.c */
enum rota_status rota_session_failed(struct rota_session *session, const char *doing);
enum rota_status rota_session_memory(struct rota_session *session);
/* Why the group failed, to whoever runs it. */
enum rota_status rota_session_answer(const struct rota_session *session, struct rota_error *err);
enum rota_status rota_session_connect(
	struct rota_backend *backend, int flags, sqlite3 **ret_db, struct rota_error *err);
enum rota_status rota_sqlite_error(
	sqlite3 *db, int code, const char *path, const char *doing, struct rota_error *err);
enum rota_status rota_session_open(struct rota_backend *backend, enum rota_session_role role,
	void *handle, struct rota_session **ret_session, struct rota_error *err);
void rota_session_close(struct rota_session *session);

/* sql.c. A statement is prepared at its first use and kept. Letters of shape say what follows: i
 * int64_t, o int64_t whose 0 is NULL, t const char * (NULL is NULL), b struct rota_bytes (data NULL
 * is NULL). Texts and bytes must live until the statement has ended. */
enum rota_status rota_sql_run(
	struct rota_session *session, enum rota_sql which, const char *shape, ...);
/* A query: then rota_sql_next until it is not 1. NULL: failed. */
sqlite3_stmt *rota_sql_query(
	struct rota_session *session, enum rota_sql which, const char *shape, ...);
/* 1: a row, valid until the next call; 0: the end; -1: failed. Resets in the last two cases. */
int rota_sql_next(struct rota_session *session, sqlite3_stmt *statement);
/* At most one row of one number. *ret_found may be NULL: then *ret is 0 without a row. */
enum rota_status rota_sql_number(struct rota_session *session, enum rota_sql which, int64_t *ret,
	bool *ret_found, const char *shape, ...);
void rota_sql_free(struct rota_session *session);

/* transaction.c */
enum rota_status rota_session_begin(
	struct rota_session *session, const struct rota_begin *begin, struct rota_error *err);
enum rota_status rota_session_commit(struct rota_session *session, struct rota_error *err);
void rota_session_rollback(struct rota_session *session);
/* Busy handler and hooks of a new connection. */
enum rota_status rota_session_prepare(struct rota_session *session, struct rota_error *err);
/* Until then the leases of holders that live hold: they may have been kept from renewing. */
rota_tick rota_session_clear_at(const struct rota_session *session);
bool rota_session_changed(struct rota_session *session);
/* The next id to be given out, read once per transaction. */
enum rota_status rota_session_next_id(struct rota_session *session, rota_id *ret);
/* A row is about to go: its id must never be given out again. */
static inline void rota_session_deletes(struct rota_session *session, rota_id id)
{
	if (id > session->deleted_max)
		session->deleted_max = id;
}
enum rota_status rota_sqlite_housekeep(struct rota_session *session, struct rota_error *err);
/* Reads the clocks for the ops of one run, and empties scratch. */
void rota_session_start(struct rota_session *session);

/* row.c: what was noted and collected but not yet written is dropped. */
void rota_work_forget(struct rota_session *session);

/* migrate.c */
/* Leaves the connection it used in backend->spare. */
enum rota_status rota_sqlite_migrate(
	struct rota_backend *backend, bool create, struct rota_error *err);

/* names.c. make: writes a row for a new name; else an unknown one is -1. */
enum rota_status rota_namespace_id(struct rota_session *session, bool make, int64_t *ret);
enum rota_status rota_queue_id(
	struct rota_session *session, const char *name, bool make, int64_t *ret);
enum rota_status rota_type_id(
	struct rota_session *session, const char *name, bool make, int64_t *ret);
enum rota_status rota_queue_by_id(
	struct rota_session *session, int64_t id, const struct rota_queue_row **ret);
enum rota_status rota_type_name(struct rota_session *session, int64_t id, const char **ret);
/* A holder of this boot. worker 0: just a name. */
enum rota_status rota_holder_id(
	struct rota_session *session, const char *name, int64_t worker, int64_t *ret);
enum rota_status rota_holder_by_id(
	struct rota_session *session, int64_t id, const struct rota_holder_row **ret);
/* Brings every queue of the file into names.queues. */
enum rota_status rota_queues_load(struct rota_session *session);
/* To be called by whoever changes a row of rota_queue. */
enum rota_status rota_queues_changed(struct rota_session *session);
void rota_names_forget(struct rota_session *session);

/* side.c: the file beside the database, DB-rota: who is alive, and who waits for commits. */
struct rota_side *rota_side_open(const char *path);
/* False: there is nothing left of it; then it tells nothing and wakes nobody. */
bool rota_side_there(const struct rota_side *side);
void rota_side_close(struct rota_side *side);
/* Locks a free byte for as long as *ret_fd is open. False: none to be had. */
bool rota_side_join(struct rota_side *side, int64_t *ret_slot, int *ret_fd);
/* False: the slot's byte is not in this side file, but in one that was removed. */
bool rota_side_knows(struct rota_side *side, int64_t slot);
bool rota_side_alive(struct rota_side *side, int64_t slot);
void rota_side_tell(struct rota_side *side);
/* True: something may have been committed. */
bool rota_side_wait(struct rota_side *side, rota_tick deadline);
void rota_side_stop(struct rota_side *side);
/* Waiting for the write lock begins, or ends. */
void rota_side_queue(struct rota_side *side, bool enter);
bool rota_side_queued(const struct rota_side *side); /* does anybody? */
/* A little sleep of one that waits; an offer ends it. */
void rota_side_queue_sleep(struct rota_side *side, rota_tick deadline);
/* Steps back until one that waits has got the lock. False: nobody took it. */
bool rota_side_offer(struct rota_side *side, rota_tick deadline);

/* The lock is hard to get now; when it last was, for any process. 0: never. */
void rota_side_hard(struct rota_side *side, rota_tick now);
rota_tick rota_side_hard_at(const struct rota_side *side, rota_tick now);

/* One per op. */
rota_run_fn rota_sqlite_worker, rota_sqlite_queue, rota_sqlite_enqueue, rota_sqlite_extend,
	rota_sqlite_finish, rota_sqlite_signal, rota_sqlite_cancel, rota_sqlite_retry,
	rota_sqlite_delete, rota_sqlite_purge, rota_sqlite_maintain, rota_sqlite_claim,
	rota_sqlite_guard, rota_sqlite_get, rota_sqlite_states, rota_sqlite_list, rota_sqlite_stats,
	rota_sqlite_open_work;
#endif
