/* lane_run.c: who steps a lane: a synchronous caller that finds it idle, else its own thread, made
 * when it is first needed (a program that only enqueues has none). In a world without threads the
 * caller is the only one there is. */
#include <stdlib.h>
#include "store/lane.h"
#include "base/error.h"
#include "base/macros.h"

/* What a caller that leads does for others after its own answer. */
#define EXTRA_STEPS_MAX 2

static rota_tick lane_now(struct rota_lane *lane)
{
	return lane->store->world->now(lane->store->world);
}

static void kick(struct rota_lane *lane)
{
	atomic_fetch_add(&lane->kick, 1);
	lane->store->world->wake(lane->store->world, (uint32_t *)&lane->kick, 1);
}

/* ---- the lane's thread ---- */

/* Leads until nothing is pending; *ret_next: when to look again. Called and returns with the lock. */
static void lead(struct rota_lane *lane, rota_tick *ret_next)
{
	lane->busy = true;
	do {
		pthread_mutex_unlock(&lane->lock);
		rota_lane_step(lane, lane_now(lane), ret_next);
		pthread_mutex_lock(&lane->lock);
	} while (lane->first);
	lane->busy = false;
}

static void *thread_main(void *arg)
{
	struct rota_lane *lane = arg;
	struct rota_world *world = lane->store->world;
	rota_tick next = 0;

	pthread_mutex_lock(&lane->lock);
	while (!lane->closing || lane->first || lane->parked_count) {
		uint32_t seen = atomic_load(&lane->kick);

		/* While a caller leads, its end kicks if anything is left to do. */
		next = ROTA_TICK_NEVER;
		if (!lane->busy)
			lead(lane, &next);
		lane->thread_at = next;
		pthread_mutex_unlock(&lane->lock);
		if (next > lane_now(lane))
			world->park(world, (uint32_t *)&lane->kick, seen, next);
		pthread_mutex_lock(&lane->lock);
		lane->thread_at = 0;
	}
	pthread_mutex_unlock(&lane->lock);
	return NULL;
}

static void *hints_main(void *arg)
{
	struct rota_lane *lane = arg;
	struct rota_store *store = lane->store;

	while (!atomic_load(&lane->hints_stop)) {
		if (store->vt->hint_wait(store->backend, ROTA_SECONDS(1), NULL) != ROTA_OK)
			continue;
		atomic_store(&lane->hinted, true);
		kick(lane);
	}
	return NULL;
}

/* Under the lock. No thread to be had: synchronous callers still step, and the next try may work. */
static void thread_want(struct rota_lane *lane)
{
	if (lane->has_thread || !lane->store->world->threads || lane->closing)
		return;
	lane->has_thread = pthread_create(&lane->thread, NULL, thread_main, lane) == 0;
}

/* Whoever waits for others' commits wants to hear of them in microseconds. */
static void hints_want(struct rota_lane *lane)
{
	if (lane->has_hints || !lane->has_thread || !lane->store->vt->hint_wait || lane->closing)
		return;
	lane->has_hints = pthread_create(&lane->hints, NULL, hints_main, lane) == 0;
}

/* ---- submitting ---- */

/* Under the lock. */
static void push(struct rota_lane *lane, struct rota_op *op)
{
	op->next = NULL;
	*lane->last = op;
	lane->last = &op->next;
	lane->submitted++;
}

/* Under the lock: somebody must step at `at`. True: kick the thread. */
static bool thread_must_know(struct rota_lane *lane, rota_tick at)
{
	if (lane->busy && lane->first)
		return false; /* the leader sees it */
	thread_want(lane);
	return lane->has_thread && (lane->first || at < lane->thread_at);
}

void rota_lane_submit(struct rota_lane *lane, struct rota_op *op)
{
	bool must;

	pthread_mutex_lock(&lane->lock);
	push(lane, op);
	must = thread_must_know(lane, 0);
	if (op->kind == ROTA_OP_CLAIM) {
		thread_want(lane); /* hints need it, also when a caller leads just now */
		hints_want(lane);
	}
	pthread_mutex_unlock(&lane->lock);
	if (must)
		kick(lane);
}

