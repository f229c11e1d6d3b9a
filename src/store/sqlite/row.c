/* row.c: loading and storing rows of rota_task. */
#include <stdlib.h>
#include <string.h>
#include "base/error.h"
#include "store/sqlite/row.h"

static const struct rota_input_column id_columns[] = {{0, ROTA_INPUT_I64}};

/* ---- loading ---- */

static void row_read(struct rota_row *row, sqlite3_stmt *s)
{
	struct rota_facts *f = &row->facts;

	memset(row, 0, sizeof(*row));
	f->id = sqlite3_column_int64(s, 1);
	f->state = (enum rota_state)sqlite3_column_int(s, 2);
	row->queue = sqlite3_column_int64(s, 3);
	row->type = sqlite3_column_int64(s, 4);
	row->priority = sqlite3_column_int(s, 5);
	f->run_at = sqlite3_column_int64(s, 6);
	f->flags = (uint32_t)sqlite3_column_int64(s, 7);
	f->attempt = sqlite3_column_int(s, 8);
	f->attempts_max = sqlite3_column_int(s, 9);
	f->token = sqlite3_column_int64(s, 10);
	f->settled = sqlite3_column_int64(s, 11);
	f->settled_outcome = sqlite3_column_int(s, 12);
	f->pending = sqlite3_column_int64(s, 13);
	f->failed_dependencies = sqlite3_column_int64(s, 14);
	f->signals = sqlite3_column_int64(s, 15);
	row->holder = sqlite3_column_int64(s, 16);
	row->lease_until = sqlite3_column_int64(s, 17);
	row->created_at = sqlite3_column_int64(s, 18);
	row->updated_at = sqlite3_column_int64(s, 19);
	f->started_at = sqlite3_column_int64(s, 20);
	f->first_started_at = sqlite3_column_int64(s, 21);
	row->heartbeat_at = sqlite3_column_int64(s, 22);
	f->finished_at = sqlite3_column_int64(s, 23);
	f->retry.size = sizeof(f->retry);
}

static enum rota_status extra_load(struct rota_session *session, struct rota_row *row)
{
	struct rota_retry *retry = &row->facts.retry;
	sqlite3_stmt *s = rota_sql_query(session, ROTA_SQL_EXTRA_LOAD, "i", row->facts.id);
	int got = rota_sql_next(session, s);

	if (got <= 0)
		return got ? session->error.status : ROTA_OK;
	row->timeout = sqlite3_column_int64(s, 0);
	row->stall = sqlite3_column_int64(s, 1);
	row->dedup_for = sqlite3_column_int64(s, 2);
	row->facts.expires_at = sqlite3_column_int64(s, 3);
	row->expire_check = sqlite3_column_int64(s, 4);
	row->facts.crashes = sqlite3_column_int(s, 5);
	retry->attempts_max = sqlite3_column_int(s, 6);
	retry->doublings = sqlite3_column_int(s, 7);
	retry->backoff_min = sqlite3_column_int64(s, 8);
	retry->backoff_max = sqlite3_column_int64(s, 9);
	retry->duration_max = sqlite3_column_int64(s, 10);
	retry->jitter_percent = sqlite3_column_int(s, 11);
	sqlite3_reset(s);
	return ROTA_OK;
}

/* What completing a task that is not kept looks at. */
static void row_read_brief(struct rota_row *row, sqlite3_stmt *s)
{
	struct rota_facts *f = &row->facts;

	memset(row, 0, sizeof(*row));
	f->id = sqlite3_column_int64(s, 1);
	f->state = (enum rota_state)sqlite3_column_int(s, 2);
	row->queue = sqlite3_column_int64(s, 3);
	f->flags = (uint32_t)sqlite3_column_int64(s, 4);
	f->attempt = sqlite3_column_int(s, 5);
	f->token = sqlite3_column_int64(s, 6);
	f->settled = sqlite3_column_int64(s, 7);
	f->settled_outcome = sqlite3_column_int(s, 8);
}

static enum rota_status rows_read(struct rota_session *session, struct rota_row *rows,
	const rota_id *ids, size_t n, enum rota_sql which)
{
	sqlite3_stmt *s;
	size_t seen = 0;
	int got;

	ROTA_SHOW(session, ids, n, id_columns);
	s = rota_sql_query(session, which, "");
	while ((got = rota_sql_next(session, s)) > 0) {
		size_t nth = (size_t)sqlite3_column_int64(s, 0);

		for (; seen < nth; seen++)
			rows[seen].facts.id = 0;
		if (which == ROTA_SQL_TASK_LOAD)
			row_read(&rows[seen++], s);
		else
			row_read_brief(&rows[seen++], s);
	}
	for (; seen < n; seen++)
		rows[seen].facts.id = 0;
	return got < 0 ? session->error.status : ROTA_OK;
}

