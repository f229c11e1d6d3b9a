/* common.c: errors, the store, tasks by name, bounded reading. */
#include "cli/cli.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"

int cli_fail(const struct rota_error *err)
{
	rota_log_line("%s", err->message);
	return rota_status_exit_code(err->status);
}

int cli_usage(const char *text, ...)
{
	struct rota_error err;
	va_list args;
	enum rota_status status;

	va_start(args, text);
	status = rota_err_va(&err, ROTA_INVALID, text, args);
	va_end(args);
	rota_log_line("%s", err.message);
	return rota_status_exit_code(status);
}

void *cli_array(struct cli *cli, size_t count, size_t size)
{
	void *memory = rota_arena_array(&cli->arena, count, size);

	if (!memory) {
		rota_log_line("out of memory");
		_exit(rota_status_exit_code(ROTA_NO_MEMORY));
	}
	return memory;
}

void *cli_alloc(struct cli *cli, size_t size)
{
	return cli_array(cli, 1, size);
}

enum rota_status cli_open(
	struct cli *cli, struct rota_store_options *options, struct rota_error *err)
{
	struct rota_store_options usual = ROTA_INIT(rota_store_options);

	if (!options)
		options = &usual;
	options->name_space = cli->name_space;
	options->no_create = cli->no_create;
	if (cli->lock_timeout.given)
		options->lock_timeout = cli->lock_timeout.value;
	return rota_store_open(cli->store_url, options, &cli->store, err);
}

/* Without reading its payload, which may be large. */
static enum rota_status id_exists(struct cli *cli, rota_id id, bool *ret, struct rota_error *err)
{
	struct rota_task_filter filter = ROTA_INIT(rota_task_filter);
	struct rota_task_list *list;
	enum rota_status status;

	filter.before = id == INT64_MAX ? 0 : id + 1;
	filter.limit = 1;
	status = rota_task_list(cli->store, &filter, &list, err);
	if (status)
		return status;
	*ret = list->count == 1 && list->tasks[0]->id == id;
	rota_task_list_free(list);
	return ROTA_OK;
}

static enum rota_status find_key(
	struct cli *cli, const char *key, rota_id *ret_id, struct rota_error *err)
{
	enum rota_status status = rota_task_find(cli->store, key, ret_id, err);

	if (status == ROTA_NOT_FOUND)
		return rota_err(err, ROTA_NOT_FOUND,
			"no task has the key \"%.200s\"; `rota ls` shows them", key);
	return status;
}

enum rota_status cli_task_id(
	struct cli *cli, const char *text, rota_id *ret_id, struct rota_error *err)
{
	enum rota_status status;
	rota_id id, other;
	bool exists;

	if (strncmp(text, "key:", 4) == 0)
		return find_key(cli, text + 4, ret_id, err);
	if (!rota_int_parse(text, 1, INT64_MAX, &id))
		return find_key(cli, text, ret_id, err);
	status = id_exists(cli, id, &exists, err);
	if (status)
		return status;
	if (!exists) {
		status = rota_task_find(cli->store, text, &other, err);
		if (!status)
			id = other;
		else if (status != ROTA_NOT_FOUND)
			return status;
	}
	*ret_id = id;
	return ROTA_OK;
}

enum rota_status cli_task_ids(
	struct cli *cli, char *const *args, int count, rota_id **ret_ids, struct rota_error *err)
{
	rota_id *ids = cli_array(cli, (size_t)count, sizeof(*ids));

	for (int i = 0; i < count; i++) {
		enum rota_status status = cli_task_id(cli, args[i], &ids[i], err);

		if (status)
			return status;
	}
	*ret_ids = ids;
	return ROTA_OK;
}

enum rota_status cli_read_all(
	int fd, size_t max, const char *what, struct rota_buf *ret, struct rota_error *err)
{
	char chunk[64 << 10];

	rota_buf_init(ret, max);
	for (;;) {
		ssize_t got = read(fd, chunk, sizeof(chunk));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return rota_err_os(err, ROTA_INVALID, errno, "cannot read the %s", what);
		if (got == 0)
			return ROTA_OK;
		if (rota_buf_add(ret, chunk, (size_t)got))
			continue;
		if (ret->failed)
			return rota_err_memory(err);
		return rota_err(err, ROTA_LIMIT,
			"the %s is larger than %zu bytes; keep it in a file and "
			"pass the file's name",
			what, max);
	}
}

struct rota_bytes cli_bytes(const struct rota_buf *buf)
{
	return (struct rota_bytes){buf->size ? buf->data : "", buf->size};
}

enum rota_status cli_temporary(int *ret_fd, struct rota_error *err)
{
	const char *dir = getenv("TMPDIR");
	char path[4096];
	int fd;

	if (!dir || !*dir)
		dir = "/tmp";
	fd = open(dir, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		snprintf(path, sizeof(path), "%s/rota-XXXXXX", dir);
		fd = mkostemp(path, O_CLOEXEC);
		if (fd >= 0)
			unlink(path);
	}
	if (fd < 0)
		return rota_err_os(err, ROTA_UNAVAILABLE, errno,
			"cannot make a temporary file in %.200s (set TMPDIR to a directory with "
			"room)",
			dir);
	*ret_fd = fd;
	return ROTA_OK;
}
