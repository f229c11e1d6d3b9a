/* finish.c: what attempts came to, and the tasks that they left. */
#include <string.h>
#include "base/error.h"
#include "base/macros.h"
#include "store/memory/memory.h"

static bool text_set(struct rota_session *session, char **at, const char *text)
{
	return !text || rota_mem_set(&session->store->journal, at, text, strlen(text));
}

static bool bytes_set(struct rota_session *session, char **at, size_t *size, struct rota_bytes bytes)
{
	*size = bytes.size;
	return rota_mem_set(&session->store->journal, at, bytes.data, bytes.size);
}

static bool said(struct rota_session *session, struct rota_mem_task *task, const struct rota_verdict *verdict)
{
	bool done;

	if (!rota_mem_change(&session->store->journal, &task->row))
		return false;
	done = text_set(session, &task->d.status_text, verdict->status_text);
	if (done && verdict->progress.data)
		done = bytes_set(session, &task->d.progress, &task->d.progress_size, verdict->progress);
	if (done && (verdict->result.data || verdict->outcome == ROTA_OUTCOME_COMPLETE))
		done = bytes_set(session, &task->d.result, &task->d.result_size, verdict->result);
	rota_mem_changed(&task->row);
	return done;
}

/* Before the task ends, so that one may still be put between it and a successor. */
static enum rota_status follow_up(struct rota_session *session, const struct rota_verdict *verdict,
	struct rota_error *err)
{
	struct rota_op_enqueue op = { .tasks = verdict->follow_ups, .count = verdict->follow_up_count,
		.finishing = verdict->id };

	if (!op.count || verdict->outcome != ROTA_OUTCOME_COMPLETE)
		return ROTA_OK;
	return rota_mem_enqueue(session, &op, err);
}

static enum rota_status finish_found(struct rota_session *session, struct rota_mem_task *task,
	const struct rota_verdict *verdict, struct rota_error *err)
{
	struct rota_facts facts = task->d.facts;
	struct rota_effect effect = { .changed = false };
	enum rota_status status = rota_rule_finish(&facts, verdict, session->date, &effect);

	if (status)
		return rota_err(err, status, "task %lld: %s", (long long)verdict->id,
			rota_status_name(status));
	if (!effect.changed)
		return ROTA_OK;
	status = follow_up(session, verdict, err);
	if (status)
		return status;
	if (!said(session, task, verdict) ||
		!rota_mem_store_facts(session, task, &facts, &effect, verdict->error) ||
		!rota_mem_settle(session))
		return rota_err_memory(err);
	return ROTA_OK;
}

static enum rota_status finish(struct rota_session *session, const struct rota_verdict *verdict,
	struct rota_error *err)
{
	struct rota_mem_savepoint savepoint = rota_mem_savepoint(session);
	struct rota_mem_task *task = NULL;
	enum rota_status status = rota_mem_task_need(session, verdict->id, &task, err);

	if (!status)
		status = finish_found(session, task, verdict, err);
	if (status)
		rota_mem_back_to(session, &savepoint);
	return status;
}

enum rota_status rota_mem_run_finish(struct rota_session *session, struct rota_op *const *ops, size_t n,
	struct rota_error *err)
{
	for (size_t i = 0; i < n; i++) {
		struct rota_op_finish *op = &ops[i]->u.finish;

		rota_mem_op_start(session);
		for (size_t k = 0; k < op->count; k++) {
			struct rota_error *why = op->ret_errors ? &op->ret_errors[k] : NULL;

			op->ret_each[k] = finish(session, &op->verdicts[k], why);
			if (op->ret_each[k] == ROTA_NO_MEMORY)
				return rota_err_memory(err);
			rota_arena_reset(&session->scratch);
		}
	}
	return ROTA_OK;
}