enum rota_status rota_rows_load(
	struct rota_session *session, struct rota_row *rows, const rota_id *ids, size_t n)
{
	enum rota_status status = rows_read(session, rows, ids, n, ROTA_SQL_TASK_LOAD);

	for (size_t i = 0; i < n && !status; i++) {
		if (rows[i].facts.id && (rows[i].facts.flags & ROTA_ROW_EXTRA))
			status = extra_load(session, &rows[i]);
	}
	return status;
}

enum rota_status rota_row_ours(struct rota_session *session, const struct rota_row *row, bool *ret)
{
	const struct rota_queue_row *queue;
	int64_t name_space;
	enum rota_status status = rota_queue_by_id(session, row->queue, &queue);

	if (!status)
		status = rota_namespace_id(session, false, &name_space);
	if (!status)
		*ret = queue->name_space == name_space;
	return status;
}

static enum rota_status foreign_hide(struct rota_session *session, struct rota_row *rows, size_t n)
{
	int64_t last = 0;
	bool ours = true;

	for (size_t i = 0; i < n; i++) {
		if (!rows[i].facts.id)
			continue;
		if (rows[i].queue != last && rota_row_ours(session, &rows[i], &ours))
			return session->error.status;
		last = rows[i].queue;
		if (!ours)
			rows[i].facts.id = 0;
	}
	return ROTA_OK;
}

enum rota_status rota_work_load_brief(struct rota_session *session, const rota_id *ids, size_t n)
{
	struct rota_work *work = session->work;
	enum rota_status status = rota_work_flush(session);

	ROTA_ASSERT(n <= ROTA_SQLITE_ROWS);
	if (!status)
		status = rows_read(session, work->rows, ids, n, ROTA_SQL_TASK_LOAD_BRIEF);
	if (!status)
		status = foreign_hide(session, work->rows, n);
	work->count = n;
	return status;
}

enum rota_status rota_work_load(struct rota_session *session, const rota_id *ids, size_t n)
{
	struct rota_work *work = session->work;
	enum rota_status status = rota_work_flush(session);

	ROTA_ASSERT(n <= ROTA_SQLITE_ROWS);
	if (!status)
		status = rota_rows_load(session, work->rows, ids, n);
	if (!status)
		status = foreign_hide(session, work->rows, n);
	work->count = n;
	return status;
}

/* An open hash of the ids seen, on the stack: 4 ways the size, so few steps. */
size_t rota_work_slice(struct rota_session *session, const rota_id *ids, size_t n)
{
	rota_id seen[4096] = {0};
	size_t max = ROTA_MIN(n, (size_t)ROTA_SQLITE_ROWS), i;
	bool rising = true;

	(void)session;
	for (i = 1; i < max && rising; i++)
		rising = ids[i] > ids[i - 1];
	if (rising)
		return max;
	for (i = 0; i < max; i++) {
		size_t at = (size_t)((uint64_t)ids[i] * 0x9e3779b97f4a7c15u >> 52);

		for (; seen[at] && seen[at] != ids[i]; at = (at + 1) & 4095)
			;
		if (seen[at])
			break;
		seen[at] = ids[i];
	}
	return i;
}

/* ---- storing ---- */

#define COLUMN(kind, member) ROTA_INPUT(kind, struct rota_row, member)
/* What the end of an attempt takes away. */
#define COMPLETE_CLEARS                                                                            \
	(ROTA_FACT_STARTED | ROTA_FACT_LOST | ROTA_FACT_REFUNDED | ROTA_FACT_SUSPECT |             \
		ROTA_FACT_HAND)
static const struct rota_input_column store_columns[] = {
	COLUMN(I64, facts.id),
	COLUMN(I32, facts.state),
	COLUMN(I64, facts.run_at),
	COLUMN(U32, facts.flags),
	COLUMN(I32, facts.attempt),
	COLUMN(I32, facts.attempts_max),
	COLUMN(I64, facts.token),
	COLUMN(I64, facts.settled),
	COLUMN(I32, facts.settled_outcome),
	COLUMN(I64, facts.pending),
	COLUMN(I64, facts.failed_dependencies),
	COLUMN(I64, facts.signals),
	COLUMN(OPTIONAL, holder),
	COLUMN(OPTIONAL, lease_until),
	COLUMN(OPTIONAL, facts.started_at),
	COLUMN(OPTIONAL, facts.first_started_at),
	COLUMN(OPTIONAL, heartbeat_at),
	COLUMN(OPTIONAL, facts.finished_at),
};

