/* finish.c: what attempts came to, and the tasks that they left. Verdicts are taken a thousand at a
 * time: one statement loads their rows, the rule judges each, one statement stores what is kept and
 * one deletes what is not. A verdict with follow-ups is taken alone, since it may do anything to
 * the others. */
#include <string.h>
#include "base/error.h"
#include "store/sqlite/enqueue.h"

struct finish {
	struct rota_session *session;
	struct rota_op *const *ops; /* the verdicts of all ops, one after another */
	size_t op_count, op, nth;   /* where the next one is */
	const struct rota_verdict *verdicts[ROTA_SQLITE_ROWS];
	enum rota_status *each[ROTA_SQLITE_ROWS];
	struct rota_error *errors[ROTA_SQLITE_ROWS];
	rota_id ids[ROTA_SQLITE_ROWS];
	size_t count;
};

static bool follows(const struct rota_verdict *verdict)
{
	return verdict->follow_up_count && verdict->outcome == ROTA_OUTCOME_COMPLETE;
}

/* The next verdicts, up to one with follow-ups, which comes alone. */
static void slice_fill(struct finish *f)
{
	f->count = 0;
	while (f->op < f->op_count && f->count < ROTA_SQLITE_ROWS) {
		struct rota_op_finish *op = &f->ops[f->op]->u.finish;

		if (f->nth == op->count) {
			f->op++;
			f->nth = 0;
			continue;
		}
		if (f->count &&
			(follows(&op->verdicts[f->nth]) || follows(f->verdicts[f->count - 1])))
			return;
		f->verdicts[f->count] = &op->verdicts[f->nth];
		f->each[f->count] = &op->ret_each[f->nth];
		f->errors[f->count] = op->ret_errors ? &op->ret_errors[f->nth] : NULL;
		f->ids[f->count++] = op->verdicts[f->nth++].id;
	}
}

/* What the handler said besides the outcome. */
static enum rota_status said(
	struct rota_session *session, struct rota_row *row, const struct rota_verdict *verdict)
{
	enum rota_status status = ROTA_OK;

	if (verdict->status_text)
		status = rota_part_set_text(session, row, ROTA_PART_STATUS, verdict->status_text);
	if (!status && verdict->progress.data)
		status = rota_part_set(session, row, ROTA_PART_PROGRESS, verdict->progress);
	if (!status && verdict->result.data)
		status = rota_part_set(session, row, ROTA_PART_RESULT, verdict->result);
	else if (!status && verdict->outcome == ROTA_OUTCOME_COMPLETE &&
		 (row->facts.flags & ROTA_ROW_PARTS))
		status = rota_sql_run(session, ROTA_SQL_PART_DROP, "i",
			rota_part_id(row->facts.id, ROTA_PART_RESULT));
	return status;
}

/* Nothing of a row that goes at once is worth writing. */
static enum rota_status said_if_kept(
	struct rota_session *session, struct rota_row *row, const struct rota_verdict *verdict)
{
	rota_duration keep = 1;
	enum rota_status status = ROTA_OK;

	if (row->effect.ended)
		status = rota_row_keep(session, row, &keep);
	return status || !keep ? status : said(session, row, verdict);
}

static enum rota_status refuse(struct finish *f, size_t i, enum rota_status status)
{
	*f->each[i] = status;
	if (status == ROTA_NOT_FOUND)
		(void)rota_err(f->errors[i], status, "there is no task %lld", (long long)f->ids[i]);
	else
		(void)rota_err(f->errors[i], status, "task %lld: %s", (long long)f->ids[i],
			rota_status_name(status));
	return ROTA_OK;
}

static enum rota_status verdict_apply(struct finish *f, size_t i, struct rota_row *row)
{
	struct rota_session *session = f->session;
	const struct rota_verdict *verdict = f->verdicts[i];
	struct rota_facts before = row->facts;
	enum rota_status status;

	if (!row->facts.id)
		return refuse(f, i, ROTA_NOT_FOUND);
	status = rota_rule_finish(&row->facts, verdict, session->now, &row->effect);
	if (status)
		return refuse(f, i, status);
	*f->each[i] = ROTA_OK;
	if (f->errors[i])
		f->errors[i]->status = ROTA_OK;
	if (!row->effect.changed)
		return ROTA_OK;
	row->error = verdict->error;
	status = said_if_kept(session, row, verdict);
	row->completes = !status && rota_row_completes(&before, row, session->now);
	return status ? status : rota_work_changed(session, row, &before);
}

