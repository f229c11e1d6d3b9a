/* ls.c: `rota ls`. */
#include "base/limits.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/info.h"
#include "cli/out.h"

struct ls {
	struct cli_list states;
	const char *queue, *type;
	struct cli_number limit, before;
};
#define AT(field) offsetof(struct ls, field)
static const struct cli_option options[] = {
	{"state", CLI_LIST, AT(states), "S",
		"blocked, scheduled, ready, running, completed, failed or cancelled; repeatable"},
	{"queue", CLI_TEXT, AT(queue), "Q", "only of this queue"},
	{"type", CLI_TEXT, AT(type), "T", "only of this type"},
	{"limit", CLI_INT, AT(limit), "N", "at most so many (default 100)", 1, ROTA_LIST_MAX},
	{"before", CLI_INT, AT(before), "ID", "only ids below: the next page", 1, INT64_MAX},
	{NULL},
};

static enum rota_status read_states(
	const struct cli_list *names, uint32_t *ret, struct rota_error *err)
{
	struct cli_number state;
	const struct cli_option choice = {"state", CLI_CHOICE, 0, "S", "",
		.choices = "blocked scheduled ready running completed failed cancelled"};

	for (size_t i = 0; i < names->count; i++) {
		enum rota_status status =
			cli_option_set(&choice, &state, names->items[i], "--state", NULL, err);

		if (status)
			return status;
		*ret |= 1u << state.value;
	}
	return ROTA_OK;
}

/* The date that matters in its state. */
static rota_time when(const struct rota_task_info *info)
{
	switch (info->state) {
	case ROTA_STATE_SCHEDULED:
		return info->run_at;
	case ROTA_STATE_RUNNING:
		return info->started_at;
	case ROTA_STATE_BLOCKED:
	case ROTA_STATE_READY:
		return info->created_at;
	default:
		return info->finished_at;
	}
}

static void add_row(struct cli_table *table, const struct rota_task_info *info)
{
	char text[40];

	cli_table_number(table, info->id);
	cli_table_cell(table, rota_state_name(info->state));
	cli_table_cell(table, info->type);
	cli_table_cell(table, info->queue);
	cli_table_number(table, info->attempt);
	cli_table_cell(table, rota_time_format(when(info) / 1000000 * 1000000, text, sizeof(text)));
	cli_table_cell(table, info->key);
	cli_table_cell(table, info->last_error && info->state != ROTA_STATE_COMPLETED
				      ? info->last_error
				      : info->title);
}

static void print(struct cli *cli, const struct rota_task_list *list)
{
	static const char *const heads[] = {
		"ID", "STATE", "TYPE", "QUEUE", "ATTEMPT", "SINCE/AT", "KEY", "TITLE/ERROR"};
	struct cli_table *table;

	if (cli->json) {
		for (size_t i = 0; i < list->count; i++)
			cli_out_json(cli_info_json(list->tasks[i], false));
		return;
	}
	table = cli_table_new(&cli->arena, ROTA_COUNT(heads), heads);
	cli_table_right(table, 1u << 0 | 1u << 4);
	for (size_t i = 0; i < list->count; i++)
		add_row(table, list->tasks[i]);
	cli_table_print(table);
}

static int run(struct cli *cli)
{
	const struct ls *set = cli->settings;
	struct rota_task_filter filter = ROTA_INIT(rota_task_filter);
	struct rota_task_list *list;
	struct rota_error err;

	if (read_states(&set->states, &filter.states, &err))
		return cli_fail(&err);
	filter.queue = set->queue;
	filter.type = set->type;
	filter.before = set->before.value;
	filter.limit = (size_t)set->limit.value;
	if (cli_open(cli, NULL, &err) || rota_task_list(cli->store, &filter, &list, &err))
		return cli_fail(&err);
	print(cli, list);
	rota_task_list_free(list);
	return 0;
}

const struct cli_verb cli_verb_ls = {
	.name = "ls",
	.usage = "[--state S]... [--queue Q] [--type T] [--limit N] [--before ID]",
	.summary = "list tasks, the newest first",
	.options = options,
	.settings_size = sizeof(struct ls),
	.run = run,
};
