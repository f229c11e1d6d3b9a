/* A store's life on a disk that fails: every read, write, sync, truncate and open in its turn, once
 * and for good. Whatever was answered OK is there afterwards, whatever was refused is not, and the
 * file is sound. */
#include <sqlite3.h>
#include <unistd.h>
#include "base/macros.h"
#include "test.h"
#include "vfs.h"

/* What the caller was told: 1 it is done, 0 it is not, -1 nobody knows. */
#define STEPS 40
struct told {
	int done[STEPS];
	size_t count;
};

static int told_of(enum rota_status status)
{
	return status == ROTA_OK ? 1 : status == ROTA_UNCERTAIN ? -1 : 0;
}

static void put(struct rota_store *store, struct told *told, size_t n, const char *stem)
{
	struct rota_task tasks[64] = {0};
	char keys[64][24];
	static char payload[6000];
	enum rota_status status;

	for (size_t i = 0; i < n; i++) {
		snprintf(keys[i], sizeof(keys[i]), "%s%zu-%zu", stem, told->count, i);
		tasks[i] = ROTA_TASK(.type = stem, .key = keys[i], .title = "t",
			.payload = {payload, i % 8 ? 10 : sizeof(payload)});
	}
	status = rota_task_enqueue(store, tasks, n, NULL, NULL);
	told->done[told->count++] = told_of(status);
}

static void work(struct rota_store *store, size_t max)
{
	struct rota_claim_options options = {
		.size = sizeof(options), .worker = "w", .tasks_max = max};
	struct rota_claims *claims = NULL;

	if (rota_task_claim(store, &options, &claims, NULL, NULL))
		return;
	for (size_t i = 0; i < claims->count; i++) {
		struct rota_verdict verdict = {.size = sizeof(verdict),
			.id = claims->tasks[i]->id,
			.token = claims->tasks[i]->token,
			.outcome = i % 3 ? ROTA_OUTCOME_COMPLETE : ROTA_OUTCOME_RETRY,
			.error = "no"};
		enum rota_status each;

		(void)!rota_task_finish(store, &verdict, 1, &each, NULL);
	}
	rota_claims_free(claims);
}

/* Enough to fill the log, so that there are checkpoints, too. */
static void live(const char *path, struct told *told)
{
	struct rota_store_options options = {.size = sizeof(options), .lock_timeout = ROTA_MS(50)};
	struct rota_store *store = NULL;

	if (rota_store_open(path, &options, &store, NULL))
		return;
	for (int i = 0; i < 6; i++) {
		put(store, told, 1, "one");
		put(store, told, 64, "many");
		work(store, 5);
	}
	rota_store_close(store);
}

static void sound(const char *path)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *row = NULL;

	CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
	CHECK_EQ(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &row, NULL), SQLITE_OK);
	CHECK_EQ(sqlite3_step(row), SQLITE_ROW);
	CHECK_STR((const char *)sqlite3_column_text(row, 0), "ok");
	sqlite3_finalize(row);
	sqlite3_close(db);
}

/* All tasks of a call are there, or none. */
static void check_call(struct rota_store *store, size_t nth, int done)
{
	size_t n = nth % 2 ? 64 : 1, found = 0;

	for (size_t i = 0; i < n; i++) {
		char key[64];
		rota_id id;

		snprintf(key, sizeof(key), "%s%zu-%zu", nth % 2 ? "many" : "one", nth, i);
		found += rota_task_find(store, key, &id, NULL) == ROTA_OK;
	}
	CHECK_MSG(found == 0 || found == n, "call %zu: %zu of %zu tasks", nth, found, n);
	CHECK_MSG(done != 1 || found, "call %zu was acknowledged and is lost", nth);
	CHECK_MSG(done != 0 || !found, "call %zu was refused and is there", nth);
}

static void check_all(const char *path, const struct told *told)
{
	struct rota_error err;
	struct rota_store *store = NULL;

	CHECK_OK(rota_store_open(path, NULL, &store, &err), &err);
	for (size_t i = 0; i < told->count; i++)
		check_call(store, i, told->done[i]);
	rota_store_close(store);
	sound(path);
}

/* Every nth, or with a stride that leaves about `rounds` of them. */
static void suffer(enum fault_kind kind, bool for_good, uint64_t rounds)
{
	uint64_t step = 1, n = 1, last = 0;
	bool fault_was_met = true;

	fault_install();
	for (uint64_t round = 0; fault_was_met; round++, n += step) {
		struct told told = {.count = 0};
		char name[32];

		snprintf(name, sizeof(name), "%s-%" PRIu64 ".db", for_good ? "good" : "once", n);
		fault_plan(n, kind, for_good);
		live(test_path(name), &told);
		fault_was_met = fault_met();
		fault_plan(0, kind, false);
		check_all(test_path(name), &told);
		CHECK_EQ(unlink(test_path(name)), 0);
		if (round == rounds)
			step = 1 + n / 10;
		last = n;
	}
	CHECK_MSG(last > 50, "only %" PRIu64 " operations", last);
}

TEST_LIMIT(each_io_error_in_its_turn_loses_nothing_that_was_acknowledged, 120)
{
	suffer(FAULT_IOERR, false, 60);
}

TEST_LIMIT(an_io_error_that_stays_loses_nothing_that_was_acknowledged, 120)
{
	suffer(FAULT_IOERR, true, 25);
}

TEST_LIMIT(a_disk_that_is_full_at_each_write_in_its_turn_loses_nothing_that_was_acknowledged, 120)
{
	suffer(FAULT_FULL, false, 40);
}

TEST_LIMIT(a_disk_that_stays_full_loses_nothing_that_was_acknowledged, 120)
{
	suffer(FAULT_FULL, true, 25);
}
