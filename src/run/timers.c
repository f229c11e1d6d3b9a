/* timers.c: when the attempts that run have taken too long, or moved too little: a heap, because
 * most workers have no timeouts and a few have ten thousand. */
#include "base/macros.h"
#include "run/engine.h"

static void place(struct rota_worker *w, size_t at, struct rota_attempt *attempt)
{
	w->timers[at] = attempt;
	attempt->timer_at = at + 1;
}

static void rise(struct rota_worker *w, size_t at, struct rota_attempt *attempt)
{
	while (at > 0) {
		size_t parent = (at - 1) / 2;
		if (w->timers[parent]->timer_due <= attempt->timer_due)
			break;
		place(w, at, w->timers[parent]);
		at = parent;
	}
	place(w, at, attempt);
}

static void sink(struct rota_worker *w, size_t at, struct rota_attempt *attempt)
{
	for (size_t child; (child = 2 * at + 1) < w->timer_count; at = child) {
		if (child + 1 < w->timer_count &&
			w->timers[child + 1]->timer_due < w->timers[child]->timer_due)
			child++;
		if (attempt->timer_due <= w->timers[child]->timer_due)
			break;
		place(w, at, w->timers[child]);
	}
	place(w, at, attempt);
}

static rota_tick timeout_at(const struct rota_attempt *attempt)
{
	rota_duration timeout = attempt->claimed->timeout;
	return timeout > 0 ? rota_tick_add(attempt->started_at, timeout) : ROTA_TICK_NEVER;
}

static rota_tick stall_at(const struct rota_attempt *attempt)
{
	rota_duration stall = attempt->claimed->stall;
	return stall > 0 ? rota_tick_add(atomic_load(&attempt->moved_at), stall) : ROTA_TICK_NEVER;
}

void rota_timer_arm(struct rota_worker *w, struct rota_attempt *attempt, struct rota_todo *todo)
{
	ROTA_ASSERT(!attempt->timer_at && w->timer_count < w->capacity);
	attempt->timer_due = ROTA_MIN(timeout_at(attempt), stall_at(attempt));
	rise(w, w->timer_count++, attempt);
	rota_worker_need(w, attempt->timer_due, todo);
}

void rota_timer_disarm(struct rota_worker *w, struct rota_attempt *attempt)
{
	size_t at = attempt->timer_at;
	if (!at)
		return;
	attempt->timer_at = 0;
	struct rota_attempt *last = w->timers[--w->timer_count];
	if (last == attempt)
		return;
	sink(w, at - 1, last);
	rise(w, last->timer_at - 1, last);
}

/* The first of the heap is due: stopped, or it has moved meanwhile. */
static void run_first(struct rota_worker *w, rota_tick now, struct rota_todo *todo)
{
	struct rota_attempt *attempt = w->timers[0];
	rota_timer_disarm(w, attempt);
	if (timeout_at(attempt) <= now)
		rota_attempt_stop(attempt, ROTA_STOP_TIMEOUT, false, todo);
	else if (stall_at(attempt) <= now)
		rota_attempt_stop(attempt, ROTA_STOP_STALLED, false, todo);
	else
		rota_timer_arm(w, attempt, todo);
}

void rota_timers_run(struct rota_worker *w, rota_tick now, struct rota_todo *todo)
{
	while (w->timer_count && w->timers[0]->timer_due <= now)
		run_first(w, now, todo);
}

rota_tick rota_timers_next(const struct rota_worker *w)
{
	return w->timer_count ? w->timers[0]->timer_due : ROTA_TICK_NEVER;
}
