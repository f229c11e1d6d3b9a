/* Claims where very many tasks have expired. */
#include <sqlite3.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "base/limits.h"
#include "test.h"

#define EXPIRED 40000 /* of one call: all have the same priority and run_at */
#define CALL 10000

static struct rota_error err;

static int64_t failed_count(const char *path)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *row = NULL;
	int64_t value;

	CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
	CHECK_EQ(sqlite3_prepare_v2(
			 db, "SELECT count(*) FROM rota_task WHERE state = 5", -1, &row, NULL),
		SQLITE_OK);
	CHECK_EQ(sqlite3_step(row), SQLITE_ROW);
	value = sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	sqlite3_close(db);
	return value;
}

static struct rota_store *store_of_expired(const char *path)
{
	struct rota_task *tasks = calloc(CALL, sizeof(*tasks)), live = ROTA_TASK(.type = "t");
	struct rota_store *store = NULL;

	CHECK(tasks);
	CHECK_OK(rota_store_open(path, NULL, &store, &err), &err);
	for (size_t i = 0; i < CALL; i++)
		tasks[i] = ROTA_TASK(.type = "t", .expires_in = ROTA_MS(1));
	for (size_t i = 0; i < EXPIRED / CALL; i++)
		CHECK_OK(rota_task_enqueue(store, tasks, CALL, NULL, &err), &err);
	live.delay = ROTA_MS(1); /* behind them all */
	CHECK_OK(rota_task_enqueue(store, &live, 1, NULL, &err), &err);
	free(tasks);
	usleep(5000);
	return store;
}

static size_t claim_one(struct rota_store *store, rota_duration wait)
{
	struct rota_claim_options options = {.size = sizeof(options), .tasks_max = 1, .wait = wait};
	struct rota_claims *claims = NULL;
	size_t n;

	CHECK_OK(rota_task_claim(store, &options, &claims, NULL, &err), &err);
	n = claims->count;
	rota_claims_free(claims);
	return n;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

TEST(claim_ends_a_bounded_number_of_expired_tasks_and_one_that_waits_sees_what_is_behind)
{
	const char *path = test_path("a.db");
	struct rota_store *store = store_of_expired(path);
	int64_t before, after;
	double start = seconds();

	CHECK_EQ(claim_one(store, 0), 0);
	before = failed_count(path);
	CHECK(before >= ROTA_MAINTAIN_SLICE && before <= 2 * ROTA_MAINTAIN_SLICE);
	CHECK_EQ(claim_one(store, 0), 0);
	after = failed_count(path);
	CHECK(after > before && after <= before + 2 * ROTA_MAINTAIN_SLICE);
	CHECK_EQ(claim_one(store, ROTA_SECONDS(50)), 1);
	CHECK_EQ(failed_count(path), EXPIRED);
	/* A walk that begins anew for each row takes minutes. */
	CHECK_MSG(seconds() - start < 10, "it took %.1f s", seconds() - start);
	rota_store_close(store);
}
