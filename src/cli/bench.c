/* bench.c: `rota bench`. The cases are in bench/. */
#include "bench.h"
#include "cli/cli.h"

struct bench_settings {
	struct cli_number rounds, tasks;
	const char *dir;
	bool relaxed, gate, quick;
};
#define AT(field) offsetof(struct bench_settings, field)
static const struct cli_option options[] = {
	{"rounds", CLI_INT, AT(rounds), "N", "rounds of all cases; medians are shown (default 5)", 1, BENCH_ROUNDS_MAX},
	{"tasks", CLI_INT, AT(tasks), "N", "the scale (default 100000)", 2000, 10000000},
	{"dir", CLI_TEXT, AT(dir), "DIR", "where to write; must be on a real disk (default: here)"},
	{"relaxed", CLI_FLAG, AT(relaxed), NULL, "no fsync per commit, on both sides"},
	{"quick", CLI_FLAG, AT(quick), NULL, "3 rounds of 20000, unless said otherwise"},
	{"gate", CLI_FLAG, AT(gate), NULL, "fail when syncs or ratios are worse than they may be"},
	{NULL},
};

static int run(struct cli *cli)
{
	const struct bench_settings *s = cli->settings;
	struct bench_options o = {
		.rounds = s->rounds.given ? (int)s->rounds.value : s->quick ? 3 : 5,
		.tasks = s->tasks.given ? (uint64_t)s->tasks.value : s->quick ? 20000 : 100000,
		.dir = s->dir ? s->dir : ".",
		.relaxed = s->relaxed,
		.gate = s->gate,
		.json = cli->json,
		.only = cli->args,
		.only_count = cli->arg_count,
	};

	return rota_bench_run(&o);
}

const struct cli_verb cli_verb_bench = {
	.name = "bench",
	.usage = "[CASE]...",
	.summary = "measures rota beside a bare C driver on SQLite, in the same minute",
	.notes = "Works in a directory of its own, not on a store. Rates are tasks per second; every\n"
		"figure is a median, with the least and the greatest of the rounds.",
	.options = options,
	.settings_size = sizeof(struct bench_settings),
	.args_max = 32,
	.run = run,
};
