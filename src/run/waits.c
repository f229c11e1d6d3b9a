/* waits.c: waiting for tasks to end. A store has one table, id → who waits for it, and one watch on
 * its commits, however many wait. News of this process' commits settle the ids they name; when only
 * "something was committed" is known (another process, too much news), one of those who wait reads
 * the states of all waited ids again, for everybody. */
#include <pthread.h>
#include <stdlib.h>
#include "base/error.h"
#include "base/limits.h"
#include "base/macros.h"
#include "base/map.h"
#include "core/check.h"
#include "core/state.h"
#include "store/internal.h"

#define OPEN (-2)          /* not final yet */
#define IDS_PER_READ 10000 /* per STATES op: a read must not last */
#define READ_REST 4        /* after a read, rest that many times its length */
#define READ_RETRY ROTA_MS(100)

/* One id of one wait. */
struct item {
	struct rota_wait *wait;
	struct item *next, **prev; /* others who wait for the id; prev NULL: not in the table */
	rota_id id;
	int8_t state;
};

/* The head of an id's list. */
struct waited {
	struct item *first;
};

struct waits {
	struct rota_store *store;
	struct rota_world *world;
	struct rota_watch watch;
	pthread_mutex_t lock;
	struct rota_map *ids; /* → struct waited */
	size_t wait_count;
	struct rota_wait *sleeping; /* somebody sleeps in rota_wait_for */
	bool stale;                 /* something was committed that we know nothing of */
	bool reading;               /* somebody looks */
	rota_tick read_at;          /* not before */
};

struct rota_wait {
	struct waits *waits;
	_Atomic uint32_t word;
	bool cancelled;
	uint32_t sleepers, any_sleepers; /* in rota_wait_for; those that want any */
	struct rota_wait *next, **prev;  /* waits->sleeping */
	size_t count, open;
	struct item items[];
};

/* ---- the table; under the lock ---- */

static void wake(struct rota_wait *wait)
{
	struct rota_world *world = wait->waits->world;

	atomic_fetch_add(&wait->word, 1);
	world->wake(world, (uint32_t *)&wait->word, 1);
}

static bool enlist(struct waits *waits, struct item *item)
{
	struct waited *waited = rota_map_get(waits->ids, item->id);

	if (!waited) {
		waited = calloc(1, sizeof(*waited));
		if (!waited || !rota_map_put(&waits->ids, item->id, waited)) {
			free(waited);
			return false;
		}
	}
	item->next = waited->first;
	item->prev = &waited->first;
	if (item->next)
		item->next->prev = &item->next;
	waited->first = item;
	return true;
}

static void delist(struct waits *waits, struct item *item)
{
	struct waited *waited;

	if (!item->prev)
		return;
	*item->prev = item->next;
	if (item->next)
		item->next->prev = item->prev;
	item->prev = NULL;
	waited = rota_map_get(waits->ids, item->id);
	if (waited && !waited->first)
		free(rota_map_remove(&waits->ids, item->id));
}

static void settle(struct waits *waits, rota_id id, int8_t state)
{
	struct waited *waited = rota_map_remove(&waits->ids, id);
	struct item *next;

	for (struct item *item = waited ? waited->first : NULL; item; item = next) {
		next = item->next;
		item->prev = NULL;
		item->state = state;
		item->wait->open--;
		if (!item->wait->open || item->wait->any_sleepers)
			wake(item->wait);
	}
	free(waited);
}

static void look_again(struct waits *waits)
{
	waits->stale = true;
	if (waits->sleeping && !waits->reading)
		wake(waits->sleeping);
}

static void news(struct rota_watch *watch, const struct rota_news *news)
{
	struct waits *waits = ROTA_CONTAINER(watch, struct waits, watch);

	pthread_mutex_lock(&waits->lock);
	for (size_t i = 0; i < news->ended_count; i++)
		settle(waits, news->ended[i].id, news->ended[i].state);
	if ((news->overflow || news->foreign) && rota_map_count(waits->ids))
		look_again(waits);
	pthread_mutex_unlock(&waits->lock);
}

/* ---- reading states ---- */

static bool is_final(int8_t state)
{
	return state < 0 || rota_state_final(state);
}

/* Without the lock but to settle. */
static enum rota_status read_some(
	struct waits *waits, const rota_id *ids, size_t n, struct rota_error *err)
{
	int8_t *states ROTA_AUTO_FREE = malloc(n);
	struct rota_arena arena ROTA_CLEANUP(rota_arena_deinit);
	struct rota_op op = {.u.states = {.ids = ids, .count = n, .ret_states = states}};
	enum rota_status status;

	rota_arena_init(&arena, 0);
	if (!states)
		return rota_err_memory(err);
	status = rota_store_call(waits->store, &op, ROTA_OP_STATES, &arena, err);
	if (status)
		return status;
	pthread_mutex_lock(&waits->lock);
	for (size_t i = 0; i < n; i++) {
		if (is_final(states[i]))
			settle(waits, ids[i], states[i]);
	}
	pthread_mutex_unlock(&waits->lock);
	return ROTA_OK;
}

