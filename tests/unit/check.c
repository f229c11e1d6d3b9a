/* check.c: each field of a task and a verdict, right and wrong, with the words of the refusal. */
#include "test.h"
#include "base/limits.h"
#include "base/macros.h"
#include "core/check.h"

static struct rota_error err;

static struct rota_task good(void)
{
	return ROTA_TASK(.type = "mail");
}

static enum rota_status check(const struct rota_task *task)
{
	memset(&err, 0, sizeof(err));
	return rota_check_task(task, 2, 3, &err);
}

static char *long_text(size_t size)
{
	char *text = malloc(size + 1);

	CHECK(text);
	memset(text, 'x', size);
	text[size] = 0;
	return text;
}

#define REFUSED(status_, part, ...)                                                                \
	do {                                                                                       \
		struct rota_task task_ = good();                                                   \
		__VA_ARGS__;                                                                       \
		CHECK_STATUS(check(&task_), status_, &err);                                        \
		CHECK_HAS(err.message, part);                                                      \
	} while (0)
#define ACCEPTED(...)                                                                              \
	do {                                                                                       \
		struct rota_task task_ = good();                                                   \
		__VA_ARGS__;                                                                       \
		CHECK_OK(check(&task_), &err);                                                     \
	} while (0)

TEST(a_blank_type_or_queue_is_refused_in_words_of_its_own)
{
	static const char *const blanks[] = {"", " ", "\t\r\n\v\f "};

	REFUSED(ROTA_INVALID, "task type cannot be blank", task_.type = NULL);
	for (size_t i = 0; i < ROTA_COUNT(blanks); i++) {
		REFUSED(ROTA_INVALID, "task type cannot be blank", task_.type = blanks[i]);
		REFUSED(ROTA_INVALID, "task queue name cannot be blank", task_.queue = blanks[i]);
		REFUSED(ROTA_INVALID, "key cannot be blank", task_.key = blanks[i]);
		REFUSED(ROTA_INVALID, "partition cannot be blank", task_.partition = blanks[i]);
	}
	ACCEPTED(task_.queue = NULL);
	ACCEPTED(task_.title = "");
}

TEST(texts_have_their_length)
{
	static const struct {
		size_t offset, max;
		const char *what;
	} texts[] = {{offsetof(struct rota_task, type), ROTA_NAME_BYTES_MAX, "type"},
		{offsetof(struct rota_task, queue), ROTA_NAME_BYTES_MAX, "queue"},
		{offsetof(struct rota_task, key), ROTA_KEY_BYTES_MAX, "key"},
		{offsetof(struct rota_task, title), ROTA_TITLE_BYTES_MAX, "title"},
		{offsetof(struct rota_task, content_type), ROTA_NAME_BYTES_MAX, "content_type"},
		{offsetof(struct rota_task, partition), ROTA_NAME_BYTES_MAX, "partition"},
		{offsetof(struct rota_task, notify_channel), ROTA_NAME_BYTES_MAX, "notify_channel"},
		{offsetof(struct rota_task, traceparent), ROTA_TRACEPARENT_BYTES_MAX,
			"traceparent"}};

	for (size_t i = 0; i < ROTA_COUNT(texts); i++) {
		char *text = long_text(texts[i].max + 1);

		REFUSED(ROTA_LIMIT, texts[i].what,
			memcpy((char *)&task_ + texts[i].offset, &text, sizeof(text)));
		text[texts[i].max] = 0;
		ACCEPTED(memcpy((char *)&task_ + texts[i].offset, &text, sizeof(text)));
		text[0] = (char)0xff;
		REFUSED(ROTA_INVALID, "is not valid UTF-8",
			memcpy((char *)&task_ + texts[i].offset, &text, sizeof(text)));
		CHECK_HAS(err.message, texts[i].what);
		free(text);
	}
}

