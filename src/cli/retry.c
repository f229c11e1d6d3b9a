/* retry.c: `rota retry`. */
#include <limits.h>
#include "cli/act.h"

static int run(struct cli *cli)
{
	enum rota_status *each = cli_array(cli, (size_t)cli->arg_count, sizeof(*each));
	struct rota_error err;
	rota_id *ids;

	if (cli_open(cli, NULL, &err) || cli_task_ids(cli, cli->args, cli->arg_count, &ids, &err) ||
		rota_task_retry(cli->store, ids, (size_t)cli->arg_count, each, &err))
		return cli_fail(&err);
	return cli_act_report(cli, ids, each, cli->arg_count, "retry", "will run again");
}

const struct cli_verb cli_verb_retry = {
	.name = "retry",
	.usage = "TASK...",
	.summary = "run ended tasks again, with a fresh budget of attempts",
	.args_min = 1,
	.args_max = INT_MAX,
	.run = run,
};
