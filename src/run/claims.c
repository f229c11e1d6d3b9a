/* claims.c: how much may be claimed now, and what a claim brought. One CLAIM op is out while there
 * is room; it parks in the lane, so nobody polls here. What it brings goes to the pool on the
 * thread that brought it, and the next one is submitted from there. */
#include <stdlib.h>
#include "base/error.h"
#include "base/limits.h"
#include "base/macros.h"
#include "run/engine.h"

#define CLAIM_EMPTY_WAIT ROTA_MS(100) /* when the lane has no place for one more to park */

/* ---- how much ---- */

/* Tasks that so many handlers get through in `length`. */
static size_t within(const struct rota_worker *w, rota_duration length)
{
	double each = ROTA_MAX(w->handler_us, 0.1);
	double n = (double)w->options.concurrency * (double)length / each;
	return n < (double)w->capacity ? (size_t)n : w->capacity;
}

/* All threads are busy with something long: what waits behind them waits in vain. */
static bool stuck(const struct rota_worker *w, rota_tick now)
{
	return atomic_load(&w->running) >= w->options.concurrency &&
	       now - atomic_load(&w->last_start) > 2 * ROTA_BUFFER_AHEAD;
}

/* How many may wait for a free thread. */
static size_t buffer_target(const struct rota_worker *w, rota_tick now)
{
	if (w->handler_us < 0 || stuck(w, now))
		return 0;
	size_t want = w->options.buffer;
	if (!want)
		want = ROTA_MIN(within(w, ROTA_BUFFER_AHEAD), 2 * (size_t)w->options.claim_max);
	want = ROTA_MIN(want, (size_t)(ROTA_LEFT_BYTES_MAX / ROTA_MAX(w->left_bytes, 1.0)));
	return ROTA_MIN(want, within(w, w->renew_every));
}

/* 0: not now. A claim waits until half the buffer is free, so that claims stay large; when nothing
 * waits any more it goes at once. */
static size_t tasks_wanted(const struct rota_worker *w, rota_tick now)
{
	size_t target = w->options.concurrency + buffer_target(w, now);
	size_t used = w->in_hand + w->open_verdicts + w->dropped;
	if (w->in_hand >= target || used >= w->capacity)
		return 0;
	size_t room = ROTA_MIN(target - w->in_hand, w->capacity - used);
	bool waits = w->in_hand > atomic_load(&w->running);
	if (waits && room * 2 < target)
		return 0;
	return ROTA_MIN(room, (size_t)w->options.claim_max);
}

/* ---- submitting ---- */

static void claim_done(struct rota_op *op);

static struct rota_claiming *claiming_new(struct rota_worker *w)
{
	struct rota_claiming *claiming = w->claimings_free;
	if (claiming) {
		w->claimings_free = claiming->next;
		w->claimings_free_count--;
		return claiming;
	}
	claiming = calloc(1, sizeof(*claiming));
	if (!claiming)
		return NULL;
	claiming->worker = w;
	rota_arena_init(&claiming->arena, 0);
	claiming->all = w->claimings;
	claiming->all_prev = &w->claimings;
	if (claiming->all)
		claiming->all->all_prev = &claiming->all;
	w->claimings = claiming;
	return claiming;
}

static void claim_submit(struct rota_worker *w, struct rota_claiming *claiming, size_t tasks,
	rota_tick now, struct rota_todo *todo)
{
	const struct rota_worker_options *o = &w->options;
	claiming->submitted_at = now;
	claiming->op = (struct rota_op){.kind = ROTA_OP_CLAIM,
		.arena = &claiming->arena,
		.done = claim_done,
		.owner = claiming};
	claiming->op.u.claim = (struct rota_op_claim){
		.worker = o->name,
		.worker_id = w->worker_id,
		.number = ++w->claim_number,
		.types = w->type_names,
		.type_count = w->type_count,
		.queues = o->queues,
		.queue_count = o->queue_count,
		.tasks_max = tasks,
		.lease = o->lease,
		.bytes_max = w->claimed_bytes < ROTA_CLAIMED_BYTES_MAX ? ROTA_CLAIM_BYTES_MAX : 1,
		/* The lease counts from here, so that a claim must not wait for long. */
		.wait_until = o->lease == ROTA_FOREVER ? ROTA_TICK_NEVER
						       : rota_tick_add(now, w->renew_every),
	};
	w->claiming = claiming;
	rota_todo_op(todo, &claiming->op);
}

