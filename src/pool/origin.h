/* origin.h: where a job came from, seen from the pool. The pool knows no store; what only some jobs
 * can do goes through here. A NULL member answers ROTA_UNSUPPORTED (or 0, or nothing).
 * Implementations: run/attempt.c (durable); later outbox/push.c (HTTP), testing/ (by hand). */
#ifndef ROTA_POOL_ORIGIN_H
#define ROTA_POOL_ORIGIN_H
#include <stdbool.h>
#include <rota/job.h>

struct rota_origin {
	const struct rota_claimed *(*claimed)(const struct rota_job *job);
	void (*progress)(struct rota_job *job, struct rota_bytes progress);
	enum rota_status (*enqueue)(struct rota_job *job, const struct rota_task *tasks, size_t n,
		struct rota_error *err);
	/* text: valid for the call. */
	void (*status)(struct rota_job *job, const char *text);
	/* On the pool's thread, just before the handler. False: the origin has taken the job back
	 * (its lease was lost meanwhile), and the pool forgets it. */
	bool (*starting)(struct rota_job *job);
	/* The handler has ended and the verdict (rota_job_verdict) is complete. Last touch. */
	void (*ended)(struct rota_job *job, enum rota_outcome outcome);
};
#endif
