/* verdict.c: what a handler said, with why it was stopped, as the store will hear it. */
#include "base/macros.h"
#include "base/text.h"
#include "run/verdict.h"

/* The handler's own words, if there are any, stand behind ours. */
static const char *stopped_text(struct rota_attempt *attempt, const char *what, rota_duration after)
{
	char length[48];
	struct rota_job *job = &attempt->job;
	const char *said = job->text;
	rota_duration_format(after, length, sizeof(length));
	if (said && *said)
		(void)rota_job_retry(job, "%s %s: %s", what, length, said);
	else
		(void)rota_job_retry(job, "%s %s", what, length);
	return job->text;
}

/* An attempt that was stopped has not failed for good, whatever its handler made of being stopped.
 */
static void apply_stop(struct rota_attempt *attempt, struct rota_verdict *verdict)
{
	const struct rota_claimed *claimed = attempt->claimed;
	enum rota_stop_reason reason = rota_job_cancelled(&attempt->job);
	if (verdict->outcome == ROTA_OUTCOME_COMPLETE)
		return;
	if (reason == ROTA_STOP_SHUTDOWN && verdict->outcome == ROTA_OUTCOME_RETRY)
		verdict->outcome = ROTA_OUTCOME_RELEASE;
	if (reason != ROTA_STOP_TIMEOUT && reason != ROTA_STOP_STALLED)
		return;
	verdict->outcome = ROTA_OUTCOME_RETRY;
	verdict->has_delay = 0;
	verdict->delay = 0;
	verdict->error = reason == ROTA_STOP_TIMEOUT
				 ? stopped_text(attempt, "timed out after", claimed->timeout)
				 : stopped_text(attempt, "no progress for", claimed->stall);
}

/* What only some outcomes may carry. */
static void keep_what_fits(struct rota_verdict *verdict)
{
	enum rota_outcome outcome = verdict->outcome;
	if (outcome != ROTA_OUTCOME_COMPLETE) {
		verdict->result = (struct rota_bytes){NULL, 0};
		verdict->follow_ups = NULL;
		verdict->follow_up_count = 0;
	}
	if (outcome != ROTA_OUTCOME_RETRY && outcome != ROTA_OUTCOME_SNOOZE)
		verdict->has_delay = 0, verdict->delay = 0;
	if (outcome == ROTA_OUTCOME_COMPLETE || outcome == ROTA_OUTCOME_RELEASE)
		verdict->error = NULL;
}

void rota_verdict_make(
	struct rota_attempt *attempt, enum rota_outcome outcome, struct rota_verdict *ret)
{
	struct rota_job *job = &attempt->job;
	*ret = (struct rota_verdict){
		.size = sizeof(*ret),
		.id = attempt->claimed->id,
		.token = attempt->claimed->token,
		.outcome = outcome,
		.has_delay = job->has_delay,
		.delay = job->delay,
		.result = job->result,
		.error = job->text,
		.follow_ups = attempt->follow_ups,
		.follow_up_count = attempt->follow_up_count,
	};
	if ((unsigned)outcome >= ROTA_OUTCOME_LATER) {
		ret->outcome = rota_job_retry(
			job, "the handler returned %d, which is no outcome", (int)outcome);
		ret->error = job->text;
	}
	if (attempt->has_progress)
		ret->progress = (struct rota_bytes){attempt->progress.data, attempt->progress.size};
	if (attempt->has_status)
		ret->status_text = attempt->status.data;
	apply_stop(attempt, ret);
	keep_what_fits(ret);
}
