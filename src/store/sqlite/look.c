/* look.c: get and states: a task as it is now. */
#include <string.h>
#include "base/error.h"
#include "store/sqlite/look.h"

/* ---- copies for the caller ---- */

static bool text_copy(struct rota_arena *arena, sqlite3_stmt *s, int column, const char **ret)
{
	const char *text = (const char *)sqlite3_column_text(s, column);

	*ret = rota_arena_strdup(arena, text);
	return *ret || !text;
}

static enum rota_status part_text(struct rota_session *session, rota_id id, enum rota_part part,
	struct rota_arena *arena, const char **ret)
{
	struct rota_bytes bytes;
	enum rota_status status = rota_part_get(session, id, part, arena, &bytes);

	if (!status)
		*ret = bytes.data; /* an arena's copy ends in a NUL */
	return status;
}

static enum rota_status parts_copy(struct rota_session *session, const struct rota_facts *facts,
	uint32_t want, struct rota_arena *arena, struct rota_task_info *to)
{
	enum rota_status status = ROTA_OK;

	if ((facts->flags & ROTA_ROW_BIG) && (want & ROTA_GET_PAYLOAD))
		status = rota_part_get(session, facts->id, ROTA_PART_PAYLOAD, arena, &to->payload);
	if (status || !(facts->flags & ROTA_ROW_PARTS))
		return status;
	status = rota_part_get(session, facts->id, ROTA_PART_PROGRESS, arena, &to->progress);
	if (!status && (want & ROTA_GET_RESULT))
		status = rota_part_get(session, facts->id, ROTA_PART_RESULT, arena, &to->result);
	if (!status)
		status = part_text(session, facts->id, ROTA_PART_STATUS, arena, &to->status_text);
	if (!status)
		status = part_text(session, facts->id, ROTA_PART_ERROR, arena, &to->last_error);
	return status;
}

static bool payload_copy(
	struct rota_arena *arena, sqlite3_stmt *s, int column, struct rota_bytes *ret)
{
	struct rota_bytes bytes = {
		sqlite3_column_blob(s, column), (size_t)sqlite3_column_bytes(s, column)};

	if (sqlite3_column_type(s, column) == SQLITE_NULL)
		return true;
	if (!bytes.data)
		bytes.data = "";
	return rota_arena_bytes(arena, bytes, ret);
}

/* What the row's facts do not have. */
static enum rota_status texts_copy(struct rota_session *session, rota_id id, uint32_t want,
	struct rota_arena *arena, struct rota_task_info *to)
{
	sqlite3_stmt *s = rota_sql_query(session, ROTA_SQL_TASK_TEXTS, "i", id);
	int got = rota_sql_next(session, s);
	bool done;

	if (got <= 0)
		return got ? session->error.status : ROTA_OK;
	done = text_copy(arena, s, 0, &to->key) && text_copy(arena, s, 2, &to->title) &&
	       text_copy(arena, s, 3, &to->content_type) &&
	       text_copy(arena, s, 4, &to->partition) && text_copy(arena, s, 5, &to->traceparent) &&
	       text_copy(arena, s, 6, &to->notify_channel) &&
	       (!(want & ROTA_GET_PAYLOAD) || payload_copy(arena, s, 1, &to->payload));
	sqlite3_reset(s);
	return done ? ROTA_OK : rota_session_memory(session);
}

static rota_time lease_date(const struct rota_session *session, const struct rota_row *row)
{
	if (row->facts.state != ROTA_STATE_RUNNING)
		return 0;
	if (row->lease_until == ROTA_TICK_NEVER)
		return ROTA_FOREVER;
	return rota_time_add(session->now, row->lease_until - session->tick);
}

static void facts_copy(
	const struct rota_session *session, const struct rota_row *row, struct rota_task_info *to)
{
	const struct rota_facts *f = &row->facts;

	to->id = f->id;
	to->state = f->state;
	to->attempt = f->attempt;
	to->attempts_max = f->attempts_max;
	to->token = f->token;
	to->settled = f->settled;
	to->pending = f->pending;
	to->failed_dependencies = f->failed_dependencies;
	to->run_at = f->run_at;
	to->started_at = f->started_at;
	to->finished_at = f->finished_at;
	to->expires_at = f->expires_at;
	to->cancel_requested = (f->flags & ROTA_FACT_CANCEL) != 0;
	to->retry = rota_retry_resolve(&f->retry);
	to->priority = row->priority;
	to->timeout = row->timeout;
	to->stall = row->stall;
	to->dedup_for = row->dedup_for;
	to->created_at = row->created_at;
	to->updated_at = row->updated_at;
	to->heartbeat_at = row->heartbeat_at;
	to->lease_until = lease_date(session, row);
}

