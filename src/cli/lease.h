/* lease.h: what extend, progress and finish share. */
#ifndef ROTA_CLI_LEASE_H
#define ROTA_CLI_LEASE_H
#include "cli/cli.h"
#define CLI_TOKEN_MISSING "say which lease is yours: --token N, as `rota claim` printed it"
/* What the store answered to a heartbeat; an exit code. */
int cli_lease_report(struct cli *cli, rota_id id, int cancel_requested);
/* text "-": standard input; into buf, at most max bytes. */
enum rota_status cli_value(const char *text, size_t max, const char *what, struct rota_buf *buf,
	struct rota_bytes *ret, struct rota_error *err);
#endif
