/* enqueue_row.c: what a new task is in the file. */
#include <string.h>
#include "base/error.h"
#include "core/check.h"
#include "store/sqlite/enqueue.h"

static rota_time run_at_of(const struct rota_task *task, rota_time now)
{
	return ROTA_MAX(rota_time_add(task->run_at ? task->run_at : now, task->delay), now);
}

static rota_time expires_at_of(const struct rota_task *task, rota_time now)
{
	return task->expires_in ? rota_time_add(now, task->expires_in) : 0;
}

static bool has_extra(const struct rota_task *task)
{
	return task->title || task->content_type || task->partition || task->traceparent ||
	       task->notify_channel || task->retry || task->timeout || task->stall ||
	       task->dedup_for || task->expires_in;
}

static int32_t attempts_max_of(const struct rota_task *task)
{
	struct rota_retry retry;

	if (!task->retry)
		return ROTA_DEFAULT_ATTEMPTS;
	retry = rota_retry_resolve(task->retry);
	return retry.attempts_max < 0 ? 0 : retry.attempts_max;
}

static uint32_t flags_of(const struct rota_task *task)
{
	uint32_t flags = 0;

	if (task->key)
		flags |= ROTA_ROW_KEYED;
	if (task->after_count)
		flags |= ROTA_ROW_PREDECESSORS;
	if (task->payload.size > ROTA_BLOB_INLINE_MAX)
		flags |= ROTA_ROW_BIG;
	if (has_extra(task))
		flags |= ROTA_ROW_EXTRA;
	if (task->expires_in)
		flags |= ROTA_ROW_EXPIRES;
	return flags;
}

static struct rota_bytes inline_payload(const struct rota_task *task)
{
	struct rota_bytes none = {NULL, 0};

	return task->payload.size > ROTA_BLOB_INLINE_MAX ? none : task->payload;
}

void rota_new_fill(struct rota_session *session, const struct rota_task *task, struct rota_new *row)
{
	row->task = task;
	row->key = task->key;
	row->payload = inline_payload(task);
	row->priority = task->priority;
	row->attempts_max = attempts_max_of(task);
	row->flags = flags_of(task);
	row->signals = task->signals;
	row->pending = (int64_t)task->after_count + task->signals;
	row->run_at = run_at_of(task, session->now);
	row->expires_at = expires_at_of(task, session->now);
	row->state = (int32_t)rota_rule_initial(row->pending, row->run_at, session->now);
}

/* ---- rota_extra ---- */

struct extra {
	rota_id id;
	const char *title, *content_type, *partition, *traceparent, *notify_channel;
	struct rota_retry retry;
	rota_duration timeout, stall, dedup_for;
	rota_time expires_at;
};
#define EXTRA(kind, member) ROTA_INPUT(kind, struct extra, member)
static const struct rota_input_column extra_columns[] = {
	EXTRA(I64, id),
	EXTRA(TEXT, title),
	EXTRA(TEXT, content_type),
	EXTRA(TEXT, partition),
	EXTRA(TEXT, traceparent),
	EXTRA(TEXT, notify_channel),
	EXTRA(I32, retry.attempts_max),
	EXTRA(I32, retry.doublings),
	EXTRA(OPTIONAL, retry.backoff_min),
	EXTRA(OPTIONAL, retry.backoff_max),
	EXTRA(OPTIONAL, retry.duration_max),
	EXTRA(I32, retry.jitter_percent),
	EXTRA(OPTIONAL, timeout),
	EXTRA(OPTIONAL, stall),
	EXTRA(OPTIONAL, dedup_for),
	EXTRA(OPTIONAL, expires_at),
};

static void extra_fill(
	struct extra *extra, rota_id id, const struct rota_task *task, rota_time expires_at)
{
	*extra = (struct extra){.id = id,
		.title = task->title,
		.content_type = task->content_type,
		.partition = task->partition,
		.traceparent = task->traceparent,
		.notify_channel = task->notify_channel,
		.timeout = task->timeout,
		.stall = task->stall,
		.dedup_for = task->dedup_for,
		.expires_at = expires_at};
	if (task->retry)
		memcpy(&extra->retry, task->retry,
			ROTA_MIN(task->retry->size, sizeof(extra->retry)));
}

static enum rota_status extras_insert(
	struct rota_session *session, const struct rota_new *rows, size_t n)
{
	struct extra list[64];
	size_t count = 0;

	for (size_t i = 0; i <= n; i++) {
		if (count && (i == n || count == ROTA_COUNT(list))) {
			ROTA_SHOW(session, list, count, extra_columns);
			if (rota_sql_run(session, ROTA_SQL_EXTRA_INSERT, ""))
				return session->error.status;
			count = 0;
		}
		if (i < n && (rows[i].flags & ROTA_ROW_EXTRA))
			extra_fill(&list[count++], rows[i].id, rows[i].task, rows[i].expires_at);
	}
	return ROTA_OK;
}

static enum rota_status payloads_insert(
	struct rota_session *session, const struct rota_new *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!(rows[i].flags & ROTA_ROW_BIG))
			continue;
		if (rota_sql_run(session, ROTA_SQL_PART_SET, "ib",
			    rota_part_id(rows[i].id, ROTA_PART_PAYLOAD), rows[i].task->payload))
			return session->error.status;
	}
	return ROTA_OK;
}

/* ---- rota_task ---- */

#define NEW(kind, member) ROTA_INPUT(kind, struct rota_new, member)
static const struct rota_input_column new_columns[] = {
	NEW(I64, id),
	NEW(I32, state),
	NEW(I64, queue),
	NEW(I64, type),
	NEW(I32, priority),
	NEW(I64, run_at),
	NEW(U32, flags),
	NEW(I32, attempts_max),
	NEW(I64, pending),
	NEW(I64, signals),
	NEW(TEXT, key),
	NEW(BYTES, payload),
};
static const struct rota_input_column plain_columns[] = {
	NEW(I64, id),
	NEW(I64, run_at),
	NEW(BYTES, payload),
	NEW(TEXT, key),
};

