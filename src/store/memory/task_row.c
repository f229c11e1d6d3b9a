/* task_row.c: where a task's row stands, and what it owns. */
#include <stdlib.h>
#include <string.h>
#include "base/macros.h"
#include "store/memory/memory.h"

static int compare(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int by_two(int64_t a, int64_t b, const struct rota_mem_task *x, const struct rota_mem_task *y)
{
	int order = compare(a, b);

	return order ? order : compare(x->d.facts.id, y->d.facts.id);
}

#define BY_ID(name, member) \
	static int name(const struct rota_mem_node *a, const struct rota_mem_node *b) \
	{ \
		return compare(ROTA_MEM_TASK(a, member)->d.facts.id, ROTA_MEM_TASK(b, member)->d.facts.id); \
	}
BY_ID(order_by_id, by_id)
BY_ID(order_in_queue, in_queue)
BY_ID(order_holding, holding)

#define BY_TIME(name, member, time) \
	static int name(const struct rota_mem_node *a, const struct rota_mem_node *b) \
	{ \
		const struct rota_mem_task *x = ROTA_MEM_TASK(a, member), *y = ROTA_MEM_TASK(b, member); \
		return by_two(x->d.time, y->d.time, x, y); \
	}
BY_TIME(order_scheduled, place, facts.run_at)
BY_TIME(order_leased, place, lease_tick)
BY_TIME(order_done, place, facts.finished_at)
BY_TIME(order_expiry, expiry, facts.expires_at)

static int order_ready(const struct rota_mem_node *a, const struct rota_mem_node *b)
{
	const struct rota_mem_task *x = ROTA_MEM_TASK(a, place), *y = ROTA_MEM_TASK(b, place);
	int order = compare(x->d.priority, y->d.priority);

	return order ? order : by_two(x->d.facts.run_at, y->d.facts.run_at, x, y);
}

static struct rota_mem_task *task_of(struct rota_mem_row *row)
{
	return ROTA_CONTAINER(row, struct rota_mem_task, row);
}

/* ---- leaving ---- */

static void leave(struct rota_mem_tree **in, struct rota_mem_node *node)
{
	if (*in)
		rota_mem_tree_remove(*in, node);
	*in = NULL;
}

static void enter(struct rota_mem_tree **in, struct rota_mem_tree *tree, struct rota_mem_node *node,
	rota_mem_order_fn *order)
{
	*in = tree;
	rota_mem_tree_add(tree, node, order);
}

static void task_unplace(struct rota_mem_row *row)
{
	struct rota_mem_task *task = task_of(row);

	leave(&task->placed, &task->place);
	leave(&task->expires, &task->expiry);
	leave(&task->held, &task->holding);
	if (task->counted) {
		task->counted->count[task->counted_as]--;
		task->counted->type->count[task->counted_as]--;
	}
	task->counted = NULL;
}

/* ---- entering ---- */

static void count(struct rota_mem_task *task)
{
	task->counted = task->d.lane;
	task->counted_as = task->d.facts.state;
	task->counted->count[task->counted_as]++;
	task->counted->type->count[task->counted_as]++;
}

static void place_by_state(struct rota_mem_task *task)
{
	enum rota_state state = task->d.facts.state;

	if (state == ROTA_STATE_READY)
		enter(&task->placed, &task->d.lane->ready, &task->place, order_ready);
	else if (state == ROTA_STATE_SCHEDULED)
		enter(&task->placed, &task->store->scheduled, &task->place, order_scheduled);
	else if (state == ROTA_STATE_RUNNING)
		enter(&task->placed, &task->store->leased, &task->place, order_leased);
	else if (rota_state_final(state))
		enter(&task->placed, &task->d.lane->queue->done[rota_mem_class(state)], &task->place,
			order_done);
}

static void place_lease(struct rota_mem_task *task)
{
	struct rota_mem_worker *worker;

	if (task->d.facts.state != ROTA_STATE_RUNNING || !task->d.worker_id)
		return;
	worker = rota_mem_worker_find(task->store, task->d.worker_id);
	enter(&task->held, worker ? &worker->leases : &task->store->orphans, &task->holding, order_holding);
}

static void task_place(struct rota_mem_row *row)
{
	struct rota_mem_task *task = task_of(row);
	struct rota_mem_tree *queue = &task->d.lane->queue->tasks;

	if (task->queued != queue) {
		leave(&task->queued, &task->in_queue);
		enter(&task->queued, queue, &task->in_queue, order_in_queue);
	}
	count(task);
	place_by_state(task);
	if (task->d.facts.expires_at && task->d.facts.state < ROTA_STATE_RUNNING)
		enter(&task->expires, &task->store->expiring, &task->expiry, order_expiry);
	place_lease(task);
}

static void task_link(struct rota_mem_row *row)
{
	struct rota_mem_task *task = task_of(row);

	rota_mem_tree_add(&task->store->tasks, &task->by_id, order_by_id);
}

static void task_unlink(struct rota_mem_row *row)
{
	struct rota_mem_task *task = task_of(row);

	rota_mem_tree_remove(&task->store->tasks, &task->by_id);
	leave(&task->queued, &task->in_queue);
}

static void task_free(struct rota_mem_row *row)
{
	struct rota_mem_task *task = task_of(row);

	free(task->d.fixed);
	free(task->d.worker);
	free(task->d.status_text);
	free(task->d.last_error);
	free(task->d.result);
	free(task->d.progress);
	free(task);
}

const struct rota_mem_kind rota_mem_task_kind = {
	offsetof(struct rota_mem_task, d), sizeof(struct rota_mem_task_data),
	task_link, task_unlink, task_place, task_unplace, task_free,
};

/* ---- finding ---- */

static int place_id(const struct rota_mem_node *node, const void *key)
{
	return compare(ROTA_MEM_TASK(node, by_id)->d.facts.id, *(const rota_id *)key);
}

struct rota_mem_task *rota_mem_task_any(const struct rota_mem_store *store, rota_id id)
{
	struct rota_mem_node *node = rota_mem_tree_find(&store->tasks, place_id, &id);

	return node ? ROTA_MEM_TASK(node, by_id) : NULL;
}

struct rota_mem_task *rota_mem_task_find(const struct rota_session *session, rota_id id)
{
	struct rota_mem_task *task = rota_mem_task_any(session->store, id);

	return task && task->space == session->space ? task : NULL;
}

struct rota_mem_task *rota_mem_task_before(const struct rota_mem_store *store, rota_id id)
{
	struct rota_mem_node *node = rota_mem_tree_before(&store->tasks, place_id, &id);

	return node ? ROTA_MEM_TASK(node, by_id) : NULL;
}

struct rota_mem_task *rota_mem_first_ready(const struct rota_mem_lane *lane)
{
	struct rota_mem_node *node = rota_mem_tree_first(&lane->ready);

	return node ? ROTA_MEM_TASK(node, place) : NULL;
}
