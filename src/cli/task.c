/* task.c: one table for the options of `enqueue` and the fields of a JSON line. */
#include "cli/task.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/error.h"
#include "base/limits.h"
#include "base/macros.h"
#include "base/text.h"
#include "cli/base64.h"

#define AT(field) offsetof(struct cli_task, field)
const struct cli_option cli_task_options[] = {
	{"queue", CLI_TEXT, AT(queue), "Q", "the line it waits in (default \"default\")"},
	{"key", CLI_TEXT, AT(key), "K", "a name of its own, unique in the namespace"},
	{"title", CLI_TEXT, AT(title), "TEXT", "a line for people"},
	{"on-conflict", CLI_CHOICE, AT(on_conflict), "reject|ignore|replace",
		"when the key is taken (default reject)", .choices = "reject ignore replace"},
	{"dedup-for", CLI_DURATION, AT(dedup_for), "DUR",
		"the key stays taken that long after the end"},
	{"delay", CLI_DURATION, AT(delay), "DUR", "run no sooner than in that time"},
	{"at", CLI_TIME, AT(at), "TIME", "run no sooner than then"},
	{"priority", CLI_INT, AT(priority), "N", "lower runs first (default 0)", INT32_MIN,
		INT32_MAX},
	{"max-attempts", CLI_INT, AT(max_attempts), "N", "0: unlimited (default 25)", 0, INT32_MAX},
	{"backoff", CLI_TEXT, AT(backoff), "MIN..MAX", "wait between attempts (default 1s..1h)"},
	{"backoff-doublings", CLI_INT, AT(doublings), "N", "then it grows evenly (default 16)", 0,
		INT32_MAX},
	{"retry-for", CLI_DURATION, AT(retry_for), "DUR", "and not given up before that much time"},
	{"jitter", CLI_INT, AT(jitter), "PERCENT", "taken off the wait by chance (default 10)", 0,
		100},
	{"timeout", CLI_DURATION, AT(timeout), "DUR", "an attempt may take no longer"},
	{"stall", CLI_DURATION, AT(stall), "DUR", "nor be without progress for longer"},
	{"expires", CLI_DURATION, AT(expires), "DUR", "not started by then: it fails"},
	{"after", CLI_LIST, AT(after_texts), "TASK", "wait for that task; may be repeated"},
	{"before", CLI_LIST, AT(before_texts), "TASK",
		"that blocked task waits for this one; repeatable"},
	{"after-failed", CLI_CHOICE, AT(after_failed), "run|cancel",
		"when a task it waits for failed (default run)", .choices = "run cancel"},
	{"signals", CLI_INT, AT(signals), "N", "wait for so many `rota signal`", 0,
		ROTA_SIGNALS_MAX},
	{"partition", CLI_TEXT, AT(partition), "P", "a share of the queue, e.g. a customer"},
	{"content-type", CLI_TEXT, AT(content_type), "T", "of the payload; kept, not looked at"},
	{"traceparent", CLI_TEXT, AT(traceparent), "T", "W3C trace context, handed to the handler"},
	{"durability", CLI_CHOICE, AT(durability), "commit|relaxed",
		"commit (default): survives a power cut; relaxed: only crashes",
		.choices = "commit relaxed"},
	{"notify-channel", CLI_TEXT, AT(notify), "C", "kept for those who listen"},
	{NULL},
};

/* ---- reading JSON ---- */

static enum rota_status read_text(
	const json_t *value, const char *name, const char **ret, struct rota_error *err)
{
	if (!json_is_string(value))
		return rota_err(err, ROTA_INVALID, "\"%.80s\" must be a text in quotes", name);
	if (strlen(json_string_value(value)) != json_string_length(value))
		return rota_err(err, ROTA_INVALID, "\"%.80s\" must not contain \\u0000", name);
	*ret = json_string_value(value);
	return ROTA_OK;
}

