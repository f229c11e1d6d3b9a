/* lease.c: extend, guard: what the holder of a lease asks. */
#include <string.h>
#include "base/error.h"
#include "base/limits.h"
#include "base/macros.h"
#include "store/memory/memory.h"

static bool progress_set(struct rota_session *session, struct rota_mem_task *task,
	const struct rota_extension *item)
{
	struct rota_mem_journal *journal = &session->store->journal;

	if (item->status_text && !rota_mem_set(journal, &task->d.status_text, item->status_text,
		strlen(item->status_text)))
		return false;
	if (!item->progress.data)
		return true;
	task->d.progress_size = item->progress.size;
	return rota_mem_set(journal, &task->d.progress, item->progress.data, item->progress.size);
}

/* Progress leaves the deadline alone, unless the lease was lost and found: that one is over. */
static void deadline_set(const struct rota_session *session, struct rota_mem_task *task,
	const struct rota_op_extend *op, bool keep)
{
	if (!keep)
		task->d.lease_tick = rota_tick_add(session->tick, op->lease ? op->lease : ROTA_DEFAULT_CLAIM_LEASE);
}

static bool beat(struct rota_session *session, struct rota_mem_task *task, const struct rota_op_extend *op,
	const struct rota_extension *item, bool resumed)
{
	bool done;

	if (!rota_mem_change(&session->store->journal, &task->row))
		return false;
	done = progress_set(session, task, item);
	task->d.heartbeat_at = session->date;
	if (item->status_text || item->progress.data)
		task->d.updated_at = session->date;
	deadline_set(session, task, op, item->keep_deadline && !resumed);
	rota_mem_changed(&task->row);
	return done;
}

static bool extend(struct rota_session *session, const struct rota_op_extend *op,
	struct rota_extension *item)
{
	struct rota_mem_task *task = rota_mem_task_find(session, item->id);
	struct rota_effect effect = { .changed = false };
	struct rota_facts facts;
	bool resumed;

	item->ret_cancel_requested = false;
	item->ret_status = ROTA_NOT_FOUND;
	if (!task)
		return true;
	facts = task->d.facts;
	item->ret_status = rota_rule_extend(&facts, item->token, item->started, session->date, &effect);
	if (item->ret_status)
		return true;
	resumed = task->d.facts.state != facts.state;
	if (effect.changed && !rota_mem_store_facts(session, task, &facts, &effect, NULL))
		return false;
	session->news->claimed |= resumed;
	item->ret_cancel_requested = facts.flags & ROTA_FACT_CANCEL;
	return beat(session, task, op, item, resumed);
}

enum rota_status rota_mem_run_extend(struct rota_session *session, struct rota_op *const *ops, size_t n,
	struct rota_error *err)
{
	for (size_t i = 0; i < n; i++) {
		struct rota_op_extend *op = &ops[i]->u.extend;

		rota_mem_op_start(session);
		for (size_t k = 0; k < op->count; k++) {
			if (!extend(session, op, &op->items[k]))
				return rota_err_memory(err);
		}
	}
	return ROTA_OK;
}

/* A holder that lost its lease may still be in time for its outcome, but it does not run now. */
static enum rota_status guard(const struct rota_session *session, const struct rota_op_guard *op,
	struct rota_error *err)
{
	struct rota_mem_task *task = NULL;
	enum rota_status status = rota_mem_task_need(session, op->id, &task, err);

	if (status)
		return status;
	status = rota_rule_fence(&task->d.facts, op->token);
	if (!status && task->d.facts.state != ROTA_STATE_RUNNING)
		status = ROTA_WRONG_STATE;
	if (status)
		return rota_err(err, status, "task %lld does not run under token %lld: it is %s",
			(long long)op->id, (long long)op->token, rota_state_name(task->d.facts.state));
	return ROTA_OK;
}

enum rota_status rota_mem_run_guard(struct rota_session *session, struct rota_op *const *ops, size_t n,
	struct rota_error *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++) {
		rota_mem_op_start(session);
		ops[i]->err.status = guard(session, &ops[i]->u.guard, &ops[i]->err);
	}
	return ROTA_OK;
}
