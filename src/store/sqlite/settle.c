/* settle.c: edges of tasks that have ended. Slices of edges, so that memory is bounded whatever
 * fans out; within a slice each successor is changed once, however many of its predecessors ended.
 */
#include <stdlib.h>
#include <string.h>
#include "store/sqlite/row.h"

struct ended {
	rota_id id;
	rota_id last; /* successors up to it are done */
	bool failed, removed;
};
/* Tasks whose edges are to be followed; grows by cascades. In the heap: it may be long. */
struct settling {
	struct ended *ended;
	size_t count, room;
	rota_id *removed; /* ended by a cascade, and kept 0: they go at the end */
	size_t removed_count, removed_room;
};
struct arrival {
	rota_id predecessor, successor;
	int64_t settled;
	bool cancel, mark;
};

static void settling_free(struct settling *s)
{
	free(s->ended);
	free(s->removed);
}

static bool grown(void **list, size_t count, size_t *room, size_t size)
{
	size_t wanted = *room ? *room * 2 : 256;
	void *bigger;

	if (count < *room)
		return true;
	bigger = realloc(*list, wanted * size);
	if (!bigger)
		return false;
	*list = bigger;
	*room = wanted;
	return true;
}

static enum rota_status ended_add(
	struct rota_session *session, struct settling *s, const struct rota_row *row)
{
	void *list = s->ended;

	if (!grown(&list, s->count, &s->room, sizeof(*s->ended)))
		return rota_session_memory(session);
	s->ended = list;
	s->ended[s->count++] = (struct ended){row->facts.id, 0,
		row->gone < 0 || row->facts.state != ROTA_STATE_COMPLETED, row->remove};
	return ROTA_OK;
}

static enum rota_status removed_add(
	struct rota_session *session, struct settling *s, const struct rota_row *row)
{
	void *list = s->removed;

	if (!grown(&list, s->removed_count, &s->removed_room, sizeof(*s->removed)))
		return rota_session_memory(session);
	s->removed = list;
	s->removed[s->removed_count++] = row->facts.id;
	return ROTA_OK;
}

/* ---- a slice of edges ---- */

static const struct rota_input_column ended_columns[] = {
	ROTA_INPUT(I64, struct ended, id),
	ROTA_INPUT(I64, struct ended, last),
};

/* Up to ROTA_SQLITE_ROWS unsettled edges of the ended from *at on, which moves on. */
static enum rota_status edges_read(struct rota_session *session, struct settling *s, size_t *at,
	struct arrival *arrivals, size_t *ret_count)
{
	size_t first = *at, shown = ROTA_MIN(s->count - first, (size_t)ROTA_SQLITE_ROWS), n = 0;
	sqlite3_stmt *row;
	int got = 0;

	ROTA_SHOW(session, &s->ended[first], shown, ended_columns);
	row = rota_sql_query(session, ROTA_SQL_EDGE_OUT, "");
	while (n < ROTA_SQLITE_ROWS && (got = rota_sql_next(session, row)) > 0) {
		struct ended *e = &s->ended[first + (size_t)sqlite3_column_int64(row, 0)];

		*at = (size_t)(e - s->ended);
		e->last = sqlite3_column_int64(row, 1);
		if (sqlite3_column_int(row, 3))
			continue;
		arrivals[n++] = (struct arrival){e->id, e->last, e->failed ? 2 : 1,
			e->failed && sqlite3_column_int(row, 2) == ROTA_AFTER_CANCEL, !e->removed};
	}
	if (got > 0)
		sqlite3_reset(row);
	else
		*at = first + shown;
	*ret_count = n;
	return got < 0 ? session->error.status : ROTA_OK;
}

static const struct rota_input_column mark_columns[] = {
	ROTA_INPUT(I64, struct arrival, predecessor),
	ROTA_INPUT(I64, struct arrival, successor),
	ROTA_INPUT(I64, struct arrival, settled),
};

/* Edges of rows that go need no mark. */
static enum rota_status edges_mark(
	struct rota_session *session, const struct arrival *arrivals, size_t n)
{
	const struct arrival *list[ROTA_SQLITE_ROWS];
	size_t marks = 0;

	for (size_t i = 0; i < n; i++) {
		if (arrivals[i].mark)
			list[marks++] = &arrivals[i];
	}
	if (!marks)
		return ROTA_OK;
	ROTA_SHOW_LIST(session, list, marks, mark_columns);
	return rota_sql_run(session, ROTA_SQL_EDGE_SETTLE, "");
}

