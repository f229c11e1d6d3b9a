/* lease.c: extend and guard: what the holder of a lease asks. */
#include "base/error.h"
#include "store/sqlite/row.h"

/* A heartbeat changes no column of an index: the row is written in place. */
struct beat {
	rota_id id;
	rota_tick lease_until; /* 0: as it is */
	rota_time updated_at;  /* 0: as it is; a bare heartbeat is no change */
};
static const struct rota_input_column beat_columns[] = {
	ROTA_INPUT(I64, struct beat, id),
	ROTA_INPUT(OPTIONAL, struct beat, lease_until),
	ROTA_INPUT(OPTIONAL, struct beat, updated_at),
};

/* Progress leaves the deadline alone, unless the lease was lost and found: that one is over. */
static struct beat beat_of(const struct rota_session *session, const struct rota_op_extend *op,
	const struct rota_extension *item, bool resumed)
{
	struct beat beat = {.id = item->id};

	if (!item->keep_deadline || resumed)
		beat.lease_until = rota_tick_add(
			session->tick, op->lease ? op->lease : ROTA_DEFAULT_CLAIM_LEASE);
	if (item->status_text || item->progress.data)
		beat.updated_at = session->now;
	return beat;
}

static enum rota_status progress_set(struct rota_session *session, struct rota_row *row,
	const struct rota_extension *item, bool *ret_flags_changed)
{
	uint32_t flags = row->facts.flags;
	enum rota_status status = ROTA_OK;

	if (item->status_text)
		status = rota_part_set_text(session, row, ROTA_PART_STATUS, item->status_text);
	if (!status && item->progress.data)
		status = rota_part_set(session, row, ROTA_PART_PROGRESS, item->progress);
	*ret_flags_changed = flags != row->facts.flags;
	return status;
}

/* Who takes a lost lease back lives now: a name of another boot, or one that was cleared away
 * since, is entered anew. */
static enum rota_status holder_renew(struct rota_session *session, struct rota_row *row)
{
	const struct rota_holder_row *holder;
	enum rota_status status = rota_holder_by_id(session, row->holder, &holder);

	if (status || (holder && (holder->now || holder->worker)))
		return status;
	return rota_holder_id(session, holder ? holder->name : "", 0, &row->holder);
}

static enum rota_status extend_row(struct rota_session *session, const struct rota_op_extend *op,
	struct rota_extension *item, struct rota_row *row, struct beat *beats, size_t *beat_count)
{
	struct rota_facts before = row->facts;
	bool flags_changed, resumed;
	enum rota_status status;

	item->ret_cancel_requested = false;
	item->ret_status = ROTA_NOT_FOUND;
	if (!row->facts.id)
		return ROTA_OK;
	item->ret_status = rota_rule_extend(
		&row->facts, item->token, item->started, session->now, &row->effect);
	if (item->ret_status)
		return ROTA_OK;
	item->ret_cancel_requested = row->facts.flags & ROTA_FACT_CANCEL;
	status = progress_set(session, row, item, &flags_changed);
	resumed = before.state != row->facts.state;
	beats[*beat_count] = beat_of(session, op, item, resumed);
	if (beats[*beat_count].lease_until)
		session->lease_next = ROTA_MIN(session->lease_next, beats[*beat_count].lease_until);
	(*beat_count)++;
	if (status || (!row->effect.changed && !flags_changed))
		return status;
	session->news->claimed |= resumed;
	if (resumed)
		status = holder_renew(session, row);
	if (status)
		return status;
	return rota_work_changed(session, row, &before);
}

static enum rota_status extend_slice(struct rota_session *session, const struct rota_op_extend *op,
	struct rota_extension *items, const rota_id *ids, size_t n)
{
	struct beat beats[ROTA_SQLITE_ROWS];
	size_t count = 0;
	enum rota_status status = rota_work_load(session, ids, n);

	for (size_t i = 0; i < n && !status; i++)
		status = extend_row(session, op, &items[i], &session->work->rows[i], beats, &count);
	if (!status)
		status = rota_work_flush(session);
	if (status || !count)
		return status;
	ROTA_SHOW(session, beats, count, beat_columns);
	return rota_sql_run(session, ROTA_SQL_TASK_BEAT, "i", session->now);
}

static enum rota_status extend(struct rota_session *session, const struct rota_op_extend *op)
{
	rota_id ids[ROTA_SQLITE_ROWS];
	enum rota_status status = ROTA_OK;

	for (size_t at = 0, n; at < op->count && !status; at += n) {
		n = ROTA_MIN(op->count - at, (size_t)ROTA_SQLITE_ROWS);
		for (size_t i = 0; i < n; i++)
			ids[i] = op->items[at + i].id;
		n = rota_work_slice(session, ids, n);
		status = extend_slice(session, op, &op->items[at], ids, n);
	}
	return status;
}

enum rota_status rota_sqlite_extend(
	struct rota_session *session, struct rota_op *const *ops, size_t n, struct rota_error *err)
{
	enum rota_status status = ROTA_OK;

	rota_session_start(session);
	for (size_t i = 0; i < n && !status; i++)
		status = extend(session, &ops[i]->u.extend);
	return status ? rota_session_answer(session, err) : ROTA_OK;
}

/* ---- guard ---- */

/* A holder that lost its lease may still be in time for its outcome, but it does not run now. */
static enum rota_status guard(
	struct rota_session *session, const struct rota_op_guard *op, struct rota_error *refusal)
{
	const struct rota_facts *facts = &session->work->rows[0].facts;
	enum rota_status status = rota_work_load(session, &op->id, 1), answer;

	if (status)
		return status;
	if (!facts->id)
		return rota_err(
			       refusal, ROTA_NOT_FOUND, "there is no task %lld", (long long)op->id),
		       ROTA_OK;
	answer = rota_rule_fence(facts, op->token);
	if (!answer && facts->state != ROTA_STATE_RUNNING)
		answer = ROTA_WRONG_STATE;
	if (answer)
		(void)rota_err(refusal, answer, "task %lld does not run under token %lld: it is %s",
			(long long)op->id, (long long)op->token, rota_state_name(facts->state));
	return ROTA_OK;
}

enum rota_status rota_sqlite_guard(
	struct rota_session *session, struct rota_op *const *ops, size_t n, struct rota_error *err)
{
	enum rota_status status = ROTA_OK;

	rota_session_start(session);
	for (size_t i = 0; i < n && !status; i++)
		status = guard(session, &ops[i]->u.guard, &ops[i]->err);
	return status ? rota_session_answer(session, err) : ROTA_OK;
}
