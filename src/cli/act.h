/* act.h: what cancel, retry and delete have in common: an answer for each task. */
#ifndef ROTA_CLI_ACT_H
#define ROTA_CLI_ACT_H
#include "cli/cli.h"
/* Prints a line for each ("done": what happened, e.g. "cancelled") and one on stderr for each
 * refusal. verb: "cancel", for the refusals. The exit code is the first refusal's. */
int cli_act_report(struct cli *cli, const rota_id *ids, const enum rota_status *each, int count,
	const char *verb, const char *done);
/* Why, and what to do about it. */
const char *cli_act_why(enum rota_status status);
#endif
