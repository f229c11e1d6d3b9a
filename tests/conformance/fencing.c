/* Rule 1: extend, progress and finish take effect exactly for the holder of the lease, and rescue. */
#include "suite.h"
#include "base/limits.h"

static enum rota_status extend(struct lease lease, rota_duration length)
{
	return rota_task_extend(store, lease.id, lease.token, length, NULL, &err);
}

static enum rota_status progress(struct lease lease, const char *text)
{
	return rota_task_progress(store, lease.id, lease.token, (struct rota_bytes){ text, strlen(text) },
		NULL, NULL, &err);
}

/* The lease is over and somebody noticed; the task is ready for the next. */
static void lose(struct lease lease)
{
	advance(ROTA_DEFAULT_CLAIM_LEASE);
	maintain();
	CHECK(state_of(lease.id) != ROTA_STATE_RUNNING);
	advance(ROTA_SECONDS(3600));
	maintain();
	CHECK_STATE(lease.id, ROTA_STATE_READY);
}

CASE(token_rises_by_one_at_every_claim_and_is_never_reset)
{
	rota_id id = PUT();

	for (int64_t i = 1; i < 5; i++) {
		struct lease lease = take_id(id);

		CHECK_EQ(lease.token, i);
		retry_at_once(lease);
	}
	cancel(id);
	operator_retry(id);
	CHECK_EQ(take_id(id).token, 5);
}

CASE(wrong_token_changes_nothing)
{
	struct lease lease, wrong;
	const char *before;

	PUT();
	lease = take();
	wrong = lease;
	wrong.token++;
	before = picture();
	CHECK_STATUS(try_finish(verdict(wrong, ROTA_OUTCOME_COMPLETE)), ROTA_STALE_LEASE, &err);
	CHECK_STATUS(extend(wrong, ROTA_SECONDS(5)), ROTA_STALE_LEASE, &err);
	CHECK_STATUS(progress(wrong, "x"), ROTA_STALE_LEASE, &err);
	CHECK_STATUS(rota_task_guard(store, wrong.id, wrong.token, &err), ROTA_STALE_LEASE, &err);
	CHECK_UNCHANGED(before);
}

CASE(made_up_token_of_a_task_that_was_never_claimed_is_stale)
{
	struct lease lease = { PUT(), 1, NULL };
	const char *before = picture();

	CHECK_STATUS(extend(lease, ROTA_SECONDS(5)), ROTA_STALE_LEASE, &err);
	CHECK_STATUS(try_finish(verdict(lease, ROTA_OUTCOME_COMPLETE)), ROTA_STALE_LEASE, &err);
	CHECK_UNCHANGED(before);
}

CASE(unknown_task_is_not_found_by_whoever_holds_a_token)
{
	struct lease lease = { 123456, 1, NULL };

	CHECK_STATUS(extend(lease, ROTA_SECONDS(5)), ROTA_NOT_FOUND, &err);
	CHECK_STATUS(progress(lease, "x"), ROTA_NOT_FOUND, &err);
	CHECK_STATUS(try_finish(verdict(lease, ROTA_OUTCOME_COMPLETE)), ROTA_NOT_FOUND, &err);
	CHECK_STATUS(rota_task_guard(store, lease.id, 1, &err), ROTA_NOT_FOUND, &err);
}

CASE(same_outcome_sent_again_is_fine_and_does_nothing)
{
	static const enum rota_outcome outcomes[] = { ROTA_OUTCOME_COMPLETE, ROTA_OUTCOME_RETRY,
		ROTA_OUTCOME_SNOOZE, ROTA_OUTCOME_RELEASE, ROTA_OUTCOME_FAIL, ROTA_OUTCOME_CANCEL };

	for (size_t i = 0; i < sizeof(outcomes) / sizeof(*outcomes); i++) {
		struct rota_verdict v = verdict(take_id(PUT()), outcomes[i]);
		const char *before;

		v.delay = ROTA_SECONDS(50);
		finish(v);
		before = picture();
		advance(ROTA_SECONDS(1));
		v.result = (struct rota_bytes)TEXT("other");
		v.status_text = "other";
		finish(v);
		CHECK_UNCHANGED(before);
	}
}

