/* The pool and what a handler may call, without a store. */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/limits.h"
#include "base/macros.h"
#include "pool/pool.h"
#include "test.h"

struct unit {
	struct rota_job job;
	struct rota_arena arena;
	uint64_t order;
	_Atomic int ended;
	enum rota_outcome outcome;
	struct counter *counter;
	char progress[128], status[128];
	bool refuse;
};
struct counter {
	_Atomic uint64_t started, ended, released, next_order;
	_Atomic uint32_t word;
	uint64_t expected;
};

static struct unit *unit_of(struct rota_job *job)
{
	return ROTA_CONTAINER(job, struct unit, job);
}

static void unit_ended(struct rota_job *job, enum rota_outcome outcome)
{
	struct unit *unit = unit_of(job);
	struct counter *counter = unit->counter;
	unit->outcome = outcome;
	CHECK_EQ(atomic_fetch_add(&unit->ended, 1), 0);
	if (outcome == ROTA_OUTCOME_RELEASE)
		atomic_fetch_add(&counter->released, 1);
	if (atomic_fetch_add(&counter->ended, 1) + 1 == counter->expected) {
		atomic_store(&counter->word, 1);
		rota_world_real()->wake(rota_world_real(), (uint32_t *)&counter->word, 1);
	}
}

static bool unit_starting(struct rota_job *job)
{
	return !unit_of(job)->refuse;
}

static void unit_progress(struct rota_job *job, struct rota_bytes progress)
{
	CHECK(progress.size < sizeof(unit_of(job)->progress));
	memcpy(unit_of(job)->progress, progress.data, progress.size);
}

static void unit_status(struct rota_job *job, const char *text)
{
	snprintf(unit_of(job)->status, sizeof(unit_of(job)->status), "%s", text);
}

static const struct rota_origin unit_origin = {
	.starting = unit_starting,
	.ended = unit_ended,
	.progress = unit_progress,
	.status = unit_status,
};

static void wait_all(struct counter *counter)
{
	struct rota_world *world = rota_world_real();
	while (!atomic_load(&counter->word))
		world->park(world, (uint32_t *)&counter->word, 0, ROTA_TICK_NEVER);
}

static struct unit *units_new(struct counter *counter, size_t n, rota_handler_fn *run)
{
	struct unit *units = calloc(n, sizeof(*units));
	CHECK(units);
	for (size_t i = 0; i < n; i++) {
		rota_job_init(&units[i].job, &unit_origin, run, counter);
		rota_arena_init(&units[i].arena, ROTA_JOB_BYTES_MAX);
		units[i].job.arena = &units[i].arena;
		units[i].counter = counter;
		units[i].job.next = i + 1 < n ? &units[i + 1].job : NULL;
	}
	return units;
}

static void units_free(struct unit *units, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		rota_job_deinit(&units[i].job);
		rota_arena_deinit(&units[i].arena);
	}
	free(units);
}

static struct rota_pool *pool_of(uint32_t threads)
{
	struct rota_pool_options options = ROTA_INIT(rota_pool_options);
	struct rota_pool *pool = NULL;
	struct rota_error err;
	options.threads = threads;
	CHECK_OK(rota_pool_new(&options, &pool, &err), &err);
	return pool;
}

static enum rota_outcome note_order(struct rota_job *job, void *arg)
{
	struct counter *counter = arg;
	unit_of(job)->order = atomic_fetch_add(&counter->next_order, 1);
	atomic_fetch_add(&counter->started, 1);
	return rota_job_complete(job, NULL, 0);
}

/* ---- order and counts ---- */

TEST(one_thread_runs_jobs_in_the_order_they_were_submitted)
{
	struct counter counter = {.expected = 3000};
	struct unit *units = units_new(&counter, 3000, note_order);
	struct rota_pool *pool = pool_of(1);
	for (size_t i = 0; i < 3000; i += 1000) {
		units[i + 999].job.next = NULL;
		rota_pool_submit(pool, &units[i].job, 1000);
	}
	wait_all(&counter);
	for (size_t i = 0; i < 3000; i++)
		CHECK_EQ(units[i].order, i);
	rota_pool_free(pool);
	units_free(units, 3000);
}

