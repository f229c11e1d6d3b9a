/* attempt.c: one attempt at a task as a job of the pool: what the pool's threads do with it, and
 * how its memory goes round. */
#include <stdlib.h>
#include <string.h>
#include "base/error.h"
#include "base/limits.h"
#include "base/macros.h"
#include "core/check.h"
#include "run/engine.h"
#include "run/verdict.h"
#include "store/internal.h"

#define SLAB_ATTEMPTS 64
#define HANDLER_US_MAX 10e6 /* one long handler must not hide a thousand short ones for long */
#define SMOOTHING 8

struct rota_slab {
	struct rota_slab *next;
	struct rota_attempt attempts[SLAB_ATTEMPTS];
};

static struct rota_attempt *attempt_of(const struct rota_job *job)
{
	return ROTA_CONTAINER(job, struct rota_attempt, job);
}

static uint32_t state_of(const struct rota_attempt *attempt)
{
	return atomic_load_explicit(&attempt->state, memory_order_acquire);
}

static bool move(struct rota_attempt *attempt, uint32_t from, uint32_t to)
{
	return atomic_compare_exchange_strong(&attempt->state, &from, to);
}

/* ---- memory; under the lock where not said ---- */

bool rota_attempts_reserve(struct rota_worker *w, size_t n)
{
	while (w->shelf_count < n) {
		struct rota_slab *slab = calloc(1, sizeof(*slab));
		if (!slab)
			return false;
		slab->next = w->slabs;
		w->slabs = slab;
		for (size_t i = 0; i < SLAB_ATTEMPTS; i++) {
			struct rota_attempt *attempt = &slab->attempts[i];
			attempt->worker = w;
			rota_arena_init(&attempt->arena, ROTA_JOB_BYTES_MAX);
			rota_buf_init(&attempt->progress, ROTA_PROGRESS_BYTES_MAX);
			rota_buf_init(&attempt->status, ROTA_TEXT_BYTES_MAX);
			pthread_mutex_init(&attempt->notes_lock, NULL);
			attempt->next = w->shelf;
			w->shelf = attempt;
		}
		w->shelf_count += SLAB_ATTEMPTS;
	}
	return true;
}

static const struct rota_handler *handler_of(struct rota_worker *w, const char *type)
{
	const struct rota_handler *last = w->last_handler;
	int64_t at;
	if (last && last->type && strcmp(last->type, type) == 0)
		return last;
	if (rota_names_get(w->types, type, &at))
		return w->last_handler = &w->handlers[at];
	return w->any_handler;
}

static enum rota_outcome no_handler(struct rota_job *job, void *arg)
{
	(void)arg;
	return rota_job_retry(job, "this worker has no handler for type %s", job->type);
}

struct rota_attempt *rota_attempt_take(
	struct rota_worker *w, struct rota_claiming *claiming, const struct rota_claimed *claimed)
{
	struct rota_attempt *attempt = w->shelf;
	const struct rota_handler *handler = handler_of(w, claimed->type);
	ROTA_ASSERT(attempt && state_of(attempt) == ROTA_ATTEMPT_IDLE);
	w->shelf = attempt->next;
	w->shelf_count--;
	rota_job_init(&attempt->job, &rota_attempt_origin, handler ? handler->run : no_handler,
		handler ? handler->arg : NULL);
	attempt->job.type = claimed->type;
	attempt->job.payload = claimed->payload;
	attempt->job.arena = &attempt->arena;
	attempt->job.world = w->world;
	attempt->claiming = claiming;
	attempt->claimed = claimed;
	attempt->serial = ++w->serial;
	attempt->claimed_at = claiming->submitted_at;
	attempt->lease_end = rota_tick_add(claiming->submitted_at, w->options.lease);
	attempt->lost = attempt->plain_retry = attempt->verdict_open = attempt->in_pool = false;
	attempt->prev = NULL;
	attempt->next = w->hand;
	if (w->hand)
		w->hand->prev = attempt;
	w->hand = attempt;
	w->in_hand++;
	return attempt;
}

static void unhand(struct rota_attempt *attempt)
{
	struct rota_worker *w = attempt->worker;
	if (attempt->next)
		attempt->next->prev = attempt->prev;
	if (attempt->prev)
		attempt->prev->next = attempt->next;
	else
		w->hand = attempt->next;
	w->in_hand--;
	rota_timer_disarm(w, attempt);
}