CASE(outcome_sent_again_after_the_next_claim_is_still_answered_and_does_nothing)
{
	rota_id id = PUT();
	struct rota_verdict v = verdict(take_id(id), ROTA_OUTCOME_RETRY);
	const char *before;

	v.has_delay = 1;
	finish(v);
	take_id(id);
	before = picture();
	finish(v);
	CHECK_UNCHANGED(before);
}

CASE(another_outcome_after_the_first_is_refused_and_says_what_the_task_is)
{
	struct lease done = take_id(PUT()), failed = take_id(PUT()), dropped = take_id(PUT());
	struct lease waiting = take_id(PUT());
	const char *before;

	complete(done);
	fail(failed);
	finish(verdict(dropped, ROTA_OUTCOME_CANCEL));
	finish(verdict(waiting, ROTA_OUTCOME_RETRY));
	before = picture();
	CHECK_STATUS(try_finish(verdict(done, ROTA_OUTCOME_FAIL)), ROTA_COMPLETED, &err);
	CHECK_STATUS(try_finish(verdict(failed, ROTA_OUTCOME_COMPLETE)), ROTA_FAILED, &err);
	CHECK_STATUS(try_finish(verdict(dropped, ROTA_OUTCOME_COMPLETE)), ROTA_CANCELLED, &err);
	CHECK_STATUS(try_finish(verdict(waiting, ROTA_OUTCOME_COMPLETE)), ROTA_STALE_LEASE, &err);
	CHECK_STATUS(extend(done, ROTA_SECONDS(5)), ROTA_COMPLETED, &err);
	CHECK_STATUS(extend(failed, ROTA_SECONDS(5)), ROTA_FAILED, &err);
	CHECK_STATUS(extend(dropped, ROTA_SECONDS(5)), ROTA_CANCELLED, &err);
	CHECK_STATUS(extend(waiting, ROTA_SECONDS(5)), ROTA_STALE_LEASE, &err);
	CHECK_UNCHANGED(before);
}

CASE(expired_lease_returns_task_to_ready)
{
	struct lease lease = take_for(PUT(), ROTA_SECONDS(10));
	const struct rota_task_info *t;

	advance(ROTA_SECONDS(10) - 1);
	maintain();
	CHECK_STATE(lease.id, ROTA_STATE_RUNNING);
	advance(ROTA_SECONDS(1));
	maintain();
	t = get(lease.id);
	CHECK_STR(rota_state_name(t->state), "scheduled"); /* by the backoff */
	CHECK(!t->worker);
	CHECK_EQ(t->lease_until, 0);
	CHECK_EQ(t->attempt, 1);
	CHECK_EQ(t->attempt_count, 1);
	CHECK_STR(t->attempts[0]->outcome, "lost");
	CHECK_STR(t->attempts[0]->worker, "somebody");
	CHECK_EQ(t->attempts[0]->token, 1);
	advance(ROTA_SECONDS(1));
	CHECK_EQ(take().id, lease.id);
}

CASE(late_finish_after_a_lost_lease_counts_while_nobody_claimed_since)
{
	static const enum rota_outcome outcomes[] = { ROTA_OUTCOME_COMPLETE, ROTA_OUTCOME_FAIL,
		ROTA_OUTCOME_CANCEL, ROTA_OUTCOME_RETRY, ROTA_OUTCOME_SNOOZE, ROTA_OUTCOME_RELEASE };
	static const enum rota_state want[] = { ROTA_STATE_COMPLETED, ROTA_STATE_FAILED,
		ROTA_STATE_CANCELLED, ROTA_STATE_SCHEDULED, ROTA_STATE_SCHEDULED, ROTA_STATE_READY };

	for (size_t i = 0; i < sizeof(outcomes) / sizeof(*outcomes); i++) {
		struct rota_verdict v = verdict(take_id(PUT()), outcomes[i]);

		v.delay = ROTA_SECONDS(60);
		lose((struct lease){ v.id, v.token, NULL });
		finish(v);
		CHECK_STATE(v.id, want[i]);
		CHECK_EQ(get(v.id)->settled, 1);
	}
}

