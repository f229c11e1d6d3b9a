/* engine.h: the inside of a worker, shared by the files of src/run that make it up.
 *
 *   worker.c    public calls, the thread that steps, life
 *   step.c      one step: what is due now, stopping, draining
 *   claims.c    how much may be claimed, and what a claim brought
 *   attempt.c   one attempt as a job: the pool's side (origin.h)
 *   verdicts.c  outcomes on their way to the store
 *   renewer.c   leases, starts and progress on their way to the store
 *   cancels.c   who has cancelled what, here and in other processes
 *   timers.c    timeouts and stalls
 *   report.c    lines for the log
 *
 * Everything below `lock` is decided under it; a decision to act (submit an op, give jobs to the
 * pool) is noted in a rota_todo and carried out after the lock is given up, because the store and
 * the pool have locks of their own and call back. */
#ifndef ROTA_RUN_ENGINE_H
#define ROTA_RUN_ENGINE_H
#include <pthread.h>
#include <stdatomic.h>
#include <rota/worker.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/world.h"
#include "pool/pool.h"
#include "store/store.h"

/* Work for that long may wait in the buffer: a claim's way through the lane, a few times over. */
#define ROTA_BUFFER_AHEAD ROTA_MS(20)
#define ROTA_PROGRESS_EVERY ROTA_SECONDS(1)
#define ROTA_ABORT_WAIT ROTA_SECONDS(1)    /* how long a second stop waits for handlers */
#define ROTA_ERROR_WAIT_GROWTH_MAX 60      /* times error_wait */
#define ROTA_ATTEMPT_KEEP_BYTES (16 << 10) /* of a handler's memory, for the next attempt */
#define ROTA_LOOKS_MAX 64                  /* tasks read after another process' commit … */
#define ROTA_LOOK_EVERY ROTA_SECONDS(1)    /* … at most so often; the others hear by heartbeat */
#define ROTA_CLAIMINGS_KEPT 8
#define ROTA_LEFT_BYTES_MAX (32 << 20)    /* results of what is in hand, by the recent average */
#define ROTA_CLAIMED_BYTES_MAX (48 << 20) /* payloads in hand; above, one task at a time */

struct rota_handler {
	char *type; /* NULL: all others */
	rota_handler_fn *run;
	void *arg;
};

enum rota_attempt_state {
	ROTA_ATTEMPT_IDLE,     /* on the shelf */
	ROTA_ATTEMPT_STARTING, /* its start is being committed */
	ROTA_ATTEMPT_BUFFERED, /* with the pool, or held back */
	ROTA_ATTEMPT_RUNNING,
	ROTA_ATTEMPT_ENDED,  /* its verdict is on its way */
	ROTA_ATTEMPT_DROPPED /* was buffered; the pool still has to let go of it */
};

/* One claimed task. Never freed while the worker lives. */
struct rota_attempt {
	struct rota_job job;
	struct rota_arena arena; /* the handler's result, text and follow-ups */
	struct rota_worker *worker;
	struct rota_claiming *claiming; /* whose arena holds claimed */
	const struct rota_claimed *claimed;
	_Atomic uint32_t state;
	rota_tick started_at;         /* set before RUNNING */
	_Atomic rota_tick moved_at;   /* last progress */
	struct rota_task *follow_ups; /* in arena; the handler's side */
	size_t follow_up_count, follow_up_room;
	/* under worker->lock */
	struct rota_attempt *next, *prev; /* hand; next: shelf */
	uint64_t serial;                  /* which use of this memory it is */
	rota_tick claimed_at, lease_end;
	size_t timer_at; /* place in the heap + 1; 0: not in it */
	rota_tick timer_due;
	bool lost;         /* the store said so: no verdict */
	bool verdict_open; /* DROPPED: its verdict is on its way */
	bool in_pool;
	bool plain_retry; /* the verdict is a second one, without follow-ups */
	/* what the handler says while it runs */
	pthread_mutex_t notes_lock;
	struct rota_buf progress, status;
	bool has_progress, has_status, notes_new;
};

/* A CLAIM op and what it brought. Lives until its last task is finished. */
struct rota_claiming {
	struct rota_op op;
	struct rota_arena arena;
	struct rota_worker *worker;
	rota_tick submitted_at;
	size_t live, bytes;                    /* under worker->lock */
	struct rota_claiming *next;            /* of those that are free */
	struct rota_claiming *all, **all_prev; /* of all */
};

/* A FINISH op. Two of them: one gathers while the other is in flight. */
struct rota_finishing {
	struct rota_op op;
	struct rota_arena arena;
	struct rota_worker *worker;
	struct rota_verdict *verdicts;
	struct rota_attempt **attempts;
	enum rota_status *each;
	struct rota_error *errors;
	size_t count, room;
	bool uncertain; /* may have been committed before */
};

