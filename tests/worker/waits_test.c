/* rota_wait_*, rota_task_wait. */
#include "rig.h"

static enum rota_outcome by_payload(struct rota_job *job, void *arg)
{
	(void)arg;
	return rota_job_payload(job).size ? rota_job_fail(job, "asked to")
					  : rota_job_complete(job, "r", 1);
}

static struct rig *rig_with_worker(const char *kind)
{
	struct rig *rig = rig_new(kind);
	struct rota_worker *worker = rig_worker(rig, NULL);
	rig_handle(worker, "x", by_payload, NULL);
	rig_start(rig, worker);
	return rig;
}

STORE_TEST(a_wait_for_all_returns_when_the_last_has_ended)
{
	struct rig *rig = rig_with_worker(kind);
	rota_tick before = rig->world.now(&rig->world);
	struct rota_error err;
	int32_t states[3];
	rota_id ids[3];
	for (int i = 0; i < 3; i++)
		ids[i] = rig_enqueue(
			rig->store, ROTA_TASK(.type = "x", .delay = ROTA_SECONDS(10 * (i + 1)),
					    .payload = {i == 1 ? "" : NULL, 0}));
	CHECK_OK(rota_task_wait(rig->store, ids, 3, 1, ROTA_SECONDS(100), states, &err), &err);
	CHECK_EQ(states[0], ROTA_STATE_COMPLETED);
	CHECK_EQ(states[2], ROTA_STATE_COMPLETED);
	rota_duration took = rig->world.now(&rig->world) - before;
	CHECK_MSG(took >= ROTA_SECONDS(30) && took <= ROTA_SECONDS(32), "%lld", (long long)took);
	rig_free(rig);
}

STORE_TEST(a_wait_for_any_returns_with_the_first)
{
	struct rig *rig = rig_with_worker(kind);
	struct rota_error err;
	int32_t states[2];
	rota_id ids[2] = {
		rig_enqueue(rig->store, ROTA_TASK(.type = "x", .delay = ROTA_SECONDS(60))),
		rig_enqueue(rig->store,
			ROTA_TASK(.type = "x", .delay = ROTA_SECONDS(5), .payload = {"f", 1}))};
	CHECK_OK(rota_task_wait(rig->store, ids, 2, 0, ROTA_SECONDS(100), states, &err), &err);
	CHECK_EQ(states[0], -2);
	CHECK_EQ(states[1], ROTA_STATE_FAILED);
	rig_free(rig);
}

/* TestNotification: ended before the wait, and after it was armed; both outcomes. */
static void notification(const char *kind, bool wait_first, bool fails)
{
	struct rig *rig = rig_with_worker(kind);
	struct rota_wait *wait = NULL;
	struct rota_error err;
	int32_t state = -2;
	rota_id id = rig_enqueue(
		rig->store, ROTA_TASK(.type = "x", .payload = {fails ? "f" : NULL, fails}));
	if (!wait_first)
		(void)rig_wait_final(rig, id);
	CHECK_OK(rota_wait_new(rig->store, &id, 1, &wait, &err), &err);
	if (wait_first)
		(void)rig_wait_final(rig, id);
	CHECK_OK(rota_wait_for(wait, 1, 0, &state, &err), &err);
	CHECK_EQ(state, fails ? ROTA_STATE_FAILED : ROTA_STATE_COMPLETED);
	state = -2;
	CHECK_OK(rota_wait_for(wait, 0, ROTA_SECONDS(1), &state, &err), &err); /* again */
	CHECK_EQ(state, fails ? ROTA_STATE_FAILED : ROTA_STATE_COMPLETED);
	rota_wait_free(wait);
	rig_free(rig);
}

STORE_TEST(notification_completed_before_the_wait)
{
	notification(kind, false, false);
}

STORE_TEST(notification_completed_after_the_wait_was_armed)
{
	notification(kind, true, false);
}

STORE_TEST(notification_failed_before_the_wait)
{
	notification(kind, false, true);
}

