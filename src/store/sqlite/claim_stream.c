/* claim_stream.c: the best of the ready tasks that a claim may take. */
#include <stdlib.h>
#include <string.h>
#include "base/error.h"
#include "base/limits.h"
#include "store/sqlite/claim.h"

/* Where it asks for a few types in a few queues, it looks for each pair; else for the pairs there
 * are. */
#define PAIRS_DIRECT 64
#define EXPIRED_ROWS 64

/* The ready tasks of one type in one queue, read a few at a time. */
struct stream {
	int64_t queue, type;
	const char *queue_name, *type_name; /* in the op's arena */
	struct rota_candidate *rows;
	size_t at, count, room;
	int64_t priority; /* of the last row read, and its run_at and id */
	rota_time run_at;
	rota_id id; /* 0: none was read */
	bool ended;
};
struct merge {
	struct rota_claim *claim;
	struct stream *streams; /* the first `count` are a heap by their first rows */
	size_t count, room;
	rota_id *expired;
	size_t expired_count, expired_room;
};

static void merge_free(struct merge *m)
{
	free(m->streams);
	free(m->expired);
}

static struct rota_candidate *stream_first(const struct stream *stream)
{
	return &stream->rows[stream->at];
}

/* ---- reading a stream ---- */

static bool stream_room(struct merge *m, struct stream *stream, size_t n)
{
	if (stream->room >= n)
		return true;
	stream->rows = rota_arena_array(&m->claim->session->scratch, n, sizeof(*stream->rows));
	stream->room = n;
	return stream->rows;
}

static bool row_read(struct merge *m, struct stream *stream, sqlite3_stmt *s)
{
	struct rota_candidate *to = &stream->rows[stream->count++];

	if (!rota_candidate_read(m->claim, s, to))
		return false;
	to->claimed->queue = stream->queue_name;
	to->claimed->type = stream->type_name;
	stream->priority = to->claimed->priority;
	stream->run_at = to->claimed->run_at;
	stream->id = to->claimed->id;
	return true;
}

static enum rota_status rows_read(struct merge *m, struct stream *stream, sqlite3_stmt *s)
{
	struct rota_session *session = m->claim->session;
	int got;

	while ((got = rota_sql_next(session, s)) > 0) {
		if (!row_read(m, stream, s)) {
			sqlite3_reset(s);
			return rota_session_memory(session);
		}
	}
	return got < 0 ? session->error.status : ROTA_OK;
}

/* The next n rows; fewer: it has ended. */
static enum rota_status stream_read(struct merge *m, struct stream *stream, size_t n)
{
	struct rota_session *session = m->claim->session;
	enum rota_status status = ROTA_OK;

	if (!stream_room(m, stream, n))
		return rota_session_memory(session);
	stream->at = stream->count = 0;
	if (stream->id)
		status = rows_read(m, stream,
			rota_sql_query(session, ROTA_SQL_CLAIM_READ_SAME, "iiiiii", stream->queue,
				stream->type, stream->priority, stream->run_at, stream->id,
				(int64_t)n));
	if (!status && stream->count < n)
		status = rows_read(m, stream,
			rota_sql_query(session, ROTA_SQL_CLAIM_READ, "iiiii", stream->queue,
				stream->type, stream->priority, stream->run_at,
				(int64_t)(n - stream->count)));
	stream->ended = stream->count < n;
	return status;
}

static enum rota_status expired_add(struct merge *m, rota_id id)
{
	if (m->expired_count == m->expired_room) {
		size_t room = m->expired_room ? m->expired_room * 2 : 64;
		rota_id *bigger = realloc(m->expired, room * sizeof(*bigger));

		if (!bigger)
			return rota_session_memory(m->claim->session);
		m->expired = bigger;
		m->expired_room = room;
	}
	m->expired[m->expired_count++] = id;
	return ROTA_OK;
}

/* Where one has expired there may be many, so that one at a time would be slow. */
static size_t rows_wanted(const struct merge *m)
{
	size_t left = m->claim->c->tasks_max - m->claim->c->ret_count;
	size_t n = ROTA_MIN(m->count > 1 ? left / m->count + 1 : left, (size_t)ROTA_SQLITE_ROWS);

	return m->expired_count ? ROTA_MAX(n, (size_t)EXPIRED_ROWS) : n;
}

