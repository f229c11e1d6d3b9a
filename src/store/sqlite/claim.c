/* claim.c: ready tasks, in order, become running.
 *
 * The index of ready tasks is ordered by queue, type, priority, run_at, id: a stream per pair of
 * queue and type, of which a claim merges those it may take (claim_stream.c). So tasks that nobody
 * handles, and paused queues, cost nothing, however many there are. What is taken is then changed
 * by one statement. */
#include <string.h>
#include "base/error.h"
#include "store/sqlite/claim.h"

/* ---- what a taken task's owner is told ---- */

static bool text_copy(struct rota_arena *arena, sqlite3_stmt *s, int column, const char **ret)
{
	const char *text = (const char *)sqlite3_column_text(s, column);

	*ret = rota_arena_strdup(arena, text);
	return *ret || !text;
}

static bool payload_copy(
	struct rota_arena *arena, sqlite3_stmt *s, int column, struct rota_bytes *ret)
{
	struct rota_bytes bytes = {
		sqlite3_column_blob(s, column), (size_t)sqlite3_column_bytes(s, column)};

	if (!bytes.data && sqlite3_column_type(s, column) == SQLITE_NULL)
		return true;
	if (!bytes.data)
		bytes.data = "";
	return rota_arena_bytes(arena, bytes, ret);
}

bool rota_candidate_read(struct rota_claim *claim, sqlite3_stmt *s, struct rota_candidate *to)
{
	struct rota_claimed *claimed = rota_arena_zalloc(claim->op->arena, sizeof(*claimed));
	struct rota_facts *f = &to->facts;

	memset(to, 0, sizeof(*to));
	to->claimed = claimed;
	if (!claimed)
		return false;
	f->state = ROTA_STATE_READY;
	f->id = claimed->id = sqlite3_column_int64(s, 0);
	claimed->priority = sqlite3_column_int(s, 1);
	f->run_at = claimed->run_at = sqlite3_column_int64(s, 2);
	f->flags = (uint32_t)sqlite3_column_int64(s, 3);
	f->attempt = sqlite3_column_int(s, 4);
	f->attempts_max = claimed->attempts_max = sqlite3_column_int(s, 5);
	f->token = sqlite3_column_int64(s, 6);
	claimed->failed_dependencies = sqlite3_column_int64(s, 7);
	claimed->created_at = sqlite3_column_int64(s, 8);
	return ((f->flags & ROTA_ROW_KEYED) == 0 ||
		       text_copy(claim->op->arena, s, 9, &claimed->key)) &&
	       payload_copy(claim->op->arena, s, 10, &claimed->payload);
}

enum rota_status rota_candidate_extra(struct rota_claim *claim, struct rota_candidate *to)
{
	struct rota_claimed *claimed = to->claimed;
	struct rota_arena *arena = claim->op->arena;
	sqlite3_stmt *s;
	int got;
	bool done;

	if (!(to->facts.flags & ROTA_ROW_EXTRA))
		return ROTA_OK;
	s = rota_sql_query(claim->session, ROTA_SQL_CLAIM_EXTRA, "i", claimed->id);
	got = rota_sql_next(claim->session, s);
	if (got <= 0)
		return got ? claim->session->error.status : ROTA_OK;
	done = text_copy(arena, s, 0, &claimed->title) &&
	       text_copy(arena, s, 1, &claimed->content_type) &&
	       text_copy(arena, s, 2, &claimed->partition) &&
	       text_copy(arena, s, 3, &claimed->traceparent);
	claimed->timeout = sqlite3_column_int64(s, 4);
	claimed->stall = sqlite3_column_int64(s, 5);
	to->facts.expires_at = sqlite3_column_int64(s, 6);
	to->facts.crashes = sqlite3_column_int(s, 7);
	sqlite3_reset(s);
	return done ? ROTA_OK : rota_session_memory(claim->session);
}

bool rota_candidate_expired(const struct rota_claim *claim, const struct rota_candidate *candidate)
{
	rota_time at = candidate->facts.expires_at;

	return at && at <= claim->session->now;
}

/* ---- taking ---- */

/* A worker process starts such a task alone, and says so before its handler runs. */
static bool alone(const struct rota_claim *claim, const struct rota_candidate *candidate)
{
	return claim->c->worker_id && rota_rule_claim_alone(&candidate->facts);
}

static enum rota_status payload_size(
	struct rota_claim *claim, struct rota_candidate *candidate, size_t *ret)
{
	int64_t size = (int64_t)candidate->claimed->payload.size;
	enum rota_status status = ROTA_OK;

