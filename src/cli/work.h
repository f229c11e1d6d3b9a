/* work.h: the parts of `rota work`: the verb (work.c), an attempt (attempt.c), what an attempt says
 * on descriptor 3 (note.c), its environment (environ.c), the log (worklog.c). */
#ifndef ROTA_CLI_WORK_H
#define ROTA_CLI_WORK_H
#include <stdatomic.h>
#include "cli/cli.h"
#include "cli/task.h"
#include "exec/exec.h"

/* ---- the log: lines on stderr, each by one write(2) ---- */
struct cli_log {
	enum rota_log_level level; /* this and graver ones */
	bool json, payloads;
};
void cli_log_event(const struct cli_log *log, const struct rota_log_event *event);
void cli_log_task(const struct cli_log *log, enum rota_log_level level,
	const struct rota_claimed *task, const char *text, ...) ROTA_TEXT(4);

struct cli_work {
	const char *store_url;  /* absolute: programs may have another directory */
	const char *name_space; /* NULL: none */
	struct cli_list env;    /* names that programs get too */
	size_t result_bytes_max;
	rota_duration kill_after;
	struct rota_keeper *keeper;
	struct cli_log log;
	atomic_bool hurry; /* a second signal has come */
};
struct cli_handler {
	struct cli_work *work;
	const char *type, *command; /* type NULL: all others */
};
/* arg: a struct cli_handler. */
enum rota_outcome cli_attempt(struct rota_job *job, void *arg);

/* NAME=VALUE for the program, in arena; NULL: no memory. */
char *const *cli_environment(
	const struct cli_work *work, const struct rota_job *job, struct rota_arena *arena);

/* ---- descriptor 3 ---- */
struct cli_notes {
	struct rota_job *job;
	const struct cli_log *log;
	struct rota_arena arena;
	uint64_t lines;
	char bad[300];             /* the first bad line, in words; "": none */
	enum rota_outcome outcome; /* said last: COMPLETE (nothing was), RETRY, SNOOZE or CANCEL */
	rota_duration delay;       /* RETRY, SNOOZE */
	const char *why;           /* CANCEL */
	const char *status_text;   /* NULL: none */
	json_t *kept;              /* follow-ups point into these */
	size_t kept_bytes;
	struct rota_task *tasks; /* follow-ups, in order */
	size_t task_count, task_room;
};
void cli_notes_init(struct cli_notes *notes, struct rota_job *job, const struct cli_log *log);
void cli_notes_deinit(struct cli_notes *notes);
/* For struct rota_exec: arg is the notes. */
void cli_notes_line(void *arg, const char *text, size_t size);
#endif