static enum rota_status read_option(const struct cli_option *option, const char *name,
	const json_t *value, struct rota_arena *arena, struct cli_task *ret, struct rota_error *err)
{
	char shown[80], number[24];
	const char *text;
	enum rota_status status;

	snprintf(shown, sizeof(shown), "\"%s\"", name);
	if (option->kind == CLI_INT) {
		if (!json_is_integer(value))
			return rota_err(err, ROTA_INVALID,
				"%s must be a whole number without quotes", shown);
		snprintf(
			number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		text = number;
	} else {
		status = read_text(value, name, &text, err);
		if (status)
			return status;
	}
	return cli_option_set(option, ret, text, shown, arena, err);
}

static enum rota_status read_payload(
	const json_t *value, struct rota_arena *arena, struct cli_task *ret, struct rota_error *err)
{
	size_t size;
	char *data;

	if (json_is_null(value))
		return ROTA_OK;
	if (json_is_string(value)) {
		ret->payload =
			(struct rota_bytes){json_string_value(value), json_string_length(value)};
		return ROTA_OK;
	}
	size = json_dumpb(value, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);
	data = rota_arena_alloc(arena, size);
	if (!data || json_dumpb(value, data, size, JSON_COMPACT | JSON_ENCODE_ANY) != size)
		return rota_err_memory(err);
	ret->payload = (struct rota_bytes){data, size};
	if (!ret->content_type)
		ret->content_type = "application/json";
	return ROTA_OK;
}

static enum rota_status read_base64(
	const json_t *value, struct rota_arena *arena, struct cli_task *ret, struct rota_error *err)
{
	const char *text;
	size_t size;
	char *data;
	enum rota_status status = read_text(value, "payload_base64", &text, err);

	if (status)
		return status;
	data = rota_arena_alloc(arena, strlen(text) / 4 * 3 + 3);
	if (!data)
		return rota_err_memory(err);
	if (!cli_base64_decode(text, strlen(text), data, &size))
		return rota_err(err, ROTA_INVALID,
			"\"payload_base64\" is not base64 (A-Z a-z 0-9 + / and =)");
	ret->payload = (struct rota_bytes){data, size};
	return ROTA_OK;
}

/* 17 is an id, "#3" the third line, "key:X" and anything else a key. */
static enum rota_status read_dependency(
	const json_t *value, const char *name, struct rota_dependency *ret, struct rota_error *err)
{
	const char *text;
	int64_t nth;
	enum rota_status status;

	if (json_is_integer(value)) {
		if (json_integer_value(value) < 1)
			return rota_err(err, ROTA_INVALID, "\"%s\": ids begin at 1", name);
		ret->id = json_integer_value(value);
		return ROTA_OK;
	}
	status = read_text(value, name, &text, NULL);
	if (status)
		return rota_err(err, ROTA_INVALID,
			"\"%s\" holds ids (numbers), keys (texts) and lines such as \"#3\"", name);
	if (text[0] == '#') {
		if (!rota_int_parse(text + 1, 1, INT64_MAX, &nth))
			return rota_err(err, ROTA_INVALID,
				"\"%s\": \"%.80s\" names no line; a key like that is written "
				"\"key:%.80s\"",
				name, text, text);
		ret->nth = (uint64_t)nth;
	} else {
		ret->key = strncmp(text, "key:", 4) == 0 ? text + 4 : text;
	}
	return ROTA_OK;
}

static enum rota_status read_dependencies(const json_t *array, const char *name,
	struct rota_arena *arena, struct rota_dependency **ret, size_t *ret_count,
	struct rota_error *err)
{
	size_t n = json_array_size(array);
	struct rota_dependency *edges;

	if (!json_is_array(array))
		return rota_err(
			err, ROTA_INVALID, "\"%s\" must be an array of ids, keys and \"#n\"", name);
	if (*ret)
		return rota_err(
			err, ROTA_INVALID, "\"depends_on\" and \"after\" are the same; give one");
	if (n > ROTA_EDGES_PER_TASK_MAX)
		return rota_err(err, ROTA_LIMIT, "\"%s\" has more than %d entries", name,
			ROTA_EDGES_PER_TASK_MAX);
	edges = rota_arena_array(arena, n, sizeof(*edges));
	if (!edges)
		return rota_err_memory(err);
	for (size_t i = 0; i < n; i++) {
		enum rota_status status =
			read_dependency(json_array_get(array, i), name, &edges[i], err);

		if (status)
			return status;
	}
	*ret = edges;
	*ret_count = n;
	return ROTA_OK;
}

static enum rota_status unknown_field(const char *name, struct rota_error *err)
{
	static const char *const others[] = {"type", "payload", "payload_base64", "depends_on"};
	struct cli_nearest nearest = {.word = name};
	char hint[64] = "";

	for (size_t i = 0; i < ROTA_COUNT(others); i++)
		cli_nearest_offer(&nearest, others[i]);
	for (const struct cli_option *option = cli_task_options; option->name; option++)
		cli_nearest_offer(&nearest, option->name);
	if (cli_nearest_get(&nearest))
		snprintf(hint, sizeof(hint), "; did you mean \"%s\"?", cli_nearest_get(&nearest));
	for (char *at = hint; *at; at++)
		*at = *at == '-' ? '_' : *at;
	return rota_err(err, ROTA_INVALID, "unknown field \"%.80s\"%s", name, hint);
}

static enum rota_status read_field(const char *name, const json_t *value, struct rota_arena *arena,
	struct cli_task *ret, struct rota_error *err)
{
	const struct cli_option *option;

	if (strcmp(name, "type") == 0)
		return read_text(value, name, &ret->type, err);
	if (strcmp(name, "payload") == 0)
		return ROTA_OK; /* once content_type is known */
	if (strcmp(name, "payload_base64") == 0)
		return read_base64(value, arena, ret, err);
	if (strcmp(name, "depends_on") == 0 || strcmp(name, "after") == 0)
		return read_dependencies(value, name, arena, &ret->after, &ret->after_count, err);
	if (strcmp(name, "before") == 0)
		return read_dependencies(value, name, arena, &ret->before, &ret->before_count, err);
	option = strchr(name, '-') ? NULL : cli_option_find(cli_task_options, name, strlen(name));
	if (!option)
		return unknown_field(name, err);
	return read_option(option, name, value, arena, ret, err);
}

enum rota_status cli_task_read(const json_t *object, struct rota_arena *arena, struct cli_task *ret,
	struct rota_error *err)
{
	const json_t *payload = json_object_get(object, "payload");
	struct cli_task task = {.type = NULL};
	enum rota_status status = ROTA_OK;
	const char *name;
	json_t *value;

	if (!json_is_object(object))
		return rota_err(
			err, ROTA_INVALID, "a task is an object such as {\"type\":\"mail\"}");
	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		status = read_field(name, value, arena, &task, err);
		if (status)
			return status;
	}
	if (!task.type)
		return rota_err(err, ROTA_INVALID, "\"type\" is missing");
	if (payload && task.payload.data)
		return rota_err(
			err, ROTA_INVALID, "give \"payload\" or \"payload_base64\", not both");
	if (payload)
		status = read_payload(payload, arena, &task, err);
	if (!status)
		*ret = task;
	return status;
}

