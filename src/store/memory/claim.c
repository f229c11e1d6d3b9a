/* claim.c: ready tasks, in order, become running. */
#include <string.h>
#include "base/error.h"
#include "base/limits.h"
#include "base/macros.h"
#include "store/memory/memory.h"

struct claim {
	struct rota_session *session;
	struct rota_op_claim *op;
	struct rota_arena *arena;
	size_t tasks_max, bytes;
};

/* ---- one task ---- */

static bool holder_set(struct claim *claim, struct rota_mem_task *task)
{
	const struct rota_op_claim *op = claim->op;
	struct rota_mem_journal *journal = &claim->session->store->journal;
	bool done;

	if (!rota_mem_change(journal, &task->row))
		return false;
	done = rota_mem_set(journal, &task->d.worker, op->worker, op->worker ? strlen(op->worker) : 0);
	task->d.worker_id = op->worker_id;
	task->d.lease_tick = rota_tick_add(claim->session->tick, op->lease);
	task->d.heartbeat_at = claim->session->date;
	rota_mem_changed(&task->row);
	return done;
}

static bool copy_texts(struct rota_arena *arena, const struct rota_mem_task *task, struct rota_claimed *to)
{
	const struct rota_mem_task_data *d = &task->d;
	struct rota_bytes progress = { d->progress, d->progress_size };

	to->type = rota_arena_strdup(arena, d->lane->type->name);
	to->queue = rota_arena_strdup(arena, d->lane->queue->name);
	to->key = rota_arena_strdup(arena, d->key);
	to->title = rota_arena_strdup(arena, d->title);
	to->partition = rota_arena_strdup(arena, d->partition);
	to->content_type = rota_arena_strdup(arena, d->content_type);
	to->traceparent = rota_arena_strdup(arena, d->traceparent);
	return to->type && to->queue && !to->key == !d->key && !to->title == !d->title &&
		!to->partition == !d->partition && !to->content_type == !d->content_type &&
		!to->traceparent == !d->traceparent && rota_arena_bytes(arena, d->payload, &to->payload) &&
		rota_arena_bytes(arena, progress, &to->progress);
}

static struct rota_claimed *claimed_new(const struct claim *claim, const struct rota_mem_task *task)
{
	const struct rota_facts *facts = &task->d.facts;
	struct rota_claimed *to = rota_arena_zalloc(claim->arena, sizeof(*to));

	if (!to || !copy_texts(claim->arena, task, to))
		return NULL;
	to->id = facts->id;
	to->token = facts->token;
	to->priority = task->d.priority;
	to->attempt = facts->attempt;
	to->attempts_max = facts->attempts_max;
	to->failed_dependencies = facts->failed_dependencies;
	to->timeout = task->d.timeout;
	to->stall = task->d.stall;
	to->run_at = facts->run_at;
	to->created_at = task->d.created_at;
	to->lease_until = rota_time_add(claim->session->date, claim->op->lease);
	if (claim->op->lease == ROTA_FOREVER)
		to->lease_until = ROTA_FOREVER;
	return to;
}

static bool task_claim(struct claim *claim, struct rota_mem_task *task)
{
	struct rota_facts facts = task->d.facts;
	struct rota_effect effect = { .changed = false };
	struct rota_claimed *claimed;

	rota_rule_claim(&facts, !claim->op->worker_id, claim->session->date, &effect);
	if (!holder_set(claim, task) ||
		!rota_mem_store_facts(claim->session, task, &facts, &effect, NULL))
		return false;
	claimed = claimed_new(claim, task);
	if (!claimed)
		return false;
	claim->op->ret_tasks[claim->op->ret_count++] = claimed;
	claim->bytes += task->d.payload.size;
	claim->session->news->claimed = true;
	return true;
}

/* Who claims by hand runs it as soon as it has it; a worker process may die with others in its buffer. */
static bool alone(const struct claim *claim, const struct rota_mem_task *task)
{
	return claim->op->worker_id && rota_rule_claim_alone(&task->d.facts);
}

/* Whether one more may be given along with those given already. */
static bool fits(const struct claim *claim, const struct rota_mem_task *task)
{
	const struct rota_op_claim *op = claim->op;

	if (!op->ret_count)
		return true;
	return !op->ret_commit_start && !alone(claim, task) &&
		(!op->bytes_max || claim->bytes + task->d.payload.size <= op->bytes_max);
}

static bool take(struct claim *claim, struct rota_mem_task *task)
{
	claim->op->ret_commit_start = alone(claim, task);
	return task_claim(claim, task);
}

static bool expired(const struct claim *claim, const struct rota_mem_task *task)
{
	return task->d.facts.expires_at && task->d.facts.expires_at <= claim->session->date;
}

/* ---- the best of several lanes: a tree of lanes by their first ready task ---- */

static int order_candidates(const struct rota_mem_node *na, const struct rota_mem_node *nb)
{
	const struct rota_mem_task *a =
		rota_mem_first_ready(ROTA_CONTAINER(na, struct rota_mem_lane, candidate));
	const struct rota_mem_task *b =
		rota_mem_first_ready(ROTA_CONTAINER(nb, struct rota_mem_lane, candidate));

	if (a->d.priority != b->d.priority)
		return a->d.priority < b->d.priority ? -1 : 1;
	if (a->d.facts.run_at != b->d.facts.run_at)
		return a->d.facts.run_at < b->d.facts.run_at ? -1 : 1;
	return a->d.facts.id < b->d.facts.id ? -1 : a->d.facts.id > b->d.facts.id;
}

