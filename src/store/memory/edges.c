/* edges.c: the edges of one enqueue, once all its tasks are there. */
#include <stdio.h>
#include <string.h>
#include "base/buf.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/macros.h"
#include "base/map.h"
#include "core/graph.h"
#include "store/memory/memory.h"

/* The other end of an edge: a task, or how one that is gone counts. */
struct end {
	rota_id id;
	struct rota_mem_task *task;
	int gone; /* final state, when task is NULL */
};

static enum rota_status not_there(const char *what, struct rota_error *err)
{
	return rota_err(err, ROTA_NOT_FOUND, "there is no task %s to depend on", what);
}

/* An id that was given out and left no trace completed. */
static enum rota_status end_by_id(const struct rota_session *session, rota_id id, struct end *ret,
	struct rota_error *err)
{
	struct rota_mem_task *task = rota_mem_task_any(session->store, id);
	const struct rota_mem_gone *gone = rota_mem_gone_find(session, id);
	char text[24];

	*ret = (struct end){ .id = id, .task = task, .gone = gone ? gone->state : ROTA_STATE_COMPLETED };
	if (task ? task->space == session->space : id < session->store->id_next && ret->gone >= 0)
		return ROTA_OK;
	snprintf(text, sizeof(text), "%lld", (long long)id);
	return not_there(text, err);
}

static enum rota_status end_by_key(const struct rota_session *session, const char *name, struct end *ret,
	struct rota_error *err)
{
	const struct rota_mem_key *key = rota_mem_key_find(session, name);

	if (!key || (!key->d.task && key->d.state < 0))
		return not_there(name, err);
	*ret = (struct end){ .id = key->d.id, .task = key->d.task, .gone = key->d.state };
	return ROTA_OK;
}

static enum rota_status end_by_nth(const struct rota_mem_call *call, uint64_t nth, struct end *ret,
	struct rota_error *err)
{
	const struct rota_mem_item *item;

	if (nth > call->item_count)
		return rota_err(err, ROTA_INVALID, "a dependency names task %llu of %zu",
			(unsigned long long)nth, call->item_count);
	item = &call->items[nth - 1];
	if (!item->task)
		return end_by_id(call->session, item->id, ret, err);
	*ret = (struct end){ .id = item->id, .task = item->task };
	return ROTA_OK;
}

static enum rota_status end_find(const struct rota_mem_call *call, const struct rota_dependency *to,
	struct end *ret, struct rota_error *err)
{
	if (to->nth)
		return end_by_nth(call, to->nth, ret, err);
	if (to->key)
		return end_by_key(call->session, to->key, ret, err);
	return end_by_id(call->session, to->id, ret, err);
}

static struct rota_mem_item *item_of(const struct rota_mem_call *call, const struct rota_mem_task *task)
{
	return task->mark == call->session->mark ? &call->items[task->hits] : NULL;
}

/* ---- one edge ---- */

static bool edge_merge(struct rota_session *session, struct rota_mem_edge *edge,
	enum rota_after_failed failed)
{
	if (failed != ROTA_AFTER_CANCEL || edge->d.failed == ROTA_AFTER_CANCEL)
		return true;
	if (!rota_mem_change(&session->store->journal, &edge->row))
		return false;
	edge->d.failed = ROTA_AFTER_CANCEL;
	rota_mem_changed(&edge->row);
	return true;
}

/* One more that a blocked task of before waits for. */
static bool pending_add(struct rota_session *session, struct rota_mem_task *task)
{
	if (!rota_mem_change(&session->store->journal, &task->row))
		return false;
	task->d.facts.pending++;
	task->d.updated_at = session->date;
	rota_mem_changed(&task->row);
	return true;
}

/* state: of a predecessor that is final or gone. */
static void item_arrival(struct rota_mem_item *item, int state, enum rota_after_failed failed)
{
	item->edges++;
	item->arrivals++;
	if (state == ROTA_STATE_COMPLETED)
		return;
	item->failures++;
	item->cancel |= failed == ROTA_AFTER_CANCEL;
}

