/* cancel.c: `rota cancel`. */
#include <limits.h>
#include "cli/act.h"

struct cancel {
	const char *reason;
};
static const struct cli_option options[] = {
	{"reason", CLI_TEXT, offsetof(struct cancel, reason), "TEXT", "kept with the task"},
	{NULL},
};

static int run(struct cli *cli)
{
	const struct cancel *set = cli->settings;
	enum rota_status *each = cli_array(cli, (size_t)cli->arg_count, sizeof(*each));
	struct rota_error err;
	rota_id *ids;

	if (cli_open(cli, NULL, &err) || cli_task_ids(cli, cli->args, cli->arg_count, &ids, &err) ||
		rota_task_cancel(cli->store, ids, (size_t)cli->arg_count, set->reason, each, &err))
		return cli_fail(&err);
	return cli_act_report(cli, ids, each, cli->arg_count, "cancel", "cancelled");
}

const struct cli_verb cli_verb_cancel = {
	.name = "cancel",
	.usage = "TASK... [--reason TEXT]",
	.summary = "cancel waiting tasks; ask running ones to stop",
	.options = options,
	.settings_size = sizeof(struct cancel),
	.args_min = 1,
	.args_max = INT_MAX,
	.run = run,
};
