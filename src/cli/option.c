/* option.c: one value at a time, checked against its row. */
#include "cli/option.h"
#include <string.h>
#include "base/error.h"
#include "base/macros.h"
#include "base/text.h"

bool cli_list_add(struct cli_list *list, const char *item, struct rota_arena *arena)
{
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 8;
		const char **items = rota_arena_array(arena, room, sizeof(*items));

		if (!items)
			return false;
		if (list->count)
			memcpy(items, list->items, list->count * sizeof(*items));
		list->items = items;
		list->room = room;
	}
	list->items[list->count++] = item;
	return true;
}

static bool same_name(const char *name, const char *word, size_t size)
{
	if (strlen(name) != size)
		return false;
	for (size_t i = 0; i < size; i++)
		if (name[i] != word[i] && !(name[i] == '-' && word[i] == '_'))
			return false;
	return true;
}

const struct cli_option *cli_option_find(
	const struct cli_option *table, const char *name, size_t size)
{
	for (const struct cli_option *option = table; option && option->name; option++)
		if (same_name(option->name, name, size))
			return option;
	return NULL;
}

static enum rota_status set_int(const struct cli_option *option, struct cli_number *number,
	const char *text, const char *shown, struct rota_error *err)
{
	if (!rota_int_parse(text, option->min, option->max, &number->value))
		return rota_err(err, ROTA_INVALID,
			"%s takes a whole number from %lld to %lld, not \"%.80s\"", shown,
			(long long)option->min, (long long)option->max, text);
	number->given = true;
	return ROTA_OK;
}

static enum rota_status set_duration(const struct cli_option *option, struct cli_number *number,
	const char *text, const char *shown, struct rota_error *err)
{
	bool endless = option->max == ROTA_FOREVER;
	rota_duration length;

	if (endless && strcmp(text, "forever") == 0)
		length = ROTA_FOREVER;
	else if (!rota_duration_parse(text, &length))
		return rota_err(err, ROTA_INVALID,
			"%s takes a length of time such as 100ms, 10s, 5m or 2h%s, not \"%.80s\"",
			shown, endless ? ", or forever" : "", text);
	if (length < option->min)
		return rota_err(err, ROTA_INVALID, "%s %.80s is too short", shown, text);
	*number = (struct cli_number){length, true};
	return ROTA_OK;
}

static enum rota_status set_time(
	struct cli_number *number, const char *text, const char *shown, struct rota_error *err)
{
	if (!rota_time_parse(text, &number->value))
		return rota_err(err, ROTA_INVALID,
			"%s takes a time such as 2031-05-06T07:08:09Z (years 1970 to 9998), not "
			"\"%.80s\"",
			shown, text);
	number->given = true;
	return ROTA_OK;
}

static enum rota_status set_choice(const struct cli_option *option, struct cli_number *number,
	const char *text, const char *shown, struct rota_error *err)
{
	size_t size = strlen(text);
	int64_t nth = 0;

	for (const char *at = option->choices; *at; nth++) {
		size_t length = strcspn(at, " ");

		if (length == size && memcmp(at, text, size) == 0) {
			*number = (struct cli_number){nth, true};
			return ROTA_OK;
		}
		at += length + (at[length] == ' ');
	}
	return rota_err(
		err, ROTA_INVALID, "%s is one of: %s; not \"%.80s\"", shown, option->choices, text);
}

enum rota_status cli_option_set(const struct cli_option *option, void *settings, const char *text,
	const char *shown, struct rota_arena *arena, struct rota_error *err)
{
	void *at = (char *)settings + option->at;

	switch (option->kind) {
	case CLI_FLAG:
		*(bool *)at = true;
		return ROTA_OK;
	case CLI_TEXT:
		*(const char **)at = text;
		return ROTA_OK;
	case CLI_INT:
		return set_int(option, at, text, shown, err);
	case CLI_DURATION:
		return set_duration(option, at, text, shown, err);
	case CLI_TIME:
		return set_time(at, text, shown, err);
	case CLI_CHOICE:
		return set_choice(option, at, text, shown, err);
	case CLI_LIST:
		return cli_list_add(at, text, arena) ? ROTA_OK : rota_err_memory(err);
	}
	return rota_err(err, ROTA_INVALID, "%s: no such kind of option", shown);
}

bool cli_option_given(const struct cli_option *option, const void *settings)
{
	const void *at = (const char *)settings + option->at;

	switch (option->kind) {
	case CLI_FLAG:
		return *(const bool *)at;
	case CLI_TEXT:
		return *(const char *const *)at != NULL;
	case CLI_LIST:
		return ((const struct cli_list *)at)->count > 0;
	default:
		return ((const struct cli_number *)at)->given;
	}
}

#define NEAREST_BYTES_MAX 32 /* longer words are nobody's option */

/* Optimal string alignment: a swapped pair counts as one slip. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t m = strlen(a), n = strlen(b), row[3][NEAREST_BYTES_MAX + 1];

	if (m > NEAREST_BYTES_MAX || n > NEAREST_BYTES_MAX)
		return NEAREST_BYTES_MAX;
	for (size_t j = 0; j <= n; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= m; i++) {
		size_t *now = row[i % 3], *last = row[(i + 2) % 3], *older = row[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= n; j++) {
			now[j] = ROTA_MIN(last[j], now[j - 1]) + 1;
			now[j] = ROTA_MIN(now[j], last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = ROTA_MIN(now[j], older[j - 2] + 1);
		}
	}
	return row[m % 3][n];
}

void cli_nearest_offer(struct cli_nearest *nearest, const char *candidate)
{
	size_t distance = edit_distance(nearest->word, candidate);

	if (nearest->best && distance >= nearest->distance)
		return;
	nearest->best = candidate;
	nearest->distance = distance;
}

const char *cli_nearest_get(const struct cli_nearest *nearest)
{
	if (!nearest->best || nearest->distance > 1 + strlen(nearest->word) / 4)
		return NULL;
	return nearest->best;
}
