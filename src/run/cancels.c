/* cancels.c: who has cancelled what. Commits of this process name the tasks. Of another process' it
 * is only known that there was one: then the tasks that run are read, once a second at most, so
 * that `rota cancel` in a shell does not have to wait for the next heartbeat. */
#include <stdlib.h>
#include "base/macros.h"
#include "run/engine.h"

/* A GET op about one running task. */
struct rota_look {
	struct rota_op op;
	struct rota_arena arena;
	struct rota_worker *worker;
	struct rota_extended who;
};

bool rota_cancels_init(struct rota_worker *w)
{
	w->looks = calloc(ROTA_LOOKS_MAX, sizeof(*w->looks));
	return w->looks;
}

void rota_cancels_free(struct rota_worker *w)
{
	for (size_t i = 0; w->looks && i < ROTA_LOOKS_MAX; i++)
		rota_arena_deinit(&w->looks[i].arena);
	free(w->looks);
}

/* ---- this process ---- */

static bool named(const struct rota_news *news, rota_id id)
{
	for (size_t i = 0; i < news->cancel_count; i++) {
		if (news->cancels[i] == id)
			return true;
	}
	return false;
}

static void stop_named(struct rota_worker *w, const struct rota_news *news, struct rota_todo *todo)
{
	struct rota_attempt *next;
	for (struct rota_attempt *attempt = w->hand; attempt; attempt = next) {
		next = attempt->next;
		if (named(news, attempt->claimed->id))
			rota_attempt_stop(attempt, ROTA_STOP_CANCELLED, false, todo);
	}
}

static bool concerns(const struct rota_worker *w, const struct rota_news *news)
{
	return news->cancel_count || news->overflow || news->foreign || w->options.drain;
}

/* Must not call the store: what is decided here is carried out by the engine's thread. */
void rota_cancels_news(struct rota_watch *watch, const struct rota_news *news)
{
	struct rota_worker *w = ROTA_CONTAINER(watch, struct rota_worker, watch);
	struct rota_todo todo = {0};
	if (!concerns(w, news))
		return;
	pthread_mutex_lock(&w->lock);
	if (news->cancel_count)
		stop_named(w, news, &todo);
	if ((news->overflow || news->foreign) && atomic_load(&w->running)) {
		w->look_at = rota_tick_add(w->looked_at, ROTA_LOOK_EVERY);
		rota_worker_need(w, w->look_at, &todo);
	}
	if (w->options.drain && w->in_hand == 0) {
		w->drain_at = ROTA_MIN(w->drain_at, w->world->now(w->world));
		rota_worker_need(w, 0, &todo);
	}
	ROTA_ASSERT(!todo.op_count && !todo.job_count);
	rota_worker_leave(w, &todo);
}

/* ---- others ---- */

static void look_done(struct rota_op *op)
{
	struct rota_look *look = op->owner;
	struct rota_worker *w = look->worker;
	struct rota_todo todo = {0};
	pthread_mutex_lock(&w->lock);
	w->looks_open--;
	const struct rota_task_info *info = op->err.status == ROTA_OK ? op->u.get.ret_info : NULL;
	if (info && info->cancel_requested && rota_extended_in_hand(&look->who) &&
		info->token == look->who.attempt->claimed->token)
		rota_attempt_stop(look->who.attempt, ROTA_STOP_CANCELLED, false, &todo);
	if (w->looks_open == 0) /* nothing else counts the time while they are open */
		rota_worker_need(w, w->phase == ROTA_WORKER_WORKING ? w->look_at : 0, &todo);
	rota_worker_leave(w, &todo);
}

static void prepare(struct rota_worker *w, struct rota_look *look, struct rota_attempt *attempt)
{
	rota_arena_reset(&look->arena);
	look->worker = w;
	look->who = (struct rota_extended){attempt, attempt->serial};
	look->op = (struct rota_op){
		.kind = ROTA_OP_GET, .arena = &look->arena, .done = look_done, .owner = look};
	look->op.u.get.id = attempt->claimed->id;
}

size_t rota_cancels_due(struct rota_worker *w, rota_tick now)
{
	size_t count = 0;
	if (now < w->look_at || w->looks_open || w->phase >= ROTA_WORKER_FLUSHING)
		return 0;
	w->look_at = ROTA_TICK_NEVER;
	w->looked_at = now;
	for (struct rota_attempt *attempt = w->hand; attempt && count < ROTA_LOOKS_MAX;
		attempt = attempt->next) {
		if (atomic_load(&attempt->state) == ROTA_ATTEMPT_RUNNING &&
			!rota_job_cancelled(&attempt->job))
			prepare(w, &w->looks[count++], attempt);
	}
	w->looks_open = count;
	return count;
}

void rota_cancels_look(struct rota_worker *w, size_t count)
{
	struct rota_error err;
	for (size_t i = 0; i < count; i++) {
		struct rota_op *op = &w->looks[i].op;
		if (rota_store_submit(w->store, op, &err) == ROTA_OK)
			continue;
		op->err = err;
		op->done(op);
	}
}
