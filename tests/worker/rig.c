#include <time.h>
#include <unistd.h>
#include "rig.h"

#define VIRTUAL_LIMIT ROTA_SECONDS(2 * 86400)

const char *rig_url(const char *kind)
{
	static char url[4200];
	if (strcmp(kind, "memory") == 0)
		snprintf(url, sizeof(url), "memory:rig-%ld", (long)getpid());
	else
		snprintf(url, sizeof(url), "%s", test_path("rig.db"));
	return url;
}

/* ---- the world ---- */

static struct rig *rig_of(struct rota_world *world)
{
	return ROTA_CONTAINER(world, struct rig, world);
}

static rota_tick rig_now(struct rota_world *world)
{
	struct rota_world *clock = rig_of(world)->clock;
	return clock->now(clock);
}

static rota_time rig_date(struct rota_world *world)
{
	struct rota_world *clock = rig_of(world)->clock;
	return clock->date(clock);
}

static uint64_t rig_random(struct rota_world *world)
{
	struct rota_world *clock = rig_of(world)->clock;
	return clock->random(clock);
}

static void rig_wake(struct rota_world *world, const uint32_t *word, int all)
{
	(void)world, (void)word, (void)all;
}

static bool changed(const uint32_t *word, uint32_t seen)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST) != seen;
}

static void rig_park(
	struct rota_world *world, const uint32_t *word, uint32_t seen, rota_tick deadline)
{
	struct rig *rig = rig_of(world);
	if (changed(word, seen))
		return;
	rota_tick next = rig_settle(rig);
	if (changed(word, seen))
		return;
	next = ROTA_MIN(next, deadline);
	CHECK_MSG(next != ROTA_TICK_NEVER, "parked for ever, and nothing is due");
	if (next > rig_now(world))
		test_world_advance(rig->clock, next - rig_now(world));
}

struct rig *rig_new(const char *kind)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct rota_error err;
	CHECK(rig);
	pthread_mutex_init(&rig->log_lock, NULL);
	rig->clock = test_world_new(test_seed());
	rig->world = (struct rota_world){.now = rig_now,
		.date = rig_date,
		.random = rig_random,
		.wake = rig_wake,
		.park = rig_park};
	struct rota_store_options options = ROTA_INIT(rota_store_options);
	options.durability = ROTA_DURABILITY_RELAXED; /* nobody pulls the plug in here */
	CHECK_OK(rota_store_open_in(&rig->world, rig_url(kind), &options, &rig->store, &err), &err);
	return rig;
}

void rig_free(struct rig *rig)
{
	for (size_t i = 0; i < rig->worker_count; i++) {
		if (rig->alive[i]) {
			rota_worker_stop(rig->workers[i]);
			rig_wait_over(rig, rig->workers[i]);
		}
	}
	for (size_t i = 0; i < rig->worker_count; i++)
		rota_worker_free(rig->workers[i]);
	rota_store_close(rig->store);
	test_world_free(rig->clock);
	pthread_mutex_destroy(&rig->log_lock);
	free(rig);
}

/* ---- workers ---- */

void rig_log(void *arg, const struct rota_log_event *event)
{
	struct rig *rig = arg;
	pthread_mutex_lock(&rig->log_lock);
	int n = snprintf(rig->log + rig->log_size, RIG_LOG_BYTES - rig->log_size, "%d %lld %s\n",
		(int)event->level, event->task ? (long long)event->task->id : 0, event->message);
	if (rig->log_size + (size_t)n < RIG_LOG_BYTES)
		rig->log_size += (size_t)n;
	pthread_mutex_unlock(&rig->log_lock);
}

int rig_log_count(struct rig *rig, const char *part)
{
	int n = 0;
	pthread_mutex_lock(&rig->log_lock);
	for (const char *at = rig->log; (at = strstr(at, part)); at++)
		n++;
	pthread_mutex_unlock(&rig->log_lock);
	return n;
}

struct rota_worker *rig_worker(struct rig *rig, const struct rota_worker_options *options)
{
	struct rota_worker_options own = ROTA_INIT(rota_worker_options);
	struct rota_error err;
	CHECK(rig->worker_count < RIG_WORKERS_MAX);
	own.concurrency = 1;
	if (options)
		own = *options;
	own.log = rig_log;
	own.log_arg = rig;
	CHECK_OK(rota_worker_new(rig->store, &own, &rig->workers[rig->worker_count], &err), &err);
	return rig->workers[rig->worker_count++];
}

void rig_handle(struct rota_worker *worker, const char *type, rota_handler_fn *handler, void *arg)
{
	struct rota_error err;
	CHECK_OK(rota_worker_handle(worker, type, handler, arg, &err), &err);
}