static enum rota_status names_copy(struct rota_session *session, const struct rota_row *row,
	struct rota_arena *arena, struct rota_task_info *to)
{
	const struct rota_queue_row *queue;
	const struct rota_holder_row *holder = NULL;
	const char *type;
	enum rota_status status = rota_queue_by_id(session, row->queue, &queue);

	if (!status)
		status = rota_type_name(session, row->type, &type);
	if (!status && row->facts.state == ROTA_STATE_RUNNING && row->holder)
		status = rota_holder_by_id(session, row->holder, &holder);
	if (status)
		return status;
	to->queue = rota_arena_strdup(arena, queue->name);
	to->type = rota_arena_strdup(arena, type);
	to->worker = rota_arena_strdup(arena, holder && *holder->name ? holder->name : NULL);
	return to->queue && to->type ? ROTA_OK : rota_session_memory(session);
}

enum rota_status rota_info_make(struct rota_session *session, const struct rota_row *row,
	uint32_t want, struct rota_arena *arena, struct rota_task_info **ret)
{
	struct rota_task_info *to = rota_arena_zalloc(arena, sizeof(*to));
	enum rota_status status;

	if (!to)
		return rota_session_memory(session);
	facts_copy(session, row, to);
	status = names_copy(session, row, arena, to);
	if (!status)
		status = texts_copy(session, row->facts.id, want, arena, to);
	if (!status)
		status = parts_copy(session, &row->facts, want, arena, to);
	*ret = to;
	return status;
}

/* ---- details ---- */

static enum rota_status edge_list(struct rota_session *session, enum rota_sql count,
	enum rota_sql which, rota_id id, struct rota_arena *arena,
	const struct rota_edge_info *const **ret, size_t *ret_count)
{
	const struct rota_edge_info **list;
	int64_t n;
	sqlite3_stmt *s;
	int got = 0;
	bool done = true;

	if (rota_sql_number(session, count, &n, NULL, "i", id))
		return session->error.status;
	list = rota_arena_array(arena, (size_t)n, sizeof(*list));
	if (!list)
		return rota_session_memory(session);
	s = rota_sql_query(session, which, "i", id);
	while (done && *ret_count < (size_t)n && (got = rota_sql_next(session, s)) > 0) {
		struct rota_edge_info *to = rota_arena_zalloc(arena, sizeof(*to));

		done = to && text_copy(arena, s, 1, &to->key);
		if (!done)
			break;
		to->task = sqlite3_column_int64(s, 0);
		to->state = (enum rota_state)sqlite3_column_int(s, 2);
		to->settled = sqlite3_column_int(s, 3);
		to->failed = (enum rota_after_failed)sqlite3_column_int(s, 4);
		list[(*ret_count)++] = to;
	}
	if (!s || got < 0)
		return session->error.status;
	sqlite3_reset(s);
	*ret = list;
	return done ? ROTA_OK : rota_session_memory(session);
}

static enum rota_status edges_copy(struct rota_session *session, rota_id id,
	struct rota_arena *arena, struct rota_task_info *to)
{
	enum rota_status status = edge_list(session, ROTA_SQL_EDGE_COUNT_IN, ROTA_SQL_EDGE_LIST_IN,
		id, arena, &to->predecessors, &to->predecessor_count);

	return status ? status
		      : edge_list(session, ROTA_SQL_EDGE_COUNT_OUT, ROTA_SQL_EDGE_LIST_OUT, id,
				arena, &to->successors, &to->successor_count);
}

static bool attempt_copy(struct rota_arena *arena, sqlite3_stmt *s, struct rota_attempt_info *to)
{
	to->token = sqlite3_column_int64(s, 0);
	to->attempt = sqlite3_column_int(s, 1);
	to->started_at = sqlite3_column_int64(s, 5);
	to->finished_at = sqlite3_column_int64(s, 6);
	return text_copy(arena, s, 2, &to->worker) && text_copy(arena, s, 3, &to->outcome) &&
	       text_copy(arena, s, 4, &to->error);
}

