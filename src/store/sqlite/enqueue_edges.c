/* enqueue_edges.c: the second half of a call: what its edges name, whether they make sense, and
 * what they do to the tasks that were written already. Tasks are written as if each predecessor
 * they name were a task that has yet to end, which is what nearly all are; the others are put right
 * here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/error.h"
#include "core/graph.h"
#include "store/sqlite/enqueue.h"

/* The other end of an edge. */
struct end {
	rota_id id;
	int state; /* of a task that was there before, or is gone; else -1 */
	bool gone, known;
};

static void not_there(struct rota_call *call, const char *what)
{
	(void)rota_err(call->refusal, ROTA_NOT_FOUND, "there is no task %s to depend on", what);
}

static bool fresh_id(const struct rota_call *call, rota_id id)
{
	return id >= call->first_id && id < call->next_id;
}

/* ---- looking up: each returns a failure of the database; a refusal is in the call ---- */

/* An id that was given out and left no trace completed. */
static enum rota_status end_gone(struct rota_call *call, rota_id id, struct end *end)
{
	int64_t state;
	bool found;
	char text[24];
	enum rota_status status =
		rota_sql_number(call->session, ROTA_SQL_GONE_GET, &state, &found, "i", id);

	end->gone = true;
	end->state = found ? (int)state : ROTA_STATE_COMPLETED;
	if (status || (id < call->first_id && id > 0 && end->state >= 0))
		return status;
	snprintf(text, sizeof(text), "%lld", (long long)id);
	not_there(call, text);
	return ROTA_OK;
}

static enum rota_status end_by_id(struct rota_call *call, rota_id id, struct end *end)
{
	struct rota_row row = {.facts.id = id};
	char text[24];
	sqlite3_stmt *s;
	bool ours = false;
	int got;

	*end = (struct end){.id = id, .state = -1};
	if (fresh_id(call, id))
		return ROTA_OK;
	s = rota_sql_query(call->session, ROTA_SQL_TASK_WHERE, "i", id);
	got = rota_sql_next(call->session, s);
	if (got < 0)
		return call->session->error.status;
	if (!got)
		return end_gone(call, id, end);
	end->state = sqlite3_column_int(s, 0);
	end->known = true;
	row.queue = sqlite3_column_int64(s, 1);
	sqlite3_reset(s);
	if (rota_row_ours(call->session, &row, &ours))
		return call->session->error.status;
	snprintf(text, sizeof(text), "%lld", (long long)id);
	if (!ours)
		not_there(call, text);
	return ROTA_OK;
}

static enum rota_status end_by_key(struct rota_call *call, const char *key, struct end *end)
{
	int64_t name_space;
	enum rota_status status = rota_namespace_id(call->session, false, &name_space);
	sqlite3_stmt *s =
		status ? NULL
		       : rota_sql_query(call->session, ROTA_SQL_KEY_GET, "it", name_space, key);
	int got = rota_sql_next(call->session, s);
	bool buried, there = got > 0;

	if (got < 0)
		return call->session->error.status;
	buried = there && sqlite3_column_type(s, 1) != SQLITE_NULL;
	*end = (struct end){.state = -1, .gone = buried};
	if (there) {
		end->id = sqlite3_column_int64(s, 0);
		if (buried)
			end->state = sqlite3_column_int(s, 2);
		there = !buried ||
			(sqlite3_column_int64(s, 1) > call->session->now && end->state >= 0);
		sqlite3_reset(s);
	}
	if (!there)
		not_there(call, key);
	return there && !buried ? end_by_id(call, end->id, end) : ROTA_OK;
}

static enum rota_status end_by_nth(struct rota_call *call, int64_t nth, struct end *end)
{
	bool known;
	rota_id id;

	if ((uint64_t)nth > call->count)
		return rota_err(call->refusal, ROTA_INVALID, "a dependency names task %lld of %llu",
			       (long long)nth, (unsigned long long)call->count),
		       ROTA_OK;
	id = rota_call_id(call, (uint64_t)nth, &known);
	if (known)
		return end_by_id(call, id, end);
	*end = (struct end){.id = id, .state = -1};
	return ROTA_OK;
}

