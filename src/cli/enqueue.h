/* enqueue.h: between `rota enqueue` and its --from. */
#ifndef ROTA_CLI_ENQUEUE_H
#define ROTA_CLI_ENQUEUE_H
#include "cli/cli.h"
#include "cli/task.h"

struct cli_enqueue {
	struct cli_task task; /* first: the offsets of cli_task_options are within it */
	const char *from;
	struct cli_number durability;
};
/* All tasks of a JSON Lines file ("-": standard input), or none. An exit code. */
int cli_enqueue_from(struct cli *cli, const char *path, struct rota_store_options *options);
#endif