/* ---- follow-ups: before the task ends, so that one may still be put between it and a successor
 * ---- */

static enum rota_status follow_ups(struct finish *f, bool *ret_refused)
{
	const struct rota_verdict *verdict = f->verdicts[0];
	struct rota_op_enqueue op = {.tasks = verdict->follow_ups,
		.count = verdict->follow_up_count,
		.finishing = verdict->id};
	struct rota_error refusal = {.status = ROTA_OK};
	struct rota_facts facts = f->session->work->rows[0].facts;
	struct rota_effect effect;
	enum rota_status status;

	*ret_refused = false;
	if (!facts.id || rota_rule_finish(&facts, verdict, f->session->now, &effect) ||
		!effect.changed)
		return ROTA_OK;
	status = rota_enqueue_call(f->session, &op, &refusal);
	if (status || !refusal.status)
		return status;
	*ret_refused = true;
	*f->each[0] = refusal.status;
	if (f->errors[0])
		*f->errors[0] = refusal;
	return ROTA_OK;
}

/* Follow-ups may change the row (an edge from it): it is loaded twice. */
static enum rota_status finish_following(struct finish *f)
{
	bool refused;
	enum rota_status status = rota_work_load(f->session, f->ids, 1);

	if (!status)
		status = follow_ups(f, &refused);
	if (!status && refused)
		return ROTA_OK;
	if (!status)
		status = rota_work_load(f->session, f->ids, 1);
	return status ? status : verdict_apply(f, 0, &f->session->work->rows[0]);
}

/* ---- slices ---- */

/* All of them complete, and none is kept nor has anything in rota_extra. */
static bool all_go(struct finish *f, size_t at, size_t n)
{
	const struct rota_row *rows = f->session->work->rows;
	const struct rota_queue_row *queue = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct rota_row *row = &rows[i];

		if (!row->facts.id)
			continue;
		if (row->facts.state != ROTA_STATE_RUNNING ||
			f->verdicts[at + i]->outcome != ROTA_OUTCOME_COMPLETE ||
			(row->facts.flags & ROTA_ROW_EXTRA))
			return false;
		if ((!queue || queue->id != row->queue) &&
			rota_queue_by_id(f->session, row->queue, &queue))
			return false;
		if (queue->keep_completed)
			return false;
	}
	return true;
}

/* As little of each row as will do, which is guessed from the slice before. */
static enum rota_status verdicts_load(struct finish *f, size_t at, size_t n)
{
	struct rota_session *session = f->session;
	enum rota_status status = ROTA_OK;

	if (session->finishes_brief)
		status = rota_work_load_brief(session, &f->ids[at], n);
	if (status || (session->finishes_brief && all_go(f, at, n)))
		return status;
	status = rota_work_load(session, &f->ids[at], n);
	session->finishes_brief = !status && all_go(f, at, n);
	return status;
}

static enum rota_status finish_slice(struct finish *f)
{
	enum rota_status status = ROTA_OK;

	if (follows(f->verdicts[0]))
		return finish_following(f);
	for (size_t at = 0, n; at < f->count && !status; at += n) {
		n = rota_work_slice(f->session, &f->ids[at], f->count - at);
		status = verdicts_load(f, at, n);
		for (size_t k = 0; k < n && !status; k++)
			status = verdict_apply(f, at + k, &f->session->work->rows[k]);
	}
	return status;
}

enum rota_status rota_sqlite_finish(
	struct rota_session *session, struct rota_op *const *ops, size_t n, struct rota_error *err)
{
	struct finish f = {.session = session, .ops = ops, .op_count = n};
	enum rota_status status = ROTA_OK;

	rota_session_start(session);
	for (slice_fill(&f); f.count && !status; slice_fill(&f))
		status = finish_slice(&f);
	if (!status)
		status = rota_work_flush(session);
	return status ? rota_session_answer(session, err) : ROTA_OK;
}
