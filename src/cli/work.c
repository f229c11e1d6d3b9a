/* work.c: `rota work`: a worker whose handlers are programs. */
#include "cli/work.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "base/limits.h"
#include "cli/out.h"

#define RESULT_BYTES_DEFAULT (1 << 20)
#define CONCURRENCY_MAX 4096
#define FDS_PER_ATTEMPT 10

struct work {
	const char *name, *command;
	struct cli_list queues, types, handlers, env;
	struct cli_number concurrency, claim_max, buffer, result_max;
	struct cli_number poll, lease, stop_grace, kill_after;
	bool drain, quiet, verbose, log_json, log_payloads;
};
#define AT(field) offsetof(struct work, field)
static const struct cli_option options[] = {
	{"exec", CLI_TEXT, AT(command), "CMD", "run it for every task, by /bin/sh -c"},
	{"handler", CLI_LIST, AT(handlers), "TYPE=CMD",
		"run it for tasks of this type; repeatable"},
	{"queue", CLI_LIST, AT(queues), "Q", "only from this queue; repeatable (default: all)"},
	{"type", CLI_LIST, AT(types), "T",
		"with --exec: only this type; repeatable (default: all)"},
	{"name", CLI_TEXT, AT(name), "N", "for people (default host:pid)"},
	{"concurrency", CLI_INT, AT(concurrency), "N", "programs at once (default: one per core)",
		1, CONCURRENCY_MAX},
	{"claim-max", CLI_INT, AT(claim_max), "N", "tasks taken at a time (default 1000)", 1,
		ROTA_CLAIM_TASKS_MAX},
	{"buffer", CLI_INT, AT(buffer), "N",
		"tasks taken before there is room (default: by their length)", 1,
		ROTA_CLAIM_TASKS_MAX},
	{"poll", CLI_DURATION, AT(poll), "DUR",
		"how often to look at what others did (default 100ms)", 1000},
	{"lease", CLI_DURATION, AT(lease), "DUR",
		"renewed in time; lost when the worker is (default 30s)", ROTA_MS(100)},
	{"drain", CLI_FLAG, AT(drain), NULL,
		"exit 0 when nothing ready, scheduled or running is left"},
	{"stop-grace", CLI_DURATION, AT(stop_grace), "DUR",
		"after SIGTERM: how long programs may go on (default 10s)"},
	{"kill-after", CLI_DURATION, AT(kill_after), "DUR",
		"between SIGTERM and SIGKILL (default 5s)"},
	{"result-max", CLI_INT, AT(result_max), "BYTES",
		"kept of standard output (default 1048576)", 0, ROTA_RESULT_BYTES_MAX},
	{"env", CLI_LIST, AT(env), "NAME", "pass this variable on to the programs; repeatable"},
	{"quiet", CLI_FLAG, AT(quiet), NULL, "log warnings and errors only"},
	{"verbose", CLI_FLAG, AT(verbose), NULL, "log everything"},
	{"log-json", CLI_FLAG, AT(log_json), NULL, "log one JSON object per line"},
	{"log-payloads", CLI_FLAG, AT(log_payloads), NULL,
		"show payloads in the log (they may be secrets)"},
	{NULL},
};

/* One worker per process: signals have no argument. */
static struct rota_worker *signalled;
static struct cli_work shared;
static volatile sig_atomic_t signals;

