/* Many tasks are changed by one statement: what one of them does to another in the same call. */
#include "test.h"

static struct rota_error err;

TEST(both_ends_of_an_edge_cancelled_in_one_call_count_once_for_a_third)
{
	struct rota_queue_settings settings = {sizeof(settings), ROTA_FOREVER, 0};
	struct rota_dependency on_a = {.nth = 1, .failed = ROTA_AFTER_CANCEL};
	struct rota_dependency on_both[] = {{.nth = 1}, {.nth = 2}};
	struct rota_task tasks[] = {ROTA_TASK(.type = "a"),
		ROTA_TASK(.type = "b", .after = &on_a, .after_count = 1),
		ROTA_TASK(.type = "c", .after = on_both, .after_count = 2)};
	struct rota_store *store = NULL;
	struct rota_task_info *info = NULL;
	rota_id ids[3], ends[2];

	CHECK_OK(rota_store_open(test_path("a.db"), NULL, &store, &err), &err);
	CHECK_OK(rota_queue_set(store, "default", &settings, &err), &err);
	CHECK_OK(rota_task_enqueue(store, tasks, 3, ids, &err), &err);
	ends[0] = ids[1];
	ends[1] = ids[0];
	CHECK_OK(rota_task_cancel(store, ends, 2, NULL, NULL, &err), &err);
	CHECK_OK(rota_task_get(store, ids[2], &info, &err), &err);
	CHECK_EQ(info->state, ROTA_STATE_READY);
	CHECK_EQ(info->failed_dependencies, 2);
	rota_task_info_free(info);
	rota_store_close(store);
}

/* More than one slice of rows, edges and successors, in all combinations of ends. */
TEST(a_fan_of_thousands_in_and_out_settles_every_edge_once)
{
	enum { WIDE = 3500 };
	struct rota_dependency *on_all = calloc(WIDE, sizeof(*on_all)),
			       on_middle = {.nth = WIDE + 1};
	struct rota_task *tasks = calloc(2 * WIDE + 1, sizeof(*tasks));
	struct rota_verdict *verdicts = calloc(WIDE, sizeof(*verdicts));
	struct rota_claim_options options = {.size = sizeof(options), .tasks_max = WIDE};
	struct rota_claims *claims = NULL;
	struct rota_store *store = NULL;

	CHECK(on_all && tasks && verdicts);
	for (size_t i = 0; i < WIDE; i++) {
		on_all[i].nth = i + 1;
		tasks[i] = ROTA_TASK(.type = "part");
		tasks[WIDE + 1 + i] =
			ROTA_TASK(.type = "leaf", .after = &on_middle, .after_count = 1);
	}
	tasks[WIDE] = ROTA_TASK(.type = "middle", .after = on_all, .after_count = WIDE);
	CHECK_OK(rota_store_open(test_path("a.db"), NULL, &store, &err), &err);
	CHECK_OK(rota_task_enqueue(store, tasks, 2 * WIDE + 1, NULL, &err), &err);
	for (size_t round = 0; round < 3; round++) {
		size_t want = round == 1 ? 1 : WIDE;

		CHECK_OK(rota_task_claim(store, &options, &claims, NULL, &err), &err);
		CHECK_EQ(claims->count, want);
		for (size_t i = 0; i < want; i++)
			verdicts[i] = (struct rota_verdict){.size = sizeof(*verdicts),
				.id = claims->tasks[want - 1 - i]->id,
				.token = claims->tasks[want - 1 - i]->token,
				.outcome = i % 2 ? ROTA_OUTCOME_FAIL : ROTA_OUTCOME_COMPLETE};
		CHECK_OK(rota_task_finish(store, verdicts, want, NULL, &err), &err);
		if (round == 1)
			CHECK_EQ(claims->tasks[0]->failed_dependencies, WIDE / 2);
		rota_claims_free(claims);
	}
	rota_store_close(store);
	free(on_all);
	free(tasks);
	free(verdicts);
}
