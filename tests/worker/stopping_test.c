/* Stopping, draining. */
#include <signal.h>
#include <unistd.h>
#include "rig.h"

static enum rota_outcome no_op(struct rota_job *job, void *arg)
{
	(void)job;
	if (arg)
		++*(int *)arg;
	return ROTA_OUTCOME_COMPLETE;
}

static void stop_first(struct rig *rig)
{
	rota_worker_stop(rig->workers[0]);
}

static void at(struct rig *rig, rota_duration in, void (*action)(struct rig *))
{
	rig->action = action;
	rig->action_at = rig->world.now(&rig->world) + in;
}

static enum rota_outcome sleep_five(struct rota_job *job, void *arg)
{
	(void)arg;
	if (rota_job_sleep(job, ROTA_SECONDS(5)))
		return rota_job_retry(job, "stopped");
	return ROTA_OUTCOME_COMPLETE;
}

STORE_TEST(a_stopped_worker_gives_back_what_waits_and_lets_the_rest_end)
{
	struct rig *rig = rig_new(kind);
	struct rota_worker_options options = ROTA_INIT(rota_worker_options);
	struct rota_worker_counts counts;
	rota_id ids[10];
	options.concurrency = 1;
	options.buffer = 5;
	struct rota_worker *worker = rig_worker(rig, &options);
	rig_handle(worker, "warm", no_op, NULL); /* so that the buffer is used */
	rig_handle(worker, "x", sleep_five, NULL);
	rig_enqueue(rig->store, ROTA_TASK(.type = "warm"));
	for (int i = 0; i < 10; i++)
		ids[i] = rig_enqueue(rig->store, ROTA_TASK(.type = "x"));
	at(rig, ROTA_SECONDS(1), stop_first);
	rig_start(rig, worker);
	rig_wait_over(rig, worker);
	rota_worker_counts(worker, &counts);
	CHECK_EQ(counts.completed, 2);
	CHECK(counts.released > 0);
	CHECK_EQ(counts.claimed, counts.completed + counts.released);
	CHECK_EQ(rig_state(rig->store, ids[0]), ROTA_STATE_COMPLETED);
	for (int i = 1; i < 10; i++) {
		struct rota_task_info *info = rig_get(rig->store, ids[i]);
		CHECK_EQ(info->state, ROTA_STATE_READY);
		CHECK_EQ(info->attempt, 0);
		rota_task_info_free(info);
	}
	rig_free(rig);
}

struct stubborn {
	enum rota_stop_reason reason;
	rota_duration took;
};

static enum rota_outcome until_stopped(struct rota_job *job, void *arg)
{
	struct stubborn *stubborn = arg;
	rota_tick began = job->world->now(job->world);
	stubborn->reason = rota_job_sleep(job, ROTA_FOREVER);
	stubborn->took = job->world->now(job->world) - began;
	return rota_job_retry(job, "had to stop");
}

STORE_TEST(after_the_grace_running_jobs_are_told_and_given_back)
{
	struct rig *rig = rig_new(kind);
	struct stubborn stubborn = {0};
	struct rota_worker *worker = rig_worker(rig, NULL);
	rig_handle(worker, "x", until_stopped, &stubborn);
	rota_id id = rig_enqueue(rig->store, ROTA_TASK(.type = "x"));
	at(rig, ROTA_SECONDS(1), stop_first);
	rig_start(rig, worker);
	rig_wait_over(rig, worker);
	CHECK_EQ(stubborn.reason, ROTA_STOP_SHUTDOWN);
	CHECK_EQ(stubborn.took, ROTA_SECONDS(11));
	struct rota_task_info *info = rig_get(rig->store, id);
	CHECK_EQ(info->state, ROTA_STATE_READY);
	CHECK_EQ(info->attempt, 0);
	rota_task_info_free(info);
	rig_free(rig);
}

static void stop_twice(struct rig *rig)
{
	rota_worker_stop(rig->workers[0]);
	rota_worker_stop(rig->workers[0]);
}