static void on_signal(int number)
{
	(void)number;
	if (signals++ > 0)
		atomic_store(&shared.hurry, true);
	rota_worker_stop(signalled);
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static const char *mistake(const struct work *set)
{
	if (!set->command && !set->handlers.count)
		return "say what to run: --exec CMD for every task, or --handler TYPE=CMD";
	if (set->types.count && !set->command)
		return "--type goes with --exec; --handler names its type itself";
	if (set->quiet && set->verbose)
		return "give --quiet or --verbose, not both";
	for (size_t i = 0; i < set->handlers.count; i++)
		if (strcspn(set->handlers.items[i], "=") == 0 ||
			!strchr(set->handlers.items[i], '='))
			return "--handler takes TYPE=CMD, e.g. --handler mail=./send-mail";
	for (size_t i = 0; i < set->env.count; i++)
		if (strchr(set->env.items[i], '=') || strncmp(set->env.items[i], "ROTA_", 5) == 0)
			return "--env takes the name of a variable of yours, not NAME=VALUE and "
			       "not ROTA_...";
	return NULL;
}

/* Programs may run elsewhere: what they get names the same store from there. */
static enum rota_status absolute_url(struct cli *cli, const char **ret, struct rota_error *err)
{
	const char *url = cli->store_url, *path = strncmp(url, "sqlite:", 7) == 0 ? url + 7 : url;
	char *real ROTA_AUTO_FREE = NULL, *made;
	size_t size;

	if (strncmp(url, "memory:", 7) == 0 || strstr(url, "://")) {
		*ret = url;
		return ROTA_OK;
	}
	real = realpath(path, NULL);
	if (!real)
		return rota_err_os(err, ROTA_UNAVAILABLE, errno, "cannot find %.200s", path);
	size = strlen(real) + sizeof("sqlite:");
	made = cli_array(cli, size, 1);
	snprintf(made, size, "sqlite:%s", real);
	*ret = made;
	return ROTA_OK;
}

/* Many attempts need many descriptors; the soft limit is often 1024. */
static void raise_limit(int64_t attempts)
{
	struct rlimit limit;
	rlim_t need = (rlim_t)attempts * FDS_PER_ATTEMPT + 100;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= need)
		return;
	limit.rlim_cur = ROTA_MIN(need, limit.rlim_max);
	setrlimit(RLIMIT_NOFILE, &limit);
}

static enum rota_status add_handler(struct cli *cli, struct rota_worker *worker, const char *type,
	const char *command, struct rota_error *err)
{
	struct cli_handler *handler = cli_alloc(cli, sizeof(*handler));

	*handler = (struct cli_handler){&shared, type, command};
	return rota_worker_handle(worker, type, cli_attempt, handler, err);
}

static enum rota_status add_handlers(
	struct cli *cli, struct rota_worker *worker, struct rota_error *err)
{
	const struct work *set = cli->settings;
	enum rota_status status = ROTA_OK;

	for (size_t i = 0; i < set->handlers.count && !status; i++) {
		const char *text = set->handlers.items[i], *equals = strchr(text, '=');
		char *type = rota_arena_strndup(&cli->arena, text, (size_t)(equals - text));

		status = type ? add_handler(cli, worker, type, equals + 1, err)
			      : rota_err_memory(err);
	}
	for (size_t i = 0; i < set->types.count && !status; i++)
		status = add_handler(cli, worker, set->types.items[i], set->command, err);
	if (!status && set->command && !set->types.count)
		status = add_handler(cli, worker, NULL, set->command, err);
	return status;
}

static void log_event(void *arg, const struct rota_log_event *event)
{
	const struct cli_work *work = arg;

	cli_log_event(&work->log, event);
}

static struct rota_worker_options worker_options(const struct work *set)
{
	struct rota_worker_options want = ROTA_INIT(rota_worker_options);

	want.name = set->name;
	want.queues = set->queues.items;
	want.queue_count = set->queues.count;
	want.concurrency = (uint32_t)set->concurrency.value;
	want.claim_max = (uint32_t)set->claim_max.value;
	want.buffer = (uint32_t)set->buffer.value;
	want.lease = set->lease.value;
	/* 0 would be the default */
	want.stop_grace = set->stop_grace.given ? ROTA_MAX(set->stop_grace.value, 1) : 0;
	want.drain = set->drain;
	want.log = log_event;
	want.log_arg = &shared;
	return want;
}

static void share(const struct cli *cli, const struct work *set)
{
	shared.name_space = cli->name_space;
	shared.env = set->env;
	shared.result_bytes_max =
		set->result_max.given ? (size_t)set->result_max.value : RESULT_BYTES_DEFAULT;
	shared.kill_after = set->kill_after.given ? set->kill_after.value : ROTA_SECONDS(5);
	shared.log.level = set->quiet     ? ROTA_LOG_WARN
			   : set->verbose ? ROTA_LOG_DEBUG
					  : ROTA_LOG_INFO;
	shared.log.json = set->log_json;
	shared.log.payloads = set->log_payloads;
}

