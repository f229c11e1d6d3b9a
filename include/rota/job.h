/* job.h: what a handler sees. One signature for work in memory and attempts of durable tasks;
 * where the job came from decides what a call does (README of src/pool). */
#ifndef ROTA_JOB_H
#define ROTA_JOB_H
#include <rota/task.h>
ROTA_BEGIN
struct rota_job;

/* Runs on one thread of the pool. Must not throw or longjmp out. */
typedef enum rota_outcome rota_handler_fn(struct rota_job *job, void *arg);

/* Ways to end: `return rota_job_fail(job, "no such file: %s", path);` Text and result are copied;
 * what does not fit (64 KiB of text is cut; a result above the limit fails the attempt) is said. */
ROTA_API enum rota_outcome rota_job_complete(struct rota_job *job, const void *result, size_t size);
ROTA_API enum rota_outcome rota_job_retry(struct rota_job *job, const char *why, ...) ROTA_TEXT(2);
/* After delay instead of the policy's backoff; 0: at once. Still counts the attempt. */
ROTA_API enum rota_outcome rota_job_retry_after(struct rota_job *job, rota_duration delay,
	const char *why, ...) ROTA_TEXT(3);
ROTA_API enum rota_outcome rota_job_fail(struct rota_job *job, const char *why, ...) ROTA_TEXT(2);
ROTA_API enum rota_outcome rota_job_cancel(struct rota_job *job, const char *why, ...) ROTA_TEXT(2);
ROTA_API enum rota_outcome rota_job_snooze(struct rota_job *job, rota_duration delay,
	const char *why, ...) ROTA_TEXT(3);
/* Gives it back at once, uncounted (a graceful stop). */
ROTA_API enum rota_outcome rota_job_release(struct rota_job *job);
/* After the handler returned ROTA_OUTCOME_LATER: from any thread, exactly once. */
ROTA_API void rota_job_end(struct rota_job *job, enum rota_outcome outcome);
/* Text for status_text, kept whatever the outcome. */
ROTA_API void rota_job_status(struct rota_job *job, const char *text, ...) ROTA_TEXT(2);

/* The job's memory, valid until it ends. */
ROTA_API struct rota_bytes rota_job_payload(const struct rota_job *job);
ROTA_API const char *rota_job_type(const struct rota_job *job);
/* Everything the claim said; NULL: not durable. */
ROTA_API const struct rota_claimed *rota_job_claimed(const struct rota_job *job);
ROTA_API rota_id rota_job_task(const struct rota_job *job);    /* 0: not durable */
ROTA_API int64_t rota_job_token(const struct rota_job *job);   /* 0: not durable */
ROTA_API int32_t rota_job_attempt(const struct rota_job *job); /* 1 is the first */
/* See pool.h: e.g. a connection. */
ROTA_API void *rota_job_thread_data(const struct rota_job *job);

enum rota_stop_reason {
	ROTA_STOP_NONE,
	ROTA_STOP_CANCELLED,  /* somebody cancelled the task */
	ROTA_STOP_TIMEOUT,    /* the attempt took longer than the task's timeout */
	ROTA_STOP_STALLED,    /* no progress for the task's stall time */
	ROTA_STOP_LEASE_LOST, /* somebody else may run it now; whatever is said is refused */
	ROTA_STOP_SHUTDOWN    /* the worker stops and its grace is over */
};
/* Not NONE once the job should end early. Cheap: ask often. */
ROTA_API enum rota_stop_reason rota_job_cancelled(const struct rota_job *job);
/* A descriptor that becomes readable then, for poll(2); made at the first call and owned by the
 * job. -1: none to be had. */
ROTA_API int rota_job_cancel_fd(struct rota_job *job);
/* Sleeps, or until cancelled; says why it woke. */
ROTA_API enum rota_stop_reason rota_job_sleep(struct rota_job *job, rota_duration length);

/* Kept in memory; a durable task's goes out with the next lease renewal, or within a second.
 * Never blocks. {"done":D,"total":T}. Above 64 KiB: ignored. */
ROTA_API void rota_job_progress(struct rota_job *job, int64_t done, int64_t total);
ROTA_API void rota_job_progress_bytes(struct rota_job *job, const void *data, size_t size);

/* Durable only. Follow-ups are copied, and enqueued by the transaction that completes the task. */
ROTA_CALL rota_job_enqueue(struct rota_job *job,
	const struct rota_task *tasks, size_t n, struct rota_error *err);
ROTA_END
#endif
