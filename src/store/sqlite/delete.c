/* delete.c: delete, plain and cascading, and purge.
 *
 * First all that is to go is found, then edges among it are dropped, so that nothing counts an
 * arrival at a task that goes too; then the rest goes a thousand at a time. */
#include <stdlib.h>
#include "base/error.h"
#include "store/sqlite/row.h"

/* What is known of a task that the search met. */
struct node {
	rota_id id;
	int64_t pending, hits; /* hits: edges still awaited that come from tasks to go */
	bool doomed;
};
struct doomed {
	struct rota_session *session;
	struct rota_map *nodes;
	rota_id *ids;
	size_t count, room;
	rota_id running; /* one of them; 0: none */
};

static void doomed_free(struct doomed *d)
{
	rota_map_free(&d->nodes);
	free(d->ids);
}

static enum rota_status doom(struct doomed *d, struct node *node, enum rota_state state)
{
	if (d->count == d->room) {
		size_t room = d->room ? d->room * 2 : 256;
		rota_id *bigger = realloc(d->ids, room * sizeof(*bigger));

		if (!bigger)
			return rota_session_memory(d->session);
		d->ids = bigger;
		d->room = room;
	}
	node->doomed = true;
	d->ids[d->count++] = node->id;
	if (state == ROTA_STATE_RUNNING && !d->running)
		d->running = node->id;
	return ROTA_OK;
}

static struct node *node_add(struct doomed *d, rota_id id, int64_t pending)
{
	struct node *node = rota_arena_zalloc(&d->session->scratch, sizeof(*node));

	if (!node || !rota_map_put(&d->nodes, id, node))
		return NULL;
	node->id = id;
	node->pending = pending;
	return node;
}

/* ---- those named ---- */

static enum rota_status named_slice(
	struct doomed *d, const struct rota_op_delete *op, size_t at, size_t n)
{
	const struct rota_row *rows = d->session->work->rows;
	enum rota_status status = rota_work_load(d->session, &op->ids[at], n);

	for (size_t i = 0; i < n && !status; i++) {
		bool there = rows[i].facts.id;
		struct node *node = there ? rota_map_get(d->nodes, rows[i].facts.id) : NULL;

		if (op->ret_each)
			op->ret_each[at + i] = there ? ROTA_OK : ROTA_NOT_FOUND;
		if (!there || node)
			continue;
		node = node_add(d, rows[i].facts.id, rows[i].facts.pending);
		status =
			node ? doom(d, node, rows[i].facts.state) : rota_session_memory(d->session);
	}
	return status;
}

static enum rota_status named_doom(struct doomed *d, const struct rota_op_delete *op)
{
	enum rota_status status = ROTA_OK;

	for (size_t at = 0, n; at < op->count && !status; at += n) {
		n = rota_work_slice(d->session, &op->ids[at], op->count - at);
		status = named_slice(d, op, at, n);
	}
	return status;
}

/* ---- the cascade: every dependent that has nothing else left to wait for; each edge is met once
 * ---- */

struct reached {
	rota_id successor;
	bool awaited;
};

static enum rota_status reach(struct doomed *d, const struct reached *edge)
{
	struct node *node = rota_map_get(d->nodes, edge->successor);
	enum rota_state state = ROTA_STATE_BLOCKED;
	struct rota_row row;
	enum rota_status status;

	if (node && node->doomed)
		return ROTA_OK;
	if (!node || node->pending <= node->hits + edge->awaited) {
		status = rota_rows_load(d->session, &row, &edge->successor, 1);
		if (status || !row.facts.id)
			return status;
		state = row.facts.state;
		if (!node)
			node = node_add(d, edge->successor, row.facts.pending);
		if (!node)
			return rota_session_memory(d->session);
	}
	node->hits += edge->awaited;
	return node->pending > node->hits ? ROTA_OK : doom(d, node, state);
}

/* The edges of one task, a slice at a time: loading rows must not run inside the query. */
static enum rota_status edges_follow(struct doomed *d, rota_id id)
{
	struct reached edges[256];
	rota_id last = 0;
	size_t n;

	do {
		sqlite3_stmt *s = rota_sql_query(d->session, ROTA_SQL_EDGE_PAGE, "iii", id, last,
			(int64_t)ROTA_COUNT(edges));
		int got;

		for (n = 0; (got = rota_sql_next(d->session, s)) > 0; n++)
			edges[n] = (struct reached){
				sqlite3_column_int64(s, 0), sqlite3_column_int(s, 1) == 0};
		if (got < 0)
			return d->session->error.status;
		for (size_t i = 0; i < n; i++) {
			if (reach(d, &edges[i]))
				return d->session->error.status;
		}
		last = n ? edges[n - 1].successor : 0;
	} while (n == ROTA_COUNT(edges));
	return ROTA_OK;
}

