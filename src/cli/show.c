/* show.c: `rota show`: all that is known of one task. */
#include <inttypes.h>
#include <string.h>
#include "base/text.h"
#include "cli/cli.h"
#include "cli/info.h"
#include "cli/out.h"

#define SHOWN_BYTES_MAX 2048 /* more than a screen is asked for by name */

struct show {
	bool payload, result;
};
#define AT(field) offsetof(struct show, field)
static const struct cli_option options[] = {
	{"payload", CLI_FLAG, AT(payload), NULL, "print the payload's bytes and nothing else"},
	{"result", CLI_FLAG, AT(result), NULL, "print the result's bytes and nothing else"},
	{NULL},
};

static void name_column(const char *name)
{
	printf("%-20s", name);
}

static void text_line(const char *name, const char *text)
{
	if (!text)
		return;
	name_column(name);
	cli_out_text(text);
	putchar('\n');
}

static void number_line(const char *name, int64_t value)
{
	name_column(name);
	printf("%" PRId64 "\n", value);
}

static void time_line(const char *name, rota_time time)
{
	char text[40];

	if (time)
		text_line(name, time == ROTA_FOREVER ? "forever"
						     : rota_time_format(time, text, sizeof(text)));
}

static void duration_line(const char *name, rota_duration length)
{
	char text[40];

	if (length)
		text_line(name, rota_duration_format(length, text, sizeof(text)));
}

static bool printable(struct rota_bytes bytes)
{
	const unsigned char *at = bytes.data;

	if (bytes.size > SHOWN_BYTES_MAX || !rota_utf8_valid(bytes.data, bytes.size))
		return false;
	for (size_t i = 0; i < bytes.size; i++)
		if ((at[i] < 0x20 && at[i] != '\n' && at[i] != '\t') || at[i] == 0x7f ||
			at[i] == 0xc2)
			return false;
	return true;
}

static void bytes_line(const char *name, struct rota_bytes bytes, const char *option)
{
	name_column(name);
	if (!bytes.data)
		puts("none");
	else if (bytes.size == 0)
		puts("empty");
	else if (!printable(bytes))
		printf("%zu bytes%s%s\n", bytes.size, option ? "; see " : "", option ? option : "");
	else
		printf("%.*s%s", (int)bytes.size, (const char *)bytes.data,
			((const char *)bytes.data)[bytes.size - 1] == '\n' ? "" : "\n");
}

static void edges(const char *head, const struct rota_edge_info *const *list, size_t n)
{
	static const char *const settled[] = {"awaited", "succeeded", "failed"};

	for (size_t i = 0; i < n; i++) {
		const struct rota_edge_info *edge = list[i];

		name_column(i ? "" : head);
		printf("%" PRId64 " %s, %s", edge->task, rota_state_name(edge->state),
			settled[edge->settled % 3]);
		if (edge->failed == ROTA_AFTER_CANCEL)
			printf(", cancels when failed");
		if (edge->key) {
			printf(", key ");
			cli_out_text(edge->key);
		}
		putchar('\n');
	}
}

static void attempts(const struct rota_task_info *info)
{
	for (size_t i = 0; i < info->attempt_count; i++) {
		const struct rota_attempt_info *attempt = info->attempts[i];
		char text[40];

		name_column(i ? "" : "attempts");
		printf("%" PRId32 " %s, %s", attempt->attempt,
			rota_time_format(attempt->started_at, text, sizeof(text)),
			attempt->outcome ? attempt->outcome : "?");
		if (attempt->worker) {
			printf(" on ");
			cli_out_text(attempt->worker);
		}
		if (attempt->error) {
			printf(": ");
			cli_out_text(attempt->error);
		}
		putchar('\n');
	}
}

static void policy(const struct rota_task_info *info)
{
	char min[40], max[40];

	name_column("attempt");
	if (info->attempts_max > 0)
		printf("%" PRId32 " of %" PRId32 "\n", info->attempt, info->attempts_max);
	else
		printf("%" PRId32 ", no limit\n", info->attempt);
	name_column("backoff");
	printf("%s..%s, %" PRId32 " doublings, jitter %" PRId32 "%%\n",
		rota_duration_format(info->retry.backoff_min, min, sizeof(min)),
		rota_duration_format(info->retry.backoff_max, max, sizeof(max)),
		ROTA_MAX(info->retry.doublings, 0), ROTA_MAX(info->retry.jitter_percent, 0));
	duration_line("retry for", info->retry.duration_max);
	duration_line("timeout", info->timeout);
	duration_line("stall", info->stall);
	duration_line("dedup for", info->dedup_for);
}

static void lease(const struct rota_task_info *info)
{
	number_line("token", info->token);
	number_line("settled", info->settled);
	text_line("worker", info->worker);
	time_line("lease until", info->lease_until);
	if (info->cancel_requested)
		text_line("cancel requested", "yes");
}

static void print(const struct rota_task_info *info)
{
	number_line("id", info->id);
	text_line("state", rota_state_name(info->state));
	text_line("type", info->type);
	text_line("queue", info->queue);
	text_line("key", info->key);
	text_line("title", info->title);
	text_line("partition", info->partition);
	text_line("content type", info->content_type);
	text_line("traceparent", info->traceparent);
	text_line("notify channel", info->notify_channel);
	number_line("priority", info->priority);
	policy(info);
	number_line("pending", info->pending);
	number_line("failed dependencies", info->failed_dependencies);
	lease(info);
	time_line("run at", info->run_at);
	time_line("created", info->created_at);
	time_line("updated", info->updated_at);
	time_line("started", info->started_at);
	time_line("heartbeat", info->heartbeat_at);
	time_line("finished", info->finished_at);
	time_line("expires", info->expires_at);
	text_line("status", info->status_text);
	text_line("last error", info->last_error);
	if (info->progress.data)
		bytes_line("progress", info->progress, NULL);
	bytes_line("payload", info->payload, "rota show --payload");
	bytes_line("result", info->result, "rota show --result");
	edges("depends on", info->predecessors, info->predecessor_count);
	edges("successors", info->successors, info->successor_count);
	attempts(info);
}

static int run(struct cli *cli)
{
	const struct show *set = cli->settings;
	struct rota_task_info *info;
	struct rota_error err;
	rota_id id;

	if (set->payload && set->result)
		return cli_usage("give --payload or --result, not both");
	if (cli_open(cli, NULL, &err) || cli_task_id(cli, cli->args[0], &id, &err) ||
		rota_task_get(cli->store, id, &info, &err))
		return cli_fail(&err);
	if (set->payload)
		cli_out_bytes(info->payload);
	else if (set->result)
		cli_out_bytes(info->result);
	else if (cli->json)
		cli_out_json(cli_info_json(info, true));
	else
		print(info);
	rota_task_info_free(info);
	return 0;
}

const struct cli_verb cli_verb_show = {
	.name = "show",
	.usage = "TASK [--payload | --result]",
	.summary = "everything about one task",
	.options = options,
	.settings_size = sizeof(struct show),
	.args_min = 1,
	.args_max = 1,
	.run = run,
};
