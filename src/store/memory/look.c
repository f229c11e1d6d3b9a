/* look.c: get, states, list. */
#include <string.h>
#include "base/error.h"
#include "base/limits.h"
#include "base/macros.h"
#include "store/memory/memory.h"

/* ---- copies for the caller; a failed one is noted, so that a row is copied in one go ---- */

struct copy {
	struct rota_arena *arena;
	const struct rota_session *session;
	bool failed;
};

static const char *text(struct copy *copy, const char *from)
{
	const char *to = rota_arena_strdup(copy->arena, from);

	copy->failed |= from && !to;
	return to;
}

static struct rota_bytes bytes(struct copy *copy, const void *data, size_t size)
{
	struct rota_bytes to = { NULL, 0 };

	copy->failed |= !rota_arena_bytes(copy->arena, (struct rota_bytes){ data, size }, &to);
	return to;
}

static rota_time lease_date(const struct copy *copy, const struct rota_mem_task *task)
{
	if (task->d.facts.state != ROTA_STATE_RUNNING)
		return 0;
	if (task->d.lease_tick == ROTA_TICK_NEVER)
		return ROTA_FOREVER;
	return rota_time_add(copy->session->date, task->d.lease_tick - copy->session->tick);
}

static void copy_texts(struct copy *copy, const struct rota_mem_task_data *d, struct rota_task_info *to)
{
	to->type = text(copy, d->lane->type->name);
	to->queue = text(copy, d->lane->queue->name);
	to->key = text(copy, d->key);
	to->title = text(copy, d->title);
	to->partition = text(copy, d->partition);
	to->content_type = text(copy, d->content_type);
	to->traceparent = text(copy, d->traceparent);
	to->notify_channel = text(copy, d->notify_channel);
	to->status_text = text(copy, d->status_text);
	to->last_error = text(copy, d->last_error);
	if (d->facts.state == ROTA_STATE_RUNNING)
		to->worker = text(copy, d->worker);
}

static void copy_facts(const struct rota_facts *facts, struct rota_task_info *to)
{
	to->id = facts->id;
	to->state = facts->state;
	to->attempt = facts->attempt;
	to->attempts_max = facts->attempts_max;
	to->token = facts->token;
	to->settled = facts->settled;
	to->pending = facts->pending;
	to->failed_dependencies = facts->failed_dependencies;
	to->run_at = facts->run_at;
	to->started_at = facts->started_at;
	to->finished_at = facts->finished_at;
	to->expires_at = facts->expires_at;
	to->cancel_requested = (facts->flags & ROTA_FACT_CANCEL) != 0;
	to->retry = rota_retry_resolve(&facts->retry);
}

static struct rota_task_info *info_new(struct copy *copy, const struct rota_mem_task *task, uint32_t want)
{
	const struct rota_mem_task_data *d = &task->d;
	struct rota_task_info *to = rota_arena_zalloc(copy->arena, sizeof(*to));

	if (!to)
		return NULL;
	copy_facts(&d->facts, to);
	copy_texts(copy, d, to);
	to->progress = bytes(copy, d->progress, d->progress_size);
	if (want & ROTA_GET_PAYLOAD)
		to->payload = bytes(copy, d->payload.data, d->payload.size);
	if (want & ROTA_GET_RESULT)
		to->result = bytes(copy, d->result, d->result_size);
	to->priority = d->priority;
	to->timeout = d->timeout;
	to->stall = d->stall;
	to->dedup_for = d->dedup_for;
	to->created_at = d->created_at;
	to->updated_at = d->updated_at;
	to->heartbeat_at = d->heartbeat_at;
	to->lease_until = lease_date(copy, task);
	return copy->failed ? NULL : to;
}

/* ---- details ---- */

static size_t tree_size(const struct rota_mem_tree *tree)
{
	size_t n = 0;

	for (struct rota_mem_node *node = rota_mem_tree_first(tree); node; node = rota_mem_tree_next(node))
		n++;
	return n;
}

static const struct rota_edge_info *edge_copy(struct copy *copy, const struct rota_mem_edge *edge,
	const struct rota_mem_task *other)
{
	struct rota_edge_info *to = rota_arena_zalloc(copy->arena, sizeof(*to));

	copy->failed |= !to;
	if (!to)
		return NULL;
	to->task = other->d.facts.id;
	to->key = text(copy, other->d.key);
	to->state = other->d.facts.state;
	to->settled = edge->d.settled;
	to->failed = edge->d.failed;
	return to;
}

static void copy_edges(struct copy *copy, const struct rota_mem_task *task, struct rota_task_info *to)
{
	size_t ins = tree_size(&task->in), outs = tree_size(&task->out);
	const struct rota_edge_info **in = rota_arena_array(copy->arena, ins, sizeof(*in));
	const struct rota_edge_info **out = rota_arena_array(copy->arena, outs, sizeof(*out));

	copy->failed |= !in || !out;
	if (!in || !out)
		return;
	to->predecessors = in;
	to->successors = out;
	for (struct rota_mem_node *n = rota_mem_tree_first(&task->in); n; n = rota_mem_tree_next(n)) {
		const struct rota_mem_edge *edge = ROTA_CONTAINER(n, struct rota_mem_edge, in);

		in[to->predecessor_count++] = edge_copy(copy, edge, edge->from);
	}
	for (struct rota_mem_node *n = rota_mem_tree_first(&task->out); n; n = rota_mem_tree_next(n)) {
		const struct rota_mem_edge *edge = ROTA_CONTAINER(n, struct rota_mem_edge, out);

		out[to->successor_count++] = edge_copy(copy, edge, edge->to);
	}
}