/* Somebody looks at expires_at while the task waits; a running one's is looked at when it waits
 * again. */
static rota_time expire_check_of(const struct rota_row *row)
{
	if (row->facts.state < ROTA_STATE_RUNNING)
		return row->facts.expires_at;
	return row->facts.state == ROTA_STATE_RUNNING ? row->expire_check : 0;
}

static enum rota_status extra_store(struct rota_session *session, struct rota_row *row)
{
	rota_time check = expire_check_of(row);

	if (!row->extra_changed && check == row->expire_check)
		return ROTA_OK;
	row->facts.flags |= ROTA_ROW_EXTRA;
	row->expire_check = check;
	return rota_sql_run(session, ROTA_SQL_EXTRA_STORE, "iooi", row->facts.id,
		row->facts.expires_at, check, (int64_t)row->facts.crashes);
}

bool rota_row_completes(const struct rota_facts *before, const struct rota_row *row, rota_time now)
{
	const struct rota_facts *f = &row->facts;

	return before->state == ROTA_STATE_RUNNING && f->state == ROTA_STATE_COMPLETED &&
	       !row->effect.attempt_row && !row->error && !(f->flags & ROTA_ROW_EXTRA) &&
	       f->flags == (before->flags & ~COMPLETE_CLEARS) && f->finished_at == now &&
	       f->settled == f->token && f->settled_outcome == ROTA_OUTCOME_COMPLETE &&
	       f->token == before->token && f->attempt == before->attempt &&
	       f->run_at == before->run_at && f->pending == before->pending &&
	       f->failed_dependencies == before->failed_dependencies &&
	       f->signals == before->signals && f->started_at == before->started_at &&
	       f->first_started_at == before->first_started_at;
}

/* Rows that simply completed change alike: one statement without a word on each. The others are
 * left at the front of list. */
static enum rota_status completed_store(
	struct rota_session *session, struct rota_row **list, size_t *n)
{
	struct rota_row *completed[ROTA_SQLITE_ROWS];
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < *n; i++) {
		if (list[i]->completes)
			completed[count++] = list[i];
		else
			list[kept++] = list[i];
	}
	*n = kept;
	if (!count)
		return ROTA_OK;
	ROTA_SHOW_LIST(session, completed, count, store_columns);
	return rota_sql_run(session, ROTA_SQL_TASK_COMPLETE, "iii", session->now,
		(int64_t)~COMPLETE_CLEARS, (int64_t)ROTA_OUTCOME_COMPLETE);
}

enum rota_status rota_rows_store(struct rota_session *session, struct rota_row **list, size_t n)
{
	if (completed_store(session, list, &n))
		return session->error.status;
	for (size_t i = 0; i < n; i++) {
		if (extra_store(session, list[i]))
			return session->error.status;
	}
	if (!n)
		return ROTA_OK;
	ROTA_SHOW_LIST(session, list, n, store_columns);
	return rota_sql_run(session, ROTA_SQL_TASK_STORE, "i", session->now);
}

/* ---- what follows from a rule ---- */

void rota_row_tell(struct rota_session *session, const struct rota_row *row)
{
	const struct rota_facts *f = &row->facts;

	if (row->effect.ready)
		session->news->ready = true;
	if (f->state == ROTA_STATE_SCHEDULED)
		rota_news_due(session->news, f->run_at - session->now);
	if (f->expires_at && f->state < ROTA_STATE_RUNNING)
		rota_news_due(session->news, f->expires_at - session->now);
	if (row->effect.ended)
		rota_news_ended(session->news, f->id, (int)f->state);
	session->notable |=
		row->effect.ready || row->effect.ended || f->state == ROTA_STATE_SCHEDULED;
}

enum rota_status rota_row_keep(
	struct rota_session *session, const struct rota_row *row, rota_duration *ret)
{
	const struct rota_queue_row *queue;
	enum rota_status status = rota_queue_by_id(session, row->queue, &queue);

	if (!status)
		*ret = row->facts.state == ROTA_STATE_COMPLETED ? queue->keep_completed
								: queue->keep_failed;
	return status;
}

/* Whether it goes at once, because nothing of it is kept. */
static enum rota_status retention(struct rota_session *session, struct rota_row *row)
{
	rota_duration keep;
	enum rota_status status = rota_row_keep(session, row, &keep);

	if (status)
		return status;
	row->remove = keep == 0;
	row->gone = (int8_t)row->facts.state;
	rota_news_due(session->news, keep);
	return ROTA_OK;
}

