/* verdicts.c: outcomes on their way to the store. One FINISH op is in flight, the next one gathers:
 * alone a task is finished at once, under load as many together as ended during a commit. */
#include <stdlib.h>
#include "base/error.h"
#include "base/macros.h"
#include "run/engine.h"

static void finish_done(struct rota_op *op);

static bool finishing_init(struct rota_finishing *finishing, struct rota_worker *w, size_t room)
{
	finishing->worker = w;
	finishing->room = room;
	rota_arena_init(&finishing->arena, 0);
	finishing->verdicts = calloc(room, sizeof(*finishing->verdicts));
	finishing->attempts = calloc(room, sizeof(*finishing->attempts));
	finishing->each = calloc(room, sizeof(*finishing->each));
	finishing->errors =
		calloc(room, sizeof(*finishing->errors)); /* touched by refusals alone */
	return finishing->verdicts && finishing->attempts && finishing->each && finishing->errors;
}

bool rota_verdicts_init(struct rota_worker *w)
{
	return finishing_init(&w->finishing[0], w, w->capacity) &&
	       finishing_init(&w->finishing[1], w, w->capacity);
}

void rota_verdicts_free(struct rota_worker *w)
{
	for (size_t i = 0; i < ROTA_COUNT(w->finishing); i++) {
		struct rota_finishing *finishing = &w->finishing[i];
		rota_arena_deinit(&finishing->arena);
		free(finishing->verdicts);
		free(finishing->attempts);
		free(finishing->each);
		free(finishing->errors);
	}
}

bool rota_verdicts_idle(const struct rota_worker *w)
{
	return !w->finish_busy && w->finishing[w->gathering].count == 0;
}

/* ---- sending; under the lock ---- */

void rota_verdict_add(struct rota_attempt *attempt, const struct rota_verdict *verdict)
{
	struct rota_worker *w = attempt->worker;
	struct rota_finishing *finishing = &w->finishing[w->gathering];
	ROTA_ASSERT(finishing->count < finishing->room);
	finishing->verdicts[finishing->count] = *verdict;
	finishing->attempts[finishing->count] = attempt;
	finishing->count++;
	attempt->verdict_open = true;
	w->open_verdicts++;
}

static void submit(struct rota_finishing *finishing, struct rota_todo *todo)
{
	rota_arena_reset(&finishing->arena);
	finishing->op = (struct rota_op){.kind = ROTA_OP_FINISH,
		.arena = &finishing->arena,
		.done = finish_done,
		.owner = finishing};
	finishing->op.u.finish = (struct rota_op_finish){.verdicts = finishing->verdicts,
		.count = finishing->count,
		.ret_each = finishing->each,
		.ret_errors = finishing->errors};
	rota_todo_op(todo, &finishing->op);
}

void rota_verdicts_send(struct rota_worker *w, struct rota_todo *todo)
{
	struct rota_finishing *finishing = &w->finishing[w->gathering];
	if (w->finish_busy || finishing->count == 0)
		return;
	w->finish_busy = true;
	w->gathering = !w->gathering;
	submit(finishing, todo);
}

void rota_verdicts_resend(struct rota_worker *w, rota_tick now, struct rota_todo *todo)
{
	struct rota_finishing *finishing = &w->finishing[!w->gathering];
	if (!w->finish_waiting || w->finish_streak.retry_at > now)
		return;
	w->finish_waiting = false;
	if (finishing->count > 0) {
		submit(finishing, todo);
	} else { /* all of it was refused for good */
		w->finish_busy = false;
		rota_verdicts_send(w, todo);
	}
}

/* ---- answers; without the lock: nobody else has these attempts ---- */

static void count_outcome(struct rota_worker *w, enum rota_outcome outcome)
{
	_Atomic uint64_t *const counts[] = {
		&w->completed, &w->retried, &w->snoozed, &w->released, &w->failed, &w->cancelled};
	atomic_fetch_add_explicit(counts[outcome], 1, memory_order_relaxed);
}

/* The lease is not ours any more, or the task is over: nothing that we say counts. */
static bool is_fence(enum rota_status status)
{
	return status == ROTA_STALE_LEASE || status == ROTA_COMPLETED || status == ROTA_FAILED ||
	       status == ROTA_CANCELLED;
}

/* What the attempt said cannot be stored: it becomes a retry that says why. */
static void make_plain(struct rota_attempt *attempt, struct rota_verdict *verdict, const char *why)
{
	(void)rota_job_retry(&attempt->job, "%s", why);
	*verdict = (struct rota_verdict){.size = sizeof(*verdict),
		.id = verdict->id,
		.token = verdict->token,
		.outcome = ROTA_OUTCOME_RETRY,
		.error = attempt->job.text};
	attempt->plain_retry = true;
	rota_report(attempt->worker, ROTA_LOG_WARN, attempt->claimed, 0,
		"its outcome was refused, it will be retried: %s", why);
}

