/* Several processes on one file. Children are forked before a store is opened, and speak by pipes.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/macros.h"
#include "store/store.h"
#include "test.h"

static struct rota_error err;

static struct rota_store *store_open(const char *path)
{
	struct rota_store *store = NULL;

	CHECK_OK(rota_store_open(path, NULL, &store, &err), &err);
	return store;
}

static void keep_forever(struct rota_store *store)
{
	struct rota_queue_settings settings = {sizeof(settings), ROTA_FOREVER, ROTA_FOREVER};

	CHECK_OK(rota_queue_set(store, "default", &settings, &err), &err);
}

/* Memory that parent and children share. */
static void *shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(memory != MAP_FAILED);
	return memory;
}

static pid_t child(void (*run)(const char *path, int nth), const char *path, int nth)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		run(path, nth);
		_exit(0);
	}
	return pid;
}

static void child_done(pid_t pid)
{
	int status;

	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_MSG(WIFEXITED(status) && !WEXITSTATUS(status), "a child ended with %d", status);
}

/* ---- races ---- */

#define RACE_TASKS 3000
static _Atomic uint32_t *runs; /* how often each task was finished */
static _Atomic uint32_t *enqueued;

static size_t work(struct rota_store *store, size_t max)
{
	struct rota_claim_options options = {.size = sizeof(options), .tasks_max = max};
	struct rota_claims *claims = NULL;
	size_t n;

	CHECK_OK(rota_task_claim(store, &options, &claims, NULL, &err), &err);
	n = claims->count;
	for (size_t i = 0; i < n; i++) {
		struct rota_verdict verdict = {.size = sizeof(verdict),
			.id = claims->tasks[i]->id,
			.token = claims->tasks[i]->token,
			.outcome = ROTA_OUTCOME_COMPLETE};

		CHECK_EQ(claims->tasks[i]->token, 1); /* nobody claimed it before */
		CHECK_OK(rota_task_finish(store, &verdict, 1, NULL, &err), &err);
		atomic_fetch_add(&runs[claims->tasks[i]->id], 1);
	}
	rota_claims_free(claims);
	return n;
}

static void race(const char *path, int nth)
{
	struct rota_store *store = store_open(path);
	struct rota_task task = ROTA_TASK(.type = nth % 2 ? "odd" : "even");

	for (uint32_t n = 0; n < RACE_TASKS / 3; n++) {
		CHECK_OK(rota_task_enqueue(store, &task, 1, NULL, &err), &err);
		atomic_fetch_add(enqueued, 1);
		if (n % 10 == 0)
			(void)work(store, 7);
	}
	while (work(store, 50))
		;
	rota_store_close(store);
}

TEST_LIMIT(processes_on_one_file_lose_nothing_and_claim_nothing_twice, 120)
{
	const char *path = test_path("a.db");
	struct rota_store *store;
	pid_t pids[3];

	runs = shared((RACE_TASKS + 10) * sizeof(*runs));
	enqueued = shared(sizeof(*enqueued));
	for (int i = 0; i < 3; i++)
		pids[i] = child(race, path, i);
	for (int i = 0; i < 3; i++)
		child_done(pids[i]);
	store = store_open(path);
	while (work(store, 50))
		;
	CHECK_EQ(*enqueued, RACE_TASKS);
	for (rota_id id = 1; id <= RACE_TASKS; id++)
		CHECK_EQ(runs[id], 1);
	rota_store_close(store);
}

/* ---- kill -9 ---- */

struct ledger {
	_Atomic uint64_t put, finished; /* calls that were acknowledged, in order */
};
static struct ledger *ledger;

