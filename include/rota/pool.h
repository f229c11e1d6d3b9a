/* pool.h: threads that run jobs. Needs no store. */
#ifndef ROTA_POOL_H
#define ROTA_POOL_H
#include <rota/job.h>
ROTA_BEGIN
struct rota_pool;
enum rota_stop {
	ROTA_STOP_DRAIN,         /* run everything that was submitted */
	ROTA_STOP_CANCEL_QUEUED, /* let running jobs end, drop the others */
	ROTA_STOP_ABORT          /* cancel the running ones too */
};

struct rota_pool_options {
	ROTA_SIZE;
	uint32_t threads; /* 0: one per core */
	/* Around each thread's life; what start returns is rota_job_thread_data. */
	void *(*thread_start)(void *arg);
	void (*thread_end)(void *thread_data, void *arg);
	void *arg;
};
ROTA_CALL rota_pool_new(const struct rota_pool_options *options,
	struct rota_pool **ret_pool, struct rota_error *err);
/* Returns when every thread has ended. Not from one of its own jobs. */
ROTA_API void rota_pool_stop(struct rota_pool *pool, enum rota_stop how);
ROTA_API void rota_pool_free(struct rota_pool *pool); /* stops (drain); NULL is fine */
ROTA_END
#endif
