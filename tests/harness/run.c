/* run.c: a process per test, some at a time, each in a process group that is killed as a whole. */
#include "harness.h"
#include "base/macros.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOBS_MAX 64
#define LOG_SHOWN_MAX 16384 /* of what a failed test wrote, its end */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LIMIT_FACTOR 5
#else
#define LIMIT_FACTOR 1
#endif

struct running {
	pid_t pid; /* 0: free */
	size_t nth;
	rota_tick started, deadline;
	bool timed_out;
	char dir[4200], log[4300];
};

struct runner {
	struct test_case **tests;
	size_t count, next, busy;
	const char *root;
	struct running running[JOBS_MAX];
	struct test_sum sum;
};

static rota_tick now(void)
{
	struct rota_world *world = rota_world_real();

	return world->now(world);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (type == FTW_DNR)
		chmod(path, 0700);
	remove(path);
	return 0;
}

void test_remove_dir(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGCHLD);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
}

_Noreturn static void child(const struct test_case *test, const struct running *slot)
{
	int log = open(slot->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t set;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signals(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	if (log < 0 || null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
		_exit(126);
	test_enter(test, slot->dir);
	test->run();
	exit(0); /* sanitizers report leaks here */
}

static void start(struct runner *r)
{
	struct running *slot = r->running;
	const struct test_case *test = r->tests[r->next];
	int limit_s = (test->timeout_s ? test->timeout_s : 60) * LIMIT_FACTOR;

	while (slot->pid)
		slot++;
	*slot = (struct running){.nth = r->next++, .started = now()};
	slot->deadline = rota_tick_add(slot->started, ROTA_SECONDS(limit_s));
	snprintf(slot->dir, sizeof(slot->dir), "%s/%zu", r->root, slot->nth + 1);
	snprintf(slot->log, sizeof(slot->log), "%s.log", slot->dir);
	fflush(NULL);
	slot->pid = fork();
	if (!slot->pid)
		child(test, slot);
	if (slot->pid < 0) {
		perror("fork");
		exit(1);
	}
	setpgid(slot->pid, slot->pid); /* whoever is first; the group must exist before a kill */
	r->busy++;
}

static void show_line(const char *line, size_t size)
{
	printf("# %.*s\n", (int)size, line);
}

/* The end of what the test wrote. */
static void show_log(const char *path)
{
	char text[LOG_SHOWN_MAX + 1], *line, *end;
	FILE *file = fopen(path, "re");
	size_t size;

	if (!file)
		return;
	if (fseek(file, -LOG_SHOWN_MAX, SEEK_END))
		rewind(file);
	size = fread(text, 1, LOG_SHOWN_MAX, file);
	fclose(file);
	text[size] = 0;
	for (line = text; line < text + size; line = end + 1) {
		end = memchr(line, '\n', (size_t)(text + size - line));
		if (!end)
			end = text + size;
		show_line(line, (size_t)(end - line));
	}
}

/* What test_skip wrote last. */
static void last_line(const char *path, char *out, size_t size)
{
	char line[512];
	FILE *file = fopen(path, "re");

	*out = 0;
	while (file && fgets(line, sizeof(line), file))
		snprintf(out, size, "%.*s", (int)strcspn(line, "\n"), line);
	if (file)
		fclose(file);
}

static void say_how(const struct running *slot, const siginfo_t *info)
{
	if (slot->timed_out)
		printf("# timed out\n");
	else if (info->si_code != CLD_EXITED)
		printf("# killed by signal %d (%s)\n", info->si_status, strsignal(info->si_status));
	else if (info->si_status != 1)
		printf("# exit status %d\n", info->si_status);
}

static void report_failure(struct runner *r, const struct running *slot, const siginfo_t *info)
{
	const struct test_case *test = r->tests[slot->nth];

	r->sum.failed++;
	printf("not ok %zu - %s\n# in %s\n", slot->nth + 1, test->name, test->file);
	say_how(slot, info);
	show_log(slot->log);
	printf("# again: %s --store %s --seed %" PRIu64 " %s\n# its files: %s\n",
		program_invocation_name, test_options.store, test_options.seed, test->name,
		slot->dir);
}

static void report(struct runner *r, const struct running *slot, const siginfo_t *info)
{
	const char *name = r->tests[slot->nth]->name;
	bool exited = info->si_code == CLD_EXITED && !slot->timed_out;
	char why[256];

	if (exited && info->si_status == 0) {
		r->sum.passed++;
		printf("ok %zu - %s # %.3f s\n", slot->nth + 1, name,
			(double)(now() - slot->started) / 1e6);
	} else if (exited && info->si_status == TEST_EXIT_SKIP) {
		r->sum.skipped++;
		last_line(slot->log, why, sizeof(why));
		printf("ok %zu - %s # SKIP %s\n", slot->nth + 1, name, why);
	} else {
		report_failure(r, slot, info);
		return;
	}
	test_remove_dir(slot->dir);
	unlink(slot->log);
}

static struct running *find(struct runner *r, pid_t pid)
{
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (r->running[i].pid == pid)
			return &r->running[i];
	return NULL;
}

/* Reaps whatever has ended; children of tests come to us when these end (subreaper). */
static void reap(struct runner *r)
{
	struct running *slot;
	siginfo_t info;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) || !info.si_pid)
			return;
		slot = find(r, info.si_pid);
		if (slot) /* before its number is free again */
			kill(-slot->pid, SIGKILL);
		waitpid(info.si_pid, NULL, 0);
		if (!slot)
			continue;
		report(r, slot, &info);
		slot->pid = 0;
		r->busy--;
	}
}

