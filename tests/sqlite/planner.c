/* Every statement uses the index that it says it uses. */
#define ROTA_SQL_TEXTS 1
#define ROTA_SQL_MIGRATIONS 1
#include <sqlite3.h>
#include "base/macros.h"
#include "store/sqlite/input.h"
#include "sqlite_sql.h"
#include "test.h"

static sqlite3 *schema_open(struct rota_input *input)
{
	sqlite3 *db = NULL;

	CHECK_EQ(sqlite3_open(":memory:", &db), SQLITE_OK);
	CHECK_EQ(rota_input_register(db, input), SQLITE_OK);
	for (const struct rota_migration *m = rota_migrations; m->sql; m++)
		CHECK_EQ(sqlite3_exec(db, m->sql, NULL, NULL, NULL), SQLITE_OK);
	return db;
}

static bool plain_control(const char *sql)
{
	static const char *const words[] = {
		"BEGIN", "COMMIT", "PRAGMA", "SAVEPOINT", "ROLLBACK", "RELEASE"};

	for (size_t i = 0; i < ROTA_COUNT(words); i++) {
		if (!strncmp(sql, words[i], strlen(words[i])))
			return true;
	}
	return false;
}

/* A SCAN is fine of what is no table of ours, of a table that the note names, and of an index's
 * order (which stops early: those statements say LIMIT). */
static bool scan_allowed(const char *step, const struct rota_statement *s)
{
	char wanted[80], table[64] = "";

	if (strncmp(step, "SCAN", 4) != 0 || strstr(step, "VIRTUAL TABLE"))
		return true;
	(void)sscanf(step, "SCAN %63s", table);
	if (!strncmp(table, "(subquery", 9) || !strcmp(table, "CONSTANT") ||
		!strncmp(table, "SUBQUERY", 8))
		return true;
	snprintf(wanted, sizeof(wanted), "scan: %s", table);
	return strstr(s->note, wanted) || (strstr(step, "USING") && strstr(s->text, "LIMIT 1"));
}

static void explain(sqlite3 *db, const struct rota_statement *s)
{
	char *sql = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", s->text);
	sqlite3_stmt *statement = NULL;

	CHECK_MSG(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK, "%s: %s", s->name,
		sqlite3_errmsg(db));
	while (sqlite3_step(statement) == SQLITE_ROW) {
		const char *step = (const char *)sqlite3_column_text(statement, 3);

		CHECK_MSG(scan_allowed(step, s), "%s: %s", s->name, step);
		CHECK_MSG(!strstr(step, "AUTOMATIC"), "%s: %s", s->name, step);
	}
	sqlite3_finalize(statement);
	sqlite3_free(sql);
}

TEST(no_statement_reads_a_whole_table_unless_its_comment_says_why)
{
	struct rota_input input = {0};
	sqlite3 *db = schema_open(&input);

	for (const struct rota_statement *s = rota_statements; s->name; s++) {
		if (!plain_control(s->text))
			explain(db, s);
	}
	sqlite3_close(db);
}

TEST(every_statement_has_a_comment_or_needs_none)
{
	for (const struct rota_statement *s = rota_statements; s->name; s++)
		CHECK_MSG(plain_control(s->text) || *s->note, "%s has no comment", s->name);
}

/* Statements that sort say so by using a B-tree; those of the hot path must not. */
TEST(claims_and_maintenance_read_in_the_order_of_an_index)
{
	static const char *const hot[] = {"claim_read", "claim_read_same", "claim_next_type", "group_next",
		"group_read", "group_rest", "expire_read", "expire_next", "key_next", "edge_page"};
	struct rota_input input = {0};
	sqlite3 *db = schema_open(&input);

	for (const struct rota_statement *s = rota_statements; s->name; s++) {
		char *sql = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", s->text);
		sqlite3_stmt *statement = NULL;
		bool watched = false;

		for (size_t i = 0; i < ROTA_COUNT(hot); i++)
			watched |= !strcmp(hot[i], s->name);
		if (watched) {
			CHECK_EQ(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
			while (sqlite3_step(statement) == SQLITE_ROW) {
				const char *step = (const char *)sqlite3_column_text(statement, 3);

				CHECK_MSG(!strstr(step, "TEMP B-TREE"), "%s: %s", s->name, step);
			}
			sqlite3_finalize(statement);
		}
		sqlite3_free(sql);
	}
	sqlite3_close(db);
}