static enum rota_status end_find(
	struct rota_call *call, const struct rota_new_edge *edge, struct end *end)
{
	switch (edge->kind) {
	case ROTA_EDGE_NTH:
		return end_by_nth(call, edge->target, end);
	case ROTA_EDGE_KEY:
		return end_by_key(call, edge->key, end);
	default:
		return end_by_id(call, edge->target, end);
	}
}

/* ---- resolving: from and to are known, or the predecessor is gone ---- */

static void before_check(struct rota_call *call, const struct end *end)
{
	if (end->gone) {
		(void)rota_err(call->refusal, ROTA_NOT_FOUND,
			"task %lld is gone; nothing can come before it", (long long)end->id);
	} else if (end->known && end->state != ROTA_STATE_BLOCKED) {
		(void)rota_err(call->refusal, ROTA_WRONG_STATE,
			"task %lld is %s: something can come before it only while it is blocked",
			(long long)end->id, rota_state_name((enum rota_state)end->state));
	}
	call->onto_existing |= end->known;
}

static void edge_resolve(
	struct rota_call *call, struct rota_new_edge *edge, rota_id owner, const struct end *end)
{
	bool over = end->state >= ROTA_STATE_COMPLETED;

	edge->kind = end->gone ? ROTA_EDGE_GONE : ROTA_EDGE_TASK;
	edge->from = edge->before ? owner : end->id;
	edge->to = edge->before ? end->id : owner;
	if (!edge->before && over)
		edge->settled = end->state == ROTA_STATE_COMPLETED ? 1 : 2;
	if (end->id == owner)
		(void)rota_err(call->refusal, ROTA_INVALID, "task %u of the call depends on itself",
			edge->owner);
}

static enum rota_status edges_resolve(struct rota_call *call)
{
	for (size_t i = 0; i < call->edge_count; i++) {
		struct rota_new_edge *edge = &call->edges[i];
		struct end end;
		bool known;
		rota_id owner = rota_call_id(call, edge->owner, &known);

		if (end_find(call, edge, &end))
			return call->session->error.status;
		if (!call->refusal->status && edge->before)
			before_check(call, &end);
		if (!call->refusal->status)
			edge_resolve(call, edge, owner, &end);
		if (call->refusal->status) {
			call->refusal->item = edge->owner;
			return ROTA_OK;
		}
	}
	return ROTA_OK;
}

/* ---- cycles ---- */

static bool list_add(struct rota_call *call, struct rota_graph_edge **list, size_t *count,
	size_t *room, rota_id from, rota_id to)
{
	void *at = *list;

	if (!rota_call_grow(&at, *count, room, sizeof(**list)))
		return false;
	*list = at;
	(*list)[(*count)++] = (struct rota_graph_edge){from, to};
	(void)call;
	return true;
}

/* Also what waits, however indirectly, for the tasks of before: the list is the queue of a walk. */
static enum rota_status list_walk(struct rota_call *call, struct rota_graph_edge **list,
	size_t *count, size_t *room, struct rota_map **seen)
{
	for (size_t i = 0; i < *count; i++) {
		rota_id to = (*list)[i].to;
		sqlite3_stmt *s;
		int got;

		if (fresh_id(call, to) || rota_map_get(*seen, to))
			continue;
		if (!rota_map_put(seen, to, call))
			return rota_session_memory(call->session);
		s = rota_sql_query(call->session, ROTA_SQL_EDGE_OPEN, "i", to);
		while ((got = rota_sql_next(call->session, s)) > 0) {
			if (!list_add(call, list, count, room, to, sqlite3_column_int64(s, 0))) {
				sqlite3_reset(s);
				return rota_session_memory(call->session);
			}
		}
		if (got < 0)
			return call->session->error.status;
	}
	return ROTA_OK;
}

static enum rota_status node_text(struct rota_call *call, rota_id id, struct rota_buf *buf)
{
	sqlite3_stmt *s = rota_sql_query(call->session, ROTA_SQL_TASK_KEY, "i", id);
	int got = rota_sql_next(call->session, s);
	const char *key = got > 0 ? (const char *)sqlite3_column_text(s, 0) : NULL;
	bool known;
	uint64_t nth;