CASE(late_finish_while_the_backoff_runs_counts_as_well)
{
	struct lease lease = take_for(PUT(), ROTA_MS(10));

	advance(ROTA_SECONDS(1));
	maintain();
	CHECK_STATE(lease.id, ROTA_STATE_SCHEDULED);
	complete(lease);
	CHECK_STATE(lease.id, ROTA_STATE_COMPLETED);
	advance(ROTA_SECONDS(100));
	take_none();
}

CASE(finish_after_the_deadline_counts_when_nobody_noticed_it)
{
	struct lease lease = take_for(PUT(), ROTA_MS(10));

	advance(ROTA_SECONDS(100));
	complete(lease);
	CHECK_STATE(lease.id, ROTA_STATE_COMPLETED);
	CHECK_EQ(get(lease.id)->attempt_count, 0);
}

CASE(outcome_of_a_lost_lease_is_stale_once_somebody_else_has_claimed)
{
	rota_id id = PUT();
	struct lease old = take_id(id), other;
	const char *before;

	lose(old);
	other = take_id(id);
	before = picture();
	CHECK_STATUS(try_finish(verdict(old, ROTA_OUTCOME_COMPLETE)), ROTA_STALE_LEASE, &err);
	CHECK_STATUS(extend(old, ROTA_SECONDS(5)), ROTA_STALE_LEASE, &err);
	CHECK_STATUS(progress(old, "x"), ROTA_STALE_LEASE, &err);
	CHECK_UNCHANGED(before);
	complete(other);
}

CASE(extend_replaces_the_deadline_and_does_not_add)
{
	struct lease lease = take_for(PUT(), ROTA_SECONDS(100));

	advance(ROTA_SECONDS(10));
	CHECK_OK(extend(lease, ROTA_SECONDS(20)), &err);
	CHECK_EQ(get(lease.id)->lease_until, now() + ROTA_SECONDS(20));
	CHECK_EQ(get(lease.id)->heartbeat_at, now());
	advance(ROTA_SECONDS(21));
	maintain();
	CHECK(state_of(lease.id) != ROTA_STATE_RUNNING);
}

CASE(extend_keeps_a_task_from_whoever_else_wants_it)
{
	struct lease lease = take_for(PUT(), ROTA_MS(100));

	CHECK_OK(extend(lease, ROTA_SECONDS(1)), &err);
	advance(ROTA_MS(300));
	take_none();
	complete(lease);
}

CASE(extend_gives_a_deadline_to_a_lease_that_had_none_and_takes_it_away)
{
	struct lease lease = take_for(PUT(), ROTA_FOREVER);

	CHECK_OK(extend(lease, ROTA_SECONDS(5)), &err);
	CHECK_EQ(get(lease.id)->lease_until, now() + ROTA_SECONDS(5));
	CHECK_OK(extend(lease, ROTA_FOREVER), &err);
	CHECK_EQ(get(lease.id)->lease_until, ROTA_FOREVER);
	CHECK_EQ(get(lease.id)->attempt, 1);
}

CASE(late_extend_takes_a_lost_task_back)
{
	rota_id id = PUT();
	struct lease lease = take_id(id);

	lose(lease);
	CHECK_OK(extend(lease, ROTA_SECONDS(30)), &err);
	CHECK_STATE(id, ROTA_STATE_RUNNING);
	CHECK_STR(get(id)->worker, "somebody");
	CHECK_EQ(get(id)->lease_until, now() + ROTA_SECONDS(30));
	CHECK_EQ(get(id)->attempt, 1);
	CHECK_EQ(get(id)->token, 1);
	take_none();
	complete(lease);
	CHECK_STATE(id, ROTA_STATE_COMPLETED);
}