	if (candidate->facts.flags & ROTA_ROW_BIG)
		status = rota_sql_number(claim->session, ROTA_SQL_PART_SIZE, &size, NULL, "i",
			rota_part_id(candidate->facts.id, ROTA_PART_PAYLOAD));
	*ret = (size_t)size;
	return status;
}

/* Whether one more may be given along with those given already. */
enum rota_status rota_candidate_fits(
	struct rota_claim *claim, struct rota_candidate *candidate, bool *ret)
{
	const struct rota_op_claim *c = claim->c;
	size_t size;
	enum rota_status status = payload_size(claim, candidate, &size);

	*ret = !c->ret_count || (!c->ret_commit_start && !alone(claim, candidate) &&
					(!c->bytes_max || claim->bytes + size <= c->bytes_max));
	candidate->bytes = size;
	return status;
}

static enum rota_status parts_read(struct rota_claim *claim, struct rota_candidate *candidate)
{
	struct rota_claimed *claimed = candidate->claimed;
	enum rota_status status = ROTA_OK;

	if (candidate->facts.flags & ROTA_ROW_BIG)
		status = rota_part_get(claim->session, claimed->id, ROTA_PART_PAYLOAD,
			claim->op->arena, &claimed->payload);
	if (!status && (candidate->facts.flags & ROTA_ROW_PROGRESS))
		status = rota_part_get(claim->session, claimed->id, ROTA_PART_PROGRESS,
			claim->op->arena, &claimed->progress);
	return status;
}

/* All claims change a row alike, so one statement does it for all; the rule says that it is so. */
static void facts_claim(const struct rota_claim *claim, struct rota_candidate *candidate)
{
	struct rota_facts *f = &candidate->facts, before = *f;
	struct rota_effect effect;

	rota_rule_claim(f, claim->by_hand, claim->session->now, &effect);
	ROTA_ASSERT(f->state == ROTA_STATE_RUNNING && f->token == before.token + 1);
	ROTA_ASSERT(f->attempt == before.attempt + (before.attempt < INT32_MAX));
	ROTA_ASSERT(f->flags == ((before.flags & ~claim->flags_off) | claim->flags_on));
	candidate->claimed->token = f->token;
	candidate->claimed->attempt = f->attempt;
	candidate->claimed->lease_until = claim->lease_date;
}

enum rota_status rota_candidate_take(struct rota_claim *claim, struct rota_candidate *candidate)
{
	struct rota_op_claim *c = claim->c;
	enum rota_status status = parts_read(claim, candidate);

	if (status)
		return status;
	c->ret_commit_start = alone(claim, candidate);
	facts_claim(claim, candidate);
	claim->bytes += candidate->bytes;
	c->ret_tasks[c->ret_count++] = candidate->claimed;
	return ROTA_OK;
}

static const struct rota_input_column claimed_columns[] = {
	ROTA_INPUT(I64, struct rota_claimed, id)};

/* Those taken since the last time become running. */
enum rota_status rota_claim_store(struct rota_claim *claim)
{
	struct rota_op_claim *c = claim->c;
	enum rota_status status = ROTA_OK;

	if (claim->stored == c->ret_count)
		return ROTA_OK; /* nothing was found: nothing is written, not even a holder's name
				 */
	status = rota_holder_id(
		claim->session, c->worker ? c->worker : "", c->worker_id, &claim->holder);
	while (claim->stored < c->ret_count && !status) {
		size_t n = ROTA_MIN(c->ret_count - claim->stored, (size_t)ROTA_SQLITE_ROWS);

		ROTA_SHOW_LIST(claim->session, &c->ret_tasks[claim->stored], n, claimed_columns);
		status = rota_sql_run(claim->session, ROTA_SQL_CLAIM_STORE, "iiiii", claim->holder,
			claim->lease_until, claim->session->now, (int64_t)~claim->flags_off,
			(int64_t)claim->flags_on);
		if (!status && sqlite3_changes(claim->session->db) != (int)n)
			status = rota_err(&claim->session->error, ROTA_CORRUPT,
				"%s: an index and its table disagree; try `sqlite3 FILE 'PRAGMA "
				"integrity_check'`",
				claim->session->backend->path);
		claim->stored += n;
	}
	claim->session->news->claimed = true;
	claim->session->lease_next = ROTA_MIN(claim->session->lease_next, claim->lease_until);
	return status;
}

/* ---- exactly these ---- */

static enum rota_status refusal_of(const struct rota_claim *claim, const struct rota_row *row,
	const struct rota_queue_row *queue)
{
	switch (row->facts.state) {
	case ROTA_STATE_COMPLETED:
		return ROTA_COMPLETED;
	case ROTA_STATE_FAILED:
		return ROTA_FAILED;
	case ROTA_STATE_CANCELLED:
		return ROTA_CANCELLED;
	case ROTA_STATE_READY:
		break;
	default:
		return ROTA_WRONG_STATE;
	}
	if (queue->paused ||
		(row->facts.expires_at && row->facts.expires_at <= claim->session->now))
		return ROTA_WRONG_STATE;
	return claim->c->ret_count == claim->c->tasks_max ? ROTA_BUSY : ROTA_OK;
}

