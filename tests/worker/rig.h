/* rig.h: workers on one thread, in a world whose clock jumps to whatever is due next; and workers
 * on threads of their own. Handlers that sleep let the others be stepped. */
#ifndef ROTA_TEST_WORKER_RIG_H
#define ROTA_TEST_WORKER_RIG_H
#include <pthread.h>
#include <stdatomic.h>
#include "run/engine.h"
#include "store/internal.h"
#include "base/limits.h"
#include "base/macros.h"
#include "test.h"

/* One test for each kind of store. */
#define STORE_TEST(name_)                                                                          \
	static void on_store_##name_(const char *kind);                                            \
	TEST(name_##_memory)                                                                       \
	{                                                                                          \
		on_store_##name_("memory");                                                        \
	}                                                                                          \
	TEST(name_##_sqlite)                                                                       \
	{                                                                                          \
		on_store_##name_("sqlite");                                                        \
	}                                                                                          \
	static void on_store_##name_(const char *kind)
const char *rig_url(const char *kind);

#define RIG_WORKERS_MAX 8
#define RIG_LOG_BYTES (256 << 10)
struct rig {
	struct rota_world world; /* the world of everything in it; first */
	struct rota_world *clock;
	struct rota_store *store;
	struct rota_worker *workers[RIG_WORKERS_MAX];
	bool alive[RIG_WORKERS_MAX];
	size_t worker_count;
	/* Once, at that tick; NULL: nothing. */
	void (*action)(struct rig *rig);
	rota_tick action_at;
	/* What workers said. */
	pthread_mutex_t log_lock;
	char log[RIG_LOG_BYTES];
	size_t log_size;
	/* What the wrapped database does; see rig_fault. */
	struct rig_fault {
		enum rota_status begin,
			commit_lost; /* answered instead; commit_lost: after a real commit */
		enum rota_status run[ROTA_OP_COUNT]; /* the op as a whole, by kind; once each */
		uint32_t item;                       /* … err.item of those */
		_Atomic int ran[ROTA_OP_COUNT];      /* ops of a kind that reached the database */
	} fault;
	void *data; /* the test's */
};
/* Opens a store in a virtual world. */
struct rig *rig_new(const char *kind);
void rig_free(struct rig *rig);
/* options may be NULL: concurrency 1. Log goes to rig->log. */
struct rota_worker *rig_worker(struct rig *rig, const struct rota_worker_options *options);
void rig_handle(struct rota_worker *worker, const char *type, rota_handler_fn *handler, void *arg);
/* After handlers. */
void rig_start(struct rig *rig, struct rota_worker *worker);
/* Never stepped again: as if its process had died. */
void rig_kill(struct rig *rig, struct rota_worker *worker);
bool rig_alive(struct rig *rig, const struct rota_worker *worker);
/* Steps all at the present tick until nothing is due; when something is next. */
rota_tick rig_settle(struct rig *rig);
/* Lets that much time pass. */
void rig_pass(struct rig *rig, rota_duration length);
/* Until the task is final or gone (-1); at most a (virtual) day. */
int rig_wait_final(struct rig *rig, rota_id id);
/* Until the worker is over. */
void rig_wait_over(struct rig *rig, struct rota_worker *worker);
/* Puts rig->fault between lane and database. */
void rig_fault(struct rig *rig);

rota_id rig_enqueue(struct rota_store *store, struct rota_task task);
/* -1: gone */
int rig_state(struct rota_store *store, rota_id id);
struct rota_task_info *rig_get(struct rota_store *store, rota_id id);
void rig_log(void *arg, const struct rota_log_event *event);
int rig_log_count(struct rig *rig, const char *part);

/* ---- on threads ---- */
struct rig_thread {
	struct rota_worker *worker;
	pthread_t thread;
	enum rota_status status;
	struct rota_error err;
};
struct rota_store *rig_open(const char *kind);
void rig_run(struct rig_thread *thread, struct rota_worker *worker);
void rig_join(struct rig_thread *thread); /* stops it */
/* Polls, at most 20 s. */
#define RIG_UNTIL(cond)                                                                            \
	do {                                                                                       \
		for (int tries_ = 0; !(cond); tries_++) {                                          \
			CHECK_MSG(tries_ < 40000, "never: %s", #cond);                             \
			rig_nap();                                                                 \
		}                                                                                  \
	} while (0)
void rig_nap(void);
#endif
