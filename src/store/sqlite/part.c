/* part.c: the large or rare bytes of a task, each a row of rota_part. */
#include <string.h>
#include "store/sqlite/row.h"

enum rota_status rota_part_set(struct rota_session *session, struct rota_row *row,
	enum rota_part part, struct rota_bytes data)
{
	row->facts.flags |= part == ROTA_PART_PAYLOAD ? ROTA_ROW_BIG : ROTA_ROW_PARTS;
	if (part == ROTA_PART_PROGRESS)
		row->facts.flags |= ROTA_ROW_PROGRESS;
	return rota_sql_run(
		session, ROTA_SQL_PART_SET, "ib", rota_part_id(row->facts.id, part), data);
}

enum rota_status rota_part_set_text(
	struct rota_session *session, struct rota_row *row, enum rota_part part, const char *text)
{
	return rota_part_set(session, row, part, (struct rota_bytes){text, strlen(text)});
}

enum rota_status rota_part_get(struct rota_session *session, rota_id task, enum rota_part part,
	struct rota_arena *arena, struct rota_bytes *ret)
{
	sqlite3_stmt *s = rota_sql_query(session, ROTA_SQL_PART_GET, "i", rota_part_id(task, part));
	int got = rota_sql_next(session, s);
	struct rota_bytes found = {NULL, 0};
	enum rota_status status = ROTA_OK;

	if (got < 0)
		return session->error.status;
	*ret = found;
	if (!got)
		return ROTA_OK;
	found.data = sqlite3_column_blob(s, 0);
	found.size = (size_t)sqlite3_column_bytes(s, 0);
	if (!found.data)
		found.data = "";
	if (!rota_arena_bytes(arena, found, ret))
		status = rota_session_memory(session);
	sqlite3_reset(s);
	return status;
}
