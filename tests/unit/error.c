/* error.c: statuses and errors in words; the world's arithmetic; lines of the log. */
#include "test.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/error.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/text.h"

TEST(every_status_has_its_row)
{
	static const struct {
		enum rota_status status;
		const char *name;
		int exit_code, retryable;
	} rows[] = {{ROTA_OK, "ok", 0, 0}, {ROTA_INVALID, "invalid", 64, 0},
		{ROTA_NOT_FOUND, "not found", 66, 0}, {ROTA_EXISTS, "exists", 73, 0},
		{ROTA_WRONG_STATE, "wrong state", 1, 0}, {ROTA_STALE_LEASE, "stale lease", 1, 0},
		{ROTA_COMPLETED, "completed", 1, 0}, {ROTA_FAILED, "failed", 1, 0},
		{ROTA_CANCELLED, "cancelled", 1, 0}, {ROTA_LIMIT, "limit", 65, 0},
		{ROTA_TIMED_OUT, "timed out", 75, 1}, {ROTA_BUSY, "busy", 75, 1},
		{ROTA_UNAVAILABLE, "unavailable", 69, 1}, {ROTA_UNCERTAIN, "uncertain", 75, 0},
		{ROTA_UNSUPPORTED, "unsupported", 64, 0}, {ROTA_CORRUPT, "corrupt", 65, 0},
		{ROTA_NO_MEMORY, "out of memory", 71, 1}, {ROTA_FORKED, "forked", 1, 0}};

	CHECK_EQ(ROTA_COUNT(rows), ROTA_FORKED + 1);
	for (size_t i = 0; i < ROTA_COUNT(rows); i++) {
		enum rota_status status = rows[i].status;

		CHECK_EQ(status, i);
		CHECK_STR(rota_status_name(status), rows[i].name);
		CHECK_EQ(rota_status_exit_code(status), rows[i].exit_code);
		CHECK_EQ(rota_status_retryable(status), rows[i].retryable);
		CHECK_EQ(rota_status_http_code(status) >= 400, i > 0);
		CHECK_EQ(rota_status_grpc_code(status) > 0, i > 0);
	}
	CHECK_STR(rota_status_name((enum rota_status)99), "unknown status");
	CHECK_STR(rota_status_name((enum rota_status) - 1), "unknown status");
	CHECK_EQ(rota_status_exit_code((enum rota_status)99), 1);
}

TEST(errors_are_optional_and_replace_what_was_there)
{
	struct rota_error err;

	memset(&err, 0xff, sizeof(err));
	CHECK_STATUS(rota_err(NULL, ROTA_BUSY, "%s", "x"), ROTA_BUSY, NULL);
	CHECK_STATUS(rota_err(&err, ROTA_BUSY, "locked by %d", 7), ROTA_BUSY, &err);
	CHECK_STR(err.message, "locked by 7");
	CHECK_EQ(err.retryable, 1);
	CHECK_EQ(err.os_code, 0);
	CHECK_EQ(err.item, 0);
	CHECK_STR(err.sqlstate, "");
	CHECK_STATUS(rota_err_item(&err, 3), ROTA_BUSY, &err);
	CHECK_EQ(err.item, 3);
	CHECK_STATUS(
		rota_err(&err, ROTA_INVALID, "in line 2: %s", err.message), ROTA_INVALID, &err);
	CHECK_STR(err.message, "in line 2: locked by 7");
	CHECK_EQ(err.item, 0);
	CHECK_STATUS(rota_err_memory(&err), ROTA_NO_MEMORY, &err);
	CHECK_STR(err.message, "out of memory");
}

TEST(errors_of_the_system_say_its_words)
{
	struct rota_error err;

	CHECK_STATUS(rota_err_os(&err, ROTA_UNAVAILABLE, 2, "cannot open %s", "x"),
		ROTA_UNAVAILABLE, &err);
	CHECK_STR(err.message, "cannot open x: No such file or directory");
	CHECK_EQ(err.os_code, 2);
}

