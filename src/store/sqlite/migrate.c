/* migrate.c: the schema, brought to what this library knows. Forward only, all of it in one
 * transaction. Where it stands is in rota_meta: user_version and application_id are the
 * application's. */
#define ROTA_SQL_MIGRATIONS 1
#include "base/error.h"
#include "store/sqlite/sqlite.h"

static enum rota_status failed(
	struct rota_backend *backend, sqlite3 *db, const char *doing, struct rota_error *err)
{
	return rota_sqlite_error(db, sqlite3_errcode(db), backend->path, doing, err);
}

/* One value, or *ret as it was when there is no row. */
static int value_get(sqlite3 *db, const char *sql, int64_t *ret)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

	if (!code) {
		code = sqlite3_step(statement);
		if (code == SQLITE_ROW)
			*ret = sqlite3_column_int64(statement, 0);
		code = sqlite3_finalize(statement);
	}
	return code;
}

/* 0: no rota in this file yet. */
static enum rota_status version_get(
	struct rota_backend *backend, sqlite3 *db, int64_t *ret, struct rota_error *err)
{
	int64_t there = 0;

	*ret = 0;
	if (value_get(db,
		    "SELECT 1 FROM main.sqlite_schema WHERE name = 'rota_meta' AND type = 'table'",
		    &there))
		return failed(backend, db, "reading the schema", err);
	if (there && value_get(db, "SELECT value FROM main.rota_meta WHERE name = 'schema'", ret))
		return failed(backend, db, "reading the schema's version", err);
	if (there && *ret <= 0)
		return rota_err(err, ROTA_CORRUPT,
			"%s: its table rota_meta does not say which schema it has", backend->path);
	if (*ret > ROTA_SQLITE_SCHEMA)
		return rota_err(err, ROTA_CORRUPT,
			"%s was made by a newer rota (schema %lld, this one knows %d): upgrade "
			"rota",
			backend->path, (long long)*ret, ROTA_SQLITE_SCHEMA);
	return ROTA_OK;
}

/* Persistent, so this is only ever work for a file that is new or was an application's. */
static enum rota_status wal_set(struct rota_backend *backend, sqlite3 *db, struct rota_error *err)
{
	sqlite3_stmt *statement = NULL;
	bool wal = false;

	if (sqlite3_prepare_v2(db, "PRAGMA main.journal_mode = WAL", -1, &statement, NULL) ==
			SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW)
		wal = !sqlite3_stricmp((const char *)sqlite3_column_text(statement, 0), "wal");
	if (sqlite3_finalize(statement))
		return failed(backend, db, "switching to write-ahead logging", err);
	if (!wal)
		return rota_err(err, ROTA_UNAVAILABLE,
			"%s: write-ahead logging is not possible there (a network file system?)",
			backend->path);
	return ROTA_OK;
}

static enum rota_status migrations_run(
	struct rota_backend *backend, sqlite3 *db, int64_t from, struct rota_error *err)
{
	char set[128];

	for (const struct rota_migration *m = rota_migrations; m->sql; m++) {
		if (m->version > from && sqlite3_exec(db, m->sql, NULL, NULL, NULL))
			return failed(backend, db, m->name, err);
	}
	sqlite3_snprintf(sizeof(set), set,
		"INSERT INTO main.rota_meta(name, value) VALUES('schema', %d) "
		"ON CONFLICT(name) DO UPDATE SET value = excluded.value",
		ROTA_SQLITE_SCHEMA);
	if (sqlite3_exec(db, set, NULL, NULL, NULL))
		return failed(backend, db, "noting the schema's version", err);
	return ROTA_OK;
}

/* Another process may have done it meanwhile: the version is read again under the lock. */
static enum rota_status migrate_locked(
	struct rota_backend *backend, sqlite3 *db, struct rota_error *err)
{
	int64_t version;
	enum rota_status status;

	if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL))
		return failed(backend, db, "another program holds its lock", err);
	status = version_get(backend, db, &version, err);
	if (!status && version < ROTA_SQLITE_SCHEMA)
		status = migrations_run(backend, db, version, err);
	if (!status && sqlite3_exec(db, "COMMIT", NULL, NULL, NULL))
		status = failed(backend, db, "committing the schema", err);
	if (status)
		(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return status;
}

static enum rota_status migrate(
	struct rota_backend *backend, sqlite3 *db, bool create, struct rota_error *err)
{
	int64_t version;
	enum rota_status status = version_get(backend, db, &version, err);

	if (status)
		return status;
	if (!version && !create)
		return rota_err(err, ROTA_NOT_FOUND,
			"%s is a database, but there is no store of rota's in it", backend->path);
	if (sqlite3_db_readonly(db, "main") > 0)
		return rota_err(err, ROTA_UNAVAILABLE,
			"%s cannot be written; check the permissions of the file and its directory",
			backend->path);
	if (version == ROTA_SQLITE_SCHEMA)
		return ROTA_OK;
	status = wal_set(backend, db, err);
	return status ? status : migrate_locked(backend, db, err);
}

enum rota_status rota_sqlite_migrate(
	struct rota_backend *backend, bool create, struct rota_error *err)
{
	static const uint32_t nobody_wakes;
	struct rota_world *world = backend->world;
	int64_t tries = backend->lock_timeout / 2000;
	sqlite3 *db = NULL;
	enum rota_status status = rota_session_connect(
		backend, SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0), &db, err);

	if (status)
		return status;
	/* Where waiting could be a deadlock (several switch a new file to WAL), SQLite gives up at
	 * once. */
	while ((status = migrate(backend, db, create, err)) == ROTA_BUSY && tries-- > 0)
		world->park(world, &nobody_wakes, 0, rota_tick_add(world->now(world), ROTA_MS(2)));
	if (status)
		sqlite3_close(db);
	else
		atomic_store(&backend->spare, db);
	return status;
}