TEST(payloads_may_be_absent_empty_or_large_but_not_larger)
{
	ACCEPTED(task_.payload = ((struct rota_bytes){NULL, 0}));
	ACCEPTED(task_.payload = ((struct rota_bytes){"", 0}));
	ACCEPTED(task_.payload = ((struct rota_bytes){"\xff", 1}));
	REFUSED(ROTA_INVALID, "payload is NULL", task_.payload = ((struct rota_bytes){NULL, 1}));
	ACCEPTED(task_.payload = ((struct rota_bytes){"x", ROTA_PAYLOAD_BYTES_MAX}));
	REFUSED(ROTA_LIMIT, "payload has 67108865 bytes; at most 67108864",
		task_.payload = ((struct rota_bytes){"x", ROTA_PAYLOAD_BYTES_MAX + 1}));
}

TEST(durations_are_neither_negative_nor_absurd)
{
	static const struct {
		size_t offset;
		const char *what;
	} lengths[] = {{offsetof(struct rota_task, delay), "delay"},
		{offsetof(struct rota_task, timeout), "timeout"},
		{offsetof(struct rota_task, stall), "stall"},
		{offsetof(struct rota_task, expires_in), "expires_in"},
		{offsetof(struct rota_task, dedup_for), "dedup_for"}};

	for (size_t i = 0; i < ROTA_COUNT(lengths); i++) {
		rota_duration bad[] = {-1, INT64_MIN, ROTA_DURATION_MAX + 1, INT64_MAX - 1};
		rota_duration most = ROTA_DURATION_MAX;

		for (size_t b = 0; b < ROTA_COUNT(bad); b++)
			REFUSED(ROTA_INVALID, lengths[i].what,
				memcpy((char *)&task_ + lengths[i].offset, &bad[b],
					sizeof(bad[b])));
		ACCEPTED(task_.key = "k";
			 memcpy((char *)&task_ + lengths[i].offset, &most, sizeof(most)));
	}
	REFUSED(ROTA_INVALID, "delay is -5s; it cannot be negative",
		task_.delay = ROTA_SECONDS(-5));
	REFUSED(ROTA_INVALID, "timeout is forever", task_.timeout = ROTA_FOREVER);
	ACCEPTED(task_.key = "k"; task_.dedup_for = ROTA_FOREVER);
	REFUSED(ROTA_INVALID, "there is no key", task_.dedup_for = 1);
}

TEST(run_at_is_a_date_that_can_be_written_also_after_the_delay)
{
	ACCEPTED(task_.run_at = 1);
	ACCEPTED(task_.run_at = ROTA_TIME_MAX - 1);
	REFUSED(ROTA_INVALID, "run_at is 1969-", task_.run_at = -1);
	REFUSED(ROTA_INVALID, "run_at is 9999-", task_.run_at = ROTA_TIME_MAX);
	REFUSED(ROTA_INVALID, "run_at", task_.run_at = INT64_MAX);
	REFUSED(ROTA_INVALID, "run_at", task_.run_at = INT64_MIN);
	ACCEPTED(task_.run_at = ROTA_TIME_MAX - 6; task_.delay = 5);
	REFUSED(ROTA_INVALID, "run_at", task_.run_at = ROTA_TIME_MAX - 5; task_.delay = 5);
}

static enum rota_status check_policy(struct rota_retry retry)
{
	struct rota_task task = good();

	retry.size = sizeof(retry);
	task.retry = &retry;
	return check(&task);
}
#define RETRY(...) check_policy((struct rota_retry){__VA_ARGS__})