struct caller {
	_Atomic uint32_t answered;
};

static void caller_done(struct rota_op *op)
{
	struct caller *caller = op->owner;

	atomic_store_explicit(&caller->answered, 1, memory_order_release);
}

static bool answered(const struct caller *caller)
{
	return atomic_load_explicit(&caller->answered, memory_order_acquire);
}

/* Only claims that may park are left: two more microseconds here save the thread's wake-up. */
static bool only_claims(const struct rota_lane *lane)
{
	for (const struct rota_op *op = lane->first; op; op = op->next) {
		if (op->kind != ROTA_OP_CLAIM)
			return false;
	}
	return lane->first;
}

/* Under the lock. Others' ops are pending, and there is no thread to leave them to. */
static bool must_stay(struct rota_lane *lane)
{
	if (!lane->first)
		return false;
	thread_want(lane);
	return !lane->has_thread;
}

/* Under the lock, at the end of leading: who steps at `next`? */
static void hand_over(struct rota_lane *lane, rota_tick next)
{
	bool kicked = (lane->first || next < ROTA_TICK_NEVER) && thread_must_know(lane, next);

	if (kicked || lane->lonely)
		kick(lane);
}

/* Steps until the caller's op is answered or parked. Called and returns with the lock. */
static rota_tick lead_for(struct rota_lane *lane, const struct rota_op *op, const struct caller *caller)
{
	rota_tick next = 0;
	int extra = 0;

	lane->busy = true;
	do {
		pthread_mutex_unlock(&lane->lock);
		rota_lane_step(lane, lane_now(lane), &next);
		pthread_mutex_lock(&lane->lock);
	} while ((!answered(caller) && !op->parked) || must_stay(lane) ||
		(only_claims(lane) && extra++ < EXTRA_STEPS_MAX));
	lane->busy = false;
	hand_over(lane, next);
	return next;
}

/* Parked, and no thread could be made: the caller is the lane's thread. */
static void wait_alone(struct rota_lane *lane, rota_tick next)
{
	struct rota_world *world = lane->store->world;
	uint32_t seen = atomic_load(&lane->kick);

	lane->lonely++;
	pthread_mutex_unlock(&lane->lock);
	world->park(world, (uint32_t *)&lane->kick, seen, next);
	pthread_mutex_lock(&lane->lock);
	lane->lonely--;
}

static struct rota_round *round_of(struct rota_lane *lane, const struct rota_op *op)
{
	if (op->parked)
		return &lane->rounds[ROTA_ROUND_PARKED];
	return &lane->rounds[(op->group ? op->group : lane->group + 1) & 1];
}

/* Called and returns with the lock. */
static void wait_round(struct rota_lane *lane, const struct rota_op *op, const struct caller *caller)
{
	struct rota_world *world = lane->store->world;
	struct rota_round *round = round_of(lane, op);
	uint32_t seen = atomic_load(&round->word);

	if (answered(caller))
		return;
	atomic_fetch_add(&round->waiters, 1);
	pthread_mutex_unlock(&lane->lock);
	if (!answered(caller))
		world->park(world, (uint32_t *)&round->word, seen, ROTA_TICK_NEVER);
	atomic_fetch_sub(&round->waiters, 1);
	pthread_mutex_lock(&lane->lock);
}

/* A world without threads: the clock goes on to whatever comes next. */
static void step_alone(struct rota_lane *lane, const struct caller *caller)
{
	struct rota_world *world = lane->store->world;
	rota_tick next = 0;

	while (!answered(caller)) {
		rota_lane_step(lane, world->now(world), &next);
		if (!answered(caller) && next > world->now(world))
			world->park(world, (uint32_t *)&lane->kick, atomic_load(&lane->kick), next);
	}
}

