/* act.c: signal, cancel and the operator's retry. */
#include "base/error.h"
#include "store/sqlite/row.h"

/* ---- signal ---- */

static enum rota_status signal_named(
	struct rota_session *session, struct rota_row *row, const char *name, bool *ret_seen)
{
	int64_t number;

	if (!name || !(row->facts.flags & ROTA_ROW_SIGNALS)) {
		*ret_seen = false;
		return ROTA_OK;
	}
	return rota_sql_number(
		session, ROTA_SQL_SIGNAL_FIND, &number, ret_seen, "it", row->facts.id, name);
}

static enum rota_status signal_count(
	struct rota_session *session, struct rota_row *row, const char *name)
{
	struct rota_facts before = row->facts;
	enum rota_status status = ROTA_OK;

	if (name) {
		status = rota_sql_run(session, ROTA_SQL_SIGNAL_ADD, "it", row->facts.id, name);
		row->facts.flags |= ROTA_ROW_SIGNALS;
	}
	row->facts.signals--;
	rota_rule_arrive(&row->facts, 1, 0, false, session->now, &row->effect);
	row->effect.changed = true;
	if (!status)
		status = rota_work_changed(session, row, &before);
	return status ? status : rota_work_flush(session);
}

static enum rota_status signal_run(
	struct rota_session *session, const struct rota_op_signal *op, struct rota_error *refusal)
{
	struct rota_row *row = &session->work->rows[0];
	bool seen = false;
	enum rota_status status = rota_work_load(session, &op->id, 1);

	if (status)
		return status;
	if (!row->facts.id)
		return rota_err(
			       refusal, ROTA_NOT_FOUND, "there is no task %lld", (long long)op->id),
		       ROTA_OK;
	status = signal_named(session, row, op->name, &seen);
	if (status || seen)
		return status;
	if (row->facts.signals <= 0)
		return rota_err(refusal, ROTA_WRONG_STATE, "task %lld awaits no signal",
			       (long long)op->id),
		       ROTA_OK;
	return signal_count(session, row, op->name);
}

enum rota_status rota_sqlite_signal(
	struct rota_session *session, struct rota_op *const *ops, size_t n, struct rota_error *err)
{
	enum rota_status status = ROTA_OK;

	for (size_t i = 0; i < n && !status; i++) {
		rota_session_start(session);
		status = signal_run(session, &ops[i]->u.signal, &ops[i]->err);
	}
	return status ? rota_session_answer(session, err) : ROTA_OK;
}

/* ---- cancel, retry: many ids, an answer for each ---- */

static enum rota_status act_row(struct rota_session *session, enum rota_op_kind kind,
	const char *reason, struct rota_row *row, enum rota_status *ret)
{
	struct rota_facts before = row->facts;

	*ret = ROTA_NOT_FOUND;
	if (!row->facts.id)
		return ROTA_OK;
	*ret = kind == ROTA_OP_CANCEL ? rota_rule_cancel(&row->facts, session->now, &row->effect)
				      : rota_rule_revive(&row->facts, session->now, &row->effect);
	if (*ret || !row->effect.changed)
		return ROTA_OK;
	row->error = kind == ROTA_OP_CANCEL ? reason : NULL;
	if (row->facts.state == ROTA_STATE_RUNNING) {
		rota_news_cancel(session->news, row->facts.id);
		session->notable = true;
	}
	return rota_work_changed(session, row, &before);
}

/* Up to a row that the end of an earlier one may change: *ret_done of them. */
static enum rota_status act_slice(struct rota_session *session, const struct rota_op *op, size_t at,
	size_t n, size_t *ret_done)
{
	const struct rota_op_ids *ids = &op->u.ids;
	enum rota_status status = rota_work_load(session, &ids->ids[at], n), each;
	size_t i;

	for (i = 0; i < n && !status; i++) {
		struct rota_row *row = &session->work->rows[i];

		if (row->facts.id && rota_work_affects(session, row))
			break;
		status = act_row(session, op->kind, ids->reason, row, &each);
		if (ids->ret_each)
			ids->ret_each[at + i] = each;
	}
	*ret_done = i;
	return status;
}

static enum rota_status act(struct rota_session *session, const struct rota_op *op)
{
	const struct rota_op_ids *ids = &op->u.ids;
	enum rota_status status = ROTA_OK;

	rota_session_start(session);
	for (size_t at = 0, n; at < ids->count && !status; at += n) {
		n = rota_work_slice(session, &ids->ids[at], ids->count - at);
		status = act_slice(session, op, at, n, &n);
	}
	return status ? status : rota_work_flush(session);
}

enum rota_status rota_sqlite_cancel(
	struct rota_session *session, struct rota_op *const *ops, size_t n, struct rota_error *err)
{
	enum rota_status status = ROTA_OK;

	for (size_t i = 0; i < n && !status; i++)
		status = act(session, ops[i]);
	return status ? rota_session_answer(session, err) : ROTA_OK;
}

enum rota_status rota_sqlite_retry(
	struct rota_session *session, struct rota_op *const *ops, size_t n, struct rota_error *err)
{
	return rota_sqlite_cancel(session, ops, n, err);
}