/* ---- its successors ---- */

static int by_successor(const void *a, const void *b)
{
	const struct arrival *x = a, *y = b;

	return (x->successor > y->successor) - (x->successor < y->successor);
}

static size_t successors_of(const struct arrival *arrivals, size_t n, rota_id *ids)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		if (!count || ids[count - 1] != arrivals[i].successor)
			ids[count++] = arrivals[i].successor;
	}
	return count;
}

/* The sums of one successor's arrivals; *at moves behind them. */
static void arrivals_sum(const struct arrival *arrivals, size_t n, size_t *at, struct rota_row *row)
{
	rota_id id = arrivals[*at].successor;

	for (; *at < n && arrivals[*at].successor == id; (*at)++) {
		row->arrivals++;
		row->failures += arrivals[*at].settled == 2;
		row->cancel |= arrivals[*at].cancel;
	}
}

static enum rota_status successor_changed(
	struct rota_session *session, struct settling *s, struct rota_row *row)
{
	rota_duration keep = 1;
	enum rota_status status = ROTA_OK;

	rota_row_tell(session, row);
	row->error = rota_rule_error(&row->effect, NULL, &session->scratch);
	if (row->effect.ended) {
		status = rota_row_keep(session, row, &keep);
		rota_news_due(session->news, keep);
	}
	row->remove = keep == 0;
	if (!status && row->effect.ended)
		status = ended_add(session, s, row);
	if (!status && row->remove)
		status = removed_add(session, s, row);
	if (!status && row->error && !row->remove)
		status = rota_part_set_text(session, row, ROTA_PART_ERROR, row->error);
	return status;
}

static enum rota_status successors_arrive(
	struct rota_session *session, struct settling *s, struct arrival *arrivals, size_t n)
{
	struct rota_row *rows = session->work->more, *changed[ROTA_SQLITE_ROWS];
	rota_id ids[ROTA_SQLITE_ROWS];
	size_t count, at = 0, changes = 0;
	enum rota_status status;

	qsort(arrivals, n, sizeof(*arrivals), by_successor);
	count = successors_of(arrivals, n, ids);
	status = rota_rows_load(session, rows, ids, count);
	for (size_t i = 0; i < count && !status; i++) {
		struct rota_row *row = &rows[i];

		arrivals_sum(arrivals, n, &at, row);
		if (!row->facts.id)
			continue;
		rota_rule_arrive(&row->facts, row->arrivals, row->failures, row->cancel,
			session->now, &row->effect);
		if (!row->effect.changed)
			continue;
		changed[changes++] = row;
		status = successor_changed(session, s, row);
	}
	return status ? status : rota_rows_store(session, changed, changes);
}

/* ---- all of it ---- */

/* Those that a cascade ended in queues that keep nothing. */
static enum rota_status removed_go(struct rota_session *session, const struct settling *s)
{
	struct rota_row *rows = session->work->more, *list[ROTA_SQLITE_ROWS];
	enum rota_status status = ROTA_OK;

	for (size_t i = 0, n; i < s->removed_count && !status; i += n) {
		n = ROTA_MIN(s->removed_count - i, (size_t)ROTA_SQLITE_ROWS);
		status = rota_rows_load(session, rows, &s->removed[i], n);
		for (size_t k = 0; k < n && !status; k++) {
			rows[k].gone = (int8_t)rows[k].facts.state;
			list[k] = &rows[k];
		}
		if (!status)
			status = rota_rows_remove(session, list, n);
	}
	return status;
}

enum rota_status rota_rows_settle(
	struct rota_session *session, struct rota_row *const *rows, size_t n)
{
	struct settling s ROTA_CLEANUP(settling_free) = {.count = 0};
	struct arrival arrivals[ROTA_SQLITE_ROWS];
	enum rota_status status = ROTA_OK;

	for (size_t i = 0; i < n && !status; i++)
		status = ended_add(session, &s, rows[i]);
	for (size_t at = 0, count; at < s.count && !status;) {
		status = edges_read(session, &s, &at, arrivals, &count);
		if (!status)
			status = edges_mark(session, arrivals, count);
		if (!status && count)
			status = successors_arrive(session, &s, arrivals, count);
	}
	return status ? status : removed_go(session, &s);
}
