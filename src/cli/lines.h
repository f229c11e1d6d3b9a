/* lines.h: JSON Lines from a descriptor, one line in memory at a time. */
#ifndef ROTA_CLI_LINES_H
#define ROTA_CLI_LINES_H
#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "base/buf.h"
#include "base/error.h"

/* The largest payload in base64, and the other fields. */
#define CLI_LINE_BYTES_MAX ((size_t)92 << 20)

struct cli_lines {
	int fd, copy_fd; /* copy_fd -1: none; else all that is read is written there too */
	const char *what;
	uint64_t number; /* of the line that was read last; 1 is the first */
	bool ended;
	size_t at, size;
	struct rota_buf line;
	char chunk[64 << 10];
};
void cli_lines_init(struct cli_lines *lines, int fd, int copy_fd, const char *what);
void cli_lines_deinit(struct cli_lines *lines);
/* *ret_object: NULL at the end, else the caller's. Errors name the line. Blank lines are fine at
 * the end only: elsewhere "#n" would not count what an editor counts. */
enum rota_status cli_lines_next(
	struct cli_lines *lines, json_t **ret_object, struct rota_error *err);
/* One line's text. Errors do not name it. */
enum rota_status cli_json_parse(
	const char *text, size_t size, json_t **ret, struct rota_error *err);
#endif