struct submitter {
	pthread_t thread;
	struct rota_pool *pool;
	struct unit *units;
	size_t count;
	uint64_t seed;
};

/* Batches of random sizes, now and then with a pause long enough for the threads to fall asleep. */
static void *submit_randomly(void *arg)
{
	struct submitter *s = arg;
	for (size_t at = 0; at < s->count;) {
		size_t some = 1 + test_random(&s->seed) % 64, n = ROTA_MIN(some, s->count - at);
		s->units[at + n - 1].job.next = NULL;
		rota_pool_submit(s->pool, &s->units[at].job, n);
		at += n;
		if (test_random(&s->seed) % 64 == 0)
			usleep((useconds_t)(test_random(&s->seed) % 200));
	}
	return NULL;
}

TEST(each_of_many_jobs_from_many_submitters_runs_exactly_once)
{
	enum { SUBMITTERS = 4, EACH = 20000 };
	struct counter counter = {.expected = SUBMITTERS * EACH};
	struct submitter submitters[SUBMITTERS];
	struct rota_pool *pool = pool_of(3);
	uint64_t seed = test_seed();
	for (int i = 0; i < SUBMITTERS; i++) {
		submitters[i] = (struct submitter){.pool = pool,
			.count = EACH,
			.seed = test_random(&seed),
			.units = units_new(&counter, EACH, note_order)};
		CHECK_EQ(pthread_create(
				 &submitters[i].thread, NULL, submit_randomly, &submitters[i]),
			0);
	}
	wait_all(&counter);
	CHECK_EQ(atomic_load(&counter.started), SUBMITTERS * EACH);
	for (int i = 0; i < SUBMITTERS; i++)
		pthread_join(submitters[i].thread, NULL);
	rota_pool_free(pool);
	for (int i = 0; i < SUBMITTERS; i++)
		units_free(submitters[i].units, EACH);
}

TEST(a_job_submitted_to_sleeping_threads_starts)
{
	struct rota_pool *pool = pool_of(2);
	for (int round = 0; round < 200; round++) {
		struct counter counter = {.expected = 1};
		struct unit *unit = units_new(&counter, 1, note_order);
		if (round % 4 == 0)
			usleep(300); /* past the spinning */
		rota_pool_submit(pool, &unit->job, 1);
		wait_all(&counter);
		units_free(unit, 1);
	}
	rota_pool_free(pool);
}

TEST(a_job_that_its_origin_takes_back_does_not_run)
{
	struct counter counter = {.expected = 1};
	struct unit *units = units_new(&counter, 2, note_order);
	struct rota_pool *pool = pool_of(1);
	units[0].refuse = true;
	rota_pool_submit(pool, &units[0].job, 2);
	wait_all(&counter);
	CHECK_EQ(atomic_load(&units[0].ended), 0);
	CHECK_EQ(atomic_load(&counter.started), 1);
	rota_pool_free(pool);
	units_free(units, 2);
}

/* ---- stopping ---- */

static enum rota_outcome until_stopped(struct rota_job *job, void *arg)
{
	struct counter *counter = arg;
	atomic_fetch_add(&counter->started, 1);
	if (rota_job_sleep(job, ROTA_FOREVER) != ROTA_STOP_SHUTDOWN)
		return rota_job_fail(job, "woken for no reason");
	return rota_job_retry(job, "stopped");
}

static void wait_started(struct counter *counter, uint64_t n)
{
	while (atomic_load(&counter->started) < n)
		usleep(100);
}