/* One that is gone leaves no edge that a second mention could merge with. */
static bool gone_arrival(struct rota_mem_call *call, const struct rota_mem_spec *spec, const struct end *end)
{
	struct rota_mem_item *owner = &call->items[spec->owner];

	if (rota_map_get(call->gone_seen, end->id) == owner->task) {
		owner->cancel |= end->gone != ROTA_STATE_COMPLETED && spec->to.failed == ROTA_AFTER_CANCEL;
		return true;
	}
	item_arrival(owner, end->gone, spec->to.failed);
	return rota_map_put(&call->gone_seen, end->id, owner->task);
}

static bool edge_make(struct rota_mem_call *call, struct rota_mem_task *from, struct rota_mem_task *to,
	enum rota_after_failed failed)
{
	struct rota_mem_item *item = item_of(call, to);
	struct rota_mem_edge *edge = rota_mem_edge_find(from, to);
	struct rota_mem_edge_data data = { .failed = failed };
	bool over = rota_mem_final(from);

	if (edge && over && failed == ROTA_AFTER_CANCEL && edge->d.settled == 2)
		item->cancel = true;
	if (edge)
		return edge_merge(call->session, edge, failed);
	if (over)
		data.settled = from->d.facts.state == ROTA_STATE_COMPLETED ? 1 : 2;
	if (!rota_mem_edge_add(call->session, from, to, &data))
		return false;
	if (!item)
		return pending_add(call->session, to);
	if (over)
		item_arrival(item, (int)from->d.facts.state, failed);
	else
		item->edges++;
	return true;
}

static enum rota_status self_refuse(const struct rota_mem_spec *spec, struct rota_error *err)
{
	return rota_err(err, ROTA_INVALID, "task %zu of the call waits for itself", spec->owner + 1);
}

static enum rota_status after_add(struct rota_mem_call *call, const struct rota_mem_spec *spec,
	struct rota_error *err)
{
	struct rota_mem_item *owner = &call->items[spec->owner];
	struct end end = { .id = 0 };
	enum rota_status status = end_find(call, &spec->to, &end, err);

	if (status)
		return status;
	if (end.task == owner->task)
		return self_refuse(spec, err);
	if (!end.task && !gone_arrival(call, spec, &end))
		return rota_err_memory(err);
	if (end.task && !edge_make(call, end.task, owner->task, spec->to.failed))
		return rota_err_memory(err);
	return ROTA_OK;
}

static enum rota_status before_add(struct rota_mem_call *call, const struct rota_mem_spec *spec,
	struct rota_error *err)
{
	struct rota_mem_item *owner = &call->items[spec->owner];
	struct end end = { .id = 0 };
	enum rota_status status = end_find(call, &spec->to, &end, err);

	if (status)
		return status;
	if (end.task == owner->task)
		return self_refuse(spec, err);
	if (!end.task)
		return rota_err(err, ROTA_NOT_FOUND, "task %lld is gone; nothing can come before it",
			(long long)end.id);
	if (!item_of(call, end.task)) {
		if (end.task->d.facts.state != ROTA_STATE_BLOCKED)
			return rota_err(err, ROTA_WRONG_STATE, "task %lld is %s: something can come before it "
				"only while it is blocked", (long long)end.id,
				rota_state_name(end.task->d.facts.state));
		call->onto_existing = true;
	}
	return edge_make(call, owner->task, end.task, spec->to.failed) ? ROTA_OK : rota_err_memory(err);
}

/* ---- cycles ---- */

struct edge_list {
	struct rota_graph_edge *edges;
	size_t count, room;
};

static bool list_add(struct rota_session *session, struct edge_list *list, rota_id from, rota_id to)
{
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 64;
		struct rota_graph_edge *bigger =
			rota_arena_array(&session->scratch, room, sizeof(*bigger));

		if (!bigger)
			return false;
		if (list->count)
			memcpy(bigger, list->edges, list->count * sizeof(*bigger));
		list->edges = bigger;
		list->room = room;
	}
	list->edges[list->count++] = (struct rota_graph_edge){ from, to };
	return true;
}