void rota_attempt_clean(struct rota_attempt *attempt)
{
	rota_job_deinit(&attempt->job);
	if (attempt->arena.used_bytes)
		rota_arena_reset(&attempt->arena);
	if ((size_t)(attempt->arena.end - attempt->arena.at) > ROTA_ATTEMPT_KEEP_BYTES)
		rota_arena_deinit(&attempt->arena);
	attempt->follow_ups = NULL;
	attempt->follow_up_count = attempt->follow_up_room = 0;
	pthread_mutex_lock(&attempt->notes_lock);
	rota_buf_clear(&attempt->progress);
	rota_buf_clear(&attempt->status);
	attempt->has_progress = attempt->has_status = attempt->notes_new = false;
	pthread_mutex_unlock(&attempt->notes_lock);
}

void rota_attempt_shelve(struct rota_attempt *attempt)
{
	struct rota_worker *w = attempt->worker;
	if (attempt->in_pool || attempt->verdict_open)
		return;
	atomic_store(&attempt->state, ROTA_ATTEMPT_IDLE);
	rota_claiming_unref(ROTA_TAKE(attempt->claiming));
	attempt->claimed = NULL;
	attempt->next = w->shelf;
	w->shelf = attempt;
	w->shelf_count++;
}

static void attempt_deinit(struct rota_attempt *attempt)
{
	rota_job_deinit(&attempt->job);
	rota_arena_deinit(&attempt->arena);
	rota_buf_deinit(&attempt->progress);
	rota_buf_deinit(&attempt->status);
	pthread_mutex_destroy(&attempt->notes_lock);
}

void rota_attempts_free(struct rota_worker *w)
{
	while (w->slabs) {
		struct rota_slab *slab = w->slabs;
		w->slabs = slab->next;
		for (size_t i = 0; i < SLAB_ATTEMPTS; i++)
			attempt_deinit(&slab->attempts[i]);
		free(slab);
	}
}

/* ---- to the pool, and back before it ran; under the lock ---- */

void rota_attempt_go(struct rota_attempt *attempt, struct rota_todo *todo)
{
	attempt->in_pool = true;
	atomic_store(&attempt->state, ROTA_ATTEMPT_BUFFERED);
	rota_todo_job(todo, &attempt->job);
}

static void release(struct rota_attempt *attempt)
{
	struct rota_verdict verdict = ROTA_INIT(rota_verdict);
	verdict.id = attempt->claimed->id;
	verdict.token = attempt->claimed->token;
	verdict.outcome = ROTA_OUTCOME_RELEASE;
	rota_verdict_add(attempt, &verdict);
}

bool rota_attempt_drop(struct rota_attempt *attempt, bool lost, struct rota_todo *todo)
{
	struct rota_worker *w = attempt->worker;
	if (move(attempt, ROTA_ATTEMPT_BUFFERED, ROTA_ATTEMPT_DROPPED))
		w->dropped++;
	else if (!move(attempt, ROTA_ATTEMPT_STARTING, ROTA_ATTEMPT_ENDED))
		return false;
	unhand(attempt);
	if (!lost)
		release(attempt);
	else
		rota_attempt_shelve(attempt);
	rota_worker_need(w, 0, todo);
	return true;
}

/* The pool has let go of a dropped one. */
static void let_go(struct rota_attempt *attempt)
{
	struct rota_worker *w = attempt->worker;
	attempt->in_pool = false;
	w->dropped--;
	rota_attempt_shelve(attempt);
	atomic_fetch_add(&w->word, 1);
	w->world->wake(w->world, (uint32_t *)&w->word, 1);
}

void rota_attempt_stop(struct rota_attempt *attempt, enum rota_stop_reason reason, bool lost,
	struct rota_todo *todo)
{
	static const char *const what[] = {"", "was cancelled", "timed out",
		"made no progress in time", "lost its lease", "must end, the worker stops"};
	bool wanted = reason == ROTA_STOP_CANCELLED || reason == ROTA_STOP_SHUTDOWN;
	if (rota_attempt_drop(attempt, lost, todo))
		return;
	if (!rota_job_cancelled(&attempt->job))
		rota_report(attempt->worker, wanted ? ROTA_LOG_INFO : ROTA_LOG_WARN,
			attempt->claimed, 0, "%s", what[reason]);
	attempt->lost |= lost;
	rota_job_stop(&attempt->job, reason);
}

/* ---- on the pool's thread ---- */

static bool may_run(struct rota_worker *w)
{
	return atomic_load(&w->running) <= w->options.concurrency;
}

/* More threads, or handlers that answer later, than attempts allowed: it waits for one to end. */
static bool hold_back(struct rota_attempt *attempt)
{
	struct rota_worker *w = attempt->worker;
	pthread_mutex_lock(&w->lock);
	bool held = !may_run(w);
	if (held) {
		atomic_fetch_sub(&w->running, 1);
		attempt->job.next = NULL;
		*w->held_last = &attempt->job;
		w->held_last = &attempt->job.next;
	}
	pthread_mutex_unlock(&w->lock);
	return held;
}

