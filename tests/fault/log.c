/* The write-ahead log: small, reused, and checkpointed only by who holds the write lock; and what a
 * call costs in syncs and bytes, which does not vary with the machine. */
#include <sqlite3.h>
#include "test.h"
#include "vfs.h"

#define PAGE (4096 + 24)

static struct rota_store *open_store(const char *name)
{
	struct rota_store *store = NULL;
	struct rota_error err;

	fault_install();
	CHECK_OK(rota_store_open(test_path(name), NULL, &store, &err), &err);
	return store;
}

static void put(struct rota_store *store, size_t n)
{
	static struct rota_task tasks[1000];
	static char payload[100];
	struct rota_error err;

	for (size_t i = 0; i < n; i++)
		tasks[i] = ROTA_TASK(.type = "t", .payload = {payload, sizeof(payload)});
	CHECK_OK(rota_task_enqueue(store, tasks, n, NULL, &err), &err);
}

static size_t work(struct rota_store *store, size_t max)
{
	struct rota_claim_options options = {.size = sizeof(options), .tasks_max = max};
	static struct rota_verdict verdicts[1000];
	struct rota_claims *claims = NULL;
	struct rota_error err;
	size_t n;

	CHECK_OK(rota_task_claim(store, &options, &claims, NULL, &err), &err);
	n = claims->count;
	for (size_t i = 0; i < n; i++)
		verdicts[i] = (struct rota_verdict){.size = sizeof(*verdicts),
			.id = claims->tasks[i]->id,
			.token = claims->tasks[i]->token,
			.outcome = ROTA_OUTCOME_COMPLETE};
	if (n)
		CHECK_OK(rota_task_finish(store, verdicts, n, NULL, &err), &err);
	rota_claims_free(claims);
	return n;
}

static void keep_nothing(struct rota_store *store)
{
	struct rota_queue_settings settings = {sizeof(settings), 0, 0};
	struct rota_error err;

	CHECK_OK(rota_queue_set(store, "default", &settings, &err), &err);
}

TEST(one_task_and_a_thousand_cost_one_sync_each)
{
	struct rota_store *store = open_store("a.db");
	uint64_t before;

	put(store, 1);
	before = fault_counts.wal_syncs;
	for (int i = 0; i < 10; i++)
		put(store, 1);
	CHECK_EQ(fault_counts.wal_syncs - before, 10);
	before = fault_counts.wal_syncs;
	put(store, 1000);
	CHECK_EQ(fault_counts.wal_syncs - before, 1);
	before = fault_counts.wal_syncs;
	CHECK_EQ(work(store, 1000), 1000);
	CHECK_EQ(fault_counts.wal_syncs - before, 2); /* a claim, a finish */
	rota_store_close(store);
}

static _Atomic uint64_t statements;

static int statement_count(unsigned what, void *arg, void *statement, void *text)
{
	(void)what, (void)arg, (void)statement, (void)text;
	statements++;
	return 0;
}

static int connection_watch(sqlite3 *db, char **ret_error, const void *api)
{
	(void)ret_error, (void)api;
	return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, statement_count, NULL);
}

TEST(a_thousand_tasks_take_few_statements)
{
	struct rota_store *store;
	uint64_t before;

	CHECK_EQ(sqlite3_auto_extension((void (*)(void))connection_watch), SQLITE_OK);
	store = open_store("a.db");
	keep_nothing(store);
	put(store, 1000);
	before = statements;
	put(store, 1000);
	CHECK_MSG(statements - before <= 4, "enqueue: %" PRIu64, statements - before);
	(void)work(store, 1000);
	before = statements;
	CHECK_EQ(work(store, 1000), 1000);
	CHECK_MSG(statements - before <= 24, "claim and finish: %" PRIu64, statements - before);
	before = statements;
	put(store, 1);
	CHECK_MSG(statements - before <= 4, "one task: %" PRIu64, statements - before);
	rota_store_close(store);
}

TEST(one_task_writes_two_pages_and_a_thousand_some_sixty)
{
	struct rota_store *store = open_store("a.db");
	uint64_t before;

	put(store, 1);
	put(store, 1);
	before = fault_counts.wal_bytes;
	put(store, 1);
	CHECK_MSG(fault_counts.wal_bytes - before <= 2 * PAGE, "%" PRIu64 " bytes",
		fault_counts.wal_bytes - before);
	before = fault_counts.wal_bytes;
	put(store, 1000);
	CHECK_MSG(fault_counts.wal_bytes - before <= 60 * PAGE, "%" PRIu64 " bytes",
		fault_counts.wal_bytes - before);
	rota_store_close(store);
}

