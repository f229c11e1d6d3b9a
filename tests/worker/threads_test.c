/* Workers on real threads. */
#include "rig.h"

/* ---- each once ---- */

enum { RACE_TASKS = 20000, RACE_WORKERS = 4 };
static _Atomic int runs_of[RACE_TASKS + 1];

static enum rota_outcome count_run(struct rota_job *job, void *arg)
{
	_Atomic int *done = arg;
	CHECK_EQ(atomic_fetch_add(&runs_of[rota_job_task(job)], 1), 0);
	atomic_fetch_add(done, 1);
	return ROTA_OUTCOME_COMPLETE;
}

static void enqueue_thousands(struct rota_store *store, int n)
{
	struct rota_task *tasks = calloc(1000, sizeof(*tasks));
	struct rota_error err;
	CHECK(tasks);
	for (int i = 0; i < 1000; i++)
		tasks[i] = ROTA_TASK(.type = "x");
	for (int i = 0; i < n; i += 1000)
		CHECK_OK(rota_task_enqueue(store, tasks, 1000, NULL, &err), &err);
	free(tasks);
}

STORE_TEST(four_workers_race_over_twenty_thousand_tasks_and_run_each_once)
{
	struct rota_store *stores[2] = {rig_open(kind), rig_open(kind)};
	struct rota_worker *workers[RACE_WORKERS];
	struct rig_thread threads[RACE_WORKERS];
	struct rota_worker_options options = ROTA_INIT(rota_worker_options);
	_Atomic int done = 0;
	uint64_t completed = 0;
	options.concurrency = 2;
	options.drain = 1;
	enqueue_thousands(stores[0], RACE_TASKS);
	for (int i = 0; i < RACE_WORKERS; i++) {
		CHECK_OK(rota_worker_new(stores[i % 2], &options, &workers[i], NULL), NULL);
		rig_handle(workers[i], "x", count_run, &done);
		rig_run(&threads[i], workers[i]);
	}
	for (int i = 0; i < RACE_WORKERS; i++) {
		struct rota_worker_counts counts;
		pthread_join(threads[i].thread, NULL);
		CHECK_OK(threads[i].status, &threads[i].err);
		rota_worker_counts(workers[i], &counts);
		completed += counts.completed;
		CHECK_EQ(counts.refused, 0);
		rota_worker_free(workers[i]);
	}
	CHECK_EQ(atomic_load(&done), RACE_TASKS);
	CHECK_EQ(completed, RACE_TASKS);
	rota_store_close(stores[1]);
	rota_store_close(stores[0]);
}

/* ---- cancelled from another thread ---- */

static _Atomic int started, reason_seen;

static enum rota_outcome sleep_for_ever(struct rota_job *job, void *arg)
{
	(void)arg;
	atomic_fetch_add(&started, 1);
	atomic_store(&reason_seen, (int)rota_job_sleep(job, ROTA_FOREVER));
	return rota_job_retry(job, "stopped");
}

STORE_TEST(a_cancel_reaches_a_running_handler_at_once)
{
	struct rota_store *store = rig_open(kind);
	struct rota_worker *worker;
	struct rig_thread thread;
	struct rota_error err;
	int32_t state;
	CHECK_OK(rota_worker_new(store, NULL, &worker, &err), &err);
	rig_handle(worker, "x", sleep_for_ever, NULL);
	rig_run(&thread, worker);
	rota_id id = rig_enqueue(store, ROTA_TASK(.type = "x"));
	RIG_UNTIL(atomic_load(&started) == 1);
	CHECK_OK(rota_task_cancel(store, &id, 1, NULL, NULL, &err), &err);
	/* Far below a heartbeat, which is ten seconds. */
	CHECK_OK(rota_task_wait(store, &id, 1, 1, ROTA_SECONDS(5), &state, &err), &err);
	CHECK_EQ(state, ROTA_STATE_CANCELLED);
	CHECK_EQ(atomic_load(&reason_seen), ROTA_STOP_CANCELLED);
	rig_join(&thread);
	rota_worker_free(worker);
	rota_store_close(store);
}

