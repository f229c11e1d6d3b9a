/* What handlers say, and what becomes of their tasks. */
#include "rig.h"

/* One task, one handler, until it is final. */
static struct rota_task_info *run_one(
	struct rig *rig, struct rota_task task, rota_handler_fn *handler, void *arg)
{
	struct rota_worker *worker = rig_worker(rig, NULL);
	rota_id id = rig_enqueue(rig->store, task);
	rig_handle(worker, task.type, handler, arg);
	rig_start(rig, worker);
	(void)rig_wait_final(rig, id);
	(void)rig_settle(rig);
	return rig_get(rig->store, id);
}

static enum rota_outcome echo(struct rota_job *job, void *arg)
{
	struct rota_bytes payload = rota_job_payload(job);
	CHECK_STR(rota_job_type(job), "echo");
	CHECK(rota_job_task(job) > 0);
	CHECK(rota_job_token(job) > 0);
	CHECK_EQ(rota_job_attempt(job), 1);
	CHECK(arg != NULL);
	rota_job_progress(job, 1, 1);
	rota_job_status(job, "echoed %zu bytes", payload.size);
	return rota_job_complete(job, payload.data, payload.size);
}

STORE_TEST(a_completed_task_keeps_result_progress_and_status)
{
	struct rig *rig = rig_new(kind);
	struct rota_task_info *info =
		run_one(rig, ROTA_TASK(.type = "echo", .payload = {"hello", 5}), echo, rig);
	struct rota_worker_counts counts;
	CHECK_EQ(info->state, ROTA_STATE_COMPLETED);
	CHECK_EQ(info->result.size, 5);
	CHECK(memcmp(info->result.data, "hello", 5) == 0);
	CHECK_EQ(info->progress.size, strlen("{\"done\":1,\"total\":1}"));
	CHECK_STR(info->status_text, "echoed 5 bytes");
	rota_worker_counts(rig->workers[0], &counts);
	CHECK_EQ(counts.claimed, 1);
	CHECK_EQ(counts.completed, 1);
	rota_task_info_free(info);
	rig_free(rig);
}

static enum rota_outcome payload_seen(struct rota_job *job, void *arg)
{
	(void)arg;
	struct rota_bytes payload = rota_job_payload(job);
	return payload.data ? rota_job_fail(job, "empty") : rota_job_cancel(job, "none");
}

STORE_TEST(no_payload_differs_from_an_empty_one)
{
	struct rig *rig = rig_new(kind);
	struct rota_task_info *info = run_one(rig, ROTA_TASK(.type = "p"), payload_seen, NULL);
	CHECK_STR(info->last_error, "none");
	CHECK_EQ(info->state, ROTA_STATE_CANCELLED);
	rota_task_info_free(info);
	rota_id id = rig_enqueue(rig->store, ROTA_TASK(.type = "p", .payload = {"", 0}));
	CHECK_EQ(rig_wait_final(rig, id), ROTA_STATE_FAILED);
	rig_free(rig);
}

/* ---- again ---- */

struct tries {
	int count;
	rota_tick at[32];
	int32_t attempt[32];
};

static void note_try(struct rota_job *job, struct tries *tries)
{
	CHECK(tries->count < 32);
	tries->at[tries->count] = job->world->now(job->world);
	tries->attempt[tries->count++] = rota_job_attempt(job);
}

static enum rota_outcome always_retry(struct rota_job *job, void *arg)
{
	note_try(job, arg);
	return rota_job_retry(job, "try %d was no good", rota_job_attempt(job));
}

STORE_TEST(a_retry_waits_for_the_backoff_until_attempts_are_used_up)
{
	struct rig *rig = rig_new(kind);
	struct tries tries = {0};
	struct rota_retry retry = ROTA_INIT(rota_retry);
	retry.attempts_max = 4;
	retry.jitter_percent = -1;
	retry.backoff_min = ROTA_SECONDS(10);
	struct rota_task_info *info =
		run_one(rig, ROTA_TASK(.type = "x", .retry = &retry), always_retry, &tries);
	CHECK_EQ(info->state, ROTA_STATE_FAILED);
	CHECK_HAS(info->last_error, "try 4 was no good");
	CHECK_EQ(tries.count, 4);
	for (int i = 1; i < 4; i++) {
		rota_duration waited = tries.at[i] - tries.at[i - 1],
			      want = ROTA_SECONDS(10 << (i - 1));
		CHECK_EQ(tries.attempt[i], i + 1);
		CHECK_MSG(waited >= want && waited < want + ROTA_SECONDS(2), "waited %lld",
			(long long)waited);
	}
	CHECK_EQ(info->attempt_count, 4);
	CHECK_STR(info->attempts[0]->outcome, "retry");
	CHECK_STR(info->attempts[0]->error, "try 1 was no good");
	CHECK_EQ(rig_log_count(rig, "attempt failed: try 2 was no good"), 1);
	rota_task_info_free(info);
	rig_free(rig);
}