STORE_TEST(notification_failed_after_the_wait_was_armed)
{
	notification(kind, true, true);
}

STORE_TEST(a_wait_times_out_and_says_what_it_knows)
{
	struct rig *rig = rig_with_worker(kind);
	rota_tick before = rig->world.now(&rig->world);
	struct rota_error err;
	int32_t states[2];
	rota_id ids[2] = {rig_enqueue(rig->store, ROTA_TASK(.type = "x")),
		rig_enqueue(rig->store, ROTA_TASK(.type = "nobody"))};
	CHECK_STATUS(rota_task_wait(rig->store, ids, 2, 1, ROTA_SECONDS(7), states, &err),
		ROTA_TIMED_OUT, &err);
	CHECK_EQ(rig->world.now(&rig->world) - before, ROTA_SECONDS(7));
	CHECK_EQ(states[0], ROTA_STATE_COMPLETED);
	CHECK_EQ(states[1], -2);
	rig_free(rig);
}

static void delete_first(struct rig *rig)
{
	rota_id id = 1;
	CHECK_OK(rota_task_delete(rig->store, &id, 1, 0, NULL, NULL, NULL), NULL);
}

STORE_TEST(deletion_ends_a_wait_and_so_does_a_task_that_never_was)
{
	struct rig *rig = rig_new(kind);
	struct rota_error err;
	int32_t states[2];
	rota_id ids[2] = {rig_enqueue(rig->store, ROTA_TASK(.type = "x")), 4711};
	rig->action = delete_first;
	rig->action_at = rig->world.now(&rig->world) + ROTA_SECONDS(3);
	CHECK_OK(rota_task_wait(rig->store, ids, 2, 1, ROTA_SECONDS(7), states, &err), &err);
	CHECK_EQ(states[0], -1);
	CHECK_EQ(states[1], -1);
	rig_free(rig);
}

STORE_TEST(a_completed_task_that_is_not_kept_ends_a_wait)
{
	struct rig *rig = rig_with_worker(kind);
	struct rota_queue_settings settings = ROTA_QUEUE_SETTINGS_INIT;
	struct rota_error err;
	int32_t state;
	settings.keep_completed = 0;
	CHECK_OK(rota_queue_set(rig->store, "default", &settings, &err), &err);
	rota_id id = rig_enqueue(rig->store, ROTA_TASK(.type = "x", .delay = ROTA_SECONDS(1)));
	CHECK_OK(rota_task_wait(rig->store, &id, 1, 1, ROTA_SECONDS(7), &state, &err), &err);
	CHECK_EQ(state, ROTA_STATE_COMPLETED);
	CHECK_EQ(rig_state(rig->store, id), -1);
	rig_free(rig);
}

TEST(senseless_waits_are_refused)
{
	struct rig *rig = rig_new("memory");
	struct rota_error err;
	rota_id id = -3;
	CHECK_STATUS(rota_task_wait(rig->store, NULL, 0, 1, 0, NULL, &err), ROTA_INVALID, &err);
	CHECK_STATUS(rota_task_wait(rig->store, &id, 1, 1, 0, NULL, &err), ROTA_INVALID, &err);
	CHECK_EQ(err.item, 1);
	id = 1;
	CHECK_STATUS(rota_task_wait(rig->store, &id, 1, 1, -1, NULL, &err), ROTA_INVALID, &err);
	rig_free(rig);
}

STORE_TEST(a_cancelled_wait_stays_cancelled)
{
	struct rig *rig = rig_new(kind);
	struct rota_wait *wait = NULL;
	struct rota_error err;
	rota_id id = rig_enqueue(rig->store, ROTA_TASK(.type = "x"));
	CHECK_OK(rota_wait_new(rig->store, &id, 1, &wait, &err), &err);
	rota_wait_cancel(wait);
	rota_wait_cancel(wait);
	CHECK_STATUS(rota_wait_for(wait, 1, ROTA_FOREVER, NULL, &err), ROTA_CANCELLED, &err);
	CHECK_STATUS(rota_wait_for(wait, 0, ROTA_FOREVER, NULL, &err), ROTA_CANCELLED, &err);
	rota_wait_free(wait);
	rota_wait_free(NULL);
	rig_free(rig);
}

