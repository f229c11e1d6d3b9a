/* note.c: the lines that a program writes to descriptor 3. A bad one is said in the log at once,
 * and fails the attempt at its end: a program whose words are lost must not count as done. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"
#include "base/text.h"
#include "cli/lines.h"
#include "cli/work.h"

#define KEPT_BYTES_MAX ((size_t)64 << 20) /* follow-ups of one attempt, held until it ends */

void cli_notes_init(struct cli_notes *notes, struct rota_job *job, const struct cli_log *log)
{
	*notes = (struct cli_notes){.job = job, .log = log, .outcome = ROTA_OUTCOME_COMPLETE};
	rota_arena_init(&notes->arena, 2 * KEPT_BYTES_MAX);
}

void cli_notes_deinit(struct cli_notes *notes)
{
	json_decref(notes->kept);
	free(notes->tasks);
	rota_arena_deinit(&notes->arena);
}

static enum rota_status text_of(struct cli_notes *notes, const char *name, const json_t *value,
	const char **ret, struct rota_error *err)
{
	const char *text;

	if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
		return rota_err(err, ROTA_INVALID, "\"%s\" must be a text", name);
	text = rota_arena_strdup(&notes->arena, json_string_value(value));
	if (!text)
		return rota_err_memory(err);
	*ret = text;
	return ROTA_OK;
}

static enum rota_status progress(
	struct cli_notes *notes, const json_t *value, struct rota_error *err)
{
	char *text ROTA_AUTO_FREE = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	if (!text)
		return rota_err_memory(err);
	if (strlen(text) > ROTA_PROGRESS_BYTES_MAX)
		return rota_err(err, ROTA_LIMIT, "\"progress\" is larger than %d bytes",
			ROTA_PROGRESS_BYTES_MAX);
	rota_job_progress_bytes(notes->job, text, strlen(text));
	return ROTA_OK;
}

static enum rota_status status_text(
	struct cli_notes *notes, const json_t *value, struct rota_error *err)
{
	enum rota_status status = text_of(notes, "status", value, &notes->status_text, err);

	if (!status)
		rota_job_status(notes->job, "%s", notes->status_text);
	return status;
}

static enum rota_status later(struct cli_notes *notes, const char *name, const json_t *value,
	enum rota_outcome outcome, struct rota_error *err)
{
	const char *text;
	enum rota_status status = text_of(notes, name, value, &text, err);

	if (status)
		return status;
	if (!rota_duration_parse(text, &notes->delay))
		return rota_err(err, ROTA_INVALID,
			"\"%s\" takes a length of time such as \"30s\", not \"%.80s\"", name, text);
	notes->outcome = outcome;
	return ROTA_OK;
}

static enum rota_status cancel(struct cli_notes *notes, const json_t *value, struct rota_error *err)
{
	enum rota_status status = text_of(notes, "cancel", value, &notes->why, err);

	if (!status)
		notes->outcome = ROTA_OUTCOME_CANCEL;
	return status;
}

static bool make_room(struct cli_notes *notes)
{
	size_t room = notes->task_room ? notes->task_room * 2 : 8;
	struct rota_task *tasks;

	if (!notes->kept && !(notes->kept = json_array()))
		return false;
	if (notes->task_count < notes->task_room)
		return true;
	tasks = realloc(notes->tasks, room * sizeof(*tasks));
	if (!tasks)
		return false;
	notes->tasks = tasks;
	notes->task_room = room;
	return true;
}

static enum rota_status enqueue(
	struct cli_notes *notes, json_t *value, size_t size, struct rota_error *err)
{
	struct cli_task read;
	enum rota_status status;

	if (notes->kept_bytes + size > KEPT_BYTES_MAX)
		return rota_err(err, ROTA_LIMIT,
			"follow-ups of more than %zu bytes; use `rota enqueue --from`",
			KEPT_BYTES_MAX);
	if (!make_room(notes) || json_array_append(notes->kept, value) != 0)
		return rota_err_memory(err);
	notes->kept_bytes += size;
	status = cli_task_read(value, &notes->arena, &read, err);
	if (!status)
		status = cli_task_build(
			&read, true, &notes->arena, &notes->tasks[notes->task_count], err);
	if (!status)
		notes->task_count++;
	return status;
}

static enum rota_status take_field(struct cli_notes *notes, const char *name, json_t *value,
	size_t size, struct rota_error *err)
{
	if (strcmp(name, "progress") == 0)
		return progress(notes, value, err);
	if (strcmp(name, "status") == 0)
		return status_text(notes, value, err);
	if (strcmp(name, "retry_after") == 0)
		return later(notes, name, value, ROTA_OUTCOME_RETRY, err);
	if (strcmp(name, "snooze") == 0)
		return later(notes, name, value, ROTA_OUTCOME_SNOOZE, err);
	if (strcmp(name, "cancel") == 0)
		return cancel(notes, value, err);
	if (strcmp(name, "enqueue") == 0)
		return enqueue(notes, value, size, err);
	return rota_err(err, ROTA_INVALID,
		"unknown field \"%.80s\"; there are progress, status, retry_after, snooze, cancel, "
		"enqueue",
		name);
}

static enum rota_status take(
	struct cli_notes *notes, const char *text, size_t size, struct rota_error *err)
{
	json_t *object, *value;
	const char *name;
	enum rota_status status;

	if (!text)
		return rota_err(err, ROTA_LIMIT, "the line is too long");
	status = cli_json_parse(text, size, &object, err);
	if (status)
		return status;
	if (!json_is_object(object))
		status = rota_err(err, ROTA_INVALID, "not a JSON object");
	json_object_foreach(object, name, value)
	{
		if (!status)
			status = take_field(notes, name, value, size, err);
	}
	json_decref(object);
	return status;
}

void cli_notes_line(void *arg, const char *text, size_t size)
{
	struct cli_notes *notes = arg;
	struct rota_error err;

	notes->lines++;
	if (!take(notes, text, size, &err))
		return;
	cli_log_task(notes->log, ROTA_LOG_WARN, rota_job_claimed(notes->job),
		"descriptor 3, line %" PRIu64 ": %s", notes->lines, err.message);
	if (!notes->bad[0])
		snprintf(notes->bad, sizeof(notes->bad), "descriptor 3, line %" PRIu64 ": %.240s",
			notes->lines, err.message);
}
