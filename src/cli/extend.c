/* extend.c: `rota extend`. */
#include <stdio.h>
#include "base/limits.h"
#include "cli/cli.h"
#include "cli/info.h"
#include "cli/lease.h"
#include "cli/out.h"

struct extend {
	struct cli_number token, lease;
};
#define AT(field) offsetof(struct extend, field)
static const struct cli_option options[] = {
	{"token", CLI_INT, AT(token), "N", "what `rota claim` said", 1, INT64_MAX},
	{"lease", CLI_DURATION, AT(lease), "DUR", "from now (default 60s), or forever", 1,
		ROTA_FOREVER},
	{NULL},
};

static int run(struct cli *cli)
{
	const struct extend *set = cli->settings;
	rota_duration lease = set->lease.given ? set->lease.value : ROTA_DEFAULT_CLAIM_LEASE;
	struct rota_error err;
	int cancel = 0;
	rota_id id;

	if (!set->token.given)
		return cli_usage(CLI_TOKEN_MISSING);
	if (cli_open(cli, NULL, &err) || cli_task_id(cli, cli->args[0], &id, &err) ||
		rota_task_extend(cli->store, id, set->token.value, lease, &cancel, &err))
		return cli_fail(&err);
	return cli_lease_report(cli, id, cancel);
}

const struct cli_verb cli_verb_extend = {
	.name = "extend",
	.usage = "TASK --token N [--lease DUR]",
	.summary = "keep a claimed task for longer",
	.notes = "Prints \"cancel requested\" when somebody has cancelled the task: stop, and "
		 "finish it.",
	.options = options,
	.settings_size = sizeof(struct extend),
	.args_min = 1,
	.args_max = 1,
	.run = run,
};
