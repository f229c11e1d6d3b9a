/* step.c: one step of a worker: what is due now, and the way from the first claim to the last
 * outcome. Nothing here waits. */
#include <stdio.h>
#include <unistd.h>
#include "base/error.h"
#include "base/macros.h"
#include "run/engine.h"

#define DRAIN_WAIT_MIN ROTA_MS(10)
#define DRAIN_WAIT_MAX ROTA_SECONDS(1)

/* ---- todo ---- */

void rota_todo_job(struct rota_todo *todo, struct rota_job *job)
{
	job->next = NULL;
	if (todo->jobs)
		todo->jobs_last->next = job;
	else
		todo->jobs = job;
	todo->jobs_last = job;
	todo->job_count++;
}

void rota_todo_op(struct rota_todo *todo, struct rota_op *op)
{
	ROTA_ASSERT(todo->op_count < ROTA_COUNT(todo->ops));
	todo->ops[todo->op_count++] = op;
}

static void wake(struct rota_worker *w)
{
	atomic_fetch_add(&w->word, 1);
	w->world->wake(w->world, (uint32_t *)&w->word, 1);
}

/* Refused before it was taken: answered here, as the lane would. */
static void submit(struct rota_worker *w, struct rota_op *op)
{
	struct rota_error err;
	if (rota_store_submit(w->store, op, &err) == ROTA_OK)
		return;
	op->err = err;
	op->done(op);
}

static void todo_do(struct rota_worker *w, const struct rota_todo *todo)
{
	if (todo->job_count)
		rota_pool_submit(w->pool, todo->jobs, todo->job_count);
	for (size_t i = 0; i < todo->op_count; i++)
		submit(w, todo->ops[i]);
	if (todo->recall)
		rota_store_recall(w->store, todo->recall);
	/* In a world without threads, jobs run in the next step. */
	if (todo->wake || (todo->job_count && !w->world->threads))
		wake(w);
}

void rota_worker_leave(struct rota_worker *w, const struct rota_todo *todo)
{
	atomic_fetch_add(&w->leaving, 1);
	pthread_mutex_unlock(&w->lock);
	todo_do(w, todo);
	atomic_fetch_sub(&w->leaving, 1); /* last touch */
}

void rota_worker_need(struct rota_worker *w, rota_tick at, struct rota_todo *todo)
{
	if (at >= w->sleeping_until)
		return;
	w->sleeping_until = 0;
	todo->wake = true;
}

/* ---- errors of the store ---- */

void rota_streak_fail(struct rota_worker *w, struct rota_streak *streak, const char *what,
	const struct rota_error *err, struct rota_todo *todo)
{
	uint64_t growth = 1u << ROTA_MIN(streak->failures, 6);
	rota_duration wait =
		w->options.error_wait * (rota_duration)ROTA_MIN(growth, ROTA_ERROR_WAIT_GROWTH_MAX);
	if (streak->failures++ == 0)
		rota_report(w, ROTA_LOG_ERROR, NULL, 0, "cannot %s: %s (%s)", what, err->message,
			rota_status_name(err->status));
	wait -= (rota_duration)(w->world->random(w->world) % (uint64_t)(wait / 2 + 1));
	streak->retry_at = rota_tick_add(w->world->now(w->world), wait);
	rota_worker_need(w, streak->retry_at, todo);
}

void rota_streak_ok(struct rota_worker *w, struct rota_streak *streak, const char *what)
{
	if (streak->failures)
		rota_report(w, ROTA_LOG_INFO, NULL, 0,
			"the store answers again, after %u failures to %s", streak->failures, what);
	*streak = (struct rota_streak){0};
}

/* ---- the registry ---- */

static bool simple_submit(struct rota_worker *w, struct rota_simple_op *simple,
	enum rota_op_kind kind, void (*done)(struct rota_op *), struct rota_todo *todo)
{
	if (simple->busy)
		return false;
	simple->busy = true;
	rota_arena_reset(&simple->arena);
	simple->op =
		(struct rota_op){.kind = kind, .arena = &simple->arena, .done = done, .owner = w};
	rota_todo_op(todo, &simple->op);
	return true;
}

