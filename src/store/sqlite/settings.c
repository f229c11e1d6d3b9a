/* settings.c: queues' settings, and who works here. */
#include <unistd.h>
#include "base/error.h"
#include "store/sqlite/sqlite.h"

/* ---- queues ---- */

static enum rota_status queue_run(struct rota_session *session, const struct rota_op_queue *op)
{
	const struct rota_queue_settings *set = &op->settings;
	int64_t queue;
	enum rota_status status = rota_queue_id(session, op->name, true, &queue);

	if (status)
		return status;
	if (op->action == ROTA_QUEUE_SET) {
		status = rota_sql_run(session, ROTA_SQL_QUEUE_KEEP, "iii", queue,
			set->keep_completed, set->keep_failed);
		rota_news_due(session->news, 0); /* some may be too old now */
	} else {
		status = rota_sql_run(session, ROTA_SQL_QUEUE_PAUSE, "ii", queue,
			(int64_t)(op->action == ROTA_QUEUE_PAUSE));
		session->news->ready |= op->action == ROTA_QUEUE_RESUME;
	}
	session->notable = true;
	return status ? status : rota_queues_changed(session);
}

enum rota_status rota_sqlite_queue(
	struct rota_session *session, struct rota_op *const *ops, size_t n, struct rota_error *err)
{
	enum rota_status status = ROTA_OK;

	rota_session_start(session);
	for (size_t i = 0; i < n && !status; i++)
		status = queue_run(session, &ops[i]->u.queue);
	return status ? rota_session_answer(session, err) : ROTA_OK;
}

/* ---- workers: one lives from JOIN to LEAVE, or until its process ends ---- */

static void *fd_value(int fd)
{
	return (void *)(intptr_t)(fd + 1);
}

static void worker_fd_close(struct rota_backend *backend, int64_t worker)
{
	void *value = rota_map_remove(&backend->worker_fds, worker);

	if (value)
		close((int)(intptr_t)value - 1);
}

/* The byte is ours, so whoever had it before is dead. Without a side file a worker has no byte, and
 * only the ends of its leases tell. */
static enum rota_status worker_join(struct rota_session *session, struct rota_op_worker *op)
{
	struct rota_backend *backend = session->backend;
	int64_t slot = -1;
	int fd = -1;
	enum rota_status status = ROTA_OK;

	if (backend->side && rota_side_join(backend->side, &slot, &fd))
		status = rota_sql_run(session, ROTA_SQL_WORKER_SLOT, "i", slot);
	if (!status)
		status = rota_sql_run(session, ROTA_SQL_WORKER_SWEEP, "t", rota_world_boot_id());
	if (!status)
		status = rota_sql_run(session, ROTA_SQL_WORKER_ADD, "ttiii",
			op->name ? op->name : "", rota_world_boot_id(), op->pid, slot,
			session->now);
	if (!status)
		op->ret_worker_id = sqlite3_last_insert_rowid(session->db);
	if (fd < 0)
		return status;
	if (!status && !rota_map_put(&backend->worker_fds, op->ret_worker_id, fd_value(fd)))
		status = rota_session_memory(session);
	if (status)
		close(fd);
	return status;
}

static enum rota_status worker_note(
	struct rota_session *session, struct rota_op_worker *op, struct rota_error *refusal)
{
	bool leave = op->action == ROTA_WORKER_LEAVE;
	enum rota_status status =
		leave ? rota_sql_run(session, ROTA_SQL_WORKER_LEAVE, "i", op->worker_id)
		      : rota_sql_run(session, ROTA_SQL_WORKER_BEAT, "iib", op->worker_id,
				session->now, op->metrics);

	if (status)
		return status;
	if (!sqlite3_changes(session->db))
		return rota_err(refusal, ROTA_NOT_FOUND, "there is no worker %lld",
			       (long long)op->worker_id),
		       ROTA_OK;
	if (!leave)
		return ROTA_OK;
	worker_fd_close(session->backend, op->worker_id);
	session->lease_next = 0;
	rota_news_due(session->news, 0);
	session->notable = true;
	return ROTA_OK;
}

enum rota_status rota_sqlite_worker(
	struct rota_session *session, struct rota_op *const *ops, size_t n, struct rota_error *err)
{
	enum rota_status status = ROTA_OK;

	rota_session_start(session);
	for (size_t i = 0; i < n && !status; i++) {
		struct rota_op_worker *op = &ops[i]->u.worker;

		status = op->action == ROTA_WORKER_JOIN ? worker_join(session, op)
							: worker_note(session, op, &ops[i]->err);
	}
	return status ? rota_session_answer(session, err) : ROTA_OK;
}