void rota_attempt_next_held(struct rota_worker *w, struct rota_todo *todo)
{
	struct rota_job *job = w->held;
	if (!job || atomic_load(&w->running) >= w->options.concurrency)
		return;
	w->held = job->next;
	if (!w->held)
		w->held_last = &w->held;
	rota_todo_job(todo, job);
}

static bool not_any_more(struct rota_attempt *attempt)
{
	struct rota_worker *w = attempt->worker;
	struct rota_todo todo = {0};
	pthread_mutex_lock(&w->lock);
	atomic_fetch_sub(&w->running, 1);
	let_go(attempt);
	rota_attempt_next_held(w, &todo);
	rota_worker_leave(w, &todo);
	return false;
}

static void arm_timer(struct rota_attempt *attempt)
{
	struct rota_worker *w = attempt->worker;
	struct rota_todo todo = {0};
	pthread_mutex_lock(&w->lock);
	rota_timer_arm(w, attempt, &todo);
	rota_worker_leave(w, &todo);
}

static bool starting(struct rota_job *job)
{
	struct rota_attempt *attempt = attempt_of(job);
	struct rota_worker *w = attempt->worker;
	if (atomic_fetch_add(&w->running, 1) >= w->options.concurrency && hold_back(attempt))
		return false;
	rota_tick now = w->world->now(w->world);
	attempt->started_at = now;
	atomic_store_explicit(&attempt->moved_at, now, memory_order_relaxed);
	if (!move(attempt, ROTA_ATTEMPT_BUFFERED, ROTA_ATTEMPT_RUNNING))
		return not_any_more(attempt);
	atomic_store_explicit(&w->last_start, now, memory_order_relaxed);
	if (attempt->claimed->timeout > 0 || attempt->claimed->stall > 0)
		arm_timer(attempt);
	rota_report(w, ROTA_LOG_DEBUG, attempt->claimed, 0, "started");
	return true;
}

/* The pool ends before it came to this one. */
static void ended_unstarted(struct rota_attempt *attempt)
{
	struct rota_worker *w = attempt->worker;
	struct rota_todo todo = {0};
	pthread_mutex_lock(&w->lock);
	(void)rota_attempt_drop(attempt, false, &todo); /* or it was dropped before */
	let_go(attempt);
	rota_verdicts_send(w, &todo);
	rota_worker_leave(w, &todo);
}

/* Under the lock. What tells how many may be claimed ahead. */
static void note_pace(struct rota_worker *w, rota_duration took, size_t left_bytes)
{
	double us = ROTA_MIN((double)took, HANDLER_US_MAX);
	w->handler_us = w->handler_us < 0 ? us : w->handler_us + (us - w->handler_us) / SMOOTHING;
	w->left_bytes += ((double)left_bytes - w->left_bytes) / SMOOTHING;
}

/* Under the lock. Nobody wants to hear of it: the store said that the lease is somebody else's, or
 * the worker was over before its handler. */
static void forget(struct rota_attempt *attempt)
{
	atomic_fetch_add_explicit(&attempt->worker->refused, 1, memory_order_relaxed);
	rota_attempt_clean(attempt);
	rota_attempt_shelve(attempt);
}

static void ended(struct rota_job *job, enum rota_outcome outcome)
{
	struct rota_attempt *attempt = attempt_of(job);
	struct rota_worker *w = attempt->worker;
	struct rota_todo todo = {0};
	struct rota_verdict verdict;
	if (state_of(attempt) != ROTA_ATTEMPT_RUNNING) {
		ended_unstarted(attempt);
		return;
	}
	rota_duration took = w->world->now(w->world) - attempt->started_at;
	rota_verdict_make(attempt, outcome, &verdict);
	rota_report_outcome(attempt, &verdict, took);
	pthread_mutex_lock(&w->lock);
	unhand(attempt);
	attempt->in_pool = false;
	atomic_fetch_sub(&w->running, 1);
	note_pace(w, took, attempt->arena.used_bytes);
	atomic_store(&attempt->state, ROTA_ATTEMPT_ENDED);
	if (attempt->lost || w->phase == ROTA_WORKER_OVER)
		forget(attempt);
	else
		rota_verdict_add(attempt, &verdict);
	rota_attempt_next_held(w, &todo);
	rota_verdicts_send(w, &todo);
	rota_claims_consider(w, &todo);
	if (w->in_hand == 0 && w->phase != ROTA_WORKER_WORKING)
		rota_worker_need(w, 0, &todo);
	rota_worker_leave(w, &todo);
}

/* ---- what the handler says meanwhile ---- */

/* The renewer takes it along, at most a second later. */
static void notes_due(struct rota_attempt *attempt)
{
	struct rota_worker *w = attempt->worker;
	struct rota_todo todo = {0};
	pthread_mutex_lock(&w->lock);
	rota_tick at = rota_tick_add(w->notes_sent_at, ROTA_PROGRESS_EVERY);
	w->notes_at = ROTA_MIN(w->notes_at, at);
	rota_worker_need(w, w->notes_at, &todo);
	rota_worker_leave(w, &todo);
}

