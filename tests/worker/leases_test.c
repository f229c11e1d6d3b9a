/* Cancellation, lost leases, starts that are committed first, workers that die. */
#include "rig.h"

static enum rota_outcome no_op(struct rota_job *job, void *arg)
{
	(void)job;
	if (arg)
		++*(int *)arg;
	return ROTA_OUTCOME_COMPLETE;
}

struct sleeper {
	struct rig *rig;
	enum rota_stop_reason reason;
	rota_tick began, woke;
	int runs;
};

static enum rota_outcome sleep_until_stopped(struct rota_job *job, void *arg)
{
	struct sleeper *sleeper = arg;
	sleeper->runs++;
	sleeper->began = job->world->now(job->world);
	sleeper->reason = rota_job_sleep(job, ROTA_FOREVER);
	sleeper->woke = job->world->now(job->world);
	return rota_job_retry(job, "stopped");
}

static struct rota_worker *sleeping_worker(struct rig *rig, struct sleeper *sleeper)
{
	struct rota_worker *worker = rig_worker(rig, NULL);
	*sleeper = (struct sleeper){.rig = rig};
	rig->data = sleeper;
	rig_handle(worker, "sleep", sleep_until_stopped, sleeper);
	rig_handle(worker, "no-op", no_op, NULL);
	return worker;
}

static void cancel_first(struct rig *rig)
{
	rota_id id = 1;
	CHECK_OK(rota_task_cancel(rig->store, &id, 1, "changed my mind", NULL, NULL), NULL);
}

static void at(struct rig *rig, rota_duration in, void (*action)(struct rig *))
{
	rig->action = action;
	rig->action_at = rig->world.now(&rig->world) + in;
}

STORE_TEST(a_cancelled_handler_hears_of_it_at_once_and_its_worker_goes_on)
{
	struct rig *rig = rig_new(kind);
	struct sleeper sleeper;
	struct rota_worker *worker = sleeping_worker(rig, &sleeper);
	rota_id id = rig_enqueue(rig->store, ROTA_TASK(.type = "sleep"));
	rota_id next = rig_enqueue(rig->store, ROTA_TASK(.type = "no-op"));
	at(rig, ROTA_SECONDS(3), cancel_first);
	rig_start(rig, worker);
	CHECK_EQ(rig_wait_final(rig, id), ROTA_STATE_CANCELLED);
	CHECK_EQ(sleeper.reason, ROTA_STOP_CANCELLED);
	CHECK_EQ(sleeper.woke - sleeper.began, ROTA_SECONDS(3));
	CHECK_EQ(rig_wait_final(rig, next), ROTA_STATE_COMPLETED);
	rig_free(rig);
}

static void delete_first(struct rig *rig)
{
	rota_id id = 1;
	CHECK_OK(rota_task_delete(rig->store, &id, 1, ROTA_DELETE_FORCE, NULL, NULL, NULL), NULL);
}

STORE_TEST(a_deleted_task_stops_its_handler_within_a_heartbeat)
{
	struct rig *rig = rig_new(kind);
	struct sleeper sleeper;
	struct rota_worker_counts counts;
	struct rota_worker *worker = sleeping_worker(rig, &sleeper);
	rig_enqueue(rig->store, ROTA_TASK(.type = "sleep"));
	rota_id next = rig_enqueue(rig->store, ROTA_TASK(.type = "no-op"));
	at(rig, ROTA_SECONDS(3), delete_first);
	rig_start(rig, worker);
	CHECK_EQ(rig_wait_final(rig, next), ROTA_STATE_COMPLETED);
	CHECK_EQ(sleeper.reason, ROTA_STOP_LEASE_LOST);
	CHECK(sleeper.woke - sleeper.began <= ROTA_SECONDS(10));
	(void)rig_settle(rig);
	rota_worker_counts(worker, &counts);
	CHECK_EQ(counts.refused, 1);
	CHECK_EQ(counts.completed, 1);
	CHECK_EQ(rig_log_count(rig, "lease is not ours any more: not found"), 1);
	rig_free(rig);
}

static enum rota_outcome long_work(struct rota_job *job, void *arg)
{
	(void)arg;
	if (rota_job_sleep(job, ROTA_SECONDS(3600)))
		return rota_job_retry(job, "stopped early");
	return ROTA_OUTCOME_COMPLETE;
}

STORE_TEST(a_handler_may_take_longer_than_the_lease)
{
	struct rig *rig = rig_new(kind);
	struct rota_worker *worker = rig_worker(rig, NULL);
	rota_id id = rig_enqueue(rig->store, ROTA_TASK(.type = "x"));
	rig_handle(worker, "x", long_work, NULL);
	rig_start(rig, worker);
	CHECK_EQ(rig_wait_final(rig, id), ROTA_STATE_COMPLETED);
	struct rota_task_info *info = rig_get(rig->store, id);
	CHECK_EQ(info->attempt, 1);
	CHECK_EQ(info->token, 1);
	rota_task_info_free(info);
	rig_free(rig);
}

