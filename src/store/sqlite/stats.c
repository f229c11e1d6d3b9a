/* stats.c: stats and open_work: counts, from the two indexes that together have every task. */
#include <stdlib.h>
#include <string.h>
#include "store/sqlite/row.h"

struct stats {
	struct rota_session *session;
	struct rota_arena *arena;
	int64_t name_space;
	struct rota_map *queues, *types; /* id to struct rota_queue_info, rota_type_info */
	bool failed;
};

static void stats_free(struct stats *stats)
{
	rota_map_free(&stats->queues);
	rota_map_free(&stats->types);
}

static bool queue_add(void *arg, int64_t id, void *value)
{
	struct stats *stats = arg;
	const struct rota_queue_row *queue = value;
	struct rota_queue_info *info;

	if (queue->name_space != stats->name_space)
		return true;
	info = rota_arena_zalloc(stats->arena, sizeof(*info));
	stats->failed |= !info || !rota_map_put(&stats->queues, id, info);
	if (stats->failed)
		return false;
	info->name = rota_arena_strdup(stats->arena, queue->name);
	info->paused = queue->paused;
	info->keep_completed = queue->keep_completed;
	info->keep_failed = queue->keep_failed;
	stats->failed |= !info->name;
	return !stats->failed;
}

static enum rota_status type_have(struct stats *stats, int64_t id, struct rota_type_info **ret)
{
	const char *name;

	*ret = rota_map_get(stats->types, id);
	if (*ret)
		return ROTA_OK;
	if (rota_type_name(stats->session, id, &name))
		return stats->session->error.status;
	*ret = rota_arena_zalloc(stats->arena, sizeof(**ret));
	if (*ret)
		(*ret)->name = rota_arena_strdup(stats->arena, name);
	if (!*ret || !(*ret)->name || !rota_map_put(&stats->types, id, *ret))
		return rota_session_memory(stats->session);
	return ROTA_OK;
}

/* Rows: state, queue, type, count, and for ready ones the oldest run_at. */
static enum rota_status counts_read(struct stats *stats, enum rota_sql which)
{
	sqlite3_stmt *s = rota_sql_query(stats->session, which, "");
	int got;

	while ((got = rota_sql_next(stats->session, s)) > 0) {
		struct rota_queue_info *queue =
			rota_map_get(stats->queues, sqlite3_column_int64(s, 1));
		int state = sqlite3_column_int(s, 0);
		uint64_t count = (uint64_t)sqlite3_column_int64(s, 3);
		rota_time oldest = sqlite3_column_int64(s, 4);
		struct rota_type_info *type;

		if (!queue)
			continue; /* another namespace's */
		if (type_have(stats, sqlite3_column_int64(s, 2), &type)) {
			sqlite3_reset(s);
			return stats->session->error.status;
		}
		queue->count[state] += count;
		type->count[state] += count;
		if (oldest && (!queue->oldest_ready || oldest < queue->oldest_ready))
			queue->oldest_ready = oldest;
	}
	return got < 0 ? stats->session->error.status : ROTA_OK;
}

/* ---- in order of their names, which both begin with ---- */

struct gather {
	const void **list;
	size_t count;
};

static bool gather(void *arg, int64_t id, void *value)
{
	struct gather *g = arg;

	(void)id;
	g->list[g->count++] = value;
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(**(const char *const *const *)a, **(const char *const *const *)b);
}

static bool sorted(struct rota_arena *arena, const struct rota_map *map, struct gather *g)
{
	g->count = 0;
	g->list = rota_arena_array(arena, rota_map_count(map), sizeof(*g->list));
	if (!g->list)
		return false;
	rota_map_each(map, gather, g);
	qsort(g->list, g->count, sizeof(*g->list), by_name);
	return true;
}

_Static_assert(
	offsetof(struct rota_queue_info, name) == 0 && offsetof(struct rota_type_info, name) == 0,
	"by_name looks at the first member");

static enum rota_status stats_run(struct rota_session *session, struct rota_op *op)
{
	struct stats stats ROTA_CLEANUP(stats_free) = {.session = session, .arena = op->arena};
	struct rota_op_stats *to = &op->u.stats;
	struct gather g;
	enum rota_status status = rota_queues_load(session);

