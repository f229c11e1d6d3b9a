/* sql.c: prepared statements by name. */
#define ROTA_SQL_TEXTS 1
#include "store/sqlite/sqlite.h"

static sqlite3_stmt *statement_get(struct rota_session *session, enum rota_sql which)
{
	sqlite3_stmt **statement = &session->statements[which];

	if (*statement)
		return *statement;
	if (sqlite3_prepare_v3(session->db, rota_statements[which].text, -1,
		    SQLITE_PREPARE_PERSISTENT, statement, NULL) != SQLITE_OK) {
		(void)rota_session_failed(session, rota_statements[which].name);
		return NULL;
	}
	return *statement;
}

static int bind_bytes(sqlite3_stmt *statement, int nth, struct rota_bytes bytes)
{
	return bytes.data
		       ? sqlite3_bind_blob64(statement, nth, bytes.data, bytes.size, SQLITE_STATIC)
		       : sqlite3_bind_null(statement, nth);
}

static int bind_optional(sqlite3_stmt *statement, int nth, int64_t value)
{
	return value ? sqlite3_bind_int64(statement, nth, value)
		     : sqlite3_bind_null(statement, nth);
}

static sqlite3_stmt *bind_all(
	struct rota_session *session, enum rota_sql which, const char *shape, va_list args)
{
	sqlite3_stmt *statement = statement_get(session, which);
	int code = SQLITE_OK;

	for (int nth = 1; statement && code == SQLITE_OK && shape[nth - 1]; nth++) {
		switch (shape[nth - 1]) {
		case 'i':
			code = sqlite3_bind_int64(statement, nth, va_arg(args, int64_t));
			break;
		case 'o':
			code = bind_optional(statement, nth, va_arg(args, int64_t));
			break;
		case 't':
			code = sqlite3_bind_text(
				statement, nth, va_arg(args, const char *), -1, SQLITE_STATIC);
			break;
		case 'b':
			code = bind_bytes(statement, nth, va_arg(args, struct rota_bytes));
			break;
		default:
			ROTA_ASSERT(!"a letter of a statement's shape");
		}
	}
	if (!code)
		return statement;
	(void)rota_session_failed(session, rota_statements[which].name);
	return NULL;
}

int rota_sql_next(struct rota_session *session, sqlite3_stmt *statement)
{
	int code;

	if (!statement)
		return -1;
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		return 1;
	if (code != SQLITE_DONE)
		(void)rota_session_failed(session, sqlite3_sql(statement));
	sqlite3_reset(statement);
	return code == SQLITE_DONE ? 0 : -1;
}

sqlite3_stmt *rota_sql_query(
	struct rota_session *session, enum rota_sql which, const char *shape, ...)
{
	va_list args;
	sqlite3_stmt *statement;

	va_start(args, shape);
	statement = bind_all(session, which, shape, args);
	va_end(args);
	return statement;
}

enum rota_status rota_sql_run(
	struct rota_session *session, enum rota_sql which, const char *shape, ...)
{
	va_list args;
	sqlite3_stmt *statement;
	int got;

	va_start(args, shape);
	statement = bind_all(session, which, shape, args);
	va_end(args);
	while ((got = rota_sql_next(session, statement)) > 0)
		;
	return got ? session->error.status : ROTA_OK;
}

enum rota_status rota_sql_number(struct rota_session *session, enum rota_sql which, int64_t *ret,
	bool *ret_found, const char *shape, ...)
{
	va_list args;
	sqlite3_stmt *statement;
	int got;

	va_start(args, shape);
	statement = bind_all(session, which, shape, args);
	va_end(args);
	got = rota_sql_next(session, statement);
	if (got < 0)
		return session->error.status;
	*ret = got ? sqlite3_column_int64(statement, 0) : 0;
	if (ret_found)
		*ret_found = got;
	if (got)
		sqlite3_reset(statement);
	return ROTA_OK;
}

void rota_sql_free(struct rota_session *session)
{
	for (size_t i = 0; i < ROTA_SQL_COUNT; i++)
		sqlite3_finalize(session->statements[i]);
}
