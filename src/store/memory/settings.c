/* settings.c: queues' settings, and who works here. */
#include "base/error.h"
#include "base/macros.h"
#include "store/memory/memory.h"

static void queue_set(struct rota_session *session, struct rota_mem_queue *queue,
	const struct rota_op_queue *op)
{
	switch (op->action) {
	case ROTA_QUEUE_SET:
		if (op->settings.keep_completed >= 0)
			queue->d.keep[0] = op->settings.keep_completed;
		if (op->settings.keep_failed >= 0)
			queue->d.keep[1] = op->settings.keep_failed;
		rota_news_due(session->news, 0); /* some may be too old now */
		break;
	case ROTA_QUEUE_PAUSE:
		queue->d.paused = true;
		break;
	case ROTA_QUEUE_RESUME:
		queue->d.paused = false;
		session->news->ready = true;
		break;
	}
}

static enum rota_status queue_run(struct rota_session *session, const struct rota_op_queue *op,
	struct rota_error *err)
{
	struct rota_mem_queue *queue = NULL;
	enum rota_status status = rota_mem_queue_have(session, op->name, &queue, err);

	if (status)
		return status;
	if (!rota_mem_change(&session->store->journal, &queue->row))
		return rota_err_memory(err);
	queue_set(session, queue, op);
	rota_mem_changed(&queue->row);
	return ROTA_OK;
}

enum rota_status rota_mem_run_queue(struct rota_session *session, struct rota_op *const *ops, size_t n,
	struct rota_error *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++) {
		struct rota_mem_savepoint savepoint;

		rota_mem_op_start(session);
		savepoint = rota_mem_savepoint(session);
		ops[i]->err.status = queue_run(session, &ops[i]->u.queue, &ops[i]->err);
		if (ops[i]->err.status)
			rota_mem_back_to(session, &savepoint);
	}
	return ROTA_OK;
}

/* ---- workers: one lives from JOIN to LEAVE, however long it is silent ---- */

static enum rota_status worker_need(const struct rota_session *session, int64_t id,
	struct rota_mem_worker **ret, struct rota_error *err)
{
	struct rota_mem_worker *worker = rota_mem_worker_find(session->store, id);

	if (!worker || worker->d.left)
		return rota_err(err, ROTA_NOT_FOUND, "there is no worker %lld", (long long)id);
	*ret = worker;
	return ROTA_OK;
}

static bool worker_note(struct rota_session *session, struct rota_mem_worker *worker,
	const struct rota_op_worker *op)
{
	struct rota_mem_journal *journal = &session->store->journal;
	bool done = true;

	if (!rota_mem_change(journal, &worker->row))
		return false;
	if (op->action == ROTA_WORKER_LEAVE) {
		worker->d.left = true;
		rota_news_due(session->news, 0);
	} else if (op->metrics.data) {
		worker->d.metrics_size = op->metrics.size;
		done = rota_mem_set(journal, &worker->d.metrics, op->metrics.data, op->metrics.size);
	}
	rota_mem_changed(&worker->row);
	return done;
}

static enum rota_status worker_run(struct rota_session *session, struct rota_op_worker *op,
	struct rota_error *err)
{
	struct rota_mem_worker *worker = NULL;
	enum rota_status status;

	if (op->action == ROTA_WORKER_JOIN) {
		status = rota_mem_worker_add(session, &worker, err);
		if (!status)
			op->ret_worker_id = worker->id;
		return status;
	}
	status = worker_need(session, op->worker_id, &worker, err);
	if (!status && !worker_note(session, worker, op))
		status = rota_err_memory(err);
	return status;
}

enum rota_status rota_mem_run_worker(struct rota_session *session, struct rota_op *const *ops, size_t n,
	struct rota_error *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++) {
		struct rota_mem_savepoint savepoint;

		rota_mem_op_start(session);
		savepoint = rota_mem_savepoint(session);
		ops[i]->err.status = worker_run(session, &ops[i]->u.worker, &ops[i]->err);
		if (ops[i]->err.status)
			rota_mem_back_to(session, &savepoint);
	}
	return ROTA_OK;
}
