/* help.c: `rota help`, `rota help VERB`, --help. */
#include <stdio.h>
#include <string.h>
#include "cli/cli.h"
#include "cli/info.h"
#include "cli/out.h"

static void print_options(const struct cli_option *table)
{
	for (const struct cli_option *option = table; option && option->name; option++) {
		char left[64];

		snprintf(left, sizeof(left), "--%s%s%s", option->name, option->value ? " " : "",
			option->value ? option->value : "");
		printf("  %-28s%s%s\n", left, strlen(left) > 27 ? " " : "", option->help);
	}
}

static void add_options(json_t *array, const struct cli_option *table)
{
	for (const struct cli_option *option = table; option && option->name; option++) {
		json_t *object = json_object();

		cli_json_text(object, "name", option->name);
		cli_json_text(object, "value", option->value);
		cli_json_text(object, "help", option->help);
		json_array_append_new(array, object);
	}
}

static void print_json(const struct cli_verb *verb, bool whole)
{
	json_t *object = json_object(), *options = json_array();

	cli_json_text(object, "verb", verb->name);
	cli_json_text(object, "usage", verb->usage);
	cli_json_text(object, "summary", verb->summary);
	if (whole) {
		add_options(options, verb->options);
		add_options(options, verb->more_options);
		json_object_set(object, "options", options);
	}
	json_decref(options);
	cli_out_json(object);
}

void cli_help_verb(const struct cli *cli, const struct cli_verb *verb)
{
	if (cli->json) {
		print_json(verb, true);
		return;
	}
	printf("rota %s %s\n\n%s\n", verb->name, verb->usage, verb->summary);
	if (verb->notes)
		printf("\n%s\n", verb->notes);
	if (verb->options || verb->more_options)
		puts("\nOptions:");
	print_options(verb->options);
	print_options(verb->more_options);
	puts("\nOptions of every verb:");
	print_options(cli_global_options);
}

void cli_help_all(const struct cli *cli)
{
	for (size_t i = 0; cli->json && cli_verbs[i]; i++)
		print_json(cli_verbs[i], false);
	if (cli->json)
		return;
	puts("rota [--store URL] [--namespace N] VERB …\n\nDurable background tasks in a file.\n");
	for (size_t i = 0; cli_verbs[i]; i++)
		printf("  %-10s %s\n", cli_verbs[i]->name, cli_verbs[i]->summary);
	puts("\nOptions of every verb:");
	print_options(cli_global_options);
	puts("\n`rota help VERB` says more. TASK is an id or a key; key:X forces a key. Lengths of "
	     "time "
	     "are written\n100ms, 10s, 5m, 2h, 1d; times as 2031-05-06T07:08:09Z.\n"
	     "Exit codes: 0 done, 1 the task failed (or its state forbids it), 64 wrong command "
	     "line, "
	     "65 bad data,\n66 no such task, 69 store unavailable, 71 out of memory, 73 cannot "
	     "create or "
	     "the key exists,\n74 cannot write the output, 75 try again.");
}

static int run(struct cli *cli)
{
	const struct cli_verb *verb;
	const char *hint;

	if (cli->arg_count == 0) {
		cli_help_all(cli);
		return 0;
	}
	verb = cli_verb_find(cli->args[0], &hint);
	if (!verb)
		return cli_usage("unknown verb \"%.80s\"%s%s; `rota help` lists them", cli->args[0],
			hint ? "; did you mean " : "", hint ? hint : "");
	cli_help_verb(cli, verb);
	return 0;
}

const struct cli_verb cli_verb_help = {
	.name = "help",
	.usage = "[VERB]",
	.summary = "what the verbs do and which options they take",
	.args_max = 1,
	.run = run,
};
