/* progress.c: `rota progress`. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/limits.h"
#include "cli/lease.h"

struct progress {
	struct cli_number token, done, total;
	const char *status;
};
#define AT(field) offsetof(struct progress, field)
static const struct cli_option options[] = {
	{"token", CLI_INT, AT(token), "N", "what `rota claim` said", 1, INT64_MAX},
	{"done", CLI_INT, AT(done), "N", "how much is done …", 0, INT64_MAX},
	{"total", CLI_INT, AT(total), "N", "… of how much: {\"done\":N,\"total\":N}", 0, INT64_MAX},
	{"status", CLI_TEXT, AT(status), "TEXT", "a line for people"},
	{NULL},
};

static enum rota_status send(struct cli *cli, struct rota_bytes progress, rota_id *ret_id,
	int *ret_cancel, struct rota_error *err)
{
	const struct progress *set = cli->settings;
	enum rota_status status = cli_open(cli, NULL, err);

	if (!status)
		status = cli_task_id(cli, cli->args[0], ret_id, err);
	if (!status)
		status = rota_task_progress(cli->store, *ret_id, set->token.value, progress,
			set->status, ret_cancel, err);
	return status;
}

static int run(struct cli *cli)
{
	const struct progress *set = cli->settings;
	struct rota_buf input ROTA_CLEANUP(rota_buf_deinit) = {.data = NULL};
	struct rota_bytes progress = {NULL, 0};
	struct rota_error err;
	enum rota_status status = ROTA_OK;
	char counts[80];
	int cancel = 0;
	rota_id id;

	if (!set->token.given)
		return cli_usage(CLI_TOKEN_MISSING);
	if (set->done.given != set->total.given || (set->done.given && cli->arg_count > 1))
		return cli_usage("give PROGRESS, or both --done N and --total N");
	if (!set->done.given && cli->arg_count < 2 && !set->status)
		return cli_usage("nothing to say: give PROGRESS, --done and --total, or --status");
	if (set->done.given) {
		snprintf(counts, sizeof(counts), "{\"done\":%" PRId64 ",\"total\":%" PRId64 "}",
			set->done.value, set->total.value);
		progress = (struct rota_bytes){counts, strlen(counts)};
	} else if (cli->arg_count > 1) {
		status = cli_value(
			cli->args[1], ROTA_PROGRESS_BYTES_MAX, "progress", &input, &progress, &err);
	}
	if (!status)
		status = send(cli, progress, &id, &cancel, &err);
	return status ? cli_fail(&err) : cli_lease_report(cli, id, cancel);
}

const struct cli_verb cli_verb_progress = {
	.name = "progress",
	.usage = "TASK --token N [PROGRESS | - | --done N --total N] [--status TEXT]",
	.summary = "say how far a claimed task is",
	.notes = "PROGRESS is any text, JSON by convention. The lease stays as it is: see rota "
		 "extend.\n"
		 "Prints \"cancel requested\" when somebody has cancelled the task.",
	.options = options,
	.settings_size = sizeof(struct progress),
	.args_min = 1,
	.args_max = 2,
	.run = run,
};
