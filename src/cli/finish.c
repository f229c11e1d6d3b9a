/* finish.c: `rota finish`: what a claimed task came to. */
#include "base/limits.h"
#include "cli/info.h"
#include "cli/lease.h"
#include "cli/out.h"

struct finish {
	struct cli_number token, outcome, delay;
	const char *result, *status, *error;
};
#define AT(field) offsetof(struct finish, field)
static const struct cli_option options[] = {
	{"token", CLI_INT, AT(token), "N", "what `rota claim` said", 1, INT64_MAX},
	{"outcome", CLI_CHOICE, AT(outcome), "complete|retry|fail|snooze|release|cancel",
		"what became of it",
		.choices = "complete retry snooze release fail cancel"}, /* as enum rota_outcome */
	{"result", CLI_TEXT, AT(result), "TEXT",
		"complete: the result; - reads it from standard input"},
	{"status", CLI_TEXT, AT(status), "TEXT", "a line for people"},
	{"error", CLI_TEXT, AT(error), "TEXT", "retry, fail, cancel: why (default: the status)"},
	{"delay", CLI_DURATION, AT(delay), "DUR",
		"retry, snooze: again after that long; 0: at once"},
	{NULL},
};

static const char *mistake(const struct finish *set)
{
	int64_t outcome = set->outcome.value;

	if (!set->token.given)
		return CLI_TOKEN_MISSING;
	if (!set->outcome.given)
		return "say what became of it: --outcome complete, retry, fail, snooze, release or "
		       "cancel";
	if (set->result && outcome != ROTA_OUTCOME_COMPLETE)
		return "--result belongs to --outcome complete";
	if (set->delay.given && outcome != ROTA_OUTCOME_RETRY && outcome != ROTA_OUTCOME_SNOOZE)
		return "--delay belongs to --outcome retry or snooze";
	if (!set->delay.given && outcome == ROTA_OUTCOME_SNOOZE)
		return "--outcome snooze needs a --delay";
	return NULL;
}

static enum rota_status send(
	struct cli *cli, struct rota_bytes result, rota_id *ret_id, struct rota_error *err)
{
	const struct finish *set = cli->settings;
	struct rota_verdict verdict = ROTA_INIT(rota_verdict);
	enum rota_status status = cli_open(cli, NULL, err);

	if (!status)
		status = cli_task_id(cli, cli->args[0], &verdict.id, err);
	if (status)
		return status;
	verdict.token = set->token.value;
	verdict.outcome = (enum rota_outcome)set->outcome.value;
	verdict.has_delay = set->delay.given;
	verdict.delay = set->delay.value;
	verdict.result = result;
	verdict.status_text = set->status;
	if (verdict.outcome == ROTA_OUTCOME_RETRY || verdict.outcome == ROTA_OUTCOME_FAIL ||
		verdict.outcome == ROTA_OUTCOME_CANCEL)
		verdict.error = set->error ? set->error : set->status;
	*ret_id = verdict.id;
	return rota_task_finish(cli->store, &verdict, 1, NULL, err);
}

static int run(struct cli *cli)
{
	const struct finish *set = cli->settings;
	struct rota_buf input ROTA_CLEANUP(rota_buf_deinit) = {.data = NULL};
	struct rota_bytes result = {NULL, 0};
	struct rota_error err;
	enum rota_status status = ROTA_OK;
	rota_id id;

	if (mistake(set))
		return cli_usage("%s", mistake(set));
	if (set->result)
		status = cli_value(
			set->result, ROTA_RESULT_BYTES_MAX, "result", &input, &result, &err);
	if (!status)
		status = send(cli, result, &id, &err);
	if (status)
		return cli_fail(&err);
	if (cli->json)
		cli_out_json(cli_answer_json(id, ROTA_OK, NULL));
	return 0;
}

const struct cli_verb cli_verb_finish = {
	.name = "finish",
	.usage = "TASK --token N --outcome complete|retry|fail|snooze|release|cancel [OPTION]...",
	.summary = "end a claimed task",
	.notes = "The same outcome sent twice is fine. Refused, with nothing changed, when another "
		 "lease has the\n"
		 "task by now.",
	.options = options,
	.settings_size = sizeof(struct finish),
	.args_min = 1,
	.args_max = 1,
	.run = run,
};