/* Another handle is to this one what another process is. */
STORE_TEST(a_cancel_elsewhere_reaches_a_running_handler_in_a_second_or_two)
{
	struct rota_store *store = rig_open(kind), *elsewhere = rig_open(kind);
	struct rota_worker *worker;
	struct rig_thread thread;
	struct rota_error err;
	int32_t state;
	CHECK_OK(rota_worker_new(store, NULL, &worker, &err), &err);
	rig_handle(worker, "x", sleep_for_ever, NULL);
	rig_run(&thread, worker);
	rota_id id = rig_enqueue(store, ROTA_TASK(.type = "x"));
	RIG_UNTIL(atomic_load(&started) == 1);
	CHECK_OK(rota_task_cancel(elsewhere, &id, 1, NULL, NULL, &err), &err);
	CHECK_OK(rota_task_wait(elsewhere, &id, 1, 1, ROTA_SECONDS(5), &state, &err), &err);
	CHECK_EQ(state, ROTA_STATE_CANCELLED);
	rig_join(&thread);
	rota_worker_free(worker);
	rota_store_close(elsewhere);
	rota_store_close(store);
}

/* ---- later ---- */

struct later {
	pthread_mutex_t lock;
	struct rota_job *jobs[1000];
	int count, most;
	bool closing;
	_Atomic int in_hand, above;
};

static enum rota_outcome hand_over(struct rota_job *job, void *arg)
{
	struct later *later = arg;
	int now = atomic_fetch_add(&later->in_hand, 1) + 1;
	if (now > 8)
		atomic_fetch_add(&later->above, 1);
	pthread_mutex_lock(&later->lock);
	later->jobs[later->count++] = job;
	later->most = ROTA_MAX(later->most, later->count);
	pthread_mutex_unlock(&later->lock);
	return ROTA_OUTCOME_LATER;
}

static struct rota_job *take(struct later *later)
{
	pthread_mutex_lock(&later->lock);
	struct rota_job *job = later->count ? later->jobs[--later->count] : NULL;
	pthread_mutex_unlock(&later->lock);
	return job;
}

static void *end_them(void *arg)
{
	struct later *later = arg;
	for (int ended = 0; ended < 500;) {
		struct rota_job *job = take(later);
		if (!job) {
			rig_nap();
			continue;
		}
		atomic_fetch_sub(&later->in_hand, 1);
		rota_job_end(job, rota_job_complete(job, "x", 1));
		ended++;
	}
	return NULL;
}

STORE_TEST(jobs_that_end_later_need_no_thread_and_count_as_running)
{
	struct rota_store *store = rig_open(kind);
	struct rota_worker_options options = ROTA_INIT(rota_worker_options);
	struct rota_pool_options pool_options = ROTA_INIT(rota_pool_options);
	struct later later = {.lock = PTHREAD_MUTEX_INITIALIZER};
	struct rota_worker *worker;
	struct rota_worker_counts counts;
	struct rota_error err;
	pthread_t ender;
	pool_options.threads = 2;
	CHECK_OK(rota_pool_new(&pool_options, &options.pool, &err), &err);
	options.concurrency = 8;
	options.buffer = 20;
	options.drain = 1;
	CHECK_OK(rota_worker_new(store, &options, &worker, &err), &err);
	rig_handle(worker, "x", hand_over, &later);
	for (int i = 0; i < 500; i++)
		rig_enqueue(store, ROTA_TASK(.type = "x"));
	CHECK_EQ(pthread_create(&ender, NULL, end_them, &later), 0);
	CHECK_OK(rota_worker_run(worker, &err), &err);
	pthread_join(ender, NULL);
	rota_worker_counts(worker, &counts);
	CHECK_EQ(counts.completed, 500);
	CHECK_EQ(atomic_load(&later.above), 0);
	CHECK_MSG(later.most > 2, "never more than %d at once", later.most);
	rota_worker_free(worker);
	rota_pool_free(options.pool);
	rota_store_close(store);
}

/* ---- a pool for two ---- */

STORE_TEST(two_workers_share_a_pool)
{
	struct rota_store *store = rig_open(kind);
	struct rota_worker_options options = ROTA_INIT(rota_worker_options);
	struct rota_worker *workers[2];
	struct rig_thread threads[2];
	const char *queues[] = {"a", "b"};
	_Atomic int done = 0;
	CHECK_OK(rota_pool_new(NULL, &options.pool, NULL), NULL);
	options.drain = 1;
	for (int i = 0; i < 1000; i++)
		rig_enqueue(store, ROTA_TASK(.type = "x", .queue = queues[i % 2]));
	for (int i = 0; i < 2; i++) {
		options.queues = &queues[i];
		options.queue_count = 1;
		CHECK_OK(rota_worker_new(store, &options, &workers[i], NULL), NULL);
		rig_handle(workers[i], "x", count_run, &done);
		rig_run(&threads[i], workers[i]);
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i].thread, NULL);
		rota_worker_free(workers[i]);
	}
	CHECK_EQ(atomic_load(&done), 1000);
	rota_pool_free(options.pool);
	rota_store_close(store);
}

