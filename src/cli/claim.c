/* claim.c: `rota claim`, for people who pull. */
#include <inttypes.h>
#include <signal.h>
#include "base/limits.h"
#include "base/log.h"
#include "cli/act.h"
#include "cli/info.h"
#include "cli/out.h"

struct claim {
	struct cli_list queues, types, ids;
	struct cli_number max, lease, wait;
	const char *name;
};
#define AT(field) offsetof(struct claim, field)
static const struct cli_option options[] = {
	{"queue", CLI_LIST, AT(queues), "Q", "only from this queue; repeatable"},
	{"type", CLI_LIST, AT(types), "T", "only of this type; repeatable"},
	{"id", CLI_LIST, AT(ids), "TASK", "exactly this task, which must be ready; repeatable"},
	{"max", CLI_INT, AT(max), "N", "at most so many (default 1)", 1, ROTA_CLAIM_TASKS_MAX},
	{"lease", CLI_DURATION, AT(lease), "DUR",
		"how long before others may have it (default 60s); forever", 1, ROTA_FOREVER},
	{"wait", CLI_DURATION, AT(wait), "DUR",
		"how long to wait for the first; forever (default: not at all)",
		.max = ROTA_FOREVER},
	{"name", CLI_TEXT, AT(name), "N", "who you are, for people (default host:pid)"},
	{NULL},
};

/* Nobody would know their tokens: give them back instead of letting their leases run out. */
static void give_back(struct cli *cli, const struct rota_claims *claims)
{
	struct rota_verdict *verdicts = cli_array(cli, claims->count, sizeof(*verdicts));
	struct rota_error err;

	for (size_t i = 0; i < claims->count; i++) {
		verdicts[i].size = sizeof(*verdicts);
		verdicts[i].id = claims->tasks[i]->id;
		verdicts[i].token = claims->tasks[i]->token;
		verdicts[i].outcome = ROTA_OUTCOME_RELEASE;
	}
	if (rota_task_finish(cli->store, verdicts, claims->count, NULL, &err))
		cli_fail(&err);
}

static int report_missing(const rota_id *ids, const enum rota_status *each, size_t n)
{
	int code = 0;

	for (size_t i = 0; i < n; i++) {
		if (!each[i])
			continue;
		rota_log_line("cannot claim %" PRId64 ": %s", ids[i], cli_act_why(each[i]));
		code = code ? code : rota_status_exit_code(each[i]);
	}
	return code;
}

static int run(struct cli *cli)
{
	const struct claim *set = cli->settings;
	struct rota_claim_options want = ROTA_INIT(rota_claim_options);
	enum rota_status *each = cli_array(cli, set->ids.count, sizeof(*each));
	struct rota_claims *claims;
	struct rota_error err;
	rota_id *ids = NULL;

	signal(SIGPIPE, SIG_IGN); /* a reader that has gone is noticed, see give_back */
	if (cli_open(cli, NULL, &err) ||
		cli_task_ids(cli, (char **)set->ids.items, (int)set->ids.count, &ids, &err))
		return cli_fail(&err);
	want.worker = set->name;
	want.queues = set->queues.items;
	want.queue_count = set->queues.count;
	want.types = set->types.items;
	want.type_count = set->types.count;
	want.ids = ids;
	want.id_count = set->ids.count;
	want.tasks_max = set->max.given ? (size_t)set->max.value : set->ids.count;
	want.lease = set->lease.value;
	want.wait = set->wait.value;
	if (rota_task_claim(cli->store, &want, &claims, each, &err))
		return cli_fail(&err);
	for (size_t i = 0; i < claims->count; i++)
		cli_out_json(cli_claimed_json(claims->tasks[i]));
	if (cli_out_flush())
		give_back(cli, claims);
	rota_claims_free(claims);
	return report_missing(ids, each, set->ids.count);
}

const struct cli_verb cli_verb_claim = {
	.name = "claim",
	.usage = "[--queue Q]... [--type T]... [--id TASK]... [--max N] [--lease DUR] [--wait DUR]",
	.summary = "take tasks to run by hand: a JSON line each, with its token",
	.notes = "Nothing to do prints nothing and exits 0. Afterwards: rota extend, rota "
		 "progress, rota finish,\n"
		 "each with --token.",
	.options = options,
	.settings_size = sizeof(struct claim),
	.run = run,
};
