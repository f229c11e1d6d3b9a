/* queue.c: `rota queue ls|pause|resume|purge|set`. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/text.h"
#include "cli/cli.h"
#include "cli/info.h"
#include "cli/out.h"

struct queue {
	struct cli_number keep_completed, keep_failed;
};
#define AT(field) offsetof(struct queue, field)
static const struct cli_option options[] = {
	{"keep-completed", CLI_DURATION, AT(keep_completed), "DUR",
		"set: how long completed tasks are kept; 0: not at all; or forever",
		.max = ROTA_FOREVER},
	{"keep-failed", CLI_DURATION, AT(keep_failed), "DUR",
		"set: the same for failed and cancelled ones", .max = ROTA_FOREVER},
	{NULL},
};

/* 0 is a length like another here. */
static const char *keep_words(rota_duration keep, char *text, size_t size)
{
	return keep ? rota_duration_format(keep, text, size) : "0";
}

static void list_json(const struct rota_queue_info *queue)
{
	json_t *object = json_object();
	char text[40];

	cli_json_text(object, "queue", queue->name);
	json_object_set_new(object, "paused", json_boolean(queue->paused));
	cli_json_text(
		object, "keep_completed", keep_words(queue->keep_completed, text, sizeof(text)));
	cli_json_text(object, "keep_failed", keep_words(queue->keep_failed, text, sizeof(text)));
	cli_out_json(object);
}

static int list_queues(struct cli *cli)
{
	static const char *const heads[] = {"QUEUE", "STATE", "KEEP COMPLETED", "KEEP FAILED"};
	struct cli_table *table = cli_table_new(&cli->arena, ROTA_COUNT(heads), heads);
	struct rota_queue_list *list;
	struct rota_error err;
	char text[40];

	if (cli_open(cli, NULL, &err) || rota_queue_list(cli->store, &list, &err))
		return cli_fail(&err);
	for (size_t i = 0; i < list->count; i++) {
		const struct rota_queue_info *queue = list->queues[i];

		if (cli->json) {
			list_json(queue);
			continue;
		}
		cli_table_cell(table, queue->name);
		cli_table_cell(table, queue->paused ? "paused" : "open");
		cli_table_cell(table, keep_words(queue->keep_completed, text, sizeof(text)));
		cli_table_cell(table, keep_words(queue->keep_failed, text, sizeof(text)));
	}
	if (!cli->json)
		cli_table_print(table);
	rota_queue_list_free(list);
	return 0;
}

static int done(
	struct cli *cli, enum rota_status status, const char *name, const struct rota_error *err)
{
	if (status)
		return cli_fail(err);
	if (cli->json)
		cli_out_json(json_pack("{ss sb}", "queue", name, "ok", 1));
	return 0;
}

static int purge(struct cli *cli, const char *name)
{
	struct rota_error err;
	uint64_t deleted;

	if (rota_queue_purge(cli->store, name, &deleted, &err))
		return cli_fail(&err);
	if (cli->json)
		cli_out_json(json_pack(
			"{ss sb sI}", "queue", name, "ok", 1, "deleted", (json_int_t)deleted));
	else
		printf("%" PRIu64 " deleted\n", deleted);
	return 0;
}

static int set_keep(struct cli *cli, const char *name)
{
	const struct queue *set = cli->settings;
	struct rota_queue_settings settings = ROTA_QUEUE_SETTINGS_INIT;
	struct rota_error err;

	if (set->keep_completed.given)
		settings.keep_completed = set->keep_completed.value;
	if (set->keep_failed.given)
		settings.keep_failed = set->keep_failed.value;
	return done(cli, rota_queue_set(cli->store, name, &settings, &err), name, &err);
}

static int act(struct cli *cli, const char *what, const char *name)
{
	struct rota_error err;

	if (cli_open(cli, NULL, &err))
		return cli_fail(&err);
	if (strcmp(what, "pause") == 0)
		return done(cli, rota_queue_pause(cli->store, name, &err), name, &err);
	if (strcmp(what, "resume") == 0)
		return done(cli, rota_queue_resume(cli->store, name, &err), name, &err);
	if (strcmp(what, "purge") == 0)
		return purge(cli, name);
	return set_keep(cli, name);
}

static int run(struct cli *cli)
{
	static const char *const verbs[] = {"ls", "pause", "resume", "purge", "set"};
	const struct queue *set = cli->settings;
	const char *what = cli->args[0];
	bool keep = set->keep_completed.given || set->keep_failed.given, known = false;

	for (size_t i = 0; i < ROTA_COUNT(verbs); i++)
		known |= strcmp(what, verbs[i]) == 0;
	if (!known)
		return cli_usage(
			"rota queue does not know \"%.80s\": say ls, pause, resume, purge or set",
			what);
	if (keep != (strcmp(what, "set") == 0))
		return cli_usage(
			keep ? "--keep-completed and --keep-failed belong to `rota queue set QUEUE`"
			     : "say what to set: rota queue set QUEUE --keep-completed DUR "
			       "--keep-failed DUR");
	if ((cli->arg_count == 1) != (strcmp(what, "ls") == 0))
		return cli_usage(cli->arg_count == 1 ? "say which queue: rota queue %s QUEUE"
						     : "rota queue %s takes no name",
			what);
	return cli->arg_count == 1 ? list_queues(cli) : act(cli, what, cli->args[1]);
}

const struct cli_verb cli_verb_queue = {
	.name = "queue",
	.usage = "ls | pause QUEUE | resume QUEUE | purge QUEUE | set QUEUE [OPTION]...",
	.summary = "list queues, stop and resume claiming, delete all of one, set how long tasks "
		   "are kept",
	.notes = "A paused queue hands out nothing; what runs goes on. purge deletes every task of "
		 "the queue\n"
		 "that is not running.",
	.options = options,
	.settings_size = sizeof(struct queue),
	.args_min = 1,
	.args_max = 2,
	.run = run,
};
