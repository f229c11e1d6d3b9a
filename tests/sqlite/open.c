/* Opening: what is there, what is not, and what a person is told. */
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/macros.h"
#include "core/state.h"
#include "test.h"

static struct rota_error err;

static enum rota_status try_open(const char *path, const struct rota_store_options *options)
{
	struct rota_store *store = NULL;
	enum rota_status status = rota_store_open(path, options, &store, &err);

	if (!status)
		rota_store_close(store);
	else
		CHECK(!store);
	return status;
}

static void sql(const char *path, const char *text)
{
	sqlite3 *db = NULL;
	char *message = NULL;

	CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
	CHECK_MSG(
		sqlite3_exec(db, text, NULL, NULL, &message) == SQLITE_OK, "%s: %s", text, message);
	sqlite3_close(db);
}

static int64_t number(const char *path, const char *text)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *row = NULL;
	int64_t value;

	CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
	CHECK_MSG(sqlite3_prepare_v2(db, text, -1, &row, NULL) == SQLITE_OK, "%s: %s", text,
		sqlite3_errmsg(db));
	CHECK_EQ(sqlite3_step(row), SQLITE_ROW);
	value = sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	sqlite3_close(db);
	return value;
}

static void file_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	CHECK(file);
	CHECK(fputs(text, file) >= 0);
	CHECK_EQ(fclose(file), 0);
}

static void put(const char *path)
{
	struct rota_task task = ROTA_TASK(.type = "t");
	struct rota_store *store = NULL;

	CHECK_OK(rota_store_open(path, NULL, &store, &err), &err);
	CHECK_OK(rota_task_enqueue(store, &task, 1, NULL, &err), &err);
	rota_store_close(store);
}

TEST(a_new_file_is_made_for_its_owner_and_no_group_may_write_it)
{
	struct stat st;

	umask(0);
	CHECK_OK(try_open(test_path("a.db"), NULL), &err);
	CHECK_EQ(stat(test_path("a.db"), &st), 0);
	CHECK_EQ(st.st_mode & 0022, 0);
	CHECK_EQ(stat(test_path("a.db-rota"), &st), 0);
	CHECK_EQ(st.st_mode & 0022, 0);
}

TEST(a_missing_store_is_not_made_when_asked_not_to)
{
	struct rota_store_options options = {.size = sizeof(options), .no_create = 1};

	CHECK_STATUS(try_open(test_path("a.db"), &options), ROTA_NOT_FOUND, &err);
	CHECK_EQ(access(test_path("a.db"), F_OK), -1);
	sql(test_path("b.db"), "CREATE TABLE mine(x)");
	CHECK_STATUS(try_open(test_path("b.db"), &options), ROTA_NOT_FOUND, &err);
	CHECK_HAS(err.message, "no store of rota");
	CHECK_EQ(number(test_path("b.db"), "SELECT count(*) FROM sqlite_schema"), 1);
}

TEST(a_missing_directory_is_named)
{
	CHECK_STATUS(try_open("/nonexistent/dir/a.db", NULL), ROTA_UNAVAILABLE, &err);
	CHECK_HAS(err.message, "directory");
	CHECK_HAS(err.message, "/nonexistent/dir");
}

TEST(a_directory_is_no_store)
{
	CHECK_STATUS(try_open(test_dir(), NULL), ROTA_UNAVAILABLE, &err);
	CHECK_HAS(err.message, "is a directory");
}