CASE(progress_after_a_lost_lease_takes_the_task_back_with_a_deadline_that_is_not_over)
{
	struct lease lease = take_id(PUT());

	lose(lease);
	CHECK_OK(progress(lease, "still here"), &err);
	CHECK_STATE(lease.id, ROTA_STATE_RUNNING);
	CHECK_EQ(get(lease.id)->lease_until, now() + ROTA_DEFAULT_CLAIM_LEASE);
	advance(ROTA_SECONDS(2));
	maintain();
	CHECK_STATE(lease.id, ROTA_STATE_RUNNING);
}

CASE(progress_counts_as_a_change_of_the_task_and_a_bare_heartbeat_does_not)
{
	struct lease lease = take_id(PUT());
	rota_time before = now();

	for (int i = 0; i < 2; i++) {
		advance(ROTA_SECONDS(1));
		CHECK_OK(progress(lease, "more"), &err);
		before = now();
		CHECK_EQ(get(lease.id)->updated_at, before);
	}
	advance(ROTA_SECONDS(1));
	CHECK_OK(extend(lease, ROTA_SECONDS(60)), &err);
	CHECK_EQ(get(lease.id)->updated_at, before);
	CHECK_EQ(get(lease.id)->heartbeat_at, now());
}

CASE(progress_and_status_are_kept_and_leave_the_deadline_alone)
{
	struct lease lease = take_for(PUT(), ROTA_SECONDS(60));
	rota_time until = get(lease.id)->lease_until;
	int cancelled = 7;

	advance(ROTA_SECONDS(5));
	CHECK_OK(rota_task_progress(store, lease.id, lease.token, (struct rota_bytes)TEXT("{\"scale\":99}"),
		"halfway", &cancelled, &err), &err);
	CHECK_EQ(cancelled, 0);
	CHECK_EQ(get(lease.id)->progress.size, 12);
	CHECK(!memcmp(get(lease.id)->progress.data, "{\"scale\":99}", 12));
	CHECK_STR(get(lease.id)->status_text, "halfway");
	CHECK_EQ(get(lease.id)->lease_until, until);
	CHECK_EQ(get(lease.id)->heartbeat_at, now());
	/* NULL leaves both as they are. */
	CHECK_OK(rota_task_progress(store, lease.id, lease.token, (struct rota_bytes){ NULL, 0 }, NULL, NULL,
		&err), &err);
	CHECK_STR(get(lease.id)->status_text, "halfway");
	CHECK_EQ(get(lease.id)->progress.size, 12);
	complete(lease);
	CHECK_EQ(get(lease.id)->progress.size, 12);
}

CASE(next_attempt_finds_the_progress_that_the_last_one_left)
{
	rota_id id = PUT();
	struct lease lease = take_id(id);

	CHECK_OK(progress(lease, "row 17"), &err);
	retry_at_once(lease);
	lease = take_id(id);
	CHECK_EQ(lease.task->progress.size, 6);
	CHECK(!memcmp(lease.task->progress.data, "row 17", 6));
}

CASE(guard_holds_exactly_while_the_task_runs_under_the_token)
{
	rota_id id = PUT();
	struct lease lease, next;

	CHECK_STATUS(rota_task_guard(store, id, 1, &err), ROTA_STALE_LEASE, &err);
	lease = take_id(id);
	CHECK_OK(rota_task_guard(store, id, lease.token, &err), &err);
	lose(lease);
	CHECK_STATUS(rota_task_guard(store, id, lease.token, &err), ROTA_WRONG_STATE, &err);
	next = take_id(id);
	CHECK_STATUS(rota_task_guard(store, id, lease.token, &err), ROTA_STALE_LEASE, &err);
	CHECK_OK(rota_task_guard(store, id, next.token, &err), &err);
	complete(next);
	CHECK_STATUS(rota_task_guard(store, id, next.token, &err), ROTA_COMPLETED, &err);
}