/* ---- on threads ---- */

struct waiter {
	pthread_t thread;
	struct rota_store *store;
	struct rota_wait *wait;
	rota_id ids[3];
	int all;
	enum rota_status status;
	int32_t states[3];
};
static _Atomic int waiting;

static void *wait_for_three(void *arg)
{
	struct waiter *waiter = arg;
	atomic_fetch_add(&waiting, 1);
	waiter->status = rota_task_wait(
		waiter->store, waiter->ids, 3, waiter->all, ROTA_SECONDS(30), waiter->states, NULL);
	return NULL;
}

enum { WAITERS = 40, WAITED = 100 };

/* Every waiter waits for some of the same hundred tasks. */
STORE_TEST(many_waiters_on_the_same_tasks_all_return)
{
	struct rota_store *store = rig_open(kind);
	struct waiter waiters[WAITERS];
	struct rig_thread thread;
	struct rota_worker *worker;
	rota_id ids[WAITED];
	CHECK_OK(rota_worker_new(store, NULL, &worker, NULL), NULL);
	rig_handle(worker, "x", by_payload, NULL);
	for (int i = 0; i < WAITED; i++)
		ids[i] = rig_enqueue(store, ROTA_TASK(.type = "x"));
	for (int i = 0; i < WAITERS; i++) {
		waiters[i] = (struct waiter){
			.store = store, .all = i % 2, .ids = {ids[i], ids[2 * i], ids[WAITED - 1]}};
		CHECK_EQ(pthread_create(&waiters[i].thread, NULL, wait_for_three, &waiters[i]), 0);
	}
	RIG_UNTIL(atomic_load(&waiting) == WAITERS);
	rig_run(&thread, worker);
	for (int i = 0; i < WAITERS; i++) {
		pthread_join(waiters[i].thread, NULL);
		CHECK_OK(waiters[i].status, NULL);
		for (int k = 0; k < 3 && waiters[i].all; k++)
			CHECK_EQ(waiters[i].states[k], ROTA_STATE_COMPLETED);
	}
	rig_join(&thread);
	rota_worker_free(worker);
	rota_store_close(store);
}

static void *wait_until_cancelled(void *arg)
{
	struct waiter *waiter = arg;
	atomic_fetch_add(&waiting, 1);
	waiter->status = rota_wait_for(waiter->wait, 1, ROTA_FOREVER, NULL, NULL);
	return NULL;
}

STORE_TEST(a_wait_is_cancelled_from_another_thread_for_all_who_wait)
{
	struct rota_store *store = rig_open(kind);
	struct waiter waiters[3];
	struct rota_wait *wait = NULL;
	rota_id id = rig_enqueue(store, ROTA_TASK(.type = "x"));
	CHECK_OK(rota_wait_new(store, &id, 1, &wait, NULL), NULL);
	for (int i = 0; i < 3; i++) {
		waiters[i] = (struct waiter){.wait = wait};
		CHECK_EQ(
			pthread_create(&waiters[i].thread, NULL, wait_until_cancelled, &waiters[i]),
			0);
	}
	RIG_UNTIL(atomic_load(&waiting) == 3);
	rota_wait_cancel(wait);
	for (int i = 0; i < 3; i++) {
		pthread_join(waiters[i].thread, NULL);
		CHECK_STATUS(waiters[i].status, ROTA_CANCELLED, NULL);
	}
	rota_wait_free(wait);
	rota_store_close(store);
}