	if (got < 0)
		return call->session->error.status;
	if (key) {
		rota_buf_printf(buf, "\"%s\"", key);
	} else if (fresh_id(call, id)) {
		for (nth = (uint64_t)(id - call->first_id) + 1;
			rota_call_id(call, nth, &known) != id || known; nth++)
			;
		rota_buf_printf(buf, "#%llu", (unsigned long long)nth);
	} else {
		rota_buf_printf(buf, "%lld", (long long)id);
	}
	if (got)
		sqlite3_reset(s);
	return ROTA_OK;
}

static enum rota_status cycle_refuse(struct rota_call *call, const int64_t *ids, size_t n)
{
	struct rota_buf buf ROTA_CLEANUP(rota_buf_deinit);

	rota_buf_init(&buf, 400);
	for (size_t i = 0; i <= n && !buf.cut; i++) {
		if (i)
			rota_buf_text(&buf, " → ");
		if (node_text(call, ids[i % n], &buf))
			return call->session->error.status;
	}
	(void)rota_err(call->refusal, ROTA_INVALID, "these tasks wait for each other: %s",
		buf.data ? buf.data : "");
	return ROTA_OK;
}

struct graph {
	struct rota_graph_edge *list;
	size_t count, room;
	struct rota_map *seen;
};

static void graph_free(struct graph *graph)
{
	free(graph->list);
	rota_map_free(&graph->seen);
}

/* Edges that all lead from older to younger ids cannot make one. */
static bool all_forward(const struct rota_call *call)
{
	for (size_t i = 0; i < call->edge_count; i++) {
		if (call->edges[i].kind == ROTA_EDGE_TASK &&
			call->edges[i].from >= call->edges[i].to)
			return false;
	}
	return true;
}

static enum rota_status cycles_refuse(struct rota_call *call)
{
	struct graph g ROTA_CLEANUP(graph_free) = {.list = NULL};
	int64_t *ids = NULL;
	size_t n = 0;
	enum rota_status status = ROTA_OK;

	if (all_forward(call))
		return ROTA_OK;
	for (size_t i = 0; i < call->edge_count; i++) {
		const struct rota_new_edge *edge = &call->edges[i];

		if (edge->kind == ROTA_EDGE_TASK && !edge->settled &&
			!list_add(call, &g.list, &g.count, &g.room, edge->from, edge->to))
			return rota_session_memory(call->session);
	}
	if (call->onto_existing)
		status = list_walk(call, &g.list, &g.count, &g.room, &g.seen);
	if (!status)
		status = rota_graph_cycle(
			g.list, g.count, &call->session->scratch, &ids, &n, &call->session->error);
	return status || !n ? status : cycle_refuse(call, ids, n);
}

/* ---- writing ---- */