	if (!status)
		status = rota_namespace_id(session, false, &stats.name_space);
	if (!status)
		rota_map_each(session->names.queues, queue_add, &stats);
	if (!status && stats.failed)
		status = rota_session_memory(session);
	if (!status)
		status = counts_read(&stats, ROTA_SQL_COUNT_READY);
	if (!status)
		status = counts_read(&stats, ROTA_SQL_COUNT_OTHER);
	if (status)
		return status;
	if (!sorted(op->arena, stats.queues, &g))
		return rota_session_memory(session);
	to->ret_queues = (const struct rota_queue_info **)g.list;
	to->ret_queue_count = g.count;
	if (!sorted(op->arena, stats.types, &g))
		return rota_session_memory(session);
	to->ret_types = (const struct rota_type_info **)g.list;
	to->ret_type_count = g.count;
	return ROTA_OK;
}

enum rota_status rota_sqlite_stats(
	struct rota_session *session, struct rota_op *const *ops, size_t n, struct rota_error *err)
{
	enum rota_status status = ROTA_OK;

	for (size_t i = 0; i < n && !status; i++) {
		rota_session_start(session);
		status = stats_run(session, ops[i]);
	}
	return status ? rota_session_answer(session, err) : ROTA_OK;
}

/* ---- open work: the groups that have such tasks, one step of an index each ---- */

static bool named(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(name, names[i]))
			return true;
	}
	return !n;
}

static enum rota_status group_wanted(struct rota_session *session,
	const struct rota_op_open_work *op, int64_t queue_id, int64_t type_id, int64_t name_space,
	bool *ret)
{
	const struct rota_queue_row *queue;
	const char *type;
	enum rota_status status = rota_queue_by_id(session, queue_id, &queue);

	if (!status)
		status = rota_type_name(session, type_id, &type);
	if (!status)
		*ret = queue->name_space == name_space &&
		       named(queue->name, op->queues, op->queue_count) &&
		       named(type, op->types, op->type_count);
	return status;
}

static enum rota_status groups_open(struct rota_session *session, struct rota_op_open_work *op,
	enum rota_sql which, int64_t state, int64_t name_space)
{
	int64_t queue = 0, type = 0;

	while (!op->ret_open) {
		sqlite3_stmt *s = rota_sql_query(session, which, "iii", state, queue, type);
		int got = rota_sql_next(session, s);

		if (got <= 0)
			return got ? session->error.status : ROTA_OK;
		queue = sqlite3_column_int64(s, 1);
		type = sqlite3_column_int64(s, 2);
		got = sqlite3_column_int64(s, 0) == state;
		sqlite3_reset(s);
		if (!got)
			return ROTA_OK;
		if (group_wanted(session, op, queue, type, name_space, &op->ret_open))
			return session->error.status;
	}
	return ROTA_OK;
}

static enum rota_status open_work(struct rota_session *session, struct rota_op_open_work *op)
{
	int64_t name_space;
	enum rota_status status = rota_namespace_id(session, false, &name_space);

	op->ret_open = false;
	if (!status)
		status = groups_open(
			session, op, ROTA_SQL_GROUP_NEXT_READY, ROTA_STATE_READY, name_space);
	if (!status)
		status = groups_open(
			session, op, ROTA_SQL_GROUP_NEXT, ROTA_STATE_RUNNING, name_space);
	if (!status)
		status = groups_open(
			session, op, ROTA_SQL_GROUP_NEXT, ROTA_STATE_SCHEDULED, name_space);
	return status;
}

enum rota_status rota_sqlite_open_work(
	struct rota_session *session, struct rota_op *const *ops, size_t n, struct rota_error *err)
{
	enum rota_status status = ROTA_OK;

	for (size_t i = 0; i < n && !status; i++) {
		rota_session_start(session);
		status = open_work(session, &ops[i]->u.open_work);
	}
	return status ? rota_session_answer(session, err) : ROTA_OK;
}