/* Tasks k0, k1, … in calls of three; finishes them in order. Writes down what was acknowledged. */
static void toil(const char *path, int nth)
{
	struct rota_store *store = store_open(path);

	(void)nth;
	for (;;) {
		uint64_t n = atomic_load(&ledger->put);
		struct rota_task tasks[3] = {0};
		char keys[3][32];
		struct rota_claims *claims = NULL;
		struct rota_claim_options options = {.size = sizeof(options), .tasks_max = 2};

		for (int i = 0; i < 3; i++) {
			snprintf(keys[i], sizeof(keys[i]), "k%" PRIu64 "-%d", n, i);
			tasks[i] = ROTA_TASK(.type = "t", .key = keys[i],
				.on_conflict = ROTA_CONFLICT_IGNORE);
		}
		CHECK_OK(rota_task_enqueue(store, tasks, 3, NULL, &err), &err);
		atomic_fetch_add(&ledger->put, 1);
		CHECK_OK(rota_task_claim(store, &options, &claims, NULL, &err), &err);
		for (size_t i = 0; i < claims->count; i++) {
			struct rota_verdict verdict = {.size = sizeof(verdict),
				.id = claims->tasks[i]->id,
				.token = claims->tasks[i]->token,
				.outcome = ROTA_OUTCOME_COMPLETE};

			CHECK_OK(rota_task_finish(store, &verdict, 1, NULL, &err), &err);
			atomic_fetch_add(&ledger->finished, 1);
		}
		rota_claims_free(claims);
	}
}

static void check_ledger(const char *path)
{
	struct rota_store *store = store_open(path);
	struct rota_queue_list *queues = NULL;
	uint64_t completed = 0;

	for (uint64_t n = 0; n < ledger->put; n++) {
		for (int i = 0; i < 3; i++) {
			char key[48];
			rota_id id;

			snprintf(key, sizeof(key), "k%" PRIu64 "-%d", n, i);
			CHECK_OK(rota_task_find(store, key, &id, &err), &err);
		}
	}
	CHECK_OK(rota_queue_list(store, &queues, &err), &err);
	completed = queues->queues[0]->count[ROTA_STATE_COMPLETED];
	CHECK_MSG(completed >= ledger->finished, "%" PRIu64 " completed, %" PRIu64 " acknowledged",
		completed, ledger->finished);
	rota_queue_list_free(queues);
	rota_store_close(store);
}

TEST_LIMIT(what_was_acknowledged_survives_kill_9_at_any_moment, 120)
{
	const char *path = test_path("a.db");
	uint64_t seed = test_seed();
	struct rota_store *store = store_open(path);

	keep_forever(store);
	rota_store_close(store);
	ledger = shared(sizeof(*ledger));
	for (int round = 0; round < 15; round++) {
		pid_t pid = child(toil, path, round);
		struct timespec pause = {
			.tv_nsec = (long)(20000000 + test_random(&seed) % 60000000)};
		int status;

		nanosleep(&pause, NULL);
		kill(pid, SIGKILL);
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		CHECK_MSG(WIFSIGNALED(status), "the child ended by itself: %d", status);
		check_ledger(path);
	}
	CHECK(ledger->put > 10);
}

/* ---- worker processes ---- */

static enum rota_status op_run(
	struct rota_store *store, struct rota_op *op, struct rota_arena *arena)
{
	op->arena = arena;
	return rota_store_run(store, op, &err);
}

static _Atomic uint32_t *claimed;

/* Joins as a worker, claims with an endless lease, and then does nothing. */
static void hold(const char *path, int nth)
{
	struct rota_store *store = store_open(path);
	struct rota_arena arena;
	struct rota_op join = {
		.kind = ROTA_OP_WORKER, .u.worker = {.action = ROTA_WORKER_JOIN, .name = "holder"}};
	struct rota_op claim = {.kind = ROTA_OP_CLAIM,
		.u.claim = {.worker = "holder", .tasks_max = 1, .lease = ROTA_FOREVER}};

	(void)nth;
	rota_arena_init(&arena, 0);
	CHECK_OK(op_run(store, &join, &arena), &err);
	claim.u.claim.worker_id = join.u.worker.ret_worker_id;
	CHECK_OK(op_run(store, &claim, &arena), &err);
	CHECK_EQ(claim.u.claim.ret_count, 1);
	atomic_store(claimed, 1);
	pause();
}