static enum rota_outcome retry_after_then_done(struct rota_job *job, void *arg)
{
	struct tries *tries = arg;
	note_try(job, tries);
	if (tries->count == 1)
		return rota_job_retry_after(job, 0, "at once");
	if (tries->count == 2)
		return rota_job_retry_after(job, ROTA_SECONDS(77), "later");
	return ROTA_OUTCOME_COMPLETE;
}

STORE_TEST(a_retry_may_name_its_own_delay_none_included)
{
	struct rig *rig = rig_new(kind);
	struct tries tries = {0};
	struct rota_task_info *info =
		run_one(rig, ROTA_TASK(.type = "x"), retry_after_then_done, &tries);
	CHECK_EQ(info->state, ROTA_STATE_COMPLETED);
	CHECK_EQ(info->attempt, 3);
	CHECK(tries.at[1] - tries.at[0] < ROTA_MS(100));
	CHECK(tries.at[2] - tries.at[1] >= ROTA_SECONDS(77));
	CHECK(tries.at[2] - tries.at[1] < ROTA_SECONDS(79));
	rota_task_info_free(info);
	rig_free(rig);
}

static enum rota_outcome snooze_and_release(struct rota_job *job, void *arg)
{
	struct tries *tries = arg;
	note_try(job, tries);
	if (tries->count == 1)
		return rota_job_snooze(job, ROTA_SECONDS(3600), "not yet");
	if (tries->count == 2)
		return rota_job_release(job);
	return ROTA_OUTCOME_COMPLETE;
}

STORE_TEST(snooze_and_release_count_no_attempt)
{
	struct rig *rig = rig_new(kind);
	struct tries tries = {0};
	struct rota_worker_counts counts;
	struct rota_task_info *info =
		run_one(rig, ROTA_TASK(.type = "x"), snooze_and_release, &tries);
	CHECK_EQ(info->state, ROTA_STATE_COMPLETED);
	CHECK_EQ(info->attempt, 1);
	CHECK_EQ(tries.attempt[2], 1);
	CHECK(tries.at[1] - tries.at[0] >= ROTA_SECONDS(3600));
	rota_worker_counts(rig->workers[0], &counts);
	CHECK_EQ(counts.snoozed, 1);
	CHECK_EQ(counts.released, 1);
	rota_task_info_free(info);
	rig_free(rig);
}

static enum rota_outcome fail_for_good(struct rota_job *job, void *arg)
{
	(void)arg;
	return rota_job_fail(job, "no such file: %s", "a.txt");
}

STORE_TEST(a_failed_task_is_not_tried_again)
{
	struct rig *rig = rig_new(kind);
	struct rota_task_info *info = run_one(rig, ROTA_TASK(.type = "x"), fail_for_good, NULL);
	CHECK_EQ(info->state, ROTA_STATE_FAILED);
	CHECK_STR(info->last_error, "no such file: a.txt");
	CHECK_EQ(info->attempt, 1);
	CHECK_EQ(rig_log_count(rig, "0 1 failed for good: no such file: a.txt"), 1);
	rota_task_info_free(info);
	rig_free(rig);
}

static enum rota_outcome nonsense(struct rota_job *job, void *arg)
{
	(void)job, (void)arg;
	return (enum rota_outcome)4711;
}

STORE_TEST(an_outcome_that_does_not_exist_is_a_failed_attempt)
{
	struct rig *rig = rig_new(kind);
	struct rota_retry retry = ROTA_INIT(rota_retry);
	retry.attempts_max = 1;
	struct rota_task_info *info =
		run_one(rig, ROTA_TASK(.type = "x", .retry = &retry), nonsense, NULL);
	CHECK_EQ(info->state, ROTA_STATE_FAILED);
	CHECK_HAS(info->last_error, "returned 4711");
	rota_task_info_free(info);
	rig_free(rig);
}

/* ---- too long, too still ---- */

static enum rota_outcome sleep_for_ever(struct rota_job *job, void *arg)
{
	enum rota_stop_reason *reason = arg;
	*reason = rota_job_sleep(job, ROTA_FOREVER);
	return rota_job_fail(job, "interrupted");
}

STORE_TEST(an_attempt_that_takes_too_long_is_stopped_and_retried)
{
	struct rig *rig = rig_new(kind);
	struct rota_retry retry = ROTA_INIT(rota_retry);
	enum rota_stop_reason reason = ROTA_STOP_NONE;
	retry.attempts_max = 2;
	struct rota_task_info *info =
		run_one(rig, ROTA_TASK(.type = "x", .timeout = ROTA_SECONDS(5), .retry = &retry),
			sleep_for_ever, &reason);
	CHECK_EQ(reason, ROTA_STOP_TIMEOUT);
	CHECK_EQ(info->state, ROTA_STATE_FAILED);
	CHECK_EQ(info->attempt, 2);
	CHECK_STR(info->attempts[0]->outcome, "retry");
	CHECK_STR(info->attempts[0]->error, "timed out after 5s: interrupted");
	CHECK_EQ(info->attempts[0]->finished_at - info->attempts[0]->started_at, ROTA_SECONDS(5));
	rota_task_info_free(info);
	rig_free(rig);
}

