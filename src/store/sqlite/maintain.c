/* maintain.c: what time does to tasks, a slice at a time: leases end, tasks expire or are due, old
 * ones and the names they kept go. Of every namespace: whoever comes does it for all. */
#include <string.h>
#include "base/error.h"
#include "store/sqlite/row.h"

struct maintain {
	struct rota_session *session;
	struct rota_op_maintain *op;
	size_t left;  /* of the slice of the kind that runs now */
	rota_id *ids; /* slice of them, found to be changed */
	size_t count;
};

static void next_in(struct maintain *m, rota_duration in)
{
	m->op->ret_next = ROTA_MIN(m->op->ret_next, ROTA_MAX(in, 0));
}

/* False: no room for one more, and somebody has to come again. */
static bool found(struct maintain *m, rota_id id)
{
	if (!m->left) {
		m->op->ret_more = true;
		return false;
	}
	m->left--;
	m->ids[m->count++] = id;
	return true;
}

typedef void rule_fn(struct rota_facts *facts, rota_time now, struct rota_effect *ret);

/* The rule, on all that was found. */
static enum rota_status apply(struct maintain *m, rule_fn *rule)
{
	struct rota_session *session = m->session;
	enum rota_status status = ROTA_OK;

	for (size_t at = 0, n; at < m->count && !status; at += n) {
		n = ROTA_MIN(m->count - at, (size_t)ROTA_SQLITE_ROWS);
		status = rota_work_flush(session);
		if (!status)
			status = rota_rows_load(session, session->work->rows, &m->ids[at], n);
		for (size_t i = 0; i < n && !status; i++) {
			struct rota_row *row = &session->work->rows[i];
			struct rota_facts before = row->facts;

			rule(&row->facts, session->now, &row->effect);
			if (row->effect.changed)
				status = rota_work_changed(session, row, &before);
		}
	}
	m->count = 0;
	return status ? status : rota_work_flush(session);
}

/* ---- rescue ---- */

/* A holder is dead when it is of another boot, has left, or its process is gone. Alive: its process
 * is known to live. Else only its leases' ends tell. */
enum life { LIFE_DEAD = 1, LIFE_UNKNOWN, LIFE_ALIVE };

static enum life slot_life(struct rota_side *side, int64_t slot)
{
	if (!side || !rota_side_knows(side, slot))
		return LIFE_UNKNOWN;
	return rota_side_alive(side, slot) ? LIFE_ALIVE : LIFE_DEAD;
}

static enum rota_status worker_life(struct rota_session *session, int64_t worker, enum life *ret)
{
	sqlite3_stmt *s = rota_sql_query(session, ROTA_SQL_WORKER_GET, "i", worker);
	int got = rota_sql_next(session, s);

	if (got < 0)
		return session->error.status;
	*ret = LIFE_DEAD;
	if (!got)
		return ROTA_OK;
	if (!sqlite3_column_int(s, 1))
		*ret = sqlite3_column_type(s, 0) != SQLITE_NULL
			       ? slot_life(session->backend->side, sqlite3_column_int64(s, 0))
			       : LIFE_UNKNOWN;
	sqlite3_reset(s);
	return ROTA_OK;
}

static enum rota_status holder_life(struct rota_session *session, int64_t id, enum life *ret)
{
	const struct rota_holder_row *holder;
	enum rota_status status = rota_holder_by_id(session, id, &holder);

	if (status)
		return status;
	*ret = !holder || !holder->now ? LIFE_DEAD : LIFE_UNKNOWN;
	if (*ret == LIFE_UNKNOWN && holder->worker)
		status = worker_life(session, holder->worker, ret);
	return status;
}

/* Each holder is asked about once per rescue. */
static enum rota_status life_of(
	struct rota_session *session, struct rota_map **lives, int64_t holder, enum life *ret)
{
	enum rota_status status;

	*ret = (enum life)(uintptr_t)rota_map_get(*lives, holder);
	if (*ret)
		return ROTA_OK;
	status = holder_life(session, holder, ret);
	if (!status && !rota_map_put(lives, holder, (void *)(uintptr_t)*ret))
		status = rota_session_memory(session);
	return status;
}

/* When an application's long transaction kept everybody from renewing, those who live get time to.
 */
static rota_tick lease_end(
	const struct rota_session *session, rota_tick lease_until, enum life life)
{
	rota_tick clear = rota_session_clear_at(session);

	if (life == LIFE_DEAD)
		return 0;
	return life == LIFE_ALIVE ? ROTA_MAX(lease_until, clear) : lease_until;
}