/* An EXTEND op. */
struct rota_extended {
	struct rota_attempt *attempt;
	uint64_t serial;
};
struct rota_extending {
	struct rota_op op;
	struct rota_arena arena;
	struct rota_worker *worker;
	struct rota_extension *items;
	struct rota_extended *who;
	size_t count, room;
	rota_tick submitted_at;
	bool busy;
};

/* A WORKER or OPEN_WORK op. */
struct rota_simple_op {
	struct rota_op op;
	struct rota_arena arena;
	bool busy;
};

/* After errors: a growing, jittered wait. */
struct rota_streak {
	uint32_t failures;
	rota_tick retry_at; /* 0: none */
};

enum rota_worker_phase {
	ROTA_WORKER_NEW,
	ROTA_WORKER_WORKING,
	ROTA_WORKER_STOPPING, /* nothing new; running jobs may end */
	ROTA_WORKER_ABORTING, /* … were told to */
	ROTA_WORKER_FLUSHING, /* outcomes go out */
	ROTA_WORKER_LEAVING,
	ROTA_WORKER_OVER
};

struct rota_worker {
	struct rota_store *store;
	struct rota_world *world;
	struct rota_worker_options options; /* filled in, pointers our own */
	struct rota_arena memory;           /* of names */
	struct rota_pool *pool;
	bool own_pool;
	struct rota_handler *handlers;
	size_t handler_count;
	struct rota_handler *any_handler;
	struct rota_names *types; /* type → index of its handler */
	const char **type_names;  /* for CLAIM and OPEN_WORK; count 0: all */
	size_t type_count;
	size_t capacity; /* attempts and verdicts there can be at once */
	rota_duration renew_every;

	_Atomic uint32_t word; /* the engine's thread parks on it */
	_Atomic uint32_t stops;
	_Atomic uint32_t running;
	_Atomic uint32_t leaving; /* threads that have given up the lock and are not done */
	_Atomic rota_tick last_start;

	pthread_mutex_t lock;
	enum rota_worker_phase phase;
	rota_tick sleeping_until; /* 0: the engine is awake */
	struct rota_error fatal;
	/* attempts */
	struct rota_attempt *shelf;
	size_t shelf_count, attempt_count;
	struct rota_slab *slabs;
	struct rota_attempt *hand; /* STARTING, BUFFERED, RUNNING */
	size_t in_hand, open_verdicts, dropped;
	struct rota_job *held, **held_last; /* more than concurrency allows */
	uint64_t serial, claim_number;
	double handler_us; /* recent duration, smoothed; below 0: not known */
	double left_bytes; /* the same of what they leave: results, follow-ups */
	const struct rota_handler *last_handler;
	rota_tick lease_look;         /* no lease ends before */
	struct rota_attempt **timers; /* a heap by timer_due */
	size_t timer_count;
	/* claims */
	struct rota_claiming *claiming, *claimings_free, *claimings;
	size_t claimings_free_count, claimed_bytes;
	struct rota_streak claim_streak;
	/* verdicts */
	struct rota_finishing finishing[2];
	int gathering;       /* index of the one that gathers */
	bool finish_busy;    /* the other one is in flight, or waits to be sent again */
	bool finish_waiting; /* … it waits */
	struct rota_streak finish_streak;
	/* leases */
	struct rota_extending renewing, starting;
	struct rota_extended *to_start; /* capacity of them; some may have been dropped since */
	size_t to_start_count;
	rota_tick renew_at, notes_at, notes_sent_at;
	struct rota_streak renew_streak, start_streak;
	/* cancellations */
	struct rota_watch watch;
	struct rota_look *looks;
	size_t looks_open;
	rota_tick look_at, looked_at;
	/* registry, draining, stopping */
	struct rota_simple_op join, beat, leave, open_work;
	bool joined;
	int64_t worker_id;
	struct rota_streak join_streak;
	char figures[512];
	rota_tick drain_at;
	rota_duration drain_wait;
	bool drained, gave_up;
	rota_tick give_up_at;

	_Atomic uint64_t claimed, completed, retried, snoozed, released, failed, cancelled, refused;
};

/* What was decided under the lock and is to be done after it. */
struct rota_todo {
	struct rota_job *jobs, *jobs_last;
	size_t job_count;
	struct rota_op *ops[12];
	size_t op_count;
	struct rota_op *recall;
	bool wake;
};
void rota_todo_job(struct rota_todo *todo, struct rota_job *job);
void rota_todo_op(struct rota_todo *todo, struct rota_op *op);
/* Gives up the lock, then does it. The worker is not freed meanwhile. */
void rota_worker_leave(struct rota_worker *w, const struct rota_todo *todo);
/* The engine must look again at tick `at`. Under the lock. */
void rota_worker_need(struct rota_worker *w, rota_tick at, struct rota_todo *todo);

/* step.c. One step at `now`; never waits for the store. *ret_next: when the next is due, if nothing
 * wakes w->word before. False: the worker is over. */