CASE(several_verdicts_in_one_call_are_answered_each)
{
	struct lease a = take_id(PUT()), b = take_id(PUT()), c = take_id(PUT());
	struct rota_verdict v[] = { verdict(a, ROTA_OUTCOME_COMPLETE), verdict(b, ROTA_OUTCOME_COMPLETE),
		verdict(c, ROTA_OUTCOME_FAIL), verdict(a, ROTA_OUTCOME_COMPLETE), verdict(a, ROTA_OUTCOME_FAIL) };
	enum rota_status each[5];

	v[1].token = 77;
	CHECK_OK(rota_task_finish(store, v, 5, each, &err), &err);
	CHECK_EQ(each[0], ROTA_OK);
	CHECK_EQ(each[1], ROTA_STALE_LEASE);
	CHECK_EQ(each[2], ROTA_OK);
	CHECK_EQ(each[3], ROTA_OK);
	CHECK_EQ(each[4], ROTA_COMPLETED);
	CHECK_STATE(b.id, ROTA_STATE_RUNNING);
	/* Without ret_each the call answers the first refusal. */
	CHECK_STATUS(rota_task_finish(store, v, 5, NULL, &err), ROTA_STALE_LEASE, &err);
	CHECK_EQ(err.item, 2);
}

CASE(calendar_steps_do_not_touch_leases)
{
	struct lease lease = take_for(PUT(), ROTA_SECONDS(60));

	test_world_set_date(world, now() + ROTA_SECONDS(86400));
	maintain();
	CHECK_STATE(lease.id, ROTA_STATE_RUNNING);
	CHECK_EQ(get(lease.id)->lease_until, now() + ROTA_SECONDS(60));
	test_world_set_date(world, now() - ROTA_SECONDS(86400) * 3);
	CHECK_EQ(get(lease.id)->lease_until, now() + ROTA_SECONDS(60));
	advance(ROTA_SECONDS(61));
	maintain();
	CHECK(state_of(lease.id) != ROTA_STATE_RUNNING);
}

CASE(calendar_step_forward_makes_scheduled_tasks_due)
{
	rota_id id = PUT(.delay = ROTA_SECONDS(600));

	test_world_set_date(world, now() + ROTA_SECONDS(601));
	advance(ROTA_SECONDS(600));
	CHECK_EQ(take().id, id);
}

CASE(lost_lease_of_the_last_attempt_fails_the_task_and_frees_its_successors)
{
	struct rota_retry once = ROTA_INIT(rota_retry);
	rota_id id, successor;

	once.attempts_max = 1;
	id = PUT(.retry = &once);
	successor = PUT(AFTER(ON(id)));
	take_id(id);
	advance(ROTA_DEFAULT_CLAIM_LEASE);
	maintain();
	CHECK_STATE(id, ROTA_STATE_FAILED);
	CHECK_HAS(get(id)->last_error, "lease lost");
	CHECK_STATE(successor, ROTA_STATE_READY);
	CHECK_EQ(get(successor)->failed_dependencies, 1);
}

/* ---- workers: registered holders (operations that the public API does not have) ---- */

static int64_t join(const char *name)
{
	struct rota_op op = { .kind = ROTA_OP_WORKER };
	struct rota_arena arena;

	rota_arena_init(&arena, 0);
	op.arena = &arena;
	op.u.worker.action = ROTA_WORKER_JOIN;
	op.u.worker.name = name;
	op.u.worker.pid = 1;
	CHECK_OK(rota_store_run(store, &op, &err), &err);
	rota_arena_deinit(&arena);
	CHECK(op.u.worker.ret_worker_id > 0);
	return op.u.worker.ret_worker_id;
}

static enum rota_status worker_do(enum rota_worker_action action, int64_t id)
{
	struct rota_op op = { .kind = ROTA_OP_WORKER };
	struct rota_arena arena;
	enum rota_status status;