STORE_TEST(a_second_stop_does_not_wait_for_the_grace)
{
	struct rig *rig = rig_new(kind);
	struct stubborn stubborn = {0};
	struct rota_worker *worker = rig_worker(rig, NULL);
	rig_handle(worker, "x", until_stopped, &stubborn);
	rig_enqueue(rig->store, ROTA_TASK(.type = "x"));
	at(rig, ROTA_SECONDS(1), stop_twice);
	rig_start(rig, worker);
	rig_wait_over(rig, worker);
	CHECK_EQ(stubborn.took, ROTA_SECONDS(1));
	rig_free(rig);
}

STORE_TEST(outcomes_are_stored_before_a_worker_ends_even_if_the_store_stumbles)
{
	struct rig *rig = rig_new(kind);
	struct rota_worker *worker = rig_worker(rig, NULL);
	rig_fault(rig);
	rig_handle(worker, "x", sleep_five, NULL);
	rota_id id = rig_enqueue(rig->store, ROTA_TASK(.type = "x"));
	at(rig, ROTA_SECONDS(1), stop_first);
	rig->fault.run[ROTA_OP_FINISH] = ROTA_UNAVAILABLE;
	rig_start(rig, worker);
	rig_wait_over(rig, worker);
	CHECK_EQ(rig_state(rig->store, id), ROTA_STATE_COMPLETED);
	rig_free(rig);
}

static void stop_and_break(struct rig *rig)
{
	rig->fault.begin = ROTA_UNAVAILABLE;
	rota_worker_stop(rig->workers[0]);
}

STORE_TEST(a_worker_ends_although_its_store_is_gone)
{
	struct rig *rig = rig_new(kind);
	struct rota_worker *worker = rig_worker(rig, NULL);
	rig_fault(rig);
	rig_handle(worker, "x", sleep_five, NULL);
	rota_id id = rig_enqueue(rig->store, ROTA_TASK(.type = "x"));
	at(rig, ROTA_SECONDS(1), stop_and_break);
	rig_start(rig, worker);
	rig_wait_over(rig, worker);
	CHECK_EQ(rig_log_count(rig, "1 outcomes could not be stored"), 1);
	rig->fault.begin = ROTA_OK;
	CHECK_EQ(rig_state(rig->store, id), ROTA_STATE_RUNNING);
	rig_free(rig);
}

/* ---- drain ---- */

STORE_TEST(drain_waits_for_scheduled_tasks_and_leaves_the_rest)
{
	struct rig *rig = rig_new(kind);
	struct rota_worker_options options = ROTA_INIT(rota_worker_options);
	const char *queues[] = {"q"};
	int runs = 0;
	options.concurrency = 2;
	options.drain = 1;
	options.queues = queues;
	options.queue_count = 1;
	struct rota_worker *worker = rig_worker(rig, &options);
	rig_handle(worker, "x", no_op, &runs);
	rota_id later = rig_enqueue(
		rig->store, ROTA_TASK(.type = "x", .queue = "q", .delay = ROTA_SECONDS(600)));
	rota_id other_type = rig_enqueue(rig->store, ROTA_TASK(.type = "y", .queue = "q"));
	rota_id other_queue = rig_enqueue(rig->store, ROTA_TASK(.type = "x"));
	for (int i = 0; i < 20; i++)
		rig_enqueue(rig->store, ROTA_TASK(.type = "x", .queue = "q"));
	rig_start(rig, worker);
	rig_wait_over(rig, worker);
	CHECK_EQ(runs, 21);
	CHECK_EQ(rig_state(rig->store, later), ROTA_STATE_COMPLETED);
	CHECK_EQ(rig_state(rig->store, other_type), ROTA_STATE_READY);
	CHECK_EQ(rig_state(rig->store, other_queue), ROTA_STATE_READY);
	rig_free(rig);
}

STORE_TEST(drain_of_nothing_ends_at_once)
{
	struct rig *rig = rig_new(kind);
	struct rota_worker_options options = ROTA_INIT(rota_worker_options);
	options.drain = 1;
	struct rota_worker *worker = rig_worker(rig, &options);
	rota_tick before = rig->world.now(&rig->world);
	rig_handle(worker, "x", no_op, NULL);
	rig_start(rig, worker);
	rig_wait_over(rig, worker);
	CHECK_EQ(rig->world.now(&rig->world) - before, 0);
	rig_free(rig);
}