/* False: the attempt has to say something else. */
static bool settle(struct rota_finishing *finishing, size_t i)
{
	struct rota_worker *w = finishing->worker;
	struct rota_attempt *attempt = finishing->attempts[i];
	struct rota_verdict *verdict = &finishing->verdicts[i];
	enum rota_status status = finishing->each[i];
	if (status == ROTA_OK || (status == ROTA_NOT_FOUND && finishing->uncertain)) {
		count_outcome(w, verdict->outcome);
		return true;
	}
	if (verdict->follow_up_count && !is_fence(status)) {
		const char *why = finishing->errors[i].message;
		make_plain(attempt, verdict, *why ? why : rota_status_name(status));
		return false;
	}
	atomic_fetch_add_explicit(&w->refused, 1, memory_order_relaxed);
	rota_report(w, ROTA_LOG_WARN, attempt->claimed, 0, "its outcome (%s) was refused: %s",
		rota_outcome_name(verdict->outcome), rota_status_name(status));
	return true;
}

/* Whoever is settled is cleaned and chained; the others move to the front. */
static struct rota_attempt *settle_all(struct rota_finishing *finishing, size_t *ret_kept)
{
	struct rota_attempt *settled = NULL;
	size_t kept = 0;
	for (size_t i = 0; i < finishing->count; i++) {
		struct rota_attempt *attempt = finishing->attempts[i];
		if (settle(finishing, i)) {
			rota_attempt_clean(attempt);
			attempt->next = settled;
			settled = attempt;
			continue;
		}
		finishing->attempts[kept] = attempt;
		finishing->verdicts[kept++] = finishing->verdicts[i];
	}
	*ret_kept = kept;
	return settled;
}

/* ---- answers; under the lock ---- */

static void shelve_all(struct rota_worker *w, struct rota_attempt *attempt)
{
	while (attempt) {
		struct rota_attempt *next = attempt->next;
		attempt->verdict_open = false;
		w->open_verdicts--;
		rota_attempt_shelve(attempt);
		attempt = next;
	}
}

static void finished(struct rota_finishing *finishing, struct rota_attempt *settled, size_t kept,
	struct rota_todo *todo)
{
	struct rota_worker *w = finishing->worker;
	rota_streak_ok(w, &w->finish_streak, "finish");
	shelve_all(w, settled);
	w->open_verdicts -= kept;
	for (size_t i = 0; i < kept; i++)
		rota_verdict_add(finishing->attempts[i], &finishing->verdicts[i]);
	finishing->count = 0;
	finishing->uncertain = false;
	w->finish_busy = false;
	rota_verdicts_send(w, todo);
	rota_claims_consider(w, todo);
	bool idle = w->in_hand == 0 && !w->finish_busy;
	if (idle && (w->options.drain || w->phase != ROTA_WORKER_WORKING))
		rota_worker_need(w, 0, todo);
}

/* The whole op is refused for what one verdict says: that one becomes a plain retry; one that is
 * plain already is given up. It must not hold up the others. */
static void mend(struct rota_finishing *finishing)
{
	struct rota_worker *w = finishing->worker;
	const struct rota_error *err = &finishing->op.err;
	struct rota_attempt *lost = NULL;
	size_t kept = 0;
	for (size_t i = 0; i < finishing->count; i++) {
		struct rota_attempt *attempt = finishing->attempts[i];
		bool meant = err->item == 0 || err->item == i + 1;
		if (meant && attempt->plain_retry) {
			rota_report(w, ROTA_LOG_ERROR, attempt->claimed, 0,
				"its outcome cannot be stored: %s", err->message);
			rota_attempt_clean(attempt);
			attempt->next = lost;
			lost = attempt;
			continue;
		}
		if (meant)
			make_plain(attempt, &finishing->verdicts[i], err->message);
		finishing->attempts[kept] = attempt;
		finishing->verdicts[kept++] = finishing->verdicts[i];
	}
	finishing->count = kept;
	shelve_all(w, lost);
}

static void not_finished(struct rota_finishing *finishing, struct rota_todo *todo)
{
	struct rota_worker *w = finishing->worker;
	enum rota_status status = finishing->op.err.status;
	finishing->uncertain |= status == ROTA_UNCERTAIN;
	if (status == ROTA_INVALID || status == ROTA_LIMIT)
		mend(finishing);
	w->finish_waiting = true;
	rota_streak_fail(w, &w->finish_streak, "finish", &finishing->op.err, todo);
}

static void finish_done(struct rota_op *op)
{
	struct rota_finishing *finishing = op->owner;
	struct rota_worker *w = finishing->worker;
	struct rota_todo todo = {0};
	struct rota_attempt *settled = NULL;
	size_t kept = 0;
	bool ok = op->err.status == ROTA_OK;
	if (ok)
		settled = settle_all(finishing, &kept);
	pthread_mutex_lock(&w->lock);
	if (ok)
		finished(finishing, settled, kept, &todo);
	else
		not_finished(finishing, &todo);
	rota_worker_leave(w, &todo);
}
