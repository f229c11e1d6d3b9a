/* task.h: put work into a store, look at it, wait for it, and do it by hand.
 *
 * Every call takes a struct rota_store and is a transaction of its own, group-committed with other
 * callers'. Inputs are borrowed for the call. A NULL text means "not given". Text is UTF-8 without
 * NUL; names are at most 255 bytes. */
#ifndef ROTA_TASK_H
#define ROTA_TASK_H
#include <rota/store.h>
ROTA_BEGIN

enum rota_state {
	ROTA_STATE_BLOCKED,   /* waits for dependencies or signals */
	ROTA_STATE_SCHEDULED, /* waits for run_at */
	ROTA_STATE_READY,     /* may be claimed */
	ROTA_STATE_RUNNING,   /* leased */
	ROTA_STATE_COMPLETED, ROTA_STATE_FAILED, ROTA_STATE_CANCELLED /* final */
};
ROTA_API const char *rota_state_name(enum rota_state state); /* "ready"; static */

enum rota_on_conflict { ROTA_CONFLICT_REJECT, ROTA_CONFLICT_IGNORE, ROTA_CONFLICT_REPLACE };
/* What an edge means when its predecessor failed, was cancelled, expired or deleted. */
enum rota_after_failed {
	ROTA_AFTER_RUN,   /* the successor runs, and is told how many failed */
	ROTA_AFTER_CANCEL /* the successor is cancelled, and so on from there */
};

/* The other end of an edge. Set exactly one of the first three. */
struct rota_dependency {
	rota_id id;
	const char *key;
	uint64_t nth; /* 1 is the first task of the same call */
	enum rota_after_failed failed;
	uint32_t reserved;
};

/* After attempt n: min, doubled `doublings` times, then growing by min * 2^doublings each time, never
 * above max (the formula of Google Cloud Tasks' RetryConfig); then up to jitter_percent taken off.
 * Used up: attempts reached; if duration_max is set as well, both must be passed. */
struct rota_retry {
	ROTA_SIZE;
	int32_t attempts_max;   /* 0: 25; -1: no limit */
	int32_t doublings;      /* 0: 16; -1: none, linear from the start */
	rota_duration backoff_min, backoff_max; /* 0: 1 s, 1 h */
	rota_duration duration_max; /* since the first attempt started; 0: none */
	int32_t jitter_percent;     /* 0: 10; -1: none */
};

/* What to run. Zero is the default everywhere; type is required. In an array all elements have
 * the size of the first, which is how the library walks it. */
struct rota_task {
	ROTA_SIZE;
	const char *type;
	const char *queue;         /* NULL: "default" */
	const char *key;           /* unique in the namespace */
	const char *title;         /* for people */
	struct rota_bytes payload; /* data NULL: none */
	const char *content_type, *partition, *traceparent, *notify_channel;
	int32_t priority;          /* lower runs first */
	enum rota_on_conflict on_conflict;
	rota_time run_at;          /* 0: now; delay is added; a past one is now */
	rota_duration delay, timeout, stall; /* timeout, stall: per attempt, 0: none */
	rota_duration expires_in;  /* not claimed by then: failed "expired"; 0: never */
	rota_duration dedup_for;   /* the key stays taken that long after the end */
	const struct rota_retry *retry;
	const struct rota_dependency *after, *before; /* predecessors, successors */
	size_t after_count, before_count;
	uint32_t signals;          /* rota_task_signal calls it waits for */
};
/* C: ROTA_TASK(.type = "mail", .delay = ROTA_SECONDS(5)) */
#define ROTA_TASK(...) ((struct rota_task){ .size = sizeof(struct rota_task), __VA_ARGS__ })

/* All of them or none. ret_ids (n of them) may be NULL. ROTA_EXISTS: a key is taken (err->item says
 * whose); ROTA_NOT_FOUND: no such predecessor; ROTA_INVALID: also a cycle, which is named. */
ROTA_CALL rota_task_enqueue(struct rota_store *store,
	const struct rota_task *tasks, size_t n, rota_id *ret_ids, struct rota_error *err);

/* Any number of tasks, all or none, in bounded memory. next fills task (zeroed, size set; what it
 * points to stays valid until the next call) and returns 1; 0 at the end; -1 to give up: then
 * ROTA_CANCELLED and nothing was enqueued. Called on a thread of the store's while it holds the
 * database's write lock: it must not wait for anything slow, nor use the store. accepted (may be
 * NULL) gets each id, in order, before the commit. */
struct rota_task_source {
	ROTA_SIZE;
	int (*next)(void *arg, struct rota_task *task);
	void (*accepted)(void *arg, uint64_t nth, rota_id id);
	void *arg;
};
ROTA_CALL rota_task_enqueue_from(struct rota_store *store,
	const struct rota_task_source *source, uint64_t *ret_count, struct rota_error *err);

/* Asynchronous: copies the tasks and returns at once (ROTA_BUSY when too many are in flight).
 * done is called exactly once, on a thread of the store's, when they are durable or refused; it
 * must not block and must not call the store synchronously. NULL: see rota_store_flush. */