static enum rota_status lease_look(
	struct maintain *m, struct rota_map **lives, sqlite3_stmt *s, bool *ret_room)
{
	struct rota_session *session = m->session;
	rota_tick until = sqlite3_column_int64(s, 2);
	enum life life = LIFE_UNKNOWN;
	enum rota_status status = life_of(session, lives, sqlite3_column_int64(s, 1), &life);

	*ret_room = true;
	if (status)
		return status;
	until = lease_end(session, until, life);
	if (until <= session->tick) {
		*ret_room = found(m, sqlite3_column_int64(s, 0));
		return ROTA_OK;
	}
	if (until < session->lease_next)
		session->lease_next = until;
	if (life == LIFE_ALIVE)
		session->lease_next = ROTA_MIN(
			session->lease_next, rota_tick_add(session->tick, ROTA_MAINTAIN_EVERY));
	return ROTA_OK;
}

static enum rota_status leases_look(struct maintain *m)
{
	struct rota_session *session = m->session;
	struct rota_map *lives ROTA_CLEANUP(rota_map_free) = NULL;
	sqlite3_stmt *s = rota_sql_query(session, ROTA_SQL_LEASE_ALL, "");
	bool room = true;
	int got = 0;

	session->lease_next = ROTA_TICK_NEVER;
	while (room && (got = rota_sql_next(session, s)) > 0) {
		if (lease_look(m, &lives, s, &room)) {
			sqlite3_reset(s);
			return session->error.status;
		}
	}
	if (got > 0)
		sqlite3_reset(s);
	if (!room)
		session->lease_next = 0;
	return got < 0 ? session->error.status : ROTA_OK;
}

/* All running tasks are looked at, but only when a lease may have ended: what ends first is
 * remembered, and other processes' claims and deaths are looked for once in a while. */
static enum rota_status rescue(struct maintain *m)
{
	struct rota_session *session = m->session;
	enum rota_status status = ROTA_OK;

	if (session->tick >= session->lease_next || session->tick >= session->lease_look) {
		session->lease_look = rota_tick_add(session->tick, ROTA_MAINTAIN_EVERY);
		status = leases_look(m);
		if (!status)
			status = apply(m, rota_rule_lose);
	}
	if (session->lease_next != ROTA_TICK_NEVER)
		next_in(m, session->lease_next - session->tick);
	return status;
}

/* ---- expire ---- */

/* One that runs is looked at again when it waits again. */
static enum rota_status expire(struct maintain *m)
{
	struct rota_session *session = m->session;
	sqlite3_stmt *s = rota_sql_query(
		session, ROTA_SQL_EXPIRE_READ, "ii", session->now, (int64_t)m->left + 1);
	int64_t first;
	bool there;
	int got;
	enum rota_status status;

	while ((got = rota_sql_next(session, s)) > 0)
		(void)found(m, sqlite3_column_int64(s, 0));
	if (got < 0)
		return session->error.status;
	status = rota_sql_run(session, ROTA_SQL_EXPIRE_RUNNING, "i", session->now);
	if (!status)
		status = apply(m, rota_rule_expire);
	if (!status)
		status = rota_sql_number(session, ROTA_SQL_EXPIRE_NEXT, &first, &there, "");
	if (!status && there)
		next_in(m, first - session->now);
	return status;
}

/* ---- promote, prune: group by group of (state, queue, type), each in order of time ---- */

struct group {
	int64_t state, queue, type;
	rota_time first; /* run_at or finished_at of its first task */
};

/* The next group after *at. */
static enum rota_status group_next(struct rota_session *session, struct group *at, bool *ret_found)
{
	sqlite3_stmt *s =
		rota_sql_query(session, ROTA_SQL_GROUP_NEXT, "iii", at->state, at->queue, at->type);
	int got = rota_sql_next(session, s);

	*ret_found = got > 0;
	if (got <= 0)
		return got ? session->error.status : ROTA_OK;
	*at = (struct group){sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1),
		sqlite3_column_int64(s, 2), sqlite3_column_int64(s, 3)};
	sqlite3_reset(s);
	return ROTA_OK;
}

/* Those of the group up to `until`. */
static enum rota_status group_read(struct maintain *m, const struct group *group, rota_time until)
{
	sqlite3_stmt *s = rota_sql_query(m->session, ROTA_SQL_GROUP_READ, "iiiii", group->state,
		group->queue, group->type, until, (int64_t)m->left + 1);
	int got;
	bool room = true;

	while (room && (got = rota_sql_next(m->session, s)) > 0)
		room = found(m, sqlite3_column_int64(s, 0));
	if (!room) {
		sqlite3_reset(s);
		return ROTA_OK;
	}
	return got < 0 ? m->session->error.status : ROTA_OK;
}