static void join_done(struct rota_op *op)
{
	struct rota_worker *w = op->owner;
	struct rota_todo todo = {0};
	enum rota_status status = op->err.status;
	pthread_mutex_lock(&w->lock);
	w->join.busy = false;
	if (status == ROTA_OK || status == ROTA_UNSUPPORTED) {
		w->joined = true;
		w->worker_id = status == ROTA_OK ? op->u.worker.ret_worker_id : 0;
		rota_streak_ok(w, &w->join_streak, "register");
	} else {
		if (status == ROTA_FORKED)
			w->fatal = op->err;
		rota_streak_fail(w, &w->join_streak, "register", &op->err, &todo);
	}
	rota_worker_need(w, 0, &todo);
	rota_worker_leave(w, &todo);
}

static void join(struct rota_worker *w, rota_tick now, struct rota_todo *todo)
{
	if (w->joined || w->phase != ROTA_WORKER_WORKING || w->join_streak.retry_at > now)
		return;
	if (!simple_submit(w, &w->join, ROTA_OP_WORKER, join_done, todo))
		return;
	w->join_streak.retry_at = 0;
	w->join.op.u.worker = (struct rota_op_worker){
		.action = ROTA_WORKER_JOIN, .name = w->options.name, .pid = getpid()};
}

static void beat_done(struct rota_op *op)
{
	struct rota_worker *w = op->owner;
	struct rota_todo todo = {0};
	pthread_mutex_lock(&w->lock);
	w->beat.busy = false;
	if (op->err.status == ROTA_NOT_FOUND)
		w->joined = false; /* our row was swept: join again */
	rota_worker_need(w, 0, &todo);
	rota_worker_leave(w, &todo);
}

static void beat(struct rota_worker *w, struct rota_todo *todo)
{
	struct rota_worker_counts counts;
	if (!w->worker_id || !simple_submit(w, &w->beat, ROTA_OP_WORKER, beat_done, todo))
		return;
	rota_worker_counts(w, &counts);
	int size = snprintf(w->figures, sizeof(w->figures),
		"{\"claimed\":%llu,\"completed\":%llu,\"retried\":%llu,\"snoozed\":%llu,"
		"\"released\":%llu,"
		"\"failed\":%llu,\"cancelled\":%llu,\"refused\":%llu,\"running\":%u}",
		(unsigned long long)counts.claimed, (unsigned long long)counts.completed,
		(unsigned long long)counts.retried, (unsigned long long)counts.snoozed,
		(unsigned long long)counts.released, (unsigned long long)counts.failed,
		(unsigned long long)counts.cancelled, (unsigned long long)counts.refused,
		atomic_load(&w->running));
	w->beat.op.u.worker = (struct rota_op_worker){.action = ROTA_WORKER_BEAT,
		.worker_id = w->worker_id,
		.name = w->options.name,
		.metrics = {w->figures, (size_t)size}};
}

/* ---- draining ---- */

static void open_work_done(struct rota_op *op)
{
	struct rota_worker *w = op->owner;
	struct rota_todo todo = {0};
	pthread_mutex_lock(&w->lock);
	w->open_work.busy = false;
	w->drained = op->err.status == ROTA_OK && !op->u.open_work.ret_open;
	w->drain_at = w->drained ? ROTA_TICK_NEVER
				 : rota_tick_add(w->world->now(w->world), w->drain_wait);
	w->drain_wait = ROTA_MIN(2 * w->drain_wait, DRAIN_WAIT_MAX);
	rota_worker_need(w, w->drained ? 0 : w->drain_at, &todo);
	rota_worker_leave(w, &todo);
}

static bool idle(const struct rota_worker *w)
{
	return w->in_hand == 0 && rota_verdicts_idle(w);
}

