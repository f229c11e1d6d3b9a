/* Namespaces, several handles on one store, news between them. */
#include <pthread.h>
#include <stdatomic.h>
#include "suite.h"
#include "base/limits.h"

CASE(namespace_sees_claims_signals_and_deletes_only_its_own)
{
	struct rota_store *other = another("elsewhere");
	rota_id mine = PUT(.key = "same", .signals = 1), theirs = 0, found = 0;
	struct rota_task task = ROTA_TASK(.type = TYPE, .key = "same");
	struct rota_claims *claims = NULL;
	struct rota_task_info *info = NULL;
	struct rota_task_list *list = NULL;
	const char *before;

	CHECK_OK(rota_task_enqueue(other, &task, 1, &theirs, &err), &err);
	before = picture();
	CHECK_OK(rota_task_find(other, "same", &found, &err), &err);
	CHECK_EQ(found, theirs);
	CHECK_STATUS(rota_task_get(other, mine, &info, &err), ROTA_NOT_FOUND, &err);
	CHECK_OK(rota_task_list(other, NULL, &list, &err), &err);
	CHECK_EQ(list->count, 1);
	rota_task_list_free(list);
	CHECK_STATUS(rota_task_signal(other, mine, NULL, &err), ROTA_NOT_FOUND, &err);
	CHECK_STATUS(rota_task_cancel(other, &mine, 1, NULL, NULL, &err), ROTA_NOT_FOUND, &err);
	CHECK_STATUS(rota_task_retry(other, &mine, 1, NULL, &err), ROTA_NOT_FOUND, &err);
	CHECK_STATUS(rota_task_delete(other, &mine, 1, 0, NULL, NULL, &err), ROTA_NOT_FOUND, &err);
	CHECK_STATUS(rota_task_guard(other, mine, 1, &err), ROTA_NOT_FOUND, &err);
	CHECK_UNCHANGED(before);
	take_none();
	CHECK_OK(rota_task_claim(other, NULL, &claims, NULL, &err), &err);
	CHECK_EQ(claims->count, 1);
	CHECK_EQ(claims->tasks[0]->id, theirs);
	/* Its lease is worth nothing here. */
	CHECK_STATUS(try_finish(verdict((struct lease){ theirs, claims->tasks[0]->token, NULL },
		ROTA_OUTCOME_COMPLETE)), ROTA_NOT_FOUND, &err);
	rota_claims_free(claims);
}

CASE(edges_across_namespaces_are_refused)
{
	struct rota_store *other = another("elsewhere");
	rota_id mine = PUT(.key = "a2", .signals = 1);
	struct rota_task tasks[] = { ROTA_TASK(.type = TYPE, AFTER(ON(mine))), ROTA_TASK(.type = TYPE, AFTER(ON_KEY("a2"))),
		ROTA_TASK(.type = TYPE, BEFORE(ON(mine))) };

	for (int i = 0; i < 3; i++)
		CHECK_STATUS(rota_task_enqueue(other, &tasks[i], 1, NULL, &err), ROTA_NOT_FOUND, &err);
	CHECK_EQ(get(mine)->pending, 1);
}

CASE(queues_of_one_name_in_two_namespaces_are_two_queues)
{
	struct rota_store *other = another("elsewhere");
	struct rota_task task = ROTA_TASK(.type = TYPE, .queue = "q");
	struct rota_claims *claims = NULL;
	uint64_t deleted = 0;

	PUT(.queue = "q");
	CHECK_OK(rota_task_enqueue(other, &task, 1, NULL, &err), &err);
	CHECK_OK(rota_queue_pause(store, "q", &err), &err);
	take_none();
	CHECK_OK(rota_task_claim(other, NULL, &claims, NULL, &err), &err);
	CHECK_EQ(claims->count, 1);
	rota_claims_free(claims);
	CHECK_OK(rota_queue_purge(store, "q", &deleted, &err), &err);
	CHECK_EQ(deleted, 1);
}