STORE_TEST(a_lease_without_end_is_kept_and_still_hears_of_cancellation)
{
	struct rig *rig = rig_new(kind);
	struct rota_worker_options options = ROTA_INIT(rota_worker_options);
	options.concurrency = 1;
	options.lease = ROTA_FOREVER;
	struct sleeper sleeper = {.rig = rig};
	struct rota_worker *worker = rig_worker(rig, &options);
	rig_handle(worker, "sleep", sleep_until_stopped, &sleeper);
	rota_id id = rig_enqueue(rig->store, ROTA_TASK(.type = "sleep"));
	at(rig, ROTA_SECONDS(2000), cancel_first);
	rig_start(rig, worker);
	CHECK_EQ(rig_wait_final(rig, id), ROTA_STATE_CANCELLED);
	CHECK_EQ(sleeper.runs, 1);
	rig_free(rig);
}

static void store_dies(struct rig *rig)
{
	rig->fault.begin = ROTA_UNAVAILABLE;
}

static enum rota_outcome survive_store(struct rota_job *job, void *arg)
{
	struct sleeper *sleeper = arg;
	(void)sleep_until_stopped(job, sleeper);
	sleeper->rig->fault.begin = ROTA_OK;
	return rota_job_complete(job, NULL, 0);
}

STORE_TEST(a_job_is_told_before_its_lease_ends_when_renewals_fail)
{
	struct rig *rig = rig_new(kind);
	struct rota_worker *worker = rig_worker(rig, NULL);
	struct sleeper sleeper = {.rig = rig};
	rig_fault(rig);
	rota_id id = rig_enqueue(rig->store, ROTA_TASK(.type = "x"));
	rig_handle(worker, "x", survive_store, &sleeper);
	at(rig, ROTA_SECONDS(1), store_dies);
	rig_start(rig, worker);
	/* Late, but nobody has claimed it since: what it says still counts. */
	CHECK_EQ(rig_wait_final(rig, id), ROTA_STATE_COMPLETED);
	CHECK_EQ(sleeper.reason, ROTA_STOP_LEASE_LOST);
	rota_duration held = sleeper.woke - sleeper.began;
	CHECK_MSG(held > ROTA_SECONDS(20) && held < ROTA_SECONDS(30), "%lld", (long long)held);
	CHECK_EQ(rig_log_count(rig, "cannot renew leases"), 1);
	rig_free(rig);
}

/* ---- starts ---- */

static enum rota_outcome start_is_known(struct rota_job *job, void *arg)
{
	struct rig *rig = arg;
	(void)job;
	CHECK(atomic_load(&rig->fault.ran[ROTA_OP_EXTEND]) > 0);
	return rota_job_retry(job, "once is enough");
}

STORE_TEST(a_task_of_one_attempt_has_its_start_committed_first)
{
	struct rig *rig = rig_new(kind);
	struct rota_retry retry = ROTA_INIT(rota_retry);
	struct rota_worker *worker = rig_worker(rig, NULL);
	retry.attempts_max = 1;
	rig_fault(rig);
	rig_handle(worker, "x", start_is_known, rig);
	rota_id id = rig_enqueue(rig->store, ROTA_TASK(.type = "x", .retry = &retry));
	rig_start(rig, worker);
	CHECK_EQ(rig_wait_final(rig, id), ROTA_STATE_FAILED);
	CHECK_EQ(atomic_load(&rig->fault.ran[ROTA_OP_EXTEND]), 1);
	rig_free(rig);
}

STORE_TEST(a_start_that_cannot_be_committed_is_tried_again_not_run)
{
	struct rig *rig = rig_new(kind);
	struct rota_retry retry = ROTA_INIT(rota_retry);
	struct rota_worker *worker = rig_worker(rig, NULL);
	int runs = 0;
	retry.attempts_max = 1;
	rig_fault(rig);
	rig->fault.run[ROTA_OP_EXTEND] = ROTA_UNAVAILABLE;
	rig_handle(worker, "x", no_op, &runs);
	rota_id id = rig_enqueue(rig->store, ROTA_TASK(.type = "x", .retry = &retry));
	rig_start(rig, worker);
	rig_pass(rig, ROTA_MS(100));
	CHECK_EQ(runs, 0);
	CHECK_EQ(rig_wait_final(rig, id), ROTA_STATE_COMPLETED);
	CHECK_EQ(runs, 1);
	rig_free(rig);
}

/* ---- a worker dies ---- */