static enum rota_status candidate_by_id(struct rota_claim *claim, const struct rota_row *row,
	const struct rota_queue_row *queue, struct rota_candidate *candidate)
{
	sqlite3_stmt *s = rota_sql_query(claim->session, ROTA_SQL_CLAIM_GET, "i", row->facts.id);
	int got = rota_sql_next(claim->session, s);
	bool done;

	if (got < 0)
		return claim->session->error.status;
	ROTA_ASSERT(got);
	done = rota_candidate_read(claim, s, candidate);
	sqlite3_reset(s);
	if (!done)
		return rota_session_memory(claim->session);
	candidate->claimed->queue = rota_arena_strdup(claim->op->arena, queue->name);
	if (!candidate->claimed->queue ||
		rota_type_name(claim->session, row->type, &candidate->claimed->type))
		return rota_session_memory(claim->session);
	candidate->claimed->type = rota_arena_strdup(claim->op->arena, candidate->claimed->type);
	if (!candidate->claimed->type)
		return rota_session_memory(claim->session);
	return rota_candidate_extra(claim, candidate);
}

static enum rota_status claim_id(struct rota_claim *claim, rota_id id, enum rota_status *ret)
{
	struct rota_row *row = &claim->session->work->rows[0];
	const struct rota_queue_row *queue;
	struct rota_candidate candidate;
	bool fits;
	enum rota_status status = rota_work_load(claim->session, &id, 1);

	*ret = ROTA_NOT_FOUND;
	if (status || !row->facts.id)
		return status;
	status = rota_queue_by_id(claim->session, row->queue, &queue);
	if (status)
		return status;
	*ret = refusal_of(claim, row, queue);
	if (*ret)
		return ROTA_OK;
	status = candidate_by_id(claim, row, queue, &candidate);
	if (!status)
		status = rota_candidate_fits(claim, &candidate, &fits);
	if (!status && !fits)
		*ret = ROTA_BUSY;
	if (!status && fits)
		status = rota_candidate_take(claim, &candidate);
	return status ? status : rota_claim_store(claim);
}

static enum rota_status claim_ids(struct rota_claim *claim)
{
	struct rota_op_claim *c = claim->c;
	enum rota_status status = ROTA_OK, each;

	for (size_t i = 0; i < c->id_count && !status; i++) {
		status = claim_id(claim, c->ids[i], &each);
		if (c->ret_each)
			c->ret_each[i] = each;
	}
	return status;
}

/* ---- the op ---- */

static enum rota_status claim_prepare(struct rota_claim *claim)
{
	struct rota_session *session = claim->session;
	struct rota_op_claim *c = claim->c;
	bool forever = c->lease == ROTA_FOREVER;

	c->ret_count = 0;
	c->ret_commit_start = false;
	c->tasks_max = ROTA_MIN(c->tasks_max, (size_t)ROTA_CLAIM_TASKS_MAX);
	c->ret_tasks = rota_arena_array(claim->op->arena, c->tasks_max, sizeof(*c->ret_tasks));
	if (!c->ret_tasks)
		return rota_session_memory(session);
	claim->by_hand = !c->worker_id;
	claim->flags_off = ROTA_FACT_LOST | ROTA_FACT_REFUNDED | ROTA_FACT_STARTED | ROTA_FACT_HAND;
	if (claim->by_hand) {
		claim->flags_on = ROTA_FACT_HAND | ROTA_FACT_STARTED;
		claim->flags_off |= ROTA_FACT_SUSPECT;
	}
	claim->lease_until = rota_tick_add(session->tick, c->lease);
	claim->lease_date = forever ? ROTA_FOREVER : rota_time_add(session->now, c->lease);
	return ROTA_OK;
}

enum rota_status rota_sqlite_claim(
	struct rota_session *session, struct rota_op *const *ops, size_t n, struct rota_error *err)
{
	enum rota_status status = ROTA_OK;

	for (size_t i = 0; i < n && !status; i++) {
		struct rota_claim claim = {.session = session, .op = ops[i], .c = &ops[i]->u.claim};

		rota_session_start(session);
		status = claim_prepare(&claim);
		if (!status)
			status = claim.c->id_count ? claim_ids(&claim) : rota_claim_best(&claim);
	}
	return status ? rota_session_answer(session, err) : ROTA_OK;
}