void rota_lane_run(struct rota_lane *lane, struct rota_op *op)
{
	struct caller caller = { 0 };
	rota_tick next;

	op->owner = &caller;
	op->done = caller_done;
	pthread_mutex_lock(&lane->lock);
	push(lane, op);
	if (!lane->store->world->threads) {
		pthread_mutex_unlock(&lane->lock);
		step_alone(lane, &caller);
		return;
	}
	if (op->kind == ROTA_OP_CLAIM && op->u.claim.wait_until) {
		thread_want(lane);
		hints_want(lane);
	}
	while (!answered(&caller)) {
		if (lane->busy || (op->parked && lane->has_thread)) {
			wait_round(lane, op, &caller);
			continue;
		}
		next = lead_for(lane, op, &caller);
		if (!answered(&caller) && !lane->has_thread)
			wait_alone(lane, next);
	}
	pthread_mutex_unlock(&lane->lock);
}

void rota_lane_recall(struct rota_lane *lane, struct rota_op *op)
{
	pthread_mutex_lock(&lane->lock);
	op->recalled = true;
	pthread_mutex_unlock(&lane->lock);
	kick(lane);
}

void rota_lane_attend(struct rota_lane *lane)
{
	pthread_mutex_lock(&lane->lock);
	lane->attend = true;
	thread_want(lane);
	hints_want(lane);
	pthread_mutex_unlock(&lane->lock);
	kick(lane);
}

bool rota_lane_flush(struct rota_lane *lane, rota_tick deadline)
{
	struct rota_world *world = lane->store->world;
	rota_tick next = 0;
	uint64_t target;

	pthread_mutex_lock(&lane->lock);
	target = lane->submitted;
	while (atomic_load(&lane->answered) < target && lane_now(lane) < deadline) {
		struct rota_round *round = &lane->rounds[lane->group & 1];
		uint32_t seen = atomic_load(&round->word);

		if (!lane->busy) {
			lead(lane, &next);
			hand_over(lane, next);
			continue;
		}
		atomic_fetch_add(&round->waiters, 1);
		pthread_mutex_unlock(&lane->lock);
		if (atomic_load(&lane->answered) < target)
			world->park(world, (uint32_t *)&round->word, seen,
				ROTA_MIN(deadline, rota_tick_add(lane_now(lane), ROTA_MS(10))));
		atomic_fetch_sub(&round->waiters, 1);
		pthread_mutex_lock(&lane->lock);
	}
	pthread_mutex_unlock(&lane->lock);
	return atomic_load(&lane->answered) >= target;
}

/* ---- life ---- */

enum rota_status rota_lane_new(struct rota_store *store, struct rota_lane **ret_lane, struct rota_error *err)
{
	struct rota_lane *lane = calloc(1, sizeof(*lane));
	enum rota_status status;

	if (!lane)
		return rota_err_memory(err);
	status = store->vt->session_open(store->backend, ROTA_SESSION_WRITE, NULL, &lane->session, err);
	if (status) {
		free(lane);
		return status;
	}
	lane->store = store;
	lane->last = &lane->first;
	lane->maintain.kind = ROTA_OP_MAINTAIN;
	lane->maintain.arena = &lane->arena;
	rota_arena_init(&lane->arena, 0);
	pthread_mutex_init(&lane->lock, NULL);
	*ret_lane = lane;
	return ROTA_OK;
}

static void threads_end(struct rota_lane *lane)
{
	if (lane->has_hints) {
		atomic_store(&lane->hints_stop, true);
		if (lane->store->vt->hint_stop)
			lane->store->vt->hint_stop(lane->store->backend);
		pthread_join(lane->hints, NULL);
	}
	if (lane->has_thread) {
		kick(lane);
		pthread_join(lane->thread, NULL);
	}
}

void rota_lane_free(struct rota_lane *lane)
{
	rota_tick next = 0;

	if (!lane)
		return;
	pthread_mutex_lock(&lane->lock);
	lane->closing = true;
	for (size_t i = 0; i < lane->parked_count; i++)
		lane->parked[i]->recalled = true;
	pthread_mutex_unlock(&lane->lock);
	threads_end(lane);
	while (lane->first || lane->parked_count)
		rota_lane_step(lane, lane_now(lane), &next);
	lane->store->vt->session_close(lane->session);
	rota_arena_deinit(&lane->arena);
	pthread_mutex_destroy(&lane->lock);
	free(lane);
}
