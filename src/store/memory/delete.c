/* delete.c: delete, plain and cascading, and purge. */
#include "base/error.h"
#include "base/macros.h"
#include "store/memory/memory.h"

/* The tasks to delete: those that carry the session's mark, each once, in the order they were met. */
struct doomed {
	struct rota_mem_task **tasks;
	size_t count, room;
};

static bool doom(struct rota_session *session, struct doomed *doomed, struct rota_mem_task *task)
{
	if (task->mark == session->mark)
		return true;
	if (doomed->count == doomed->room) {
		size_t room = doomed->room ? doomed->room * 2 : 64;
		struct rota_mem_task **bigger = rota_arena_array(&session->scratch, room, sizeof(*bigger));

		if (!bigger)
			return false;
		for (size_t i = 0; i < doomed->count; i++)
			bigger[i] = doomed->tasks[i];
		doomed->tasks = bigger;
		doomed->room = room;
	}
	task->mark = session->mark;
	doomed->tasks[doomed->count++] = task;
	return true;
}

/* ---- the cascade: every dependent that has nothing else left to wait for. A task is met first with
 * `reached`, which counts the doomed edges that it still awaited; each edge is looked at once ---- */

static bool reach(struct rota_session *session, struct doomed *doomed, uint64_t reached,
	const struct rota_mem_edge *edge)
{
	struct rota_mem_task *to = edge->to;

	if (to->mark == session->mark)
		return true;
	if (to->mark != reached) {
		to->mark = reached;
		to->hits = 0;
	}
	to->hits += !edge->d.settled;
	return to->d.facts.pending > to->hits || doom(session, doomed, to);
}

static bool cascade(struct rota_session *session, struct doomed *doomed)
{
	uint64_t reached = ++session->store->mark;

	for (size_t i = 0; i < doomed->count; i++) {
		const struct rota_mem_tree *out = &doomed->tasks[i]->out;

		for (struct rota_mem_node *n = rota_mem_tree_first(out); n; n = rota_mem_tree_next(n)) {
			if (!reach(session, doomed, reached, ROTA_CONTAINER(n, struct rota_mem_edge, out)))
				return false;
		}
	}
	return true;
}

/* ---- delete ---- */

static bool named_doom(struct rota_session *session, const struct rota_op_delete *op, struct doomed *doomed)
{
	for (size_t i = 0; i < op->count; i++) {
		struct rota_mem_task *task = rota_mem_task_find(session, op->ids[i]);

		if (task && !doom(session, doomed, task))
			return false;
	}
	return !(op->flags & ROTA_DELETE_CASCADE) || cascade(session, doomed);
}

static enum rota_status running_refuse(const struct rota_op_delete *op, const struct doomed *doomed,
	struct rota_error *err)
{
	if (op->flags & ROTA_DELETE_FORCE)
		return ROTA_OK;
	for (size_t i = 0; i < doomed->count; i++) {
		const struct rota_facts *facts = &doomed->tasks[i]->d.facts;

		if (facts->state == ROTA_STATE_RUNNING)
			return rota_err(err, ROTA_WRONG_STATE, "task %lld is running; nothing was deleted",
				(long long)facts->id);
	}
	return ROTA_OK;
}

static void each_answer(const struct rota_session *session, const struct rota_op_delete *op)
{
	for (size_t i = 0; i < op->count && op->ret_each; i++)
		op->ret_each[i] = rota_mem_task_find(session, op->ids[i]) ? ROTA_OK : ROTA_NOT_FOUND;
}

static enum rota_status delete_run(struct rota_session *session, struct rota_op_delete *op,
	struct rota_error *err)
{
	struct doomed doomed = { .tasks = NULL };
	enum rota_status status;

	if (!named_doom(session, op, &doomed))
		return rota_err_memory(err);
	status = running_refuse(op, &doomed, err);
	if (status)
		return status;
	each_answer(session, op);
	for (size_t i = 0; i < doomed.count; i++) {
		if (!rota_mem_task_remove(session, doomed.tasks[i], -1))
			return rota_err_memory(err);
	}
	op->ret_deleted = doomed.count;
	return rota_mem_settle(session) ? ROTA_OK : rota_err_memory(err);
}

enum rota_status rota_mem_run_delete(struct rota_session *session, struct rota_op *const *ops, size_t n,
	struct rota_error *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++) {
		struct rota_mem_savepoint savepoint;

		rota_mem_op_start(session);
		savepoint = rota_mem_savepoint(session);
		ops[i]->err.status = delete_run(session, &ops[i]->u.delete, &ops[i]->err);
		if (ops[i]->err.status)
			rota_mem_back_to(session, &savepoint);
	}
	return ROTA_OK;
}

/* ---- purge: by id, a slice at a time ---- */

static bool purge_doom(struct rota_session *session, const struct rota_mem_queue *queue,
	struct rota_op_purge *op, struct doomed *doomed)
{
	struct rota_mem_node *n = queue ? rota_mem_tree_first(&queue->tasks) : NULL;

	for (; n; n = rota_mem_tree_next(n)) {
		struct rota_mem_task *task = ROTA_MEM_TASK(n, in_queue);

		if (task->d.facts.state == ROTA_STATE_RUNNING)
			continue;
		op->ret_more = doomed->count == op->slice;
		if (op->ret_more)
			break;
		if (!doom(session, doomed, task))
			return false;
	}
	return true;
}

static bool purge(struct rota_session *session, struct rota_op_purge *op)
{
	struct doomed doomed = { .tasks = NULL };

	op->ret_more = false;
	op->ret_deleted = 0;
	if (!purge_doom(session, rota_mem_queue_find(session, op->queue), op, &doomed))
		return false;
	for (size_t i = 0; i < doomed.count; i++) {
		if (!rota_mem_task_remove(session, doomed.tasks[i], -1))
			return false;
	}
	op->ret_deleted = doomed.count;
	return rota_mem_settle(session);
}

enum rota_status rota_mem_run_purge(struct rota_session *session, struct rota_op *const *ops, size_t n,
	struct rota_error *err)
{
	for (size_t i = 0; i < n; i++) {
		rota_mem_op_start(session);
		if (!purge(session, &ops[i]->u.purge))
			return rota_err_memory(err);
	}
	return ROTA_OK;
}
