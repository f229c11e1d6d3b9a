/* names.c: queues, types, namespaces and holders are numbers in the file. What was looked up is
 * kept: names are never removed or renamed, so only settings (paused, retention) go stale, when
 * somebody else has committed. After a rollback everything is forgotten: a number may have been
 * taken back. */
#include <stdlib.h>
#include <string.h>
#include "base/error.h"
#include "store/sqlite/sqlite.h"

static bool free_value(void *arg, int64_t id, void *value)
{
	(void)arg, (void)id;
	free(value);
	return true;
}

static bool free_queue(void *arg, int64_t id, void *value)
{
	struct rota_queue_row *queue = value;

	(void)arg, (void)id;
	free(queue->name);
	free(queue);
	return true;
}

void rota_names_forget(struct rota_session *session)
{
	struct rota_name_cache *names = &session->names;

	rota_map_each(names->queues, free_queue, NULL);
	rota_map_each(names->types, free_value, NULL);
	rota_map_each(names->holders, free_value, NULL);
	rota_map_free(&names->queues);
	rota_map_free(&names->types);
	rota_map_free(&names->holders);
	rota_names_free(&names->queue_ids);
	rota_names_free(&names->type_ids);
	memset(names, 0, sizeof(*names));
	names->queues_stale = true;
}

/* A row for a name that had none. */
static enum rota_status row_added(struct rota_session *session, int64_t *ret)
{
	*ret = sqlite3_last_insert_rowid(session->db);
	session->names.added = true;
	return ROTA_OK;
}

static enum rota_status limit_check(
	struct rota_session *session, int64_t count, int64_t max, const char *what)
{
	if (count < max)
		return ROTA_OK;
	return rota_err(&session->error, ROTA_LIMIT,
		"this store has %lld %s already, and no more than that are allowed",
		(long long)count, what);
}

/* ---- namespaces ---- */

enum rota_status rota_namespace_id(struct rota_session *session, bool make, int64_t *ret)
{
	int64_t *id = &session->names.name_space;
	bool found = *id != 0;
	enum rota_status status = ROTA_OK;

	if (!found)
		status = rota_sql_number(session, ROTA_SQL_NAMESPACE_FIND, id, &found, "t",
			session->backend->name_space);
	if (!status && !found)
		*id = -1;
	if (!status && *id < 0 && make) {
		status = rota_sql_run(
			session, ROTA_SQL_NAMESPACE_ADD, "t", session->backend->name_space);
		if (!status)
			status = row_added(session, id);
	}
	*ret = *id;
	return status;
}

/* ---- queues ---- */

static rota_duration keep_of(sqlite3_stmt *row, int column, rota_duration otherwise)
{
	return sqlite3_column_type(row, column) == SQLITE_NULL ? otherwise
							       : sqlite3_column_int64(row, column);
}

static enum rota_status queue_remember(
	struct rota_session *session, sqlite3_stmt *row, int64_t name_space)
{
	struct rota_name_cache *names = &session->names;
	int64_t id = sqlite3_column_int64(row, 0);
	struct rota_queue_row *queue = rota_map_get(names->queues, id);
	const char *name = (const char *)sqlite3_column_text(row, 2);

	if (!queue) {
		queue = calloc(1, sizeof(*queue));
		if (!queue || !name || !(queue->name = strdup(name)) ||
			!rota_map_put(&names->queues, id, queue)) {
			free(queue ? queue->name : NULL);
			free(queue);
			return rota_session_memory(session);
		}
	}
	queue->id = id;
	queue->name_space = sqlite3_column_int64(row, 1);
	queue->paused = sqlite3_column_int(row, 3);
	queue->keep_completed = keep_of(row, 4, ROTA_DEFAULT_KEEP_COMPLETED);
	queue->keep_failed = keep_of(row, 5, ROTA_DEFAULT_KEEP_FAILED);
	if (queue->name_space == name_space && !rota_names_put(&names->queue_ids, queue->name, id))
		return rota_session_memory(session);
	return ROTA_OK;
}

enum rota_status rota_queues_load(struct rota_session *session)
{
	sqlite3_stmt *row;
	int64_t name_space, version;
	int got;

