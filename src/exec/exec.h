/* exec.h: a program per attempt: /bin/sh -c COMMAND in a process group of its own, on the pool's
 * thread. It gets the job's payload as standard input (none: /dev/null); its standard output is
 * kept up to a maximum, of its standard error the end; on descriptor 3 it may write lines. */
#ifndef ROTA_EXEC_EXEC_H
#define ROTA_EXEC_EXEC_H
#include <stdatomic.h>
#include <stdbool.h>
#include <rota/job.h>
#include "base/buf.h"

struct rota_keeper;

struct rota_exec {
	const char *command;
	char *const *environment; /* "NAME=VALUE", ends with NULL: all that the program gets */
	size_t result_bytes_max, line_bytes_max;
	rota_duration kill_after;   /* between SIGTERM and SIGKILL */
	const atomic_bool *hurry;   /* set: no grace any more; may be NULL */
	struct rota_keeper *keeper; /* kills the group if this process dies; may be NULL */
	/* A line of descriptor 3, terminated by a NUL instead of the newline; text NULL: it was
	 * longer than line_bytes_max. On the calling thread. */
	void (*line)(void *arg, const char *text, size_t size);
	void *arg;
};

struct rota_exec_end {
	enum rota_stop_reason
		stopped; /* why it was sent SIGTERM before it had ended; NONE: it was not */
	bool killed;     /* … and SIGKILL, after the grace */
	int status;      /* exit status, -1: killed by: */
	int signal;
	struct rota_buf out;  /* its standard output, as much as was to be kept */
	uint64_t out_bytes;   /* all that it wrote there */
	struct rota_buf tail; /* the end of its standard error, valid UTF-8 */
};
/* Starts the program and returns when it has ended. Then nothing of its process group is left; what
 * has left the group lives on, but is not waited for. Payload that it does not read is no error.
 * When the job is to stop, the group gets SIGTERM, after kill_after SIGKILL; at once SIGKILL when
 * the lease is lost, because somebody else may run the task now. The caller ignores SIGPIPE and
 * does not ignore SIGCHLD, and deinits ret_end whatever the answer. */
enum rota_status rota_exec_run(struct rota_job *job, const struct rota_exec *exec,
	struct rota_exec_end *ret_end, struct rota_error *err);
void rota_exec_end_deinit(struct rota_exec_end *end);
/* "exit status 3: TAIL", "killed by signal 9 (SIGKILL)"; returns out. */
char *rota_exec_words(const struct rota_exec_end *end, char *out, size_t size);

/* A process that kills every group that is still there when this one dies, SIGKILL included. Start
 * it before there are threads or descriptors that it must not hold. */
enum rota_status rota_keeper_start(struct rota_keeper **ret_keeper, struct rota_error *err);
void rota_keeper_free(struct rota_keeper *keeper); /* NULL is fine */
#endif
