/* Memory that runs out, at every allocation in turn. */
#include "rig.h"

enum { TASKS = 12, ALLOCATIONS = 250 };

static enum rota_outcome say_much(struct rota_job *job, void *arg)
{
	struct rota_task follow_up = ROTA_TASK(.type = "leaf");
	(void)arg;
	rota_job_progress(job, 1, 2);
	rota_job_status(job, "working on %lld", (long long)rota_job_task(job));
	if (strcmp(rota_job_type(job), "leaf") == 0)
		return rota_job_complete(job, "result", 6);
	if (rota_job_enqueue(job, &follow_up, 1, NULL) != ROTA_OK)
		return rota_job_retry_after(job, 0, "no follow-up");
	return rota_job_complete(job, "result", 6);
}

/* Tries with the nth allocation failing. True when it came to that. */
static bool run_out_at(const char *kind, uint64_t nth, bool for_good)
{
	struct rig *rig = rig_new(kind);
	struct rota_worker_options options = ROTA_INIT(rota_worker_options);
	rota_id ids[TASKS];
	for (int i = 0; i < TASKS; i++)
		ids[i] = rig_enqueue(
			rig->store, ROTA_TASK(.type = "x", .timeout = ROTA_SECONDS(50)));
	options.concurrency = 3;
	struct rota_worker *worker = rig_worker(rig, &options);
	rig_handle(worker, "x", say_much, NULL);
	rig_handle(worker, "leaf", say_much, NULL);
	rig_start(rig, worker);
	test_alloc_fail(nth, for_good);
	rig_pass(rig, ROTA_MS(10));
	bool failed = test_alloc_failed();
	test_alloc_recover();
	for (int i = 0; i < TASKS; i++)
		CHECK_EQ(rig_wait_final(rig, ids[i]), ROTA_STATE_COMPLETED);
	rig_pass(rig, ROTA_SECONDS(100));
	struct rota_worker_counts counts;
	rota_worker_counts(worker, &counts);
	CHECK_EQ(counts.completed, 2 * TASKS); /* each has one follow-up */
	for (int i = 0; i < TASKS; i++)
		CHECK_OK(rota_task_delete(rig->store, &ids[i], 1, 0, NULL, NULL, NULL), NULL);
	rig_free(rig);
	return failed;
}

STORE_TEST(an_allocation_that_fails_once_loses_no_task)
{
	uint64_t step = strcmp(kind, "memory") == 0 ? 1 : 9; /* a file takes its time */
	int came = 0;
	for (uint64_t nth = 1; nth <= ALLOCATIONS; nth += step)
		came += run_out_at(kind, nth, false);
	CHECK_MSG(came > 20, "only %d allocations failed", came);
}

STORE_TEST(no_memory_for_a_while_loses_no_task)
{
	for (uint64_t nth = 1; nth <= ALLOCATIONS; nth += 17)
		(void)run_out_at(kind, nth, true);
}

TEST(a_worker_is_not_made_when_memory_runs_out)
{
	struct rig *rig = rig_new("memory");
	bool failed = true;
	for (uint64_t nth = 1; failed; nth++) {
		struct rota_worker_options options = ROTA_INIT(rota_worker_options);
		const char *queues[] = {"a", "b"};
		struct rota_worker *worker = NULL;
		struct rota_error err;
		options.queues = queues;
		options.queue_count = 2;
		test_alloc_fail(nth, false);
		enum rota_status status = rota_worker_new(rig->store, &options, &worker, &err);
		failed = test_alloc_failed();
		test_alloc_recover();
		CHECK_STATUS(status, failed ? ROTA_NO_MEMORY : ROTA_OK, &err);
		rota_worker_free(worker);
	}
	rig_free(rig);
}
