/* job.c: what a handler may ask of its job, and how it says what came of it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/error.h"
#include "base/limits.h"
#include "base/macros.h"
#include "base/text.h"
#include "pool/pool.h"
#include "pool/run.h"

enum { LATER_RETURNED = 1, LATER_SAID = 2 };

void rota_job_init(
	struct rota_job *job, const struct rota_origin *origin, rota_handler_fn *run, void *arg)
{
	*job = (struct rota_job){
		.origin = origin, .run = run, .arg = arg, .world = rota_world_real()};
}

void rota_job_deinit(struct rota_job *job)
{
	int fd = atomic_exchange(&job->cancel_fd, 0) - 1;
	if (fd >= 0)
		close(fd);
}

/* ---- running one, for pool.c ---- */

void rota_job_run(struct rota_job *job, struct rota_running *running)
{
	if (job->origin && job->origin->starting && !job->origin->starting(job))
		return;
	rota_running_set(running, job);
	enum rota_outcome outcome = job->run(job, job->arg);
	rota_running_set(running, NULL);
	if (outcome != ROTA_OUTCOME_LATER)
		rota_job_over(job, outcome);
	else if (atomic_fetch_or(&job->later, LATER_RETURNED) & LATER_SAID)
		rota_job_over(job, job->said);
}

void rota_job_over(struct rota_job *job, enum rota_outcome outcome)
{
	if (job->origin && job->origin->ended)
		job->origin->ended(job, outcome);
}

void rota_job_end(struct rota_job *job, enum rota_outcome outcome)
{
	job->said = outcome == ROTA_OUTCOME_LATER ? ROTA_OUTCOME_RETRY : outcome;
	if (atomic_fetch_or(&job->later, LATER_SAID) & LATER_RETURNED)
		rota_job_over(job, job->said);
}

/* ---- outcomes ---- */

/* How many bytes text_fill wants, its NUL included; 0: there is no text. */
static size_t text_room(const char *format, va_list args)
{
	va_list again;
	va_copy(again, args);
	int want = format ? vsnprintf(NULL, 0, format, again) : -1;
	va_end(again);
	/* A few more than may stay, so that a character across the edge is seen. */
	return want < 0 ? 0 : ROTA_MIN((size_t)want, (size_t)ROTA_TEXT_BYTES_MAX + 4) + 1;
}

static void text_fill(char *text, size_t room, const char *format, va_list args)
{
	vsnprintf(text, room, format, args);
	text[rota_utf8_prefix(text, strlen(text), ROTA_TEXT_BYTES_MAX)] = 0;
	rota_utf8_mend(text, strlen(text));
}

static const char *format_text(struct rota_job *job, const char *format, va_list args)
{
	size_t room = text_room(format, args);
	if (!room || !job->arena)
		return NULL;
	char *text = rota_arena_alloc(job->arena, room);
	if (!text)
		return "out of memory for the reason";
	text_fill(text, room, format, args);
	return text;
}

static enum rota_outcome say(
	struct rota_job *job, enum rota_outcome outcome, const char *why, va_list args)
{
	job->has_delay = 0;
	job->delay = 0;
	job->result = (struct rota_bytes){NULL, 0};
	job->text = format_text(job, why, args);
	return outcome;
}

/* The five calls differ in the outcome alone, and va_list needs a function of its own each. */
#define SAY(job, outcome, why)                                                                     \
	__extension__({                                                                            \
		va_list args_;                                                                     \
		va_start(args_, why);                                                              \
		enum rota_outcome said_ = say(job, outcome, why, args_);                           \
		va_end(args_);                                                                     \
		said_;                                                                             \
	})

enum rota_outcome rota_job_retry(struct rota_job *job, const char *why, ...)
{
	return SAY(job, ROTA_OUTCOME_RETRY, why);
}

enum rota_outcome rota_job_fail(struct rota_job *job, const char *why, ...)
{
	return SAY(job, ROTA_OUTCOME_FAIL, why);
}

enum rota_outcome rota_job_cancel(struct rota_job *job, const char *why, ...)
{
	return SAY(job, ROTA_OUTCOME_CANCEL, why);
}

/* An absurd delay is a mistake of the handler's, not of the task: it is brought into range. */
static void set_delay(struct rota_job *job, rota_duration delay)
{
	job->has_delay = 1;
	job->delay = ROTA_MAX(0, ROTA_MIN(delay, ROTA_DURATION_MAX));
}

enum rota_outcome rota_job_retry_after(
	struct rota_job *job, rota_duration delay, const char *why, ...)
{
	enum rota_outcome outcome = SAY(job, ROTA_OUTCOME_RETRY, why);
	set_delay(job, delay);
	return outcome;
}

enum rota_outcome rota_job_snooze(struct rota_job *job, rota_duration delay, const char *why, ...)
{
	enum rota_outcome outcome = SAY(job, ROTA_OUTCOME_SNOOZE, why);
	set_delay(job, delay);
	return outcome;
}