static enum rota_outcome never_run(struct rota_job *job, void *arg)
{
	(void)arg;
	CHECK_MSG(0, "task %lld ran in a dead worker", (long long)rota_job_task(job));
	return ROTA_OUTCOME_FAIL;
}

/* Joins and claims as many as it may run; then nobody steps it, nor its pool. */
static void claim_only(struct rig *rig, struct rota_worker *worker, size_t n)
{
	rota_tick next;
	for (int i = 0; i < 3 && !worker->in_hand; i++) {
		(void)rota_worker_step(worker, rig->world.now(&rig->world), &next);
		rota_lane_step(rota_store_lane(rig->store), rig->world.now(&rig->world), &next);
	}
	CHECK_EQ(worker->in_hand, n);
}

STORE_TEST(tasks_claimed_by_a_worker_that_died_before_they_started_lose_no_attempt)
{
	struct rig *rig = rig_new(kind);
	rota_id ids[4];
	int runs = 0;
	for (int i = 0; i < 4; i++)
		ids[i] = rig_enqueue(rig->store, ROTA_TASK(.type = "x"));
	struct rota_worker_options options = ROTA_INIT(rota_worker_options);
	options.concurrency = 4;
	struct rota_worker *dead = rig_worker(rig, &options);
	rig_handle(dead, "x", never_run, NULL);
	rig_start(rig, dead);
	claim_only(rig, dead, 4);
	rig_kill(rig, dead);
	struct rota_worker *worker = rig_worker(rig, &options);
	rig_handle(worker, "x", no_op, &runs);
	rig_start(rig, worker);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(rig_wait_final(rig, ids[i]), ROTA_STATE_COMPLETED);
		struct rota_task_info *info = rig_get(rig->store, ids[i]);
		CHECK_EQ(info->attempt, 1);
		CHECK_EQ(info->token, 2);
		rota_task_info_free(info);
	}
	CHECK_EQ(runs, 4);
	rig_free(rig);
}

static enum rota_outcome die_in_handler(struct rota_job *job, void *arg)
{
	struct rig *rig = arg;
	rota_tick next;
	/* The store learns that it has started. */
	rota_job_progress(job, 1, 2);
	struct rota_worker *worker = rig->workers[0];
	(void)rota_worker_step(worker, job->world->now(job->world) + ROTA_SECONDS(1), &next);
	rota_lane_step(rota_store_lane(rig->store), job->world->now(job->world), &next);
	return ROTA_OUTCOME_LATER; /* and is never heard of again */
}

STORE_TEST(a_task_whose_worker_died_while_it_ran_lost_that_attempt)
{
	struct rig *rig = rig_new(kind);
	int runs = 0;
	rota_id id = rig_enqueue(rig->store, ROTA_TASK(.type = "x"));
	struct rota_worker *dead = rig_worker(rig, NULL);
	rota_tick next;
	rig_handle(dead, "x", die_in_handler, rig);
	rig_start(rig, dead);
	claim_only(rig, dead, 1);
	(void)rota_worker_step(dead, rig->world.now(&rig->world), &next);
	rig_kill(rig, dead);
	struct rota_worker *worker = rig_worker(rig, NULL);
	rig_handle(worker, "x", no_op, &runs);
	rig_start(rig, worker);
	CHECK_EQ(rig_wait_final(rig, id), ROTA_STATE_COMPLETED);
	struct rota_task_info *info = rig_get(rig->store, id);
	CHECK_EQ(info->attempt, 2);
	CHECK_EQ(info->attempt_count, 1);
	CHECK_STR(info->attempts[0]->outcome, "lost");
	rota_task_info_free(info);
	rig_free(rig);
}

STORE_TEST(a_late_answer_of_a_worker_that_lost_its_lease_is_refused)
{
	struct rig *rig = rig_new(kind);
	struct sleeper sleeper;
	struct rota_worker *slow = sleeping_worker(rig, &sleeper), *other;
	struct rota_worker_counts counts;
	int runs = 0;
	rota_id id = rig_enqueue(rig->store, ROTA_TASK(.type = "sleep"));
	rig_start(rig, slow);
	claim_only(rig, slow, 1);
	/* Its process hangs: nobody steps it, until another worker has done the task. */
	rig->alive[0] = false;
	other = rig_worker(rig, NULL);
	rig_handle(other, "sleep", no_op, &runs);
	rig_start(rig, other);
	CHECK_EQ(rig_wait_final(rig, id), ROTA_STATE_COMPLETED);
	CHECK_EQ(runs, 1);
	rig->alive[0] = true;
	rig_pass(rig, ROTA_SECONDS(60));
	rota_worker_counts(slow, &counts);
	CHECK_EQ(counts.completed + counts.retried, 0);
	CHECK_EQ(counts.claimed, 1);
	CHECK_EQ(sleeper.runs, 0); /* its own clock said that the lease was over */
	rig_free(rig);
}