/* ---- anything, at random ---- */

struct chaos {
	_Atomic uint64_t seed;
	_Atomic int runs;
};

static enum rota_outcome anything(struct rota_job *job, void *arg)
{
	struct chaos *chaos = arg;
	uint64_t state = atomic_fetch_add(&chaos->seed, 0x9e3779b97f4a7c15),
		 dice = test_random(&state);
	struct rota_task follow_up = ROTA_TASK(.type = "leaf");
	atomic_fetch_add(&chaos->runs, 1);
	if (dice % 7 == 0)
		rota_job_progress(job, (int64_t)(dice % 100), 100);
	if (dice % 11 == 0)
		(void)rota_job_sleep(job, (rota_duration)(dice % 3000));
	switch (dice >> 32 & 15) {
	case 0:
		return rota_job_retry_after(job, 0, "dice %d", (int)(dice % 10));
	case 1:
		return rota_job_retry_after(job, (rota_duration)(dice % 2000), "dice");
	case 2:
		return rota_job_snooze(job, (rota_duration)(dice % 2000), NULL);
	case 3:
		return rota_job_release(job);
	case 4:
		return rota_job_fail(job, "dice");
	case 5:
		return rota_job_cancel(job, "dice");
	case 6:
		if (strcmp(rota_job_type(job), "leaf") != 0)
			CHECK_OK(rota_job_enqueue(job, &follow_up, 1, NULL), NULL);
		return ROTA_OUTCOME_COMPLETE;
	default:
		return rota_job_complete(job, "result", dice % 7);
	}
}

static void *cancel_some(void *arg)
{
	struct rota_store *store = arg;
	uint64_t seed = test_seed();
	for (int i = 0; i < 200; i++) {
		rota_id id = 1 + (rota_id)(test_random(&seed) % 3000);
		enum rota_status each;
		CHECK_OK(rota_task_cancel(store, &id, 1, "chaos", &each, NULL), NULL);
		rig_nap();
	}
	return NULL;
}

/* Workers that come and go, handlers that say anything, somebody who cancels: in the end every task
 * is final and none was lost. */
STORE_TEST(whatever_handlers_say_every_task_ends)
{
	struct rota_store *store = rig_open(kind);
	struct rota_worker_options options = ROTA_INIT(rota_worker_options);
	struct chaos chaos = {.seed = test_seed()};
	struct rota_queue_list *list = NULL;
	struct rota_error err;
	pthread_t canceller;
	enqueue_thousands(store, 3000);
	CHECK_EQ(pthread_create(&canceller, NULL, cancel_some, store), 0);
	options.concurrency = 3;
	for (int round = 0; round < 6; round++) {
		struct rig_thread threads[2];
		options.drain = round == 5;
		for (int i = 0; i < 2; i++) {
			struct rota_worker *worker;
			CHECK_OK(rota_worker_new(store, &options, &worker, &err), &err);
			rig_handle(worker, NULL, anything, &chaos);
			rig_run(&threads[i], worker);
		}
		for (int i = 0; i < 20; i++)
			rig_nap();
		if (round == 4)
			pthread_join(canceller, NULL);
		for (int i = 0; i < 2; i++) {
			if (options.drain)
				pthread_join(threads[i].thread, NULL);
			else
				rig_join(&threads[i]);
			CHECK_OK(threads[i].status, &threads[i].err);
			rota_worker_free(threads[i].worker);
		}
	}
	CHECK_OK(rota_queue_list(store, &list, &err), &err);
	CHECK_EQ(list->count, 1);
	const uint64_t *count = list->queues[0]->count;
	CHECK_EQ(count[ROTA_STATE_READY] + count[ROTA_STATE_RUNNING] + count[ROTA_STATE_SCHEDULED] +
			 count[ROTA_STATE_BLOCKED],
		0);
	CHECK(count[ROTA_STATE_COMPLETED] + count[ROTA_STATE_FAILED] +
			count[ROTA_STATE_CANCELLED] >=
		3000);
	rota_queue_list_free(list);
	rota_store_close(store);
}