bool rota_worker_step(struct rota_worker *w, rota_tick now, rota_tick *ret_next);
/* What rota_worker_run does around its steps, for those who step by themselves. */
enum rota_status rota_worker_begin(struct rota_worker *w, struct rota_error *err);
enum rota_status rota_worker_end(struct rota_worker *w, struct rota_error *err);

/* Streaks; under the lock. what: "claim", … ; logs the first failure and the recovery. */
void rota_streak_fail(struct rota_worker *w, struct rota_streak *streak, const char *what,
	const struct rota_error *err, struct rota_todo *todo);
void rota_streak_ok(struct rota_worker *w, struct rota_streak *streak, const char *what);

/* ---- attempt.c; under the lock where not said ---- */
extern const struct rota_origin rota_attempt_origin;
/* So that n more can be taken. False: out of memory. */
bool rota_attempts_reserve(struct rota_worker *w, size_t n);
struct rota_attempt *rota_attempt_take(
	struct rota_worker *w, struct rota_claiming *claiming, const struct rota_claimed *claimed);
/* Back on the shelf, when neither the pool nor a verdict needs it. */
void rota_attempt_shelve(struct rota_attempt *attempt);
/* Cleans what the handler left, without the lock, before shelving. */
void rota_attempt_clean(struct rota_attempt *attempt);
/* Of one that does not run: given back with a RELEASE (or, when lost, just forgotten). False: it
 * runs. */
bool rota_attempt_drop(struct rota_attempt *attempt, bool lost, struct rota_todo *todo);
/* Told to stop, or dropped when it does not run yet. lost: the store says so. */
void rota_attempt_stop(struct rota_attempt *attempt, enum rota_stop_reason reason, bool lost,
	struct rota_todo *todo);
/* To the pool. */
void rota_attempt_go(struct rota_attempt *attempt, struct rota_todo *todo);
/* One more may run: what was held back goes to the pool. */
void rota_attempt_next_held(struct rota_worker *w, struct rota_todo *todo);
void rota_attempts_free(struct rota_worker *w);

/* ---- claims.c; under the lock ---- */
void rota_claims_consider(struct rota_worker *w, struct rota_todo *todo);
void rota_claiming_unref(struct rota_claiming *claiming);
void rota_claims_free_all(struct rota_worker *w);

/* ---- verdicts.c; under the lock ---- */
bool rota_verdicts_init(struct rota_worker *w); /* room for capacity of them */
void rota_verdict_add(struct rota_attempt *attempt, const struct rota_verdict *verdict);
/* Sends what was gathered, when nothing is in flight. */
void rota_verdicts_send(struct rota_worker *w, struct rota_todo *todo);
/* The in-flight one again, when its wait is over. */
void rota_verdicts_resend(struct rota_worker *w, rota_tick now, struct rota_todo *todo);
bool rota_verdicts_idle(const struct rota_worker *w);
void rota_verdicts_free(struct rota_worker *w);

/* ---- renewer.c; under the lock ---- */
bool rota_renewer_init(struct rota_worker *w);
void rota_renew(struct rota_worker *w, rota_tick now, struct rota_todo *todo);
void rota_start_commit(struct rota_worker *w, struct rota_attempt *attempt, struct rota_todo *todo);
void rota_starts_send(struct rota_worker *w, rota_tick now, struct rota_todo *todo);
/* Stops whatever runs beyond its lease, by our own clock. */
void rota_leases_look(struct rota_worker *w, rota_tick now, struct rota_todo *todo);
/* Jobs stop a little before the lease ends. */
rota_tick rota_lease_stop_at(const struct rota_worker *w, const struct rota_attempt *attempt);
bool rota_extended_in_hand(
	const struct rota_extended *who); /* still the one that was asked about */
void rota_renewer_free(struct rota_worker *w);

/* ---- cancels.c ---- */
bool rota_cancels_init(struct rota_worker *w);
void rota_cancels_news(struct rota_watch *watch, const struct rota_news *news);
/* Which of the running tasks to read, when others have committed something; under the lock. Then,
 * without it, reads them. */
size_t rota_cancels_due(struct rota_worker *w, rota_tick now);
void rota_cancels_look(struct rota_worker *w, size_t count);
void rota_cancels_free(struct rota_worker *w);

/* ---- timers.c; under the lock ---- */
void rota_timer_arm(struct rota_worker *w, struct rota_attempt *attempt, struct rota_todo *todo);
void rota_timer_disarm(struct rota_worker *w, struct rota_attempt *attempt);
void rota_timers_run(struct rota_worker *w, rota_tick now, struct rota_todo *todo);
rota_tick rota_timers_next(const struct rota_worker *w);

/* ---- report.c ---- */
void rota_report(const struct rota_worker *w, enum rota_log_level level,
	const struct rota_claimed *task, rota_duration took, const char *format, ...) ROTA_TEXT(5);
void rota_report_outcome(
	const struct rota_attempt *attempt, const struct rota_verdict *verdict, rota_duration took);
#endif
