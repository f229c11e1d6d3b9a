/* delete.c: `rota delete`. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include "cli/act.h"
#include "cli/out.h"

struct delete
{
	bool cascade, force;
};
#define AT(field) offsetof(struct delete, field)
static const struct cli_option options[] = {
	{"cascade", CLI_FLAG, AT(cascade), NULL,
		"and every dependent that has nothing left to wait for"},
	{"force", CLI_FLAG, AT(force), NULL, "running tasks too; else one of them refuses it all"},
	{NULL},
};

static int run(struct cli *cli)
{
	const struct delete *set = cli->settings;
	uint32_t flags =
		(set->cascade ? ROTA_DELETE_CASCADE : 0) | (set->force ? ROTA_DELETE_FORCE : 0);
	enum rota_status *each = cli_array(cli, (size_t)cli->arg_count, sizeof(*each));
	struct rota_error err;
	uint64_t deleted;
	rota_id *ids;

	if (cli_open(cli, NULL, &err) || cli_task_ids(cli, cli->args, cli->arg_count, &ids, &err) ||
		rota_task_delete(
			cli->store, ids, (size_t)cli->arg_count, flags, &deleted, each, &err))
		return cli_fail(&err);
	if (!cli->json && set->cascade)
		printf("%" PRIu64 " deleted in all\n", deleted);
	return cli_act_report(cli, ids, each, cli->arg_count, "delete", "deleted");
}

const struct cli_verb cli_verb_delete = {
	.name = "delete",
	.usage = "TASK... [--cascade] [--force]",
	.summary = "delete tasks; what waits for an unfinished one sees it as failed",
	.options = options,
	.settings_size = sizeof(struct delete),
	.args_min = 1,
	.args_max = INT_MAX,
	.run = run,
};
