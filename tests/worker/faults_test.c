/* Stores that do not answer, or not as they should. */
#include "rig.h"

static enum rota_outcome count_run(struct rota_job *job, void *arg)
{
	(void)job;
	++*(int *)arg;
	return rota_job_complete(job, "r", 1);
}

static struct rota_worker *counting_worker(struct rig *rig, int *runs)
{
	struct rota_worker *worker = rig_worker(rig, NULL);
	*runs = 0;
	rig_fault(rig);
	rig_handle(worker, "x", count_run, runs);
	return worker;
}

static void store_comes_back(struct rig *rig)
{
	rig->fault.begin = ROTA_OK;
}

STORE_TEST(a_worker_waits_longer_and_longer_for_a_store_and_comes_back_by_itself)
{
	struct rig *rig = rig_new(kind);
	int runs;
	struct rota_worker *worker = counting_worker(rig, &runs);
	rota_id id = rig_enqueue(rig->store, ROTA_TASK(.type = "x"));
	rig->fault.begin = ROTA_UNAVAILABLE;
	rig->action = store_comes_back;
	rig->action_at = rig->world.now(&rig->world) + ROTA_SECONDS(600);
	rig_start(rig, worker);
	CHECK_EQ(rig_wait_final(rig, id), ROTA_STATE_COMPLETED);
	/* Said once, not in a hot loop: it could not even register. */
	CHECK_EQ(rig_log_count(rig, "cannot register: as the test wants (unavailable)"), 1);
	CHECK_EQ(rig_log_count(rig, "the store answers again"), 1);
	rig_free(rig);
}

STORE_TEST(claims_that_fail_are_tried_again_with_growing_waits)
{
	struct rig *rig = rig_new(kind);
	int runs;
	struct rota_worker *worker = counting_worker(rig, &runs);
	rig_start(rig, worker);
	rig_pass(rig, ROTA_MS(1));
	CHECK(worker->joined);
	rota_tick before = rig->world.now(&rig->world);
	/* The parked claim is refused when something is committed. */
	rig->fault.run[ROTA_OP_CLAIM] = ROTA_UNAVAILABLE;
	rota_id id = rig_enqueue(rig->store, ROTA_TASK(.type = "x"));
	CHECK_EQ(rig_wait_final(rig, id), ROTA_STATE_COMPLETED);
	rota_duration waited = rig->world.now(&rig->world) - before;
	CHECK_MSG(waited >= ROTA_MS(250) && waited <= ROTA_MS(600), "%lld", (long long)waited);
	CHECK_EQ(rig_log_count(rig, "cannot claim"), 1);
	CHECK_EQ(rig_log_count(rig, "the store answers again, after 1 failures to claim"), 1);
	rig_free(rig);
}

STORE_TEST(an_outcome_whose_commit_answer_was_lost_counts_once)
{
	struct rig *rig = rig_new(kind);
	int runs;
	struct rota_worker *worker = counting_worker(rig, &runs);
	struct rota_worker_counts counts;
	rota_id id = rig_enqueue(rig->store, ROTA_TASK(.type = "x"));
	rig->fault.run[ROTA_OP_FINISH] = ROTA_UNCERTAIN;
	rig_start(rig, worker);
	CHECK_EQ(rig_wait_final(rig, id), ROTA_STATE_COMPLETED);
	(void)rig_settle(rig);
	rota_worker_counts(worker, &counts);
	CHECK_EQ(counts.completed, 1);
	CHECK_EQ(runs, 1);
	rig_free(rig);
}

static void gone_meanwhile(struct rig *rig)
{
	rota_id id = 1;
	CHECK_OK(rota_task_delete(rig->store, &id, 1, ROTA_DELETE_FORCE, NULL, NULL, NULL), NULL);
}

