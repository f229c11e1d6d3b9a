/* act.c */
#include "cli/act.h"
#include <inttypes.h>
#include <stdio.h>
#include "base/log.h"
#include "cli/info.h"
#include "cli/out.h"

const char *cli_act_why(enum rota_status status)
{
	switch (status) {
	case ROTA_NOT_FOUND:
		return "there is no such task; `rota ls` shows those there are";
	case ROTA_COMPLETED:
		return "it is completed already";
	case ROTA_FAILED:
		return "it has failed already; `rota retry` runs it again";
	case ROTA_CANCELLED:
		return "it is cancelled already; `rota retry` runs it again";
	case ROTA_STALE_LEASE:
		return "another lease has it now: the token is an old one";
	case ROTA_WRONG_STATE:
		return "its state does not allow that; `rota show` says which it is";
	default:
		return rota_status_name(status);
	}
}

int cli_act_report(struct cli *cli, const rota_id *ids, const enum rota_status *each, int count,
	const char *verb, const char *done)
{
	int code = 0;

	for (int i = 0; i < count; i++) {
		const char *why = each[i] ? cli_act_why(each[i]) : NULL;

		if (cli->json)
			cli_out_json(cli_answer_json(ids[i], each[i], why));
		else if (!each[i])
			printf("%" PRId64 " %s\n", ids[i], done);
		if (!each[i])
			continue;
		rota_log_line("cannot %s %" PRId64 ": %s", verb, ids[i], why);
		code = code ? code : rota_status_exit_code(each[i]);
	}
	return code;
}
