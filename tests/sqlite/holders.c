/* Who holds leases: rows that come and go. */
#include <sqlite3.h>
#include "store/store.h"
#include "test.h"

static struct rota_error err;

static int64_t number(const char *text)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *row = NULL;
	int64_t value;

	CHECK_EQ(sqlite3_open(test_path("a.db"), &db), SQLITE_OK);
	CHECK_EQ(sqlite3_prepare_v2(db, text, -1, &row, NULL), SQLITE_OK);
	CHECK_EQ(sqlite3_step(row), SQLITE_ROW);
	value = sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	sqlite3_close(db);
	return value;
}

static struct rota_store *open_store(void)
{
	struct rota_store_options options = {
		.size = sizeof(options), .durability = ROTA_DURABILITY_RELAXED};
	struct rota_store *store = NULL;

	CHECK_OK(rota_store_open(test_path("a.db"), &options, &store, &err), &err);
	return store;
}

static void put(struct rota_store *store)
{
	struct rota_task task = ROTA_TASK(.type = "t");

	CHECK_OK(rota_task_enqueue(store, &task, 1, NULL, &err), &err);
}

static rota_id claim(struct rota_store *store, const char *worker, int64_t *ret_token)
{
	struct rota_claim_options options = {.size = sizeof(options), .worker = worker};
	struct rota_claims *claims = NULL;
	rota_id id;

	CHECK_OK(rota_task_claim(store, &options, &claims, NULL, &err), &err);
	CHECK_EQ(claims->count, 1);
	id = claims->tasks[0]->id;
	*ret_token = claims->tasks[0]->token;
	rota_claims_free(claims);
	return id;
}

static void complete(struct rota_store *store, rota_id id, int64_t token)
{
	struct rota_verdict verdict = {.size = sizeof(verdict),
		.id = id,
		.token = token,
		.outcome = ROTA_OUTCOME_COMPLETE};

	CHECK_OK(rota_task_finish(store, &verdict, 1, NULL, &err), &err);
}

TEST(names_that_hold_nothing_are_cleared_away_and_those_that_do_stay)
{
	struct rota_store *store = open_store(), *other = open_store();
	struct rota_task_info *info = NULL;
	int64_t token, kept_token;
	rota_id kept, id;

	put(store);
	kept = claim(store, "keeper", &kept_token);
	for (int i = 0; i < 600; i++) {
		char name[32];

		snprintf(name, sizeof(name), "passer-by %d", i);
		put(store);
		id = claim(i % 2 ? store : other, name, &token);
		complete(store, id, token);
	}
	CHECK_MSG(number("SELECT count(*) FROM rota_holder") <= 300, "%" PRId64 " holders",
		number("SELECT count(*) FROM rota_holder"));
	CHECK_OK(rota_task_get(store, kept, &info, &err), &err);
	CHECK_STR(info->worker, "keeper");
	rota_task_info_free(info);
	/* a name that was cleared away holds again */
	put(store);
	kept = claim(other, "passer-by 0", &token);
	CHECK_OK(rota_task_get(store, kept, &info, &err), &err);
	CHECK_STR(info->worker, "passer-by 0");
	rota_task_info_free(info);
	rota_store_close(other);
	rota_store_close(store);
}

static int64_t worker(struct rota_store *store, enum rota_worker_action action, int64_t id)
{
	struct rota_op op = {.kind = ROTA_OP_WORKER,
		.u.worker = {.action = action, .name = "w", .worker_id = id}};
	struct rota_arena arena;

	rota_arena_init(&arena, 0);
	op.arena = &arena;
	CHECK_OK(rota_store_run(store, &op, &err), &err);
	rota_arena_deinit(&arena);
	return op.u.worker.ret_worker_id;
}

TEST(workers_that_left_are_forgotten_and_their_numbers_not_given_out_again)
{
	struct rota_store *store = open_store();
	int64_t last = 0;

	for (int i = 0; i < 20; i++) {
		int64_t id = worker(store, ROTA_WORKER_JOIN, 0);

		CHECK_EQ(id, last + 1);
		worker(store, ROTA_WORKER_BEAT, id);
		worker(store, ROTA_WORKER_LEAVE, id);
		last = id;
	}
	CHECK(number("SELECT count(*) FROM rota_worker") <= 2);
	rota_store_close(store);
}

TEST(workers_of_one_process_have_a_byte_each)
{
	struct rota_store *store = open_store();

	for (int i = 0; i < 10; i++)
		worker(store, ROTA_WORKER_JOIN, 0);
	CHECK_EQ(number("SELECT count(DISTINCT slot) FROM rota_worker WHERE gone = 0"), 10);
	rota_store_close(store);
}