void rota_claims_consider(struct rota_worker *w, struct rota_todo *todo)
{
	if (w->phase != ROTA_WORKER_WORKING || !w->joined || w->claiming ||
		w->claim_streak.retry_at)
		return;
	rota_tick now = w->world->now(w->world);
	size_t tasks = tasks_wanted(w, now);
	if (tasks == 0)
		return;
	struct rota_claiming *claiming = NULL;
	if (rota_attempts_reserve(w, tasks))
		claiming = claiming_new(w);
	if (claiming) {
		claim_submit(w, claiming, tasks, now, todo);
		return;
	}
	struct rota_error err;
	(void)rota_err_memory(&err);
	rota_streak_fail(w, &w->claim_streak, "claim", &err, todo);
}

/* ---- memory; under the lock ---- */

static void claiming_free(struct rota_claiming *claiming)
{
	*claiming->all_prev = claiming->all;
	if (claiming->all)
		claiming->all->all_prev = claiming->all_prev;
	rota_arena_deinit(&claiming->arena);
	free(claiming);
}

static void claiming_shelve(struct rota_claiming *claiming)
{
	struct rota_worker *w = claiming->worker;
	w->claimed_bytes -= claiming->bytes;
	claiming->bytes = 0;
	/* A recall may still be on its way to one that was submitted before stopping. */
	if (w->claimings_free_count >= ROTA_CLAIMINGS_KEPT && w->phase == ROTA_WORKER_WORKING) {
		claiming_free(claiming);
		return;
	}
	rota_arena_reset(&claiming->arena);
	claiming->next = w->claimings_free;
	w->claimings_free = claiming;
	w->claimings_free_count++;
}

void rota_claiming_unref(struct rota_claiming *claiming)
{
	ROTA_ASSERT(claiming->live > 0);
	if (--claiming->live == 0)
		claiming_shelve(claiming);
}

void rota_claims_free_all(struct rota_worker *w)
{
	while (w->claimings)
		claiming_free(w->claimings);
}

/* ---- what came back; under the lock ---- */

static void brought(struct rota_worker *w, struct rota_claiming *claiming, struct rota_todo *todo)
{
	const struct rota_op_claim *claim = &claiming->op.u.claim;
	claiming->live = claim->ret_count;
	claiming->bytes = claiming->arena.used_bytes;
	w->claimed_bytes += claiming->bytes;
	atomic_fetch_add_explicit(&w->claimed, claim->ret_count, memory_order_relaxed);
	for (size_t i = 0; i < claim->ret_count; i++) {
		struct rota_attempt *attempt = rota_attempt_take(w, claiming, claim->ret_tasks[i]);
		w->lease_look = ROTA_MIN(w->lease_look, rota_lease_stop_at(w, attempt));
		atomic_store(&attempt->state, ROTA_ATTEMPT_STARTING);
		if (w->phase != ROTA_WORKER_WORKING)
			(void)rota_attempt_drop(attempt, false, todo);
		else if (claim->ret_commit_start)
			rota_start_commit(w, attempt, todo);
		else
			rota_attempt_go(attempt, todo);
	}
}

static void brought_nothing(
	struct rota_worker *w, struct rota_claiming *claiming, struct rota_todo *todo)
{
	rota_tick now = w->world->now(w->world);
	if (claiming->op.u.claim.wait_until > now && !claiming->op.recalled) {
		w->claim_streak.retry_at = rota_tick_add(now, CLAIM_EMPTY_WAIT);
		rota_worker_need(w, w->claim_streak.retry_at, todo);
	}
	claiming_shelve(claiming);
}

static bool is_fatal(enum rota_status status)
{
	return status == ROTA_INVALID || status == ROTA_FORKED || status == ROTA_UNSUPPORTED;
}

static void claim_failed(
	struct rota_worker *w, struct rota_claiming *claiming, struct rota_todo *todo)
{
	if (is_fatal(claiming->op.err.status)) {
		w->fatal = claiming->op.err;
		rota_worker_need(w, 0, todo);
	}
	rota_streak_fail(w, &w->claim_streak, "claim", &claiming->op.err, todo);
	claiming_shelve(claiming);
}

static void claim_done(struct rota_op *op)
{
	struct rota_claiming *claiming = op->owner;
	struct rota_worker *w = claiming->worker;
	struct rota_todo todo = {0};
	pthread_mutex_lock(&w->lock);
	w->claiming = NULL;
	if (op->err.status != ROTA_OK) {
		claim_failed(w, claiming, &todo);
	} else {
		rota_streak_ok(w, &w->claim_streak, "claim");
		if (op->u.claim.ret_count)
			brought(w, claiming, &todo);
		else
			brought_nothing(w, claiming, &todo);
	}
	rota_claims_consider(w, &todo);
	rota_verdicts_send(w, &todo);
	if (w->phase != ROTA_WORKER_WORKING)
		rota_worker_need(w, 0, &todo);
	rota_worker_leave(w, &todo);
}