TEST(a_killed_worker_s_tasks_are_rescued_at_once_however_long_its_leases)
{
	const char *path = test_path("a.db");
	struct rota_task task = ROTA_TASK(.type = "t");
	struct rota_store *store;
	struct rota_claims *claims = NULL;
	struct rota_claim_options options = {.size = sizeof(options), .wait = ROTA_SECONDS(30)};
	pid_t pid;

	claimed = shared(sizeof(*claimed));
	store = store_open(path);
	CHECK_OK(rota_task_enqueue(store, &task, 1, NULL, &err), &err);
	rota_store_close(store);
	pid = child(hold, path, 0);
	while (!atomic_load(claimed))
		usleep(1000);
	store = store_open(path);
	options.wait = ROTA_MS(1500); /* it lives: nothing is to be had */
	CHECK_OK(rota_task_claim(store, &options, &claims, NULL, &err), &err);
	CHECK_EQ(claims->count, 0);
	rota_claims_free(claims);
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	options.wait = ROTA_SECONDS(30);
	CHECK_OK(rota_task_claim(store, &options, &claims, NULL, &err), &err);
	CHECK_EQ(claims->count, 1);
	CHECK_EQ(claims->tasks[0]->token, 2);
	rota_claims_free(claims);
	rota_store_close(store);
}

/* A child that lives has claimed the only task of the store at path. */
static pid_t holder(const char *path)
{
	struct rota_task task = ROTA_TASK(.type = "t");
	struct rota_store *store = store_open(path);
	pid_t pid;

	claimed = shared(sizeof(*claimed));
	CHECK_OK(rota_task_enqueue(store, &task, 1, NULL, &err), &err);
	rota_store_close(store);
	pid = child(hold, path, 0);
	while (!atomic_load(claimed))
		usleep(1000);
	return pid;
}

static size_t claim_once(struct rota_store *store)
{
	struct rota_claims *claims = NULL;
	size_t n;

	CHECK_OK(rota_task_claim(store, NULL, &claims, NULL, &err), &err);
	n = claims->count;
	rota_claims_free(claims);
	return n;
}

TEST(a_worker_lives_under_every_name_of_the_file)
{
	const char *path = test_path("a.db"), *other = test_path("link.db");
	pid_t pid = holder(path);
	struct rota_store *store;

	CHECK_EQ(symlink("a.db", other), 0);
	store = store_open(other);
	CHECK_EQ(claim_once(store), 0);
	CHECK_EQ(access(test_path("link.db-rota"), F_OK), -1);
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	rota_store_close(store);
	store = store_open(other);
	CHECK_EQ(claim_once(store), 1);
	rota_store_close(store);
}

TEST(a_worker_lives_though_its_side_file_was_removed)
{
	const char *path = test_path("a.db");
	pid_t pid = holder(path);
	struct rota_arena arena;
	struct rota_op join = {
		.kind = ROTA_OP_WORKER, .u.worker = {.action = ROTA_WORKER_JOIN, .name = "other"}};
	struct rota_store *before = store_open(path), *store;

	rota_arena_init(&arena, 0);
	CHECK_EQ(unlink(test_path("a.db-rota")), 0);
	store = store_open(path); /* makes another */
	CHECK_OK(op_run(store, &join, &arena), &err);
	CHECK_OK(op_run(before, &join, &arena), &err);
	CHECK_EQ(claim_once(store), 0);
	CHECK_EQ(claim_once(before), 0);
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	rota_arena_deinit(&arena);
	rota_store_close(store);
	rota_store_close(before);
}

/* Claims with a short lease, and lives on without renewing it. */
static void hold_shortly(const char *path, int nth)
{
	struct rota_store *store = store_open(path);
	struct rota_arena arena;
	struct rota_op join = {
		.kind = ROTA_OP_WORKER, .u.worker = {.action = ROTA_WORKER_JOIN, .name = "holder"}};
	struct rota_op claim = {.kind = ROTA_OP_CLAIM,
		.u.claim = {.worker = "holder", .tasks_max = 1, .lease = ROTA_MS(300)}};

	(void)nth;
	rota_arena_init(&arena, 0);
	CHECK_OK(op_run(store, &join, &arena), &err);
	claim.u.claim.worker_id = join.u.worker.ret_worker_id;
	CHECK_OK(op_run(store, &claim, &arena), &err);
	atomic_store(claimed, 1);
	pause();
}

