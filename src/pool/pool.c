/* pool.c: a queue of jobs and the threads that take from it. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/error.h"
#include "base/limits.h"
#include "base/macros.h"
#include "pool/pool.h"
#include "pool/run.h"

/* A wake-up across processors costs 10 to 25 µs: spinning about as long is never much worse, and
 * finds work at once where jobs come in quick succession. */
#define SPIN_US 30
#define SPIN_CREDIT_MAX 8
#define SPIN_PROBE_EVERY 32 /* sleeps, once spinning has stopped to pay */
#define WAKES_AT_ONCE_MAX 64

struct pool_thread {
	struct rota_pool *pool;
	pthread_t id;
	struct pool_thread *idle_next;
	_Atomic uint32_t wake; /* the futex it sleeps on: 1 is "look again" */
	struct rota_running running;
	void *data;
};

struct rota_pool {
	struct rota_world *world;
	struct rota_pool_options options;
	pthread_mutex_t lock;
	/* under lock */
	struct rota_job *first, *last;
	struct pool_thread *idle; /* asleep, the latest first */
	bool spinning;            /* one thread is */
	int spin_credit, spin_skipped;
	bool stopping, joining;
	enum rota_stop how;
	bool stepping; /* rota_pool_step is running jobs */
	/* read without it too */
	_Atomic size_t queued;
	_Atomic uint32_t ended; /* every thread has; a futex */
	bool spin_pays;         /* more than one processor */
	uint32_t thread_count, thread_room;
	struct pool_thread *threads;
};

/* ---- the queue; under lock ---- */

static void queue_append(
	struct rota_pool *pool, struct rota_job *first, struct rota_job *last, size_t count)
{
	last->next = NULL;
	if (pool->first)
		pool->last->next = first;
	else
		pool->first = first;
	pool->last = last;
	atomic_fetch_add_explicit(&pool->queued, count, memory_order_release);
}

static struct rota_job *queue_pop(struct rota_pool *pool)
{
	struct rota_job *job = pool->first;
	if (!job)
		return NULL;
	pool->first = job->next;
	job->next = NULL;
	atomic_fetch_sub_explicit(&pool->queued, 1, memory_order_release);
	return job;
}

static struct rota_job *queue_take_all(struct rota_pool *pool)
{
	struct rota_job *all = pool->first;
	pool->first = pool->last = NULL;
	atomic_store_explicit(&pool->queued, 0, memory_order_release);
	return all;
}

static void release_all(struct rota_job *job)
{
	while (job) {
		struct rota_job *next = job->next;
		rota_job_over(job, ROTA_OUTCOME_RELEASE);
		job = next;
	}
}

/* ---- waking ---- */

static size_t pick_idle(struct rota_pool *pool, size_t want, struct pool_thread **ret)
{
	size_t n = 0;
	while (n < want && pool->idle) {
		struct pool_thread *thread = pool->idle;
		pool->idle = thread->idle_next;
		atomic_store_explicit(&thread->wake, 1, memory_order_release);
		ret[n++] = thread;
	}
	return n;
}

static void wake(struct rota_pool *pool, struct pool_thread *const *threads, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pool->world->wake(pool->world, (const uint32_t *)&threads[i]->wake, 0);
}

static void wake_everybody(struct rota_pool *pool)
{
	struct pool_thread *some[WAKES_AT_ONCE_MAX];
	size_t n;
	do {
		pthread_mutex_lock(&pool->lock);
		n = pick_idle(pool, ROTA_COUNT(some), some);
		pthread_mutex_unlock(&pool->lock);
		wake(pool, some, n);
	} while (n > 0);
}

void rota_pool_submit(struct rota_pool *pool, struct rota_job *first, size_t count)
{
	struct pool_thread *some[WAKES_AT_ONCE_MAX];
	struct rota_job *last = first;
	if (count == 0)
		return;
	for (size_t i = 1; i < count; i++)
		last = last->next;
	last->next = NULL;
	pthread_mutex_lock(&pool->lock);
	bool refused =
		atomic_load(&pool->ended) || (pool->stopping && pool->how != ROTA_STOP_DRAIN);
	size_t n = 0;
	if (!refused) {
		queue_append(pool, first, last, count);
		/* The one that spins sees it by itself. */
		n = pick_idle(
			pool, ROTA_MIN(count - (pool->spinning ? 1 : 0), ROTA_COUNT(some)), some);
	}
	pthread_mutex_unlock(&pool->lock);
	if (refused)
		release_all(first);
	wake(pool, some, n);
}

/* ---- a thread ---- */

