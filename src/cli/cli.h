/* cli.h: what the verbs of the program share: their table, the command line as it was read, the
 * store, errors. A verb is one file with one `struct cli_verb`. */
#ifndef ROTA_CLI_CLI_H
#define ROTA_CLI_CLI_H
#include <stdbool.h>
#include <jansson.h>
#include <rota/rota.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/macros.h"
#include "cli/option.h"

/* sysexits.h; the others come from rota_status_exit_code. */
#define CLI_EXIT_FAILED 1
#define CLI_EXIT_USAGE 64
#define CLI_EXIT_DATA 65
#define CLI_EXIT_NOT_FOUND 66
#define CLI_EXIT_IO 74
#define CLI_EXIT_TRY_AGAIN 75

/* One run of the program. */
struct cli {
	const char *store_url, *name_space; /* the option, else the environment, else the default */
	bool json, no_create, help, version;
	struct cli_number lock_timeout;
	const struct cli_verb *verb;
	char **args; /* what is neither verb nor option */
	int arg_count;
	void *settings; /* the verb's, zeroed, then set by its options */
	struct rota_arena arena;
	struct rota_store *store; /* after cli_open; closed by main */
};

struct cli_verb {
	const char *name;
	const char *usage;   /* "TASK... [--any]": what follows the name */
	const char *summary; /* one line */
	const char *notes;   /* more lines for `rota help VERB`; NULL: none */
	const struct cli_option *options, *more_options; /* both may be NULL; offsets in settings */
	size_t settings_size;
	int args_min, args_max;
	int (*run)(struct cli *cli); /* an exit code */
};
extern const struct cli_verb cli_verb_enqueue, cli_verb_work, cli_verb_claim, cli_verb_extend,
	cli_verb_progress, cli_verb_finish, cli_verb_ls, cli_verb_show, cli_verb_wait,
	cli_verb_cancel, cli_verb_retry, cli_verb_delete, cli_verb_signal, cli_verb_stats,
	cli_verb_types, cli_verb_queue, cli_verb_bench, cli_verb_help;
extern const struct cli_verb *const cli_verbs[]; /* in the order of the help; ends with NULL */
extern const struct cli_option cli_global_options[];
/* NULL: none; *ret_hint: the nearest name or NULL. */
const struct cli_verb *cli_verb_find(const char *name, const char **ret_hint);
void cli_help_verb(const struct cli *cli, const struct cli_verb *verb);
void cli_help_all(const struct cli *cli);

/* Reads argv into cli. Not ROTA_OK: err says what to do. */
enum rota_status cli_parse(struct cli *cli, int argc, char **argv, struct rota_error *err);

/* Prints `rota: …` and returns the exit code. */
int cli_fail(const struct rota_error *err);
/* The same for something wrong with the command line: CLI_EXIT_USAGE. */
int cli_usage(const char *text, ...) ROTA_TEXT(1);

/* Opens the store that the options name. options NULL: the usual; else completed here. */
enum rota_status cli_open(
	struct cli *cli, struct rota_store_options *options, struct rota_error *err);
/* Memory of the run. Ends the program when there is none: nothing is under way then that a
 * transaction or a lease does not cover. */
void *cli_alloc(struct cli *cli, size_t size);
void *cli_array(struct cli *cli, size_t count, size_t size);

/* "key:X" is a key, digits are an id or else a key, anything else is a key. An id that nobody knows
 * stays an id: the operation itself says what that means. */
enum rota_status cli_task_id(
	struct cli *cli, const char *text, rota_id *ret_id, struct rota_error *err);
/* All arguments from the first on. */
enum rota_status cli_task_ids(
	struct cli *cli, char *const *args, int count, rota_id **ret_ids, struct rota_error *err);

/* All that comes from fd, at most max bytes (ROTA_LIMIT). what: for the message. The caller deinits
 * ret in any case. */
enum rota_status cli_read_all(
	int fd, size_t max, const char *what, struct rota_buf *ret, struct rota_error *err);
/* What is in buf; data is never NULL, so that nothing read is empty, not absent. */
struct rota_bytes cli_bytes(const struct rota_buf *buf);
/* An unlinked temporary file. */
enum rota_status cli_temporary(int *ret_fd, struct rota_error *err);
#endif