static enum rota_outcome sleep_then_complete(struct rota_job *job, void *arg)
{
	(void)arg;
	(void)rota_job_sleep(job, ROTA_SECONDS(60));
	return rota_job_complete(job, "late", 4);
}

STORE_TEST(an_attempt_that_completes_after_its_timeout_is_complete)
{
	struct rig *rig = rig_new(kind);
	struct rota_task_info *info = run_one(
		rig, ROTA_TASK(.type = "x", .timeout = ROTA_SECONDS(5)), sleep_then_complete, NULL);
	CHECK_EQ(info->state, ROTA_STATE_COMPLETED);
	CHECK_EQ(info->attempt, 1);
	rota_task_info_free(info);
	rig_free(rig);
}

static enum rota_outcome move_then_stall(struct rota_job *job, void *arg)
{
	rota_tick began = job->world->now(job->world);
	for (int i = 0; i < 10; i++) {
		rota_job_progress(job, i, 10);
		if (rota_job_sleep(job, ROTA_SECONDS(3)))
			return rota_job_fail(job, "stopped while it moved");
	}
	CHECK_EQ(rota_job_sleep(job, ROTA_FOREVER), ROTA_STOP_STALLED);
	*(rota_duration *)arg = job->world->now(job->world) - began;
	return rota_job_retry(job, NULL);
}

STORE_TEST(an_attempt_without_progress_is_stopped_one_with_progress_is_not)
{
	struct rig *rig = rig_new(kind);
	struct rota_retry retry = ROTA_INIT(rota_retry);
	rota_duration took = 0;
	retry.attempts_max = 1;
	struct rota_task_info *info =
		run_one(rig, ROTA_TASK(.type = "x", .stall = ROTA_SECONDS(5), .retry = &retry),
			move_then_stall, &took);
	CHECK_EQ(info->state, ROTA_STATE_FAILED);
	CHECK_HAS(info->last_error, "no progress for 5s");
	CHECK_EQ(took, ROTA_SECONDS(32)); /* 27 s of steps, then 5 s */
	rota_task_info_free(info);
	rig_free(rig);
}

static enum rota_outcome short_sleep(struct rota_job *job, void *arg)
{
	(void)arg;
	(void)rota_job_sleep(job, ROTA_MS(10));
	return ROTA_OUTCOME_COMPLETE;
}

STORE_TEST(many_timeouts_are_armed_and_disarmed_in_any_order)
{
	struct rig *rig = rig_new(kind);
	uint64_t seed = test_seed();
	struct rota_worker *worker = rig_worker(rig, NULL);
	for (int i = 0; i < 300; i++)
		rig_enqueue(rig->store,
			ROTA_TASK(.type = "x",
				.timeout = ROTA_SECONDS(1 + (int64_t)(test_random(&seed) % 100))));
	rota_id last = rig_enqueue(rig->store, ROTA_TASK(.type = "x", .priority = 1));
	rig_handle(worker, "x", short_sleep, NULL);
	rig_start(rig, worker);
	CHECK_EQ(rig_wait_final(rig, last), ROTA_STATE_COMPLETED);
	(void)rig_settle(rig);
	CHECK_EQ(worker->timer_count, 0);
	struct rota_worker_counts counts;
	rota_worker_counts(worker, &counts);
	CHECK_EQ(counts.completed, 301);
	rig_free(rig);
}

/* ---- progress ---- */

static void look_at_progress(struct rig *rig)
{
	struct rota_task_info *info = rig_get(rig->store, 1);
	CHECK_EQ(info->state, ROTA_STATE_RUNNING);
	CHECK_EQ(info->progress.size, strlen("{\"done\":2,\"total\":3}"));
	CHECK(memcmp(info->progress.data, "{\"done\":2", 9) == 0);
	CHECK_STR(info->status_text, "two of three");
	rig->data = NULL;
	rota_task_info_free(info);
}

static enum rota_outcome say_progress(struct rota_job *job, void *arg)
{
	struct rig *rig = arg;
	rota_job_progress(job, 1, 3);
	rota_job_progress(job, 2, 3);
	rota_job_status(job, "two of %s", "three");
	rig->action = look_at_progress;
	rig->action_at = job->world->now(job->world) + ROTA_MS(1100);
	(void)rota_job_sleep(job, ROTA_SECONDS(2));
	CHECK(rig->data == NULL); /* looked */
	return ROTA_OUTCOME_COMPLETE;
}

