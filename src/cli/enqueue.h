/* enqueue.h: between `rota enqueue` and its --from. */
#ifndef ROTA_CLI_ENQUEUE_H
#define ROTA_CLI_ENQUEUE_H
#include "cli/cli.h"
#include "cli/task.h"

struct cli_enqueue {
	struct cli_task task; /* first: the offsets of cli_task_options are within it */
	const char *from;
};
/* What the tasks of one call ask for, together. */
enum rota_durability cli_durability(const struct cli_number *said);
/* All tasks of a JSON Lines file ("-": standard input), or none. An exit code. */
int cli_enqueue_from(struct cli *cli, const char *path);
#endif