static enum rota_status attempts_copy(struct rota_session *session, rota_id id,
	struct rota_arena *arena, struct rota_task_info *to)
{
	const struct rota_attempt_info **list =
		rota_arena_array(arena, ROTA_ATTEMPTS_KEPT_MAX + 1, sizeof(*list));
	sqlite3_stmt *s = rota_sql_query(session, ROTA_SQL_ATTEMPT_LIST, "i", id);
	int got;

	to->attempts = list;
	while ((got = rota_sql_next(session, s)) > 0 &&
		to->attempt_count <= ROTA_ATTEMPTS_KEPT_MAX) {
		struct rota_attempt_info *a = list ? rota_arena_zalloc(arena, sizeof(*a)) : NULL;

		if (!a || !attempt_copy(arena, s, a)) {
			sqlite3_reset(s);
			return rota_session_memory(session);
		}
		list[to->attempt_count++] = a;
	}
	if (got > 0)
		sqlite3_reset(s);
	return got < 0 ? session->error.status : ROTA_OK;
}

/* ---- get ---- */

/* The task that has the key now; 0: none. */
static enum rota_status key_task(struct rota_session *session, const char *key, rota_id *ret)
{
	int64_t name_space;
	enum rota_status status = rota_namespace_id(session, false, &name_space);

	return status ? status
		      : rota_sql_number(
				session, ROTA_SQL_KEY_TASK, ret, NULL, "it", name_space, key);
}

static enum rota_status get_found(
	struct rota_session *session, struct rota_op *op, const struct rota_row *row)
{
	struct rota_op_get *get = &op->u.get;
	struct rota_task_info *info;
	enum rota_status status;

	get->ret_id = row->facts.id;
	if (get->id_only)
		return ROTA_OK;
	status = rota_info_make(session, row, get->want, op->arena, &info);
	if (!status && (get->want & ROTA_GET_EDGES))
		status = edges_copy(session, row->facts.id, op->arena, info);
	if (!status && (get->want & ROTA_GET_ATTEMPTS) && (row->facts.flags & ROTA_ROW_ATTEMPTS))
		status = attempts_copy(session, row->facts.id, op->arena, info);
	if (!status)
		get->ret_info = info;
	return status;
}

static enum rota_status get(struct rota_session *session, struct rota_op *op)
{
	struct rota_op_get *get = &op->u.get;
	const struct rota_row *row = &session->work->rows[0];
	rota_id id = get->id;
	enum rota_status status = id ? ROTA_OK : key_task(session, get->key, &id);

	if (!status)
		status = rota_work_load(session, &id, 1);
	if (status)
		return status;
	if (row->facts.id)
		return get_found(session, op, row);
	if (get->id)
		(void)rota_err(&op->err, ROTA_NOT_FOUND, "there is no task %lld", (long long)id);
	else
		(void)rota_err(
			&op->err, ROTA_NOT_FOUND, "there is no task with the key \"%s\"", get->key);
	return ROTA_OK;
}

enum rota_status rota_sqlite_get(
	struct rota_session *session, struct rota_op *const *ops, size_t n, struct rota_error *err)
{
	enum rota_status status = ROTA_OK;

	rota_session_start(session);
	for (size_t i = 0; i < n && !status; i++)
		status = get(session, ops[i]);
	return status ? rota_session_answer(session, err) : ROTA_OK;
}

/* ---- states ---- */

static enum rota_status states(struct rota_session *session, const struct rota_op_states *op)
{
	const struct rota_row *rows = session->work->rows;
	enum rota_status status = ROTA_OK;

	for (size_t at = 0, n; at < op->count && !status; at += n) {
		n = ROTA_MIN(op->count - at, (size_t)ROTA_SQLITE_ROWS);
		status = rota_work_load(session, &op->ids[at], n);
		for (size_t i = 0; i < n && !status; i++)
			op->ret_states[at + i] =
				(int8_t)(rows[i].facts.id ? (int)rows[i].facts.state : -1);
	}
	return status;
}

enum rota_status rota_sqlite_states(
	struct rota_session *session, struct rota_op *const *ops, size_t n, struct rota_error *err)
{
	enum rota_status status = ROTA_OK;

	rota_session_start(session);
	for (size_t i = 0; i < n && !status; i++)
		status = states(session, &ops[i]->u.states);
	return status ? rota_session_answer(session, err) : ROTA_OK;
}
