/* worker.c: a worker's public calls, the thread that steps it, and its life. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/error.h"
#include "base/limits.h"
#include "base/macros.h"
#include "core/check.h"
#include "run/engine.h"

#define HANDLERS_MAX ROTA_TYPES_MAX

/* ---- options ---- */

static enum rota_status check_options(const struct rota_worker_options *o, struct rota_error *err)
{
	enum rota_status status = ROTA_OK;
	if (o->name)
		status = rota_check_name(o->name, "worker", ROTA_NAME_BYTES_MAX, err);
	if (!status && o->queue_count > ROTA_QUEUES_MAX)
		status = rota_err(
			err, ROTA_LIMIT, "%zu queues; at most %d", o->queue_count, ROTA_QUEUES_MAX);
	if (!status && o->queue_count && !o->queues)
		status = rota_err(err, ROTA_INVALID, "queues is NULL");
	for (size_t i = 0; !status && i < o->queue_count; i++)
		status = rota_check_name(o->queues[i], "queue", ROTA_NAME_BYTES_MAX, err);
	if (!status && o->concurrency > ROTA_POOL_THREADS_MAX && !o->pool)
		status = rota_err(err, ROTA_INVALID, "concurrency %u is more than %d threads",
			o->concurrency, ROTA_POOL_THREADS_MAX);
	if (!status && (o->claim_max > ROTA_CLAIM_TASKS_MAX || o->buffer > ROTA_BUFFER_TASKS_MAX ||
			       o->concurrency > ROTA_BUFFER_TASKS_MAX))
		status = rota_err(err, ROTA_LIMIT,
			"claim_max is at most %d, buffer and concurrency %d", ROTA_CLAIM_TASKS_MAX,
			ROTA_BUFFER_TASKS_MAX);
	if (!status)
		status = rota_check_duration(o->lease, "lease", true, err);
	if (!status)
		status = rota_check_duration(o->stop_grace, "stop_grace", false, err);
	return status ? status : rota_check_duration(o->error_wait, "error_wait", false, err);
}

static char *default_name(struct rota_arena *memory)
{
	char host[65] = "localhost", name[96];
	(void)gethostname(host, sizeof(host) - 1);
	host[sizeof(host) - 1] = 0;
	snprintf(name, sizeof(name), "%s:%ld", host, (long)getpid());
	return rota_arena_strdup(memory, name);
}

static uint32_t processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : (uint32_t)n;
}

static void fill_defaults(struct rota_worker_options *o)
{
	if (!o->concurrency)
		o->concurrency = o->pool ? rota_pool_threads(o->pool) : processors();
	if (!o->claim_max)
		o->claim_max = ROTA_DEFAULT_CLAIM_MAX;
	if (!o->lease)
		o->lease = ROTA_DEFAULT_WORKER_LEASE;
	if (!o->stop_grace)
		o->stop_grace = ROTA_DEFAULT_STOP_GRACE;
	if (!o->error_wait)
		o->error_wait = ROTA_DEFAULT_ERROR_WAIT;
}

/* Names become the worker's own. */
static bool own_texts(struct rota_worker *w)
{
	struct rota_worker_options *o = &w->options;
	o->name = o->name ? rota_arena_strdup(&w->memory, o->name) : default_name(&w->memory);
	const char **queues = rota_arena_array(&w->memory, o->queue_count, sizeof(*queues));
	for (size_t i = 0; queues && i < o->queue_count; i++) {
		queues[i] = rota_arena_strdup(&w->memory, o->queues[i]);
		if (!queues[i])
			return false;
	}
	o->queues = queues;
	return o->name && queues;
}

/* ---- life ---- */

static void worker_init(struct rota_worker *w, struct rota_store *store)
{
	w->store = store;
	w->world = rota_store_world(store);
	rota_arena_init(&w->memory, 0);
	pthread_mutex_init(&w->lock, NULL);
	w->held_last = &w->held;
	w->handler_us = -1;
	w->watch = (struct rota_watch){.news = rota_cancels_news, .foreign = true};
	w->look_at = ROTA_TICK_NEVER;
	struct rota_simple_op *simple[] = {&w->join, &w->beat, &w->leave, &w->open_work};
	for (size_t i = 0; i < ROTA_COUNT(simple); i++)
		rota_arena_init(&simple[i]->arena, 0);
}

