/* parse.c: argv, by the tables. */
#include "cli/cli.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"

#define CLI_AT(field) offsetof(struct cli, field)
const struct cli_option cli_global_options[] = {
	{"store", CLI_TEXT, CLI_AT(store_url), "URL",
		"a path, sqlite:PATH or memory: (default $ROTA_STORE, else ./rota.db)"},
	{"namespace", CLI_TEXT, CLI_AT(name_space), "N",
		"see and touch only this namespace (default $ROTA_NAMESPACE)"},
	{"no-create", CLI_FLAG, CLI_AT(no_create), NULL, "refuse a store that does not exist"},
	{"lock-timeout", CLI_DURATION, CLI_AT(lock_timeout), "DUR",
		"how long another program may hold the store (default 10s)", 1},
	{"json", CLI_FLAG, CLI_AT(json), NULL, "one JSON object per line"},
	{"help", CLI_FLAG, CLI_AT(help), NULL, "this text"},
	{"version", CLI_FLAG, CLI_AT(version), NULL, "the program's version"},
	{NULL},
};

struct parser {
	struct cli *cli;
	int argc, at;
	char **argv;
	struct rota_error *err;
};

/* Looks in the verb's tables, then in the global one. */
static const struct cli_option *find(
	const struct parser *p, const char *name, size_t size, void **ret_settings)
{
	const struct cli_verb *verb = p->cli->verb;
	const struct cli_option *option = NULL;

	*ret_settings = p->cli->settings;
	if (verb) {
		option = cli_option_find(verb->options, name, size);
		if (!option)
			option = cli_option_find(verb->more_options, name, size);
	}
	if (!option) {
		option = cli_option_find(cli_global_options, name, size);
		*ret_settings = p->cli;
	}
	return option;
}

static void offer_table(struct cli_nearest *nearest, const struct cli_option *table)
{
	for (const struct cli_option *option = table; option && option->name; option++)
		cli_nearest_offer(nearest, option->name);
}

static enum rota_status unknown_option(const struct parser *p, const char *name, size_t size)
{
	const struct cli_verb *verb = p->cli->verb;
	char word[64];
	struct cli_nearest nearest = {.word = word};
	const char *hint;

	snprintf(word, sizeof(word), "%.*s", (int)ROTA_MIN(size, sizeof(word) - 1), name);
	if (verb) {
		offer_table(&nearest, verb->options);
		offer_table(&nearest, verb->more_options);
	}
	offer_table(&nearest, cli_global_options);
	hint = cli_nearest_get(&nearest);
	return rota_err(p->err, ROTA_INVALID, "unknown option --%s%s%s; see `rota help%s%s`", word,
		hint ? "; did you mean --" : "", hint ? hint : "", verb ? " " : "",
		verb ? verb->name : "");
}

/* argv[at] is "--name", "--name=value", or "--name" with the value next. */
static enum rota_status parse_option(struct parser *p)
{
	const char *name = p->argv[p->at] + 2, *equals = strchr(name, '='), *text = NULL;
	size_t size = equals ? (size_t)(equals - name) : strlen(name);
	const struct cli_option *option;
	char shown[80];
	void *settings;

	option = find(p, name, size, &settings);
	if (!option)
		return unknown_option(p, name, size);
	snprintf(shown, sizeof(shown), "--%s", option->name);
	if (option->kind == CLI_FLAG && equals)
		return rota_err(p->err, ROTA_INVALID, "%s takes no value; leave out \"%.80s\"",
			shown, equals);
	if (option->kind != CLI_FLAG) {
		if (equals)
			text = equals + 1;
		else if (p->at + 1 < p->argc)
			text = p->argv[++p->at];
		else
			return rota_err(p->err, ROTA_INVALID, "%s needs a value: %s %s", shown,
				shown, option->value);
	}
	return cli_option_set(option, settings, text, shown, &p->cli->arena, p->err);
}

static enum rota_status parse_verb(struct parser *p)
{
	struct cli *cli = p->cli;
	const char *word = p->argv[p->at], *hint;

	cli->verb = cli_verb_find(word, &hint);
	if (!cli->verb)
		return rota_err(p->err, ROTA_INVALID,
			"unknown verb \"%.80s\"%s%s; `rota help` lists them", word,
			hint ? "; did you mean " : "", hint ? hint : "");
	cli->settings = cli_alloc(cli, ROTA_MAX(cli->verb->settings_size, (size_t)1));
	return ROTA_OK;
}

static enum rota_status check_count(const struct cli *cli, struct rota_error *err)
{
	const struct cli_verb *verb = cli->verb;

	if (!verb || cli->help || cli->version)
		return ROTA_OK;
	if (cli->arg_count < verb->args_min)
		return rota_err(err, ROTA_INVALID, "something is missing: rota %s %s", verb->name,
			verb->usage);
	if (cli->arg_count > verb->args_max)
		return rota_err(err, ROTA_INVALID, "\"%.80s\" is too much: rota %s %s",
			cli->args[verb->args_max], verb->name, verb->usage);
	return ROTA_OK;
}

static const char *environment(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

enum rota_status cli_parse(struct cli *cli, int argc, char **argv, struct rota_error *err)
{
	struct parser p = {.cli = cli, .argc = argc, .at = 1, .argv = argv, .err = err};
	bool only_args = false;
	enum rota_status status = ROTA_OK;

	cli->store_url = environment("ROTA_STORE", "./rota.db");
	cli->name_space = environment("ROTA_NAMESPACE", NULL);
	cli->args = cli_array(cli, (size_t)argc + 1, sizeof(*cli->args));
	for (; p.at < argc && !status; p.at++) {
		char *word = argv[p.at];

		if (only_args || word[0] != '-' || strcmp(word, "-") == 0) {
			if (!cli->verb)
				status = parse_verb(&p);
			else
				cli->args[cli->arg_count++] = word;
		} else if (strcmp(word, "--") == 0) {
			only_args = true;
		} else if (strcmp(word, "-h") == 0) {
			cli->help = true;
		} else if (word[1] == '-') {
			status = parse_option(&p);
		} else {
			status = rota_err(err, ROTA_INVALID,
				"unknown option %.80s: options have long names only (an argument "
				"that begins "
				"with - goes after --)",
				word);
		}
	}
	return status ? status : check_count(cli, err);
}