static enum rota_status cascade(struct doomed *d)
{
	enum rota_status status = ROTA_OK;

	for (size_t i = 0; i < d->count && !status; i++)
		status = edges_follow(d, d->ids[i]);
	return status;
}

/* ---- going ---- */

static const struct rota_input_column id_columns[] = {{0, ROTA_INPUT_I64}};

static enum rota_status slice_remove(struct rota_session *session, const rota_id *ids, size_t n)
{
	struct rota_work *work = session->work;
	size_t count = 0;
	enum rota_status status = rota_rows_load(session, work->rows, ids, n);

	for (size_t i = 0; i < n && !status; i++) {
		if (!work->rows[i].facts.id)
			continue;
		work->rows[i].gone = -1;
		work->rows[i].remove = true;
		work->list[count++] = &work->rows[i];
	}
	if (!status)
		status = rota_rows_settle(session, work->list, count);
	return status ? status : rota_rows_remove(session, work->list, count);
}

static enum rota_status doomed_remove(
	struct rota_session *session, const rota_id *ids, size_t count)
{
	enum rota_status status;
	bool edges = false;

	status = rota_edges_any(session, &edges);
	for (size_t i = 0, n; i < count && !status && edges; i += n) {
		n = ROTA_MIN(count - i, (size_t)ROTA_SQLITE_ROWS);
		ROTA_SHOW(session, &ids[i], n, id_columns);
		status = rota_sql_run(session, ROTA_SQL_EDGE_DELETE_IN, "");
	}
	for (size_t i = 0, n; i < count && !status; i += n) {
		n = ROTA_MIN(count - i, (size_t)ROTA_SQLITE_ROWS);
		status = slice_remove(session, &ids[i], n);
	}
	return status;
}

/* ---- the ops ---- */

static enum rota_status delete_run(
	struct rota_session *session, struct rota_op_delete *op, struct rota_error *refusal)
{
	struct doomed d ROTA_CLEANUP(doomed_free) = {.session = session};
	enum rota_status status = named_doom(&d, op);

	op->ret_deleted = 0;
	if (!status && (op->flags & ROTA_DELETE_CASCADE))
		status = cascade(&d);
	if (status)
		return status;
	if (d.running && !(op->flags & ROTA_DELETE_FORCE))
		return rota_err(refusal, ROTA_WRONG_STATE,
			       "task %lld is running; nothing was deleted", (long long)d.running),
		       ROTA_OK;
	op->ret_deleted = d.count;
	return doomed_remove(session, d.ids, d.count);
}

enum rota_status rota_sqlite_delete(
	struct rota_session *session, struct rota_op *const *ops, size_t n, struct rota_error *err)
{
	enum rota_status status = ROTA_OK;

	for (size_t i = 0; i < n && !status; i++) {
		rota_session_start(session);
		status = delete_run(session, &ops[i]->u.delete, &ops[i]->err);
	}
	return status ? rota_session_answer(session, err) : ROTA_OK;
}

/* Up to room ids of one index. */
static enum rota_status purge_read(struct rota_session *session, enum rota_sql which, int64_t queue,
	rota_id *ids, size_t *count, size_t room)
{
	sqlite3_stmt *s = rota_sql_query(session, which, "ii", queue, (int64_t)(room - *count));
	int got;

	while ((got = rota_sql_next(session, s)) > 0)
		ids[(*count)++] = sqlite3_column_int64(s, 0);
	return got < 0 ? session->error.status : ROTA_OK;
}

static enum rota_status purge(struct rota_session *session, struct rota_op_purge *op)
{
	size_t room = ROTA_MIN(op->slice, (size_t)ROTA_TASKS_PER_CALL_MAX) + 1, count = 0;
	rota_id *ids = rota_arena_array(&session->scratch, room, sizeof(*ids));
	int64_t queue;
	enum rota_status status = ids ? rota_queue_id(session, op->queue, false, &queue)
				      : rota_session_memory(session);

	op->ret_more = false;
	op->ret_deleted = 0;
	if (!status)
		status = purge_read(session, ROTA_SQL_PURGE_READY, queue, ids, &count, room);
	if (!status)
		status = purge_read(session, ROTA_SQL_PURGE_OTHER, queue, ids, &count, room);
	if (status)
		return status;
	op->ret_more = count == room;
	op->ret_deleted = count - op->ret_more;
	return doomed_remove(session, ids, op->ret_deleted);
}

enum rota_status rota_sqlite_purge(
	struct rota_session *session, struct rota_op *const *ops, size_t n, struct rota_error *err)
{
	enum rota_status status = ROTA_OK;

	for (size_t i = 0; i < n && !status; i++) {
		rota_session_start(session);
		status = purge(session, &ops[i]->u.purge);
	}
	return status ? rota_session_answer(session, err) : ROTA_OK;
}