STORE_TEST(a_task_that_is_gone_after_an_uncertain_finish_was_finished)
{
	struct rig *rig = rig_new(kind);
	int runs;
	struct rota_worker *worker = counting_worker(rig, &runs);
	struct rota_worker_counts counts;
	rig_enqueue(rig->store, ROTA_TASK(.type = "x"));
	rig->fault.run[ROTA_OP_FINISH] = ROTA_UNCERTAIN;
	rig->action = gone_meanwhile;
	rig->action_at = rig->world.now(&rig->world) + ROTA_MS(100);
	rig_start(rig, worker);
	rig_pass(rig, ROTA_SECONDS(5));
	rota_worker_counts(worker, &counts);
	CHECK_EQ(counts.completed, 1);
	CHECK_EQ(counts.refused, 0);
	rig_free(rig);
}

STORE_TEST(a_commit_that_answers_uncertain_is_repeated)
{
	struct rig *rig = rig_new(kind);
	int runs;
	struct rota_worker *worker = counting_worker(rig, &runs);
	rota_id ids[20];
	for (int i = 0; i < 20; i++)
		ids[i] = rig_enqueue(rig->store, ROTA_TASK(.type = "x"));
	rig_start(rig, worker);
	for (int i = 0; i < 20; i++) {
		rig->fault.commit_lost = i % 2 ? ROTA_UNCERTAIN : ROTA_OK;
		rig_pass(rig, ROTA_SECONDS(40));
	}
	for (int i = 0; i < 20; i++)
		CHECK_EQ(rig_wait_final(rig, ids[i]), ROTA_STATE_COMPLETED);
	CHECK(runs >= 20);
	rig_free(rig);
}

STORE_TEST(one_outcome_that_cannot_be_stored_does_not_hold_up_the_others)
{
	struct rig *rig = rig_new(kind);
	int runs;
	struct rota_worker *worker = counting_worker(rig, &runs);
	struct rota_retry retry = ROTA_INIT(rota_retry);
	rota_id ids[3];
	retry.attempts_max = 5;
	for (int i = 0; i < 3; i++)
		ids[i] = rig_enqueue(rig->store, ROTA_TASK(.type = "x", .retry = &retry));
	rig->fault.run[ROTA_OP_FINISH] = ROTA_INVALID;
	rig->fault.item = 1;
	rig_start(rig, worker);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(rig_wait_final(rig, ids[i]), ROTA_STATE_COMPLETED);
	struct rota_task_info *info = rig_get(rig->store, ids[0]);
	CHECK_EQ(info->attempt, 2);
	CHECK_STR(info->attempts[0]->error, "as the test wants");
	rota_task_info_free(info);
	CHECK_EQ(runs, 4);
	rig_free(rig);
}

static enum rota_outcome talk(struct rota_job *job, void *arg)
{
	struct rig *rig = arg;
	rota_job_progress(job, 1, 2);
	(void)rota_job_sleep(job, ROTA_SECONDS(12));
	struct rota_task_info *info = rig_get(rig->store, rota_job_task(job));
	CHECK(info->progress.size > 0);
	rota_task_info_free(info);
	return ROTA_OUTCOME_COMPLETE;
}

STORE_TEST(progress_is_kept_until_the_store_takes_it)
{
	struct rig *rig = rig_new(kind);
	struct rota_worker *worker = rig_worker(rig, NULL);
	rig_fault(rig);
	rig->fault.run[ROTA_OP_EXTEND] = ROTA_UNAVAILABLE;
	rig_handle(worker, "x", talk, rig);
	rota_id id = rig_enqueue(rig->store, ROTA_TASK(.type = "x"));
	rig_start(rig, worker);
	CHECK_EQ(rig_wait_final(rig, id), ROTA_STATE_COMPLETED);
	rig_free(rig);
}

STORE_TEST(a_store_that_refuses_for_good_ends_the_worker)
{
	struct rig *rig = rig_new(kind);
	int runs;
	struct rota_error err;
	struct rota_worker *worker = counting_worker(rig, &runs);
	rig->fault.run[ROTA_OP_CLAIM] = ROTA_UNSUPPORTED;
	CHECK_STATUS(rota_worker_run(worker, &err), ROTA_UNSUPPORTED, &err);
	CHECK_STR(err.message, "as the test wants");
	rig_free(rig);
}