	rota_arena_init(&arena, 0);
	op.arena = &arena;
	op.u.worker.action = action;
	op.u.worker.worker_id = id;
	status = rota_store_run(store, &op, &err);
	rota_arena_deinit(&arena);
	return status;
}

struct grip {
	struct lease leases[8];
	size_t count;
	bool commit_start;
};

static struct grip grip_tasks(int64_t worker, size_t max)
{
	struct rota_op op = { .kind = ROTA_OP_CLAIM };
	struct grip grip = { .count = 0 };
	struct rota_arena arena;

	rota_arena_init(&arena, 0);
	op.arena = &arena;
	op.u.claim = (struct rota_op_claim){ .worker = "w", .worker_id = worker, .number = 1,
		.tasks_max = max, .bytes_max = 1 << 20, .lease = ROTA_SECONDS(30) };
	CHECK_OK(rota_store_run(store, &op, &err), &err);
	for (size_t i = 0; i < op.u.claim.ret_count && i < 8; i++)
		grip.leases[grip.count++] = (struct lease){ op.u.claim.ret_tasks[i]->id,
			op.u.claim.ret_tasks[i]->token, NULL };
	grip.commit_start = op.u.claim.ret_commit_start;
	rota_arena_deinit(&arena);
	return grip;
}

static enum rota_status started(struct lease lease)
{
	struct rota_extension item = { .id = lease.id, .token = lease.token, .started = true };
	struct rota_op op = { .kind = ROTA_OP_EXTEND, .u.extend = { &item, 1, ROTA_SECONDS(30) } };
	struct rota_arena arena;

	rota_arena_init(&arena, 0);
	op.arena = &arena;
	CHECK_OK(rota_store_run(store, &op, &err), &err);
	rota_arena_deinit(&arena);
	return item.ret_status;
}

static void rescued(void)
{
	advance(ROTA_SECONDS(31));
	maintain();
}

CASE(tasks_of_a_worker_that_left_are_rescued_at_once)
{
	int64_t worker = join("w"), other = join("v");
	rota_id id = PUT(), safe;

	CHECK_EQ(grip_tasks(worker, 1).count, 1);
	safe = PUT();
	CHECK_EQ(grip_tasks(other, 1).leases[0].id, safe);
	CHECK_OK(worker_do(ROTA_WORKER_BEAT, worker), &err);
	maintain();
	CHECK_STATE(id, ROTA_STATE_RUNNING);
	CHECK_OK(worker_do(ROTA_WORKER_LEAVE, worker), &err);
	maintain();
	CHECK_STATE(id, ROTA_STATE_READY);
	CHECK_STATE(safe, ROTA_STATE_RUNNING);
}

CASE(worker_that_is_not_there_can_neither_beat_nor_leave)
{
	int64_t worker = join("w");

	CHECK_STATUS(worker_do(ROTA_WORKER_BEAT, worker + 100), ROTA_NOT_FOUND, &err);
	CHECK_OK(worker_do(ROTA_WORKER_LEAVE, worker), &err);
	CHECK_STATUS(worker_do(ROTA_WORKER_BEAT, worker), ROTA_NOT_FOUND, &err);
	CHECK(join("w") != worker);
}

CASE(lease_that_a_worker_takes_back_after_it_left_is_lost_again)
{
	int64_t worker = join("w");
	rota_id id = PUT();
	struct grip grip = grip_tasks(worker, 1);

	CHECK_OK(worker_do(ROTA_WORKER_LEAVE, worker), &err);
	maintain();
	CHECK_STATE(id, ROTA_STATE_READY);
	CHECK_OK(started(grip.leases[0]), &err);
	CHECK_STATE(id, ROTA_STATE_RUNNING);
	advance(ROTA_SECONDS(2));
	maintain();
	CHECK(state_of(id) != ROTA_STATE_RUNNING);
}