TEST(retry_policies_are_checked)
{
	CHECK_OK(RETRY(.attempts_max = -1, .doublings = -1, .jitter_percent = -1), &err);
	CHECK_OK(RETRY(.jitter_percent = 100, .duration_max = ROTA_DURATION_MAX), &err);
	CHECK_OK(RETRY(.backoff_min = 5, .backoff_max = 5), &err);
	CHECK_OK(RETRY(.backoff_min = ROTA_SECONDS(7200)), &err);
	CHECK_STATUS(RETRY(.attempts_max = -2), ROTA_INVALID, &err);
	CHECK_HAS(err.message, "attempts_max is -2");
	CHECK_STATUS(RETRY(.doublings = -2), ROTA_INVALID, &err);
	CHECK_STATUS(RETRY(.jitter_percent = 101), ROTA_INVALID, &err);
	CHECK_HAS(err.message, "jitter_percent is 101; from -1 to 100");
	CHECK_STATUS(RETRY(.jitter_percent = -2), ROTA_INVALID, &err);
	CHECK_STATUS(RETRY(.backoff_min = -1), ROTA_INVALID, &err);
	CHECK_STATUS(RETRY(.backoff_max = ROTA_FOREVER), ROTA_INVALID, &err);
	CHECK_STATUS(RETRY(.duration_max = -1), ROTA_INVALID, &err);
	CHECK_STATUS(RETRY(.backoff_min = ROTA_SECONDS(6), .backoff_max = ROTA_SECONDS(5)),
		ROTA_INVALID, &err);
	CHECK_HAS(err.message, "backoff_min (6s) is above backoff_max (5s)");
}

TEST(enums_and_counts_are_checked)
{
	REFUSED(ROTA_INVALID, "on_conflict is 3", task_.on_conflict = (enum rota_on_conflict)3);
	REFUSED(ROTA_INVALID, "on_conflict", task_.on_conflict = (enum rota_on_conflict) - 1);
	ACCEPTED(task_.signals = ROTA_SIGNALS_MAX);
	REFUSED(ROTA_INVALID, "signals", task_.signals = ROTA_SIGNALS_MAX + 1);
	ACCEPTED(task_.priority = INT32_MIN);
}

/* An edge from either end must be refused alike. */
static void check_edge(struct rota_dependency edge, enum rota_status want, const char *part)
{
	for (int before = 0; before < 2; before++) {
		struct rota_task task = good();

		task.key = "mine";
		task.after = before ? NULL : &edge;
		task.after_count = !before;
		task.before = before ? &edge : NULL;
		task.before_count = (size_t)before;
		CHECK_STATUS(check(&task), want, &err);
		if (want)
			CHECK_HAS(err.message, part);
	}
}
#define EDGE(...) ((struct rota_dependency){__VA_ARGS__})

TEST(edges_name_exactly_one_other_task)
{
	check_edge(EDGE(.id = 5), ROTA_OK, "");
	check_edge(EDGE(.key = "k", .failed = ROTA_AFTER_CANCEL), ROTA_OK, "");
	check_edge(EDGE(.nth = 1), ROTA_OK, "");
	check_edge(EDGE(.nth = 3), ROTA_OK, "");
	check_edge(EDGE(.id = 0), ROTA_INVALID, "has no end");
	check_edge(EDGE(.id = 1, .key = "k"), ROTA_INVALID, "more than one end");
	check_edge(EDGE(.key = "k", .nth = 1), ROTA_INVALID, "exactly one of id, key and nth");
	check_edge(EDGE(.id = -1), ROTA_INVALID, "no task id");
	check_edge(EDGE(.nth = 2), ROTA_INVALID, "#2 → #2");
	check_edge(EDGE(.nth = 4), ROTA_INVALID, "names task #4, but the call has 3");
	check_edge(EDGE(.key = "mine"), ROTA_INVALID, "mine → mine");
	check_edge(EDGE(.key = " "), ROTA_INVALID, "cannot be blank");
	check_edge(EDGE(.key = "\xc0\x80"), ROTA_INVALID, "UTF-8");
	check_edge(EDGE(.id = 1, .failed = (enum rota_after_failed)2), ROTA_INVALID, "policy");
	check_edge(EDGE(.id = 1, .reserved = 1), ROTA_INVALID, "reserved");
}

TEST(arrays_of_edges_are_bounded_and_there)
{
	struct rota_dependency one = {.id = 1};

	REFUSED(ROTA_INVALID, "after is NULL", task_.after_count = 1);
	REFUSED(ROTA_INVALID, "before is NULL", task_.before_count = 1);
	REFUSED(ROTA_LIMIT, "after counts", task_.after = &one;
		task_.after_count = ROTA_EDGES_PER_TASK_MAX + 1);
}

