/* session.c: opening a connection and saying what went wrong with one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/error.h"
#include "store/sqlite/sqlite.h"
#include "store/sqlite/row.h"
#include "store/sqlite/enqueue.h"

/* ---- errors ---- */

static enum rota_status code_status(int code)
{
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ROTA_BUSY;
	case SQLITE_NOMEM:
		return ROTA_NO_MEMORY;
	case SQLITE_FULL:
	case SQLITE_TOOBIG:
		return ROTA_LIMIT;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return ROTA_CORRUPT;
	default:
		return ROTA_UNAVAILABLE;
	}
}

static const char *code_advice(int code)
{
	switch (code & 0xff) {
	case SQLITE_FULL:
		return ": the disk (or quota) is full; nothing was committed, free some space and "
		       "try again";
	case SQLITE_READONLY:
		return ": it cannot be written; check the permissions of the file and its "
		       "directory";
	case SQLITE_CANTOPEN:
		return ": check that its directory exists and may be written to";
	case SQLITE_NOTADB:
		return ": this file is no SQLite database; give rota a path of its own";
	case SQLITE_CORRUPT:
		return ": the file is damaged; restore a backup, or try `sqlite3 FILE .recover`";
	default:
		return "";
	}
}

enum rota_status rota_sqlite_error(
	sqlite3 *db, int code, const char *path, const char *doing, struct rota_error *err)
{
	enum rota_status status = code_status(code);

	(void)rota_err(err, status, "%s: %s (%s)%s", path,
		db ? sqlite3_errmsg(db) : sqlite3_errstr(code), doing, code_advice(code));
	if (err)
		err->os_code = db ? sqlite3_extended_errcode(db) : code;
	return status;
}

enum rota_status rota_session_failed(struct rota_session *session, const char *doing)
{
	int code = sqlite3_errcode(session->db);

	return rota_sqlite_error(session->db, code, session->backend->path, doing, &session->error);
}

enum rota_status rota_session_memory(struct rota_session *session)
{
	return rota_err_memory(&session->error);
}

enum rota_status rota_session_answer(const struct rota_session *session, struct rota_error *err)
{
	ROTA_ASSERT(session->error.status);
	if (err)
		*err = session->error;
	return session->error.status;
}

/* ---- connections ---- */

/* What every connection of ours has: no checkpoints of its own (housekeep makes them), no zeroing
 * of deleted content (Debian's default; a task's life is a delete), sorting in memory, and whatever a build's default is, an OK survives a power cut. The page
 * cache holds what a group of the largest size touches. */
static const char *const connection_pragmas =
	"PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = OFF; PRAGMA temp_store = DEFAULT;"
	"PRAGMA cache_size = -16384; PRAGMA journal_size_limit = 8388608; PRAGMA foreign_keys = "
	"OFF; PRAGMA recursive_triggers = OFF;"
	"PRAGMA synchronous = FULL";

enum rota_status rota_session_connect(
	struct rota_backend *backend, int flags, sqlite3 **ret_db, struct rota_error *err)
{
	sqlite3 *db = NULL;
	int code = sqlite3_open_v2(
		backend->path, &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
	enum rota_status status;

	if (!code) {
		(void)sqlite3_extended_result_codes(db, 1);
		/* Another connection that closes holds the file exclusively for a moment, to see
		 * whether it is the last one. */
		(void)sqlite3_busy_timeout(
			db, (int)ROTA_MIN(backend->lock_timeout / 1000, 3600 * 1000));
		code = sqlite3_exec(db, connection_pragmas, NULL, NULL, NULL);
	}
	if (!code) {
		*ret_db = db;
		return ROTA_OK;
	}
	status = rota_sqlite_error(db, code, backend->path, "opening", err);
	sqlite3_close(db);
	return status;
}

static bool session_buffers(struct rota_session *session)
{
	session->work = calloc(1, sizeof(*session->work));
	if (session->role == ROTA_SESSION_WRITE)
		session->fresh = calloc(ROTA_SQLITE_ROWS, sizeof(*session->fresh));
	return session->work && (session->fresh || session->role != ROTA_SESSION_WRITE);
}

static enum rota_status session_connect(struct rota_session *session, struct rota_error *err)
{
	enum rota_status status = ROTA_OK;
	int code;

	session->db = atomic_exchange(&session->backend->spare, NULL);
	if (!session->db)
		status = rota_session_connect(
			session->backend, SQLITE_OPEN_READWRITE, &session->db, err);
	if (status)
		return status;
	code = rota_input_register(session->db, &session->input);
	if (code)
		return rota_sqlite_error(session->db, code, session->backend->path, "opening", err);
	return rota_session_prepare(session, err);
}

void rota_session_close(struct rota_session *session)
{
	if (!session)
		return;
	rota_sql_free(session);
	sqlite3_close(session->checkpointer);
	sqlite3_close(session->db);
	rota_names_forget(session);
	rota_arena_deinit(&session->scratch);
	rota_arena_deinit(&session->reads);
	free(session->chunk);
	free(session->fresh);
	free(session->work);
	free(session);
}

enum rota_status rota_session_open(struct rota_backend *backend, enum rota_session_role role,
	void *handle, struct rota_session **ret_session, struct rota_error *err)
{
	struct rota_session *session;
	enum rota_status status;

	if (handle || role == ROTA_SESSION_ATTACHED)
		return rota_err(err, ROTA_UNSUPPORTED,
			"a store inside the caller's own transaction is not there yet");
	session = calloc(1, sizeof(*session));
	if (!session)
		return rota_err_memory(err);
	session->backend = backend;
	session->role = role;
	session->news = &session->no_news;
	rota_arena_init(&session->scratch, 0);
	rota_arena_init(&session->reads, 0);
	status = session_buffers(session) ? session_connect(session, err) : rota_err_memory(err);
	if (status)
		rota_session_close(session);
	else
		*ret_session = session;
	return status;
}