static enum rota_status read_ids(
	struct waits *waits, const rota_id *ids, size_t n, struct rota_error *err)
{
	enum rota_status status = ROTA_OK;

	for (size_t at = 0; at < n && !status; at += IDS_PER_READ)
		status = read_some(waits, ids + at, ROTA_MIN(n - at, (size_t)IDS_PER_READ), err);
	return status;
}

struct id_list {
	rota_id *ids;
	size_t count;
};

static bool list_add(void *arg, int64_t key, void *value)
{
	struct id_list *list = arg;

	(void)value;
	list->ids[list->count++] = key;
	return true;
}

static enum rota_status read_listed(struct waits *waits, struct rota_error *err)
{
	struct id_list list = {.ids = calloc(rota_map_count(waits->ids) + 1, sizeof(rota_id))};
	enum rota_status status;

	if (!list.ids)
		return rota_err_memory(err);
	rota_map_each(waits->ids, list_add, &list);
	pthread_mutex_unlock(&waits->lock);
	status = read_ids(waits, list.ids, list.count, err);
	free(list.ids);
	pthread_mutex_lock(&waits->lock);
	return status;
}

/* Everybody's, once. Called and returns with the lock. OK unless it makes no sense to try again. */
static enum rota_status read_all(struct waits *waits, struct rota_error *err)
{
	rota_tick began = waits->world->now(waits->world), now;
	enum rota_status status;

	waits->stale = false;
	waits->reading = true;
	status = read_listed(waits, err);
	waits->reading = false;
	now = waits->world->now(waits->world);
	waits->read_at = rota_tick_add(now, READ_REST * (now - began));
	if (status == ROTA_OK)
		return ROTA_OK;
	waits->stale = true;
	waits->read_at = rota_tick_add(now, READ_RETRY);
	return rota_status_retryable(status) ? ROTA_OK : status;
}

/* ---- the store's table ---- */

static void waits_free(void *arg)
{
	struct waits *waits = arg;

	pthread_mutex_destroy(&waits->lock);
	rota_map_free(&waits->ids);
	free(waits);
}

static struct waits *waits_new(struct rota_store *store)
{
	struct waits *waits = calloc(1, sizeof(*waits));

	if (!waits)
		return NULL;
	waits->store = store;
	waits->world = rota_store_world(store);
	waits->watch = (struct rota_watch){.news = news, .foreign = true};
	pthread_mutex_init(&waits->lock, NULL);
	return waits;
}

/* One more wait: the first one brings the watch. */
static struct waits *waits_enter(struct rota_store *store)
{
	struct waits *waits;

	pthread_mutex_lock(&store->waits_lock);
	if (!store->waits) {
		store->waits = waits_new(store);
		store->waits_free = waits_free;
	}
	waits = store->waits;
	if (waits && waits->wait_count++ == 0)
		rota_store_watch(store, &waits->watch);
	pthread_mutex_unlock(&store->waits_lock);
	return waits;
}

static void waits_leave(struct waits *waits)
{
	struct rota_store *store = waits->store;

	pthread_mutex_lock(&store->waits_lock);
	if (--waits->wait_count == 0)
		rota_store_unwatch(store, &waits->watch);
	pthread_mutex_unlock(&store->waits_lock);
}

/* ---- a wait ---- */

static enum rota_status check_ids(const rota_id *ids, size_t n, struct rota_error *err)
{
	if (!n || !ids)
		return rota_err(err, ROTA_INVALID, "no tasks to wait for");
	if (n > ROTA_IDS_PER_CALL_MAX)
		return rota_err(err, ROTA_LIMIT, "%zu tasks; at most %d per wait", n,
			ROTA_IDS_PER_CALL_MAX);
	for (size_t i = 0; i < n; i++) {
		enum rota_status status = rota_check_id(ids[i], err);

		if (status) {
			(void)rota_err_item(err, i + 1);
			return status;
		}
	}
	return ROTA_OK;
}

static bool enlist_all(struct rota_wait *wait, const rota_id *ids)
{
	struct waits *waits = wait->waits;
	bool done = true;

	pthread_mutex_lock(&waits->lock);
	for (size_t i = 0; i < wait->count && done; i++) {
		struct item *item = &wait->items[i];

		*item = (struct item){.wait = wait, .id = ids[i], .state = OPEN};
		done = enlist(waits, item);
	}
	pthread_mutex_unlock(&waits->lock);
	return done;
}

static void wait_freep(struct rota_wait **wait)
{
	rota_wait_free(*wait);
}

enum rota_status rota_wait_new(struct rota_store *store, const rota_id *ids, size_t n,
	struct rota_wait **ret_wait, struct rota_error *err)
{
	struct rota_wait *wait ROTA_CLEANUP(wait_freep) = NULL;
	struct waits *waits;
	enum rota_status status = rota_store_usable(store, err);