/* What most rows are like: they differ in id, payload and perhaps run_at, or in their keys as well.
 */
static bool plain(const struct rota_new *rows, size_t n)
{
	const struct rota_new *a = &rows[0];

	for (size_t i = 0; i < n; i++) {
		const struct rota_new *b = &rows[i];

		if (b->flags != a->flags || (b->flags & ~ROTA_ROW_KEYED) || b->pending ||
			b->state != a->state || b->queue != a->queue || b->type != a->type ||
			b->priority != a->priority || b->attempts_max != a->attempts_max)
			return false;
	}
	return true;
}

static void rows_tell(struct rota_session *session, const struct rota_new *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (rows[i].state == ROTA_STATE_READY)
			session->news->ready = true;
		else if (rows[i].state == ROTA_STATE_SCHEDULED)
			rota_news_due(session->news, rows[i].run_at - session->now);
		if (rows[i].expires_at)
			rota_news_due(session->news, rows[i].expires_at - session->now);
	}
	session->notable = true;
}

enum rota_status rota_new_flush(struct rota_session *session)
{
	struct rota_new *rows = session->fresh;
	size_t n = session->fresh_count;
	enum rota_status status;

	session->fresh_count = 0;
	if (!n)
		return ROTA_OK;
	rows_tell(session, rows, n);
	if (plain(rows, n)) {
		ROTA_SHOW(session, rows, n, plain_columns);
		return rota_sql_run(session,
			rows->flags ? ROTA_SQL_TASK_INSERT_KEYED : ROTA_SQL_TASK_INSERT_PLAIN,
			"iiiiiii", session->now, (int64_t)rows->state, rows->queue, rows->type,
			(int64_t)rows->priority, (int64_t)rows->attempts_max, (int64_t)rows->flags);
	}
	ROTA_SHOW(session, rows, n, new_columns);
	status = rota_sql_run(session, ROTA_SQL_TASK_INSERT, "i", session->now);
	if (!status)
		status = extras_insert(session, rows, n);
	return status ? status : payloads_insert(session, rows, n);
}

enum rota_status rota_new_add(struct rota_session *session, struct rota_new **ret)
{
	if (session->fresh_count == ROTA_SQLITE_ROWS && rota_new_flush(session))
		return session->error.status;
	*ret = &session->fresh[session->fresh_count++];
	return ROTA_OK;
}

/* ---- replace ---- */

static enum rota_status payload_replace(struct rota_session *session, struct rota_row *row,
	const struct rota_task *task, int64_t queue, int64_t type)
{
	enum rota_status status = rota_sql_run(session, ROTA_SQL_TASK_REPLACE, "iiiib",
		row->facts.id, queue, type, (int64_t)task->priority, inline_payload(task));

	if (!status && (row->facts.flags & ROTA_ROW_BIG))
		status = rota_sql_run(session, ROTA_SQL_PART_DROP, "i",
			rota_part_id(row->facts.id, ROTA_PART_PAYLOAD));
	row->facts.flags &= ~ROTA_ROW_BIG;
	if (!status && task->payload.size > ROTA_BLOB_INLINE_MAX)
		status = rota_part_set(session, row, ROTA_PART_PAYLOAD, task->payload);
	row->queue = queue;
	row->type = type;
	return status;
}

/* All of rota_extra is the new task's, but for what attempts left there. */
static enum rota_status extra_replace(
	struct rota_session *session, struct rota_row *row, const struct rota_task *task)
{
	struct extra extra;

	row->extra_changed = row->facts.crashes != 0;
	row->expire_check = row->facts.expires_at;
	if (!has_extra(task) && !(row->facts.flags & ROTA_ROW_EXTRA))
		return ROTA_OK;
	row->facts.flags |= ROTA_ROW_EXTRA;
	extra_fill(&extra, row->facts.id, task, row->facts.expires_at);
	ROTA_SHOW(session, &extra, 1, extra_columns);
	return rota_sql_run(session, ROTA_SQL_EXTRA_INSERT, "");
}

enum rota_status rota_task_replace(struct rota_session *session, rota_id id,
	const struct rota_task *task, struct rota_error *refusal)
{
	struct rota_row *row = &session->work->rows[0];
	struct rota_facts before;
	int64_t queue, type;
	enum rota_status status = rota_work_load(session, &id, 1);

	if (status)
		return status;
	before = row->facts;
	status = rota_rule_replace(&row->facts, run_at_of(task, session->now),
		expires_at_of(task, session->now), session->now, &row->effect);
	if (status) {
		(void)rota_err(refusal, status, "key \"%s\" is taken by task %lld, which is %s",
			task->key, (long long)id, rota_state_name(before.state));
		return ROTA_OK;
	}
	status = rota_queue_id(
		session, task->queue ? task->queue : ROTA_DEFAULT_QUEUE, true, &queue);
	if (!status)
		status = rota_type_id(session, task->type, true, &type);
	if (!status)
		status = payload_replace(session, row, task, queue, type);
	if (!status)
		status = extra_replace(session, row, task);
	before.expires_at = row->facts.expires_at;
	row->facts.attempts_max = attempts_max_of(task);
	row->facts.flags &= ~ROTA_ROW_EXPIRES;
	row->facts.flags |= task->expires_in ? ROTA_ROW_EXPIRES : 0;
	if (!status)
		status = rota_work_changed(session, row, &before);
	return status ? status : rota_work_flush(session);
}