/* rig->worker_count: it is not there (any more). */
static size_t place_of(const struct rig *rig, const struct rota_worker *worker)
{
	size_t i = 0;
	while (i < rig->worker_count && rig->workers[i] != worker)
		i++;
	return i;
}

void rig_start(struct rig *rig, struct rota_worker *worker)
{
	struct rota_error err;
	CHECK_OK(rota_worker_begin(worker, &err), &err);
	rig->alive[place_of(rig, worker)] = true;
}

/* The memory of a dead process is neither used again nor lost: the lane may still hold its ops. */
static struct rota_worker *graveyard[64];
static size_t buried;

/* Its handlers may be on the stack, asleep: they go on, and nobody listens. */
static void silence(struct rig *rig, struct rota_worker *worker)
{
	pthread_mutex_lock(&worker->lock);
	worker->phase = ROTA_WORKER_OVER;
	for (struct rota_attempt *attempt = worker->hand; attempt; attempt = attempt->next) {
		uint32_t buffered = ROTA_ATTEMPT_BUFFERED;
		if (atomic_compare_exchange_strong(
			    &attempt->state, &buffered, ROTA_ATTEMPT_DROPPED))
			worker->dropped++;
	}
	pthread_mutex_unlock(&worker->lock);
	if (worker->claiming)
		rota_store_recall(rig->store, &worker->claiming->op);
}

void rig_kill(struct rig *rig, struct rota_worker *worker)
{
	size_t i = place_of(rig, worker);
	CHECK(buried < ROTA_COUNT(graveyard));
	rota_store_unwatch(rig->store, &worker->watch);
	silence(rig, worker);
	graveyard[buried++] = worker;
	for (; i + 1 < rig->worker_count; i++) {
		rig->workers[i] = rig->workers[i + 1];
		rig->alive[i] = rig->alive[i + 1];
	}
	rig->worker_count--;
}

bool rig_alive(struct rig *rig, const struct rota_worker *worker)
{
	return rig->alive[place_of(rig, worker)];
}

/* ---- time ---- */

static rota_tick step_worker(struct rig *rig, struct rota_worker *worker)
{
	rota_tick next;
	if (rota_worker_step(worker, rig_now(&rig->world), &next))
		return next;
	/* Stepped by its own handler's sleep it may have been over before, or have been killed. */
	size_t i = place_of(rig, worker);
	if (i < rig->worker_count && rig->alive[i]) {
		rig->alive[i] = false;
		CHECK_OK(rota_worker_end(worker, NULL), NULL);
	}
	return ROTA_TICK_NEVER;
}

static rota_tick act(struct rig *rig)
{
	void (*action)(struct rig *) = rig->action;
	if (!action)
		return ROTA_TICK_NEVER;
	if (rig_now(&rig->world) < rig->action_at)
		return rig->action_at;
	rig->action = NULL;
	action(rig);
	return 0;
}

static uint32_t words(const struct rig *rig)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < rig->worker_count; i++)
		sum += atomic_load(&rig->workers[i]->word);
	return sum;
}

/* Everything once; what was decided meanwhile for one that had its turn counts as due now. */
static rota_tick step_all(struct rig *rig)
{
	uint32_t seen = words(rig);
	rota_tick next = act(rig), lane;
	for (size_t i = 0; i < rig->worker_count; i++) {
		if (rig->alive[i])
			next = ROTA_MIN(next, step_worker(rig, rig->workers[i]));
	}
	rota_lane_step(rota_store_lane(rig->store), rig_now(&rig->world), &lane);
	next = ROTA_MIN(next, lane);
	return words(rig) == seen ? next : 0;
}

rota_tick rig_settle(struct rig *rig)
{
	rota_tick next;
	int rounds = 0;
	do {
		next = step_all(rig);
		CHECK_MSG(rounds++ < 100000, "something is due for ever");
	} while (next <= rig_now(&rig->world));
	return next;
}

/* Nothing is due now: on to what is next, but not beyond until. */
static void jump(struct rig *rig, rota_tick next, rota_tick until)
{
	next = ROTA_MIN(next, until);
	if (next > rig_now(&rig->world))
		test_world_advance(rig->clock, next - rig_now(&rig->world));
}

void rig_pass(struct rig *rig, rota_duration length)
{
	rota_tick until = rig_now(&rig->world) + length;
	while (rig_now(&rig->world) < until)
		jump(rig, rig_settle(rig), until);
	(void)rig_settle(rig);
}

int rig_wait_final(struct rig *rig, rota_id id)
{
	rota_tick limit = rig_now(&rig->world) + VIRTUAL_LIMIT;
	for (;;) {
		rota_tick next = rig_settle(rig);
		int state = rig_state(rig->store, id);
		if (state < 0 || state >= (int)ROTA_STATE_COMPLETED)
			return state;
		CHECK_MSG(rig_now(&rig->world) < limit, "task %lld is never final: %s\n%s",
			(long long)id, rota_state_name((enum rota_state)state), rig->log);
		jump(rig, next, limit);
	}
}