CASE(retention_and_rescue_of_one_namespace_leave_the_other_as_it_is)
{
	struct rota_store *other = another("elsewhere");
	struct rota_task task = ROTA_TASK(.type = TYPE, .key = "there");
	rota_id id = 0;
	enum rota_state state;
	struct rota_task_info *info = NULL;

	keep(0, 0);
	CHECK_OK(rota_task_enqueue(other, &task, 1, &id, &err), &err);
	CHECK_OK(rota_task_cancel(other, &id, 1, NULL, NULL, &err), &err);
	cancel(PUT(.key = "there"));
	maintain();
	CHECK_OK(rota_task_get(other, id, &info, &err), &err);
	state = info->state;
	rota_task_info_free(info);
	CHECK_EQ(state, ROTA_STATE_CANCELLED);
}

CASE(handles_of_one_namespace_share_everything)
{
	struct rota_store *second = another(NULL), *third = another(NULL);
	struct rota_task task = ROTA_TASK(.type = TYPE, .key = "shared");
	struct rota_claims *claims = NULL;
	struct rota_verdict v;
	rota_id id = 0;

	CHECK_OK(rota_task_enqueue(second, &task, 1, &id, &err), &err);
	CHECK_STATUS(rota_task_enqueue(third, &task, 1, NULL, &err), ROTA_EXISTS, &err);
	CHECK_STATE(id, ROTA_STATE_READY);
	CHECK_OK(rota_task_claim(third, NULL, &claims, NULL, &err), &err);
	CHECK_EQ(claims->count, 1);
	take_none();
	v = verdict((struct lease){ id, claims->tasks[0]->token, NULL }, ROTA_OUTCOME_COMPLETE);
	rota_claims_free(claims);
	CHECK_OK(rota_task_finish(second, &v, 1, NULL, &err), &err);
	CHECK_STATE(id, ROTA_STATE_COMPLETED);
}

CASE(ids_are_consecutive_within_a_call_whichever_handle_enqueued_before)
{
	struct rota_store *second = another(NULL);
	struct rota_task tasks[3] = { ROTA_TASK(.type = TYPE), ROTA_TASK(.type = TYPE), ROTA_TASK(.type = TYPE) };
	rota_id a[3], b[3], c[3];

	CHECK_OK(rota_task_enqueue(store, tasks, 3, a, &err), &err);
	CHECK_OK(rota_task_enqueue(second, tasks, 3, b, &err), &err);
	CHECK_OK(rota_task_enqueue(store, tasks, 3, c, &err), &err);
	CHECK_EQ(b[0], a[2] + 1);
	CHECK_EQ(c[0], b[2] + 1);
}

CASE(claim_that_waits_hears_of_what_another_handle_enqueued_for_later)
{
	struct rota_store *second = another(NULL);
	struct rota_task task = ROTA_TASK(.type = TYPE, .delay = ROTA_SECONDS(2));
	struct rota_claims *claims;

	CHECK_OK(rota_task_enqueue(second, &task, 1, NULL, &err), &err);
	claims = CLAIM(.wait = ROTA_SECONDS(60));
	CHECK_EQ(claims->count, 1);
}

/* ---- several threads, in real time ---- */

static _Atomic int claimed_by[4000];
static _Atomic int total;

static void *claimer(void *arg)
{
	struct rota_store *handle = arg;
	struct rota_error mine = { 0 };

	for (;;) {
		struct rota_claim_options o = ROTA_INIT(rota_claim_options);
		struct rota_verdict v[7];
		struct rota_claims *claims = NULL;
		size_t n;

		o.tasks_max = 7;
		CHECK_OK(rota_task_claim(handle, &o, &claims, NULL, &mine), &mine);
		n = claims->count;
		for (size_t i = 0; i < n; i++) {
			v[i] = verdict((struct lease){ claims->tasks[i]->id, claims->tasks[i]->token, NULL },
				ROTA_OUTCOME_COMPLETE);
			atomic_fetch_add(&claimed_by[claims->tasks[i]->priority], 1);
			atomic_fetch_add(&total, 1);
		}
		rota_claims_free(claims);
		if (!n)
			return NULL;
		CHECK_OK(rota_task_finish(handle, v, n, NULL, &mine), &mine);
	}
}

