/* keeper.c: PR_SET_PDEATHSIG reaches the shell only. Its children would go on after a kill -9 of
 * the worker, beside the attempt that somebody else starts then; so a small process waits for the
 * end of a pipe that only the worker holds, and kills what is in the shared table. */
#include "exec/keeper.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/error.h"
#include "base/macros.h"

#define SLOTS 4096 /* attempts at once; more run without a keeper */

struct rota_keeper {
	rota_keeper_slot *slots;
	int alive_fd; /* the writing end, never written to */
	pid_t pid;
};

static _Noreturn void keep(rota_keeper_slot *slots, int fd)
{
	char nothing;
	ssize_t n;

	prctl(PR_SET_NAME, "rota-keeper");
	setsid(); /* what is sent to the worker's group or terminal is not for us */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	dup2(fd, 0);
	close_range(1, ~0U, 0); /* nobody who reads our output must wait for this process */
	do
		n = read(0, &nothing, 1);
	while (n > 0 || (n < 0 && errno == EINTR));
	for (size_t i = 0; i < SLOTS; i++)
		if (atomic_load(&slots[i]) > 1)
			kill(-atomic_load(&slots[i]), SIGKILL);
	_exit(0);
}

static enum rota_status start(struct rota_keeper *keeper, struct rota_error *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return rota_err_os(err, ROTA_UNAVAILABLE, errno, "cannot make a pipe");
	keeper->pid = fork();
	if (keeper->pid == 0) {
		close(ends[1]);
		keep(keeper->slots, ends[0]);
	}
	close(ends[0]);
	if (keeper->pid < 0) {
		close(ends[1]);
		return rota_err_os(err, ROTA_UNAVAILABLE, errno, "cannot start a process");
	}
	keeper->alive_fd = ends[1];
	return ROTA_OK;
}

enum rota_status rota_keeper_start(struct rota_keeper **ret_keeper, struct rota_error *err)
{
	struct rota_keeper *keeper ROTA_AUTO_FREE = calloc(1, sizeof(*keeper));
	enum rota_status status;

	if (!keeper)
		return rota_err_memory(err);
	keeper->slots = mmap(NULL, SLOTS * sizeof(*keeper->slots), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (keeper->slots == MAP_FAILED)
		return rota_err_memory(err);
	status = start(keeper, err);
	if (status) {
		munmap(keeper->slots, SLOTS * sizeof(*keeper->slots));
		return status;
	}
	*ret_keeper = ROTA_TAKE(keeper);
	return ROTA_OK;
}

void rota_keeper_free(struct rota_keeper *keeper)
{
	if (!keeper)
		return;
	close(keeper->alive_fd);
	while (waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR)
		;
	munmap(keeper->slots, SLOTS * sizeof(*keeper->slots));
	free(keeper);
}

rota_keeper_slot *rota_keeper_take(struct rota_keeper *keeper)
{
	for (size_t i = 0; keeper && i < SLOTS; i++) {
		int32_t free_slot = 0;

		if (atomic_compare_exchange_strong(&keeper->slots[i], &free_slot, -1))
			return &keeper->slots[i];
	}
	return NULL;
}

void rota_keeper_give(rota_keeper_slot *slot)
{
	if (slot)
		atomic_store(slot, 0);
}
