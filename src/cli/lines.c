/* lines.c: bounded lines, each one JSON value. */
#include "cli/lines.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include "base/macros.h"

void cli_lines_init(struct cli_lines *lines, int fd, int copy_fd, const char *what)
{
	lines->fd = fd;
	lines->copy_fd = copy_fd;
	lines->what = what;
	lines->number = 0;
	lines->ended = false;
	lines->at = lines->size = 0;
	rota_buf_init(&lines->line, CLI_LINE_BYTES_MAX);
}

void cli_lines_deinit(struct cli_lines *lines)
{
	rota_buf_deinit(&lines->line);
}

static enum rota_status copy_out(int fd, const char *data, size_t size, struct rota_error *err)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = write(fd, data + done, size - done);

		if (n < 0 && errno != EINTR)
			return rota_err_os(err, ROTA_UNAVAILABLE, errno,
				"cannot write a temporary file "
				"(set TMPDIR to a directory with room)");
		if (n > 0)
			done += (size_t)n;
	}
	return ROTA_OK;
}

static enum rota_status fill(struct cli_lines *lines, struct rota_error *err)
{
	ssize_t n;

	do
		n = read(lines->fd, lines->chunk, sizeof(lines->chunk));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return rota_err_os(err, ROTA_INVALID, errno, "cannot read %.200s", lines->what);
	lines->at = 0;
	lines->size = (size_t)n;
	lines->ended = n == 0;
	return lines->copy_fd < 0 ? ROTA_OK
				  : copy_out(lines->copy_fd, lines->chunk, (size_t)n, err);
}

/* The next line into lines->line; *ret_more false at the end. */
static enum rota_status next_line(struct cli_lines *lines, bool *ret_more, struct rota_error *err)
{
	bool begun = false;

	rota_buf_clear(&lines->line);
	for (;;) {
		char *from = lines->chunk + lines->at, *end;
		size_t size = lines->size - lines->at;

		if (size == 0) {
			enum rota_status status = lines->ended ? ROTA_OK : fill(lines, err);

			if (status)
				return status;
			if (!lines->ended)
				continue;
			lines->number += begun;
			*ret_more = begun;
			return ROTA_OK;
		}
		begun = true;
		end = memchr(from, '\n', size);
		if (!rota_buf_add(&lines->line, from, end ? (size_t)(end - from) : size)) {
			if (lines->line.failed)
				return rota_err_memory(err);
			return rota_err(err, ROTA_LIMIT,
				"%.200s, line %" PRIu64 ": longer than %zu bytes", lines->what,
				lines->number + 1, CLI_LINE_BYTES_MAX);
		}
		lines->at += end ? (size_t)(end - from) + 1 : size;
		if (end) {
			lines->number++;
			*ret_more = true;
			return ROTA_OK;
		}
	}
}

static bool blank(const struct rota_buf *line)
{
	for (size_t i = 0; i < line->size; i++)
		if (!strchr(" \t\r", line->data[i]) || !line->data[i])
			return false;
	return true;
}

enum rota_status cli_json_parse(const char *text, size_t size, json_t **ret, struct rota_error *err)
{
	json_error_t why;
	json_t *value = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);

	if (!value)
		return rota_err(err, ROTA_INVALID, "not one JSON object: %.150s (column %d)",
			why.text, why.column);
	*ret = value;
	return ROTA_OK;
}

enum rota_status cli_lines_next(
	struct cli_lines *lines, json_t **ret_object, struct rota_error *err)
{
	uint64_t first_blank = 0;
	struct rota_error inner;
	bool more;

	for (;;) {
		enum rota_status status = next_line(lines, &more, err);

		if (status)
			return status;
		if (!more) {
			*ret_object = NULL;
			return ROTA_OK;
		}
		if (!blank(&lines->line))
			break;
		if (!first_blank)
			first_blank = lines->number;
	}
	if (first_blank)
		return rota_err(err, ROTA_INVALID, "%.200s, line %" PRIu64 ": empty; remove it",
			lines->what, first_blank);
	if (cli_json_parse(lines->line.data, lines->line.size, ret_object, &inner))
		return rota_err(err, ROTA_INVALID, "%.200s, line %" PRIu64 ": %.200s", lines->what,
			lines->number, inner.message);
	return ROTA_OK;
}