static bool list_out(struct rota_session *session, struct edge_list *list, const struct rota_mem_task *task)
{
	for (struct rota_mem_node *n = rota_mem_tree_first(&task->out); n; n = rota_mem_tree_next(n)) {
		const struct rota_mem_edge *edge = ROTA_CONTAINER(n, struct rota_mem_edge, out);

		if (!edge->d.settled &&
			!list_add(session, list, task->d.facts.id, edge->to->d.facts.id))
			return false;
	}
	return true;
}

/* Also what waits, however indirectly, for tasks of before: the list itself is the queue of a walk.
 * A task met on the way gets the mark of the walk, which tells no longer whether it is of the call. */
static bool list_walk(struct rota_session *session, struct edge_list *list)
{
	uint64_t walked = ++session->store->mark;

	for (size_t i = 0; i < list->count; i++) {
		struct rota_mem_task *to = rota_mem_task_any(session->store, list->edges[i].to);

		if (to->mark == walked || to->mark == session->mark)
			continue;
		to->mark = walked;
		if (!list_out(session, list, to))
			return false;
	}
	return true;
}

static void cycle_text(const struct rota_mem_call *call, const int64_t *ids, size_t n, struct rota_buf *buf)
{
	for (size_t i = 0; i <= n; i++) {
		const struct rota_mem_task *task = rota_mem_task_any(call->session->store, ids[i % n]);
		const struct rota_mem_item *item = item_of(call, task);

		if (i)
			rota_buf_text(buf, " → ");
		if (task->d.key)
			rota_buf_printf(buf, "\"%s\"", task->d.key);
		else if (item)
			rota_buf_printf(buf, "#%zu", (size_t)(item - call->items) + 1);
		else
			rota_buf_printf(buf, "%lld", (long long)ids[i % n]);
	}
}

static enum rota_status cycle_refuse(const struct rota_mem_call *call, const int64_t *ids, size_t n,
	struct rota_error *err)
{
	struct rota_buf buf ROTA_CLEANUP(rota_buf_deinit);

	rota_buf_init(&buf, 400);
	cycle_text(call, ids, n, &buf);
	return rota_err(err, ROTA_INVALID, "these tasks wait for each other: %s", buf.data ? buf.data : "");
}

static enum rota_status cycles_refuse(const struct rota_mem_call *call, struct rota_error *err)
{
	struct rota_session *session = call->session;
	struct edge_list list = { .edges = NULL };
	int64_t *ids = NULL;
	size_t n = 0;
	enum rota_status status;

	for (size_t i = 0; i < call->item_count; i++) {
		if (call->items[i].fresh && !list_out(session, &list, call->items[i].task))
			return rota_err_memory(err);
	}
	if (call->onto_existing && !list_walk(session, &list))
		return rota_err_memory(err);
	status = rota_graph_cycle(list.edges, list.count, &session->scratch, &ids, &n, err);
	return status || !n ? status : cycle_refuse(call, ids, n, err);
}

static enum rota_status specs_resolve(struct rota_mem_call *call, struct rota_error *err)
{
	for (size_t i = 0; i < call->spec_count; i++) {
		const struct rota_mem_spec *spec = &call->specs[i];
		enum rota_status status = spec->before ? before_add(call, spec, err) :
			after_add(call, spec, err);

		if (status && err)
			err->item = (uint32_t)spec->owner + 1;
		if (status)
			return status;
	}
	return ROTA_OK;
}

enum rota_status rota_mem_edges(struct rota_mem_call *call, struct rota_error *err)
{
	enum rota_status status = specs_resolve(call, err);

	rota_map_free(&call->gone_seen);
	if (!status && call->spec_count)
		status = cycles_refuse(call, err);
	return status;
}
