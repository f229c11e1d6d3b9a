/* store.h: the contract between the engines above and the databases below. Two halves.
 *
 *   engines, callers ──ops──▶ store.c (checks, limits) ──▶ lane.c (group commit) ──▶ backend
 *
 * Above, an op is submitted and its done() called later: nobody blocks, many share a commit.
 * Below, a backend runs arrays of ops inside a transaction it is told to begin and commit. It
 * blocks, has no threads, no queues, no policy; that is the half one writes for a new database.
 * An attached store (the caller's connection) has a session but no lane: its ops run at once, and
 * begin and commit are the caller's.
 *
 * What a backend must hold for every op: a refused item is an answer (op->err, ret_each), never a
 * failed statement, so one caller's conflict cannot sink the group; ops of a group see those that
 * ran before them in it; an op that is refused as a whole has changed nothing. Inputs are checked
 * before (core/check.h); structs have this library's size. */
#ifndef ROTA_STORE_STORE_H
#define ROTA_STORE_STORE_H
#include <stdbool.h>
#include <rota/task.h>
#include "base/arena.h"
#include "base/macros.h"
#include "base/world.h"

struct rota_store;
struct rota_backend; /* an open database */
struct rota_session; /* one connection to it; one thread at a time */
struct rota_lane;    /* a writer: its session and what waits for it */
struct rota_op;
struct rota_doctor_findings;

/* Every operation: name, flags. From this table come the enum, the names in metrics and traces, the
 * run table's shape, and the fault tests' matrix. The order is also the order in which the kinds of
 * one group run: renewals before rescues, finish before claim, whatever makes tasks ready before
 * whoever wants them. One file per line in each backend. */
#define ROTA_OP_WRITE 1u    /* needs the writing session; else any reading one */
#define ROTA_OP_ATTACHED 2u /* may run in a caller's transaction */
#define ROTA_OP_SAFE 4u     /* repeating it after a lost commit answer does no harm */
#define ROTA_OP_WAITS 8u    /* may be parked in the lane until there is something (CLAIM) */
#define ROTA_OPS(X) \
	X(WORKER, ROTA_OP_WRITE | ROTA_OP_SAFE)                    /* registry row: join, beat, leave */ \
	X(QUEUE, ROTA_OP_WRITE | ROTA_OP_ATTACHED | ROTA_OP_SAFE)  /* settings, pause, resume */ \
	X(REFERENCE, ROTA_OP_WRITE | ROTA_OP_SAFE)                 /* columns that the user adds */ \
	X(BATCH, ROTA_OP_WRITE | ROTA_OP_ATTACHED)                 /* new, include, seal, cancel, … */ \
	X(SCHEDULE, ROTA_OP_WRITE | ROTA_OP_ATTACHED | ROTA_OP_SAFE) \
	X(TICK, ROTA_OP_WRITE | ROTA_OP_SAFE)                      /* fire due schedules: ledger + tasks */ \
	X(ENQUEUE, ROTA_OP_WRITE | ROTA_OP_ATTACHED) \
	X(EXTEND, ROTA_OP_WRITE | ROTA_OP_SAFE)                    /* progress and starts ride along */ \
	X(FINISH, ROTA_OP_WRITE | ROTA_OP_ATTACHED | ROTA_OP_SAFE) /* any outcome, and follow-ups */ \
	X(SIGNAL, ROTA_OP_WRITE | ROTA_OP_ATTACHED) \
	X(CANCEL, ROTA_OP_WRITE | ROTA_OP_ATTACHED | ROTA_OP_SAFE) \
	X(RETRY, ROTA_OP_WRITE | ROTA_OP_ATTACHED) \
	X(DELETE, ROTA_OP_WRITE | ROTA_OP_ATTACHED | ROTA_OP_SAFE) \
	X(PURGE, ROTA_OP_WRITE | ROTA_OP_SAFE)                     /* a slice of a queue */ \
	X(MAINTAIN, ROTA_OP_WRITE | ROTA_OP_SAFE)                  /* promote, rescue, expire, prune: a slice */ \
	X(PERMIT, ROTA_OP_WRITE | ROTA_OP_SAFE)                    /* blocks of a cap or a rate */ \
	X(CLAIM, ROTA_OP_WRITE | ROTA_OP_WAITS) \
	X(REMIND, ROTA_OP_WRITE | ROTA_OP_ATTACHED)                /* outbox: write, delete, park reminders */ \
	X(SWEEP, ROTA_OP_SAFE)                                     /* outbox: a page of a key range */ \
	X(RANGE_LEASE, ROTA_OP_WRITE | ROTA_OP_SAFE)               /* outbox: leases on ranges */ \
	X(IMPORT, ROTA_OP_WRITE | ROTA_OP_SAFE)                    /* raw rows: rota move */ \
	X(EXPORT, ROTA_OP_SAFE) \
	X(GUARD, ROTA_OP_ATTACHED | ROTA_OP_SAFE) \
	X(GET, ROTA_OP_ATTACHED | ROTA_OP_SAFE) \
	X(STATES, ROTA_OP_ATTACHED | ROTA_OP_SAFE)                 /* for waiters */ \
	X(LIST, ROTA_OP_ATTACHED | ROTA_OP_SAFE) \
	X(STATS, ROTA_OP_SAFE) \
	X(OPEN_WORK, ROTA_OP_SAFE)                                 /* is anything left to do? (drain) */ \
	X(EXPLAIN, ROTA_OP_SAFE)                                   /* facts only; core/explain judges */
