#include <stdlib.h>
#include <string.h>
#include "store/internal.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/macros.h"
#include "core/check.h"

#define OP_NAME(name, flags) #name,
#define OP_FLAGS(name, flags) (flags),
const char *const rota_op_names[ROTA_OP_COUNT] = { ROTA_OPS(OP_NAME) };
const uint32_t rota_op_flags[ROTA_OP_COUNT] = { ROTA_OPS(OP_FLAGS) };

/* Counts the forks between the process that opened a store and this one. */
static _Atomic uint32_t fork_generation;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void forked(void)
{
	atomic_fetch_add(&fork_generation, 1);
}

static void fork_watch(void)
{
	(void)pthread_atfork(NULL, NULL, forked);
}

enum rota_status rota_store_usable(const struct rota_store *store, struct rota_error *err)
{
	if (!store)
		return rota_err(err, ROTA_INVALID, "the store is NULL");
	if (store->fork_generation != atomic_load_explicit(&fork_generation, memory_order_relaxed))
		return rota_err(err, ROTA_FORKED,
			"this store was opened before fork(); open it again in the child");
	return ROTA_OK;
}

bool rota_store_supports(const struct rota_store *store, enum rota_op_kind kind, struct rota_error *err)
{
	if (kind < ROTA_OP_COUNT && store->vt->run[kind])
		return true;
	(void)rota_err(err, ROTA_UNSUPPORTED, "the %s store cannot do %s", store->vt->name,
		kind < ROTA_OP_COUNT ? rota_op_names[kind] : "that");
	return false;
}

/* ---- opening ---- */

static enum rota_status options_fill(struct rota_store *store, const struct rota_store_options *options,
	struct rota_error *err)
{
	struct rota_store_options *o = &store->options;
	enum rota_status status = ROTA_OK;

	if (options)
		status = rota_struct_adopt(o, sizeof(*o), options, "rota_store_options", err);
	if (status)
		return status;
	o->size = sizeof(*o);
	if (o->name_space && *o->name_space)
		status = rota_check_name(o->name_space, "namespace", ROTA_NAME_BYTES_MAX, err);
	if (!status && o->durability > ROTA_DURABILITY_RELAXED)
		status = rota_err(err, ROTA_INVALID, "unknown durability %d", (int)o->durability);
	if (!status && o->lock_timeout)
		status = rota_check_duration(o->lock_timeout, "lock_timeout", false, err);
	if (!status && o->poll_interval)
		status = rota_check_duration(o->poll_interval, "poll_interval", false, err);
	if (status)
		return status;
	store->name_space = strdup(o->name_space ? o->name_space : "");
	if (!store->name_space)
		return rota_err_memory(err);
	o->name_space = store->name_space;
	if (o->durability == ROTA_DURABILITY_DEFAULT)
		o->durability = ROTA_DURABILITY_COMMIT;
	if (!o->in_flight_bytes_max)
		o->in_flight_bytes_max = ROTA_IN_FLIGHT_BYTES;
	if (!o->lock_timeout)
		o->lock_timeout = ROTA_DEFAULT_LOCK_TIMEOUT;
	if (!o->poll_interval)
		o->poll_interval = ROTA_DEFAULT_POLL;
	return ROTA_OK;
}

static void store_free(struct rota_store *store)
{
	if (!store)
		return;
	rota_lane_free(store->lane);
	if (store->waits)
		store->waits_free(store->waits);
	for (size_t i = 0; i < store->reader_count; i++)
		store->vt->session_close(store->readers[i]);
	if (store->backend)
		store->vt->close(store->backend);
	pthread_mutex_destroy(&store->read_lock);
	pthread_mutex_destroy(&store->watch_lock);
	pthread_mutex_destroy(&store->waits_lock);
	free(store->name_space);
	free(store);
}

static void store_freep(struct rota_store **store)
{
	store_free(*store);
}

enum rota_status rota_store_open_in(struct rota_world *world, const char *url,
	const struct rota_store_options *options, struct rota_store **ret_store, struct rota_error *err)
{
	struct rota_store *store ROTA_CLEANUP(store_freep) = calloc(1, sizeof(*store));
	const char *place = NULL;
	enum rota_status status;

	if (!store)
		return rota_err_memory(err);
	pthread_once(&fork_once, fork_watch);
	store->fork_generation = atomic_load(&fork_generation);
	store->world = world;
	pthread_mutex_init(&store->read_lock, NULL);
	pthread_mutex_init(&store->watch_lock, NULL);
	pthread_mutex_init(&store->waits_lock, NULL);
	status = rota_backend_find(url, &store->vt, &place, err);
	if (!status)
		status = options_fill(store, options, err);
	if (!status)
		status = store->vt->open(place, &store->options, world, &store->backend, err);
	if (!status)
		status = rota_lane_new(store, &store->lane, err);
	if (status)
		return status;
	*ret_store = ROTA_TAKE(store);
	return ROTA_OK;
}

enum rota_status rota_store_open(const char *url, const struct rota_store_options *options,
	struct rota_store **ret_store, struct rota_error *err)
{
	return rota_store_open_in(rota_world_real(), url, options, ret_store, err);
}

void rota_store_close(struct rota_store *store)
{
	/* After fork the parent's threads and locks are not here: leave everything to the parent. */
	if (store && rota_store_usable(store, NULL) == ROTA_OK)
		store_free(store);
}

struct rota_world *rota_store_world(struct rota_store *store)
{
	return store->world;
}