static enum rota_status attempt_add(
	struct rota_session *session, struct rota_row *row, const struct rota_facts *before)
{
	const struct rota_holder_row *holder = NULL;
	int64_t count;
	enum rota_status status = ROTA_OK;

	if (row->holder)
		status = rota_holder_by_id(session, row->holder, &holder);
	if (!status)
		status = rota_sql_run(session, ROTA_SQL_ATTEMPT_ADD, "iiitttoi", row->facts.id,
			before->token, (int64_t)row->effect.attempt, holder ? holder->name : NULL,
			row->effect.attempt_outcome, row->error, before->started_at, session->now);
	if (!status && (row->facts.flags & ROTA_ROW_ATTEMPTS) &&
		before->token > ROTA_ATTEMPTS_KEPT_MAX) {
		status = rota_sql_number(
			session, ROTA_SQL_ATTEMPT_COUNT, &count, NULL, "i", row->facts.id);
		if (!status && count > ROTA_ATTEMPTS_KEPT_MAX)
			status = rota_sql_run(session, ROTA_SQL_ATTEMPT_TRIM, "i", row->facts.id);
	}
	row->facts.flags |= ROTA_ROW_ATTEMPTS;
	return status;
}

enum rota_status rota_work_changed(
	struct rota_session *session, struct rota_row *row, const struct rota_facts *before)
{
	struct rota_work *work = session->work;
	const struct rota_effect *effect = &row->effect;
	enum rota_status status = ROTA_OK;
	bool edges = false;

	row->error = rota_rule_error(effect, row->error, &session->scratch);
	if (effect->clear_lease)
		row->lease_until = 0;
	row->extra_changed |= before->crashes != row->facts.crashes ||
			      before->expires_at != row->facts.expires_at;
	rota_row_tell(session, row);
	if (effect->ended) {
		status = retention(session, row);
		if (!status)
			status = rota_edges_any(session, &edges);
		work->settles |= edges;
	}
	if (!status && !row->remove && effect->attempt_row)
		status = attempt_add(session, row, before);
	if (!status && !row->remove && row->error)
		status = rota_part_set_text(session, row, ROTA_PART_ERROR, row->error);
	if (!status)
		work->changed[work->changed_count++] = row;
	return status;
}

enum rota_status rota_edges_any(struct rota_session *session, bool *ret)
{
	int64_t number;
	bool found = true;
	enum rota_status status = ROTA_OK;

	if (session->edges == 0) {
		status = rota_sql_number(session, ROTA_SQL_EDGE_ANY, &number, &found, "");
		session->edges = found ? 1 : -1;
	}
	*ret = session->edges > 0;
	return status;
}

/* Those of the changed rows that are (or are not) to be removed. */
static size_t changed_pick(struct rota_work *work, bool remove)
{
	size_t n = 0;

	for (size_t i = 0; i < work->changed_count; i++) {
		if (work->changed[i]->remove == remove)
			work->list[n++] = work->changed[i];
	}
	return n;
}

static size_t changed_ended(struct rota_work *work)
{
	size_t n = 0;

	for (size_t i = 0; i < work->changed_count; i++) {
		if (work->changed[i]->effect.ended)
			work->list[n++] = work->changed[i];
	}
	return n;
}

void rota_work_forget(struct rota_session *session)
{
	session->work->changed_count = 0;
	session->work->settles = false;
	session->fresh_count = 0;
}

static const struct rota_input_column row_id_columns[] = {COLUMN(I64, facts.id)};

/* Rows that go are not stored before the others' edges are followed: nothing may arrive at them. */
static enum rota_status removed_cut_off(struct rota_session *session)
{
	struct rota_work *work = session->work;
	size_t n = 0;

	for (size_t i = 0; i < work->changed_count; i++) {
		struct rota_row *row = work->changed[i];

		if (row->remove && (row->facts.flags & ROTA_ROW_PREDECESSORS))
			work->list[n++] = row;
	}
	if (!n)
		return ROTA_OK;
	ROTA_SHOW_LIST(session, work->list, n, row_id_columns);
	return rota_sql_run(session, ROTA_SQL_EDGE_DELETE_IN, "");
}

enum rota_status rota_work_flush(struct rota_session *session)
{
	struct rota_work *work = session->work;
	enum rota_status status;

	if (!work->changed_count)
		return ROTA_OK;
	status = rota_rows_store(session, work->list, changed_pick(work, false));
	if (!status && work->settles)
		status = removed_cut_off(session);
	if (!status && work->settles)
		status = rota_rows_settle(session, work->list, changed_ended(work));
	if (!status)
		status = rota_rows_remove(session, work->list, changed_pick(work, true));
	work->changed_count = 0;
	work->settles = false;
	return status;
}