uint64_t cli_task_nth_max(const struct cli_task *task)
{
	uint64_t max = 0;

	for (size_t i = 0; i < task->after_count; i++)
		max = ROTA_MAX(max, task->after[i].nth);
	for (size_t i = 0; i < task->before_count; i++)
		max = ROTA_MAX(max, task->before[i].nth);
	return max;
}

/* ---- for the library ---- */

bool cli_backoff_parse(const char *text, rota_duration *ret_min, rota_duration *ret_max)
{
	const char *dots = strstr(text, "..");
	char first[40];
	rota_duration min, max;

	if (!dots || (size_t)(dots - text) >= sizeof(first))
		return false;
	memcpy(first, text, (size_t)(dots - text));
	first[dots - text] = '\0';
	/* 0 would mean the library's default, not "at once". */
	if (!rota_duration_parse(first, &min) || !rota_duration_parse(dots + 2, &max) || min < 1 ||
		max < min)
		return false;
	*ret_min = min;
	*ret_max = max;
	return true;
}

/* What a person calls 0 ("none") the library calls -1, because its 0 is the default. */
static int32_t or_none(struct cli_number number)
{
	if (!number.given)
		return 0;
	return number.value == 0 ? -1 : (int32_t)number.value;
}

static enum rota_status build_retry(const struct cli_task *task, bool json,
	struct rota_arena *arena, struct rota_task *ret, struct rota_error *err)
{
	struct rota_retry *retry;

	if (!task->max_attempts.given && !task->doublings.given && !task->jitter.given &&
		!task->retry_for.given && !task->backoff)
		return ROTA_OK;
	retry = rota_arena_zalloc(arena, sizeof(*retry));
	if (!retry)
		return rota_err_memory(err);
	retry->size = sizeof(*retry);
	retry->attempts_max = or_none(task->max_attempts);
	retry->doublings = or_none(task->doublings);
	retry->jitter_percent = or_none(task->jitter);
	retry->duration_max = task->retry_for.value;
	if (task->backoff &&
		!cli_backoff_parse(task->backoff, &retry->backoff_min, &retry->backoff_max))
		return rota_err(err, ROTA_INVALID,
			"%s takes a smallest and a largest wait such as 1s..5m, not \"%.80s\"",
			json ? "\"backoff\"" : "--backoff", task->backoff);
	ret->retry = retry;
	return ROTA_OK;
}

static void set_policy(struct rota_dependency *edges, size_t n, int64_t policy)
{
	for (size_t i = 0; i < n; i++)
		edges[i].failed = (enum rota_after_failed)policy;
}

enum rota_status cli_task_build(const struct cli_task *task, bool json, struct rota_arena *arena,
	struct rota_task *ret, struct rota_error *err)
{
	if (task->delay.given && task->at.given)
		return rota_err(err, ROTA_INVALID,
			json ? "give \"delay\" or \"at\", not both"
			     : "give --delay or --at, not both");
	set_policy(task->after, task->after_count, task->after_failed.value);
	set_policy(task->before, task->before_count, task->after_failed.value);
	*ret = ROTA_TASK(.type = task->type, .queue = task->queue, .key = task->key,
		.title = task->title, .payload = task->payload, .content_type = task->content_type,
		.partition = task->partition, .traceparent = task->traceparent,
		.notify_channel = task->notify, .priority = (int32_t)task->priority.value,
		.on_conflict = (enum rota_on_conflict)task->on_conflict.value,
		.run_at = task->at.value, .delay = task->delay.value,
		.timeout = task->timeout.value, .stall = task->stall.value,
		.expires_in = task->expires.value, .dedup_for = task->dedup_for.value,
		.after = task->after, .after_count = task->after_count, .before = task->before,
		.before_count = task->before_count, .signals = (uint32_t)task->signals.value);
	return build_retry(task, json, arena, ret, err);
}