static void drain(struct rota_worker *w, rota_tick now, struct rota_todo *todo)
{
	if (!w->options.drain || w->phase != ROTA_WORKER_WORKING || !w->joined)
		return;
	if (!idle(w)) {
		w->drain_at = now; /* looked at as soon as it is */
		w->drain_wait = DRAIN_WAIT_MIN;
		return;
	}
	if (now < w->drain_at ||
		!simple_submit(w, &w->open_work, ROTA_OP_OPEN_WORK, open_work_done, todo))
		return;
	w->open_work.op.u.open_work = (struct rota_op_open_work){.types = w->type_names,
		.type_count = w->type_count,
		.queues = w->options.queues,
		.queue_count = w->options.queue_count};
}

/* ---- the way to the end ---- */

static void release_buffered(struct rota_worker *w, struct rota_todo *todo)
{
	struct rota_attempt *next;
	for (struct rota_attempt *attempt = w->hand; attempt; attempt = next) {
		next = attempt->next;
		(void)rota_attempt_drop(attempt, false, todo);
	}
}

static void begin_stop(struct rota_worker *w, rota_tick now, struct rota_todo *todo)
{
	rota_report(w, ROTA_LOG_INFO, NULL, 0, "%s", w->drained ? "drained" : "stopping");
	w->phase = ROTA_WORKER_STOPPING;
	w->give_up_at = rota_tick_add(now, w->options.stop_grace);
	if (w->claiming)
		todo->recall = &w->claiming->op;
	release_buffered(w, todo);
}

static rota_tick patience(const struct rota_worker *w, rota_tick now, rota_duration length)
{
	return rota_tick_add(now, atomic_load(&w->stops) > 1 ? ROTA_ABORT_WAIT : length);
}

static void begin_abort(struct rota_worker *w, rota_tick now, struct rota_todo *todo)
{
	w->phase = ROTA_WORKER_ABORTING;
	w->give_up_at = patience(w, now, ROTA_MAX(w->options.stop_grace, ROTA_ABORT_WAIT));
	for (struct rota_attempt *next, *attempt = w->hand; attempt; attempt = next) {
		next = attempt->next;
		rota_attempt_stop(attempt, ROTA_STOP_SHUTDOWN, false, todo);
	}
}

static void begin_flush(struct rota_worker *w, rota_tick now)
{
	if (w->in_hand)
		rota_report(w, ROTA_LOG_ERROR, NULL, 0,
			"%zu handlers do not end; their leases end with this worker", w->in_hand);
	w->gave_up = w->in_hand > 0;
	w->phase = ROTA_WORKER_FLUSHING;
	w->give_up_at = patience(w, now, ROTA_MAX(w->options.stop_grace, ROTA_ABORT_WAIT));
}

static void leave_done(struct rota_op *op)
{
	struct rota_worker *w = op->owner;
	struct rota_todo todo = {0};
	pthread_mutex_lock(&w->lock);
	w->leave.busy = false;
	w->worker_id = 0;
	rota_worker_need(w, 0, &todo);
	rota_worker_leave(w, &todo);
}

static void begin_leave(struct rota_worker *w, struct rota_todo *todo)
{
	if (!rota_verdicts_idle(w))
		rota_report(w, ROTA_LOG_ERROR, NULL, 0,
			"%zu outcomes could not be stored; their tasks will run again",
			w->open_verdicts);
	w->phase = ROTA_WORKER_LEAVING;
	if (!w->worker_id || !simple_submit(w, &w->leave, ROTA_OP_WORKER, leave_done, todo))
		return;
	w->leave.op.u.worker = (struct rota_op_worker){
		.action = ROTA_WORKER_LEAVE, .name = w->options.name, .worker_id = w->worker_id};
}

/* The ops in flight are in our memory. */
static bool store_has_ops(const struct rota_worker *w)
{
	return w->claiming || w->renewing.busy || w->starting.busy || w->join.busy ||
	       w->beat.busy || w->open_work.busy || w->leave.busy || w->looks_open ||
	       (w->finish_busy && !w->finish_waiting);
}

static bool wants_stop(const struct rota_worker *w)
{
	return atomic_load(&w->stops) || w->drained || w->fatal.status;
}