TEST(a_stream_may_name_tasks_to_come_but_not_itself)
{
	struct rota_dependency edge = {.nth = UINT64_MAX};
	struct rota_task task = good();

	task.after = &edge;
	task.after_count = 1;
	CHECK_OK(rota_check_task(&task, 9, UINT64_MAX, &err), &err);
	edge.nth = 9;
	CHECK_STATUS(rota_check_task(&task, 9, UINT64_MAX, &err), ROTA_INVALID, &err);
}

TEST(a_task_that_was_not_started_with_its_size_is_refused)
{
	REFUSED(ROTA_INVALID, "0 bytes", task_.size = 0);
	REFUSED(ROTA_INVALID, "bytes", task_.size = sizeof(task_) + 1);
	ACCEPTED(task_.size = sizeof(task_) - 8);
}

/* ---- structs of other versions ---- */

struct newer {
	struct rota_task task;
	int64_t unknown;
};

TEST(a_newer_callers_struct_is_taken_while_it_uses_nothing_new)
{
	struct newer theirs = {.task = ROTA_TASK(.type = "mail", .signals = 3)};
	struct rota_task ours;

	theirs.task.size = sizeof(theirs);
	CHECK_OK(rota_task_adopt(&theirs.task, &ours, &err), &err);
	CHECK_EQ(ours.size, sizeof(ours));
	CHECK_EQ(ours.signals, 3);
	theirs.unknown = 1;
	ours.signals = 77;
	CHECK_STATUS(rota_task_adopt(&theirs.task, &ours, &err), ROTA_INVALID, &err);
	CHECK_HAS(err.message, "struct rota_task uses fields that this library");
	CHECK_EQ(ours.signals, 77);
}

TEST(an_older_callers_struct_is_filled_with_zeros)
{
	/* exactly as large as it says: sanitizers see a byte too many */
	size_t size = offsetof(struct rota_task, priority);
	struct rota_task whole = ROTA_TASK(.type = "mail", .title = "t"), ours;
	struct rota_task *theirs = malloc(size);

	CHECK(theirs);
	whole.size = size;
	memcpy((void *)theirs, &whole, size);
	memset(&ours, 0xff, sizeof(ours));
	CHECK_OK(rota_task_adopt(theirs, &ours, &err), &err);
	CHECK_STR(ours.title, "t");
	CHECK_EQ(ours.size, sizeof(ours));
	CHECK_EQ(ours.priority, 0);
	CHECK_EQ(ours.signals, 0);
	CHECK(!ours.retry);
	free(theirs);
}

TEST(structs_with_an_absurd_size_are_refused)
{
	static const size_t sizes[] = {0, 1, 7, 4097, SIZE_MAX};
	struct rota_verdict verdict = ROTA_INIT(rota_verdict), ours;

	for (size_t i = 0; i < ROTA_COUNT(sizes); i++) {
		verdict.size = sizes[i];
		CHECK_STATUS(rota_verdict_adopt(&verdict, &ours, &err), ROTA_INVALID, &err);
		CHECK_HAS(err.message, "ROTA_INIT(rota_verdict)");
	}
	CHECK_STATUS(rota_struct_adopt(&ours, sizeof(ours), NULL, "rota_verdict", &err),
		ROTA_INVALID, &err);
}

TEST(arrays_are_walked_by_the_first_ones_size)
{
	struct newer tasks[2];

	CHECK(rota_task_at(&tasks[0].task, 0) == &tasks[0].task);
	tasks[0].task.size = sizeof(tasks[0]);
	CHECK(rota_task_at(&tasks[0].task, 1) == &tasks[1].task);
}

/* ---- verdicts and small things ---- */

static enum rota_status check_verdict(struct rota_verdict verdict)
{
	verdict.size = sizeof(verdict);
	memset(&err, 0, sizeof(err));
	return rota_check_verdict(&verdict, &err);
}
#define VERDICT(...) check_verdict((struct rota_verdict){.id = 1, .token = 1, __VA_ARGS__})