/* Under lock, on the way to sleep. */
static bool may_spin(struct rota_pool *pool)
{
	if (!pool->spin_pays || pool->spinning || pool->stopping)
		return false;
	if (pool->spin_credit > 0)
		return true;
	pool->spin_skipped = (pool->spin_skipped + 1) % SPIN_PROBE_EVERY;
	return pool->spin_skipped == 0;
}

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static bool spin_for_work(struct rota_pool *pool)
{
	rota_tick until = pool->world->now(pool->world) + SPIN_US;
	do {
		for (int i = 0; i < 32; i++) {
			if (atomic_load_explicit(&pool->queued, memory_order_acquire) > 0)
				return true;
			relax();
		}
	} while (pool->world->now(pool->world) < until);
	return false;
}

/* Under lock; gives it up meanwhile. */
static void spin(struct rota_pool *pool)
{
	pool->spinning = true;
	pthread_mutex_unlock(&pool->lock);
	bool found = spin_for_work(pool);
	pthread_mutex_lock(&pool->lock);
	pool->spinning = false;
	pool->spin_credit = found ? ROTA_MIN(pool->spin_credit + 2, SPIN_CREDIT_MAX)
				  : ROTA_MAX(pool->spin_credit - 1, 0);
}

/* Under lock; gives it up meanwhile. */
static void sleep_until_woken(struct pool_thread *thread)
{
	struct rota_pool *pool = thread->pool;
	atomic_store_explicit(&thread->wake, 0, memory_order_relaxed);
	thread->idle_next = pool->idle;
	pool->idle = thread;
	pthread_mutex_unlock(&pool->lock);
	while (!atomic_load_explicit(&thread->wake, memory_order_acquire))
		pool->world->park(pool->world, (const uint32_t *)&thread->wake, 0, ROTA_TICK_NEVER);
	pthread_mutex_lock(&pool->lock);
}

/* NULL: the pool stops. */
static struct rota_job *take(struct pool_thread *thread)
{
	struct rota_pool *pool = thread->pool;
	pthread_mutex_lock(&pool->lock);
	struct rota_job *job;
	while (!(job = queue_pop(pool)) && !pool->stopping) {
		if (may_spin(pool))
			spin(pool);
		if (!pool->first && !pool->stopping)
			sleep_until_woken(thread);
	}
	pthread_mutex_unlock(&pool->lock);
	return job;
}

static void *thread_main(void *arg)
{
	struct pool_thread *thread = arg;
	struct rota_pool *pool = thread->pool;
	if (pool->options.thread_start)
		thread->data = pool->options.thread_start(pool->options.arg);
	struct rota_job *job;
	while ((job = take(thread))) {
		job->thread_data = thread->data;
		rota_job_run(job, &thread->running);
	}
	if (pool->options.thread_end)
		pool->options.thread_end(thread->data, pool->options.arg);
	return NULL;
}

/* ---- in a world without threads ---- */

static bool step_begin(struct rota_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	bool mine = !pool->stepping;
	pool->stepping = true;
	pthread_mutex_unlock(&pool->lock);
	return mine;
}

static struct rota_job *pop_locked(struct rota_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	struct rota_job *job = queue_pop(pool);
	if (!job)
		pool->stepping = false;
	pthread_mutex_unlock(&pool->lock);
	return job;
}

size_t rota_pool_step(struct rota_pool *pool)
{
	if (pool->world->threads || !step_begin(pool))
		return 0;
	struct rota_job *job;
	size_t count = 0;
	while ((job = pop_locked(pool))) {
		job->thread_data = pool->threads[0].data;
		rota_job_run(job, &pool->threads[0].running);
		count++;
	}
	return count;
}

/* ---- life ---- */

static uint32_t processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : (uint32_t)n;
}

/* Signals are for the application's own threads. */
static int create_thread(struct pool_thread *thread)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&thread->id, NULL, thread_main, thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!error)
		pthread_setname_np(thread->id, "rota-pool");
	return error;
}

static enum rota_status start_threads(struct rota_pool *pool, uint32_t want, struct rota_error *err)
{
	while (pool->thread_count < want) {
		int error = create_thread(&pool->threads[pool->thread_count]);
		if (error && pool->thread_count == 0)
			return rota_err_os(err, ROTA_UNAVAILABLE, error, "cannot start a thread");
		if (error)
			break; /* fewer do the same work */
		pool->thread_count++;
	}
	return ROTA_OK;
}

static void pool_destroy(struct rota_pool *pool)
{
	for (uint32_t i = 0; i < pool->thread_room; i++)
		pthread_mutex_destroy(&pool->threads[i].running.lock);
	pthread_mutex_destroy(&pool->lock);
	free(pool->threads);
	free(pool);
}

