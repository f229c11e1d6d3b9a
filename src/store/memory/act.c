/* act.c: signal, cancel and the operator's retry. */
#include <string.h>
#include "base/error.h"
#include "base/macros.h"
#include "store/memory/memory.h"

/* ---- signal ---- */

static bool signal_count(struct rota_session *session, struct rota_mem_task *task)
{
	if (!rota_mem_change(&session->store->journal, &task->row))
		return false;
	task->d.facts.signals--;
	rota_mem_changed(&task->row);
	return rota_mem_arrive(session, task, 1, 0, false) && rota_mem_settle(session);
}

static enum rota_status signal(struct rota_session *session, const struct rota_op_signal *op,
	struct rota_error *err)
{
	struct rota_mem_task *task = NULL;
	enum rota_status status = rota_mem_task_need(session, op->id, &task, err);

	if (status)
		return status;
	if (op->name && rota_mem_signal_find(task, op->name))
		return ROTA_OK;
	if (task->d.facts.signals <= 0)
		return rota_err(err, ROTA_WRONG_STATE, "task %lld awaits no signal", (long long)op->id);
	if (op->name && !rota_mem_signal_add(session, task, op->name))
		return rota_err_memory(err);
	return signal_count(session, task) ? ROTA_OK : rota_err_memory(err);
}

enum rota_status rota_mem_run_signal(struct rota_session *session, struct rota_op *const *ops, size_t n,
	struct rota_error *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++) {
		struct rota_mem_savepoint savepoint;

		rota_mem_op_start(session);
		savepoint = rota_mem_savepoint(session);
		ops[i]->err.status = signal(session, &ops[i]->u.signal, &ops[i]->err);
		if (ops[i]->err.status)
			rota_mem_back_to(session, &savepoint);
	}
	return ROTA_OK;
}

/* ---- cancel ---- */

static bool cancelled(struct rota_session *session, struct rota_mem_task *task,
	const struct rota_facts *facts, const struct rota_effect *effect, const char *reason)
{
	if (!rota_mem_store_facts(session, task, facts, effect, reason))
		return false;
	if (facts->state == ROTA_STATE_RUNNING)
		rota_news_cancel(session->news, facts->id);
	return rota_mem_settle(session);
}

static enum rota_status cancel(struct rota_session *session, rota_id id, const char *reason)
{
	struct rota_mem_task *task = rota_mem_task_find(session, id);
	struct rota_effect effect = { .changed = false };
	struct rota_facts facts;
	enum rota_status status;

	if (!task)
		return ROTA_NOT_FOUND;
	facts = task->d.facts;
	status = rota_rule_cancel(&facts, session->date, &effect);
	if (status || !effect.changed)
		return status;
	return cancelled(session, task, &facts, &effect, reason) ? ROTA_OK : ROTA_NO_MEMORY;
}

/* ---- retry ---- */

static enum rota_status revive(struct rota_session *session, rota_id id)
{
	struct rota_mem_task *task = rota_mem_task_find(session, id);
	struct rota_effect effect = { .changed = false };
	struct rota_facts facts;
	enum rota_status status;

	if (!task)
		return ROTA_NOT_FOUND;
	facts = task->d.facts;
	status = rota_rule_revive(&facts, session->date, &effect);
	if (status)
		return status;
	return rota_mem_store_facts(session, task, &facts, &effect, NULL) ? ROTA_OK : ROTA_NO_MEMORY;
}

/* ---- both: many ids, an answer for each ---- */

static enum rota_status act(struct rota_session *session, struct rota_op *op)
{
	struct rota_op_ids *ids = &op->u.ids;

	rota_mem_op_start(session);
	for (size_t i = 0; i < ids->count; i++) {
		enum rota_status status = op->kind == ROTA_OP_CANCEL ?
			cancel(session, ids->ids[i], ids->reason) : revive(session, ids->ids[i]);

		if (status == ROTA_NO_MEMORY)
			return status;
		if (ids->ret_each)
			ids->ret_each[i] = status;
	}
	return ROTA_OK;
}

enum rota_status rota_mem_run_cancel(struct rota_session *session, struct rota_op *const *ops, size_t n,
	struct rota_error *err)
{
	for (size_t i = 0; i < n; i++) {
		if (act(session, ops[i]))
			return rota_err_memory(err);
	}
	return ROTA_OK;
}

enum rota_status rota_mem_run_retry(struct rota_session *session, struct rota_op *const *ops, size_t n,
	struct rota_error *err)
{
	return rota_mem_run_cancel(session, ops, n, err);
}