	if (!session->names.queues_stale)
		return ROTA_OK;
	if (rota_sql_number(session, ROTA_SQL_QUEUES_VERSION, &version, NULL, ""))
		return session->error.status;
	session->names.queues_stale = version != session->names.queues_version;
	if (!session->names.queues_stale)
		return ROTA_OK;
	if (rota_namespace_id(session, false, &name_space))
		return session->error.status;
	row = rota_sql_query(session, ROTA_SQL_QUEUE_ALL, "");
	while ((got = rota_sql_next(session, row)) > 0) {
		if (queue_remember(session, row, name_space)) {
			sqlite3_reset(row);
			return session->error.status;
		}
	}
	session->names.queues_stale = got < 0;
	session->names.queues_version = got < 0 ? 0 : version;
	return got < 0 ? session->error.status : ROTA_OK;
}

enum rota_status rota_queues_changed(struct rota_session *session)
{
	session->names.queues_stale = true;
	return rota_sql_run(session, ROTA_SQL_QUEUES_BUMP, "");
}

static enum rota_status queue_make(struct rota_session *session, const char *name, int64_t *ret)
{
	int64_t name_space, count;
	enum rota_status status = rota_namespace_id(session, true, &name_space);

	if (!status)
		status = rota_sql_number(
			session, ROTA_SQL_QUEUE_COUNT, &count, NULL, "i", name_space);
	if (!status)
		status = limit_check(session, count, ROTA_QUEUES_MAX, "queues");
	if (!status)
		status = rota_sql_run(session, ROTA_SQL_QUEUE_ADD, "it", name_space, name);
	if (!status)
		status = row_added(session, ret);
	if (!status)
		status = rota_queues_changed(session);
	return status ? status : rota_queues_load(session);
}

enum rota_status rota_queue_id(
	struct rota_session *session, const char *name, bool make, int64_t *ret)
{
	struct rota_name_cache *names = &session->names;
	const struct rota_queue_row *queue;
	enum rota_status status;

	if (names->last_queue && !names->queues_stale && !strcmp(names->last_queue, name)) {
		*ret = names->last_queue_id;
		return ROTA_OK;
	}
	status = rota_queues_load(session);
	if (status)
		return status;
	if (!rota_names_get(names->queue_ids, name, ret)) {
		*ret = -1;
		return make ? queue_make(session, name, ret) : ROTA_OK;
	}
	queue = rota_map_get(names->queues, *ret);
	names->last_queue = queue->name;
	names->last_queue_id = *ret;
	return ROTA_OK;
}

enum rota_status rota_queue_by_id(
	struct rota_session *session, int64_t id, const struct rota_queue_row **ret)
{
	struct rota_name_cache *names = &session->names;
	enum rota_status status = rota_queues_load(session);

	if (status)
		return status;
	*ret = names->last_found;
	if (*ret && (*ret)->id == id)
		return ROTA_OK;
	*ret = names->last_found = rota_map_get(names->queues, id);
	if (*ret)
		return ROTA_OK;
	names->queues_stale = true; /* somebody made it since */
	status = rota_queues_load(session);
	if (status)
		return status;
	*ret = rota_map_get(names->queues, id);
	if (*ret)
		return ROTA_OK;
	return rota_err(&session->error, ROTA_CORRUPT,
		"%s: a task's queue %lld is not in rota_queue", session->backend->path,
		(long long)id);
}

/* ---- types ---- */

static enum rota_status type_remember(struct rota_session *session, const char *name, int64_t id)
{
	struct rota_name_cache *names = &session->names;
	char *copy = strdup(name);

	if (!copy || !rota_map_put(&names->types, id, copy)) {
		free(copy);
		return rota_session_memory(session);
	}
	if (!rota_names_put(&names->type_ids, name, id))
		return rota_session_memory(session);
	names->last_type = copy;
	names->last_type_id = id;
	return ROTA_OK;
}

static enum rota_status type_make(struct rota_session *session, const char *name, int64_t *ret)
{
	int64_t count;
	enum rota_status status = rota_sql_number(session, ROTA_SQL_TYPE_COUNT, &count, NULL, "");

	if (!status)
		status = limit_check(session, count, ROTA_TYPES_MAX, "task types");
	if (!status)
		status = rota_sql_run(session, ROTA_SQL_TYPE_ADD, "t", name);
	return status ? status : row_added(session, ret);
}