static struct rota_pool *pool_alloc(
	struct rota_world *world, const struct rota_pool_options *options, uint32_t threads)
{
	struct rota_pool *pool = calloc(1, sizeof(*pool));
	struct pool_thread *some = calloc(threads, sizeof(*some));
	if (!pool || !some) {
		free(pool);
		free(some);
		return NULL;
	}
	*pool = (struct rota_pool){
		.world = world, .options = *options, .threads = some, .thread_room = threads};
	pool->spin_pays = processors() > 1;
	pool->spin_credit = SPIN_CREDIT_MAX;
	pthread_mutex_init(&pool->lock, NULL);
	for (uint32_t i = 0; i < threads; i++) {
		some[i].pool = pool;
		pthread_mutex_init(&some[i].running.lock, NULL);
	}
	return pool;
}

enum rota_status rota_pool_new_in(struct rota_world *world, const struct rota_pool_options *options,
	struct rota_pool **ret_pool, struct rota_error *err)
{
	struct rota_pool_options own = ROTA_INIT(rota_pool_options);
	if (options && options->size > sizeof(own))
		return rota_err(err, ROTA_INVALID, "rota_pool_options is of a newer library");
	if (options)
		memcpy(&own, options, options->size);
	uint32_t want = own.threads ? own.threads : processors();
	if (want > ROTA_POOL_THREADS_MAX)
		return rota_err(err, ROTA_INVALID, "%u threads are more than a pool may have (%d)",
			want, ROTA_POOL_THREADS_MAX);
	struct rota_pool *pool = pool_alloc(world, &own, want);
	if (!pool)
		return rota_err_memory(err);
	enum rota_status status = ROTA_OK;
	if (world->threads)
		status = start_threads(pool, want, err);
	else if (own.thread_start)
		pool->threads[0].data = own.thread_start(own.arg);
	if (status != ROTA_OK)
		pool_destroy(pool);
	else
		*ret_pool = pool;
	return status;
}

enum rota_status rota_pool_new(const struct rota_pool_options *options, struct rota_pool **ret_pool,
	struct rota_error *err)
{
	return rota_pool_new_in(rota_world_real(), options, ret_pool, err);
}

uint32_t rota_pool_threads(const struct rota_pool *pool)
{
	return pool->thread_count ? pool->thread_count : 1;
}

size_t rota_pool_queued(const struct rota_pool *pool)
{
	return atomic_load_explicit(&pool->queued, memory_order_relaxed);
}

/* ---- stopping ---- */

/* Under the pool's lock, so that no thread takes another job meanwhile. */
static void stop_running(struct rota_pool *pool)
{
	uint32_t n = pool->world->threads ? pool->thread_count : 1;
	for (uint32_t i = 0; i < n; i++) {
		struct rota_running *running = &pool->threads[i].running;
		pthread_mutex_lock(&running->lock);
		if (running->job)
			rota_job_stop(running->job, ROTA_STOP_SHUTDOWN);
		pthread_mutex_unlock(&running->lock);
	}
}

/* True for the caller that has to join the threads. */
static bool begin_stop(struct rota_pool *pool, enum rota_stop how)
{
	pthread_mutex_lock(&pool->lock);
	struct rota_job *dropped = NULL;
	if (!pool->stopping || how > pool->how)
		pool->how = how;
	pool->stopping = true;
	if (pool->how != ROTA_STOP_DRAIN)
		dropped = queue_take_all(pool);
	if (pool->how == ROTA_STOP_ABORT)
		stop_running(pool);
	bool joins = !pool->joining;
	pool->joining = true;
	pthread_mutex_unlock(&pool->lock);
	release_all(dropped);
	return joins;
}

static void end_threads(struct rota_pool *pool)
{
	wake_everybody(pool);
	for (uint32_t i = 0; i < pool->thread_count; i++)
		pthread_join(pool->threads[i].id, NULL);
	if (!pool->world->threads) {
		rota_pool_step(pool);
		if (pool->options.thread_end)
			pool->options.thread_end(pool->threads[0].data, pool->options.arg);
	}
	pthread_mutex_lock(&pool->lock);
	atomic_store(&pool->ended, 1);
	struct rota_job *late = queue_take_all(pool);
	pthread_mutex_unlock(&pool->lock);
	release_all(late);
	pool->world->wake(pool->world, (const uint32_t *)&pool->ended, 1);
}

void rota_pool_stop(struct rota_pool *pool, enum rota_stop how)
{
	if (begin_stop(pool, how)) {
		end_threads(pool);
		return;
	}
	while (!atomic_load(&pool->ended))
		pool->world->park(pool->world, (const uint32_t *)&pool->ended, 0, ROTA_TICK_NEVER);
}

void rota_pool_free(struct rota_pool *pool)
{
	if (!pool)
		return;
	rota_pool_stop(pool, ROTA_STOP_DRAIN);
	pool_destroy(pool);
}