TEST(stop_drain_runs_all_that_was_submitted)
{
	struct counter counter = {.expected = 5000};
	struct unit *units = units_new(&counter, 5000, note_order);
	struct rota_pool *pool = pool_of(2);
	rota_pool_submit(pool, &units[0].job, 5000);
	rota_pool_stop(pool, ROTA_STOP_DRAIN);
	CHECK_EQ(atomic_load(&counter.ended), 5000);
	CHECK_EQ(atomic_load(&counter.released), 0);
	rota_pool_free(pool);
	units_free(units, 5000);
}

static enum rota_outcome until_told(struct rota_job *job, void *arg)
{
	struct counter *counter = arg;
	atomic_fetch_add(&counter->started, 1);
	while (!atomic_load(&counter->word))
		usleep(100);
	CHECK_EQ(rota_job_cancelled(job), ROTA_STOP_NONE);
	return rota_job_complete(job, NULL, 0);
}

static void *tell_soon(void *arg)
{
	struct counter *counter = arg;
	while (atomic_load(&counter->released) < 9)
		usleep(100);
	atomic_store(&counter->word, 1);
	return NULL;
}

TEST(stop_cancel_releases_what_is_queued_and_lets_the_rest_end)
{
	struct counter counter = {.expected = 1000};
	struct unit *units = units_new(&counter, 10, until_told);
	struct rota_pool *pool = pool_of(1);
	pthread_t teller;
	rota_pool_submit(pool, &units[0].job, 10);
	wait_started(&counter, 1);
	CHECK_EQ(rota_pool_queued(pool), 9);
	CHECK_EQ(pthread_create(&teller, NULL, tell_soon, &counter), 0);
	rota_pool_stop(pool, ROTA_STOP_CANCEL_QUEUED);
	pthread_join(teller, NULL);
	CHECK_EQ(units[0].outcome, ROTA_OUTCOME_COMPLETE);
	for (int i = 1; i < 10; i++)
		CHECK_EQ(units[i].outcome, ROTA_OUTCOME_RELEASE);
	CHECK_EQ(atomic_load(&counter.started), 1);
	rota_pool_free(pool);
	units_free(units, 10);
}

TEST(stop_abort_tells_what_runs)
{
	struct counter counter = {.expected = 1000};
	struct unit *units = units_new(&counter, 10, until_stopped);
	struct rota_pool *pool = pool_of(2);
	rota_pool_submit(pool, &units[0].job, 10);
	wait_started(&counter, 2);
	rota_pool_stop(pool, ROTA_STOP_ABORT);
	CHECK_EQ(atomic_load(&counter.released), 8);
	CHECK_EQ(units[0].outcome, ROTA_OUTCOME_RETRY);
	CHECK_EQ(units[1].outcome, ROTA_OUTCOME_RETRY);
	CHECK_STR(units[0].job.text, "stopped");
	rota_pool_free(pool);
	units_free(units, 10);
}

TEST(a_job_submitted_after_the_end_is_released)
{
	struct counter counter = {.expected = 1000};
	struct unit *units = units_new(&counter, 2, note_order);
	struct rota_pool *pool = pool_of(1);
	rota_pool_stop(pool, ROTA_STOP_DRAIN);
	rota_pool_submit(pool, &units[0].job, 2);
	CHECK_EQ(atomic_load(&counter.released), 2);
	CHECK_EQ(atomic_load(&counter.started), 0);
	rota_pool_free(pool);
	units_free(units, 2);
}

static void *stop_abort(void *arg)
{
	rota_pool_stop(arg, ROTA_STOP_ABORT);
	return NULL;
}

TEST(an_abort_ends_a_drain_that_waits)
{
	struct counter counter = {.expected = 1000};
	struct unit *units = units_new(&counter, 3, until_stopped);
	struct rota_pool *pool = pool_of(1);
	pthread_t other;
	rota_pool_submit(pool, &units[0].job, 3);
	wait_started(&counter, 1);
	CHECK_EQ(pthread_create(&other, NULL, stop_abort, pool), 0);
	rota_pool_stop(pool, ROTA_STOP_DRAIN);
	pthread_join(other, NULL);
	CHECK_EQ(atomic_load(&counter.ended), 3);
	rota_pool_free(pool);
	units_free(units, 3);
}

