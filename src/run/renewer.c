/* renewer.c: everything that goes to the store about tasks in hand before they end: their leases,
 * all by one timer; what their handlers say; and, for those that must not run unnoticed, their
 * start. Answers tell which were cancelled and which are not ours any more. */
#include <stdlib.h>
#include <string.h>
#include "base/macros.h"
#include "run/engine.h"

#define LEASE_MARGIN 8   /* a job is stopped an eighth of the lease before its end */
#define RENEW_RETRIES 10 /* a failed renewal is tried again at least so many times in a lease */

static bool extending_init(struct rota_extending *extending, struct rota_worker *w)
{
	extending->worker = w;
	extending->room = w->capacity;
	rota_arena_init(&extending->arena, 0);
	extending->items = calloc(extending->room, sizeof(*extending->items));
	extending->who = calloc(extending->room, sizeof(*extending->who));
	return extending->items && extending->who;
}

bool rota_renewer_init(struct rota_worker *w)
{
	w->to_start = calloc(w->capacity, sizeof(*w->to_start));
	return w->to_start && extending_init(&w->renewing, w) && extending_init(&w->starting, w);
}

void rota_renewer_free(struct rota_worker *w)
{
	struct rota_extending *both[] = {&w->renewing, &w->starting};
	for (size_t i = 0; i < ROTA_COUNT(both); i++) {
		rota_arena_deinit(&both[i]->arena);
		free(both[i]->items);
		free(both[i]->who);
	}
	free(w->to_start);
}

/* ---- filling an op ---- */

static struct rota_extension *add(struct rota_extending *extending, struct rota_attempt *attempt)
{
	ROTA_ASSERT(extending->count < extending->room);
	struct rota_extension *item = &extending->items[extending->count];
	extending->who[extending->count++] = (struct rota_extended){attempt, attempt->serial};
	*item = (struct rota_extension){
		.id = attempt->claimed->id, .token = attempt->claimed->token};
	return item;
}

/* Copied: the handler goes on saying things. */
static void take_notes(
	struct rota_extending *extending, struct rota_attempt *attempt, struct rota_extension *item)
{
	pthread_mutex_lock(&attempt->notes_lock);
	if (attempt->notes_new && attempt->has_progress) {
		struct rota_bytes progress = {attempt->progress.data, attempt->progress.size};
		(void)rota_arena_bytes(&extending->arena, progress, &item->progress);
	}
	if (attempt->notes_new && attempt->has_status)
		item->status_text = rota_arena_strdup(&extending->arena, attempt->status.data);
	attempt->notes_new = false;
	pthread_mutex_unlock(&attempt->notes_lock);
}

static bool has_notes(struct rota_attempt *attempt)
{
	pthread_mutex_lock(&attempt->notes_lock);
	bool has = attempt->notes_new;
	pthread_mutex_unlock(&attempt->notes_lock);
	return has;
}

static void begin(struct rota_extending *extending)
{
	rota_arena_reset(&extending->arena);
	extending->count = 0;
}

static void submit(struct rota_extending *extending, void (*done)(struct rota_op *), rota_tick now,
	struct rota_todo *todo)
{
	extending->busy = true;
	extending->submitted_at = now;
	extending->op = (struct rota_op){.kind = ROTA_OP_EXTEND,
		.arena = &extending->arena,
		.done = done,
		.owner = extending};
	extending->op.u.extend = (struct rota_op_extend){.items = extending->items,
		.count = extending->count,
		.lease = extending->worker->options.lease};
	rota_todo_op(todo, &extending->op);
}

/* ---- answers ---- */

bool rota_extended_in_hand(const struct rota_extended *who)
{
	uint32_t state = atomic_load(&who->attempt->state);
	return who->serial == who->attempt->serial &&
	       (state == ROTA_ATTEMPT_STARTING || state == ROTA_ATTEMPT_BUFFERED ||
		       state == ROTA_ATTEMPT_RUNNING);
}