TEST(verdicts_are_checked)
{
	char *text = long_text(ROTA_TEXT_BYTES_MAX + 1);

	for (int o = 0; o <= ROTA_OUTCOME_CANCEL; o++)
		CHECK_OK(VERDICT(.outcome = (enum rota_outcome)o, .delay = 5), &err);
	CHECK_STATUS(check_verdict((struct rota_verdict){.token = 1}), ROTA_INVALID, &err);
	CHECK_STATUS(check_verdict((struct rota_verdict){.id = 1}), ROTA_INVALID, &err);
	CHECK_HAS(err.message, "0 is no token");
	CHECK_STATUS(VERDICT(.outcome = ROTA_OUTCOME_LATER), ROTA_INVALID, &err);
	CHECK_STATUS(VERDICT(.outcome = (enum rota_outcome) - 1), ROTA_INVALID, &err);
	CHECK_STATUS(VERDICT(.delay = -1), ROTA_INVALID, &err);
	CHECK_STATUS(VERDICT(.error = text), ROTA_LIMIT, &err);
	CHECK_STATUS(VERDICT(.status_text = text), ROTA_LIMIT, &err);
	text[ROTA_TEXT_BYTES_MAX] = 0;
	CHECK_OK(VERDICT(.error = text, .status_text = text), &err);
	CHECK_STATUS(VERDICT(.error = "\xff"), ROTA_INVALID, &err);
	CHECK_STATUS(VERDICT(.result = {"x", ROTA_RESULT_BYTES_MAX + 1}), ROTA_LIMIT, &err);
	CHECK_OK(VERDICT(.result = {"x", ROTA_RESULT_BYTES_MAX}), &err);
	CHECK_STATUS(VERDICT(.progress = {"x", ROTA_PROGRESS_BYTES_MAX + 1}), ROTA_LIMIT, &err);
	CHECK_STATUS(VERDICT(.result = {NULL, 1}), ROTA_INVALID, &err);
	free(text);
}

TEST(follow_ups_are_checked_like_tasks_and_go_with_complete)
{
	struct rota_task tasks[2] = {ROTA_TASK(.type = "a"), ROTA_TASK(.type = "b")};

	CHECK_OK(VERDICT(.follow_ups = tasks, .follow_up_count = 2), &err);
	CHECK_STATUS(
		VERDICT(.outcome = ROTA_OUTCOME_RETRY, .follow_ups = tasks, .follow_up_count = 2),
		ROTA_INVALID, &err);
	CHECK_HAS(err.message, "retry");
	CHECK_STATUS(VERDICT(.follow_up_count = 2), ROTA_INVALID, &err);
	tasks[1].type = "";
	CHECK_STATUS(VERDICT(.follow_ups = tasks, .follow_up_count = 2), ROTA_INVALID, &err);
	CHECK_HAS(err.message, "task type cannot be blank");
	CHECK_STATUS(VERDICT(.follow_ups = tasks, .follow_up_count = ROTA_TASKS_PER_CALL_MAX + 1),
		ROTA_LIMIT, &err);
}

TEST(ids_begin_at_one)
{
	CHECK_OK(rota_check_id(1, &err), &err);
	CHECK_OK(rota_check_id(INT64_MAX, &err), &err);
	CHECK_STATUS(rota_check_id(0, &err), ROTA_INVALID, &err);
	CHECK_STATUS(rota_check_id(-3, &err), ROTA_INVALID, &err);
	CHECK_HAS(err.message, "-3 is no task id");
}

TEST(for_ever_is_a_length_only_where_it_is_allowed)
{
	CHECK_OK(rota_check_duration(ROTA_FOREVER, "lease", true, &err), &err);
	CHECK_STATUS(rota_check_duration(ROTA_FOREVER, "lease", false, &err), ROTA_INVALID, &err);
	CHECK_STATUS(
		rota_check_duration(ROTA_FOREVER - 1, "lease", true, &err), ROTA_INVALID, &err);
	CHECK_HAS(err.message, "for ever");
}