static void worker_destroy(struct rota_worker *w)
{
	struct rota_simple_op *simple[] = {&w->join, &w->beat, &w->leave, &w->open_work};
	for (size_t i = 0; i < ROTA_COUNT(simple); i++)
		rota_arena_deinit(&simple[i]->arena);
	rota_attempts_free(w);
	rota_claims_free_all(w);
	rota_verdicts_free(w);
	rota_renewer_free(w);
	rota_cancels_free(w);
	free(w->timers);
	free(w->handlers);
	free(w->type_names);
	rota_names_free(&w->types);
	rota_arena_deinit(&w->memory);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static void worker_destroyp(struct rota_worker **w)
{
	if (*w)
		worker_destroy(*w);
}

/* All that is as large as what can be in hand. */
static bool reserve(struct rota_worker *w)
{
	const struct rota_worker_options *o = &w->options;
	size_t ahead = ROTA_MAX(4 * (size_t)o->claim_max, 2 * (size_t)o->buffer);
	w->capacity = o->concurrency + ahead;
	w->timers = calloc(w->capacity, sizeof(struct rota_attempt *));
	return w->timers && rota_verdicts_init(w) && rota_renewer_init(w) && rota_cancels_init(w);
}

static enum rota_status own_pool(struct rota_worker *w, struct rota_error *err)
{
	struct rota_pool_options options = ROTA_INIT(rota_pool_options);
	options.threads = w->options.concurrency;
	w->own_pool = true;
	enum rota_status status = rota_pool_new_in(w->world, &options, &w->pool, err);
	if (!status && w->world->threads) /* perhaps fewer were to be had */
		w->options.concurrency = rota_pool_threads(w->pool);
	return status;
}

enum rota_status rota_worker_new(struct rota_store *store,
	const struct rota_worker_options *options, struct rota_worker **ret_worker,
	struct rota_error *err)
{
	if (!store || !ret_worker)
		return rota_err(err, ROTA_INVALID, "%s is NULL", store ? "ret_worker" : "store");
	struct rota_worker *w ROTA_CLEANUP(worker_destroyp) = calloc(1, sizeof(*w));
	if (!w)
		return rota_err_memory(err);
	worker_init(w, store);
	enum rota_status status = ROTA_OK;
	if (options)
		status = rota_struct_adopt(
			&w->options, sizeof(w->options), options, "rota_worker_options", err);
	if (status)
		return status;
	fill_defaults(&w->options);
	status = check_options(&w->options, err);
	if (status)
		return status;
	w->renew_every =
		(w->options.lease == ROTA_FOREVER ? ROTA_DEFAULT_WORKER_LEASE : w->options.lease) /
		3;
	w->renew_every = ROTA_MAX(w->renew_every, 1);
	if (!own_texts(w) || !reserve(w))
		return rota_err_memory(err);
	w->pool = w->options.pool;
	if (!w->pool)
		status = own_pool(w, err);
	if (status)
		return status;
	*ret_worker = ROTA_TAKE(w);
	return ROTA_OK;
}

/* ---- handlers ---- */

static enum rota_status handler_add(
	struct rota_worker *w, const struct rota_handler *handler, struct rota_error *err)
{
	struct rota_handler *more = realloc(w->handlers, (w->handler_count + 1) * sizeof(*more));
	if (!more)
		return rota_err_memory(err);
	w->handlers = more;
	w->handlers[w->handler_count] = *handler;
	if (handler->type && !rota_names_put(&w->types, handler->type, (int64_t)w->handler_count))
		return rota_err_memory(err);
	w->handler_count++;
	return ROTA_OK;
}

static bool handled(const struct rota_worker *w, const char *type)
{
	int64_t at;
	if (type)
		return rota_names_get(w->types, type, &at);
	for (size_t i = 0; i < w->handler_count; i++) {
		if (!w->handlers[i].type)
			return true;
	}
	return false;
}

enum rota_status rota_worker_handle(struct rota_worker *w, const char *type, rota_handler_fn *run,
	void *arg, struct rota_error *err)
{
	enum rota_status status = ROTA_OK;
	if (!w || !run)
		return rota_err(err, ROTA_INVALID, "%s is NULL", w ? "handler" : "worker");
	if (w->phase != ROTA_WORKER_NEW)
		return rota_err(err, ROTA_INVALID, "handlers are named before rota_worker_run");
	if (w->handler_count >= HANDLERS_MAX)
		return rota_err(err, ROTA_LIMIT, "a worker has at most %d handlers", HANDLERS_MAX);
	if (type)
		status = rota_check_name(type, "type", ROTA_NAME_BYTES_MAX, err);
	if (status)
		return status;
	if (handled(w, type))
		return rota_err(err, ROTA_EXISTS, "there is a handler for %s already",
			type ? type : "all others");
	struct rota_handler handler = {.run = run, .arg = arg};
	handler.type = rota_arena_strdup(&w->memory, type);
	if (type && !handler.type)
		return rota_err_memory(err);
	return handler_add(w, &handler, err);
}

/* What claims name: every type, or none when there is a handler for all others. */
static enum rota_status name_types(struct rota_worker *w, struct rota_error *err)
{
	if (w->handler_count == 0)
		return rota_err(
			err, ROTA_INVALID, "the worker has no handler; see rota_worker_handle");
	w->type_names = calloc(w->handler_count, sizeof(*w->type_names));
	if (!w->type_names)
		return rota_err_memory(err);
	for (size_t i = 0; i < w->handler_count; i++) {
		if (w->handlers[i].type)
			w->type_names[w->type_count++] = w->handlers[i].type;
		else
			w->any_handler = &w->handlers[i];
	}
	if (w->any_handler)
		w->type_count = 0;
	return ROTA_OK;
}

/* ---- running ---- */

static void begin(struct rota_worker *w)
{
	rota_tick now = w->world->now(w->world);
	pthread_mutex_lock(&w->lock);
	w->phase = ROTA_WORKER_WORKING;
	w->renew_at = rota_tick_add(now, w->renew_every);
	w->notes_at = w->lease_look = ROTA_TICK_NEVER;
	w->notes_sent_at = now - ROTA_PROGRESS_EVERY;
	w->drain_at = now;
	pthread_mutex_unlock(&w->lock);
	rota_store_watch(w->store, &w->watch);
	rota_report(w, ROTA_LOG_INFO, NULL, 0, "working as %s", w->options.name);
}

enum rota_status rota_worker_begin(struct rota_worker *w, struct rota_error *err)
{
	if (!w)
		return rota_err(err, ROTA_INVALID, "worker is NULL");
	if (w->phase != ROTA_WORKER_NEW)
		return rota_err(err, ROTA_INVALID, "a worker runs once; make another one");
	enum rota_status status = name_types(w, err);
	if (!status)
		begin(w);
	return status;
}

enum rota_status rota_worker_end(struct rota_worker *w, struct rota_error *err)
{
	rota_store_unwatch(w->store, &w->watch);
	rota_report(w, ROTA_LOG_INFO, NULL, 0, "stopped");
	if (w->fatal.status && err)
		*err = w->fatal;
	return w->fatal.status;
}

/* Without threads we are the lane's thread too. */
static rota_tick step_lane(struct rota_worker *w)
{
	rota_tick next = ROTA_TICK_NEVER;
	if (!w->world->threads)
		rota_lane_step(rota_store_lane(w->store), w->world->now(w->world), &next);
	return next;
}

enum rota_status rota_worker_run(struct rota_worker *w, struct rota_error *err)
{
	enum rota_status status = rota_worker_begin(w, err);
	if (status)
		return status;
	for (;;) {
		uint32_t seen = atomic_load(&w->word);
		rota_tick next;
		if (!rota_worker_step(w, w->world->now(w->world), &next))
			break;
		rota_tick lane = step_lane(w);
		next = ROTA_MIN(next, lane);
		if (next > w->world->now(w->world))
			w->world->park(w->world, (uint32_t *)&w->word, seen, next);
	}
	return rota_worker_end(w, err);
}

void rota_worker_stop(struct rota_worker *w)
{
	atomic_fetch_add(&w->stops, 1);
	atomic_fetch_add(&w->word, 1);
	w->world->wake(w->world, (uint32_t *)&w->word, 1);
}

void rota_worker_counts(const struct rota_worker *w, struct rota_worker_counts *ret)
{
	*ret = (struct rota_worker_counts){
		.claimed = atomic_load(&w->claimed),
		.completed = atomic_load(&w->completed),
		.retried = atomic_load(&w->retried),
		.snoozed = atomic_load(&w->snoozed),
		.released = atomic_load(&w->released),
		.failed = atomic_load(&w->failed),
		.cancelled = atomic_load(&w->cancelled),
		.refused = atomic_load(&w->refused),
	};
}

/* A borrowed pool may still have to let go of tasks that were given back before they ran. */
static bool pool_needs_us(struct rota_worker *w)
{
	struct rota_todo todo = {0};
	pthread_mutex_lock(&w->lock);
	while (w->held) {
		struct rota_job *job = w->held;
		w->held = job->next;
		rota_todo_job(&todo, job);
	}
	w->held_last = &w->held;
	bool needs = w->dropped > 0;
	rota_worker_leave(w, &todo);
	return needs;
}

void rota_worker_free(struct rota_worker *w)
{
	if (!w)
		return;
	if (w->gave_up && w->in_hand > 0)
		return; /* handlers that never end keep what they run on */
	for (;;) {
		uint32_t seen = atomic_load(&w->word);
		if (!pool_needs_us(w))
			break;
		if (!rota_pool_step(w->pool))
			w->world->park(w->world, (uint32_t *)&w->word, seen, ROTA_TICK_NEVER);
	}
	if (w->own_pool)
		rota_pool_free(w->pool);
	while (atomic_load(&w->leaving))
		sched_yield();
	worker_destroy(w);
}
