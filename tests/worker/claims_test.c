/* How much is claimed, by whom, in which order; the cases of parade's TestActionManager and of
 * contiamo's task worker. */
#include "rig.h"

static enum rota_outcome no_op(struct rota_job *job, void *arg)
{
	(void)job;
	if (arg)
		++*(int *)arg;
	return ROTA_OUTCOME_COMPLETE;
}

static void enqueue_many(struct rota_store *store, size_t n, struct rota_task task)
{
	struct rota_task *tasks = calloc(n, sizeof(*tasks));
	struct rota_error err;
	CHECK(tasks);
	for (size_t i = 0; i < n; i++)
		tasks[i] = task;
	CHECK_OK(rota_task_enqueue(store, tasks, n, NULL, &err), &err);
	free(tasks);
}

static struct rota_worker_counts counts_of(const struct rota_worker *worker)
{
	struct rota_worker_counts counts;
	rota_worker_counts(worker, &counts);
	return counts;
}

/* ---- TestActionManager: each claim finds a scripted number of tasks ---- */

static void action_manager(const char *kind, const size_t *found, size_t n, uint64_t want)
{
	struct rig *rig = rig_new(kind);
	struct rota_worker_options options = ROTA_INIT(rota_worker_options);
	int runs = 0;
	options.concurrency = 5;
	struct rota_worker *worker = rig_worker(rig, &options);
	rig_handle(worker, "a", no_op, &runs);
	rig_start(rig, worker);
	rig_pass(rig, ROTA_MS(1));
	for (size_t i = 0; i < n; i++) {
		if (found[i])
			enqueue_many(rig->store, found[i], ROTA_TASK(.type = "a"));
		rig_pass(rig, ROTA_MS(10));
	}
	CHECK_EQ(runs, want);
	CHECK_EQ(counts_of(worker).completed, want);
	rig_free(rig);
}

STORE_TEST(action_manager_no_tasks)
{
	action_manager(kind, (size_t[]){0}, 1, 0);
}

STORE_TEST(action_manager_one_claim_of_fifty)
{
	action_manager(kind, (size_t[]){50}, 1, 50);
}

STORE_TEST(action_manager_fifty_then_thirty)
{
	action_manager(kind, (size_t[]){50, 30}, 2, 80);
}

/* The original polls, and had not come to the last thirty yet; here they are found at once. */
STORE_TEST(action_manager_fifty_nothing_nothing_thirty)
{
	action_manager(kind, (size_t[]){50, 0, 0, 30}, 4, 80);
}

/* ---- how much ---- */

static enum rota_outcome slow(struct rota_job *job, void *arg)
{
	(void)arg;
	(void)rota_job_sleep(job, ROTA_SECONDS(2));
	return ROTA_OUTCOME_COMPLETE;
}

STORE_TEST(slow_handlers_claim_no_more_than_they_can_run)
{
	struct rig *rig = rig_new(kind);
	struct rota_worker *worker = rig_worker(rig, NULL);
	rig_handle(worker, "x", slow, NULL);
	enqueue_many(rig->store, 20, ROTA_TASK(.type = "x"));
	rig_start(rig, worker);
	for (int i = 0; i < 10; i++) {
		rig_pass(rig, ROTA_MS(1900));
		CHECK_MSG(worker->in_hand <= 1, "%zu in hand", worker->in_hand);
	}
	CHECK(counts_of(worker).completed >= 8);
	rig_free(rig);
}

STORE_TEST(short_handlers_claim_hundreds_at_once)
{
	struct rig *rig = rig_new(kind);
	struct rota_worker *worker = rig_worker(rig, NULL);
	rig_fault(rig);
	rig_handle(worker, "x", no_op, NULL);
	enqueue_many(rig->store, 10000, ROTA_TASK(.type = "x"));
	rig_start(rig, worker);
	rig_pass(rig, ROTA_MS(100));
	CHECK_EQ(counts_of(worker).completed, 10000);
	int claims = atomic_load(&rig->fault.ran[ROTA_OP_CLAIM]),
	    finishes = atomic_load(&rig->fault.ran[ROTA_OP_FINISH]);
	CHECK_MSG(claims < 30 && finishes < 30, "%d claims, %d finishes", claims, finishes);
	rig_free(rig);
}