/* Enough have expired for one transaction: they end, and whoever waits looks again. */
static enum rota_status stream_stop(struct merge *m, struct stream *stream)
{
	struct rota_news *news = m->claim->session->news;

	stream->ended = true;
	stream->at = stream->count;
	news->unseen = true;
	rota_news_due(news, 0);
	return ROTA_OK;
}

/* Makes its first row one that can be taken. *ret: there is one. */
static enum rota_status stream_settle(struct merge *m, struct stream *stream, bool *ret)
{
	bool full = m->claim->c->tasks_max == m->claim->c->ret_count;
	enum rota_status status = ROTA_OK;

	for (*ret = false; !status; stream->at++) {
		if (stream->at == stream->count && (stream->ended || full))
			return ROTA_OK;
		if (stream->at == stream->count)
			status = stream_read(m, stream, rows_wanted(m));
		if (status || stream->at == stream->count)
			return status;
		status = rota_candidate_extra(m->claim, stream_first(stream));
		*ret = !status && !rota_candidate_expired(m->claim, stream_first(stream));
		if (*ret)
			return ROTA_OK;
		if (!status && m->expired_count == ROTA_MAINTAIN_SLICE)
			return stream_stop(m, stream);
		if (!status)
			status = expired_add(m, stream_first(stream)->claimed->id);
	}
	return status;
}

/* ---- the heap ---- */

static bool stream_before(const struct stream *a, const struct stream *b)
{
	const struct rota_claimed *x = stream_first(a)->claimed, *y = stream_first(b)->claimed;

	if (x->priority != y->priority)
		return x->priority < y->priority;
	if (x->run_at != y->run_at)
		return x->run_at < y->run_at;
	return x->id < y->id;
}

static void heap_sink(struct merge *m, size_t at)
{
	for (;;) {
		size_t least = at;

		for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < m->count; child++) {
			if (stream_before(&m->streams[child], &m->streams[least]))
				least = child;
		}
		if (least == at)
			return;
		struct stream swap = m->streams[at];
		m->streams[at] = m->streams[least];
		m->streams[least] = swap;
		at = least;
	}
}

/* ---- which streams there are ---- */

static enum rota_status stream_add(
	struct merge *m, const struct rota_queue_row *queue, int64_t type)
{
	struct rota_arena *arena = m->claim->op->arena;
	struct stream *stream;
	const char *name;

	if (m->count == m->room) {
		size_t room = m->room ? m->room * 2 : 16;
		struct stream *bigger = realloc(m->streams, room * sizeof(*bigger));

		if (!bigger)
			return rota_session_memory(m->claim->session);
		m->streams = bigger;
		m->room = room;
	}
	stream = &m->streams[m->count];
	*stream = (struct stream){.queue = queue->id, .type = type, .priority = INT64_MIN};
	if (rota_type_name(m->claim->session, type, &name))
		return m->claim->session->error.status;
	stream->queue_name = rota_arena_strdup(arena, queue->name);
	stream->type_name = rota_arena_strdup(arena, name);
	if (!stream->queue_name || !stream->type_name)
		return rota_session_memory(m->claim->session);
	m->count++;
	return ROTA_OK;
}

static bool named(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(name, names[i]))
			return true;
	}
	return !n;
}

static bool stream_there(const struct merge *m, int64_t queue, int64_t type)
{
	for (size_t i = 0; i < m->count; i++) {
		if (m->streams[i].queue == queue && m->streams[i].type == type)
			return true;
	}
	return false;
}

static enum rota_status queue_types_direct(struct merge *m, const struct rota_queue_row *queue)
{
	const struct rota_op_claim *c = m->claim->c;
	enum rota_status status = ROTA_OK;
	int64_t type;

	for (size_t i = 0; i < c->type_count && !status; i++) {
		status = rota_type_id(m->claim->session, c->types[i], false, &type);
		if (!status && type > 0 && !stream_there(m, queue->id, type))
			status = stream_add(m, queue, type);
	}
	return status;
}