typedef void rota_enqueued_fn(void *arg, const rota_id *ids, size_t n, const struct rota_error *err);
ROTA_CALL rota_task_submit(struct rota_store *store,
	const struct rota_task *tasks, size_t n, rota_enqueued_fn *done, void *arg, struct rota_error *err);

/* ---- looking ---- */

struct rota_edge_info {
	rota_id task;
	const char *key;       /* NULL: none */
	enum rota_state state; /* of the other task, now */
	int settled;           /* 0: awaited; 1: counted as succeeded; 2: counted as failed */
	enum rota_after_failed failed;
};
struct rota_attempt_info {
	int32_t attempt;
	int64_t token;
	const char *worker, *outcome, *error; /* outcome: "retry", "lost", ... */
	rota_time started_at, finished_at;
};
/* What the store knows of a task. The library allocates it, so fields are only ever added. NULL: none. */
struct rota_task_info {
	rota_id id;
	enum rota_state state;
	const char *type, *queue, *key, *title, *partition, *content_type, *traceparent, *notify_channel;
	struct rota_bytes payload, result, progress;
	const char *status_text, *last_error, *worker;
	int32_t priority, attempt, attempts_max; /* attempts_max 0: no limit */
	int64_t token, settled, pending, failed_dependencies;
	rota_duration timeout, stall, dedup_for;
	rota_time run_at, created_at, updated_at, started_at, finished_at, heartbeat_at, expires_at;
	rota_time lease_until; /* ROTA_FOREVER: no end; 0: not leased */
	int cancel_requested;
	struct rota_retry retry; /* all defaults filled in; attempts_max -1: no limit */
	size_t predecessor_count, successor_count, attempt_count;
	const struct rota_edge_info *const *predecessors, *const *successors;
	const struct rota_attempt_info *const *attempts; /* those that did not complete, oldest first */
};
ROTA_CALL rota_task_get(struct rota_store *store, rota_id id,
	struct rota_task_info **ret_info, struct rota_error *err);
ROTA_API void rota_task_info_free(struct rota_task_info *info);
ROTA_CALL rota_task_find(struct rota_store *store, const char *key,
	rota_id *ret_id, struct rota_error *err);

struct rota_task_filter {
	ROTA_SIZE;
	uint32_t states;           /* bits 1 << enum rota_state; 0: all */
	const char *queue, *type;
	rota_id before;            /* ids below this one; 0: from the newest */
	size_t limit;              /* 0: 100 */
};
struct rota_task_list {
	size_t count;
	const struct rota_task_info *const *tasks; /* newest first; no payloads, results or edges */
};
ROTA_CALL rota_task_list(struct rota_store *store, const struct rota_task_filter *filter,
	struct rota_task_list **ret_list, struct rota_error *err);
ROTA_API void rota_task_list_free(struct rota_task_list *list);

/* ---- waiting: armed before its owner acts, so nothing is missed ---- */

struct rota_wait;
/* Watches n tasks. Not found is an answer of the wait, not of this call. */
ROTA_CALL rota_wait_new(struct rota_store *store, const rota_id *ids, size_t n,
	struct rota_wait **ret_wait, struct rota_error *err);
/* Until any (all == 0) or all of them are final or gone. ret_states (n; may be NULL): the state of
 * each, -1 for gone or never there, -2 for not final yet. ROTA_OK, ROTA_TIMED_OUT (also fills
 * ret_states), ROTA_CANCELLED after rota_wait_cancel. May be called again, and by several threads. */
ROTA_CALL rota_wait_for(struct rota_wait *wait, int all, rota_duration timeout,
	int32_t *ret_states, struct rota_error *err);
ROTA_API void rota_wait_cancel(struct rota_wait *wait); /* any thread, any time, for good */
ROTA_API void rota_wait_free(struct rota_wait *wait);
/* The three calls in one. */
ROTA_CALL rota_task_wait(struct rota_store *store, const rota_id *ids, size_t n, int all,
	rota_duration timeout, int32_t *ret_states, struct rota_error *err);

/* ---- acting on tasks: ret_each (n of them, may be NULL) answers for each; the call itself is
 * ROTA_OK, or the first refusal when ret_each is NULL ---- */

/* Blocked, scheduled, ready: cancelled. Running: asked to stop (rota_job_cancelled). Final: refused
 * with ROTA_COMPLETED, ROTA_FAILED or ROTA_CANCELLED. reason may be NULL. */
ROTA_CALL rota_task_cancel(struct rota_store *store, const rota_id *ids, size_t n,
	const char *reason, enum rota_status *ret_each, struct rota_error *err);
/* An operator's: a final task again, with a fresh budget of attempts. */
ROTA_CALL rota_task_retry(struct rota_store *store, const rota_id *ids, size_t n,
	enum rota_status *ret_each, struct rota_error *err);
