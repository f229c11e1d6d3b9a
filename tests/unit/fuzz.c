/* fuzz.c: parsers and checks on random bytes: no crash, no read too far, no answer out of bounds,
 * and nothing touched on refusal. Half of the inputs are mutations of good ones, which get further.
 */
#include "test.h"
#include "base/limits.h"
#include "base/macros.h"
#include "base/text.h"
#include "core/check.h"
#include "core/facts.h"

#define ROUNDS 200000
#define SENTINEL INT64_C(-7777777777)

static const char *const good[] = {"1m30.25s", "366000d", "1w2d3h4m5s6ms7us", "0", "-12",
	"9223372036854775807", "2026-11-20T10:11:12.123456Z", "2016-12-31T23:59:60Z",
	"9998-12-31T23:59:59+00:00", "1970-01-01T00:00:00-00:30", "ready", "ü€🚀"};
static const char alphabet[] = "0123456789.:-+TZtzwdhmsu \xc3\xbc\xe2\x82\xac\xff";

/* A text of exactly its size on the heap, so that sanitizers see a byte too many. */
static char *random_text(uint64_t *seed)
{
	const char *from = good[test_random(seed) % ROTA_COUNT(good)];
	size_t size = strlen(from), changes = test_random(seed) % 4;
	bool mutate = test_random(seed) % 2;
	char *text;

	if (!mutate)
		changes = size = test_random(seed) % 40;
	text = malloc(size + 1);
	CHECK(text);
	memcpy(text, from, ROTA_MIN(size, strlen(from)));
	for (size_t i = 0; size && i < changes; i++) {
		size_t at = mutate ? test_random(seed) % size : i;
		size_t pick = test_random(seed) % (sizeof(alphabet) - 1);

		text[at] = test_random(seed) % 8 ? alphabet[pick]
						 : (char)(test_random(seed) % 255 + 1);
	}
	text[size] = 0;
	return text;
}

static void try_duration(const char *text)
{
	rota_duration got = SENTINEL, back = SENTINEL;
	char out[40];

	if (!rota_duration_parse(text, &got)) {
		CHECK_EQ(got, SENTINEL);
		return;
	}
	CHECK(got >= 0 && got <= ROTA_DURATION_MAX);
	CHECK(rota_duration_parse(rota_duration_format(got, out, sizeof(out)), &back));
	CHECK_EQ(got, back);
}

static void try_time(const char *text)
{
	rota_time got = SENTINEL, back = SENTINEL;
	char out[40];

	if (!rota_time_parse(text, &got)) {
		CHECK_EQ(got, SENTINEL);
		return;
	}
	CHECK(got >= 0 && got < ROTA_TIME_MAX);
	CHECK(rota_time_parse(rota_time_format(got, out, sizeof(out)), &back));
	CHECK_EQ(got, back);
}

static void try_int(const char *text, uint64_t *seed)
{
	int64_t min = (int64_t)test_random(seed), max = (int64_t)test_random(seed), got = SENTINEL;

	if (rota_int_parse(text, min, max, &got))
		CHECK(got >= min && got <= max && got == strtoll(text, NULL, 10));
	else
		CHECK_EQ(got, SENTINEL);
}

static void try_utf8(char *text, uint64_t *seed)
{
	size_t size = strlen(text), max = test_random(seed) % 50;
	size_t prefix = rota_utf8_prefix(text, size, max);
	bool valid = rota_utf8_valid(text, size);

	CHECK(prefix <= size && prefix <= max);
	CHECK(prefix + 3 >= ROTA_MIN(size, max));
	CHECK(!valid || rota_utf8_valid(text, prefix));
	rota_utf8_mend(text, size);
	CHECK(rota_utf8_valid(text, size) && strlen(text) == size);
}

TEST(parsers_survive_random_texts)
{
	uint64_t seed = test_seed();
	enum rota_state state;

	for (int round = 0; round < ROUNDS; round++) {
		char *text = random_text(&seed);

		try_duration(text);
		try_time(text);
		try_int(text, &seed);
		if (rota_state_parse(text, &state))
			CHECK_STR(rota_state_name(state), text);
		try_utf8(text, &seed);
		free(text);
	}
}

static int64_t random_number(uint64_t *seed)
{
	static const int64_t edges[] = {0, 1, -1, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN,
		ROTA_DURATION_MAX, ROTA_DURATION_MAX + 1, ROTA_TIME_MAX, ROTA_TIME_MAX - 1};
	uint64_t kind = test_random(seed) % 3;

	if (kind == 0)
		return edges[test_random(seed) % ROTA_COUNT(edges)];
	return (int64_t)(test_random(seed) >> (kind == 1 ? 0 : test_random(seed) % 64));
}

