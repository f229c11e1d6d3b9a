/* out.c: what goes to standard output. A write that fails is said once, at the end. */
#include "cli/out.h"
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include "base/log.h"
#include "base/macros.h"
#include "cli/cli.h"

static bool lost; /* something could not even be made */

void cli_out_json(json_t *object)
{
	if (!object || json_dumpf(object, stdout, JSON_COMPACT) != 0)
		lost = true;
	else
		putchar('\n');
	json_decref(object);
}

void cli_out_bytes(struct rota_bytes bytes)
{
	if (bytes.size && fwrite(bytes.data, 1, bytes.size, stdout) != bytes.size)
		lost = true;
}

int cli_out_flush(void)
{
	return fflush(stdout) != 0 || ferror(stdout) || lost;
}

int cli_out_close(int code)
{
	if (!cli_out_flush())
		return code;
	rota_log_line(
		"cannot write to standard output: %s", errno ? strerror(errno) : "out of memory");
	return code ? code : CLI_EXIT_IO;
}

/* C0, DEL, and C1 (U+0080 to U+009F, in UTF-8 c2 80 to c2 9f). */
static size_t control_size(const unsigned char *at)
{
	if (at[0] < 0x20 || at[0] == 0x7f)
		return 1;
	return at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f ? 2 : 0;
}

void cli_out_text(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at) {
		size_t size = control_size(at);

		if (size)
			printf("\\x%02x", at[size - 1]);
		else
			putchar(*at);
		at += size ? size : 1;
	}
}

/* In characters as printed by cli_out_text; double width is not known here. */
static size_t text_width(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t width = 0;

	while (*at) {
		size_t size = control_size(at);

		width += size ? 4 : (*at & 0xc0) != 0x80;
		at += size ? size : 1;
	}
	return width;
}

#define COLUMNS_MAX 16
struct cell {
	const char *text;
	struct cell *next;
};
struct cli_table {
	struct rota_arena *arena;
	size_t columns, at, width[COLUMNS_MAX];
	uint32_t right;
	struct cell *first, *last;
};

struct cli_table *cli_table_new(struct rota_arena *arena, size_t columns, const char *const *heads)
{
	struct cli_table *table = rota_arena_zalloc(arena, sizeof(*table));

	ROTA_ASSERT(columns <= COLUMNS_MAX);
	if (!table) {
		lost = true;
		return NULL;
	}
	table->arena = arena;
	table->columns = columns;
	for (size_t i = 0; i < columns; i++)
		cli_table_cell(table, heads[i]);
	return table;
}

void cli_table_right(struct cli_table *table, uint32_t columns)
{
	if (table)
		table->right = columns;
}

void cli_table_cell(struct cli_table *table, const char *text)
{
	struct cell *cell = table ? rota_arena_zalloc(table->arena, sizeof(*cell)) : NULL;
	size_t *width;

	if (!cell || !(cell->text = rota_arena_strdup(table->arena, text ? text : "-"))) {
		lost = true;
		return;
	}
	if (table->last)
		table->last->next = cell;
	else
		table->first = cell;
	table->last = cell;
	width = &table->width[table->at++ % table->columns];
	*width = ROTA_MAX(*width, text_width(cell->text));
}

void cli_table_number(struct cli_table *table, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	cli_table_cell(table, text);
}

static void print_cell(const struct cli_table *table, const struct cell *cell, size_t column)
{
	size_t pad = table->width[column] - text_width(cell->text);
	bool right = table->right >> column & 1, last = column + 1 == table->columns;

	if (right)
		printf("%*s", (int)pad, "");
	cli_out_text(cell->text);
	if (last)
		putchar('\n');
	else
		printf("%*s", right ? 2 : (int)pad + 2, "");
}

void cli_table_print(const struct cli_table *table)
{
	size_t column = 0;

	for (const struct cell *cell = table ? table->first : NULL; cell; cell = cell->next) {
		print_cell(table, cell, column);
		column = (column + 1) % table->columns;
	}
}
