/* remove.c: tasks go. */
#include "store/sqlite/row.h"

static const struct rota_input_column id_columns[] = {ROTA_INPUT(I64, struct rota_row, facts.id)};

static enum rota_status run_all(struct rota_session *session, const enum rota_sql *which, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (rota_sql_run(session, which[i], ""))
			return session->error.status;
	}
	return ROTA_OK;
}

static enum rota_status details_remove(struct rota_session *session, uint32_t flags, bool edges)
{
	enum rota_sql which[7];
	size_t n = 0;

	if (flags & ROTA_ROW_EXTRA)
		which[n++] = ROTA_SQL_EXTRA_DELETE;
	if (flags & (ROTA_ROW_PARTS | ROTA_ROW_BIG))
		which[n++] = ROTA_SQL_PART_DELETE;
	if (flags & ROTA_ROW_ATTEMPTS)
		which[n++] = ROTA_SQL_ATTEMPT_DELETE;
	if (flags & ROTA_ROW_SIGNALS)
		which[n++] = ROTA_SQL_SIGNAL_DELETE;
	if (flags & ROTA_ROW_PREDECESSORS)
		which[n++] = ROTA_SQL_EDGE_DELETE_IN;
	if (edges)
		which[n++] = ROTA_SQL_EDGE_DELETE_OUT;
	return run_all(session, which, n);
}

/* ---- keys ---- */

/* A pruned task's key counts from its end, a deleted one's from now. */
static enum rota_status key_release(
	struct rota_session *session, const struct rota_row *row, int64_t name_space)
{
	rota_time from = row->gone < 0 ? session->now : row->facts.finished_at;
	rota_time free_at = rota_time_add(from, row->dedup_for);

	if (!row->dedup_for || free_at <= session->now)
		return rota_sql_run(session, ROTA_SQL_KEY_DROP, "ii", name_space, row->facts.id);
	rota_news_due(session->news, free_at - session->now);
	return rota_sql_run(session, ROTA_SQL_KEY_BURY, "iiii", name_space, row->facts.id, free_at,
		(int64_t)row->gone);
}

/* Those without a time of their own go by one statement, if they are of one namespace. */
static enum rota_status keys_release(
	struct rota_session *session, struct rota_row *const *rows, size_t n)
{
	struct rota_row *list[ROTA_SQLITE_ROWS];
	const struct rota_queue_row *queue = NULL;
	int64_t name_space = 0;
	size_t plain = 0;

	for (size_t i = 0; i < n; i++) {
		if (!(rows[i]->facts.flags & ROTA_ROW_KEYED))
			continue;
		if (rota_queue_by_id(session, rows[i]->queue, &queue))
			return session->error.status;
		if (!name_space)
			name_space = queue->name_space;
		if (!rows[i]->dedup_for && queue->name_space == name_space)
			list[plain++] = rows[i];
		else if (key_release(session, rows[i], queue->name_space))
			return session->error.status;
	}
	if (!plain)
		return ROTA_OK;
	ROTA_SHOW_LIST(session, list, plain, id_columns);
	return rota_sql_run(session, ROTA_SQL_KEY_FREE, "i", name_space);
}

/* ---- what is remembered ---- */

struct gone {
	rota_id id;
	int64_t state;
};
static const struct rota_input_column gone_columns[] = {
	ROTA_INPUT(I64, struct gone, id),
	ROTA_INPUT(I64, struct gone, state),
};

/* An id that was given out and left no trace has completed. */
static enum rota_status gone_note(
	struct rota_session *session, struct rota_row *const *rows, size_t n)
{
	struct gone list[ROTA_SQLITE_ROWS];
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		if (rows[i]->gone != ROTA_STATE_COMPLETED)
			list[count++] = (struct gone){rows[i]->facts.id, rows[i]->gone};
	}
	if (!count)
		return ROTA_OK;
	ROTA_SHOW(session, list, count, gone_columns);
	return rota_sql_run(session, ROTA_SQL_GONE_ADD, "");
}

enum rota_status rota_rows_remove(
	struct rota_session *session, struct rota_row *const *rows, size_t n)
{
	enum rota_status status;
	uint32_t flags = 0;
	bool edges = false;

	if (!n)
		return ROTA_OK;
	ROTA_ASSERT(n <= ROTA_SQLITE_ROWS);
	for (size_t i = 0; i < n; i++) {
		flags |= rows[i]->facts.flags;
		rota_session_deletes(session, rows[i]->facts.id);
		if (rows[i]->gone < 0)
			rota_news_ended(session->news, rows[i]->facts.id, -1);
	}
	session->notable = true;
	status = flags & ROTA_ROW_KEYED ? keys_release(session, rows, n) : ROTA_OK;
	if (!status)
		status = gone_note(session, rows, n);
	if (!status)
		status = rota_edges_any(session, &edges);
	ROTA_SHOW_LIST(session, rows, n, id_columns);
	if (!status)
		status = details_remove(session, flags, edges);
	return status ? status : rota_sql_run(session, ROTA_SQL_TASK_DELETE, "");
}
