/* out.h: standard output: JSON lines, aligned tables, text that cannot play with the terminal. */
#ifndef ROTA_CLI_OUT_H
#define ROTA_CLI_OUT_H
#include <stdio.h>
#include <jansson.h>
#include <rota/task.h>
#include "base/arena.h"

/* Prints one line and drops the reference. NULL: memory ran out while it was made, which is kept
 * and makes cli_out_close answer. */
void cli_out_json(json_t *object);
/* Bytes as they are. */
void cli_out_bytes(struct rota_bytes bytes);
/* Control characters (of names, titles, errors: other people's text) as \x1b. size -1: a text. */
void cli_out_text(const char *text);
/* code, or CLI_EXIT_IO with a line on stderr when something could not be written. */
int cli_out_close(int code);
/* Not 0: what was printed so far did not get out. */
int cli_out_flush(void);

/* Rows first, so that columns are as wide as they need to be. */
struct cli_table;
struct cli_table *cli_table_new(struct rota_arena *arena, size_t columns, const char *const *heads);
/* Right-aligned columns: bit 1 << column. */
void cli_table_right(struct cli_table *table, uint32_t columns);
/* The next cell, row by row; NULL prints as "-". Copied. */
void cli_table_cell(struct cli_table *table, const char *text);
void cli_table_number(struct cli_table *table, int64_t value);
void cli_table_print(const struct cli_table *table);
#endif