#define ROTA_DELETE_CASCADE 1u /* also every dependent that has nothing left to wait for */
#define ROTA_DELETE_FORCE 2u   /* running tasks too; else ROTA_WRONG_STATE and nothing is deleted */
ROTA_CALL rota_task_delete(struct rota_store *store, const rota_id *ids, size_t n, uint32_t flags,
	uint64_t *ret_deleted, enum rota_status *ret_each, struct rota_error *err);
/* One awaited signal has arrived. A named one counts once per name. ROTA_WRONG_STATE: the task
 * awaits no signal. */
ROTA_CALL rota_task_signal(struct rota_store *store, rota_id id, const char *name,
	struct rota_error *err);
/* ROTA_OK exactly if the task runs under token now. */
ROTA_CALL rota_task_guard(struct rota_store *store, rota_id id, int64_t token,
	struct rota_error *err);

/* ---- working by hand; rota_worker (worker.h) does all this by itself ---- */

struct rota_claim_options {
	ROTA_SIZE;
	const char *worker;              /* a name for people; NULL: "host:pid" */
	const char *const *queues;       /* NULL: all */
	const char *const *types;        /* NULL: all */
	size_t queue_count, type_count;
	const rota_id *ids;              /* exactly these: refused unless ready, see ret_each */
	size_t id_count;
	size_t tasks_max;                /* 0: 1 */
	rota_duration lease;             /* 0: 60 s; ROTA_FOREVER: no end */
	rota_duration wait;              /* how long to wait for the first task; 0: not at all */
	struct rota_cancel *cancel;      /* may be NULL; see below */
};
struct rota_claimed {
	rota_id id;
	int64_t token; /* fences every later call about this lease */
	const char *type, *queue, *key, *title, *partition, *content_type, *traceparent;
	struct rota_bytes payload, progress; /* progress: what the last attempt left */
	int32_t priority, attempt, attempts_max;
	int64_t failed_dependencies;
	rota_duration timeout, stall;
	rota_time run_at, created_at, lease_until;
};
struct rota_claims {
	size_t count; /* 0: nothing to do */
	const struct rota_claimed *const *tasks;
};
/* With ids: ret_each (id_count, may be NULL) says why one is missing; NOT_FOUND, WRONG_STATE
 * (leased, blocked, not due, paused) or the final state's answer. */
ROTA_CALL rota_task_claim(struct rota_store *store, const struct rota_claim_options *options,
	struct rota_claims **ret_claims, enum rota_status *ret_each, struct rota_error *err);
ROTA_API void rota_claims_free(struct rota_claims *claims);

/* Lets another thread end a blocking call. */
struct rota_cancel;
ROTA_CALL rota_cancel_new(struct rota_cancel **ret_cancel, struct rota_error *err);
ROTA_API void rota_cancel_set(struct rota_cancel *cancel);
ROTA_API void rota_cancel_free(struct rota_cancel *cancel);

/* The deadline is now + lease (it replaces, does not add). ret_cancel_requested may be NULL. */
ROTA_CALL rota_task_extend(struct rota_store *store, rota_id id, int64_t token,
	rota_duration lease, int *ret_cancel_requested, struct rota_error *err);
/* progress: any bytes, JSON by convention; data NULL: unchanged. The lease stays as it is. */
ROTA_CALL rota_task_progress(struct rota_store *store, rota_id id, int64_t token,
	struct rota_bytes progress, const char *status_text, int *ret_cancel_requested,
	struct rota_error *err);

enum rota_outcome {
	ROTA_OUTCOME_COMPLETE,
	ROTA_OUTCOME_RETRY,   /* again, by the task's policy or after delay */
	ROTA_OUTCOME_SNOOZE,  /* again after delay; counts no attempt */
	ROTA_OUTCOME_RELEASE, /* at once, by somebody else; counts no attempt */
	ROTA_OUTCOME_FAIL,    /* never again */
	ROTA_OUTCOME_CANCEL,  /* no longer needed */
	ROTA_OUTCOME_LATER    /* handlers only: rota_job_end will say */
};
ROTA_API const char *rota_outcome_name(enum rota_outcome outcome); /* "retry"; static */

/* What an attempt came to. In an array all elements have the size of the first. */
struct rota_verdict {
	ROTA_SIZE;
	rota_id id;
	int64_t token;
	enum rota_outcome outcome;
	int has_delay;            /* RETRY: delay instead of the policy's backoff, 0 included */
	rota_duration delay;      /* RETRY, SNOOZE */
	struct rota_bytes result; /* data NULL: none */
	struct rota_bytes progress; /* the last one; data NULL: as it was */
	const char *status_text;  /* NULL: as it was */
	const char *error;        /* why, for RETRY, FAIL, CANCEL */
	const struct rota_task *follow_ups; /* enqueued by the same transaction; COMPLETE only */
	size_t follow_up_count;
};
/* One transaction. The same outcome sent again is ROTA_OK and does nothing. */
ROTA_CALL rota_task_finish(struct rota_store *store, const struct rota_verdict *verdicts, size_t n,
	enum rota_status *ret_each, struct rota_error *err);
ROTA_END
#endif