struct rota_lane *rota_store_lane(struct rota_store *store)
{
	return store->lane;
}

/* ---- reading: on the caller's thread, on a session taken from the shelf ---- */

static enum rota_status reader_take(struct rota_store *store, struct rota_session **ret, struct rota_error *err)
{
	struct rota_session *session = NULL;

	pthread_mutex_lock(&store->read_lock);
	if (store->reader_count)
		session = store->readers[--store->reader_count];
	pthread_mutex_unlock(&store->read_lock);
	if (!session)
		return store->vt->session_open(store->backend, ROTA_SESSION_READ, NULL, ret, err);
	*ret = session;
	return ROTA_OK;
}

static void reader_give(struct rota_store *store, struct rota_session *session)
{
	pthread_mutex_lock(&store->read_lock);
	if (store->reader_count < ROTA_READERS_KEPT)
		store->readers[store->reader_count++] = ROTA_TAKE(session);
	pthread_mutex_unlock(&store->read_lock);
	if (session)
		store->vt->session_close(session);
}

static enum rota_status read_on(struct rota_store *store, struct rota_session *session, struct rota_op *op)
{
	struct rota_begin begin = { .write = false, .durability = ROTA_DURABILITY_RELAXED };
	enum rota_status status = store->vt->begin(session, &begin, &op->err);

	if (status)
		return status;
	status = store->vt->run[op->kind](session, &op, 1, &op->err);
	if (status) {
		store->vt->rollback(session);
		return status;
	}
	if (op->err.status) { /* the answer: keep it whatever commit says */
		store->vt->rollback(session);
		return op->err.status;
	}
	return store->vt->commit(session, &op->err);
}

static void read_run(struct rota_store *store, struct rota_op *op)
{
	struct rota_session *session = NULL;
	enum rota_status status = reader_take(store, &session, &op->err);

	if (!status) {
		status = read_on(store, session, op);
		reader_give(store, session);
	}
	op->err.status = status;
}

/* ---- ops ---- */

static enum rota_status op_prepare(struct rota_store *store, struct rota_op *op, struct rota_error *err)
{
	enum rota_status status = rota_store_usable(store, err);

	if (status)
		return status;
	if (!rota_store_supports(store, op->kind, err))
		return ROTA_UNSUPPORTED;
	if (op->durability == ROTA_DURABILITY_DEFAULT)
		op->durability = store->options.durability;
	op->err = (struct rota_error){ .status = ROTA_OK };
	op->next = NULL;
	op->group = 0;
	op->parked = op->repeated = false;
	return ROTA_OK;
}

enum rota_status rota_store_submit(struct rota_store *store, struct rota_op *op, struct rota_error *err)
{
	enum rota_status status = op_prepare(store, op, err);

	if (status)
		return status;
	if (rota_op_flags[op->kind] & ROTA_OP_WRITE) {
		rota_lane_submit(store->lane, op);
		return ROTA_OK;
	}
	read_run(store, op);
	op->done(op);
	return ROTA_OK;
}

enum rota_status rota_store_run(struct rota_store *store, struct rota_op *op, struct rota_error *err)
{
	enum rota_status status = op_prepare(store, op, err);

	if (status)
		return status;
	if (rota_op_flags[op->kind] & ROTA_OP_WRITE)
		rota_lane_run(store->lane, op);
	else
		read_run(store, op);
	if (op->err.status && err)
		*err = op->err;
	return op->err.status;
}

void rota_store_recall(struct rota_store *store, struct rota_op *op)
{
	rota_lane_recall(store->lane, op);
}

enum rota_status rota_store_call(struct rota_store *store, struct rota_op *op, enum rota_op_kind kind,
	struct rota_arena *arena, struct rota_error *err)
{
	op->kind = kind;
	op->arena = arena;
	return rota_store_run(store, op, err);
}

enum rota_status rota_store_flush(struct rota_store *store, rota_duration timeout, struct rota_error *err)
{
	enum rota_status status = rota_store_usable(store, err);

	if (status)
		return status;
	if (!rota_lane_flush(store->lane, rota_tick_add(store->world->now(store->world), timeout)))
		return rota_err(err, ROTA_TIMED_OUT, "not everything submitted was durable in time");
	return ROTA_OK;
}

/* ---- watches ---- */

void rota_store_watch(struct rota_store *store, struct rota_watch *watch)
{
	pthread_mutex_lock(&store->watch_lock);
	watch->next = store->watches;
	store->watches = watch;
	atomic_fetch_add(&store->watch_count, 1);
	pthread_mutex_unlock(&store->watch_lock);
	if (watch->foreign)
		rota_lane_attend(store->lane);
}

void rota_store_unwatch(struct rota_store *store, struct rota_watch *watch)
{
	pthread_mutex_lock(&store->watch_lock);
	for (struct rota_watch **at = &store->watches; *at; at = &(*at)->next) {
		if (*at != watch)
			continue;
		*at = watch->next;
		atomic_fetch_sub(&store->watch_count, 1);
		break;
	}
	pthread_mutex_unlock(&store->watch_lock);
}

void rota_store_tell(struct rota_store *store, const struct rota_news *news)
{
	if (!atomic_load_explicit(&store->watch_count, memory_order_acquire))
		return;
	pthread_mutex_lock(&store->watch_lock);
	for (struct rota_watch *w = store->watches, *next; w; w = next) {
		next = w->next;
		if (!news->foreign || w->foreign)
			w->news(w, news);
	}
	pthread_mutex_unlock(&store->watch_lock);
}