TEST(a_claim_that_finds_nothing_writes_nothing)
{
	struct rota_store *store = open_store("a.db");
	uint64_t before;

	CHECK_EQ(work(store, 10), 0);
	before = fault_counts.wal_writes;
	for (int i = 0; i < 5; i++)
		CHECK_EQ(work(store, 10), 0);
	CHECK_EQ(fault_counts.wal_writes, before);
	rota_store_close(store);
}

TEST(the_log_stays_under_a_thousand_pages_whatever_is_read_and_written_beside)
{
	struct rota_store *store = open_store("a.db");
	sqlite3 *foreign = NULL;

	keep_nothing(store);
	CHECK_EQ(sqlite3_open(test_path("a.db"), &foreign), SQLITE_OK);
	CHECK_EQ(sqlite3_busy_timeout(foreign, 1000), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(foreign, "CREATE TABLE mine(x)", NULL, NULL, NULL), SQLITE_OK);
	for (int i = 0; i < 100; i++) {
		put(store, 300);
		work(store, 300);
		CHECK_EQ(sqlite3_exec(foreign, "INSERT INTO mine SELECT max(id) FROM rota_task",
				 NULL, NULL, NULL),
			SQLITE_OK);
	}
	CHECK_MSG(fault_counts.wal_bytes_max < 1000 * PAGE, "%" PRIu64 " pages",
		fault_counts.wal_bytes_max / PAGE);
	CHECK(fault_counts.db_syncs > 0);
	sqlite3_close(foreign);
	rota_store_close(store);
}

TEST(checkpoints_hold_the_write_lock_so_that_nobody_resets_the_log_under_them)
{
	struct rota_store *store = open_store("a.db");
	uint64_t before = fault_counts.unprotected;

	for (int i = 0; i < 60; i++)
		put(store, 1000);
	CHECK(fault_counts.db_writes > 100);
	CHECK_EQ(fault_counts.unprotected, before);
	rota_store_close(store);
}

TEST(relaxed_calls_do_not_sync_and_the_next_durable_one_does)
{
	struct rota_store_options options = {
		.size = sizeof(options), .durability = ROTA_DURABILITY_RELAXED};
	struct rota_store *relaxed = NULL, *store = open_store("a.db");
	struct rota_error err;
	uint64_t before;

	CHECK_OK(rota_store_open(test_path("a.db"), &options, &relaxed, &err), &err);
	put(relaxed, 1);
	before = fault_counts.wal_syncs;
	for (int i = 0; i < 5; i++)
		put(relaxed, 1);
	CHECK_EQ(fault_counts.wal_syncs, before);
	put(store, 1);
	CHECK_EQ(fault_counts.wal_syncs, before + 1);
	rota_store_close(relaxed);
	rota_store_close(store);
}

TEST(a_reader_that_stays_makes_the_log_grow_but_not_every_commit_a_checkpoint)
{
	struct rota_store *store = open_store("a.db");
	sqlite3 *foreign = NULL;
	uint64_t before;

	put(store, 1);
	CHECK_EQ(sqlite3_open(test_path("a.db"), &foreign), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(foreign, "BEGIN; SELECT count(*) FROM rota_task", NULL, NULL, NULL),
		SQLITE_OK);
	before = fault_counts.wal_syncs + fault_counts.db_syncs;
	for (int i = 0; i < 100; i++)
		put(store, 1000);
	CHECK_MSG(fault_counts.wal_syncs + fault_counts.db_syncs - before < 150,
		"%" PRIu64 " syncs", fault_counts.wal_syncs + fault_counts.db_syncs - before);
	CHECK(fault_counts.wal_bytes_max > 3000 * PAGE);
	sqlite3_close(foreign);
	for (int i = 0; i < 40; i++)
		put(store, 1000);
	fault_counts.wal_bytes_max = 0;
	for (int i = 0; i < 40; i++)
		put(store, 1000);
	CHECK_MSG(fault_counts.wal_bytes_max < 1000 * PAGE, "%" PRIu64 " pages",
		fault_counts.wal_bytes_max / PAGE);
	rota_store_close(store);
}
