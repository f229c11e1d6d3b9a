/* The power goes away after any write: what was acknowledged at COMMIT durability is on the disk,
 * whole calls or nothing, whichever sectors of what was not synced made it there. */
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>
#include "test.h"
#include "vfs.h"

#define CALLS 60
struct call {
	size_t count;    /* tasks */
	size_t acked_at; /* how many events there were when it was answered */
};
static struct call calls[CALLS];

static void put(struct rota_store *store, size_t nth)
{
	struct rota_task tasks[40] = {0};
	struct rota_error err;
	static char keys[40][48];
	static char payload[3000];

	calls[nth].count = 1 + nth * 7 % 40;
	for (size_t i = 0; i < calls[nth].count; i++) {
		snprintf(keys[i], sizeof(keys[i]), "k%zu-%zu", nth, i);
		tasks[i] =
			ROTA_TASK(.type = "t", .key = keys[i], .payload = {payload, 100 + i * 70});
	}
	CHECK_OK(rota_task_enqueue(store, tasks, calls[nth].count, NULL, &err), &err);
	calls[nth].acked_at = fault_events();
}

/* Takes some of them away again, so that pages are freed and used anew. */
static void work(struct rota_store *store)
{
	struct rota_claim_options options = {.size = sizeof(options), .tasks_max = 3};
	struct rota_claims *claims = NULL;
	struct rota_error err;

	CHECK_OK(rota_task_claim(store, &options, &claims, NULL, &err), &err);
	for (size_t i = 0; i < claims->count; i++) {
		struct rota_verdict verdict = {.size = sizeof(verdict),
			.id = claims->tasks[i]->id,
			.token = claims->tasks[i]->token,
			.outcome = ROTA_OUTCOME_COMPLETE};

		CHECK_OK(rota_task_finish(store, &verdict, 1, NULL, &err), &err);
	}
	rota_claims_free(claims);
}

static void check_disk(const char *path, size_t cut)
{
	struct rota_store *store = NULL;
	struct rota_error err;

	CHECK_OK(rota_store_open(path, NULL, &store, &err), &err);
	for (size_t i = 0; i < CALLS; i++) {
		size_t found = 0;

		for (size_t k = 0; k < calls[i].count; k++) {
			char key[48];
			rota_id id;

			snprintf(key, sizeof(key), "k%zu-%zu", i, k);
			found += rota_task_find(store, key, &id, NULL) == ROTA_OK;
		}
		CHECK_MSG(found == 0 || found == calls[i].count,
			"cut %zu: call %zu has %zu of %zu tasks", cut, i, found, calls[i].count);
		CHECK_MSG(found || calls[i].acked_at > cut,
			"cut %zu: call %zu was acknowledged and is lost", cut, i);
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

TEST_LIMIT(power_cuts_lose_nothing_that_was_acknowledged, 120)
{
	struct rota_store *store = NULL;
	struct rota_error err;
	uint64_t seed = test_seed();
	size_t events, first;

	fault_install();
	fault_record(true);
	CHECK_OK(rota_store_open(test_path("whole.db"), NULL, &store, &err), &err);
	first = fault_events();
	for (size_t i = 0; i < CALLS; i++) {
		put(store, i);
		work(store);
	}
	events = fault_events();
	rota_store_close(store);
	fault_record(false);
	for (int round = 0; round < 60; round++) {
		size_t cut = first + test_random(&seed) % (events - first + 1);
		char name[24], path[4096];

		snprintf(name, sizeof(name), "cut%d", round);
		CHECK_EQ(mkdir(test_path(name), 0700), 0);
		fault_cut(cut, test_random(&seed), test_path(name));
		snprintf(path, sizeof(path), "%.3000s/whole.db", test_path(name));
		check_disk(path, cut);
		sound(path);
	}
}
