/* enqueue.c: tasks in order, then their edges, then the states they start in. */
#include <stdlib.h>
#include <string.h>
#include "base/error.h"
#include "base/limits.h"
#include "base/macros.h"
#include "store/memory/memory.h"

/* ---- a task's data ---- */

static size_t text_room(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static char *put(char **at, const void *from, size_t size)
{
	char *to = *at;

	memcpy(to, from, size);
	to[size] = 0;
	*at += size + 1;
	return to;
}

static const char *put_text(char **at, const char *text)
{
	return text ? put(at, text, strlen(text)) : NULL;
}

/* The texts that stay, in one piece of memory; NULL: out of it. key: of the row, which replace keeps. */
static char *fixed_new(const struct rota_task *task, const char *key, struct rota_mem_task_data *d)
{
	size_t size = text_room(key) + text_room(task->title) + text_room(task->partition) +
		text_room(task->content_type) + text_room(task->traceparent) +
		text_room(task->notify_channel) + task->payload.size + 1;
	char *fixed = malloc(size), *at = fixed;

	if (!fixed)
		return NULL;
	d->key = put_text(&at, key);
	d->title = put_text(&at, task->title);
	d->partition = put_text(&at, task->partition);
	d->content_type = put_text(&at, task->content_type);
	d->traceparent = put_text(&at, task->traceparent);
	d->notify_channel = put_text(&at, task->notify_channel);
	d->payload = (struct rota_bytes){ NULL, 0 };
	if (task->payload.data)
		d->payload = (struct rota_bytes){ put(&at, task->payload.data, task->payload.size),
			task->payload.size };
	return fixed;
}

static rota_time run_at_of(const struct rota_task *task, rota_time now)
{
	return ROTA_MAX(rota_time_add(task->run_at ? task->run_at : now, task->delay), now);
}

static rota_time expires_at_of(const struct rota_task *task, rota_time now)
{
	return task->expires_in ? rota_time_add(now, task->expires_in) : 0;
}

/* What a new task and one that replaces another have in common. */
static void data_fill(struct rota_mem_task_data *d, const struct rota_task *task, rota_time now)
{
	struct rota_retry retry = rota_retry_resolve(task->retry);

	d->priority = task->priority;
	d->timeout = task->timeout;
	d->stall = task->stall;
	d->dedup_for = task->dedup_for;
	d->updated_at = now;
	d->facts.retry = retry;
	d->facts.attempts_max = retry.attempts_max < 0 ? 0 : retry.attempts_max;
}

/* ---- a new task: in the store at once, blocked until its edges are known ---- */

static enum rota_status task_new(struct rota_session *session, const struct rota_task *task,
	struct rota_mem_lane *lane, struct rota_mem_task **ret, struct rota_error *err)
{
	struct rota_mem_task *row = calloc(1, sizeof(*row));
	struct rota_facts *facts;

	if (!row)
		return rota_err_memory(err);
	row->row.kind = &rota_mem_task_kind;
	row->store = session->store;
	row->space = session->space;
	row->d.lane = lane;
	row->d.fixed = fixed_new(task, task->key, &row->d);
	data_fill(&row->d, task, session->date);
	row->d.created_at = session->date;
	facts = &row->d.facts;
	facts->id = session->store->id_next;
	facts->state = ROTA_STATE_BLOCKED;
	facts->signals = task->signals;
	facts->settled_outcome = -1;
	facts->run_at = run_at_of(task, session->date);
	facts->expires_at = expires_at_of(task, session->date);
	*ret = row;
	if (!row->d.fixed) {
		free(row);
		return rota_err_memory(err);
	}
	return rota_mem_add(&session->store->journal, &row->row) ? ROTA_OK : rota_err_memory(err);
}

static enum rota_status item_new(struct rota_mem_call *call, const struct rota_task *task,
	struct rota_mem_item *item, struct rota_error *err)
{
	struct rota_session *session = call->session;
	struct rota_mem_lane *lane = NULL;
	enum rota_status status = rota_mem_lane_have(session,
		task->queue ? task->queue : ROTA_DEFAULT_QUEUE, task->type, &lane, err);

	if (!status)
		status = task_new(session, task, lane, &item->task, err);
	if (status)
		return status;
	item->id = session->store->id_next++;
	item->fresh = true;
	item->task->mark = session->mark;
	item->task->hits = (int64_t)(item - call->items);
	if (task->key && !rota_mem_key_add(session, task->key, item->task))
		return rota_err_memory(err);
	return ROTA_OK;
}

/* ---- conflicts ---- */

static bool data_replace(struct rota_session *session, struct rota_mem_task *row,
	const struct rota_task *task, struct rota_mem_lane *lane)
{
	const char *key = row->d.key;
	char *fixed = fixed_new(task, key, &row->d);

	if (!fixed || !rota_mem_own(&session->store->journal, &row->d.fixed, fixed))
		return false;
	data_fill(&row->d, task, session->date);
	row->d.lane = lane;
	return true;
}

static enum rota_status replace(struct rota_session *session, struct rota_mem_task *row,
	const struct rota_task *task, struct rota_error *err)
{
	struct rota_facts facts = row->d.facts;
	struct rota_effect effect = { .changed = false };
	struct rota_mem_lane *lane = NULL;
	enum rota_status status = rota_rule_replace(&facts, run_at_of(task, session->date),
		expires_at_of(task, session->date), session->date, &effect);
	bool done;

	if (status)
		return rota_err(err, status, "key \"%s\" is taken by task %lld, which is %s", task->key,
			(long long)facts.id, rota_state_name(facts.state));
	status = rota_mem_lane_have(session, task->queue ? task->queue : ROTA_DEFAULT_QUEUE, task->type,
		&lane, err);
	if (status)
		return status;
	if (!rota_mem_change(&session->store->journal, &row->row))
		return rota_err_memory(err);
	done = data_replace(session, row, task, lane);
	facts.retry = row->d.facts.retry;
	facts.attempts_max = row->d.facts.attempts_max;
	rota_mem_changed(&row->row);
	if (!done || !rota_mem_store_facts(session, row, &facts, &effect, NULL))
		return rota_err_memory(err);
	return ROTA_OK;
}

static enum rota_status item_conflict(struct rota_mem_call *call, const struct rota_task *task,
	const struct rota_mem_key *key, struct rota_mem_item *item, struct rota_error *err)
{
	item->id = key->d.id;
	item->task = key->d.task;
	if (task->on_conflict == ROTA_CONFLICT_IGNORE)
		return ROTA_OK;
	if (task->on_conflict == ROTA_CONFLICT_REPLACE && key->d.task && key->d.id != call->finishing)
		return replace(call->session, key->d.task, task, err);
	return rota_err(err, ROTA_EXISTS, "key \"%s\" is taken by task %lld%s", task->key,
		(long long)key->d.id, key->d.task ? "" : ", which is gone, for some time yet");
}

/* ---- the call's items and edges are noted as they come ---- */

static void *grow(struct rota_arena *arena, void *list, size_t count, size_t *room, size_t size)
{
	size_t wanted = *room ? *room * 2 : 16;
	void *bigger = rota_arena_array(arena, wanted, size);

	if (!bigger)
		return NULL;
	if (count)
		memcpy(bigger, list, count * size);
	*room = wanted;
	return bigger;
}

static bool spec_add(struct rota_mem_call *call, size_t owner, const struct rota_dependency *to,
	bool before)
{
	struct rota_arena *arena = &call->session->scratch;
	struct rota_mem_spec *spec;

	if (call->spec_count == call->spec_room) {
		void *bigger = grow(arena, call->specs, call->spec_count, &call->spec_room, sizeof(*spec));

		if (!bigger)
			return false;
		call->specs = bigger;
	}
	spec = &call->specs[call->spec_count++];
	*spec = (struct rota_mem_spec){ .owner = owner, .before = before, .to = *to };
	if (to->key)
		spec->to.key = rota_arena_strdup(arena, to->key);
	return !to->key || spec->to.key;
}

static enum rota_status specs_add(struct rota_mem_call *call, size_t owner, const struct rota_task *task,
	struct rota_error *err)
{
	if (call->spec_count + task->after_count + task->before_count > ROTA_STREAM_EDGES_MAX)
		return rota_err(err, ROTA_LIMIT, "more than %d dependencies in one call", ROTA_STREAM_EDGES_MAX);
	for (size_t i = 0; i < task->after_count; i++) {
		if (!spec_add(call, owner, &task->after[i], false))
			return rota_err_memory(err);
	}
	for (size_t i = 0; i < task->before_count; i++) {
		if (!spec_add(call, owner, &task->before[i], true))
			return rota_err_memory(err);
	}
	return ROTA_OK;
}

static enum rota_status item_add(struct rota_mem_call *call, const struct rota_task *task,
	struct rota_error *err)
{
	const struct rota_mem_key *key = task->key ? rota_mem_key_find(call->session, task->key) : NULL;
	struct rota_mem_item *item;
	enum rota_status status;

	if (call->item_count == call->item_room) {
		void *bigger = grow(&call->session->scratch, call->items, call->item_count, &call->item_room,
			sizeof(*item));

		if (!bigger)
			return rota_err_memory(err);
		call->items = bigger;
	}
	item = &call->items[call->item_count++];
	status = key ? item_conflict(call, task, key, item, err) : item_new(call, task, item, err);
	if (!status && item->fresh)
		status = specs_add(call, call->item_count - 1, task, err);
	if (status && err)
		err->item = (uint32_t)call->item_count;
	return status;
}

static enum rota_status items_add(struct rota_mem_call *call, struct rota_op_enqueue *op,
	struct rota_error *err)
{
	enum rota_status status = ROTA_OK;

	for (size_t i = 0; !op->next && i < op->count && !status; i++)
		status = item_add(call, &op->tasks[i], err);
	while (op->next && !status) {
		const struct rota_task *task = NULL;

		status = op->next(op->arg, &task, err);
		if (status || !task)
			break;
		status = item_add(call, task, err);
	}
	return status;
}

/* ---- the state each starts in ---- */

/* Predecessors that are final already have counted: they arrive now. */
static bool item_release(struct rota_session *session, const struct rota_mem_item *item)
{
	struct rota_facts facts = item->task->d.facts;
	struct rota_effect effect = { .changed = true };

	facts.pending = item->edges + facts.signals;
	facts.state = rota_rule_initial(facts.pending, facts.run_at, session->date);
	effect.ready = facts.state == ROTA_STATE_READY;
	if (!rota_mem_store_facts(session, item->task, &facts, &effect, NULL))
		return false;
	return !item->arrivals ||
		rota_mem_arrive(session, item->task, item->arrivals, item->failures, item->cancel);
}

static enum rota_status items_release(struct rota_mem_call *call, struct rota_error *err)
{
	for (size_t i = 0; i < call->item_count; i++) {
		if (call->items[i].fresh && !item_release(call->session, &call->items[i]))
			return rota_err_memory(err);
	}
	return rota_mem_settle(call->session) ? ROTA_OK : rota_err_memory(err);
}

static void answer(const struct rota_mem_call *call, struct rota_op_enqueue *op)
{
	for (size_t i = 0; i < call->item_count; i++) {
		if (op->ret_ids)
			op->ret_ids[i] = call->items[i].id;
		if (op->accepted)
			op->accepted(op->arg, i + 1, call->items[i].id);
	}
	op->ret_count = call->item_count;
}

enum rota_status rota_mem_enqueue(struct rota_session *session, struct rota_op_enqueue *op,
	struct rota_error *err)
{
	struct rota_mem_savepoint savepoint = rota_mem_savepoint(session);
	struct rota_mem_call call = { .session = session, .finishing = op->finishing };
	enum rota_status status;

	session->mark = ++session->store->mark;
	status = items_add(&call, op, err);
	if (!status)
		status = rota_mem_edges(&call, err);
	if (!status)
		status = items_release(&call, err);
	if (status)
		rota_mem_back_to(session, &savepoint);
	else
		answer(&call, op);
	return status;
}

enum rota_status rota_mem_run_enqueue(struct rota_session *session, struct rota_op *const *ops, size_t n,
	struct rota_error *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++) {
		rota_mem_op_start(session);
		ops[i]->err.status = rota_mem_enqueue(session, &ops[i]->u.enqueue, &ops[i]->err);
	}
	return ROTA_OK;
}
