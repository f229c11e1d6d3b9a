/* check.c: what a valid input looks like, field by field. */
#include "core/check.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/macros.h"
#include "base/text.h"
#include <string.h>

#define STRUCT_BYTES_MAX 4096 /* a size above is garbage: it would be read that far */

static bool all_zero(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

enum rota_status rota_struct_adopt(
	void *ours, size_t want, const void *theirs, const char *name, struct rota_error *err)
{
	size_t size;

	if (!theirs)
		return rota_err(err, ROTA_INVALID, "struct %s is NULL", name);
	memcpy(&size, theirs, sizeof(size));
	if (size < sizeof(size) || size > STRUCT_BYTES_MAX)
		return rota_err(err, ROTA_INVALID,
			"struct %s says that it has %zu bytes; start it with ROTA_INIT(%s)", name,
			size, name);
	if (size > want && !all_zero((const char *)theirs + want, size - want))
		return rota_err(err, ROTA_INVALID,
			"struct %s uses fields that this library (%s) does not know; leave them "
			"zero "
			"or use a newer library",
			name, ROTA_VERSION);
	memset(ours, 0, want);
	memcpy(ours, theirs, ROTA_MIN(size, want));
	memcpy(ours, &want, sizeof(want));
	return ROTA_OK;
}

enum rota_status rota_task_adopt(
	const struct rota_task *task, struct rota_task *ret, struct rota_error *err)
{
	struct rota_task ours;
	enum rota_status status = rota_struct_adopt(&ours, sizeof(ours), task, "rota_task", err);

	if (!status)
		*ret = ours;
	return status;
}

enum rota_status rota_verdict_adopt(
	const struct rota_verdict *verdict, struct rota_verdict *ret, struct rota_error *err)
{
	struct rota_verdict ours;
	enum rota_status status =
		rota_struct_adopt(&ours, sizeof(ours), verdict, "rota_verdict", err);

	if (!status)
		*ret = ours;
	return status;
}

static bool blank(const char *text)
{
	return !text || !text[strspn(text, " \t\r\n\v\f")];
}

static enum rota_status refuse_blank(const char *what, struct rota_error *err)
{
	if (!strcmp(what, "type"))
		return rota_err(err, ROTA_INVALID, "task type cannot be blank");
	if (!strcmp(what, "queue"))
		return rota_err(err, ROTA_INVALID, "task queue name cannot be blank");
	return rota_err(err, ROTA_INVALID, "%s cannot be blank", what);
}

enum rota_status rota_check_name(
	const char *name, const char *what, size_t max, struct rota_error *err)
{
	if (blank(name))
		return refuse_blank(what, err);
	return rota_check_text(name, what, max, err);
}

enum rota_status rota_check_text(
	const char *text, const char *what, size_t max, struct rota_error *err)
{
	size_t size;

	if (!text)
		return ROTA_OK;
	size = strlen(text);
	if (size > max)
		return rota_err(err, ROTA_LIMIT, "%s has %zu bytes; at most %zu", what, size, max);
	if (!rota_utf8_valid(text, size))
		return rota_err(err, ROTA_INVALID, "%s is not valid UTF-8", what);
	return ROTA_OK;
}

enum rota_status rota_check_bytes(
	struct rota_bytes bytes, const char *what, size_t max, struct rota_error *err)
{
	if (!bytes.data && bytes.size)
		return rota_err(
			err, ROTA_INVALID, "%s is NULL, but has %zu bytes", what, bytes.size);
	if (bytes.size > max)
		return rota_err(
			err, ROTA_LIMIT, "%s has %zu bytes; at most %zu", what, bytes.size, max);
	return ROTA_OK;
}

enum rota_status rota_check_duration(
	rota_duration length, const char *what, bool forever_ok, struct rota_error *err)
{
	char text[40];

	if ((length >= 0 && length <= ROTA_DURATION_MAX) || (forever_ok && length == ROTA_FOREVER))
		return ROTA_OK;
	rota_duration_format(length, text, sizeof(text));
	if (length < 0)
		return rota_err(err, ROTA_INVALID, "%s is %s; it cannot be negative", what, text);
	return rota_err(err, ROTA_INVALID, "%s is %s; at most 366000d (1000 years)%s", what, text,
		forever_ok ? ", or for ever" : "");
}

enum rota_status rota_check_id(rota_id id, struct rota_error *err)
{
	if (id < 1)
		return rota_err(
			err, ROTA_INVALID, "%lld is no task id; ids begin at 1", (long long)id);
	return ROTA_OK;
}

static enum rota_status check_number(
	int64_t value, int64_t min, int64_t max, const char *what, struct rota_error *err)
{
	if (value >= min && value <= max)
		return ROTA_OK;
	return rota_err(err, ROTA_INVALID, "%s is %lld; from %lld to %lld", what, (long long)value,
		(long long)min, (long long)max);
}

/* ---- retry policy ---- */

static enum rota_status check_backoff(const struct rota_retry *retry, struct rota_error *err)
{
	char min[40], max[40];
	enum rota_status status =
		rota_check_duration(retry->backoff_min, "backoff_min", false, err);

	if (!status)
		status = rota_check_duration(retry->backoff_max, "backoff_max", false, err);
	if (!status && retry->backoff_max && retry->backoff_min > retry->backoff_max)
		status = rota_err(err, ROTA_INVALID, "backoff_min (%s) is above backoff_max (%s)",
			rota_duration_format(retry->backoff_min, min, sizeof(min)),
			rota_duration_format(retry->backoff_max, max, sizeof(max)));
	return status;
}

static enum rota_status check_retry(const struct rota_retry *theirs, struct rota_error *err)
{
	struct rota_retry retry = ROTA_INIT(rota_retry);
	enum rota_status status;

	if (!theirs)
		return ROTA_OK;
	status = rota_struct_adopt(&retry, sizeof(retry), theirs, "rota_retry", err);
	if (!status)
		status = check_number(retry.attempts_max, -1, INT32_MAX, "attempts_max", err);
	if (!status)
		status = check_number(retry.doublings, -1, INT32_MAX, "doublings", err);
	if (!status)
		status = check_number(retry.jitter_percent, -1, 100, "jitter_percent", err);
	if (!status)
		status = rota_check_duration(retry.duration_max, "duration_max", false, err);
	return status ? status : check_backoff(&retry, err);
}

/* ---- dependencies ---- */

struct call {
	const struct rota_task *task;
	uint64_t position, count;
};

static enum rota_status check_nth(
	uint64_t nth, const char *what, const struct call *call, struct rota_error *err)
{
	if (nth > call->count)
		return rota_err(err, ROTA_INVALID, "%s names task #%llu, but the call has %llu",
			what, (unsigned long long)nth, (unsigned long long)call->count);
	if (nth == call->position)
		return rota_err(err, ROTA_INVALID, "task #%llu depends on itself: #%llu → #%llu",
			(unsigned long long)nth, (unsigned long long)nth, (unsigned long long)nth);
	return ROTA_OK;
}

static enum rota_status check_key_edge(
	const char *key, const char *what, const struct call *call, struct rota_error *err)
{
	enum rota_status status = rota_check_name(key, what, ROTA_KEY_BYTES_MAX, err);

	if (!status && call->task->key && !strcmp(key, call->task->key))
		status = rota_err(
			err, ROTA_INVALID, "task %s depends on itself: %s → %s", key, key, key);
	return status;
}

static enum rota_status check_edge(const struct rota_dependency *edge, const char *what,
	const struct call *call, struct rota_error *err)
{
	int ends = (edge->id != 0) + (edge->key != NULL) + (edge->nth != 0);

	if (ends != 1)
		return rota_err(err, ROTA_INVALID, "%s has %s; set exactly one of id, key and nth",
			what, ends ? "more than one end" : "no end");
	if ((unsigned)edge->failed > ROTA_AFTER_CANCEL)
		return rota_err(err, ROTA_INVALID, "%s: %d is no policy for failed predecessors",
			what, (int)edge->failed);
	if (edge->reserved)
		return rota_err(err, ROTA_INVALID, "%s: reserved is not zero", what);
	if (edge->key)
		return check_key_edge(edge->key, what, call, err);
	return edge->nth ? check_nth(edge->nth, what, call, err) : rota_check_id(edge->id, err);
}

static enum rota_status check_edges(const struct rota_dependency *edges, size_t count,
	const char *what, const struct call *call, struct rota_error *err)
{
	if (count && !edges)
		return rota_err(err, ROTA_INVALID, "%s is NULL, but counts %zu", what, count);
	if (count > ROTA_EDGES_PER_TASK_MAX)
		return rota_err(err, ROTA_LIMIT, "%s counts %zu; at most %d for one task", what,
			count, ROTA_EDGES_PER_TASK_MAX);
	for (size_t i = 0; i < count; i++) {
		enum rota_status status = check_edge(&edges[i], what, call, err);

		if (status)
			return status;
	}
	return ROTA_OK;
}

/* ---- tasks ---- */

/* An optional name: not given, or not blank. */
static enum rota_status check_given(
	const char *name, const char *what, size_t max, struct rota_error *err)
{
	return name ? rota_check_name(name, what, max, err) : ROTA_OK;
}

static enum rota_status check_texts(const struct rota_task *task, struct rota_error *err)
{
	enum rota_status status = rota_check_name(task->type, "type", ROTA_NAME_BYTES_MAX, err);

	if (!status)
		status = check_given(task->queue, "queue", ROTA_NAME_BYTES_MAX, err);
	if (!status)
		status = check_given(task->key, "key", ROTA_KEY_BYTES_MAX, err);
	if (!status)
		status = rota_check_text(task->title, "title", ROTA_TITLE_BYTES_MAX, err);
	if (!status)
		status = check_given(task->content_type, "content_type", ROTA_NAME_BYTES_MAX, err);
	if (!status)
		status = check_given(task->partition, "partition", ROTA_NAME_BYTES_MAX, err);
	if (!status)
		status = check_given(
			task->traceparent, "traceparent", ROTA_TRACEPARENT_BYTES_MAX, err);
	if (!status)
		status = check_given(
			task->notify_channel, "notify_channel", ROTA_NAME_BYTES_MAX, err);
	return status ? status
		      : rota_check_bytes(task->payload, "payload", ROTA_PAYLOAD_BYTES_MAX, err);
}

/* A date that all formatters can cope with, also after the delay. */
static enum rota_status check_run_at(const struct rota_task *task, struct rota_error *err)
{
	char text[40];

	if (task->run_at >= 0 && task->run_at < ROTA_TIME_MAX &&
		task->delay < ROTA_TIME_MAX - task->run_at)
		return ROTA_OK;
	return rota_err(err, ROTA_INVALID,
		"run_at is %s; from 1970 to 9998, also with the delay added",
		rota_time_format(task->run_at, text, sizeof(text)));
}

static enum rota_status check_times(const struct rota_task *task, struct rota_error *err)
{
	enum rota_status status = rota_check_duration(task->delay, "delay", false, err);

	if (!status)
		status = rota_check_duration(task->timeout, "timeout", false, err);
	if (!status)
		status = rota_check_duration(task->stall, "stall", false, err);
	if (!status)
		status = rota_check_duration(task->expires_in, "expires_in", false, err);
	if (!status)
		status = rota_check_duration(task->dedup_for, "dedup_for", true, err);
	if (!status && task->dedup_for && !task->key)
		status = rota_err(
			err, ROTA_INVALID, "dedup_for is set, but there is no key to keep");
	return status ? status : check_run_at(task, err);
}

enum rota_status rota_check_task(
	const struct rota_task *task, uint64_t position, uint64_t count, struct rota_error *err)
{
	struct call call = {task, position, count};
	enum rota_status status;

	if (task->size < sizeof(task->size) || task->size > sizeof(*task))
		return rota_err(err, ROTA_INVALID,
			"task #%llu says that it has %zu bytes; start each with ROTA_TASK(…)",
			(unsigned long long)position, task->size);
	status = check_texts(task, err);
	if (!status)
		status = check_times(task, err);
	if (!status)
		status = check_retry(task->retry, err);
	if (!status)
		status = check_number((int)task->on_conflict, ROTA_CONFLICT_REJECT,
			ROTA_CONFLICT_REPLACE, "on_conflict", err);
	if (!status)
		status = check_number(task->signals, 0, ROTA_SIGNALS_MAX, "signals", err);
	if (!status)
		status = check_edges(task->after, task->after_count, "after", &call, err);
	return status ? status
		      : check_edges(task->before, task->before_count, "before", &call, err);
}

/* ---- verdicts ---- */

static enum rota_status check_follow_ups(const struct rota_verdict *verdict, struct rota_error *err)
{
	struct rota_task task;
	size_t count = verdict->follow_up_count;

	if (!count)
		return ROTA_OK;
	if (!verdict->follow_ups)
		return rota_err(err, ROTA_INVALID, "follow_ups is NULL, but counts %zu", count);
	if (verdict->outcome != ROTA_OUTCOME_COMPLETE)
		return rota_err(err, ROTA_INVALID, "follow_ups go with complete, not with %s",
			rota_outcome_name(verdict->outcome));
	if (count > ROTA_TASKS_PER_CALL_MAX)
		return rota_err(err, ROTA_LIMIT, "follow_ups counts %zu; at most %d", count,
			ROTA_TASKS_PER_CALL_MAX);
	for (size_t i = 0; i < count; i++) {
		enum rota_status status =
			rota_task_adopt(rota_task_at(verdict->follow_ups, i), &task, err);

		if (!status)
			status = rota_check_task(&task, i + 1, count, err);
		if (status)
			return status;
	}
	return ROTA_OK;
}

enum rota_status rota_check_verdict(const struct rota_verdict *verdict, struct rota_error *err)
{
	enum rota_status status = rota_check_id(verdict->id, err);

	if (!status && verdict->token < 1)
		status = rota_err(err, ROTA_INVALID, "%lld is no token; a claim gives one",
			(long long)verdict->token);
	if (!status && (unsigned)verdict->outcome > ROTA_OUTCOME_CANCEL)
		status = rota_err(err, ROTA_INVALID, "%s is no outcome of an attempt",
			rota_outcome_name(verdict->outcome));
	if (!status)
		status = rota_check_duration(verdict->delay, "delay", false, err);
	if (!status)
		status = rota_check_bytes(verdict->result, "result", ROTA_RESULT_BYTES_MAX, err);
	if (!status)
		status = rota_check_bytes(
			verdict->progress, "progress", ROTA_PROGRESS_BYTES_MAX, err);
	if (!status)
		status = rota_check_text(
			verdict->status_text, "status_text", ROTA_TEXT_BYTES_MAX, err);
	if (!status)
		status = rota_check_text(verdict->error, "error", ROTA_TEXT_BYTES_MAX, err);
	return status ? status : check_follow_ups(verdict, err);
}