/* From each type that has ready tasks to the next: a step of the index per type. */
static enum rota_status queue_types_found(struct merge *m, const struct rota_queue_row *queue)
{
	const struct rota_op_claim *c = m->claim->c;
	int64_t type = 0;
	bool found = true;

	while (found) {
		const char *name;

		if (rota_sql_number(m->claim->session, ROTA_SQL_CLAIM_NEXT_TYPE, &type, &found,
			    "ii", queue->id, type))
			return m->claim->session->error.status;
		if (!found)
			break;
		if (rota_type_name(m->claim->session, type, &name))
			return m->claim->session->error.status;
		if (named(name, c->types, c->type_count) && stream_add(m, queue, type))
			return m->claim->session->error.status;
	}
	return ROTA_OK;
}

struct queue_visit {
	struct merge *merge;
	int64_t name_space;
	enum rota_status status;
};

static bool queue_visit(void *arg, int64_t id, void *value)
{
	struct queue_visit *visit = arg;
	const struct rota_queue_row *queue = value;
	const struct rota_op_claim *c = visit->merge->claim->c;

	(void)id;
	if (queue->name_space != visit->name_space || queue->paused ||
		!named(queue->name, c->queues, c->queue_count))
		return true;
	if (c->type_count && c->type_count * ROTA_MAX(c->queue_count, 1u) <= PAIRS_DIRECT)
		visit->status = queue_types_direct(visit->merge, queue);
	else
		visit->status = queue_types_found(visit->merge, queue);
	return !visit->status;
}

static enum rota_status streams_find(struct merge *m)
{
	struct rota_session *session = m->claim->session;
	struct queue_visit visit = {.merge = m};

	visit.status = rota_queues_load(session);
	if (!visit.status)
		visit.status = rota_namespace_id(session, false, &visit.name_space);
	if (!visit.status)
		rota_map_each(session->names.queues, queue_visit, &visit);
	return visit.status;
}

/* ---- the best ---- */

/* First rows for all, then those that have one become the heap. */
static enum rota_status heap_make(struct merge *m)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->count; i++) {
		bool there;

		if (stream_settle(m, &m->streams[i], &there))
			return m->claim->session->error.status;
		if (there)
			m->streams[kept++] = m->streams[i];
	}
	m->count = kept;
	for (size_t i = kept / 2; i-- > 0;)
		heap_sink(m, i);
	return ROTA_OK;
}

static enum rota_status first_take(struct merge *m, bool *ret_fits)
{
	struct stream *stream = &m->streams[0];
	enum rota_status status = rota_candidate_fits(m->claim, stream_first(stream), ret_fits);
	bool there;

	if (status || !*ret_fits)
		return status;
	status = rota_candidate_take(m->claim, stream_first(stream));
	stream->at++;
	if (!status)
		status = stream_settle(m, stream, &there);
	if (!status && !there)
		m->streams[0] = m->streams[--m->count];
	if (!status)
		heap_sink(m, 0);
	return status;
}

static enum rota_status expired_end(struct merge *m)
{
	struct rota_session *session = m->claim->session;
	enum rota_status status = ROTA_OK;

	for (size_t i = 0, n; i < m->expired_count && !status; i += n) {
		n = ROTA_MIN(m->expired_count - i, (size_t)ROTA_SQLITE_ROWS);
		status = rota_work_load(session, &m->expired[i], n);
		for (size_t k = 0; k < n && !status; k++) {
			struct rota_row *row = &session->work->rows[k];
			struct rota_facts before = row->facts;

			rota_rule_expire(&row->facts, session->now, &row->effect);
			if (row->effect.changed)
				status = rota_work_changed(session, row, &before);
		}
	}
	return status ? status : rota_work_flush(session);
}

enum rota_status rota_claim_best(struct rota_claim *claim)
{
	struct merge m ROTA_CLEANUP(merge_free) = {.claim = claim};
	enum rota_status status = streams_find(&m);
	bool fits = true;

	if (!status)
		status = heap_make(&m);
	while (!status && fits && m.count && claim->c->ret_count < claim->c->tasks_max)
		status = first_take(&m, &fits);
	if (!status)
		status = rota_claim_store(claim);
	return status ? status : expired_end(&m);
}
