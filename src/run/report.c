/* report.c: what a worker says about itself, through the callback it was given. */
#include <stdarg.h>
#include <stdio.h>
#include "base/macros.h"
#include "base/text.h"
#include "run/engine.h"

#define LINE_BYTES 1024

/* One line, whatever a handler's text holds. */
static void one_line(char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ')
			*text = ' ';
	}
}

void rota_report(const struct rota_worker *w, enum rota_log_level level,
	const struct rota_claimed *task, rota_duration took, const char *format, ...)
{
	char line[LINE_BYTES];
	va_list args;
	if (!w->options.log)
		return;
	va_start(args, format);
	int size = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (size < 0)
		return;
	line[rota_utf8_prefix(line, ROTA_MIN((size_t)size, sizeof(line) - 1), sizeof(line) - 1)] =
		0;
	one_line(line);
	struct rota_log_event event = {.level = level, .message = line, .task = task, .took = took};
	w->options.log(w->options.log_arg, &event);
}

void rota_report_outcome(
	const struct rota_attempt *attempt, const struct rota_verdict *verdict, rota_duration took)
{
	static const struct {
		enum rota_log_level level;
		const char *text;
	} said[] = {
		[ROTA_OUTCOME_COMPLETE] = {ROTA_LOG_DEBUG, "completed"},
		[ROTA_OUTCOME_RETRY] = {ROTA_LOG_WARN, "attempt failed"},
		[ROTA_OUTCOME_SNOOZE] = {ROTA_LOG_INFO, "snoozed"},
		[ROTA_OUTCOME_RELEASE] = {ROTA_LOG_INFO, "released"},
		[ROTA_OUTCOME_FAIL] = {ROTA_LOG_ERROR, "failed for good"},
		[ROTA_OUTCOME_CANCEL] = {ROTA_LOG_INFO, "cancelled by its handler"},
	};
	const struct rota_worker *w = attempt->worker;
	const char *text = said[verdict->outcome].text;
	enum rota_log_level level = said[verdict->outcome].level;
	if (!w->options.log)
		return;
	if (verdict->error)
		rota_report(w, level, attempt->claimed, took, "%s: %s", text, verdict->error);
	else
		rota_report(w, level, attempt->claimed, took, "%s", text);
}
