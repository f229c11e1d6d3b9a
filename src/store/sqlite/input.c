/* input.c: the virtual table rota_in, see input.h. */
#include <stdlib.h>
#include <rota/status.h>
#include "store/sqlite/input.h"

struct input_table {
	sqlite3_vtab base;
	const struct rota_input *input;
};
struct input_cursor {
	sqlite3_vtab_cursor base;
	const char *row;
	size_t left;
};

static int input_connect(sqlite3 *db, void *arg, int argc, const char *const *argv,
	sqlite3_vtab **ret_table, char **ret_error)
{
	struct input_table *table;
	int code = sqlite3_declare_vtab(db,
		"CREATE TABLE rota_in(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t)");

	(void)argc, (void)argv, (void)ret_error;
	if (code)
		return code;
	table = calloc(1, sizeof(*table));
	if (!table)
		return SQLITE_NOMEM;
	table->input = arg;
	*ret_table = &table->base;
	return SQLITE_OK;
}

static int input_disconnect(sqlite3_vtab *table)
{
	free(table);
	return SQLITE_OK;
}

/* Always read whole, in order. */
static int input_plan(sqlite3_vtab *table, sqlite3_index_info *info)
{
	(void)table;
	info->estimatedCost = 10;
	info->estimatedRows = 10;
	return SQLITE_OK;
}

static int input_open(sqlite3_vtab *table, sqlite3_vtab_cursor **ret_cursor)
{
	struct input_cursor *cursor = calloc(1, sizeof(*cursor));

	(void)table;
	if (!cursor)
		return SQLITE_NOMEM;
	*ret_cursor = &cursor->base;
	return SQLITE_OK;
}

static int input_close(sqlite3_vtab_cursor *cursor)
{
	free(cursor);
	return SQLITE_OK;
}

static const struct rota_input *input_of(sqlite3_vtab_cursor *cursor)
{
	return ((struct input_table *)(void *)cursor->pVtab)->input;
}

static int input_filter(
	sqlite3_vtab_cursor *base, int plan, const char *text, int argc, sqlite3_value **argv)
{
	struct input_cursor *cursor = (struct input_cursor *)(void *)base;

	(void)plan, (void)text, (void)argc, (void)argv;
	cursor->row = input_of(base)->rows;
	cursor->left = input_of(base)->count;
	return SQLITE_OK;
}

static int input_next(sqlite3_vtab_cursor *base)
{
	struct input_cursor *cursor = (struct input_cursor *)(void *)base;

	cursor->row += input_of(base)->stride ? input_of(base)->stride : sizeof(void *);
	cursor->left--;
	return SQLITE_OK;
}

static int input_eof(sqlite3_vtab_cursor *base)
{
	return ((struct input_cursor *)(void *)base)->left == 0;
}

/* A column that sets no result is NULL. */
static int input_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int n)
{
	const struct rota_input *input = input_of(base);
	const struct rota_input_column *column = &input->columns[n];
	const char *row = ((struct input_cursor *)(void *)base)->row;
	const void *at =
		(input->stride ? row : *(const char *const *)(const void *)row) + column->at;

	switch ((enum rota_input_kind)column->kind) {
	case ROTA_INPUT_I64:
		sqlite3_result_int64(context, *(const int64_t *)at);
		break;
	case ROTA_INPUT_I32:
		sqlite3_result_int(context, *(const int32_t *)at);
		break;
	case ROTA_INPUT_U32:
		sqlite3_result_int64(context, *(const uint32_t *)at);
		break;
	case ROTA_INPUT_OPTIONAL:
		if (*(const int64_t *)at)
			sqlite3_result_int64(context, *(const int64_t *)at);
		break;
	case ROTA_INPUT_TEXT:
		if (*(const char *const *)at)
			sqlite3_result_text(context, *(const char *const *)at, -1, SQLITE_STATIC);
		break;
	case ROTA_INPUT_BYTES: {
		const struct rota_bytes *bytes = at;

		if (bytes->data)
			sqlite3_result_blob64(context, bytes->data, bytes->size, SQLITE_STATIC);
	}
	}
	return SQLITE_OK;
}

static int input_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret_rowid)
{
	const struct input_cursor *cursor = (struct input_cursor *)(void *)base;

	*ret_rowid = (sqlite3_int64)(input_of(base)->count - cursor->left);
	return SQLITE_OK;
}

/* Eponymous only (no xCreate): it exists on every connection that registered it, and in no schema.
 */
static const sqlite3_module input_module = {
	.iVersion = 0,
	.xConnect = input_connect,
	.xDisconnect = input_disconnect,
	.xBestIndex = input_plan,
	.xOpen = input_open,
	.xClose = input_close,
	.xFilter = input_filter,
	.xNext = input_next,
	.xEof = input_eof,
	.xColumn = input_column,
	.xRowid = input_rowid,
};

int rota_input_register(sqlite3 *db, struct rota_input *input)
{
	return sqlite3_create_module(db, "rota_in", &input_module, input);
}