#define ROTA_OP_ENUM(name, flags) ROTA_OP_##name,
enum rota_op_kind { ROTA_OPS(ROTA_OP_ENUM) ROTA_OP_COUNT };
extern const char *const rota_op_names[ROTA_OP_COUNT];
extern const uint32_t rota_op_flags[ROTA_OP_COUNT];

/* ---- argument blocks, one per line of ROTA_OPS. `ret_` fields are answers, in op->arena ---- */

/* Either an array or a stream. next: *ret_task NULL at the end; any status but OK refuses the whole
 * op with it. A stream is alone in its group. Errors name the item in err.item. */
struct rota_op_enqueue {
	const struct rota_task *tasks;
	size_t count;
	rota_id *ret_ids; /* the caller's, count of them; may be NULL */
	enum rota_status (*next)(void *arg, const struct rota_task **ret_task, struct rota_error *err);
	void (*accepted)(void *arg, uint64_t nth, rota_id id);
	void *arg;
	uint64_t ret_count;
	rota_id finishing; /* whose follow-ups these are, 0: nobody's; they cannot replace it */
};

/* A claim's holder is a process (worker_id from WORKER: its leases also end when it is gone) or just
 * a name (worker_id 0). number: rises per holder, so that a resent claim gets the same rows. */
struct rota_op_claim {
	const char *worker;
	int64_t worker_id;
	uint64_t number;
	const char *const *types, *const *queues; /* count 0: all */
	size_t type_count, queue_count;
	const rota_id *ids; /* or exactly these */
	size_t id_count;
	size_t tasks_max, bytes_max; /* payload bytes; one task is given whatever its size */
	rota_duration lease;         /* ROTA_FOREVER: no end */
	rota_tick wait_until;        /* parked by the lane while there is nothing; 0: never */
	const struct rota_claimed **ret_tasks;
	size_t ret_count;
	/* The one task given must be extended with `started` before its handler runs (suspect, or
	 * max_attempts 1). */
	bool ret_commit_start;
	enum rota_status *ret_each; /* with ids: the caller's, id_count of them; may be NULL */
};

struct rota_extension {
	rota_id id;
	int64_t token;
	bool started;            /* its handler runs: the attempt counts from now on */
	bool keep_deadline;      /* progress only */
	struct rota_bytes progress; /* data NULL: unchanged */
	const char *status_text;    /* NULL: unchanged */
	enum rota_status ret_status; /* rota_rule_extend's answer, or NOT_FOUND */
	bool ret_cancel_requested;
};
struct rota_op_extend {
	struct rota_extension *items;
	size_t count;
	rota_duration lease;
};

struct rota_op_finish {
	const struct rota_verdict *verdicts;
	size_t count;
	enum rota_status *ret_each; /* the caller's, count of them. rota_rule_finish's answer, NOT_FOUND, or
	                               what refused the follow-ups (then the verdict did nothing) */
	struct rota_error *ret_errors; /* may be NULL; the text of a refused verdict, count of them */
};

struct rota_op_guard { rota_id id; int64_t token; };   /* answer: op->err.status */
struct rota_op_signal { rota_id id; const char *name; };
/* CANCEL and RETRY; ret_each the caller's, may be NULL. */
struct rota_op_ids {
	const rota_id *ids;
	size_t count;
	const char *reason; /* CANCEL; may be NULL */
	enum rota_status *ret_each;
};
struct rota_op_delete {
	const rota_id *ids;
	size_t count;
	uint32_t flags; /* ROTA_DELETE_… */
	uint64_t ret_deleted;
	enum rota_status *ret_each; /* OK or NOT_FOUND */
};
struct rota_op_purge {
	const char *queue;
	size_t slice; /* at most that many rows */
	uint64_t ret_deleted;
	bool ret_more;
};

