/* worker.h: claims tasks from a store and runs them as jobs of a pool. */
#ifndef ROTA_WORKER_H
#define ROTA_WORKER_H
#include <rota/pool.h>
ROTA_BEGIN
struct rota_worker;

enum rota_log_level { ROTA_LOG_ERROR, ROTA_LOG_WARN, ROTA_LOG_INFO, ROTA_LOG_DEBUG };
/* One thing that happened. Pointers hold for the call. Payloads are never in it. */
struct rota_log_event {
	enum rota_log_level level;
	const char *message;             /* one line */
	const struct rota_claimed *task; /* NULL: not about one */
	rota_duration took;              /* of an attempt that ended; else 0 */
};
typedef void rota_log_fn(void *arg, const struct rota_log_event *event);

struct rota_worker_options {
	ROTA_SIZE;
	struct rota_pool *pool;        /* borrowed; NULL: its own, concurrency threads */
	const char *name;              /* NULL: "host:pid" */
	const char *const *queues;     /* NULL: all */
	size_t queue_count;
	uint32_t concurrency;          /* attempts at once; 0: one per core */
	uint32_t buffer;               /* claimed ahead of a free thread; 0: by what handlers take */
	uint32_t claim_max;            /* per claim; 0: 1000 */
	rota_duration lease;           /* 0: 30 s */
	rota_duration stop_grace;      /* 0: 10 s */
	rota_duration error_wait;      /* after a store error, doubled up to 60 times; 0: 500 ms */
	int drain;                     /* rota_worker_run ends when its queues hold no ready, scheduled
	                                  or running task of a handled type */
	rota_log_fn *log;              /* NULL: silent. Any thread of the worker's; of the worker's calls
	                                  only stop and counts may be made in it */
	void *log_arg;
};
ROTA_CALL rota_worker_new(struct rota_store *store,
	const struct rota_worker_options *options, struct rota_worker **ret_worker, struct rota_error *err);
/* Before run. Only types with a handler are claimed. Copies type. NULL type: all others; then
 * every type is claimed. */
ROTA_CALL rota_worker_handle(struct rota_worker *worker,
	const char *type, rota_handler_fn *handler, void *arg, struct rota_error *err);
/* Works until rota_worker_stop or drained; then finishes, releases and flushes. Once per worker. Rides
 * out a store that does not answer; ends with its status when it refuses for good. */
ROTA_CALL rota_worker_run(struct rota_worker *worker, struct rota_error *err);
ROTA_API void rota_worker_stop(struct rota_worker *worker); /* async-signal-safe; twice: at once */
/* What it did so far; any thread. */
struct rota_worker_counts {
	uint64_t claimed, completed, retried, snoozed, released, failed, cancelled, refused;
};
ROTA_API void rota_worker_counts(const struct rota_worker *worker, struct rota_worker_counts *ret_counts);
/* Handlers that a second stop did not wait for keep what they run on: that much is never freed. */
ROTA_API void rota_worker_free(struct rota_worker *worker);
ROTA_END
#endif