TEST(a_file_that_is_no_database_is_left_as_it_is)
{
	char text[2000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	file_write(test_path("a.db"), text);
	CHECK_STATUS(try_open(test_path("a.db"), NULL), ROTA_CORRUPT, &err);
	CHECK_HAS(err.message, "no SQLite database");
	CHECK_EQ(access(test_path("a.db-wal"), F_OK), -1);
	CHECK_EQ(access(test_path("a.db-rota"), F_OK), -1);
}

TEST(an_empty_file_becomes_a_store)
{
	file_write(test_path("a.db"), "");
	CHECK_OK(try_open(test_path("a.db"), NULL), &err);
}

TEST(a_newer_schema_is_refused_with_both_numbers_and_left_alone)
{
	put(test_path("a.db"));
	sql(test_path("a.db"), "UPDATE rota_meta SET value = 7 WHERE name = 'schema'");
	CHECK_STATUS(try_open(test_path("a.db"), NULL), ROTA_CORRUPT, &err);
	CHECK_HAS(err.message, "made by a newer rota (schema 7, this one knows 1): upgrade rota");
	CHECK_EQ(number(test_path("a.db"), "SELECT count(*) FROM rota_task"), 1);
}

TEST(a_store_that_does_not_know_its_schema_is_refused)
{
	put(test_path("a.db"));
	sql(test_path("a.db"), "DELETE FROM rota_meta WHERE name = 'schema'");
	CHECK_STATUS(try_open(test_path("a.db"), NULL), ROTA_CORRUPT, &err);
}

TEST(an_application_s_file_keeps_what_is_the_application_s)
{
	const char *path = test_path("app.db");

	sql(path, "PRAGMA user_version = 42; PRAGMA application_id = 4711; CREATE TABLE mine(x); "
		  "INSERT INTO mine VALUES(5)");
	put(path);
	CHECK_EQ(number(path, "PRAGMA user_version"), 42);
	CHECK_EQ(number(path, "PRAGMA application_id"), 4711);
	CHECK_EQ(number(path, "SELECT x FROM mine"), 5);
	CHECK_EQ(number(path, "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'rota\\_%' "
			      "ESCAPE '\\' "
			      "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"),
		1);
}

TEST(a_read_only_file_is_refused_in_words)
{
	put(test_path("a.db"));
	if (!geteuid())
		CHECK_EQ(seteuid(65534), 0);
	CHECK_EQ(geteuid() != 0, 1);
	{
		enum rota_status status = try_open(test_path("a.db"), NULL);

		CHECK_EQ(seteuid(getuid()), 0);
		CHECK_EQ(status, ROTA_UNAVAILABLE);
	}
	CHECK(strstr(err.message, "cannot be written") || strstr(err.message, "cannot be opened") ||
		strstr(err.message, "cannot be used"));
}

TEST(a_locked_store_is_busy_after_the_time_asked_for_and_says_how_long)
{
	struct rota_store_options options = {.size = sizeof(options), .lock_timeout = ROTA_MS(200)};
	struct rota_task task = ROTA_TASK(.type = "t");
	struct rota_store *store = NULL;
	struct rota_world *world = rota_world_real();
	sqlite3 *other = NULL;
	rota_tick before;

	CHECK_OK(rota_store_open(test_path("a.db"), &options, &store, &err), &err);
	CHECK_EQ(sqlite3_open(test_path("a.db"), &other), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	before = world->now(world);
	CHECK_STATUS(rota_task_enqueue(store, &task, 1, NULL, &err), ROTA_BUSY, &err);
	CHECK(world->now(world) - before >= ROTA_MS(200));
	CHECK_HAS(err.message, "another program has held the database's write lock for 2");
	CHECK_EQ(err.retryable, 1);
	CHECK_EQ(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	CHECK_OK(rota_task_enqueue(store, &task, 1, NULL, &err), &err);
	sqlite3_close(other);
	rota_store_close(store);
}

static sqlite3 *connections[8];
static int connection_count;

/* As a SQLite that was built with another default. */
static int careless(sqlite3 *db, const char **ret_message, const void *routines)
{
	(void)ret_message, (void)routines;
	if (connection_count < 8)
		connections[connection_count++] = db;
	return sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
}

TEST(an_ok_survives_a_power_cut_whatever_sqlite_s_default_is)
{
	struct rota_store *store = NULL;
	struct rota_task task = ROTA_TASK(.type = "t");

	CHECK_EQ(sqlite3_auto_extension((void (*)(void))careless), SQLITE_OK);
	CHECK_OK(rota_store_open(test_path("a.db"), NULL, &store, &err), &err);
	CHECK_OK(rota_task_enqueue(store, &task, 1, NULL, &err), &err);
	sqlite3_reset_auto_extension();
	CHECK(connection_count > 0);
	for (int i = 0; i < connection_count; i++) {
		sqlite3_stmt *row = NULL;

		CHECK_EQ(sqlite3_prepare_v2(connections[i], "PRAGMA synchronous", -1, &row, NULL),
			SQLITE_OK);
		CHECK_EQ(sqlite3_step(row), SQLITE_ROW);
		CHECK_EQ(sqlite3_column_int(row, 0), 2);
		sqlite3_finalize(row);
	}
	rota_store_close(store);
}

TEST(a_relative_path_holds_when_the_directory_changes)
{
	struct rota_task task = ROTA_TASK(.type = "t");
	struct rota_store *store = NULL;

	CHECK_EQ(chdir(test_dir()), 0);
	CHECK_OK(rota_store_open("a.db", NULL, &store, &err), &err);
	CHECK_EQ(chdir("/"), 0);
	CHECK_OK(rota_task_enqueue(store, &task, 1, NULL, &err), &err);
	CHECK_EQ(rota_task_find(store, "none", &(rota_id){0}, &err),
		ROTA_NOT_FOUND); /* a reader's connection */
	rota_store_close(store);
	CHECK_EQ(number(test_path("a.db"), "SELECT count(*) FROM rota_task"), 1);
}

TEST(everything_works_without_a_side_file)
{
	struct rota_task task = ROTA_TASK(.type = "t");
	struct rota_store *store = NULL;
	struct rota_claims *claims = NULL;

	CHECK_EQ(mkdir(test_path("a.db-rota"), 0700), 0);
	CHECK_OK(rota_store_open(test_path("a.db"), NULL, &store, &err), &err);
	CHECK_OK(rota_task_enqueue(store, &task, 1, NULL, &err), &err);
	CHECK_OK(rota_task_claim(store, NULL, &claims, NULL, &err), &err);
	CHECK_EQ(claims->count, 1);
	rota_claims_free(claims);
	rota_store_close(store);
}

TEST(everything_works_when_the_side_file_is_cut_short)
{
	struct rota_task task = ROTA_TASK(.type = "t");
	struct rota_store *store = NULL;
	struct rota_claims *claims = NULL;
	struct rota_claim_options options = {.size = sizeof(options), .wait = ROTA_MS(50)};

	CHECK_OK(rota_store_open(test_path("a.db"), NULL, &store, &err), &err);
	CHECK_EQ(truncate(test_path("a.db-rota"), 0), 0);
	CHECK_OK(rota_task_enqueue(store, &task, 1, NULL, &err), &err);
	for (size_t n = 1; n != (size_t)-1; n--) {
		CHECK_OK(rota_task_claim(store, &options, &claims, NULL, &err), &err);
		CHECK_EQ(claims->count, n);
		rota_claims_free(claims);
	}
	rota_store_close(store);
}

TEST(states_in_the_schema_are_those_of_the_rules)
{
	sqlite3 *db = NULL;
	const char *insert = "INSERT INTO rota_task(state, queue, type, priority, run_at, flags, "
			     "attempts_max, created_at, "
			     "updated_at) VALUES(%d, 1, 1, 0, 0, 0, 25, 0, 0)";

	CHECK_OK(try_open(test_path("a.db"), NULL), &err);
	CHECK_EQ(sqlite3_open(test_path("a.db"), &db), SQLITE_OK);
	for (int state = -2; state < ROTA_STATE_COUNT + 3; state++) {
		char *text = sqlite3_mprintf(insert, state);
		bool known = state >= 0 && state < ROTA_STATE_COUNT;

		CHECK_EQ(sqlite3_exec(db, text, NULL, NULL, NULL),
			known ? SQLITE_OK : SQLITE_CONSTRAINT);
		sqlite3_free(text);
	}
	sqlite3_close(db);
	/* what the partial indexes and statements are written with */
	CHECK_EQ(ROTA_STATE_BLOCKED, 0);
	CHECK_EQ(ROTA_STATE_SCHEDULED, 1);
	CHECK_EQ(ROTA_STATE_READY, 2);
	CHECK_EQ(ROTA_STATE_RUNNING, 3);
	CHECK_EQ(ROTA_STATE_COMPLETED, 4);
	CHECK_EQ(ROTA_STATE_CANCELLED, 6);
}

TEST(ids_are_never_given_out_twice_even_when_the_last_rows_are_gone)
{
	struct rota_queue_settings settings = {sizeof(settings), 0, 0};
	rota_id last = 0;

	for (int round = 0; round < 4; round++) {
		struct rota_task tasks[3] = {
			ROTA_TASK(.type = "t"), ROTA_TASK(.type = "t"), ROTA_TASK(.type = "t")};
		struct rota_store *store = NULL;
		rota_id ids[3];

		CHECK_OK(rota_store_open(test_path("a.db"), NULL, &store, &err), &err);
		CHECK_OK(rota_queue_set(store, "default", &settings, &err), &err);
		CHECK_OK(rota_task_enqueue(store, tasks, 3, ids, &err), &err);
		CHECK_EQ(ids[0], last + 1);
		CHECK_OK(rota_task_delete(store, ids, 3, 0, NULL, NULL, &err), &err);
		last = ids[2];
		rota_store_close(store);
	}
}

TEST(edges_that_cannot_be_read_are_an_error_and_not_left_out)
{
	struct rota_dependency after = {.nth = 1};
	struct rota_task tasks[] = {
		ROTA_TASK(.type = "t"), ROTA_TASK(.type = "t", .after = &after, .after_count = 1)};
	struct rota_store *store = NULL;
	struct rota_task_info *info = NULL;
	rota_id ids[2];

	CHECK_OK(rota_store_open(test_path("a.db"), NULL, &store, &err), &err);
	CHECK_OK(rota_task_enqueue(store, tasks, 2, ids, &err), &err);
	CHECK_OK(rota_task_get(store, ids[1], &info, &err), &err);
	CHECK_EQ(info->predecessor_count, 1);
	rota_task_info_free(info);
	info = NULL;
	sql(test_path("a.db"), "ALTER TABLE rota_edge RENAME COLUMN policy TO other");
	CHECK(rota_task_get(store, ids[1], &info, &err) != ROTA_OK);
	CHECK(!info);
	rota_store_close(store);
}