#define ROTA_GET_PAYLOAD 1u
#define ROTA_GET_EDGES 2u
#define ROTA_GET_ATTEMPTS 4u
#define ROTA_GET_RESULT 8u
struct rota_op_get {
	rota_id id;
	const char *key;  /* when id is 0 */
	uint32_t want;
	struct rota_task_info *ret_info; /* answer NOT_FOUND: NULL */
	/* Only the id is asked for (and a key whose task is pruned still has none): */
	bool id_only;
	rota_id ret_id;
};
/* ROTA_STATE_…, or -1: no such task in this namespace. */
struct rota_op_states { const rota_id *ids; size_t count; int8_t *ret_states; /* the caller's */ };
struct rota_op_list {
	struct rota_task_filter filter; /* limit filled in */
	const struct rota_task_info **ret_tasks;
	size_t ret_count;
};
struct rota_op_stats {
	const struct rota_queue_info **ret_queues;
	size_t ret_queue_count;
	const struct rota_type_info **ret_types;
	size_t ret_type_count;
};
/* True while one of these queues holds a ready, scheduled or running task of one of these types. */
struct rota_op_open_work {
	const char *const *types, *const *queues; /* count 0: all */
	size_t type_count, queue_count;
	bool ret_open;
};

enum rota_queue_action { ROTA_QUEUE_SET, ROTA_QUEUE_PAUSE, ROTA_QUEUE_RESUME };
struct rota_op_queue {
	enum rota_queue_action action;
	const char *name;
	struct rota_queue_settings settings; /* SET; -1 leaves alone. Caps, rates, weights join here */
};
enum rota_worker_action { ROTA_WORKER_JOIN, ROTA_WORKER_BEAT, ROTA_WORKER_LEAVE };
struct rota_op_worker {
	enum rota_worker_action action;
	const char *name;
	int64_t worker_id; /* BEAT, LEAVE */
	int64_t pid;
	struct rota_bytes metrics; /* BEAT: its figures, for other processes to read; NULL: none */
	int64_t ret_worker_id;
};
/* Bounded work: at most slice rows of each kind. */
struct rota_op_maintain {
	size_t slice;
	bool ret_more;          /* a slice was full: come again soon */
	rota_duration ret_next; /* until something is due; ROTA_FOREVER: nothing known */
};

/* ---- later operations; shaped now so that nothing is torn down for them ---- */

struct rota_op_permit { /* a block of a queue's (or partition's) cap, or of rate tokens */
	const char *queue, *partition;
	int64_t worker_id;
	int64_t want, give_back;   /* both may be 0: what is in use */
	rota_duration lease;
	int64_t ret_granted;
	rota_duration ret_retry_in; /* when more may be had */
};
struct rota_op_reference { const char *column, *table, *foreign_column; bool drop; };
enum rota_batch_action { ROTA_BATCH_NEW, ROTA_BATCH_INCLUDE, ROTA_BATCH_SEAL, ROTA_BATCH_CANCEL,
	ROTA_BATCH_RETRY, ROTA_BATCH_DELETE, ROTA_BATCH_FINALIZE };
struct rota_op_batch {
	enum rota_batch_action action;
	int64_t id, other;           /* other: INCLUDE */
	const char *key;
	rota_duration deadline;
	const struct rota_task *on_success, *on_failure, *always;
	size_t on_success_count, on_failure_count, always_count;
	int64_t ret_id;
	bool ret_changed;
};
enum rota_schedule_action { ROTA_SCHEDULE_ADD, ROTA_SCHEDULE_ENSURE, ROTA_SCHEDULE_PAUSE,
	ROTA_SCHEDULE_RESUME, ROTA_SCHEDULE_REMOVE, ROTA_SCHEDULE_LIST };
struct rota_op_schedule {
	enum rota_schedule_action action;
	const char *name, *cron, *zone;
	const struct rota_task *task; /* what each tick enqueues */
	rota_time next, from, until;
	uint32_t missed, limit, overlap;
	struct rota_bytes ret_rows;
};
/* One tick each: ledger row (schedule, tick) and task in one transaction; a tick already there is
 * no error. next: compare-and-set from `tick`. */
