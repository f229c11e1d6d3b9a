/* option.h: options as tables. One table per verb says names, kinds and bounds; the same rows read
 * a command line's `--max-attempts 3` and a JSON line's `"max_attempts":3`, so the two cannot
 * drift apart. */
#ifndef ROTA_CLI_OPTION_H
#define ROTA_CLI_OPTION_H
#include <stdbool.h>
#include <stddef.h>
#include <rota/status.h>
#include "base/arena.h"

enum cli_kind {
	CLI_FLAG,     /* bool */
	CLI_TEXT,     /* const char * */
	CLI_INT,      /* struct cli_number within [min, max] */
	CLI_DURATION, /* struct cli_number of microseconds; max ROTA_FOREVER: "forever" is fine too
		       */
	CLI_TIME,     /* struct cli_number, a rota_time */
	CLI_CHOICE,   /* struct cli_number, the index in choices */
	CLI_LIST      /* struct cli_list: may be repeated */
};
/* given: 0 told apart from nothing. */
struct cli_number {
	int64_t value;
	bool given;
};
struct cli_list {
	const char **items;
	size_t count, room;
};
struct cli_option {
	const char *name; /* "max-attempts"; NULL ends a table */
	enum cli_kind kind;
	size_t at;         /* offsetof in the settings */
	const char *value; /* "N", for the help */
	const char *help;
	int64_t min, max;
	const char *choices; /* "reject ignore replace" */
};

/* Sets one option in settings. shown: what the user wrote it as, for the message ("--delay",
 * "\"delay\""). Texts are borrowed, lists grow in arena. */
enum rota_status cli_option_set(const struct cli_option *option, void *settings, const char *text,
	const char *shown, struct rota_arena *arena, struct rota_error *err);
/* '-' and '_' are the same here. NULL: none. */
const struct cli_option *cli_option_find(
	const struct cli_option *table, const char *name, size_t size);
/* Whether it was set. */
bool cli_option_given(const struct cli_option *option, const void *settings);
bool cli_list_add(struct cli_list *list, const char *item, struct rota_arena *arena);

/* The candidate nearest to word; fed one by one. */
struct cli_nearest {
	const char *word, *best;
	size_t distance;
};
void cli_nearest_offer(struct cli_nearest *nearest, const char *candidate);
/* NULL unless it is near enough to be a slip of the finger. */
const char *cli_nearest_get(const struct cli_nearest *nearest);
#endif