/* However long, a message ends with a whole character. */
TEST(messages_are_cut_at_the_edge_of_a_character)
{
	static const char *const characters[] = {"x", "ü", "€", "🚀"};
	char text[1200];
	struct rota_error err;

	for (size_t c = 0; c < ROTA_COUNT(characters); c++) {
		for (size_t shift = 0; shift < 4; shift++) {
			size_t size = strlen(characters[c]);

			memset(text, 'a', sizeof(text));
			for (size_t at = shift; at + size < sizeof(text); at += size)
				memcpy(text + at, characters[c], size);
			text[sizeof(text) - 8] = 0;
			rota_err(&err, ROTA_INVALID, "%s", text);
			CHECK(rota_utf8_valid(err.message, strlen(err.message)));
			CHECK(strlen(err.message) > sizeof(err.message) - 1 - size);
			CHECK(!strchr(err.message, '?'));
			CHECK(!strncmp(err.message, text, strlen(err.message)));
		}
	}
}

TEST(messages_are_one_valid_line_whatever_went_in)
{
	struct rota_error err;

	rota_err(&err, ROTA_INVALID, "%s", "a\nb\tc\x7f\xff\x1b[31m");
	CHECK_STR(err.message, "a b c ? [31m");
}

TEST(an_assertion_ends_the_process_and_says_where)
{
	int status = 0;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		ROTA_ASSERT(1 + 1 == 3);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* What fn writes to stderr. */
static const char *caught(void (*fn)(void))
{
	static char text[8192];
	int ends[2], saved = dup(2);
	ssize_t size;

	CHECK(!pipe(ends) && saved >= 0 && dup2(ends[1], 2) == 2);
	fn();
	CHECK(dup2(saved, 2) == 2);
	size = read(ends[0], text, sizeof(text) - 1);
	CHECK(size >= 0);
	text[size] = 0;
	return text;
}

static void log_short(void)
{
	rota_log_line("task %d\nfailed: %s", 7, "\xff");
}

static void log_long(void)
{
	rota_log_line("%05000d", 1);
}

TEST(log_lines_are_single_and_bounded)
{
	const char *text;

	CHECK_STR(caught(log_short), "rota: task 7 failed: ?\n");
	text = caught(log_long);
	CHECK(strlen(text) <= 4096);
	CHECK_HAS(text, "0000\n");
}

TEST(ticks_and_dates_are_added_without_overflow)
{
	CHECK_EQ(rota_tick_add(5, 7), 12);
	CHECK_EQ(rota_tick_add(5, ROTA_FOREVER), ROTA_TICK_NEVER);
	CHECK_EQ(rota_tick_add(-5, ROTA_FOREVER), ROTA_TICK_NEVER);
	CHECK_EQ(rota_tick_add(INT64_MAX - 1, 5), ROTA_TICK_NEVER);
	CHECK_EQ(rota_time_add(5, 7), 12);
	CHECK_EQ(rota_time_add(5, ROTA_FOREVER), ROTA_TIME_MAX);
	CHECK_EQ(rota_time_add(ROTA_TIME_MAX - 1, 5), ROTA_TIME_MAX);
	CHECK_EQ(rota_time_add(5, -7), -2);
}

TEST(the_real_world_moves_on_and_rolls_other_dice_after_a_fork)
{
	struct rota_world *world = rota_world_real();
	uint64_t mine, theirs = 0;
	rota_tick before = world->now(world);
	int ends[2];

	CHECK(world->now(world) >= before);
	CHECK(world->date(world) > 1700000000000000);
	CHECK(strlen(rota_world_boot_id()) == 36);
	CHECK(world->random(world) != world->random(world));
	CHECK(!pipe(ends));
	if (!fork()) {
		theirs = world->random(world);
		_exit(write(ends[1], &theirs, sizeof(theirs)) != sizeof(theirs));
	}
	CHECK_EQ(read(ends[0], &theirs, sizeof(theirs)), sizeof(theirs));
	mine = world->random(world);
	CHECK(mine != theirs);
}

TEST(parking_ends_at_once_when_the_word_has_changed_or_the_time_has_come)
{
	struct rota_world *world = rota_world_real();
	uint32_t word = 1;
	rota_tick before = world->now(world);

	world->park(world, &word, 0, ROTA_TICK_NEVER);
	world->park(world, &word, 1, before);
	world->park(world, &word, 1, before - 5);
	world->park(world, &word, 1, before + ROTA_MS(20));
	CHECK(world->now(world) < before + ROTA_SECONDS(10));
	world->wake(world, &word, true);
}
