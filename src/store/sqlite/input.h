/* input.h: an array of C structs as a table. `SELECT a, b FROM rota_in` reads the rows that the
 * session shows at that moment, so that one statement inserts, changes or deletes a thousand tasks:
 * half the cost of a thousand statements (no binding, stepping and opening of cursors per row).
 * Columns are called a, b, c, …; each statement's comment says what they mean. */
#ifndef ROTA_STORE_SQLITE_INPUT_H
#define ROTA_STORE_SQLITE_INPUT_H
#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#define ROTA_INPUT_COLUMNS 20
enum rota_input_kind {
	ROTA_INPUT_I64,
	ROTA_INPUT_I32,
	ROTA_INPUT_U32,
	ROTA_INPUT_OPTIONAL, /* int64_t whose 0 is NULL */
	ROTA_INPUT_TEXT,     /* const char *, NULL is NULL */
	ROTA_INPUT_BYTES     /* struct rota_bytes, data NULL is NULL */
};
struct rota_input_column {
	uint16_t at; /* offset in the row */
	uint16_t kind;
};
struct rota_input {
	const void *rows;
	size_t count, stride; /* stride 0: rows is an array of pointers to them */
	const struct rota_input_column *columns;
};
#define ROTA_INPUT(kind_, type, member)                                                            \
	{                                                                                          \
		offsetof(type, member), ROTA_INPUT_##kind_                                         \
	}
/* Shows rows_, an array of structs, through columns_. */
#define ROTA_SHOW(session, rows_, count_, columns_)                                                \
	((session)->input = (struct rota_input){(rows_), (count_), sizeof(*(rows_)), (columns_)})
/* The same for an array of pointers to structs. */
#define ROTA_SHOW_LIST(session, list_, count_, columns_)                                           \
	((session)->input = (struct rota_input){(list_), (count_), 0, (columns_)})

/* Makes rota_in on a connection; input outlives it. A SQLite code. */
int rota_input_register(sqlite3 *db, struct rota_input *input);
#endif
