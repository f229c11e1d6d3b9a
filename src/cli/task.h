/* task.h: a task as people write it: the options of `rota enqueue`, or a JSON object whose fields
 * are those options with underscores. */
#ifndef ROTA_CLI_TASK_H
#define ROTA_CLI_TASK_H
#include <jansson.h>
#include <rota/task.h>
#include "base/arena.h"
#include "cli/option.h"

struct cli_task {
	const char *type;
	struct rota_bytes payload; /* data NULL: none */
	const char *queue, *key, *title, *content_type, *partition, *traceparent, *notify, *backoff;
	struct cli_number on_conflict, after_failed, priority, max_attempts, doublings, jitter,
		signals, durability; /* of the call: relaxed only if all its tasks say so */
	struct cli_number dedup_for, delay, at, retry_for, timeout, stall, expires;
	struct cli_list after_texts, before_texts; /* the command line's: an id or a key each */
	struct rota_dependency *after, *before;
	size_t after_count, before_count;
};
extern const struct cli_option cli_task_options[];

/* Reads an object: `type`, `payload` or `payload_base64`, `depends_on` (also called `after`),
 * `before`, and the options. ROTA_INVALID says which field is wrong; unknown ones are. ret points
 * into the object and the arena. */
enum rota_status cli_task_read(const json_t *object, struct rota_arena *arena, struct cli_task *ret,
	struct rota_error *err);
/* What the library wants. ret points into task and the arena. json: name fields as a JSON line
 * does. */
enum rota_status cli_task_build(const struct cli_task *task, bool json, struct rota_arena *arena,
	struct rota_task *ret, struct rota_error *err);
/* The highest "#n" among the edges, 0: none. */
uint64_t cli_task_nth_max(const struct cli_task *task);
/* "1s..5m" */
bool cli_backoff_parse(const char *text, rota_duration *ret_min, rota_duration *ret_max);
#endif
