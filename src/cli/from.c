/* from.c: `rota enqueue --from`. Two passes over the lines: the first finds every mistake that can
 * be found without the store and copies what cannot be read twice; the second feeds the
 * transaction, so that nobody waits for a slow producer while the store is locked. One line is in
 * memory at a time. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/enqueue.h"
#include "cli/lines.h"
#include "cli/out.h"

struct from {
	const char *path; /* for messages */
	int input_fd, fd; /* fd: what the second pass reads */
	off_t start;
	uint64_t line_count, relaxed_count, nth_max, nth_line;
	struct rota_arena arena; /* the current line's */
	struct cli_lines lines;
	json_t *object; /* the current line; tasks point into it */
	FILE *ids;      /* nothing is printed before the commit */
	bool ids_failed;
	struct rota_error err; /* why next() gave up */
};

static void from_deinit(struct from *from)
{
	cli_lines_deinit(&from->lines);
	json_decref(from->object);
	rota_arena_deinit(&from->arena);
	if (from->ids)
		fclose(from->ids);
	if (from->fd >= 0 && from->fd != from->input_fd)
		close(from->fd);
	if (from->input_fd > STDIN_FILENO)
		close(from->input_fd);
}

static enum rota_status open_input(struct from *from, const char *path, struct rota_error *err)
{
	struct stat info;

	from->input_fd = STDIN_FILENO;
	from->path = "standard input";
	if (strcmp(path, "-") != 0) {
		from->path = path;
		from->input_fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (from->input_fd < 0)
		return rota_err_os(err, ROTA_NOT_FOUND, errno, "cannot read %.200s", path);
	from->start = lseek(from->input_fd, 0, SEEK_CUR);
	if (fstat(from->input_fd, &info) == 0 && S_ISDIR(info.st_mode))
		return rota_err(err, ROTA_INVALID,
			"%.200s is a directory; name a file of JSON lines", path);
	if (from->start >= 0 && S_ISREG(info.st_mode)) {
		from->fd = from->input_fd;
		return ROTA_OK;
	}
	from->start = 0;
	return cli_temporary(&from->fd, err);
}

/* The next line as a task; *ret_more false at the end. */
static enum rota_status read_task(struct from *from, struct rota_task *ret, bool *ret_more,
	struct cli_task *ret_read, struct rota_error *err)
{
	struct rota_error inner;
	enum rota_status status;

	json_decref(ROTA_TAKE(from->object));
	rota_arena_reset(&from->arena);
	status = cli_lines_next(&from->lines, &from->object, err);
	if (status)
		return status;
	*ret_more = from->object != NULL;
	if (!from->object)
		return ROTA_OK;
	status = cli_task_read(from->object, &from->arena, ret_read, &inner);
	if (!status)
		status = cli_task_build(ret_read, true, &from->arena, ret, &inner);
	if (status)
		return rota_err(err, status, "%.200s, line %" PRIu64 ": %.300s", from->path,
			from->lines.number, inner.message);
	return ROTA_OK;
}

static enum rota_status check_all(struct from *from, struct rota_error *err)
{
	int copy_fd = from->fd == from->input_fd ? -1 : from->fd;

