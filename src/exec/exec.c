/* exec.c: one attempt's loop over poll(2). */
#include "exec/exec.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/error.h"
#include "base/macros.h"
#include "base/text.h"
#include "base/world.h"
#include "exec/child.h"

#define TAIL_BYTES_MAX (8 << 10) /* of standard error: the end of a stack trace, not the log */
#define CHUNK_BYTES (32 << 10)
#define AFTERGLOW ROTA_MS(100)  /* pipes that others hold open are read no longer than that */
#define HURRY_LOOK ROTA_MS(100) /* how often the flags that nobody signals are looked at */

struct run {
	struct rota_job *job;
	const struct rota_exec *exec;
	struct rota_exec_end *end;
	struct rota_child child;
	struct rota_bytes payload;
	size_t sent;
	struct rota_buf line;
	int cancel_fd;
	bool exited;
	rota_tick kill_at, close_at; /* ROTA_TICK_NEVER: not stopping, not ended */
};

static rota_tick now(void)
{
	struct rota_world *world = rota_world_real();

	return world->now(world);
}

static void send_payload(struct run *run)
{
	const char *from = (const char *)run->payload.data + run->sent;
	ssize_t n = write(run->child.in, from, run->payload.size - run->sent);

	if (n > 0)
		run->sent += (size_t)n;
	/* EPIPE: it wants no more, which is its business */
	if (run->sent == run->payload.size || (n < 0 && errno != EAGAIN && errno != EINTR))
		rota_child_close(&run->child.in);
}

static void take_out(struct run *run, const char *data, size_t size)
{
	rota_buf_add(&run->end->out, data, size);
	run->end->out_bytes += size;
}

static void take_err(struct run *run, const char *data, size_t size)
{
	rota_buf_add_tail(&run->end->tail, data, size);
}

static void end_line(struct run *run)
{
	bool whole = !run->line.cut && !run->line.failed;

	run->exec->line(run->exec->arg, whole ? (run->line.size ? run->line.data : "") : NULL,
		run->line.size);
	rota_buf_clear(&run->line);
}

static void take_note(struct run *run, const char *data, size_t size)
{
	while (size > 0) {
		const char *end = memchr(data, '\n', size);
		size_t part = end ? (size_t)(end - data) : size;

		rota_buf_add(&run->line, data, part);
		if (!end)
			return;
		end_line(run);
		data += part + 1;
		size -= part + 1;
	}
}