static void print_counts(const struct rota_worker *worker)
{
	struct rota_worker_counts counts;

	rota_worker_counts(worker, &counts);
	cli_out_json(json_pack("{sI sI sI sI sI sI sI sI}", "claimed", (json_int_t)counts.claimed,
		"completed", (json_int_t)counts.completed, "retried", (json_int_t)counts.retried,
		"snoozed", (json_int_t)counts.snoozed, "released", (json_int_t)counts.released,
		"failed", (json_int_t)counts.failed, "cancelled", (json_int_t)counts.cancelled,
		"refused", (json_int_t)counts.refused));
}

static int work(struct cli *cli, struct rota_worker *worker)
{
	struct rota_error err;

	if (add_handlers(cli, worker, &err))
		return cli_fail(&err);
	signalled = worker;
	catch_signals();
	if (rota_worker_run(worker, &err))
		return cli_fail(&err);
	if (cli->json)
		print_counts(worker);
	return 0;
}

static int run(struct cli *cli)
{
	const struct work *set = cli->settings;
	struct rota_store_options store_options = ROTA_INIT(rota_store_options);
	struct rota_worker_options want = worker_options(set);
	struct rota_worker *worker;
	struct rota_error err;
	int code;

	if (mistake(set))
		return cli_usage("%s", mistake(set));
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	raise_limit(set->concurrency.value);
	share(cli, set);
	store_options.poll_interval = set->poll.value;
	/* The keeper first: it must not hold anything of the store. */
	if (rota_keeper_start(&shared.keeper, &err) || cli_open(cli, &store_options, &err) ||
		absolute_url(cli, &shared.store_url, &err) ||
		rota_worker_new(cli->store, &want, &worker, &err)) {
		rota_keeper_free(shared.keeper);
		return cli_fail(&err);
	}
	code = work(cli, worker);
	/* Signals that come now find nothing to stop. */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	rota_worker_free(worker);
	rota_keeper_free(shared.keeper);
	return code;
}

const struct cli_verb cli_verb_work = {
	.name = "work",
	.usage = "(--exec CMD | --handler TYPE=CMD...) [--queue Q]... [--drain] [OPTION]...",
	.summary = "run tasks: a program per attempt",
	.notes = "CMD gets the payload on standard input; what it prints is the result. Exit "
		 "status 0 completes\n"
		 "the task, 65 fails it for good; anything else, or a signal, is a failed attempt, "
		 "tried again by\n"
		 "the task's policy. Its environment: PATH HOME USER LOGNAME LANG LC_* TZ TMPDIR, "
		 "those of --env,\n"
		 "and ROTA_ID ROTA_KEY ROTA_TYPE ROTA_QUEUE ROTA_ATTEMPT ROTA_MAX_ATTEMPTS "
		 "ROTA_TOKEN ROTA_TITLE\n"
		 "ROTA_PARTITION ROTA_CONTENT_TYPE ROTA_FAILED_DEPENDENCIES ROTA_STORE "
		 "ROTA_NAMESPACE TRACEPARENT\n"
		 "ROTA_PAYLOAD_BYTES (unset when the task has no payload). On descriptor 3 it may "
		 "write JSON lines:\n"
		 "  {\"progress\":{\"done\":3,\"total\":10}}   {\"status\":\"half way\"}   "
		 "{\"cancel\":\"not needed\"}\n"
		 "  {\"retry_after\":\"30s\"}   {\"snooze\":\"5m\"}   "
		 "{\"enqueue\":{\"type\":\"mail\",\"payload\":\"hi\"}}\n"
		 "Cancelled, timed out, stalled: SIGTERM to its process group, SIGKILL after "
		 "--kill-after. SIGTERM\n"
		 "or SIGINT to the worker stops gracefully, a second one at once; unfinished tasks "
		 "are given back.",
	.options = options,
	.settings_size = sizeof(struct work),
	.run = run,
};
