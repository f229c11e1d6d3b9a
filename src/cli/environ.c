/* environ.c: what a program of `rota work` finds in its environment: a short list, so that a
 * worker's secrets stay the worker's. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/work.h"

#define VARIABLES_MAX 4096 /* LC_*, --env and ours; more is a mistake */

struct list {
	struct rota_arena *arena;
	char **items;
	size_t count;
	bool failed;
};

static void add(struct list *list, const char *name, const char *value)
{
	size_t size = strlen(name) + strlen(value) + 2;
	char *text = list->count < VARIABLES_MAX ? rota_arena_alloc(list->arena, size) : NULL;

	if (!text) {
		list->failed = true;
		return;
	}
	snprintf(text, size, "%s=%s", name, value);
	list->items[list->count++] = text;
}

static void add_number(struct list *list, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	add(list, name, text);
}

static void add_inherited(struct list *list, const struct cli_list *more)
{
	static const char *const names[] = {"HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR"};
	const char *path = getenv("PATH");

	add(list, "PATH", path ? path : "/usr/local/bin:/usr/bin:/bin");
	for (size_t i = 0; i < ROTA_COUNT(names); i++)
		if (getenv(names[i]))
			add(list, names[i], getenv(names[i]));
	for (size_t i = 0; i < more->count; i++)
		if (getenv(more->items[i]))
			add(list, more->items[i], getenv(more->items[i]));
	for (char **at = environ; *at; at++) {
		const char *equals = strchr(*at, '=');
		char name[64];

		if (strncmp(*at, "LC_", 3) != 0 || !equals ||
			(size_t)(equals - *at) >= sizeof(name))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(equals - *at), *at);
		add(list, name, equals + 1);
	}
}

/* Those that may be absent are empty then, for scripts that run under `set -u`; but for
 * ROTA_PAYLOAD_BYTES, which tells no payload (unset) from an empty one (0). */
static void add_task(struct list *list, const struct rota_claimed *task)
{
	add_number(list, "ROTA_ID", task->id);
	add_number(list, "ROTA_TOKEN", task->token);
	add_number(list, "ROTA_ATTEMPT", task->attempt);
	add_number(list, "ROTA_MAX_ATTEMPTS", task->attempts_max > 0 ? task->attempts_max : 0);
	add_number(list, "ROTA_FAILED_DEPENDENCIES", task->failed_dependencies);
	add(list, "ROTA_TYPE", task->type);
	add(list, "ROTA_QUEUE", task->queue);
	add(list, "ROTA_KEY", task->key ? task->key : "");
	add(list, "ROTA_TITLE", task->title ? task->title : "");
	add(list, "ROTA_PARTITION", task->partition ? task->partition : "");
	add(list, "ROTA_CONTENT_TYPE", task->content_type ? task->content_type : "");
	if (task->payload.data)
		add_number(list, "ROTA_PAYLOAD_BYTES", (int64_t)task->payload.size);
	if (task->traceparent)
		add(list, "TRACEPARENT", task->traceparent);
}

char *const *cli_environment(
	const struct cli_work *work, const struct rota_job *job, struct rota_arena *arena)
{
	struct list list = {.arena = arena};

	list.items = rota_arena_array(arena, VARIABLES_MAX + 1, sizeof(*list.items));
	if (!list.items)
		return NULL;
	add_inherited(&list, &work->env);
	add(&list, "ROTA_STORE", work->store_url);
	if (work->name_space)
		add(&list, "ROTA_NAMESPACE", work->name_space);
	add_task(&list, rota_job_claimed(job));
	return list.failed ? NULL : list.items;
}