enum rota_outcome rota_job_release(struct rota_job *job)
{
	job->text = NULL;
	job->result = (struct rota_bytes){NULL, 0};
	return ROTA_OUTCOME_RELEASE;
}

enum rota_outcome rota_job_complete(struct rota_job *job, const void *result, size_t size)
{
	if (size > ROTA_RESULT_BYTES_MAX)
		return rota_job_retry(job, "the result of %zu bytes is above the limit of %d bytes",
			size, ROTA_RESULT_BYTES_MAX);
	struct rota_bytes copy = {NULL, 0};
	if (job->arena && !rota_arena_bytes(job->arena, (struct rota_bytes){result, size}, &copy))
		return rota_job_retry(job, "out of memory for a result of %zu bytes", size);
	job->result = copy;
	job->text = NULL;
	return ROTA_OUTCOME_COMPLETE;
}

/* ---- what it is ---- */

struct rota_bytes rota_job_payload(const struct rota_job *job)
{
	return job->payload;
}

const char *rota_job_type(const struct rota_job *job)
{
	return job->type;
}

const struct rota_claimed *rota_job_claimed(const struct rota_job *job)
{
	return job->origin && job->origin->claimed ? job->origin->claimed(job) : NULL;
}

rota_id rota_job_task(const struct rota_job *job)
{
	const struct rota_claimed *claimed = rota_job_claimed(job);
	return claimed ? claimed->id : 0;
}

int64_t rota_job_token(const struct rota_job *job)
{
	const struct rota_claimed *claimed = rota_job_claimed(job);
	return claimed ? claimed->token : 0;
}

int32_t rota_job_attempt(const struct rota_job *job)
{
	const struct rota_claimed *claimed = rota_job_claimed(job);
	return claimed ? claimed->attempt : 1;
}

void *rota_job_thread_data(const struct rota_job *job)
{
	return job->thread_data;
}

/* ---- being stopped ---- */

static void signal_fd(int fd)
{
	uint64_t one = 1;
	/* A counter that is full is readable already, which is all that is wanted. */
	ssize_t ignored ROTA_UNUSED = write(fd, &one, sizeof(one));
}

void rota_job_stop(struct rota_job *job, enum rota_stop_reason reason)
{
	uint32_t none = ROTA_STOP_NONE;
	if (!atomic_compare_exchange_strong(&job->stop, &none, (uint32_t)reason))
		return;
	job->world->wake(job->world, (const uint32_t *)&job->stop, 1);
	int fd = atomic_load(&job->cancel_fd) - 1;
	if (fd >= 0)
		signal_fd(fd);
}

enum rota_stop_reason rota_job_cancelled(const struct rota_job *job)
{
	return atomic_load_explicit(&job->stop, memory_order_acquire);
}

int rota_job_cancel_fd(struct rota_job *job)
{
	int known = atomic_load(&job->cancel_fd);
	if (known)
		return known - 1;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return -1;
	if (!atomic_compare_exchange_strong(&job->cancel_fd, &known, fd + 1)) {
		close(fd);
		return known - 1;
	}
	/* Stopped before the descriptor could be seen. */
	if (rota_job_cancelled(job))
		signal_fd(fd);
	return fd;
}

enum rota_stop_reason rota_job_sleep(struct rota_job *job, rota_duration length)
{
	struct rota_world *world = job->world;
	rota_tick until = rota_tick_add(world->now(world), length);
	while (!rota_job_cancelled(job) && world->now(world) < until)
		world->park(world, (const uint32_t *)&job->stop, ROTA_STOP_NONE, until);
	return rota_job_cancelled(job);
}

/* ---- what goes to the origin ---- */

static void send_status(struct rota_job *job, const char *format, va_list args)
{
	size_t room = text_room(format, args);
	char *text ROTA_AUTO_FREE = room ? malloc(room) : NULL;
	if (!text)
		return;
	text_fill(text, room, format, args);
	job->origin->status(job, text);
}

void rota_job_status(struct rota_job *job, const char *text, ...)
{
	if (!job->origin || !job->origin->status)
		return;
	va_list args;
	va_start(args, text);
	send_status(job, text, args);
	va_end(args);
}

void rota_job_progress_bytes(struct rota_job *job, const void *data, size_t size)
{
	if (job->origin && job->origin->progress && data && size <= ROTA_PROGRESS_BYTES_MAX)
		job->origin->progress(job, (struct rota_bytes){data, size});
}

void rota_job_progress(struct rota_job *job, int64_t done, int64_t total)
{
	char text[80];
	int size = snprintf(text, sizeof(text), "{\"done\":%lld,\"total\":%lld}", (long long)done,
		(long long)total);
	rota_job_progress_bytes(job, text, (size_t)size);
}

enum rota_status rota_job_enqueue(
	struct rota_job *job, const struct rota_task *tasks, size_t n, struct rota_error *err)
{
	if (!job->origin || !job->origin->enqueue)
		return rota_err(
			err, ROTA_UNSUPPORTED, "only a durable task's job can enqueue follow-ups");
	return job->origin->enqueue(job, tasks, n, err);
}