CASE(prefetched_task_that_never_started_gets_its_attempt_back_and_is_suspect)
{
	int64_t worker = join("w");
	rota_id a = PUT(), b = PUT();
	struct grip grip = grip_tasks(worker, 5);

	CHECK_EQ(grip.count, 2);
	CHECK(!grip.commit_start);
	CHECK_EQ(get(a)->attempt, 1);
	rescued();
	CHECK_STATE(a, ROTA_STATE_READY);
	CHECK_EQ(get(a)->attempt, 0);
	CHECK_EQ(get(a)->attempt_count, 1);
	CHECK_STR(get(a)->attempts[0]->outcome, "unstarted");
	/* Suspects are claimed alone, their start committed first. */
	grip = grip_tasks(worker, 5);
	CHECK_EQ(grip.count, 1);
	CHECK_EQ(grip.leases[0].id, a);
	CHECK(grip.commit_start);
	CHECK_OK(started(grip.leases[0]), &err);
	grip = grip_tasks(worker, 5);
	CHECK_EQ(grip.count, 1);
	CHECK_EQ(grip.leases[0].id, b);
	CHECK(grip.commit_start);
}

CASE(started_task_that_lost_its_lease_keeps_its_attempt)
{
	int64_t worker = join("w");
	rota_id id = PUT();
	struct grip grip = grip_tasks(worker, 1);

	CHECK_OK(started(grip.leases[0]), &err);
	rescued();
	CHECK_EQ(get(id)->attempt, 1);
	CHECK_STR(get(id)->attempts[0]->outcome, "lost");
	CHECK_HAS(get(id)->last_error, "lease lost");
}

CASE(task_with_a_single_attempt_is_given_alone_and_its_start_is_committed_first)
{
	struct rota_retry once = ROTA_INIT(rota_retry);
	int64_t worker = join("w");
	rota_id single;
	struct grip grip;

	once.attempts_max = 1;
	PUT(.priority = -1);
	single = PUT(.retry = &once);
	PUT(.priority = 1);
	grip = grip_tasks(worker, 5);
	CHECK_EQ(grip.count, 1);
	CHECK(!grip.commit_start);
	grip = grip_tasks(worker, 5);
	CHECK_EQ(grip.count, 1);
	CHECK_EQ(grip.leases[0].id, single);
	CHECK(grip.commit_start);
	grip = grip_tasks(worker, 5);
	CHECK_EQ(grip.count, 1);
	CHECK(!grip.commit_start);
}

CASE(task_that_kills_its_workers_is_put_away_and_innocents_are_not)
{
	int64_t worker = join("w");
	rota_id poison = PUT(), innocent = PUT(.priority = 1), successor = PUT(AFTER(ON(poison)));

	for (int i = 0; i < ROTA_QUARANTINE_CRASHES; i++) {
		struct grip grip;

		CHECK_STATE(poison, ROTA_STATE_READY);
		grip = grip_tasks(worker, 5);
		CHECK_EQ(grip.leases[0].id, poison);
		CHECK_OK(started(grip.leases[0]), &err);
		rescued();
		advance(ROTA_SECONDS(100));
		maintain();
	}
	CHECK_STATE(poison, ROTA_STATE_FAILED);
	CHECK_HAS(get(poison)->last_error, "quarantined");
	CHECK_STATE(innocent, ROTA_STATE_READY);
	CHECK_EQ(get(innocent)->attempt, 0);
	CHECK_EQ(get(successor)->failed_dependencies, 1);
	/* It is visible and can be tried again. */
	operator_retry(poison);
	CHECK_STATE(poison, ROTA_STATE_READY);
}

CASE(late_extend_of_a_worker_takes_back_what_the_rescue_counted)
{
	int64_t worker = join("w");
	rota_id id = PUT();
	struct grip grip = grip_tasks(worker, 1);

	rescued();
	CHECK_EQ(get(id)->attempt, 0);
	CHECK_OK(started(grip.leases[0]), &err);
	CHECK_STATE(id, ROTA_STATE_RUNNING);
	CHECK_EQ(get(id)->attempt, 1);
}
