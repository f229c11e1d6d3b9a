/* lease.c */
#include "cli/lease.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "cli/out.h"

int cli_lease_report(struct cli *cli, rota_id id, int cancel_requested)
{
	if (cli->json)
		cli_out_json(json_pack("{sI sb sb}", "id", (json_int_t)id, "ok", 1,
			"cancel_requested", cancel_requested));
	else if (cancel_requested)
		puts("cancel requested");
	return 0;
}

enum rota_status cli_value(const char *text, size_t max, const char *what, struct rota_buf *buf,
	struct rota_bytes *ret, struct rota_error *err)
{
	enum rota_status status;

	if (strcmp(text, "-") != 0) {
		*ret = (struct rota_bytes){text, strlen(text)};
		return ROTA_OK;
	}
	status = cli_read_all(STDIN_FILENO, max, what, buf, err);
	if (!status)
		*ret = cli_bytes(buf);
	return status;
}