static int compare(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int by_to(const void *a, const void *b)
{
	const struct rota_new_edge *x = a, *y = b;
	int order = compare(x->to, y->to);

	if (!order)
		order = compare(x->kind, y->kind);
	if (!order)
		order = compare(x->from, y->from);
	return order ? order : compare(y->policy, x->policy); /* of equal ones, cancel first */
}

static int by_from(const void *a, const void *b)
{
	const struct rota_new_edge *x = a, *y = b;
	int order = compare(x->from, y->from);

	return order ? order : compare(x->to, y->to);
}

static void edges_sort(struct rota_call *call, int (*order)(const void *, const void *))
{
	size_t i;

	for (i = 1; i < call->edge_count && order(&call->edges[i - 1], &call->edges[i]) <= 0; i++)
		;
	if (i < call->edge_count)
		qsort(call->edges, call->edge_count, sizeof(*call->edges), order);
}

/* What the edges of one successor make of it, beyond what its row says already. */
struct fix {
	rota_id id;
	int64_t delta, arrivals, failures;
	bool cancel;
};

static void fix_count(struct fix *fix, const struct rota_new_edge *edge, bool again)
{
	fix->delta -= !edge->before;
	if (again)
		return;
	fix->delta++;
	fix->arrivals += edge->settled != 0;
	fix->failures += edge->settled == 2;
	fix->cancel |= edge->settled == 2 && edge->policy == ROTA_AFTER_CANCEL;
}

/* Edges, sorted by successor: equal ones become one, those of predecessors that are gone vanish
 * after they were counted. fixes has room for one per successor. */
static size_t edges_merge(struct rota_call *call, struct fix *fixes, size_t *ret_fixes)
{
	struct rota_new_edge *edges = call->edges;
	size_t kept = 0, count = 0;

	for (size_t i = 0; i < call->edge_count;) {
		struct fix fix = {.id = edges[i].to};
		rota_id last = 0;

		for (; i < call->edge_count && edges[i].to == fix.id; i++) {
			bool again = edges[i].from == last;

			last = edges[i].from;
			fix_count(&fix, &edges[i], again);
			if (edges[i].kind == ROTA_EDGE_TASK && !again)
				edges[kept++] = edges[i];
		}
		if (fix.delta || fix.arrivals)
			fixes[count++] = fix;
	}
	*ret_fixes = count;
	return kept;
}

struct edge_row {
	rota_id from, to;
	int64_t policy, settled;
};
static const struct rota_input_column edge_columns[] = {
	ROTA_INPUT(I64, struct edge_row, from),
	ROTA_INPUT(I64, struct edge_row, to),
	ROTA_INPUT(I64, struct edge_row, policy),
	ROTA_INPUT(I64, struct edge_row, settled),
};

static enum rota_status edges_insert(struct rota_call *call)
{
	struct edge_row rows[256];

	edges_sort(call, by_from);
	for (size_t i = 0, n; i < call->edge_count; i += n) {
		n = ROTA_MIN(call->edge_count - i, ROTA_COUNT(rows));
		for (size_t k = 0; k < n; k++) {
			const struct rota_new_edge *edge = &call->edges[i + k];

			rows[k] = (struct edge_row){
				edge->from, edge->to, edge->policy, edge->settled};
		}
		ROTA_SHOW(call->session, rows, n, edge_columns);
		if (rota_sql_run(call->session, ROTA_SQL_EDGE_INSERT, ""))
			return call->session->error.status;
	}
	if (call->edge_count)
		call->session->edges = 1;
	return ROTA_OK;
}

/* ---- putting right ---- */

static enum rota_status fix_row(struct rota_call *call, struct rota_row *row, const struct fix *fix)
{
	struct rota_session *session = call->session;
	struct rota_facts *facts = &row->facts, before;

	row->effect = (struct rota_effect){.changed = true};
	facts->pending += fix->delta;
	facts->flags |= ROTA_ROW_PREDECESSORS;
	if (fresh_id(call, facts->id))
		facts->state = rota_rule_initial(facts->pending, facts->run_at, session->now);
	before = *facts;
	if (fix->arrivals)
		rota_rule_arrive(facts, fix->arrivals, fix->failures, fix->cancel, session->now,
			&row->effect);
	row->effect.changed = true;
	return rota_work_changed(session, row, &before);
}

static enum rota_status fixes_apply(struct rota_call *call, const struct fix *fixes, size_t n)
{
	struct rota_session *session = call->session;
	rota_id ids[ROTA_SQLITE_ROWS];
	enum rota_status status = ROTA_OK;

	for (size_t i = 0, count; i < n && !status; i += count) {
		count = ROTA_MIN(n - i, (size_t)ROTA_SQLITE_ROWS);
		for (size_t k = 0; k < count; k++)
			ids[k] = fixes[i + k].id;
		status = rota_work_load(session, ids, count);
		for (size_t k = 0; k < count && !status; k++)
			status = fix_row(call, &session->work->rows[k], &fixes[i + k]);
	}
	return status ? status : rota_work_flush(session);
}

enum rota_status rota_call_edges(struct rota_call *call)
{
	struct fix *fixes ROTA_AUTO_FREE = NULL;
	size_t n = 0;
	enum rota_status status = edges_resolve(call);

	if (status || call->refusal->status)
		return status;
	status = cycles_refuse(call);
	if (status || call->refusal->status)
		return status;
	fixes = malloc(call->edge_count * sizeof(*fixes));
	if (!fixes)
		return rota_session_memory(call->session);
	edges_sort(call, by_to);
	call->edge_count = edges_merge(call, fixes, &n);
	status = edges_insert(call);
	return status ? status : fixes_apply(call, fixes, n);
}