/* The first of the group that is not due yet. */
static enum rota_status group_rest(
	struct maintain *m, const struct group *group, rota_time until, rota_duration keep)
{
	rota_time first = 0;
	bool there;
	enum rota_status status = rota_sql_number(m->session, ROTA_SQL_GROUP_REST, &first, &there,
		"iiii", group->state, group->queue, group->type, until);

	if (!status && there)
		next_in(m, rota_time_add(first, keep) - m->session->now);
	return status;
}

static enum rota_status group_look(
	struct maintain *m, const struct group *group, rota_duration keep)
{
	rota_time until = m->session->now - keep;
	enum rota_status status = ROTA_OK;

	if (keep == ROTA_FOREVER)
		return ROTA_OK;
	if (group->first <= until)
		status = group_read(m, group, until);
	return status ? status : group_rest(m, group, until, keep);
}

static enum rota_status promote(struct maintain *m)
{
	struct group group = {.state = ROTA_STATE_SCHEDULED};
	bool more = true;
	enum rota_status status = ROTA_OK;

	while (!status) {
		status = group_next(m->session, &group, &more);
		if (status || !more || group.state != ROTA_STATE_SCHEDULED)
			break;
		status = group_look(m, &group, 0);
	}
	return status ? status : apply(m, rota_rule_due);
}

static enum rota_status rows_prune(struct maintain *m)
{
	struct rota_session *session = m->session;
	struct rota_work *work = session->work;
	enum rota_status status = ROTA_OK;

	for (size_t at = 0, n, count; at < m->count && !status; at += n) {
		n = ROTA_MIN(m->count - at, (size_t)ROTA_SQLITE_ROWS);
		status = rota_rows_load(session, work->rows, &m->ids[at], n);
		count = 0;
		for (size_t i = 0; i < n && !status; i++) {
			work->rows[i].gone = (int8_t)work->rows[i].facts.state;
			if (work->rows[i].facts.id)
				work->list[count++] = &work->rows[i];
		}
		if (!status)
			status = rota_rows_remove(session, work->list, count);
	}
	m->count = 0;
	return status;
}

static enum rota_status group_prune(struct maintain *m, const struct group *group)
{
	const struct rota_queue_row *queue;
	enum rota_status status = rota_queue_by_id(m->session, group->queue, &queue);

	if (status)
		return status;
	return group_look(m, group,
		group->state == ROTA_STATE_COMPLETED ? queue->keep_completed : queue->keep_failed);
}

static enum rota_status keys_free(struct maintain *m)
{
	struct rota_session *session = m->session;
	int64_t first;
	bool there;
	enum rota_status status = rota_sql_run(
		session, ROTA_SQL_KEY_EXPIRE, "ii", session->now, (int64_t)m->op->slice);

	if (!status)
		status = rota_sql_number(session, ROTA_SQL_KEY_NEXT, &first, &there, "");
	if (!status && there)
		next_in(m, first - session->now);
	return status;
}

static enum rota_status prune(struct maintain *m)
{
	struct group group = {.state = ROTA_STATE_COMPLETED};
	bool more = true;
	enum rota_status status = ROTA_OK;

	while (!status) {
		status = group_next(m->session, &group, &more);
		if (status || !more)
			break;
		status = group_prune(m, &group);
	}
	if (!status)
		status = rows_prune(m);
	return status ? status : keys_free(m);
}

/* ---- all of it ---- */

/* Tasks that expire do not become ready first, and what is freed by an end is there for the next
 * kind. */
static enum rota_status maintain(struct rota_session *session, struct rota_op_maintain *op)
{
	static enum rota_status (*const kinds[])(struct maintain *) = {
		rescue, expire, promote, prune};
	struct maintain m = {.session = session, .op = op};
	enum rota_status status = ROTA_OK;

	op->ret_more = false;
	op->ret_next = ROTA_FOREVER;
	m.ids = rota_arena_array(&session->scratch, op->slice + 1, sizeof(*m.ids));
	if (!m.ids)
		return rota_session_memory(session);
	for (size_t i = 0; i < ROTA_COUNT(kinds) && !status; i++) {
		m.left = op->slice;
		m.count = 0;
		status = kinds[i](&m);
	}
	return status;
}

enum rota_status rota_sqlite_maintain(
	struct rota_session *session, struct rota_op *const *ops, size_t n, struct rota_error *err)
{
	enum rota_status status = ROTA_OK;

	for (size_t i = 0; i < n && !status; i++) {
		rota_session_start(session);
		status = maintain(session, &ops[i]->u.maintain);
	}
	return status ? rota_session_answer(session, err) : ROTA_OK;
}
