/* list.c: the newest tasks of some kind. Without a filter the table is read from its end; with one,
 * each state asked for is read from the index that has it, where the newest ids are kept while
 * reading. */
#include <stdlib.h>
#include "store/sqlite/look.h"

struct list {
	rota_id *ids;
	size_t count, room;
};

static enum rota_status ids_read(struct rota_session *session, sqlite3_stmt *s, struct list *list)
{
	int got;

	while ((got = rota_sql_next(session, s)) > 0 && list->count < list->room)
		list->ids[list->count++] = sqlite3_column_int64(s, 0);
	if (got > 0)
		sqlite3_reset(s);
	return got < 0 ? session->error.status : ROTA_OK;
}

static int newest_first(const void *a, const void *b)
{
	rota_id x = *(const rota_id *)a, y = *(const rota_id *)b;

	return (x < y) - (x > y);
}

static enum rota_status states_read(struct rota_session *session,
	const struct rota_task_filter *filter, int64_t before, int64_t name_space, int64_t type,
	struct list *list)
{
	enum rota_status status = ROTA_OK;

	for (int state = 0; state < 7 && !status; state++) {
		size_t count = list->count;

		if (filter->states && !(filter->states & 1u << state))
			continue;
		if (state == ROTA_STATE_READY)
			status = ids_read(session,
				rota_sql_query(session, ROTA_SQL_LIST_READY, "iitoi", before,
					name_space, filter->queue, type, (int64_t)filter->limit),
				list);
		else
			status = ids_read(session,
				rota_sql_query(session, ROTA_SQL_LIST_OTHER, "iitoii", before,
					name_space, filter->queue, type, (int64_t)filter->limit,
					(int64_t)state),
				list);
		if (count)
			qsort(list->ids, list->count, sizeof(*list->ids), newest_first);
		list->count = ROTA_MIN(list->count, filter->limit);
	}
	return status;
}

static enum rota_status ids_find(
	struct rota_session *session, const struct rota_task_filter *filter, struct list *list)
{
	int64_t before = filter->before ? filter->before : INT64_MAX, name_space, type = 0;
	bool all = !filter->queue && !filter->type &&
		   (!filter->states || (filter->states & 127) == 127);
	enum rota_status status = rota_namespace_id(session, false, &name_space);

	if (!status && filter->type)
		status = rota_type_id(session, filter->type, false, &type);
	if (status || type < 0)
		return status;
	if (all)
		return ids_read(session,
			rota_sql_query(session, ROTA_SQL_LIST_ALL, "iii", before, name_space,
				(int64_t)filter->limit),
			list);
	return states_read(session, filter, before, name_space, type, list);
}

static enum rota_status list_run(struct rota_session *session, struct rota_op *op)
{
	struct rota_op_list *l = &op->u.list;
	struct rota_work *work = session->work;
	struct list list = {.room = l->filter.limit * 2};
	struct rota_task_info *info;
	enum rota_status status;

	l->ret_count = 0;
	list.ids = rota_arena_array(&session->scratch, list.room, sizeof(*list.ids));
	l->ret_tasks = rota_arena_array(op->arena, l->filter.limit, sizeof(*l->ret_tasks));
	if (!list.ids || !l->ret_tasks)
		return rota_session_memory(session);
	status = ids_find(session, &l->filter, &list);
	for (size_t at = 0, n; at < list.count && !status; at += n) {
		n = ROTA_MIN(list.count - at, (size_t)ROTA_SQLITE_ROWS);
		status = rota_work_load(session, &list.ids[at], n);
		for (size_t i = 0; i < n && !status; i++) {
			status = rota_info_make(session, &work->rows[i], 0, op->arena, &info);
			l->ret_tasks[l->ret_count++] = info;
		}
	}
	return status;
}

enum rota_status rota_sqlite_list(
	struct rota_session *session, struct rota_op *const *ops, size_t n, struct rota_error *err)
{
	enum rota_status status = ROTA_OK;

	for (size_t i = 0; i < n && !status; i++) {
		rota_session_start(session);
		status = list_run(session, ops[i]);
	}
	return status ? rota_session_answer(session, err) : ROTA_OK;
}
