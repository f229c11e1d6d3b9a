/* pool.h (internal): jobs as the engines see them, and the calls that put them on threads. */
#ifndef ROTA_POOL_POOL_H
#define ROTA_POOL_POOL_H
#include <stdatomic.h>
#include <rota/pool.h>
#include "base/arena.h"
#include "base/world.h"
#include "pool/origin.h"

/* A job, embedded in its owner (run/attempt.h); no allocation per job in the pool. */
struct rota_job {
	struct rota_job *next;            /* the pool's queue, then the owner's */
	const struct rota_origin *origin; /* NULL: plain */
	rota_handler_fn *run;
	void *arg;
	const char *type;
	struct rota_bytes payload;
	void *thread_data;
	/* What the handler said; in arena, the owner's, touched only by the handler's side until
	 * ended. */
	struct rota_arena *arena;
	struct rota_bytes result;
	const char *text; /* why */
	rota_duration delay;
	int has_delay;
	_Atomic uint32_t stop;    /* enum rota_stop_reason; also the futex that sleepers park on */
	_Atomic int cancel_fd;    /* eventfd + 1; 0: not asked for */
	struct rota_world *world; /* whose clock rota_job_sleep goes by; init: the real one */
	/* LATER: the handler's return and rota_job_end meet here; the second one ends the job. */
	_Atomic uint32_t later;
	enum rota_outcome said;
};
void rota_job_init(
	struct rota_job *job, const struct rota_origin *origin, rota_handler_fn *run, void *arg);
void rota_job_deinit(struct rota_job *job); /* closes the descriptor */
/* Any thread, while the job lives; the first reason stays. Wakes rota_job_sleep and the descriptor.
 */
void rota_job_stop(struct rota_job *job, enum rota_stop_reason reason);

/* As rota_pool_new, in a world. One without threads gets a pool without any: jobs wait until
 * rota_pool_step runs them, to completion, on the caller's thread. */
enum rota_status rota_pool_new_in(struct rota_world *world, const struct rota_pool_options *options,
	struct rota_pool **ret_pool, struct rota_error *err);
/* Runs what is queued; how many jobs that were. 0 in a pool that has threads. A job that comes back
 * here (its sleep steps the world, which steps the worker) runs nothing. */
size_t rota_pool_step(struct rota_pool *pool);

/* All of the list (by ->next), in order, in one go; wakes only sleeping threads, no more than jobs.
 * When the pool has ended already, the jobs are released at once. */
void rota_pool_submit(struct rota_pool *pool, struct rota_job *first, size_t count);
uint32_t rota_pool_threads(const struct rota_pool *pool);
/* Jobs submitted and not yet started. */
size_t rota_pool_queued(const struct rota_pool *pool);
#endif
