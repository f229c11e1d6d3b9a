/* run.h: running one job, between pool.c (which thread) and job.c (what came of it). */
#ifndef ROTA_POOL_RUN_H
#define ROTA_POOL_RUN_H
#include <pthread.h>
#include "pool/pool.h"

/* What runs on a thread now, for whoever wants to stop it. */
struct rota_running {
	pthread_mutex_t lock;
	struct rota_job *job;
};
static inline void rota_running_set(struct rota_running *running, struct rota_job *job)
{
	pthread_mutex_lock(&running->lock);
	running->job = job;
	pthread_mutex_unlock(&running->lock);
}

/* From starting() to ended(), or to where rota_job_end will take over. */
void rota_job_run(struct rota_job *job, struct rota_running *running);
/* Hands the job back to its origin. */
void rota_job_over(struct rota_job *job, enum rota_outcome outcome);
#endif