CASE_REAL(concurrent_claimers_never_get_the_same_task)
{
	enum { N = 2000, THREADS = 8 };
	static struct rota_task tasks[N];
	pthread_t threads[THREADS];
	struct rota_store *second = another(NULL);

	for (int i = 0; i < N; i++)
		tasks[i] = ROTA_TASK(.type = TYPE, .priority = i);
	put_all(tasks, N, NULL);
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&threads[i], NULL, claimer, i % 2 ? store : second));
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_join(threads[i], NULL));
	CHECK_EQ(total, N);
	for (int i = 0; i < N; i++)
		CHECK_EQ(claimed_by[i], 1);
}

static void *enqueuer(void *arg)
{
	struct rota_store *handle = arg;
	struct rota_error mine = { 0 };
	char key[16];

	for (int i = 0; i < 300; i++) {
		struct rota_task task = ROTA_TASK(.type = TYPE, .key = key, .on_conflict = ROTA_CONFLICT_IGNORE);

		snprintf(key, sizeof(key), "k%d", i % 50);
		CHECK_OK(rota_task_enqueue(handle, &task, 1, NULL, &mine), &mine);
	}
	return NULL;
}

CASE_REAL(concurrent_enqueuers_of_the_same_keys_make_each_task_once)
{
	pthread_t threads[4];
	struct rota_store *second = another(NULL);
	struct rota_task_list *list = NULL;

	for (int i = 0; i < 4; i++)
		CHECK(!pthread_create(&threads[i], NULL, enqueuer, i % 2 ? store : second));
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_join(threads[i], NULL));
	CHECK_OK(rota_task_list(store, NULL, &list, &err), &err);
	CHECK_EQ(list->count, 50);
	rota_task_list_free(list);
}

static void *late_enqueuer(void *arg)
{
	struct rota_error mine = { 0 };
	struct rota_task task = ROTA_TASK(.type = TYPE, .key = "late");

	CHECK_OK(rota_task_enqueue(arg, &task, 1, NULL, &mine), &mine);
	return NULL;
}

CASE_REAL(claim_that_waits_is_woken_by_another_threads_enqueue)
{
	pthread_t thread;
	struct rota_claims *claims;

	CHECK(!pthread_create(&thread, NULL, late_enqueuer, store));
	claims = CLAIM(.wait = ROTA_SECONDS(50));
	CHECK_EQ(claims->count, 1);
	CHECK_STR(claims->tasks[0]->key, "late");
	CHECK(!pthread_join(thread, NULL));
}

CASE_REAL(claim_that_waits_is_woken_by_another_handles_enqueue)
{
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, late_enqueuer, another(NULL)));
	CHECK_EQ(CLAIM(.wait = ROTA_SECONDS(50))->count, 1);
	CHECK(!pthread_join(thread, NULL));
}

static void *canceller(void *arg)
{
	rota_cancel_set(arg);
	return NULL;
}

CASE_REAL(claim_that_waits_is_ended_from_another_thread)
{
	struct rota_claim_options o = ROTA_INIT(rota_claim_options);
	struct rota_claims *claims = NULL;
	pthread_t thread;

	CHECK_OK(rota_cancel_new(&o.cancel, &err), &err);
	o.wait = ROTA_SECONDS(50);
	CHECK(!pthread_create(&thread, NULL, canceller, o.cancel));
	CHECK_STATUS(rota_task_claim(store, &o, &claims, NULL, &err), ROTA_CANCELLED, &err);
	CHECK(!pthread_join(thread, NULL));
	CHECK_STATUS(rota_task_claim(store, &o, &claims, NULL, &err), ROTA_CANCELLED, &err);
	rota_cancel_free(o.cancel);
}