STORE_TEST(claim_max_and_buffer_are_kept)
{
	struct rig *rig = rig_new(kind);
	struct rota_worker_options options = ROTA_INIT(rota_worker_options);
	options.concurrency = 2;
	options.claim_max = 7;
	options.buffer = 3;
	struct rota_worker *worker = rig_worker(rig, &options);
	rig_fault(rig);
	rig_handle(worker, "x", no_op, NULL);
	enqueue_many(rig->store, 100, ROTA_TASK(.type = "x"));
	rig_start(rig, worker);
	rig_pass(rig, ROTA_MS(100));
	CHECK_EQ(counts_of(worker).completed, 100);
	CHECK(atomic_load(&rig->fault.ran[ROTA_OP_CLAIM]) >= 100 / 5);
	rig_free(rig);
}

static int in_turn(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static enum rota_outcome long_if_first(struct rota_job *job, void *arg)
{
	uint64_t *left = arg;
	if (rota_job_payload(job).size && *left) {
		(*left)--;
		(void)rota_job_sleep(job, ROTA_SECONDS(3000));
	}
	return ROTA_OUTCOME_COMPLETE;
}

/* What was claimed ahead at the pace of short handlers must not wait for a long one. */
STORE_TEST(tasks_behind_a_long_one_are_given_back)
{
	struct rig *rig = rig_new(kind);
	struct rota_worker *one = rig_worker(rig, NULL), *two;
	uint64_t left = 1;
	rig_handle(one, "x", long_if_first, &left);
	enqueue_many(rig->store, 3000, ROTA_TASK(.type = "x"));
	rig_enqueue(rig->store, ROTA_TASK(.type = "x", .payload = {"long", 4}));
	enqueue_many(rig->store, 3000, ROTA_TASK(.type = "x"));
	rig_start(rig, one);
	/* The long one sleeps in the pool's step of the first: the second is stepped from there. */
	two = rig_worker(rig, NULL);
	rig_handle(two, "x", long_if_first, &left);
	rig_start(rig, two);
	rig_pass(rig, ROTA_SECONDS(3001));
	CHECK_EQ(counts_of(one).completed + counts_of(two).completed, 6001);
	CHECK_MSG(counts_of(one).released + counts_of(two).released > 0, "nothing was given back");
	struct rota_task_info *last = rig_get(rig->store, 6001);
	struct rota_task_info *long_one = rig_get(rig->store, 3001);
	CHECK(last->finished_at < long_one->finished_at - ROTA_SECONDS(2900));
	rota_task_info_free(last);
	rota_task_info_free(long_one);
	rig_free(rig);
}

/* ---- which, in which order ---- */

static enum rota_outcome note_order(struct rota_job *job, void *arg)
{
	uint64_t **at = arg;
	*(*at)++ = (uint64_t)rota_job_task(job);
	return ROTA_OUTCOME_COMPLETE;
}

STORE_TEST(tasks_run_by_priority_then_in_the_order_they_came)
{
	struct rig *rig = rig_new(kind);
	uint64_t order[6], *end = order;
	struct rota_worker *worker = rig_worker(rig, NULL);
	rig_handle(worker, "x", note_order, &end);
	for (int i = 0; i < 6; i++)
		rig_enqueue(rig->store, ROTA_TASK(.type = "x", .priority = i < 3 ? 5 : -5));
	rig_start(rig, worker);
	CHECK_EQ(rig_wait_final(rig, 3), ROTA_STATE_COMPLETED);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(order[i], i < 3 ? i + 4 : i - 2);
	rig_free(rig);
}

STORE_TEST(one_worker_sees_old_tasks_before_new_ones)
{
	struct rig *rig = rig_new(kind);
	uint64_t order[2000], *end = order;
	struct rota_worker *worker = rig_worker(rig, NULL);
	rig_handle(worker, "x", note_order, &end);
	enqueue_many(rig->store, 1000, ROTA_TASK(.type = "x"));
	rig_start(rig, worker);
	rig_pass(rig, ROTA_MS(5));
	enqueue_many(rig->store, 1000, ROTA_TASK(.type = "x"));
	rig_pass(rig, ROTA_MS(5));
	CHECK_EQ(end - order, 2000);
	uint64_t sorted[2000];
	memcpy(sorted, order, sizeof(order));
	qsort(sorted, 2000, sizeof(*sorted), in_turn);
	CHECK(memcmp(order, sorted, sizeof(order)) == 0);
	rig_free(rig);
}

STORE_TEST(types_without_a_handler_stay_visible)
{
	struct rig *rig = rig_new(kind);
	struct rota_worker *worker = rig_worker(rig, NULL);
	int runs = 0;
	rig_handle(worker, "known", no_op, &runs);
	rota_id unknown = rig_enqueue(rig->store, ROTA_TASK(.type = "unknown"));
	rota_id known = rig_enqueue(rig->store, ROTA_TASK(.type = "known"));
	rig_start(rig, worker);
	CHECK_EQ(rig_wait_final(rig, known), ROTA_STATE_COMPLETED);
	rig_pass(rig, ROTA_SECONDS(100));
	CHECK_EQ(rig_state(rig->store, unknown), ROTA_STATE_READY);
	rig_free(rig);
}

STORE_TEST(a_handler_for_all_others_gets_them)
{
	struct rig *rig = rig_new(kind);
	struct rota_worker *worker = rig_worker(rig, NULL);
	int runs = 0, others = 0;
	rig_handle(worker, "known", no_op, &runs);
	rig_handle(worker, NULL, no_op, &others);
	rota_id a = rig_enqueue(rig->store, ROTA_TASK(.type = "unknown"));
	rota_id b = rig_enqueue(rig->store, ROTA_TASK(.type = "known"));
	rig_start(rig, worker);
	CHECK_EQ(rig_wait_final(rig, a), ROTA_STATE_COMPLETED);
	CHECK_EQ(rig_wait_final(rig, b), ROTA_STATE_COMPLETED);
	CHECK_EQ(runs, 1);
	CHECK_EQ(others, 1);
	rig_free(rig);
}

STORE_TEST(a_waiting_task_that_was_cancelled_never_runs)
{
	struct rig *rig = rig_new(kind);
	struct rota_worker *worker = rig_worker(rig, NULL);
	int runs = 0;
	rota_id id = rig_enqueue(rig->store, ROTA_TASK(.type = "x", .delay = ROTA_SECONDS(5)));
	CHECK_OK(rota_task_cancel(rig->store, &id, 1, NULL, NULL, NULL), NULL);
	rig_handle(worker, "x", no_op, &runs);
	rig_start(rig, worker);
	rig_pass(rig, ROTA_SECONDS(60));
	CHECK_EQ(runs, 0);
	rig_free(rig);
}

struct failures {
	int64_t failed;
	int runs;
};

static enum rota_outcome count_failures(struct rota_job *job, void *arg)
{
	struct failures *failures = arg;
	failures->failed = rota_job_claimed(job)->failed_dependencies;
	failures->runs++;
	return ROTA_OUTCOME_COMPLETE;
}

static enum rota_outcome fail_odd(struct rota_job *job, void *arg)
{
	(void)arg;
	return rota_job_task(job) % 2 ? rota_job_fail(job, "odd") : rota_job_complete(job, NULL, 0);
}

STORE_TEST(a_report_over_parts_runs_after_them_and_knows_how_many_failed)
{
	struct rig *rig = rig_new(kind);
	struct rota_worker *worker = rig_worker(rig, NULL);
	struct failures failures = {0};
	struct rota_dependency after[9];
	struct rota_task tasks[10];
	for (int i = 0; i < 9; i++) {
		tasks[i] = ROTA_TASK(.type = "part");
		after[i] = (struct rota_dependency){.nth = (uint64_t)i + 1};
	}
	tasks[9] = ROTA_TASK(.type = "report", .after = after, .after_count = 9);
	CHECK_OK(rota_task_enqueue(rig->store, tasks, 10, NULL, NULL), NULL);
	rig_handle(worker, "part", fail_odd, NULL);
	rig_handle(worker, "report", count_failures, &failures);
	rig_start(rig, worker);
	CHECK_EQ(rig_wait_final(rig, 10), ROTA_STATE_COMPLETED);
	CHECK_EQ(failures.runs, 1);
	CHECK_EQ(failures.failed, 5);
	rig_free(rig);
}

/* ---- what is refused ---- */

TEST(wrong_options_and_handlers_are_refused)
{
	struct rig *rig = rig_new("memory");
	struct rota_worker_options options = ROTA_INIT(rota_worker_options);
	struct rota_worker *worker = NULL;
	struct rota_error err;
	options.claim_max = 1000000;
	CHECK_STATUS(rota_worker_new(rig->store, &options, &worker, &err), ROTA_LIMIT, &err);
	options.claim_max = 0;
	options.lease = -1;
	CHECK_STATUS(rota_worker_new(rig->store, &options, &worker, &err), ROTA_INVALID, &err);
	CHECK_HAS(err.message, "lease");
	options.lease = 0;
	options.name = "";
	CHECK_STATUS(rota_worker_new(rig->store, &options, &worker, &err), ROTA_INVALID, &err);
	CHECK_STATUS(rota_worker_new(NULL, NULL, &worker, &err), ROTA_INVALID, &err);
	CHECK(worker == NULL);
	worker = rig_worker(rig, NULL);
	CHECK_STATUS(rota_worker_run(worker, &err), ROTA_INVALID, &err);
	CHECK_HAS(err.message, "no handler");
	CHECK_STATUS(rota_worker_handle(worker, "x", NULL, NULL, &err), ROTA_INVALID, &err);
	CHECK_STATUS(rota_worker_handle(worker, " ", no_op, NULL, &err), ROTA_INVALID, &err);
	rig_handle(worker, "x", no_op, NULL);
	CHECK_STATUS(rota_worker_handle(worker, "x", no_op, NULL, &err), ROTA_EXISTS, &err);
	rig_handle(worker, NULL, no_op, NULL);
	CHECK_STATUS(rota_worker_handle(worker, NULL, no_op, NULL, &err), ROTA_EXISTS, &err);
	rig_start(rig, worker);
	CHECK_STATUS(rota_worker_handle(worker, "late", no_op, NULL, &err), ROTA_INVALID, &err);
	rig_free(rig);
}

static enum rota_outcome leave_much(struct rota_job *job, void *arg)
{
	(void)arg;
	char *big = calloc(1, 1 << 20);
	enum rota_outcome outcome = rota_job_complete(job, big, 1 << 20);
	free(big);
	return outcome;
}

STORE_TEST(large_results_shrink_the_buffer)
{
	struct rig *rig = rig_new(kind);
	struct rota_worker *worker = rig_worker(rig, NULL);
	rig_handle(worker, "x", leave_much, NULL);
	enqueue_many(rig->store, 300, ROTA_TASK(.type = "x"));
	rig_start(rig, worker);
	for (int i = 0; i < 100 && counts_of(worker).completed < 300; i++) {
		rota_tick next;
		(void)rota_worker_step(worker, rig->world.now(&rig->world), &next);
		rota_lane_step(rota_store_lane(rig->store), rig->world.now(&rig->world), &next);
		if (counts_of(worker).completed > 50)
			CHECK_MSG(worker->in_hand <= 70, "%zu in hand", worker->in_hand);
	}
	rig_pass(rig, ROTA_MS(100));
	CHECK_EQ(counts_of(worker).completed, 300);
	rig_free(rig);
}