/* False: it was stopped or dropped. */
static bool answer(const struct rota_extending *extending, size_t i, struct rota_todo *todo)
{
	struct rota_worker *w = extending->worker;
	struct rota_attempt *attempt = extending->who[i].attempt;
	const struct rota_extension *item = &extending->items[i];
	if (item->ret_status != ROTA_OK) {
		rota_report(w, ROTA_LOG_WARN, attempt->claimed, 0,
			"its lease is not ours any more: %s", rota_status_name(item->ret_status));
		rota_attempt_stop(attempt, ROTA_STOP_LEASE_LOST, true, todo);
		return false;
	}
	if (!item->keep_deadline) {
		attempt->lease_end = rota_tick_add(extending->submitted_at, w->options.lease);
		w->lease_look = ROTA_MIN(w->lease_look, rota_lease_stop_at(w, attempt));
	}
	if (item->ret_cancel_requested)
		rota_attempt_stop(attempt, ROTA_STOP_CANCELLED, false, todo);
	return !item->ret_cancel_requested;
}

/* ---- renewals ---- */

/* What the store did not hear is said again. */
static void renew_failed(struct rota_extending *extending, struct rota_todo *todo)
{
	struct rota_worker *w = extending->worker;
	for (size_t i = 0; i < extending->count; i++) {
		struct rota_attempt *attempt = extending->who[i].attempt;
		if (!rota_extended_in_hand(&extending->who[i]))
			continue;
		pthread_mutex_lock(&attempt->notes_lock);
		attempt->notes_new |= attempt->has_progress || attempt->has_status;
		pthread_mutex_unlock(&attempt->notes_lock);
	}
	rota_streak_fail(w, &w->renew_streak, "renew leases", &extending->op.err, todo);
	rota_tick soonest =
		rota_tick_add(w->world->now(w->world), w->renew_every * 3 / RENEW_RETRIES);
	w->renew_at = ROTA_MIN(w->renew_at, ROTA_MIN(soonest, w->renew_streak.retry_at));
	rota_worker_need(w, w->renew_at, todo);
}

static void renew_done(struct rota_op *op)
{
	struct rota_extending *extending = op->owner;
	struct rota_worker *w = extending->worker;
	struct rota_todo todo = {0};
	pthread_mutex_lock(&w->lock);
	extending->busy = false;
	if (op->err.status != ROTA_OK) {
		renew_failed(extending, &todo);
	} else {
		rota_streak_ok(w, &w->renew_streak, "renew leases");
		for (size_t i = 0; i < extending->count; i++) {
			if (rota_extended_in_hand(&extending->who[i]))
				(void)answer(extending, i, &todo);
		}
	}
	rota_verdicts_send(w, &todo);
	/* What came due meanwhile had to wait for this one. */
	rota_worker_need(w, ROTA_MIN(w->renew_at, w->notes_at), &todo);
	if (w->phase != ROTA_WORKER_WORKING)
		rota_worker_need(w, 0, &todo);
	rota_worker_leave(w, &todo);
}

static void renew_one(struct rota_extending *extending, struct rota_attempt *attempt)
{
	struct rota_extension *item = add(extending, attempt);
	item->started = atomic_load(&attempt->state) == ROTA_ATTEMPT_RUNNING;
	take_notes(extending, attempt, item);
}

/* Waited a third of a lease without starting: somebody else may have a free thread. */
static bool waited_too_long(
	const struct rota_worker *w, struct rota_attempt *attempt, rota_tick now)
{
	return atomic_load(&attempt->state) == ROTA_ATTEMPT_BUFFERED &&
	       now - attempt->claimed_at > 2 * w->renew_every;
}

static void renew_all(struct rota_worker *w, rota_tick now, struct rota_todo *todo)
{
	struct rota_attempt *next;
	for (struct rota_attempt *attempt = w->hand; attempt; attempt = next) {
		next = attempt->next;
		if (!waited_too_long(w, attempt, now) || !rota_attempt_drop(attempt, false, todo))
			renew_one(&w->renewing, attempt);
	}
}

static void send_notes(struct rota_worker *w)
{
	for (struct rota_attempt *attempt = w->hand; attempt; attempt = attempt->next) {
		if (!has_notes(attempt))
			continue;
		renew_one(&w->renewing, attempt);
		w->renewing.items[w->renewing.count - 1].keep_deadline = true;
	}
}

void rota_renew(struct rota_worker *w, rota_tick now, struct rota_todo *todo)
{
	bool all = now >= w->renew_at;
	if (w->renewing.busy || (!all && now < w->notes_at))
		return;
	begin(&w->renewing);
	w->notes_at = ROTA_TICK_NEVER;
	w->notes_sent_at = now;
	if (all) {
		w->renew_at = rota_tick_add(now, w->renew_every);
		renew_all(w, now, todo);
	} else {
		send_notes(w);
	}
	if (w->renewing.count)
		submit(&w->renewing, renew_done, now, todo);
}