static const struct rota_attempt_info *attempt_copy(struct copy *copy, const struct rota_mem_attempt_data *d)
{
	struct rota_attempt_info *to = rota_arena_zalloc(copy->arena, sizeof(*to));

	copy->failed |= !to;
	if (!to)
		return NULL;
	to->attempt = d->attempt;
	to->token = d->token;
	to->worker = text(copy, d->worker);
	to->outcome = d->outcome;
	to->error = text(copy, d->error);
	to->started_at = d->started_at;
	to->finished_at = d->finished_at;
	return to;
}

static void copy_attempts(struct copy *copy, const struct rota_mem_task *task, struct rota_task_info *to)
{
	const struct rota_attempt_info **list =
		rota_arena_array(copy->arena, tree_size(&task->attempts), sizeof(*list));

	copy->failed |= !list;
	if (!list)
		return;
	to->attempts = list;
	for (struct rota_mem_node *n = rota_mem_tree_first(&task->attempts); n; n = rota_mem_tree_next(n))
		list[to->attempt_count++] =
			attempt_copy(copy, &ROTA_CONTAINER(n, struct rota_mem_attempt, node)->d);
}

/* ---- get ---- */

static enum rota_status get_find(const struct rota_session *session, const struct rota_op_get *op,
	struct rota_mem_task **ret, struct rota_error *err)
{
	const struct rota_mem_key *key;

	if (op->id)
		return rota_mem_task_need(session, op->id, ret, err);
	key = rota_mem_key_find(session, op->key);
	if (!key || !key->d.task)
		return rota_err(err, ROTA_NOT_FOUND, "there is no task with the key \"%s\"", op->key);
	*ret = key->d.task;
	return ROTA_OK;
}

static enum rota_status get(const struct rota_session *session, struct rota_op_get *op,
	struct rota_arena *arena, struct rota_error *err)
{
	struct copy copy = { .arena = arena, .session = session };
	struct rota_mem_task *task = NULL;
	struct rota_task_info *info;
	enum rota_status status = get_find(session, op, &task, err);

	if (status)
		return status;
	op->ret_id = task->d.facts.id;
	if (op->id_only)
		return ROTA_OK;
	info = info_new(&copy, task, op->want);
	if (info && (op->want & ROTA_GET_EDGES))
		copy_edges(&copy, task, info);
	if (info && (op->want & ROTA_GET_ATTEMPTS))
		copy_attempts(&copy, task, info);
	if (!info || copy.failed)
		return rota_err_memory(err);
	op->ret_info = info;
	return ROTA_OK;
}

enum rota_status rota_mem_run_get(struct rota_session *session, struct rota_op *const *ops, size_t n,
	struct rota_error *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++) {
		rota_mem_op_start(session);
		ops[i]->err.status = get(session, &ops[i]->u.get, ops[i]->arena, &ops[i]->err);
	}
	return ROTA_OK;
}

enum rota_status rota_mem_run_states(struct rota_session *session, struct rota_op *const *ops, size_t n,
	struct rota_error *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++) {
		const struct rota_op_states *op = &ops[i]->u.states;

		rota_mem_op_start(session);
		for (size_t k = 0; k < op->count; k++) {
			const struct rota_mem_task *task = rota_mem_task_find(session, op->ids[k]);

			op->ret_states[k] = (int8_t)(task ? (int)task->d.facts.state : -1);
		}
	}
	return ROTA_OK;
}

/* ---- list ---- */

static bool listed(const struct rota_session *session, const struct rota_task_filter *filter,
	const struct rota_mem_task *task)
{
	const struct rota_mem_lane *lane = task->d.lane;

	return task->space == session->space &&
		(!filter->states || filter->states & 1u << task->d.facts.state) &&
		(!filter->queue || !strcmp(filter->queue, lane->queue->name)) &&
		(!filter->type || !strcmp(filter->type, lane->type->name));
}

static bool list(const struct rota_session *session, struct rota_op_list *op, struct rota_arena *arena)
{
	const struct rota_task_filter *filter = &op->filter;
	struct copy copy = { .arena = arena, .session = session };
	const struct rota_mem_task *task = rota_mem_task_before(session->store,
		filter->before ? filter->before : INT64_MAX);
	struct rota_mem_node *n;

	op->ret_count = 0;
	op->ret_tasks = rota_arena_array(arena, filter->limit, sizeof(*op->ret_tasks));
	if (!op->ret_tasks)
		return false;
	while (task && op->ret_count < filter->limit && !copy.failed) {
		if (listed(session, filter, task))
			op->ret_tasks[op->ret_count++] = info_new(&copy, task, 0);
		n = rota_mem_tree_prev(&task->by_id);
		task = n ? ROTA_MEM_TASK(n, by_id) : NULL;
	}
	return !copy.failed && (!op->ret_count || op->ret_tasks[op->ret_count - 1]);
}

enum rota_status rota_mem_run_list(struct rota_session *session, struct rota_op *const *ops, size_t n,
	struct rota_error *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++) {
		rota_mem_op_start(session);
		if (!list(session, &ops[i]->u.list, ops[i]->arena))
			(void)rota_err_memory(&ops[i]->err);
	}
	return ROTA_OK;
}