static void kill_all(struct runner *r, rota_tick before)
{
	for (size_t i = 0; i < JOBS_MAX; i++) {
		struct running *slot = &r->running[i];

		if (slot->pid && slot->deadline <= before) {
			slot->timed_out = true;
			kill(-slot->pid, SIGKILL);
			slot->deadline = ROTA_TICK_NEVER;
		}
	}
}

static void wait_for_something(struct runner *r)
{
	rota_tick at = now(), soonest = at + ROTA_SECONDS(60);
	struct timespec left;
	sigset_t set;
	int got;

	for (size_t i = 0; i < JOBS_MAX; i++)
		if (r->running[i].pid)
			soonest = ROTA_MIN(soonest, r->running[i].deadline);
	soonest = ROTA_MAX(soonest, at);
	left = (struct timespec){(soonest - at) / 1000000, (soonest - at) % 1000000 * 1000};
	signals(&set);
	got = sigtimedwait(&set, NULL, &left);
	if (got > 0 && got != SIGCHLD) {
		kill_all(r, ROTA_TICK_NEVER);
		_exit(128 + got);
	}
	kill_all(r, now());
}

/* What tests left behind in process groups of its own: they are our children by now. */
static void kill_orphans(void)
{
	char path[64];
	FILE *file;
	long pid;

	snprintf(path, sizeof(path), "/proc/self/task/%ld/children", (long)getpid());
	for (int round = 0; round < 100; round++) {
		file = fopen(path, "re");
		if (!file)
			return;
		if (fscanf(file, "%ld", &pid) != 1)
			round = 100;
		else if (!kill((pid_t)pid, SIGKILL))
			waitpid((pid_t)pid, NULL, 0);
		fclose(file);
	}
}

struct test_sum test_run_all(struct test_case **tests, size_t count, const char *root)
{
	static struct runner r;
	size_t jobs = (size_t)ROTA_MIN(test_options.jobs, JOBS_MAX);
	sigset_t set;

	r = (struct runner){.tests = tests, .count = count, .root = root};
	signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	printf("1..%zu\n", count);
	while (r.next < count || r.busy) {
		while (r.next < count && r.busy < jobs)
			start(&r);
		wait_for_something(&r);
		reap(&r);
		fflush(stdout);
	}
	kill_orphans();
	return r.sum;
}
