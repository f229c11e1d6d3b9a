/* enqueue.c: `rota enqueue`. */
#include "cli/enqueue.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/limits.h"
#include "base/text.h"
#include "cli/out.h"

#define AT(field) offsetof(struct cli_enqueue, field)
static const struct cli_option options[] = {
	{"from", CLI_TEXT, AT(from), "FILE",
		"JSON Lines, a task each, all or none; - is standard input"},
	{NULL},
};

enum rota_durability cli_durability(const struct cli_number *said)
{
	static const enum rota_durability choices[] = {
		ROTA_DURABILITY_COMMIT, ROTA_DURABILITY_RELAXED};

	return said->given ? choices[said->value] : ROTA_DURABILITY_DEFAULT;
}

/* An id or a key for digits, else a key, which the store resolves in the same transaction. */
static enum rota_status read_edge(
	struct cli *cli, const char *text, struct rota_dependency *ret, struct rota_error *err)
{
	rota_id id;

	if (strncmp(text, "key:", 4) == 0)
		ret->key = text + 4;
	else if (rota_int_parse(text, 1, INT64_MAX, &id))
		return cli_task_id(cli, text, &ret->id, err);
	else
		ret->key = text;
	return ROTA_OK;
}

static enum rota_status read_edges(struct cli *cli, const struct cli_list *texts,
	struct rota_dependency **ret, size_t *ret_count, struct rota_error *err)
{
	struct rota_dependency *edges = cli_array(cli, texts->count, sizeof(*edges));

	for (size_t i = 0; i < texts->count; i++) {
		enum rota_status status = read_edge(cli, texts->items[i], &edges[i], err);

		if (status)
			return status;
	}
	*ret = edges;
	*ret_count = texts->count;
	return ROTA_OK;
}

/* The store is opened last of all: what is wrong with the command line must not create one. */
static enum rota_status enqueue_one(struct cli *cli, rota_id *ret_id, struct rota_error *err)
{
	struct cli_task *from = &((struct cli_enqueue *)cli->settings)->task;
	struct rota_store_options store_options = ROTA_INIT(rota_store_options);
	struct rota_task task;
	enum rota_status status = cli_task_build(from, false, &cli->arena, &task, err);

	store_options.durability = cli_durability(&from->durability);
	if (!status)
		status = cli_open(cli, &store_options, err);
	if (!status)
		status = read_edges(cli, &from->after_texts, &from->after, &from->after_count, err);
	if (!status)
		status = read_edges(
			cli, &from->before_texts, &from->before, &from->before_count, err);
	if (!status)
		status = cli_task_build(from, false, &cli->arena, &task, err);
	return status ? status : rota_task_enqueue(cli->store, &task, 1, ret_id, err);
}

static int run_one(struct cli *cli)
{
	struct cli_enqueue *set = cli->settings;
	struct rota_buf input ROTA_CLEANUP(rota_buf_deinit) = {.data = NULL};
	struct rota_error err;
	enum rota_status status = ROTA_OK;
	rota_id id;

	if (cli->arg_count == 0)
		return cli_usage("say which type of task: rota enqueue TYPE [PAYLOAD | -]");
	set->task.type = cli->args[0];
	if (cli->arg_count == 2 && strcmp(cli->args[1], "-") == 0) {
		status =
			cli_read_all(STDIN_FILENO, ROTA_PAYLOAD_BYTES_MAX, "payload", &input, &err);
		set->task.payload = cli_bytes(&input);
	} else if (cli->arg_count == 2) {
		set->task.payload = (struct rota_bytes){cli->args[1], strlen(cli->args[1])};
	}
	if (!status)
		status = enqueue_one(cli, &id, &err);
	if (status)
		return cli_fail(&err);
	if (cli->json)
		cli_out_json(json_pack("{sI}", "id", (json_int_t)id));
	else
		printf("%" PRId64 "\n", id);
	return 0;
}

static int run(struct cli *cli)
{
	struct cli_enqueue *set = cli->settings;

	if (!set->from)
		return run_one(cli);
	if (cli->arg_count)
		return cli_usage("--from takes everything from its lines; leave out \"%.80s\"",
			cli->args[0]);
	for (const struct cli_option *option = cli_task_options; option->name; option++)
		if (cli_option_given(option, &set->task) && strcmp(option->name, "durability") != 0)
			return cli_usage("--from takes everything from its lines; leave out --%s",
				option->name);
	return cli_enqueue_from(cli, set->from);
}

const struct cli_verb cli_verb_enqueue = {
	.name = "enqueue",
	.usage = "TYPE [PAYLOAD | -] [OPTION]...  |  rota enqueue --from FILE|-",
	.summary = "add a task (or many) and print its id",
	.notes = "PAYLOAD is what the handler gets; - reads it from standard input. Without it the "
		 "task has\n"
		 "none, which is not the same as an empty one (\"\").\n\n"
		 "--from reads one JSON object per line, all or nothing: \"type\", \"payload\" (a "
		 "text: its bytes;\n"
		 "other JSON: its text, with content_type application/json; null: none), "
		 "\"payload_base64\",\n"
		 "\"depends_on\" (ids as numbers, keys as texts, \"#3\" for the third line, "
		 "\"key:X\"), \"before\", and\n"
		 "the options below with underscores: "
		 "{\"type\":\"mail\",\"max_attempts\":3,\"depends_on\":[\"#1\"]}",
	.options = cli_task_options,
	.more_options = options,
	.settings_size = sizeof(struct cli_enqueue),
	.args_max = 2,
	.run = run,
};
