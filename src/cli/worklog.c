/* worklog.c: what `rota work` says while it works. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/text.h"
#include "base/world.h"
#include "cli/info.h"
#include "cli/work.h"

#define LINE_BYTES_MAX (16 << 10)   /* a tail of stderr is 8 KiB */
#define PAYLOAD_BYTES_MAX (4 << 10) /* of each, when payloads are asked for */

static const char *const levels[] = {"error", "warn", "info", "debug"};

/* Always with three digits of fraction, so that lines stand below each other. */
static char *time_words(char *out, size_t size)
{
	struct rota_world *world = rota_world_real();
	rota_time now = world->date(world);
	char *end;

	rota_time_format(now / 1000000 * 1000000, out, size);
	end = strchr(out, 'Z');
	if (end)
		snprintf(end, size - (size_t)(end - out), ".%03dZ", (int)(now / 1000 % 1000));
	return out;
}

static struct rota_bytes shown_payload(const struct rota_claimed *task)
{
	struct rota_bytes payload = task->payload;

	if (payload.size > PAYLOAD_BYTES_MAX)
		payload.size = rota_utf8_prefix(payload.data, payload.size, PAYLOAD_BYTES_MAX);
	return payload;
}

static char *json_line(const struct cli_log *log, const struct rota_log_event *event)
{
	json_t *object = json_object();
	char text[40], *line;

	cli_json_text(object, "time", time_words(text, sizeof(text)));
	cli_json_text(object, "level", levels[event->level]);
	if (event->task) {
		cli_json_number(object, "task", event->task->id);
		cli_json_text(object, "type", event->task->type);
		cli_json_text(object, "title", event->task->title);
		cli_json_number(object, "attempt", event->task->attempt);
	}
	cli_json_text(object, "message", event->message);
	cli_json_duration(object, "took", event->took);
	if (log->payloads && event->task)
		cli_json_bytes(object, "payload", shown_payload(event->task));
	line = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return line;
}

static void add_payload(struct rota_buf *buf, const struct rota_claimed *task)
{
	json_t *object = json_object();
	char *text;

	cli_json_bytes(object, "payload", shown_payload(task));
	text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	if (text)
		rota_buf_printf(buf, " %s", text);
	free(text);
	json_decref(object);
}

static void text_line(
	struct rota_buf *buf, const struct cli_log *log, const struct rota_log_event *event)
{
	const struct rota_claimed *task = event->task;
	char text[40];

	rota_buf_printf(buf, "%s %-5s ", time_words(text, sizeof(text)), levels[event->level]);
	if (task) {
		rota_buf_printf(buf, "task %" PRId64 " %s ", task->id, task->type);
		if (task->title)
			rota_buf_printf(buf, "\"%s\" ", task->title);
		rota_buf_printf(buf, "attempt %" PRId32 ": ", task->attempt);
	}
	rota_buf_text(buf, event->message);
	if (event->took)
		rota_buf_printf(
			buf, " (%s)", rota_duration_format(event->took, text, sizeof(text)));
	if (log->payloads && task)
		add_payload(buf, task);
	for (size_t i = 0; i < buf->size; i++)
		if ((unsigned char)buf->data[i] < 0x20 || buf->data[i] == 0x7f)
			buf->data[i] = ' ';
}

void cli_log_event(const struct cli_log *log, const struct rota_log_event *event)
{
	struct rota_buf buf ROTA_CLEANUP(rota_buf_deinit) = {.data = NULL};
	char *line ROTA_AUTO_FREE = NULL;

	if (event->level > log->level)
		return;
	rota_buf_init(&buf, 2 * LINE_BYTES_MAX);
	if (log->json && (line = json_line(log, event)))
		rota_buf_text(&buf, line);
	else if (!log->json)
		text_line(&buf, log, event);
	rota_buf_text(&buf, "\n");
	/* a log that cannot be written has nobody to tell */
	if (write(STDERR_FILENO, buf.data ? buf.data : "\n", buf.size) < 0)
		return;
}

void cli_log_task(const struct cli_log *log, enum rota_log_level level,
	const struct rota_claimed *task, const char *text, ...)
{
	char message[LINE_BYTES_MAX];
	struct rota_log_event event = {.level = level, .message = message, .task = task};
	va_list args;

	va_start(args, text);
	vsnprintf(message, sizeof(message), text, args);
	va_end(args);
	cli_log_event(log, &event);
}