struct rota_op_tick { int64_t schedule_id; rota_time tick, next; rota_id ret_task; bool ret_fired; };
struct rota_op_remind {
	const struct rota_reminder *reminders; /* 16-byte id, fresh_until, request */
	size_t count;
	uint32_t action; /* write, delete, park */
	enum rota_status *ret_each;
};
struct rota_op_sweep {
	uint8_t low[16], high[16];
	rota_time stale_before;
	size_t limit;
	struct rota_reminder *ret_reminders;
	size_t ret_count;
};
struct rota_op_range_lease {
	const char *section;
	uint8_t low[16], high[16];
	rota_duration lease;
	int64_t id; /* 0: take; else give back */
	int64_t ret_id;
	struct rota_bytes ret_taken; /* sub-ranges others hold */
};
/* Raw rows of one table after a cursor, as written by the other side's EXPORT. */
struct rota_op_rows { uint32_t table; struct rota_bytes cursor, rows, ret_rows, ret_cursor; size_t limit; };
struct rota_op_explain { rota_id id; struct rota_explain_facts *ret_facts; };

/* One operation in flight. Embedded in its owner, which keeps it and its inputs until done(). */
struct rota_op {
	enum rota_op_kind kind;
	enum rota_durability durability; /* a group commits with the strictest of its members */
	union {
		struct rota_op_enqueue enqueue;
		struct rota_op_claim claim;
		struct rota_op_extend extend;
		struct rota_op_finish finish;
		struct rota_op_guard guard;
		struct rota_op_signal signal;
		struct rota_op_ids ids; /* CANCEL, RETRY */
		struct rota_op_delete delete;
		struct rota_op_purge purge;
		struct rota_op_get get;
		struct rota_op_states states;
		struct rota_op_list list;
		struct rota_op_stats stats;
		struct rota_op_open_work open_work;
		struct rota_op_queue queue;
		struct rota_op_worker worker;
		struct rota_op_maintain maintain;
		struct rota_op_permit permit;
		struct rota_op_reference reference;
		struct rota_op_batch batch;
		struct rota_op_schedule schedule;
		struct rota_op_tick tick;
		struct rota_op_remind remind;
		struct rota_op_sweep sweep;
		struct rota_op_range_lease range_lease;
		struct rota_op_rows rows; /* EXPORT, IMPORT */
		struct rota_op_explain explain;
	} u;
	struct rota_arena *arena;         /* the owner's: outputs; a CLAIM that waits has nothing else in it */
	struct rota_error err;            /* err.status is the answer */
	void (*done)(struct rota_op *op); /* last touch; short; submits more if it likes */
	void *owner;
	/* the lane's */
	struct rota_op *next;
	uint64_t group;                   /* which group took it; 0: none yet */
	bool parked, recalled, repeated;
};

/* ---- above: what engines and public calls use ---- */

/* Takes the op. Bad arguments are answered at once through the return value, without done(). ROTA_BUSY:
 * too much is in flight. done() runs on whichever thread steps the lane. */
ROTA_MUST_USE enum rota_status rota_store_submit(struct rota_store *store, struct rota_op *op, struct rota_error *err);
/* The same and wait until done: what the public calls do (owner and done are this call's). The
 * caller's thread steps the lane itself when nobody else does. Never from done() or an engine.
 * Returns op->err.status, and op->err in err. */
ROTA_MUST_USE enum rota_status rota_store_run(struct rota_store *store, struct rota_op *op, struct rota_error *err);
/* A CLAIM that waits is answered soon, with nothing, also if it is not parked yet. The op must not be
 * done; who uses it again clears op->recalled first. */
void rota_store_recall(struct rota_store *store, struct rota_op *op);
struct rota_world *rota_store_world(struct rota_store *store);
/* As rota_store_open, in a world. Tests and the simulator pass theirs. */
ROTA_MUST_USE enum rota_status rota_store_open_in(struct rota_world *world, const char *url,
	const struct rota_store_options *options, struct rota_store **ret_store, struct rota_error *err);

/* Who wants to know what commits did (waits, the worker's cancellations). Called after the commit, on
 * the stepping thread; short; must not call the store. */
struct rota_news;
struct rota_watch {
	void (*news)(struct rota_watch *watch, const struct rota_news *news);
	bool foreign; /* also wants to hear that other processes committed something */
	struct rota_watch *next;
};
void rota_store_watch(struct rota_store *store, struct rota_watch *watch);
void rota_store_unwatch(struct rota_store *store, struct rota_watch *watch); /* waits for news() in flight */