/* A good field is left alone most of the time, so that checks behind it are reached. */
static bool spoil(uint64_t *seed)
{
	return test_random(seed) % 12 == 0;
}

static void random_edge(struct rota_dependency *edge, char *text, uint64_t *seed)
{
	uint64_t end = test_random(seed) % 3;

	memset(edge, 0, sizeof(*edge));
	if (end == 0 || spoil(seed))
		edge->id = spoil(seed) ? random_number(seed) : 5;
	if (end == 1 || spoil(seed))
		edge->key = text;
	if (end == 2 || spoil(seed))
		edge->nth = spoil(seed) ? (uint64_t)random_number(seed) : 2;
	edge->failed = (enum rota_after_failed)(test_random(seed) % 8 ? 1 : 2);
	edge->reserved = spoil(seed);
}

static void random_task(struct rota_task *task, struct rota_retry *retry,
	struct rota_dependency *edges, char *text, uint64_t *seed)
{
	*task = ROTA_TASK(.type = spoil(seed) ? text : "t", .key = spoil(seed) ? text : "k",
		.queue = spoil(seed) ? text : NULL, .title = text, .payload = {text, strlen(text)},
		.retry = retry);
	*retry = (struct rota_retry)ROTA_INIT(rota_retry);
	retry->attempts_max = spoil(seed) ? (int32_t)random_number(seed) : 3;
	retry->doublings = spoil(seed) ? (int32_t)random_number(seed) : 3;
	retry->jitter_percent = spoil(seed) ? (int32_t)random_number(seed) : 3;
	retry->backoff_min = spoil(seed) ? random_number(seed) : 3;
	retry->backoff_max = spoil(seed) ? random_number(seed) : 3;
	retry->duration_max = spoil(seed) ? random_number(seed) : 3;
	task->run_at = spoil(seed) ? random_number(seed) : 3;
	task->delay = spoil(seed) ? random_number(seed) : 3;
	task->timeout = spoil(seed) ? random_number(seed) : 3;
	task->expires_in = spoil(seed) ? random_number(seed) : 3;
	task->dedup_for = spoil(seed) ? random_number(seed) : 3;
	task->signals = spoil(seed) ? (uint32_t)random_number(seed) : 3;
	task->after = edges;
	task->after_count = test_random(seed) % 3;
	random_edge(&edges[0], text, seed);
	random_edge(&edges[1], text, seed);
}

/* What was let through must be safe for those who do not check again. */
static void check_accepted(const struct rota_task *task)
{
	struct rota_retry r = rota_retry_resolve(task->retry);
	char out[40];

	CHECK(*task->type && strlen(task->type) <= ROTA_NAME_BYTES_MAX);
	CHECK(!task->title || rota_utf8_valid(task->title, strlen(task->title)));
	CHECK(task->run_at + task->delay >= 0 && task->run_at + task->delay < ROTA_TIME_MAX);
	CHECK(task->signals <= ROTA_SIGNALS_MAX);
	CHECK(r.backoff_min > 0 && r.backoff_max >= r.backoff_min);
	for (int32_t attempt = 1; attempt < 100; attempt += 7)
		CHECK(rota_retry_backoff(&r, attempt) > 0);
	CHECK(strlen(rota_time_format(task->run_at + task->delay, out, sizeof(out))) < 30);
}

TEST(checks_survive_random_tasks_and_let_nothing_absurd_through)
{
	struct rota_dependency edges[2];
	uint64_t seed = test_seed();
	struct rota_retry retry;
	struct rota_task task;
	struct rota_error err;
	int accepted = 0;

	for (int round = 0; round < ROUNDS; round++) {
		char *text = random_text(&seed);

		random_task(&task, &retry, edges, text, &seed);
		memset(&err, 0, sizeof(err));
		if (!rota_check_task(&task, 1, 3, &err)) {
			accepted++;
			check_accepted(&task);
		} else {
			CHECK(err.status && *err.message);
			CHECK(rota_utf8_valid(err.message, strlen(err.message)));
			CHECK(!strpbrk(err.message, "\n\r\t\x1b"));
		}
		free(text);
	}
	CHECK(accepted > ROUNDS / 100 && accepted < ROUNDS * 9 / 10);
}