/* One chunk, so that no pipe keeps the loop from the others. */
static void drain(struct run *run, int *fd, void (*take)(struct run *, const char *, size_t))
{
	char chunk[CHUNK_BYTES];
	ssize_t n = read(*fd, chunk, sizeof(chunk));

	if (n > 0)
		take(run, chunk, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		rota_child_close(fd);
}

static void kill_group(struct run *run)
{
	kill(-run->child.pid, SIGKILL);
	run->end->killed = true;
	run->kill_at = ROTA_TICK_NEVER;
}

/* Looks at what asks for an end, and at the time that is left for it. */
static void check_stop(struct run *run)
{
	enum rota_stop_reason reason = rota_job_cancelled(run->job);

	if (run->exited || run->end->killed || reason == ROTA_STOP_NONE)
		return;
	if (run->end->stopped == ROTA_STOP_NONE) {
		run->end->stopped = reason;
		kill(-run->child.pid, SIGTERM);
		run->kill_at = rota_tick_add(now(), run->exec->kill_after);
	}
	if (reason == ROTA_STOP_LEASE_LOST || now() >= run->kill_at ||
		(run->exec->hurry && atomic_load(run->exec->hurry)))
		kill_group(run);
}

static void check_exit(struct run *run)
{
	int value, code = rota_child_reap(&run->child, &value);

	run->exited = true;
	run->end->status = code == CLD_EXITED ? value : -1;
	run->end->signal = code == CLD_EXITED ? 0 : value;
	run->close_at = rota_tick_add(now(), AFTERGLOW);
	rota_child_close(&run->child.in);
	rota_child_close(&run->child.pidfd);
}

/* In milliseconds, rounded up; -1: until something happens. */
static int poll_timeout(const struct run *run)
{
	rota_tick until = ROTA_MIN(run->kill_at, run->close_at), from = now();

	if (run->cancel_fd < 0 || run->end->stopped != ROTA_STOP_NONE)
		until = ROTA_MIN(until, rota_tick_add(from, HURRY_LOOK));
	if (until == ROTA_TICK_NEVER)
		return -1;
	return until <= from ? 0 : (int)ROTA_MIN((until - from + 999) / 1000, INT64_C(3600000));
}

static void step(struct run *run)
{
	bool stopping = run->end->stopped != ROTA_STOP_NONE;
	struct pollfd fds[] = {
		{run->child.in, POLLOUT, 0},
		{run->child.out, POLLIN, 0},
		{run->child.err, POLLIN, 0},
		{run->child.note, POLLIN, 0},
		{run->child.pidfd, POLLIN, 0},
		{stopping || run->exited ? -1 : run->cancel_fd, POLLIN, 0},
	};

	if (poll(fds, ROTA_COUNT(fds), poll_timeout(run)) < 0)
		return; /* EINTR; the next round looks again */
	if (fds[0].revents)
		send_payload(run);
	if (fds[1].revents)
		drain(run, &run->child.out, take_out);
	if (fds[2].revents)
		drain(run, &run->child.err, take_err);
	if (fds[3].revents)
		drain(run, &run->child.note, take_note);
	if (fds[4].revents)
		check_exit(run);
	check_stop(run);
}

static bool going_on(const struct run *run)
{
	bool open = run->child.out >= 0 || run->child.err >= 0 || run->child.note >= 0;

	return !run->exited || (open && now() < run->close_at);
}

/* Bytes to text: a NUL would hide what follows it. */
static void mend(struct rota_buf *tail)
{
	for (size_t i = 0; i < tail->size; i++)
		if (tail->data[i] == '\0')
			tail->data[i] = '?';
	rota_utf8_mend(tail->data, tail->size);
}

static void run_deinit(struct run *run)
{
	rota_child_deinit(&run->child);
	rota_buf_deinit(&run->line);
}

enum rota_status rota_exec_run(struct rota_job *job, const struct rota_exec *exec,
	struct rota_exec_end *ret_end, struct rota_error *err)
{
	struct run run ROTA_CLEANUP(run_deinit) = {.job = job,
		.exec = exec,
		.end = ret_end,
		.payload = rota_job_payload(job),
		.kill_at = ROTA_TICK_NEVER,
		.close_at = ROTA_TICK_NEVER};
	enum rota_status status;

	*ret_end = (struct rota_exec_end){.status = -1};
	rota_buf_init(&ret_end->out, exec->result_bytes_max);
	rota_buf_init(&ret_end->tail, TAIL_BYTES_MAX);
	rota_buf_init(&run.line, exec->line_bytes_max);
	run.cancel_fd = rota_job_cancel_fd(job);
	status = rota_child_start(&run.child, exec, run.payload.size > 0, err);
	if (status)
		return status;
	while (going_on(&run))
		step(&run);
	if (run.line.size > 0 || run.line.cut)
		end_line(&run); /* the last line may lack its newline */
	mend(&ret_end->tail);
	return ROTA_OK;
}

void rota_exec_end_deinit(struct rota_exec_end *end)
{
	rota_buf_deinit(&end->out);
	rota_buf_deinit(&end->tail);
}

char *rota_exec_words(const struct rota_exec_end *end, char *out, size_t size)
{
	size_t tail = end->tail.size;
	const char *text = end->tail.data;
	int n;

	while (tail > 0 && strchr(" \n\r\t", text[tail - 1]))
		tail--;
	if (end->signal)
		n = snprintf(out, size, "killed by signal %d (SIG%s)", end->signal,
			sigabbrev_np(end->signal) ? sigabbrev_np(end->signal) : "?");
	else
		n = snprintf(out, size, "exit status %d", end->status);
	if (tail > 0 && n > 0 && (size_t)n < size)
		snprintf(out + n, size - (size_t)n, ": %.*s", (int)tail, text);
	return out;
}