STORE_TEST(progress_is_stored_within_a_second_or_so)
{
	struct rig *rig = rig_new(kind);
	rig->data = rig;
	struct rota_task_info *info = run_one(rig, ROTA_TASK(.type = "x"), say_progress, rig);
	CHECK_EQ(info->state, ROTA_STATE_COMPLETED);
	CHECK_STR(info->status_text, "two of three");
	rota_task_info_free(info);
	rig_free(rig);
}

static enum rota_outcome chatter(struct rota_job *job, void *arg)
{
	(void)arg;
	for (int i = 0; i < 1000; i++) {
		rota_job_progress(job, i, 1000);
		(void)rota_job_sleep(job, ROTA_MS(10));
	}
	return ROTA_OUTCOME_COMPLETE;
}

STORE_TEST(a_handler_that_talks_a_lot_is_written_once_a_second)
{
	struct rig *rig = rig_new(kind);
	rig_fault(rig);
	struct rota_task_info *info = run_one(rig, ROTA_TASK(.type = "x"), chatter, NULL);
	CHECK_EQ(info->state, ROTA_STATE_COMPLETED);
	int writes = atomic_load(&rig->fault.ran[ROTA_OP_EXTEND]);
	CHECK_MSG(writes >= 8 && writes <= 14, "%d writes in 10 s", writes);
	rota_task_info_free(info);
	rig_free(rig);
}

/* ---- follow-ups ---- */

static enum rota_outcome two_calls(struct rota_job *job, void *arg)
{
	struct rota_dependency first = {.nth = 1};
	struct rota_task a[] = {ROTA_TASK(.type = "a1"),
		ROTA_TASK(.type = "a2", .after = &first, .after_count = 1)};
	struct rota_task b[] = {ROTA_TASK(.type = "b1", .key = "bee", .payload = {"x", 1}),
		ROTA_TASK(.type = "b2", .after = &first, .after_count = 1)};
	struct rota_task bad[] = {ROTA_TASK(.type = "fine"), ROTA_TASK(.type = "")};
	struct rota_error err;
	(void)arg;
	CHECK_OK(rota_job_enqueue(job, a, 2, &err), &err);
	CHECK_STATUS(rota_job_enqueue(job, bad, 2, &err), ROTA_INVALID, &err);
	CHECK_EQ(err.item, 2);
	CHECK_OK(rota_job_enqueue(job, b, 2, &err), &err);
	memset(b, 0xff, sizeof(b)); /* copied */
	return rota_job_attempt(job) == 1 ? rota_job_retry_after(job, 0, "again")
					  : ROTA_OUTCOME_COMPLETE;
}

STORE_TEST(follow_ups_come_with_the_completion_and_only_with_it)
{
	struct rig *rig = rig_new(kind);
	struct rota_task_info *info = run_one(rig, ROTA_TASK(.type = "x"), two_calls, NULL);
	CHECK_EQ(info->attempt, 2);
	CHECK_EQ(info->state, ROTA_STATE_COMPLETED);
	rota_task_info_free(info);
	rota_id bee = 0;
	CHECK_OK(rota_task_find(rig->store, "bee", &bee, NULL), NULL);
	CHECK_EQ(bee, 4); /* 1 is the task; nothing of the first attempt's */
	info = rig_get(rig->store, 5);
	CHECK_STR(info->type, "b2");
	CHECK_EQ(info->predecessor_count, 1);
	CHECK_EQ(info->predecessors[0]->task, 4); /* b1, the first of its own call */
	rota_task_info_free(info);
	CHECK_EQ(rig_state(rig->store, 6), -1);
	rig_free(rig);
}

static enum rota_outcome taken_key(struct rota_job *job, void *arg)
{
	struct rota_task task = ROTA_TASK(.type = "y", .key = "taken");
	(void)arg;
	CHECK_OK(rota_job_enqueue(job, &task, 1, NULL), NULL);
	return ROTA_OUTCOME_COMPLETE;
}

STORE_TEST(a_follow_up_that_is_refused_makes_a_failed_attempt_that_says_why)
{
	struct rig *rig = rig_new(kind);
	struct rota_retry retry = ROTA_INIT(rota_retry);
	retry.attempts_max = 2;
	rig_enqueue(rig->store, ROTA_TASK(.type = "y", .key = "taken"));
	struct rota_task_info *info =
		run_one(rig, ROTA_TASK(.type = "x", .retry = &retry), taken_key, NULL);
	CHECK_EQ(info->state, ROTA_STATE_FAILED);
	CHECK_EQ(info->attempt_count, 2);
	CHECK_HAS(info->attempts[0]->error, "taken");
	rota_task_info_free(info);
	rig_free(rig);
}