enum rota_status rota_type_id(
	struct rota_session *session, const char *name, bool make, int64_t *ret)
{
	struct rota_name_cache *names = &session->names;
	enum rota_status status;
	bool found;

	if (names->last_type && !strcmp(names->last_type, name)) {
		*ret = names->last_type_id;
		return ROTA_OK;
	}
	if (rota_names_get(names->type_ids, name, ret)) {
		names->last_type = rota_map_get(names->types, *ret);
		names->last_type_id = *ret;
		return ROTA_OK;
	}
	status = rota_sql_number(session, ROTA_SQL_TYPE_FIND, ret, &found, "t", name);
	if (!status && !found && make) {
		status = type_make(session, name, ret);
		found = !status;
	}
	if (!status && !found)
		*ret = -1;
	return status || !found ? status : type_remember(session, name, *ret);
}

enum rota_status rota_type_name(struct rota_session *session, int64_t id, const char **ret)
{
	const char *name = rota_map_get(session->names.types, id);
	sqlite3_stmt *row;
	enum rota_status status;
	int got;

	if (name) {
		*ret = name;
		return ROTA_OK;
	}
	row = rota_sql_query(session, ROTA_SQL_TYPE_NAME, "i", id);
	got = rota_sql_next(session, row);
	if (got < 0)
		return session->error.status;
	if (!got)
		return rota_err(&session->error, ROTA_CORRUPT,
			"%s: a task's type %lld is not in rota_type", session->backend->path,
			(long long)id);
	status = type_remember(session, (const char *)sqlite3_column_text(row, 0), id);
	sqlite3_reset(row);
	*ret = rota_map_get(session->names.types, id);
	return status;
}

/* ---- holders of leases ---- */

static enum rota_status holder_remember(struct rota_session *session, int64_t id, sqlite3_stmt *row,
	const struct rota_holder_row **ret)
{
	const char *name = (const char *)sqlite3_column_text(row, 0);
	const char *boot = (const char *)sqlite3_column_text(row, 1);
	struct rota_holder_row *holder =
		name && boot ? calloc(1, sizeof(*holder) + strlen(name) + 1) : NULL;

	if (!holder || !rota_map_put(&session->names.holders, id, holder)) {
		free(holder);
		return rota_session_memory(session);
	}
	strcpy(holder->name, name);
	holder->id = id;
	holder->now = !strcmp(boot, rota_world_boot_id());
	holder->worker = sqlite3_column_int64(row, 2);
	*ret = holder;
	return ROTA_OK;
}

enum rota_status rota_holder_by_id(
	struct rota_session *session, int64_t id, const struct rota_holder_row **ret)
{
	sqlite3_stmt *row;
	enum rota_status status;
	int got;

	*ret = rota_map_get(session->names.holders, id);
	if (*ret)
		return ROTA_OK;
	row = rota_sql_query(session, ROTA_SQL_HOLDER_GET, "i", id);
	got = rota_sql_next(session, row);
	if (got <= 0)
		return got ? session->error.status : ROTA_OK;
	status = holder_remember(session, id, row, ret);
	sqlite3_reset(row);
	return status;
}

/* Every so many new holders, those that hold nothing are cleared away: a claim by hand may come
 * from a process that lives for a moment. */
#define HOLDERS_SWEEP 256

enum rota_status rota_holder_id(
	struct rota_session *session, const char *name, int64_t worker, int64_t *ret)
{
	struct rota_name_cache *names = &session->names;
	const char *boot = rota_world_boot_id();
	enum rota_status status;
	bool found;

	if (names->last_holder && names->last_holder->worker == worker &&
		!strcmp(names->last_holder->name, name)) {
		*ret = names->last_holder->id;
		return ROTA_OK;
	}
	status = rota_sql_number(
		session, ROTA_SQL_HOLDER_FIND, ret, &found, "tti", name, boot, worker);
	if (!status && !found) {
		status = rota_sql_run(session, ROTA_SQL_HOLDER_ADD, "tti", name, boot, worker);
		if (!status)
			status = row_added(session, ret);
		if (!status && *ret % HOLDERS_SWEEP == 0)
			status = rota_sql_run(session, ROTA_SQL_HOLDER_SWEEP, "i", *ret);
	}
	return status ? status : rota_holder_by_id(session, *ret, &names->last_holder);
}
