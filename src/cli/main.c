/* main.c: the table of verbs, and one run of one of them. */
#include "cli/cli.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "cli/out.h"

const struct cli_verb *const cli_verbs[] = {
	&cli_verb_enqueue,
	&cli_verb_work,
	&cli_verb_ls,
	&cli_verb_show,
	&cli_verb_wait,
	&cli_verb_cancel,
	&cli_verb_retry,
	&cli_verb_delete,
	&cli_verb_signal,
	&cli_verb_stats,
	&cli_verb_types,
	&cli_verb_queue,
	&cli_verb_claim,
	&cli_verb_extend,
	&cli_verb_progress,
	&cli_verb_finish,
	&cli_verb_bench,
	&cli_verb_help,
	NULL,
};

const struct cli_verb *cli_verb_find(const char *name, const char **ret_hint)
{
	struct cli_nearest nearest = {.word = name};

	for (size_t i = 0; cli_verbs[i]; i++) {
		if (strcmp(cli_verbs[i]->name, name) == 0)
			return cli_verbs[i];
		cli_nearest_offer(&nearest, cli_verbs[i]->name);
	}
	*ret_hint = cli_nearest_get(&nearest);
	return NULL;
}

/* A database opened as descriptor 1 would get what we print. */
static void fill_standard_descriptors(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
			open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) < 0)
			_exit(CLI_EXIT_IO);
}

static int run(struct cli *cli)
{
	if (cli->version) {
		if (cli->json)
			cli_out_json(json_pack("{ss}", "version", ROTA_VERSION));
		else
			puts("rota " ROTA_VERSION);
		return 0;
	}
	if (cli->help && cli->verb) {
		cli_help_verb(cli, cli->verb);
		return 0;
	}
	if (cli->help) {
		cli_help_all(cli);
		return 0;
	}
	if (!cli->verb)
		return cli_usage("say what to do: rota VERB; `rota help` lists the verbs");
	return cli->verb->run(cli);
}

int main(int argc, char **argv)
{
	struct cli cli = {.arg_count = 0};
	struct rota_error err;
	int code;

	fill_standard_descriptors();
	rota_arena_init(&cli.arena, 0);
	if (cli_parse(&cli, argc, argv, &err))
		code = cli_fail(&err);
	else
		code = run(&cli);
	rota_store_close(cli.store);
	rota_arena_deinit(&cli.arena);
	return cli_out_close(code);
}
