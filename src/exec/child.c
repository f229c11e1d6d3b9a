/* child.c: vfork, because copying the page tables of a worker that holds many payloads costs more
 * than the shell's start. Between vfork and execve the child makes system calls only and writes
 * nothing but its own stack and the keeper's table. */
#include "exec/child.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/error.h"
#include "base/macros.h"

#define CHILD_FDS 4 /* standard input, output, error, and the lines to us */

struct plan {
	char *const *argv, *const *environment;
	int fds[CHILD_FDS]; /* all above CHILD_FDS - 1 */
	pid_t parent;
	rota_keeper_slot *slot;
};

static void default_signals(void)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		sigaction(number, &action, NULL); /* refused for a few: they cannot be set at all */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

__attribute__((no_sanitize("address", "thread", "undefined"))) static _Noreturn void become(
	const struct plan *plan)
{
	static const char text[] = "cannot run /bin/sh\n";

	setpgid(0, 0);
	if (plan->slot)
		atomic_store(plan->slot, (int32_t)getpid());
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != plan->parent)
		_exit(127); /* it died before the line above */
	for (int fd = 0; fd < CHILD_FDS; fd++)
		if (dup2(plan->fds[fd], fd) < 0)
			_exit(127);
	close_range(CHILD_FDS, ~0U, 0);
	default_signals();
	execve("/bin/sh", plan->argv, plan->environment);
	if (write(2, text, sizeof(text) - 1) < 0)
		_exit(126);
	_exit(127);
}

static pid_t start(const struct plan *plan)
{
	pid_t pid = vfork();

	if (pid == 0)
		become(plan);
	return pid;
}

void rota_child_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void plan_deinit(struct plan *plan)
{
	for (int i = 0; i < CHILD_FDS; i++)
		rota_child_close(&plan->fds[i]);
}

/* Out of the way of 0 to 3, which the child fills one after another. */
static int lift(int fd)
{
	int high;

	if (fd < 0 || fd >= CHILD_FDS)
		return fd;
	high = fcntl(fd, F_DUPFD_CLOEXEC, CHILD_FDS);
	close(fd);
	return high;
}

/* The child's end is its descriptor `fd`; ours does not block. */
static enum rota_status open_pipe(struct plan *plan, int fd, int *ours, struct rota_error *err)
{
	int ends[2], mine = fd == 0 ? 1 : 0;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return rota_err_os(err, ROTA_UNAVAILABLE, errno, "cannot make a pipe");
	*ours = ends[mine];
	plan->fds[fd] = lift(ends[1 - mine]);
	if (plan->fds[fd] < 0 || fcntl(*ours, F_SETFL, O_NONBLOCK) < 0)
		return rota_err_os(err, ROTA_UNAVAILABLE, errno, "cannot set up a pipe");
	return ROTA_OK;
}

static enum rota_status open_pipes(
	struct plan *plan, struct rota_child *child, bool has_input, struct rota_error *err)
{
	enum rota_status status = ROTA_OK;

	if (has_input) {
		status = open_pipe(plan, 0, &child->in, err);
	} else {
		plan->fds[0] = lift(open("/dev/null", O_RDONLY | O_CLOEXEC));
		if (plan->fds[0] < 0)
			status = rota_err_os(err, ROTA_UNAVAILABLE, errno, "cannot open /dev/null");
	}
	if (!status)
		status = open_pipe(plan, 1, &child->out, err);
	if (!status)
		status = open_pipe(plan, 2, &child->err, err);
	return status ? status : open_pipe(plan, 3, &child->note, err);
}

/* No handler of ours may run in the child, which shares our memory until execve. */
static pid_t start_masked(const struct plan *plan)
{
	sigset_t all, before;
	pid_t pid;
	int os_code;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = start(plan);
	os_code = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = os_code;
	return pid;
}

enum rota_status rota_child_start(struct rota_child *child, const struct rota_exec *exec,
	bool has_input, struct rota_error *err)
{
	char shell[] = "sh", option[] = "-c";
	char *argv[] = {shell, option, (char *)(uintptr_t)exec->command, NULL};
	struct plan plan ROTA_CLEANUP(plan_deinit) = {.argv = argv,
		.environment = exec->environment,
		.fds = {-1, -1, -1, -1},
		.parent = getpid()};
	enum rota_status status;

	*child = (struct rota_child){
		.pid = -1, .pidfd = -1, .in = -1, .out = -1, .err = -1, .note = -1};
	status = open_pipes(&plan, child, has_input, err);
	if (status)
		return status;
	child->slot = plan.slot = rota_keeper_take(exec->keeper);
	child->pid = start_masked(&plan);
	if (child->pid < 0)
		return rota_err_os(err, ROTA_UNAVAILABLE, errno, "cannot start a process");
	setpgid(child->pid, child->pid); /* sanitizers turn vfork into fork: who is first does it */
	child->pidfd = pidfd_open(child->pid, 0);
	if (child->pidfd < 0)
		return rota_err_os(err, ROTA_UNAVAILABLE, errno, "cannot watch a process");
	return ROTA_OK;
}

int rota_child_reap(struct rota_child *child, int *ret_value)
{
	siginfo_t info = {.si_code = CLD_KILLED, .si_status = SIGKILL};

	/* The leader is not reaped yet, so its number is still the group's and nobody else's. */
	kill(-child->pid, SIGKILL);
	rota_keeper_give(ROTA_TAKE(child->slot));
	while (waitid(P_PID, (id_t)child->pid, &info, WEXITED) < 0 && errno == EINTR)
		;
	child->pid = -1;
	*ret_value = info.si_status;
	return info.si_code;
}

void rota_child_deinit(struct rota_child *child)
{
	int value;

	if (child->pid > 0)
		rota_child_reap(child, &value);
	rota_keeper_give(ROTA_TAKE(child->slot));
	rota_child_close(&child->pidfd);
	rota_child_close(&child->in);
	rota_child_close(&child->out);
	rota_child_close(&child->err);
	rota_child_close(&child->note);
}