	cli_lines_init(&from->lines, from->input_fd, copy_fd, from->path);
	for (;;) {
		struct cli_task read = {.type = NULL};
		struct rota_task task;
		bool more;
		enum rota_status status = read_task(from, &task, &more, &read, err);

		if (status)
			return status;
		if (!more)
			break;
		from->line_count++;
		from->relaxed_count += cli_durability(&read.durability) == ROTA_DURABILITY_RELAXED;
		if (cli_task_nth_max(&read) > from->nth_max) {
			from->nth_max = cli_task_nth_max(&read);
			from->nth_line = from->lines.number;
		}
	}
	if (from->nth_max > from->line_count)
		return rota_err(err, ROTA_INVALID,
			"%.200s, line %" PRIu64 ": \"#%" PRIu64
			"\" names no line; there are %" PRIu64,
			from->path, from->nth_line, from->nth_max, from->line_count);
	return ROTA_OK;
}

/* On the store's thread, under its lock. */
static int next(void *arg, struct rota_task *ret)
{
	struct from *from = arg;
	struct cli_task read = {.type = NULL};
	bool more;

	if (from->ids_failed) {
		rota_err_os(&from->err, ROTA_UNAVAILABLE, errno,
			"cannot write a temporary file "
			"(set TMPDIR to a directory with room)");
		return -1;
	}
	if (read_task(from, ret, &more, &read, &from->err))
		return -1;
	if (more ? from->lines.number > from->line_count : from->lines.number < from->line_count) {
		rota_err(&from->err, ROTA_INVALID, "%.200s changed while it was read; try again",
			from->path);
		return -1;
	}
	return more;
}

static void accepted(void *arg, uint64_t nth, rota_id id)
{
	struct from *from = arg;

	(void)nth;
	if (fwrite(&id, sizeof(id), 1, from->ids) != 1)
		from->ids_failed = true;
}

static enum rota_status feed(struct cli *cli, struct from *from, struct rota_error *err)
{
	struct rota_task_source source = ROTA_INIT(rota_task_source);
	struct rota_error inner;
	enum rota_status status;

	if (lseek(from->fd, from->start, SEEK_SET) < 0)
		return rota_err_os(
			err, ROTA_INVALID, errno, "cannot read %.200s twice", from->path);
	cli_lines_deinit(&from->lines);
	cli_lines_init(&from->lines, from->fd, -1, from->path);
	source.next = next;
	source.accepted = accepted;
	source.arg = from;
	status = rota_task_enqueue_from(cli->store, &source, NULL, &inner);
	if (status && from->err.status)
		inner = from->err;
	if (status && inner.item)
		return rota_err(err, status, "%.200s, line %" PRIu32 ": %.300s", from->path,
			inner.item, inner.message);
	if (status)
		*err = inner;
	return status;
}

static int print_ids(const struct cli *cli, struct from *from)
{
	rota_id id;

	rewind(from->ids);
	for (uint64_t line = 1; fread(&id, sizeof(id), 1, from->ids) == 1; line++) {
		if (cli->json)
			cli_out_json(json_pack(
				"{sI sI}", "id", (json_int_t)id, "line", (json_int_t)line));
		else
			printf("%" PRId64 "\n", id);
	}
	if (!from->ids_failed && !ferror(from->ids))
		return 0;
	fputs("rota: all tasks were enqueued, but their ids could not be kept; see `rota ls`\n",
		stderr);
	return CLI_EXIT_IO;
}

static enum rota_status open_ids(struct from *from, struct rota_error *err)
{
	int fd;
	enum rota_status status = cli_temporary(&fd, err);

	if (status)
		return status;
	from->ids = fdopen(fd, "w+");
	if (from->ids)
		return ROTA_OK;
	close(fd);
	return rota_err_memory(err);
}

/* The strictest that any of them asks for. */
static enum rota_durability durability(const struct cli *cli, const struct from *from)
{
	if (from->line_count > 0 && from->relaxed_count == from->line_count)
		return ROTA_DURABILITY_RELAXED;
	return cli_durability(&((const struct cli_enqueue *)cli->settings)->task.durability);
}

int cli_enqueue_from(struct cli *cli, const char *path)
{
	struct rota_store_options options = ROTA_INIT(rota_store_options);
	struct from from ROTA_CLEANUP(from_deinit) = {.input_fd = -1, .fd = -1};
	struct rota_error err;
	enum rota_status status;

	rota_arena_init(&from.arena, 0);
	status = open_input(&from, path, &err);
	if (!status)
		status = check_all(&from, &err);
	if (!status)
		status = open_ids(&from, &err);
	options.durability = durability(cli, &from);
	if (!status)
		status = cli_open(cli, &options, &err);
	if (!status)
		status = feed(cli, &from, &err);
	if (!status)
		return print_ids(cli, &from);
	cli_fail(&err);
	/* The command line was right; what it named is not. */
	return err.status == ROTA_INVALID ? CLI_EXIT_DATA : rota_status_exit_code(err.status);
}