	if (!status)
		status = check_ids(ids, n, err);
	if (status)
		return status;
	waits = waits_enter(store);
	if (!waits)
		return rota_err_memory(err);
	wait = calloc(1, sizeof(*wait) + n * sizeof(wait->items[0]));
	if (!wait) {
		waits_leave(waits);
		return rota_err_memory(err);
	}
	wait->waits = waits;
	wait->count = wait->open = n;
	if (!enlist_all(wait, ids))
		return rota_err_memory(err);
	/* Listed first, read then: what ends in between is in the news. */
	status = read_ids(waits, ids, n, err);
	if (status)
		return status;
	*ret_wait = ROTA_TAKE(wait);
	return ROTA_OK;
}

void rota_wait_free(struct rota_wait *wait)
{
	if (!wait)
		return;
	pthread_mutex_lock(&wait->waits->lock);
	for (size_t i = 0; i < wait->count; i++)
		delist(wait->waits, &wait->items[i]);
	pthread_mutex_unlock(&wait->waits->lock);
	waits_leave(wait->waits);
	free(wait);
}

void rota_wait_cancel(struct rota_wait *wait)
{
	pthread_mutex_lock(&wait->waits->lock);
	wait->cancelled = true;
	wake(wait);
	pthread_mutex_unlock(&wait->waits->lock);
}

/* ---- sleeping; called and return with the lock ---- */

static void sleepers_enter(struct rota_wait *wait, int all)
{
	struct waits *waits = wait->waits;

	wait->any_sleepers += !all;
	if (wait->sleepers++)
		return;
	wait->next = waits->sleeping;
	wait->prev = &waits->sleeping;
	if (wait->next)
		wait->next->prev = &wait->next;
	waits->sleeping = wait;
}

static void sleepers_leave(struct rota_wait *wait, int all)
{
	wait->any_sleepers -= !all;
	if (--wait->sleepers)
		return;
	*wait->prev = wait->next;
	if (wait->next)
		wait->next->prev = wait->prev;
}

/* A world without threads: whoever waits steps the lane. */
static rota_tick step_lane(struct waits *waits, rota_tick until)
{
	rota_tick next = ROTA_TICK_NEVER;

	if (!waits->world->threads)
		rota_lane_step(
			rota_store_lane(waits->store), waits->world->now(waits->world), &next);
	return ROTA_MIN(next, until);
}

static void sleep_until(struct rota_wait *wait, int all, rota_tick until)
{
	struct waits *waits = wait->waits;
	uint32_t seen = atomic_load(&wait->word);

	sleepers_enter(wait, all);
	pthread_mutex_unlock(&waits->lock);
	until = step_lane(waits, until);
	if (until > waits->world->now(waits->world))
		waits->world->park(waits->world, (uint32_t *)&wait->word, seen, until);
	pthread_mutex_lock(&waits->lock);
	sleepers_leave(wait, all);
}

static bool satisfied(const struct rota_wait *wait, int all)
{
	return all ? !wait->open : wait->open < wait->count;
}

static bool may_read(const struct waits *waits, rota_tick now)
{
	return waits->stale && !waits->reading && now >= waits->read_at;
}

static enum rota_status wait_locked(
	struct rota_wait *wait, int all, rota_tick deadline, struct rota_error *err)
{
	struct waits *waits = wait->waits;
	enum rota_status status = ROTA_OK;

	while (!status && !wait->cancelled && !satisfied(wait, all)) {
		rota_tick now = waits->world->now(waits->world);

		if (may_read(waits, now))
			status = read_all(waits, err);
		else if (now >= deadline)
			return rota_err(err, ROTA_TIMED_OUT,
				"%zu of %zu tasks had not ended in time", wait->open, wait->count);
		else if (waits->stale && !waits->reading)
			sleep_until(wait, all, ROTA_MIN(deadline, waits->read_at));
		else
			sleep_until(wait, all, deadline);
	}
	if (!status && wait->cancelled)
		status = rota_err(err, ROTA_CANCELLED, "the wait was cancelled");
	return status;
}

enum rota_status rota_wait_for(struct rota_wait *wait, int all, rota_duration timeout,
	int32_t *ret_states, struct rota_error *err)
{
	struct waits *waits;
	enum rota_status status;

	if (!wait || timeout < 0)
		return rota_err(
			err, ROTA_INVALID, wait ? "the timeout is negative" : "the wait is NULL");
	waits = wait->waits;
	pthread_mutex_lock(&waits->lock);
	status = wait_locked(
		wait, all, rota_tick_add(waits->world->now(waits->world), timeout), err);
	for (size_t i = 0; i < wait->count && ret_states && (!status || status == ROTA_TIMED_OUT);
		i++)
		ret_states[i] = wait->items[i].state;
	/* Whoever leaves hands the duty to look on. */
	if (waits->stale && waits->sleeping && !waits->reading)
		wake(waits->sleeping);
	pthread_mutex_unlock(&waits->lock);
	return status;
}

enum rota_status rota_task_wait(struct rota_store *store, const rota_id *ids, size_t n, int all,
	rota_duration timeout, int32_t *ret_states, struct rota_error *err)
{
	struct rota_wait *wait ROTA_CLEANUP(wait_freep) = NULL;
	enum rota_status status = rota_wait_new(store, ids, n, &wait, err);

	return status ? status : rota_wait_for(wait, all, timeout, ret_states, err);
}