/* Another handle is to this one what another process is. */
STORE_TEST(what_others_commit_ends_a_wait)
{
	struct rota_store *here = rig_open(kind), *there = rig_open(kind);
	struct waiter waiters[2];
	struct rota_error err;
	rota_id ids[3];
	for (int i = 0; i < 3; i++)
		ids[i] = rig_enqueue(here, ROTA_TASK(.type = "x"));
	for (int i = 0; i < 2; i++) {
		waiters[i] =
			(struct waiter){.store = here, .ids = {ids[0], ids[1], ids[2]}, .all = i};
		CHECK_EQ(pthread_create(&waiters[i].thread, NULL, wait_for_three, &waiters[i]), 0);
	}
	RIG_UNTIL(atomic_load(&waiting) == 2);
	for (int i = 0; i < 3; i++) {
		CHECK_OK(rota_task_cancel(there, &ids[i], 1, NULL, NULL, &err), &err);
		rig_nap();
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(waiters[i].thread, NULL);
		CHECK_OK(waiters[i].status, NULL);
	}
	CHECK_EQ(waiters[1].states[2], ROTA_STATE_CANCELLED);
	rota_store_close(there);
	rota_store_close(here);
}

static enum rota_outcome rarely_fails(struct rota_job *job, void *arg)
{
	(void)arg;
	return rota_job_task(job) % 100 ? rota_job_complete(job, NULL, 0)
					: rota_job_fail(job, "rare");
}

/* More ends in one commit than news name: everything is read again. */
STORE_TEST(a_wait_for_ten_thousand_tasks_sees_all_of_them)
{
	struct rota_store *store = rig_open(kind);
	struct rig_thread thread;
	struct rota_worker *worker;
	struct rota_error err;
	enum { N = 10000 };
	rota_id *ids = calloc(N, sizeof(*ids));
	int32_t *states = calloc(N, sizeof(*states));
	struct rota_task *tasks = calloc(N, sizeof(*tasks));
	for (int i = 0; i < N; i++)
		tasks[i] = ROTA_TASK(.type = "x");
	CHECK_OK(rota_task_enqueue(store, tasks, N, ids, &err), &err);
	CHECK_OK(rota_worker_new(store, NULL, &worker, &err), &err);
	rig_handle(worker, "x", rarely_fails, NULL);
	rig_run(&thread, worker);
	CHECK_OK(rota_task_wait(store, ids, N, 1, ROTA_SECONDS(40), states, &err), &err);
	for (int i = 0; i < N; i++)
		CHECK_EQ(states[i], ids[i] % 100 ? ROTA_STATE_COMPLETED : ROTA_STATE_FAILED);
	rig_join(&thread);
	rota_worker_free(worker);
	rota_store_close(store);
	free(ids);
	free(states);
	free(tasks);
}

STORE_TEST(one_commit_that_ends_more_tasks_than_news_name_ends_all_waits)
{
	struct rota_store *store = rig_open(kind);
	struct waiter waiter = {.store = store, .all = 1};
	struct rota_error err;
	enum { N = 2 * ROTA_NEWS_MAX };
	rota_id *ids = calloc(N, sizeof(*ids));
	struct rota_task *tasks = calloc(N, sizeof(*tasks));
	for (int i = 0; i < N; i++)
		tasks[i] = ROTA_TASK(.type = "x");
	CHECK_OK(rota_task_enqueue(store, tasks, N, ids, &err), &err);
	waiter.ids[0] = ids[0];
	waiter.ids[1] = ids[N / 2];
	waiter.ids[2] = ids[N - 1];
	CHECK_EQ(pthread_create(&waiter.thread, NULL, wait_for_three, &waiter), 0);
	RIG_UNTIL(atomic_load(&waiting) == 1);
	CHECK_OK(rota_task_cancel(store, ids, N, NULL, NULL, &err), &err);
	pthread_join(waiter.thread, NULL);
	CHECK_OK(waiter.status, NULL);
	CHECK_EQ(waiter.states[2], ROTA_STATE_CANCELLED);
	rota_store_close(store);
	free(ids);
	free(tasks);
}