/* As many phases at once as there is nothing to wait for. */
static void advance(struct rota_worker *w, rota_tick now, struct rota_todo *todo)
{
	uint32_t stops = atomic_load(&w->stops);
	if (stops > 1 && w->phase > ROTA_WORKER_STOPPING)
		w->give_up_at = ROTA_MIN(w->give_up_at, rota_tick_add(now, ROTA_ABORT_WAIT));
	if (w->phase == ROTA_WORKER_WORKING && wants_stop(w))
		begin_stop(w, now, todo);
	if (w->phase == ROTA_WORKER_STOPPING && w->in_hand && (stops > 1 || now >= w->give_up_at))
		begin_abort(w, now, todo);
	bool stopping = w->phase == ROTA_WORKER_STOPPING || w->phase == ROTA_WORKER_ABORTING;
	bool tired = w->phase == ROTA_WORKER_ABORTING && now >= w->give_up_at;
	if (stopping && !w->claiming && (w->in_hand == 0 || tired))
		begin_flush(w, now);
	rota_verdicts_send(w, todo);
	if (w->phase == ROTA_WORKER_FLUSHING && (rota_verdicts_idle(w) || now >= w->give_up_at))
		begin_leave(w, todo);
	if (w->phase == ROTA_WORKER_LEAVING && !store_has_ops(w))
		w->phase = ROTA_WORKER_OVER;
}

/* ---- the step ---- */

static void retries(struct rota_worker *w, rota_tick now, struct rota_todo *todo)
{
	if (w->claim_streak.retry_at && w->claim_streak.retry_at <= now)
		w->claim_streak.retry_at = 0;
	rota_claims_consider(w, todo);
	rota_verdicts_resend(w, now, todo);
	rota_starts_send(w, now, todo);
}

static rota_tick sooner(rota_tick next, rota_tick at)
{
	return at ? ROTA_MIN(next, at) : next;
}

static rota_tick next_of(const struct rota_worker *w)
{
	rota_tick next = ROTA_MIN(rota_timers_next(w), w->lease_look);
	if (!w->looks_open && w->phase < ROTA_WORKER_FLUSHING)
		next = ROTA_MIN(next, w->look_at);
	if (!w->renewing.busy)
		next = ROTA_MIN(next, ROTA_MIN(w->renew_at, w->notes_at));
	if (w->phase > ROTA_WORKER_WORKING)
		next = ROTA_MIN(next, w->give_up_at);
	else if (w->options.drain && idle(w) && !w->open_work.busy)
		next = sooner(next, w->drain_at);
	if (w->phase == ROTA_WORKER_WORKING)
		next = sooner(sooner(next, w->claim_streak.retry_at), w->join_streak.retry_at);
	if (w->to_start_count && !w->starting.busy)
		next = sooner(next, w->start_streak.retry_at);
	return w->finish_waiting ? sooner(next, w->finish_streak.retry_at) : next;
}

static void work(struct rota_worker *w, rota_tick now, struct rota_todo *todo)
{
	join(w, now, todo);
	rota_leases_look(w, now, todo);
	rota_timers_run(w, now, todo);
	if (now >= w->renew_at)
		beat(w, todo);
	rota_renew(w, now, todo);
	retries(w, now, todo);
	drain(w, now, todo);
}

bool rota_worker_step(struct rota_worker *w, rota_tick now, rota_tick *ret_next)
{
	struct rota_todo todo = {0};
	pthread_mutex_lock(&w->lock);
	w->sleeping_until = 0;
	if (w->phase < ROTA_WORKER_LEAVING)
		work(w, now, &todo);
	advance(w, now, &todo);
	bool over = w->phase == ROTA_WORKER_OVER;
	size_t looks = rota_cancels_due(w, now);
	rota_tick next = next_of(w);
	w->sleeping_until = next;
	todo.wake = false; /* we are awake */
	rota_worker_leave(w, &todo);
	rota_cancels_look(w, looks);
	*ret_next = rota_pool_step(w->pool) ? now : next; /* its jobs may have left much to do */
	return !over;
}