/* ---- threads ---- */

struct life {
	_Atomic int started, ended;
};

static void *life_start(void *arg)
{
	struct life *life = arg;
	atomic_fetch_add(&life->started, 1);
	return life;
}

static void life_end(void *data, void *arg)
{
	struct life *life = arg;
	CHECK(data == arg);
	atomic_fetch_add(&life->ended, 1);
}

static enum rota_outcome see_thread_data(struct rota_job *job, void *arg)
{
	struct counter *counter = arg;
	CHECK(rota_job_thread_data(job) != NULL);
	atomic_fetch_add(&counter->started, 1);
	return ROTA_OUTCOME_COMPLETE;
}

TEST(each_thread_has_data_of_its_own_from_start_to_end)
{
	struct life life = {0};
	struct rota_pool_options options = ROTA_INIT(rota_pool_options);
	struct counter counter = {.expected = 100};
	struct unit *units = units_new(&counter, 100, see_thread_data);
	struct rota_pool *pool = NULL;
	options.threads = 3;
	options.thread_start = life_start;
	options.thread_end = life_end;
	options.arg = &life;
	CHECK_OK(rota_pool_new(&options, &pool, NULL), NULL);
	rota_pool_submit(pool, &units[0].job, 100);
	wait_all(&counter);
	rota_pool_free(pool);
	CHECK_EQ(atomic_load(&life.started), 3);
	CHECK_EQ(atomic_load(&life.ended), 3);
	units_free(units, 100);
}

TEST(too_many_threads_are_refused)
{
	struct rota_pool_options options = ROTA_INIT(rota_pool_options);
	struct rota_pool *pool = NULL;
	struct rota_error err;
	options.threads = 1u << 30;
	CHECK_STATUS(rota_pool_new(&options, &pool, &err), ROTA_INVALID, &err);
	CHECK_HAS(err.message, "1073741824 threads");
	CHECK(pool == NULL);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(a_pool_runs_on_with_the_threads_it_could_get)
{
	/* Room for some stacks of 64 MiB, not for two hundred. */
	struct rlimit stack = {64 << 20, 64 << 20}, space = {2000u << 20, 2000u << 20};
	struct counter counter = {.expected = 100};
	struct unit *units = units_new(&counter, 100, note_order);
	pthread_attr_t attr;
	CHECK_EQ(pthread_attr_init(&attr), 0);
	CHECK_EQ(pthread_attr_setstacksize(&attr, stack.rlim_cur), 0);
	CHECK_EQ(pthread_setattr_default_np(&attr), 0);
	CHECK_EQ(setrlimit(RLIMIT_AS, &space), 0);
	struct rota_pool *pool = pool_of(200);
	CHECK(rota_pool_threads(pool) < 200);
	CHECK(rota_pool_threads(pool) > 0);
	rota_pool_submit(pool, &units[0].job, 100);
	wait_all(&counter);
	rota_pool_free(pool);
	units_free(units, 100);
}
#endif

TEST(a_world_without_threads_runs_jobs_when_stepped)
{
	struct rota_world *world = test_world_new(1);
	struct counter counter = {.expected = 10};
	struct unit *units = units_new(&counter, 10, note_order);
	struct rota_pool *pool = NULL;
	CHECK_OK(rota_pool_new_in(world, NULL, &pool, NULL), NULL);
	rota_pool_submit(pool, &units[0].job, 10);
	CHECK_EQ(atomic_load(&counter.started), 0);
	CHECK_EQ(rota_pool_step(pool), 10);
	CHECK_EQ(atomic_load(&counter.ended), 10);
	CHECK_EQ(rota_pool_step(pool), 0);
	rota_pool_free(pool);
	test_world_free(world);
	units_free(units, 10);
}
