/* backend.c: the vtable, and opening a file. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/error.h"
#include "base/futex.h"
#include "store/sqlite/sqlite.h"

static bool fd_close(void *arg, int64_t worker, void *value)
{
	(void)arg, (void)worker;
	close((int)(intptr_t)value - 1);
	return true;
}

static void backend_close(struct rota_backend *backend)
{
	rota_map_each(backend->worker_fds, fd_close, NULL);
	rota_map_free(&backend->worker_fds);
	rota_side_close(backend->side);
	sqlite3_close(atomic_load(&backend->spare));
	free(backend->path);
	free(backend->name_space);
	free(backend);
}

/* Relative paths are made absolute: the program may change its directory later. SQLite wants that
 * the directory is there; so do we, and say which one is missing. */
static enum rota_status path_resolve(const char *place, char **ret, struct rota_error *err)
{
	char *copy ROTA_AUTO_FREE = strdup(place), *copy2 ROTA_AUTO_FREE = strdup(place);
	char *directory ROTA_AUTO_FREE = NULL;

	if (!copy || !copy2)
		return rota_err_memory(err);
	directory = realpath(dirname(copy), NULL);
	if (!directory)
		return rota_err_os(err, ROTA_UNAVAILABLE, errno,
			"%s: its directory cannot be used; make it first", place);
	if (asprintf(ret, "%s/%s", strcmp(directory, "/") ? directory : "", basename(copy2)) < 0) {
		*ret = NULL;
		return rota_err_memory(err);
	}
	return ROTA_OK;
}

/* What SQLite made of it: every name of a file, by links too, must lead to the same side file. */
static enum rota_status path_settle(struct rota_backend *backend, struct rota_error *err)
{
	const char *name = sqlite3_db_filename(atomic_load(&backend->spare), "main");
	char *path = strdup(name && *name ? name : backend->path);

	if (!path)
		return rota_err_memory(err);
	free(backend->path);
	backend->path = path;
	return ROTA_OK;
}

/* Looked at without opening it: closing any descriptor of a database drops the locks that this
 * process holds on it. */
static enum rota_status file_check(const char *path, bool create, struct rota_error *err)
{
	struct stat st;

	if (stat(path, &st)) {
		if (errno != ENOENT)
			return rota_err_os(
				err, ROTA_UNAVAILABLE, errno, "%s cannot be opened", path);
		return create ? ROTA_OK
			      : rota_err(err, ROTA_NOT_FOUND, "there is no store at %s", path);
	}
	if (S_ISDIR(st.st_mode))
		return rota_err(
			err, ROTA_UNAVAILABLE, "%s is a directory; name a file in it", path);
	if (!S_ISREG(st.st_mode))
		return rota_err(err, ROTA_UNAVAILABLE, "%s is no regular file", path);
	/* SQLite would make a -shm file with the same permissions, which stays and refuses writers
	 * even when the file itself may be written again. */
	if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS))
		return rota_err_os(err, ROTA_UNAVAILABLE, errno,
			"%s cannot be written; check the permissions of the file and its directory",
			path);
	return ROTA_OK;
}

static enum rota_status backend_open(const char *place, const struct rota_store_options *options,
	struct rota_world *world, struct rota_backend **ret_backend, struct rota_error *err)
{
	struct rota_backend *backend = calloc(1, sizeof(*backend));
	enum rota_status status;

	if (!backend)
		return rota_err_memory(err);
	backend->world = world;
	backend->lock_timeout = options->lock_timeout;
	backend->name_space = strdup(options->name_space);
	status = backend->name_space ? path_resolve(place, &backend->path, err)
				     : rota_err_memory(err);
	if (!status)
		status = file_check(backend->path, !options->no_create, err);
	if (!status)
		status = rota_sqlite_migrate(backend, !options->no_create, err);
	if (!status)
		status = path_settle(backend, err);
	if (status) {
		backend_close(backend);
		return status;
	}
	backend->side = rota_side_open(backend->path);
	*ret_backend = backend;
	return ROTA_OK;
}

/* Without a side file nobody can tell us anything: then it only takes its time. */
static enum rota_status hint_wait(
	struct rota_backend *backend, rota_duration timeout, struct rota_error *err)
{
	rota_tick deadline = rota_tick_add(backend->world->now(backend->world), timeout);
	uint32_t stopped = atomic_load(&backend->hint_stopped);
	bool there = backend->side && rota_side_there(backend->side);

	if (there && rota_side_wait(backend->side, deadline))
		return ROTA_OK;
	if (!there && !stopped)
		rota_futex_wait((const uint32_t *)&backend->hint_stopped, stopped, deadline, false);
	return rota_err(
		err, ROTA_TIMED_OUT, "no other process is known to have committed anything");
}

static void hint_stop(struct rota_backend *backend)
{
	atomic_store(&backend->hint_stopped, 1);
	rota_futex_wake((const uint32_t *)&backend->hint_stopped, INT_MAX, false);
	if (backend->side)
		rota_side_stop(backend->side);
}

const struct rota_backend_vtable rota_sqlite_backend = {
	.version = ROTA_BACKEND_VERSION,
	.lanes_max = 1,
	.name = "sqlite",
	.open = backend_open,
	.close = backend_close,
	.session_open = rota_session_open,
	.session_close = rota_session_close,
	.begin = rota_session_begin,
	.commit = rota_session_commit,
	.rollback = rota_session_rollback,
	.run =
		{
			[ROTA_OP_WORKER] = rota_sqlite_worker,
			[ROTA_OP_QUEUE] = rota_sqlite_queue,
			[ROTA_OP_ENQUEUE] = rota_sqlite_enqueue,
			[ROTA_OP_EXTEND] = rota_sqlite_extend,
			[ROTA_OP_FINISH] = rota_sqlite_finish,
			[ROTA_OP_SIGNAL] = rota_sqlite_signal,
			[ROTA_OP_CANCEL] = rota_sqlite_cancel,
			[ROTA_OP_RETRY] = rota_sqlite_retry,
			[ROTA_OP_DELETE] = rota_sqlite_delete,
			[ROTA_OP_PURGE] = rota_sqlite_purge,
			[ROTA_OP_MAINTAIN] = rota_sqlite_maintain,
			[ROTA_OP_CLAIM] = rota_sqlite_claim,
			[ROTA_OP_GUARD] = rota_sqlite_guard,
			[ROTA_OP_GET] = rota_sqlite_get,
			[ROTA_OP_STATES] = rota_sqlite_states,
			[ROTA_OP_LIST] = rota_sqlite_list,
			[ROTA_OP_STATS] = rota_sqlite_stats,
			[ROTA_OP_OPEN_WORK] = rota_sqlite_open_work,
		},
	.housekeep = rota_sqlite_housekeep,
	.changed = rota_session_changed,
	.hint_wait = hint_wait,
	.hint_stop = hint_stop,
};