/* What a group did that others may wait for. Filled by run(), in the lane's arena. */
struct rota_ended {
	rota_id id;
	int8_t state; /* final, or -1: deleted */
};
struct rota_news {
	/* to the backend */
	bool want_ended;   /* somebody waits: name them */
	struct rota_arena *arena;
	/* from the backend */
	struct rota_ended *ended;
	rota_id *cancels;  /* running tasks whose cancel_requested was set */
	size_t ended_count, cancel_count;
	bool overflow;     /* more than ROTA_NEWS_MAX, or no memory: look for yourself */
	bool ready;        /* some task became ready, or a queue was resumed */
	bool claimed;      /* some lease began */
	bool unseen;       /* a claim stopped before it had seen all: those parked look again */
	rota_duration due_in; /* a task was scheduled: the soonest, from now; ROTA_FOREVER: none */
	/* from the lane */
	bool foreign;      /* another process committed something; nothing else is known */
};
/* Helpers for backends, in store/news.c. */
void rota_news_ended(struct rota_news *news, rota_id id, int state);
void rota_news_cancel(struct rota_news *news, rota_id id);
void rota_news_due(struct rota_news *news, rota_duration in);

/* The writer: takes what is pending (never waits for more), begins, runs it kind by kind, commits
 * with the strictest durability asked, answers. The only step that blocks. A thread of the store's or
 * a caller's calls it in production, the simulator in its turn. *ret_next: when it wants to be
 * stepped again (ROTA_TICK_NEVER: when something is submitted). */
void rota_lane_step(struct rota_lane *lane, rota_tick now, rota_tick *ret_next);
struct rota_lane *rota_store_lane(struct rota_store *store);

/* ---- below: what a database implements ---- */

enum rota_session_role { ROTA_SESSION_WRITE, ROTA_SESSION_READ, ROTA_SESSION_ATTACHED };
/* n ops of one kind, in order. Answers go into each op (err.status defaults to OK). Not OK: the whole
 * group is rolled back, and each op tried alone once. */
typedef enum rota_status rota_run_fn(struct rota_session *session, struct rota_op *const *ops, size_t n,
	struct rota_error *err);

struct rota_begin {
	bool write;
	enum rota_durability durability; /* COMMIT or RELAXED */
	struct rota_news *news;          /* until commit or rollback; zeroed but for its inputs and due_in */
};

#define ROTA_BACKEND_VERSION 1
struct rota_backend_vtable {
	uint32_t version;
	uint32_t lanes_max;           /* writers that help each other: SQLite 1, PostgreSQL 2 or more */
	const char *name;             /* also the URL scheme */
	/* place: the URL without its scheme. options: filled in, this library's size, name_space never
	 * NULL. Also migrates, unless it is a reader of a newer schema: then ROTA_CORRUPT. */
	enum rota_status (*open)(const char *place, const struct rota_store_options *options,
		struct rota_world *world, struct rota_backend **ret_backend, struct rota_error *err);
	void (*close)(struct rota_backend *backend); /* after its sessions */
	enum rota_status (*doctor)(struct rota_backend *backend, struct rota_doctor_findings *ret, struct rota_error *err);

	/* handle is the caller's sqlite3 or PGconn for ROTA_SESSION_ATTACHED, else NULL. */
	enum rota_status (*session_open)(struct rota_backend *backend, enum rota_session_role role,
		void *handle, struct rota_session **ret_session, struct rota_error *err);
	void (*session_close)(struct rota_session *session);
	/* begin and run may only queue, so that PostgreSQL sends a whole group in one round trip:
	 * answers hold once commit returned ROTA_OK (attached: once run returned). begin answers ROTA_BUSY
	 * when the lock was not to be had in options->lock_timeout. */
	enum rota_status (*begin)(struct rota_session *session, const struct rota_begin *begin,
		struct rota_error *err);
	enum rota_status (*commit)(struct rota_session *session, struct rota_error *err); /* may be UNCERTAIN */
	void (*rollback)(struct rota_session *session);
	rota_run_fn *run[ROTA_OP_COUNT]; /* NULL: ROTA_UNSUPPORTED */
	/* After a group, outside a transaction, on the lane's thread: checkpoints. May be NULL. */
	enum rota_status (*housekeep)(struct rota_session *session, struct rota_error *err);
	/* Did another connection commit since the last call? Cheap (2 µs). NULL: there are no others. */
	bool (*changed)(struct rota_session *session);

	/* Other processes' commits. Blocks on a thread of its own until something may have changed, or
	 * timeout, or hint_stop. Optional: without it, lanes poll `changed`. Polling is always the truth. */
	enum rota_status (*hint_wait)(struct rota_backend *backend, rota_duration timeout, struct rota_error *err);
	void (*hint_stop)(struct rota_backend *backend);
};
/* memory, sqlite: in librota. postgres: librota-postgres, found by store/open.c on first use. */
extern const struct rota_backend_vtable rota_memory_backend, rota_sqlite_backend;
#endif