STORE_TEST(run_in_a_world_without_threads_steps_the_lane_too)
{
	struct rig *rig = rig_new(kind);
	struct rota_worker_options options = ROTA_INIT(rota_worker_options);
	struct rota_error err;
	int runs = 0;
	options.drain = 1;
	struct rota_worker *worker = rig_worker(rig, &options);
	rig_handle(worker, "x", no_op, &runs);
	rig_enqueue(rig->store, ROTA_TASK(.type = "x"));
	rig_enqueue(rig->store, ROTA_TASK(.type = "x", .delay = ROTA_SECONDS(60)));
	CHECK_OK(rota_worker_run(worker, &err), &err);
	CHECK_EQ(runs, 2);
	CHECK_STATUS(rota_worker_run(worker, &err), ROTA_INVALID, &err);
	rig_free(rig);
}

/* ---- on threads ---- */

static _Atomic int running, let_go;

static enum rota_outcome ignore_everything(struct rota_job *job, void *arg)
{
	(void)job, (void)arg;
	atomic_fetch_add(&running, 1);
	while (!atomic_load(&let_go))
		rig_nap();
	return ROTA_OUTCOME_COMPLETE;
}

STORE_TEST(a_worker_stopped_twice_returns_although_a_handler_does_not)
{
	struct rota_store *store = rig_open(kind);
	struct rota_worker_options options = ROTA_INIT(rota_worker_options);
	struct rota_pool_options pool_options = ROTA_INIT(rota_pool_options);
	struct rig_thread thread;
	struct rota_worker *worker;
	pool_options.threads = 1;
	CHECK_OK(rota_pool_new(&pool_options, &options.pool, NULL), NULL);
	CHECK_OK(rota_worker_new(store, &options, &worker, NULL), NULL);
	rig_handle(worker, "x", ignore_everything, NULL);
	rota_id id = rig_enqueue(store, ROTA_TASK(.type = "x"));
	rig_run(&thread, worker);
	RIG_UNTIL(atomic_load(&running) == 1);
	rota_worker_stop(worker);
	rig_join(&thread);
	/* Its lease ended when the worker left; maintenance may have noticed. */
	enum rota_state state = rig_state(store, id);
	CHECK(state == ROTA_STATE_RUNNING || state == ROTA_STATE_READY);
	/* What it says at last is not heard, and hurts nobody. */
	atomic_store(&let_go, 1);
	rota_pool_free(options.pool);
	rota_worker_free(worker);
	rota_store_close(store);
}

static struct rota_worker *signalled;

static void on_signal(int number)
{
	(void)number;
	rota_worker_stop(signalled);
}

static enum rota_outcome raise_signal(struct rota_job *job, void *arg)
{
	(void)arg;
	kill(getpid(), SIGTERM);
	(void)rota_job_sleep(job, ROTA_MS(20));
	return ROTA_OUTCOME_COMPLETE;
}

STORE_TEST(a_signal_handler_may_stop_a_worker)
{
	struct rota_store *store = rig_open(kind);
	struct rota_error err;
	struct sigaction action = {.sa_handler = on_signal};
	CHECK_EQ(sigaction(SIGTERM, &action, NULL), 0);
	CHECK_OK(rota_worker_new(store, NULL, &signalled, &err), &err);
	rig_handle(signalled, "x", raise_signal, NULL);
	rota_id id = rig_enqueue(store, ROTA_TASK(.type = "x"));
	CHECK_OK(rota_worker_run(signalled, &err), &err);
	CHECK_EQ(rig_state(store, id), ROTA_STATE_COMPLETED);
	rota_worker_free(signalled);
	rota_store_close(store);
}

STORE_TEST(a_worker_stopped_before_it_runs_ends_at_once)
{
	struct rota_store *store = rig_open(kind);
	struct rota_worker *worker;
	struct rota_error err;
	CHECK_OK(rota_worker_new(store, NULL, &worker, &err), &err);
	rig_handle(worker, "x", no_op, NULL);
	rota_id id = rig_enqueue(store, ROTA_TASK(.type = "x"));
	rota_worker_stop(worker);
	CHECK_OK(rota_worker_run(worker, &err), &err);
	CHECK_EQ(rig_state(store, id), ROTA_STATE_READY);
	rota_worker_free(worker);
	rota_store_close(store);
}
