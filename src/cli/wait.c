/* wait.c: `rota wait`. */
#include <inttypes.h>
#include <limits.h>
#include "base/log.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/info.h"
#include "cli/out.h"

struct wait {
	bool any;
	struct cli_number timeout;
};
#define AT(field) offsetof(struct wait, field)
static const struct cli_option options[] = {
	{"any", CLI_FLAG, AT(any), NULL, "until one of them has ended; the default is all"},
	{"timeout", CLI_DURATION, AT(timeout), "DUR",
		"exit 75 after that long (default: no limit)"},
	{NULL},
};

static const char *state_words(int32_t state)
{
	if (state == -1)
		return "gone";
	return state < 0 ? "waiting" : rota_state_name((enum rota_state)state);
}

static void print_json(rota_id id, int32_t state, const struct rota_task_info *info)
{
	json_t *object = json_object();

	cli_json_number(object, "id", id);
	cli_json_text(object, "state", state_words(state));
	if (info) {
		cli_json_bytes(object, "result", info->result);
		cli_json_text(object, "status_text", info->status_text);
		cli_json_text(object, "last_error", info->last_error);
	}
	cli_out_json(object);
}

static void print_words(rota_id id, int32_t state, const struct rota_task_info *info)
{
	if (state == ROTA_STATE_COMPLETED && info)
		cli_out_bytes(info->result);
	else if (state == ROTA_STATE_COMPLETED)
		rota_log_line("task %" PRId64
			      " completed; its result was not kept (see `rota queue set`)",
			id);
	else if (state == -1)
		rota_log_line("task %" PRId64 " is gone: deleted, pruned, or never there", id);
	else if (state == -2)
		rota_log_line("task %" PRId64 " has not ended yet; wait longer", id);
	else
		rota_log_line("task %" PRId64 " %s%s%s", id, state_words(state),
			info && info->last_error ? ": " : "",
			info && info->last_error ? info->last_error : "");
}

static int state_code(int32_t state)
{
	switch (state) {
	case ROTA_STATE_COMPLETED:
		return 0;
	case -1:
		return CLI_EXIT_NOT_FOUND;
	case -2:
		return CLI_EXIT_TRY_AGAIN;
	default:
		return CLI_EXIT_FAILED;
	}
}

/* A task may be pruned as soon as it has ended: then only its state is known. */
static void report(struct cli *cli, rota_id id, int32_t state)
{
	struct rota_task_info *info = NULL;
	struct rota_error err;

	if (state >= 0 && rota_task_get(cli->store, id, &info, &err) &&
		err.status != ROTA_NOT_FOUND)
		cli_fail(&err);
	if (cli->json)
		print_json(id, state, info);
	else
		print_words(id, state, info);
	rota_task_info_free(info);
}

/* 75 says that the others may still come; else the first that did not complete decides. */
static int all_code(const int32_t *states, int n)
{
	int code = 0;

	for (int i = 0; i < n; i++) {
		int one = state_code(states[i]);

		if (one == CLI_EXIT_TRY_AGAIN)
			return one;
		code = code ? code : one;
	}
	return code;
}

static int run(struct cli *cli)
{
	const struct wait *set = cli->settings;
	rota_duration timeout = set->timeout.given ? set->timeout.value : ROTA_FOREVER;
	int32_t *states = cli_array(cli, (size_t)cli->arg_count, sizeof(*states));
	struct rota_error err;
	enum rota_status status;
	rota_id *ids;

	if (cli_open(cli, NULL, &err) || cli_task_ids(cli, cli->args, cli->arg_count, &ids, &err))
		return cli_fail(&err);
	status = rota_task_wait(
		cli->store, ids, (size_t)cli->arg_count, !set->any, timeout, states, &err);
	if (status && status != ROTA_TIMED_OUT)
		return cli_fail(&err);
	for (int i = 0; i < cli->arg_count; i++) {
		if (set->any && status == ROTA_OK && states[i] == -2)
			continue;
		report(cli, ids[i], states[i]);
		if (set->any && status == ROTA_OK)
			return state_code(states[i]);
	}
	return all_code(states, cli->arg_count);
}

const struct cli_verb cli_verb_wait = {
	.name = "wait",
	.usage = "TASK... [--any] [--timeout DUR]",
	.summary = "wait until tasks have ended and print their results",
	.notes =
		"Exit code 0: completed; 1: failed or cancelled (the error is on standard error);\n"
		"66: gone; 75: timed out.",
	.options = options,
	.settings_size = sizeof(struct wait),
	.args_min = 1,
	.args_max = INT_MAX,
	.run = run,
};