static void note(
	struct rota_attempt *attempt, struct rota_buf *buf, bool *has, struct rota_bytes bytes)
{
	struct rota_world *world = attempt->worker->world;
	atomic_store(&attempt->moved_at, world->now(world));
	pthread_mutex_lock(&attempt->notes_lock);
	rota_buf_clear(buf);
	*has = rota_buf_add(buf, bytes.data, bytes.size);
	bool first = !attempt->notes_new;
	attempt->notes_new = true;
	pthread_mutex_unlock(&attempt->notes_lock);
	if (first)
		notes_due(attempt);
}

static void progress(struct rota_job *job, struct rota_bytes bytes)
{
	struct rota_attempt *attempt = attempt_of(job);
	note(attempt, &attempt->progress, &attempt->has_progress, bytes);
}

static void status(struct rota_job *job, const char *text)
{
	struct rota_attempt *attempt = attempt_of(job);
	note(attempt, &attempt->status, &attempt->has_status,
		(struct rota_bytes){text, strlen(text)});
}

static const struct rota_claimed *claimed(const struct rota_job *job)
{
	return attempt_of(job)->claimed;
}

/* ---- follow-ups: the handler's side alone ---- */

static bool follow_ups_reserve(struct rota_attempt *attempt, size_t n)
{
	size_t want = attempt->follow_up_count + n;
	if (want <= attempt->follow_up_room)
		return true;
	size_t room = ROTA_MAX(want, 2 * attempt->follow_up_room);
	struct rota_task *more = rota_arena_array(&attempt->arena, room, sizeof(*more));
	if (!more)
		return false;
	if (attempt->follow_up_count)
		memcpy(more, attempt->follow_ups, attempt->follow_up_count * sizeof(*more));
	attempt->follow_ups = more;
	attempt->follow_up_room = room;
	return true;
}

/* Positions are counted within a call; all of an attempt's calls become one. */
static void shift_positions(const struct rota_dependency *edges, size_t n, uint64_t by)
{
	struct rota_dependency *ours = (struct rota_dependency *)(uintptr_t)edges; /* the copy's */
	for (size_t i = 0; i < n; i++) {
		if (ours[i].nth)
			ours[i].nth += by;
	}
}

static enum rota_status follow_ups_copy(struct rota_attempt *attempt, const struct rota_task *tasks,
	size_t n, struct rota_error *err)
{
	if (!follow_ups_reserve(attempt, n))
		return rota_err_memory(err);
	for (size_t i = 0; i < n; i++) {
		struct rota_task adopted,
			*copy = &attempt->follow_ups[attempt->follow_up_count + i];
		enum rota_status refused = rota_task_adopt(rota_task_at(tasks, i), &adopted, err);
		if (refused)
			return refused;
		if (!rota_task_copy(&attempt->arena, &adopted, copy))
			return rota_err_memory(err);
		shift_positions(copy->after, copy->after_count, attempt->follow_up_count);
		shift_positions(copy->before, copy->before_count, attempt->follow_up_count);
	}
	attempt->follow_up_count += n;
	return ROTA_OK;
}

static enum rota_status follow_ups_check(
	const struct rota_task *tasks, size_t n, struct rota_error *err)
{
	for (size_t i = 0; i < n; i++) {
		struct rota_task adopted;
		enum rota_status refused = rota_task_adopt(rota_task_at(tasks, i), &adopted, err);
		if (!refused)
			refused = rota_check_task(&adopted, i + 1, n, err);
		if (refused) {
			(void)rota_err_item(err, i + 1);
			return refused;
		}
	}
	return ROTA_OK;
}

static enum rota_status enqueue(
	struct rota_job *job, const struct rota_task *tasks, size_t n, struct rota_error *err)
{
	struct rota_attempt *attempt = attempt_of(job);
	if (n == 0)
		return ROTA_OK;
	if (!tasks)
		return rota_err(err, ROTA_INVALID, "tasks is NULL");
	if (n > ROTA_TASKS_PER_CALL_MAX - attempt->follow_up_count)
		return rota_err(err, ROTA_LIMIT, "one attempt may enqueue at most %d follow-ups",
			ROTA_TASKS_PER_CALL_MAX);
	enum rota_status refused = follow_ups_check(tasks, n, err);
	return refused ? refused : follow_ups_copy(attempt, tasks, n, err);
}

const struct rota_origin rota_attempt_origin = {
	.claimed = claimed,
	.progress = progress,
	.status = status,
	.enqueue = enqueue,
	.starting = starting,
	.ended = ended,
};
