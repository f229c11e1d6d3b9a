/* signal.c: `rota signal`. */
#include <stdio.h>
#include "cli/cli.h"
#include "cli/info.h"
#include "cli/out.h"

static int run(struct cli *cli)
{
	const char *name = cli->arg_count > 1 ? cli->args[1] : NULL;
	struct rota_error err;
	rota_id id;

	if (cli_open(cli, NULL, &err) || cli_task_id(cli, cli->args[0], &id, &err) ||
		rota_task_signal(cli->store, id, name, &err))
		return cli_fail(&err);
	if (cli->json)
		cli_out_json(cli_answer_json(id, ROTA_OK, NULL));
	return 0;
}

const struct cli_verb cli_verb_signal = {
	.name = "signal",
	.usage = "TASK [NAME]",
	.summary = "one awaited event has happened; a NAME counts once",
	.args_min = 1,
	.args_max = 2,
	.run = run,
};
