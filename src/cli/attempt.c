/* attempt.c: one attempt of a task by a program, and what it came to. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "cli/work.h"

#define EXIT_FOR_GOOD 65           /* EX_DATAERR: no use in trying again */
#define NOTE_BYTES_MAX (8 << 20)   /* a line of descriptor 3: a follow-up with its payload */
#define WORDS_BYTES_MAX (10 << 10) /* the tail of stderr, and some */
#define ASKED "the program asked for it"
#define NOT_STARTED_WAIT ROTA_SECONDS(1) /* no descriptors, no processes: the machine is full */

/* Once it was sent SIGTERM its exit status means little: many programs exit 0 then, done or not.
 * The worker itself says "timed out after 5s: " in front. */
static enum rota_outcome stopped(
	struct rota_job *job, const struct rota_exec_end *end, const char *words)
{
	switch (end->stopped) {
	case ROTA_STOP_CANCELLED:
		return rota_job_cancel(job, "cancelled while it ran");
	case ROTA_STOP_TIMEOUT:
	case ROTA_STOP_STALLED:
		return rota_job_retry(job, "%s", words);
	default:
		return rota_job_release(job);
	}
}

static enum rota_outcome failed(
	struct rota_job *job, const struct cli_notes *notes, const char *words)
{
	if (notes->outcome == ROTA_OUTCOME_RETRY)
		return rota_job_retry_after(job, notes->delay, "%s", words);
	return rota_job_retry(job, "%s", words);
}

static void say_truncated(struct rota_job *job, const struct rota_exec_end *end,
	const struct cli_notes *notes, const struct cli_log *log)
{
	const char *before = notes->status_text;

	rota_job_status(job, "%s%sresult truncated: %zu of %" PRIu64 " bytes kept",
		before ? before : "", before ? "; " : "", end->out.size, end->out_bytes);
	cli_log_task(log, ROTA_LOG_WARN, rota_job_claimed(job),
		"result truncated: %zu of %" PRIu64 " bytes kept", end->out.size, end->out_bytes);
}

static enum rota_outcome completed(struct rota_job *job, const struct rota_exec_end *end,
	const struct cli_notes *notes, const struct cli_log *log)
{
	struct rota_error err;

	if (notes->task_count > 0 && rota_job_enqueue(job, notes->tasks, notes->task_count, &err))
		return rota_job_retry(job, "follow-ups: %s", err.message);
	if (end->out_bytes > end->out.size)
		say_truncated(job, end, notes, log);
	return rota_job_complete(job, end->out.size ? end->out.data : NULL, end->out.size);
}

/* What was said on descriptor 3 counts unless the program crashed or refused its input for good. */
static enum rota_outcome decide(struct rota_job *job, const struct rota_exec_end *end,
	const struct cli_notes *notes, const struct cli_log *log)
{
	char words[WORDS_BYTES_MAX];

	rota_exec_words(end, words, sizeof(words));
	if (end->stopped != ROTA_STOP_NONE)
		return stopped(job, end, words);
	if (end->status == EXIT_FOR_GOOD)
		return rota_job_fail(job, "%s", words);
	if (notes->bad[0])
		return failed(job, notes, notes->bad);
	if (end->signal)
		return failed(job, notes, words);
	switch (notes->outcome) {
	case ROTA_OUTCOME_SNOOZE:
		return rota_job_snooze(job, notes->delay, "%s", end->status ? words : ASKED);
	case ROTA_OUTCOME_CANCEL:
		return rota_job_cancel(job, "%s", notes->why);
	case ROTA_OUTCOME_RETRY:
		return failed(job, notes, end->status ? words : ASKED);
	default:
		return end->status == 0 ? completed(job, end, notes, log)
					: failed(job, notes, words);
	}
}

static enum rota_outcome not_started(
	struct rota_job *job, const char *why, const struct cli_log *log)
{
	cli_log_task(log, ROTA_LOG_WARN, rota_job_claimed(job), "not started: %s", why);
	return rota_job_snooze(job, NOT_STARTED_WAIT, "not started: %s", why);
}

enum rota_outcome cli_attempt(struct rota_job *job, void *arg)
{
	const struct cli_handler *handler = arg;
	const struct cli_work *work = handler->work;
	struct cli_notes notes ROTA_CLEANUP(cli_notes_deinit);
	struct rota_exec_end end ROTA_CLEANUP(rota_exec_end_deinit) = {.status = -1};
	struct rota_exec exec = {.command = handler->command,
		.result_bytes_max = work->result_bytes_max,
		.line_bytes_max = NOTE_BYTES_MAX,
		.kill_after = work->kill_after,
		.hurry = &work->hurry,
		.keeper = work->keeper,
		.line = cli_notes_line,
		.arg = &notes};
	struct rota_error err;

	cli_notes_init(&notes, job, &work->log);
	exec.environment = cli_environment(work, job, &notes.arena);
	if (!exec.environment)
		return not_started(job, "out of memory", &work->log);
	if (rota_exec_run(job, &exec, &end, &err))
		return not_started(job, err.message, &work->log);
	return decide(job, &end, &notes, &work->log);
}
