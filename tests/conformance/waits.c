/* Rule 7: waiting. */
#include <pthread.h>
#include "suite.h"
#include "base/limits.h"

#define NOT_YET (-2)
#define GONE (-1)

static struct rota_wait *wait_on(const rota_id *ids, size_t n)
{
	struct rota_wait *wait = NULL;

	CHECK_OK(rota_wait_new(store, ids, n, &wait, &err), &err);
	return wait;
}

CASE(wait_on_a_final_task_answers_at_once)
{
	rota_id done = PUT(), failed = PUT(), dropped = PUT();
	rota_id ids[] = { done, failed, dropped };
	rota_time start;
	int32_t states[3];

	run(done);
	fail(take_id(failed));
	cancel(dropped);
	start = now();
	CHECK_OK(rota_task_wait(store, ids, 3, 1, ROTA_SECONDS(9), states, &err), &err);
	CHECK_EQ(states[0], ROTA_STATE_COMPLETED);
	CHECK_EQ(states[1], ROTA_STATE_FAILED);
	CHECK_EQ(states[2], ROTA_STATE_CANCELLED);
	CHECK_EQ(now(), start);
}

CASE(wait_armed_before_the_end_misses_nothing)
{
	rota_id id = PUT();
	struct rota_wait *wait = wait_on(&id, 1);
	int32_t state = 99;

	run(id);
	CHECK_OK(rota_wait_for(wait, 1, ROTA_SECONDS(9), &state, &err), &err);
	CHECK_EQ(state, ROTA_STATE_COMPLETED);
	/* As often as one likes. */
	CHECK_OK(rota_wait_for(wait, 0, 0, &state, &err), &err);
	CHECK_EQ(state, ROTA_STATE_COMPLETED);
	rota_wait_free(wait);
}

CASE(wait_armed_before_the_end_misses_nothing_when_the_task_is_not_kept)
{
	rota_id id = PUT();
	struct rota_wait *wait = wait_on(&id, 1);
	int32_t state = 99;

	keep(0, 0);
	run(id);
	CHECK_OK(rota_wait_for(wait, 1, ROTA_SECONDS(9), &state, &err), &err);
	CHECK_EQ(state, ROTA_STATE_COMPLETED);
	rota_wait_free(wait);
}

CASE(wait_for_any_is_over_with_the_first_and_for_all_with_the_last)
{
	rota_id ids[] = { PUT(), PUT() };
	struct rota_wait *wait = wait_on(ids, 2);
	int32_t states[2] = { 99, 99 };

	run(ids[1]);
	CHECK_OK(rota_wait_for(wait, 0, ROTA_SECONDS(9), states, &err), &err);
	CHECK_EQ(states[0], NOT_YET);
	CHECK_EQ(states[1], ROTA_STATE_COMPLETED);
	CHECK_STATUS(rota_wait_for(wait, 1, ROTA_SECONDS(9), states, &err), ROTA_TIMED_OUT, &err);
	CHECK_EQ(states[0], NOT_YET);
	run(ids[0]);
	CHECK_OK(rota_wait_for(wait, 1, ROTA_SECONDS(9), states, &err), &err);
	CHECK_EQ(states[0], ROTA_STATE_COMPLETED);
	rota_wait_free(wait);
}

CASE(wait_times_out_and_says_what_it_knows)
{
	rota_id id = PUT();
	int32_t state = 99;
	rota_time start = now();

	CHECK_STATUS(rota_task_wait(store, &id, 1, 1, ROTA_SECONDS(5), &state, &err), ROTA_TIMED_OUT, &err);
	CHECK_EQ(state, NOT_YET);
	CHECK(now() - start >= ROTA_SECONDS(5));
	CHECK_STATUS(rota_task_wait(store, &id, 1, 1, 0, &state, &err), ROTA_TIMED_OUT, &err);
}

CASE(task_that_was_never_there_or_is_deleted_is_an_answer_of_the_wait)
{
	rota_id ids[] = { 987654, PUT() };
	struct rota_wait *wait;
	int32_t states[2] = { 99, 99 };

	CHECK_OK(rota_task_wait(store, ids, 2, 0, ROTA_SECONDS(5), states, &err), &err);
	CHECK_EQ(states[0], GONE);
	CHECK_EQ(states[1], NOT_YET);
	wait = wait_on(ids, 2);
	delete_one(ids[1]);
	CHECK_OK(rota_wait_for(wait, 1, ROTA_SECONDS(5), states, &err), &err);
	CHECK_EQ(states[1], GONE);
	rota_wait_free(wait);
}

CASE(task_deleted_by_a_cascade_or_a_purge_wakes_its_waiters)
{
	rota_id a = PUT(), b = PUT(AFTER(ON(a))), c = PUT(.queue = "q");
	rota_id ids[] = { b, c };
	struct rota_wait *wait = wait_on(ids, 2);
	int32_t states[2];

	CHECK_EQ(delete_tasks(&a, 1, ROTA_DELETE_CASCADE), 2);
	CHECK_OK(rota_queue_purge(store, "q", NULL, &err), &err);
	CHECK_OK(rota_wait_for(wait, 1, ROTA_SECONDS(5), states, &err), &err);
	CHECK_EQ(states[0], GONE);
	CHECK_EQ(states[1], GONE);
	rota_wait_free(wait);
}