/* Names given twice must not enter a lane twice. */
static bool named(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(name, names[i]))
			return true;
	}
	return !n;
}

static bool lane_expire(struct claim *claim, struct rota_mem_lane *lane)
{
	struct rota_mem_task *task;

	while ((task = rota_mem_first_ready(lane)) && expired(claim, task)) {
		struct rota_facts facts = task->d.facts;
		struct rota_effect effect = { .changed = false };

		rota_rule_expire(&facts, claim->session->date, &effect);
		if (!rota_mem_store_facts(claim->session, task, &facts, &effect, NULL))
			return false;
	}
	return true;
}

static bool lane_enter(struct claim *claim, struct rota_mem_tree *candidates, struct rota_mem_lane *lane)
{
	if (!lane_expire(claim, lane))
		return false;
	if (rota_mem_first_ready(lane))
		rota_mem_tree_add(candidates, &lane->candidate, order_candidates);
	return true;
}

static bool lanes_enter(struct claim *claim, struct rota_mem_tree *candidates,
	const struct rota_mem_queue *queue)
{
	const struct rota_op_claim *op = claim->op;

	if (queue->d.paused || !named(queue->name, op->queues, op->queue_count))
		return true;
	for (struct rota_mem_node *n = rota_mem_tree_first(&queue->lanes); n; n = rota_mem_tree_next(n)) {
		struct rota_mem_lane *lane = ROTA_CONTAINER(n, struct rota_mem_lane, node);

		if (named(lane->type->name, op->types, op->type_count) && !lane_enter(claim, candidates, lane))
			return false;
	}
	return true;
}

static bool claim_best(struct claim *claim)
{
	const struct rota_mem_tree *queues = &claim->session->space->queues;
	struct rota_mem_tree candidates = { NULL };
	struct rota_mem_node *first;

	for (struct rota_mem_node *n = rota_mem_tree_first(queues); n; n = rota_mem_tree_next(n)) {
		if (!lanes_enter(claim, &candidates, ROTA_CONTAINER(n, struct rota_mem_queue, node)))
			return false;
	}
	while (claim->op->ret_count < claim->tasks_max && (first = rota_mem_tree_first(&candidates))) {
		struct rota_mem_lane *lane = ROTA_CONTAINER(first, struct rota_mem_lane, candidate);
		struct rota_mem_task *task = rota_mem_first_ready(lane);

		if (!fits(claim, task))
			break;
		rota_mem_tree_remove(&candidates, first);
		if (!take(claim, task) || !lane_enter(claim, &candidates, lane))
			return false;
	}
	return true;
}

/* ---- exactly these ---- */

static enum rota_status refusal(const struct claim *claim, const struct rota_mem_task *task)
{
	if (!task)
		return ROTA_NOT_FOUND;
	switch (task->d.facts.state) {
	case ROTA_STATE_COMPLETED: return ROTA_COMPLETED;
	case ROTA_STATE_FAILED: return ROTA_FAILED;
	case ROTA_STATE_CANCELLED: return ROTA_CANCELLED;
	case ROTA_STATE_READY: break;
	default: return ROTA_WRONG_STATE;
	}
	if (task->d.lane->queue->d.paused || expired(claim, task))
		return ROTA_WRONG_STATE;
	return fits(claim, task) ? ROTA_OK : ROTA_BUSY;
}

static bool claim_ids(struct claim *claim)
{
	const struct rota_op_claim *op = claim->op;

	for (size_t i = 0; i < op->id_count; i++) {
		struct rota_mem_task *task = rota_mem_task_find(claim->session, op->ids[i]);
		enum rota_status status = refusal(claim, task);

		if (!status && op->ret_count == claim->tasks_max)
			status = ROTA_BUSY;
		if (!status && !take(claim, task))
			return false;
		if (op->ret_each)
			op->ret_each[i] = status;
	}
	return true;
}

static bool claim_run(struct claim *claim)
{
	struct rota_op_claim *op = claim->op;

	claim->tasks_max = ROTA_MIN(op->id_count ? op->id_count : op->tasks_max,
		(size_t)ROTA_CLAIM_TASKS_MAX);
	op->ret_count = 0;
	op->ret_commit_start = false;
	op->ret_tasks = rota_arena_array(claim->arena, claim->tasks_max, sizeof(*op->ret_tasks));
	if (!op->ret_tasks)
		return false;
	return (op->id_count ? claim_ids(claim) : claim_best(claim)) && rota_mem_settle(claim->session);
}

enum rota_status rota_mem_run_claim(struct rota_session *session, struct rota_op *const *ops, size_t n,
	struct rota_error *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++) {
		struct claim claim = { .session = session, .op = &ops[i]->u.claim, .arena = ops[i]->arena };
		struct rota_mem_savepoint savepoint;

		rota_mem_op_start(session);
		savepoint = rota_mem_savepoint(session);
		if (claim_run(&claim))
			continue;
		rota_mem_back_to(session, &savepoint);
		claim.op->ret_count = 0;
		(void)rota_err_memory(&ops[i]->err);
	}
	return ROTA_OK;
}
