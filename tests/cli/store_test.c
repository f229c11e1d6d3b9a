/* store_test.c: files that are no store, or that others hold: a clear error, nothing changed. */
#include "program.h"
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	CHECK(file != NULL);
	CHECK(fputs(text, file) >= 0);
	CHECK_EQ(fclose(file), 0);
}

static void sql(const char *path, const char *statements)
{
	sqlite3 *db;
	char *why = NULL;

	CHECK_EQ(sqlite3_open(path, &db), SQLITE_OK);
	CHECK_MSG(sqlite3_exec(db, statements, NULL, NULL, &why) == SQLITE_OK, "%s", why);
	sqlite3_close(db);
}

TEST(a_file_that_is_no_database_stays_as_it_is)
{
	char back[64] = "";
	FILE *file;

	write_file(store_path(), "this is a letter, not a database; leave it alone, please");
	refuses(rota("enqueue kind"), 65, "database");
	refuses(rota("ls"), 65, "database");
	file = fopen(store_path(), "r");
	CHECK(file && fgets(back, sizeof(back), file));
	fclose(file);
	CHECK_STR(back, "this is a letter, not a database; leave it alone, please");
}

TEST(an_applications_database_gets_our_tables_beside_its_own)
{
	sql(store_path(),
		"CREATE TABLE orders(id); INSERT INTO orders VALUES (7); PRAGMA user_version = 42;"
		"PRAGMA application_id = 4711");
	CHECK_EQ(rota("enqueue kind")->code, 0);
	sql(store_path(), "CREATE TEMP TABLE t(x CHECK (x));"
			  "INSERT INTO t SELECT count(*) = 1 FROM orders WHERE id = 7;"
			  "INSERT INTO t SELECT user_version = 42 FROM pragma_user_version;"
			  "INSERT INTO t SELECT application_id = 4711 FROM pragma_application_id");
}

TEST(a_missing_directory_is_said)
{
	const struct outcome *got = rota("--store nowhere/at/all.db enqueue kind");

	CHECK(got->code == 69 || got->code == 73);
	refuses(got, got->code, "nowhere");
	CHECK(access(test_path("nowhere"), F_OK) < 0);
}

TEST(a_directory_is_no_store)
{
	CHECK_EQ(mkdir(test_path("dir"), 0700), 0);
	CHECK(rota("--store dir enqueue kind")->code != 0);
}

TEST(no_create_refuses_what_is_not_there)
{
	const struct outcome *got = rota("--no-create ls");

	CHECK_EQ(got->code, 66);
	refuses(got, 66, "test.db");
	CHECK(access(store_path(), F_OK) < 0);
	CHECK_EQ(rota("enqueue kind")->code, 0);
	CHECK_EQ(rota("--no-create ls")->code, 0);
}

TEST(an_unknown_scheme_is_a_wrong_command_line)
{
	refuses(rota("--store mysql://host/db ls"), 64, "mysql");
	refuses(rota("--store '' ls"), 64, "store");
	CHECK(rota("--store postgres://host/db ls")->code == 64);
}

TEST(memory_is_private_to_one_run)
{
	CHECK_STR(rota("--store memory: enqueue kind")->out, "1\n");
	CHECK_STR(rota("--store memory: ls --json")->out, "");
}

/* Root may write everything, so be somebody else. */
static void be_nobody(void)
{
	char parent[4096];

	if (geteuid() != 0)
		return;
	snprintf(parent, sizeof(parent), "%s", test_dir());
	CHECK_EQ(chmod(dirname(parent), 0711), 0);
	CHECK_EQ(chown(test_dir(), 65534, 65534), 0);
	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534) ||
		access(program_path(), X_OK) < 0 || access(test_dir(), W_OK | X_OK) < 0)
		test_skip(
			"somebody who is not root reaches neither the program nor this directory");
}

TEST(a_read_only_file_takes_nothing)
{
	be_nobody();
	CHECK_EQ(rota("enqueue kind")->code, 0);
	CHECK_EQ(chmod(store_path(), 0400), 0);
	refuses(rota("enqueue kind"), 69, "test.db");
	CHECK_EQ(chmod(store_path(), 0600), 0);
	CHECK_STR(rota("enqueue kind")->out, "2\n");
}

TEST(a_file_that_may_not_be_read_is_said)
{
	be_nobody();
	CHECK_EQ(rota("enqueue kind")->code, 0);
	CHECK_EQ(chmod(store_path(), 0), 0);
	refuses(rota("ls"), 69, "test.db");
}

TEST(a_newer_schema_is_refused)
{
	CHECK_EQ(rota("enqueue kind")->code, 0);
	sql(store_path(), "UPDATE rota_meta SET value = 1000000 WHERE name = 'schema'");
	refuses(rota("enqueue kind"), 65, "newer");
	refuses(rota("ls"), 65, "newer");
}

/* A child that holds the write lock until its standard input ends. */
static pid_t hold_lock(int *ret_fd)
{
	int ready[2], stay[2];
	char byte;
	pid_t pid;

	CHECK(pipe(ready) == 0 && pipe(stay) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		sqlite3 *db;

		close(stay[1]);
		if (sqlite3_open(store_path(), &db) ||
			sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL))
			_exit(1);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		_exit(read(stay[0], &byte, 1) != 0);
	}
	close(stay[0]);
	close(ready[1]);
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	*ret_fd = stay[1];
	return pid;
}

TEST(a_store_that_is_locked_for_long_is_try_again)
{
	int fd;
	pid_t pid;

	CHECK_EQ(rota("enqueue kind")->code, 0);
	pid = hold_lock(&fd);
	CHECK_EQ(fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
	refuses(rota("enqueue kind --lock-timeout 300ms"), 75, "lock");
	CHECK_EQ(rota("ls --lock-timeout 300ms")->code, 0); /* readers need no lock */
	close(fd);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	CHECK_STR(rota("enqueue kind")->out, "2\n");
}

/* True once the process has the store open: by then enqueue --from has read its file once. */
static bool has_store_open(pid_t pid)
{
	char command[256];

	snprintf(command, sizeof(command), "ls -l /proc/%d/fd 2>/dev/null | grep -q 'test.db$'",
		(int)pid);
	return system(command) == 0;
}

TEST(a_file_that_changes_while_it_is_read_enqueues_nothing)
{
	pid_t holder, pid;
	int fd, status;

	CHECK_EQ(rota("stats")->code, 0);
	write_file(test_path("lines"), "{\"type\":\"a\"}\n{\"type\":\"b\"}\n");
	holder = hold_lock(&fd);
	CHECK_EQ(fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		if (!freopen(test_path("err"), "w", stderr))
			_exit(1);
		execl(program_path(), "rota", "--store", store_path(), "enqueue", "--from",
			test_path("lines"), NULL);
		_exit(1);
	}
	while (!has_store_open(pid))
		usleep(10000);
	write_file(test_path("lines"), "{\"type\":\"a\"}\n");
	close(fd);
	CHECK_EQ(waitpid(holder, NULL, 0), holder);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(WEXITSTATUS(status), 65);
	CHECK_STR(rota("ls --json")->out, "");
}