CASE(retry_does_not_wake_and_used_up_attempts_do)
{
	struct rota_retry twice = ROTA_INIT(rota_retry);
	rota_id id;
	struct rota_wait *wait;
	int32_t state = 99;

	twice.attempts_max = 2;
	id = PUT(.retry = &twice);
	wait = wait_on(&id, 1);
	retry_at_once(take_id(id));
	CHECK_STATUS(rota_wait_for(wait, 1, ROTA_MS(1), &state, &err), ROTA_TIMED_OUT, &err);
	retry_at_once(take_id(id));
	CHECK_OK(rota_wait_for(wait, 1, ROTA_SECONDS(5), &state, &err), &err);
	CHECK_EQ(state, ROTA_STATE_FAILED);
	rota_wait_free(wait);
}

CASE(task_cancelled_by_a_failed_predecessor_wakes_its_waiters)
{
	rota_id a = PUT(), b = PUT(AFTER(OR_CANCEL(ON(a))));
	struct rota_wait *wait = wait_on(&b, 1);
	int32_t state = 99;

	fail(take_id(a));
	CHECK_OK(rota_wait_for(wait, 1, ROTA_SECONDS(5), &state, &err), &err);
	CHECK_EQ(state, ROTA_STATE_CANCELLED);
	rota_wait_free(wait);
}

CASE(cancelled_wait_ends_for_good_and_so_does_one_that_was_over)
{
	rota_id id = PUT(), done = PUT();
	struct rota_wait *wait = wait_on(&id, 1), *over;
	int32_t state = 99;

	rota_wait_cancel(wait);
	rota_wait_cancel(wait);
	CHECK_STATUS(rota_wait_for(wait, 1, ROTA_SECONDS(5), &state, &err), ROTA_CANCELLED, &err);
	CHECK_STATUS(rota_wait_for(wait, 0, ROTA_SECONDS(5), &state, &err), ROTA_CANCELLED, &err);
	rota_wait_free(wait);
	run(done);
	over = wait_on(&done, 1);
	rota_wait_cancel(over); /* parade's bug B2: it crashed */
	rota_wait_free(over);
	rota_wait_free(NULL);
}

CASE(any_number_of_waits_on_one_handle_hear_only_of_their_own)
{
	enum { N = 200 };
	struct rota_wait *waits[N];
	rota_id ids[N];
	int32_t state = 99;

	for (size_t i = 0; i < N; i++) {
		ids[i] = PUT(.notify_channel = "shared");
		waits[i] = wait_on(&ids[i], 1);
	}
	for (size_t i = 0; i < N; i += 2)
		run(ids[i]);
	for (size_t i = 0; i < N; i++) {
		enum rota_status want = i % 2 ? ROTA_TIMED_OUT : ROTA_OK;

		CHECK_STATUS(rota_wait_for(waits[i], 1, 0, &state, &err), want, &err);
		CHECK_EQ(state, i % 2 ? NOT_YET : (int)ROTA_STATE_COMPLETED);
		rota_wait_free(waits[i]);
	}
}

CASE(wait_hears_of_what_another_handle_did)
{
	struct rota_store *second = another(NULL);
	rota_id id = PUT();
	struct rota_wait *wait = wait_on(&id, 1);
	int32_t state = 99;

	CHECK_OK(rota_task_cancel(second, &id, 1, NULL, NULL, &err), &err);
	CHECK_OK(rota_wait_for(wait, 1, ROTA_SECONDS(5), &state, &err), &err);
	CHECK_EQ(state, ROTA_STATE_CANCELLED);
	rota_wait_free(wait);
}

/* ---- threads ---- */

static void *cancel_wait(void *arg)
{
	rota_wait_cancel(arg);
	return NULL;
}

CASE_REAL(wait_is_cancelled_from_another_thread)
{
	/* parade's bug B1: it stayed blocked for ever. */
	rota_id id = PUT();
	struct rota_wait *wait = wait_on(&id, 1);
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, cancel_wait, wait));
	CHECK_STATUS(rota_wait_for(wait, 1, ROTA_SECONDS(50), NULL, &err), ROTA_CANCELLED, &err);
	CHECK(!pthread_join(thread, NULL));
	rota_wait_free(wait);
}

static struct rota_wait *shared;

static void *wait_too(void *arg)
{
	struct rota_error mine = { 0 };
	int32_t state = 99;

	(void)arg;
	CHECK_OK(rota_wait_for(shared, 1, ROTA_SECONDS(50), &state, &mine), &mine);
	CHECK_EQ(state, ROTA_STATE_COMPLETED);
	return NULL;
}

CASE_REAL(several_threads_wait_on_one_wait)
{
	rota_id id = PUT();
	pthread_t threads[4];

	shared = wait_on(&id, 1);
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_create(&threads[i], NULL, wait_too, NULL));
	run(id);
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_join(threads[i], NULL));
	rota_wait_free(shared);
}

static void *finish_elsewhere(void *arg)
{
	const rota_id *id = arg;
	struct rota_error mine = { 0 };

	CHECK_OK(rota_task_cancel(another(NULL), id, 1, NULL, NULL, &mine), &mine);
	return NULL;
}

CASE_REAL(wait_is_woken_by_another_handle)
{
	rota_id id = PUT();
	pthread_t thread;
	int32_t state = 99;

	CHECK(!pthread_create(&thread, NULL, finish_elsewhere, &id));
	CHECK_OK(rota_task_wait(store, &id, 1, 1, ROTA_SECONDS(50), &state, &err), &err);
	CHECK_EQ(state, ROTA_STATE_CANCELLED);
	CHECK(!pthread_join(thread, NULL));
}
