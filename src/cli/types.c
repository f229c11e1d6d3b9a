/* types.c: `rota types`: a line per type. */
#include "cli/cli.h"
#include "cli/info.h"
#include "cli/out.h"

static void print_json(const struct rota_type_info *type)
{
	json_t *object = json_object();

	cli_json_text(object, "type", type->name);
	cli_json_counts(object, type->count);
	cli_out_json(object);
}

static void print(struct cli *cli, const struct rota_type_list *list)
{
	static const char *const heads[] = {"TYPE", "BLOCKED", "SCHEDULED", "READY", "RUNNING",
		"COMPLETED", "FAILED", "CANCELLED"};
	struct cli_table *table = cli_table_new(&cli->arena, ROTA_COUNT(heads), heads);

	cli_table_right(table, 0xfe);
	for (size_t i = 0; i < list->count; i++) {
		cli_table_cell(table, list->types[i]->name);
		for (int state = 0; state < 7; state++)
			cli_table_number(table, (int64_t)list->types[i]->count[state]);
	}
	cli_table_print(table);
}

static int run(struct cli *cli)
{
	struct rota_type_list *list;
	struct rota_error err;

	if (cli_open(cli, NULL, &err) || rota_type_list(cli->store, &list, &err))
		return cli_fail(&err);
	for (size_t i = 0; cli->json && i < list->count; i++)
		print_json(list->types[i]);
	if (!cli->json)
		print(cli, list);
	rota_type_list_free(list);
	return 0;
}

const struct cli_verb cli_verb_types = {
	.name = "types",
	.usage = "",
	.summary = "a line per type: how many tasks are in each state",
	.run = run,
};
