/* stats.c: `rota stats`: a line per queue. */
#include "base/text.h"
#include "cli/cli.h"
#include "cli/info.h"
#include "cli/out.h"

static void print_json(const struct rota_queue_info *queue)
{
	json_t *object = json_object();

	cli_json_text(object, "queue", queue->name);
	json_object_set_new(object, "paused", json_boolean(queue->paused));
	cli_json_counts(object, queue->count);
	cli_json_time(object, "oldest_ready", queue->oldest_ready);
	cli_out_json(object);
}

static void print(struct cli *cli, const struct rota_queue_list *list)
{
	static const char *const heads[] = {"QUEUE", "BLOCKED", "SCHEDULED", "READY", "RUNNING",
		"COMPLETED", "FAILED", "CANCELLED", "OLDEST READY", "STATE"};
	struct cli_table *table = cli_table_new(&cli->arena, ROTA_COUNT(heads), heads);
	char text[40];

	cli_table_right(table, 0xfe);
	for (size_t i = 0; i < list->count; i++) {
		const struct rota_queue_info *queue = list->queues[i];

		cli_table_cell(table, queue->name);
		for (int state = 0; state < 7; state++)
			cli_table_number(table, (int64_t)queue->count[state]);
		cli_table_cell(table, queue->oldest_ready ? rota_time_format(queue->oldest_ready,
								    text, sizeof(text))
							  : NULL);
		cli_table_cell(table, queue->paused ? "paused" : "open");
	}
	cli_table_print(table);
}

static int run(struct cli *cli)
{
	struct rota_queue_list *list;
	struct rota_error err;

	if (cli_open(cli, NULL, &err) || rota_queue_list(cli->store, &list, &err))
		return cli_fail(&err);
	for (size_t i = 0; cli->json && i < list->count; i++)
		print_json(list->queues[i]);
	if (!cli->json)
		print(cli, list);
	rota_queue_list_free(list);
	return 0;
}

const struct cli_verb cli_verb_stats = {
	.name = "stats",
	.usage = "",
	.summary = "a line per queue: how many tasks are in each state",
	.run = run,
};