/* ---- starts ---- */

static bool starting_still(const struct rota_extended *who)
{
	return who->serial == who->attempt->serial &&
	       atomic_load(&who->attempt->state) == ROTA_ATTEMPT_STARTING;
}

static void forget_dropped_starts(struct rota_worker *w)
{
	size_t kept = 0;
	for (size_t i = 0; i < w->to_start_count; i++) {
		if (starting_still(&w->to_start[i]))
			w->to_start[kept++] = w->to_start[i];
	}
	w->to_start_count = kept;
}

/* There is room: no more than capacity can be in hand, and each is in the list once. */
static void start_later(struct rota_worker *w, struct rota_attempt *attempt)
{
	if (w->to_start_count == w->capacity)
		forget_dropped_starts(w);
	ROTA_ASSERT(w->to_start_count < w->capacity);
	w->to_start[w->to_start_count++] = (struct rota_extended){attempt, attempt->serial};
}

static void start_answered(struct rota_extending *extending, struct rota_todo *todo)
{
	struct rota_worker *w = extending->worker;
	bool failed = extending->op.err.status != ROTA_OK;
	for (size_t i = 0; i < extending->count; i++) {
		struct rota_attempt *attempt = extending->who[i].attempt;
		if (!rota_extended_in_hand(&extending->who[i]))
			continue;
		if (failed)
			start_later(w, attempt);
		else if (answer(extending, i, todo))
			rota_attempt_go(attempt, todo);
	}
	if (failed)
		rota_streak_fail(w, &w->start_streak, "commit a start", &extending->op.err, todo);
	else
		rota_streak_ok(w, &w->start_streak, "commit a start");
}

static void start_done(struct rota_op *op)
{
	struct rota_extending *extending = op->owner;
	struct rota_worker *w = extending->worker;
	struct rota_todo todo = {0};
	pthread_mutex_lock(&w->lock);
	extending->busy = false;
	start_answered(extending, &todo);
	rota_starts_send(w, w->world->now(w->world), &todo);
	rota_verdicts_send(w, &todo);
	if (w->phase != ROTA_WORKER_WORKING)
		rota_worker_need(w, 0, &todo);
	rota_worker_leave(w, &todo);
}

void rota_starts_send(struct rota_worker *w, rota_tick now, struct rota_todo *todo)
{
	if (w->starting.busy || !w->to_start_count || w->start_streak.retry_at > now)
		return;
	begin(&w->starting);
	for (size_t i = 0; i < w->to_start_count; i++) {
		if (starting_still(&w->to_start[i]))
			add(&w->starting, w->to_start[i].attempt)->started = true;
	}
	w->to_start_count = 0;
	w->start_streak.retry_at = 0;
	if (w->starting.count)
		submit(&w->starting, start_done, now, todo);
}

void rota_start_commit(struct rota_worker *w, struct rota_attempt *attempt, struct rota_todo *todo)
{
	start_later(w, attempt);
	rota_starts_send(w, w->world->now(w->world), todo);
}

/* ---- our own clock ---- */

rota_tick rota_lease_stop_at(const struct rota_worker *w, const struct rota_attempt *attempt)
{
	if (attempt->lease_end == ROTA_TICK_NEVER)
		return ROTA_TICK_NEVER;
	return attempt->lease_end - w->options.lease / LEASE_MARGIN;
}

void rota_leases_look(struct rota_worker *w, rota_tick now, struct rota_todo *todo)
{
	struct rota_attempt *next;
	if (now < w->lease_look)
		return;
	w->lease_look = ROTA_TICK_NEVER;
	for (struct rota_attempt *attempt = w->hand; attempt; attempt = next) {
		next = attempt->next;
		if (rota_lease_stop_at(w, attempt) <= now) {
			attempt->lease_end = ROTA_TICK_NEVER; /* looked at */
			rota_attempt_stop(attempt, ROTA_STOP_LEASE_LOST, false, todo);
		} else {
			w->lease_look = ROTA_MIN(w->lease_look, rota_lease_stop_at(w, attempt));
		}
	}
}