void rig_wait_over(struct rig *rig, struct rota_worker *worker)
{
	rota_tick limit = rig_now(&rig->world) + VIRTUAL_LIMIT, next;
	while (next = rig_settle(rig), rig_alive(rig, worker)) {
		CHECK_MSG(rig_now(&rig->world) < limit, "the worker never ends");
		jump(rig, next, limit);
	}
}

/* ---- faults ---- */

static struct rig *faulty; /* one a process */
static const struct rota_backend_vtable *real;
static struct rota_backend_vtable wrapped;
static bool writes; /* the transaction that runs */

static enum rota_status fault_begin(
	struct rota_session *session, const struct rota_begin *begin, struct rota_error *err)
{
	if (faulty->fault.begin && begin->write) {
		*err = (struct rota_error){
			.status = faulty->fault.begin, .message = "as the test wants"};
		return err->status;
	}
	writes = begin->write;
	return real->begin(session, begin, err);
}

static enum rota_status fault_commit(struct rota_session *session, struct rota_error *err)
{
	enum rota_status status = real->commit(session, err);
	if (status || !writes || !faulty->fault.commit_lost)
		return status;
	*err = (struct rota_error){
		.status = faulty->fault.commit_lost, .message = "the answer was lost"};
	faulty->fault.commit_lost = ROTA_OK;
	return err->status;
}

/* Refuses the first op of the array, once, and runs the others. */
static enum rota_status fault_run(
	struct rota_session *session, struct rota_op *const *ops, size_t n, struct rota_error *err)
{
	enum rota_op_kind kind = ops[0]->kind;
	enum rota_status status = faulty->fault.run[kind];
	atomic_fetch_add(&faulty->fault.ran[kind], (int)n);
	if (!status)
		return real->run[kind](session, ops, n, err);
	faulty->fault.run[kind] = ROTA_OK;
	ops[0]->err = (struct rota_error){
		.status = status, .item = faulty->fault.item, .message = "as the test wants"};
	return n > 1 ? real->run[kind](session, ops + 1, n - 1, err) : ROTA_OK;
}

void rig_fault(struct rig *rig)
{
	faulty = rig;
	real = rig->store->vt;
	wrapped = *real;
	wrapped.begin = fault_begin;
	wrapped.commit = fault_commit;
	for (int kind = 0; kind < ROTA_OP_COUNT; kind++) {
		if (real->run[kind])
			wrapped.run[kind] = fault_run;
	}
	rig->store->vt = &wrapped;
}

/* ---- tasks ---- */

rota_id rig_enqueue(struct rota_store *store, struct rota_task task)
{
	rota_id id = 0;
	struct rota_error err;
	CHECK_OK(rota_task_enqueue(store, &task, 1, &id, &err), &err);
	return id;
}

int rig_state(struct rota_store *store, rota_id id)
{
	int8_t state = -2;
	struct rota_error err;
	struct rota_arena arena ROTA_CLEANUP(rota_arena_deinit);
	struct rota_op op = {.u.states = {.ids = &id, .count = 1, .ret_states = &state}};
	rota_arena_init(&arena, 0);
	CHECK_OK(rota_store_call(store, &op, ROTA_OP_STATES, &arena, &err), &err);
	return state;
}

struct rota_task_info *rig_get(struct rota_store *store, rota_id id)
{
	struct rota_task_info *info = NULL;
	struct rota_error err;
	CHECK_OK(rota_task_get(store, id, &info, &err), &err);
	return info;
}

/* ---- threads ---- */

struct rota_store *rig_open(const char *kind)
{
	struct rota_store *store = NULL;
	struct rota_error err;
	CHECK_OK(rota_store_open(rig_url(kind), NULL, &store, &err), &err);
	return store;
}

static void *run(void *arg)
{
	struct rig_thread *thread = arg;
	thread->status = rota_worker_run(thread->worker, &thread->err);
	return NULL;
}

void rig_run(struct rig_thread *thread, struct rota_worker *worker)
{
	*thread = (struct rig_thread){.worker = worker};
	CHECK_EQ(pthread_create(&thread->thread, NULL, run, thread), 0);
}

void rig_join(struct rig_thread *thread)
{
	rota_worker_stop(thread->worker);
	pthread_join(thread->thread, NULL);
	CHECK_OK(thread->status, &thread->err);
}

void rig_nap(void)
{
	struct timespec half_ms = {0, 500000};
	nanosleep(&half_ms, NULL);
}