/* Writes while the application's transaction is open, and gives up after lock_timeout. */
static void locked_out(const char *path, rota_duration lock_timeout)
{
	struct rota_store_options options = {
		.size = sizeof(options), .lock_timeout = lock_timeout};
	struct rota_task task = ROTA_TASK(.type = "u");
	struct rota_store *store = NULL;
	sqlite3 *application = NULL;

	CHECK_OK(rota_store_open(path, &options, &store, &err), &err);
	CHECK_EQ(sqlite3_open(path, &application), SQLITE_OK);
	CHECK_EQ(sqlite3_exec(application, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	CHECK_STATUS(rota_task_enqueue(store, &task, 1, NULL, &err), ROTA_BUSY, &err);
	CHECK_EQ(sqlite3_exec(application, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(application);
	rota_store_close(store);
}

static void outlives_a_long_transaction(const char *path, rota_duration lock_timeout)
{
	struct rota_task task = ROTA_TASK(.type = "t");
	struct rota_store *store = store_open(path);
	pid_t pid;

	claimed = shared(sizeof(*claimed));
	CHECK_OK(rota_task_enqueue(store, &task, 1, NULL, &err), &err);
	rota_store_close(store);
	pid = child(hold_shortly, path, 0);
	while (!atomic_load(claimed))
		usleep(1000);
	locked_out(path, lock_timeout);
	usleep(350000);
	store = store_open(path); /* knows nothing of the wait */
	CHECK_EQ(claim_once(store), 0);
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	rota_store_close(store);
	store = store_open(path);
	CHECK_EQ(claim_once(store), 1);
	rota_store_close(store);
}

TEST(those_that_live_have_time_to_renew_after_a_long_transaction_of_an_application)
{
	outlives_a_long_transaction(test_path("a.db"), ROTA_MS(700));
	outlives_a_long_transaction(test_path("b.db"), ROTA_MS(100));
}

/* ---- waking each other ---- */

static _Atomic int64_t *woken_at;

static void sleeper(const char *path, int nth)
{
	struct rota_store *store = store_open(path);
	struct rota_world *world = rota_world_real();

	(void)nth;
	for (int i = 0; i < 10; i++) {
		struct rota_claim_options options = {
			.size = sizeof(options), .wait = ROTA_SECONDS(30)};
		struct rota_claims *claims = NULL;

		CHECK_OK(rota_task_claim(store, &options, &claims, NULL, &err), &err);
		CHECK_EQ(claims->count, 1);
		woken_at[i] = world->now(world);
		rota_claims_free(claims);
	}
	rota_store_close(store);
}

static int by_value(const void *a, const void *b)
{
	return (*(const int64_t *)a > *(const int64_t *)b) -
	       (*(const int64_t *)a < *(const int64_t *)b);
}

/* The poll interval is 100 ms; a hint takes microseconds, on a busy machine a little more. */
TEST(a_task_enqueued_in_one_process_wakes_a_worker_in_another_long_before_it_polls)
{
	const char *path = test_path("a.db");
	struct rota_world *world = rota_world_real();
	struct rota_store *store = store_open(path);
	struct rota_task task = ROTA_TASK(.type = "t");
	int64_t took[10];
	pid_t pid;

	rota_store_close(store);
	woken_at = shared(10 * sizeof(*woken_at));
	pid = child(sleeper, path, 0);
	store = store_open(path);
	for (int i = 0; i < 10; i++) {
		rota_tick before;

		usleep(30000);
		before = world->now(world);
		CHECK_OK(rota_task_enqueue(store, &task, 1, NULL, &err), &err);
		while (!woken_at[i])
			usleep(200);
		took[i] = woken_at[i] - before;
	}
	child_done(pid);
	qsort(took, 10, sizeof(*took), by_value);
	CHECK_MSG(took[4] < ROTA_MS(50), "the median of 10 wake-ups is %" PRId64 " us", took[4]);
	rota_store_close(store);
}
