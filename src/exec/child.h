/* child.h: starting the shell, with its pipes. */
#ifndef ROTA_EXEC_CHILD_H
#define ROTA_EXEC_CHILD_H
#include <sys/types.h>
#include "exec/exec.h"
#include "exec/keeper.h"

struct rota_child {
	pid_t pid;                     /* and its process group */
	int pidfd, in, out, err, note; /* our ends, not blocking; -1: closed */
	rota_keeper_slot *slot;
};
/* All of child is set whatever the answer; deinit closes what is open. */
enum rota_status rota_child_start(struct rota_child *child, const struct rota_exec *exec,
	bool has_input, struct rota_error *err);
/* Kills what is left of the group, then waits for the leader. Returns waitid's si_code, and the
 * status or signal. */
int rota_child_reap(struct rota_child *child, int *ret_value);
void rota_child_close(int *fd);
void rota_child_deinit(struct rota_child *child);
#endif
