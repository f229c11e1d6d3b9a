/* What attempts come to: outcomes, retries, expiry, cancellation, follow-ups. */
#include "suite.h"
#include "base/limits.h"
#include "core/facts.h"

/* ---- complete, fail, cancel ---- */

CASE(completed_task_keeps_its_result_status_and_times)
{
	struct lease lease = take_id(PUT());
	struct rota_verdict v = verdict(lease, ROTA_OUTCOME_COMPLETE);
	const struct rota_task_info *t;

	advance(ROTA_SECONDS(3));
	v.result = (struct rota_bytes)TEXT("42");
	v.status_text = "all done";
	finish(v);
	t = get(lease.id);
	CHECK_STR(rota_state_name(t->state), "completed");
	CHECK_EQ(t->result.size, 2);
	CHECK_STR(t->status_text, "all done");
	CHECK_EQ(t->finished_at, now());
	CHECK_EQ(t->started_at, now() - ROTA_SECONDS(3));
	CHECK(!t->worker && !t->lease_until && !t->last_error);
	CHECK_EQ(t->attempt_count, 0);
	take_none();
}

CASE(failed_task_is_never_run_again_and_keeps_its_reason)
{
	struct rota_verdict v = verdict(take_id(PUT()), ROTA_OUTCOME_FAIL);
	const struct rota_task_info *t;

	v.error = "no such file";
	v.status_text = "read 5 of 7";
	finish(v);
	t = get(v.id);
	CHECK_STR(rota_state_name(t->state), "failed");
	CHECK_STR(t->last_error, "no such file");
	CHECK_STR(t->status_text, "read 5 of 7");
	CHECK_EQ(t->finished_at, now());
	CHECK_EQ(t->attempt_count, 1);
	CHECK_STR(t->attempts[0]->outcome, "fail");
	CHECK_STR(t->attempts[0]->error, "no such file");
	advance(ROTA_SECONDS(86400));
	take_none();
}

CASE(handler_that_cancels_ends_the_task_as_cancelled)
{
	struct rota_verdict v = verdict(take_id(PUT()), ROTA_OUTCOME_CANCEL);

	v.error = "no longer needed";
	finish(v);
	CHECK_STATE(v.id, ROTA_STATE_CANCELLED);
	CHECK_STR(get(v.id)->last_error, "no longer needed");
}

/* ---- retry ---- */

static rota_id put_with(int32_t attempts, rota_duration min, rota_duration max, int32_t doublings)
{
	struct rota_retry retry = ROTA_INIT(rota_retry);

	retry.attempts_max = attempts;
	retry.backoff_min = min;
	retry.backoff_max = max;
	retry.doublings = doublings;
	retry.jitter_percent = -1;
	return PUT(.retry = &retry);
}

CASE(retries_wait_by_the_policy_doubling_then_linear_up_to_the_cap)
{
	static const int seconds[] = { 1, 2, 4, 8, 16, 20, 20, 20 };
	rota_id id = put_with(-1, ROTA_SECONDS(1), ROTA_SECONDS(20), 3);

	for (int32_t attempt = 1; attempt <= 8; attempt++) {
		rota_duration wait = ROTA_SECONDS(seconds[attempt - 1]);

		finish(verdict(take_id(id), ROTA_OUTCOME_RETRY));
		CHECK_STATE(id, ROTA_STATE_SCHEDULED);
		CHECK_EQ(get(id)->run_at, now() + wait);
		CHECK_EQ(get(id)->attempt, attempt);
		CHECK_EQ(get(id)->attempt_count, attempt);
		advance(wait - 1);
		take_none();
		advance(1);
		maintain();
	}
	CHECK_EQ(get(id)->run_at, now());
}

CASE(retry_with_a_delay_of_its_own_takes_that_instead)
{
	rota_id id = PUT();
	struct rota_verdict v = verdict(take_id(id), ROTA_OUTCOME_RETRY);

	v.has_delay = 1;
	v.delay = ROTA_SECONDS(77);
	v.error = "later, please";
	finish(v);
	CHECK_EQ(get(id)->run_at, now() + ROTA_SECONDS(77));
	CHECK_STR(get(id)->last_error, "later, please");
	CHECK_STR(get(id)->attempts[0]->error, "later, please");
}

CASE(retry_with_a_delay_of_zero_is_ready_at_once)
{
	rota_id id = PUT();

	retry_at_once(take_id(id));
	CHECK_STATE(id, ROTA_STATE_READY);
	CHECK_EQ(take().task->attempt, 2);
}

CASE(jitter_only_shortens_and_repeats_exactly)
{
	struct rota_retry retry = ROTA_INIT(rota_retry);
	rota_duration shortest = ROTA_SECONDS(100);

	retry.backoff_min = ROTA_SECONDS(100);
	retry.jitter_percent = 50;
	for (int i = 0; i < 20; i++) {
		rota_id id = PUT(.retry = &retry);
		rota_duration wait;

		finish(verdict(take_id(id), ROTA_OUTCOME_RETRY));
		wait = get(id)->run_at - now();
		CHECK(wait > ROTA_SECONDS(50) - 1 && wait <= ROTA_SECONDS(100));
		CHECK_EQ(wait, rota_retry_jitter(ROTA_SECONDS(100), 50, id, 1));
		shortest = wait < shortest ? wait : shortest;
	}
	CHECK(shortest < ROTA_SECONDS(90));
}

CASE(attempts_used_up_fail_the_task)
{
	rota_id id = put_with(3, ROTA_SECONDS(1), ROTA_SECONDS(1), -1);

	for (int i = 0; i < 3; i++) {
		CHECK_STATE(id, ROTA_STATE_READY);
		finish(verdict(take_id(id), ROTA_OUTCOME_RETRY));
		advance(ROTA_SECONDS(1));
		maintain();
	}
	CHECK_STATE(id, ROTA_STATE_FAILED);
	CHECK_HAS(get(id)->last_error, "attempts used up");
	CHECK_EQ(get(id)->attempt, 3);
	CHECK_EQ(get(id)->attempt_count, 3);
}

CASE(reason_of_the_last_attempt_stays_when_attempts_are_used_up)
{
	struct rota_verdict v = verdict(take_id(put_with(1, 0, 0, 0)), ROTA_OUTCOME_RETRY);

	v.error = "connection refused";
	finish(v);
	CHECK_STATE(v.id, ROTA_STATE_FAILED);
	CHECK_HAS(get(v.id)->last_error, "attempts used up");
	CHECK_HAS(get(v.id)->last_error, "connection refused");
}

CASE(with_attempts_and_duration_both_must_be_passed)
{
	struct rota_retry retry = ROTA_INIT(rota_retry);
	rota_id id;

	retry.attempts_max = 2;
	retry.duration_max = ROTA_SECONDS(100);
	id = PUT(.retry = &retry);
	for (int i = 0; i < 5; i++)
		retry_at_once(take_id(id)); /* attempts passed, time not */
	CHECK_STATE(id, ROTA_STATE_READY);
	advance(ROTA_SECONDS(100));
	retry_at_once(take_id(id));
	CHECK_STATE(id, ROTA_STATE_FAILED);
	id = PUT(.retry = &retry);
	retry_at_once(take_id(id));
	advance(ROTA_SECONDS(500)); /* time passed, attempts as well at this one */
	retry_at_once(take_id(id));
	CHECK_STATE(id, ROTA_STATE_FAILED);
}

CASE(unlimited_attempts_never_fail_and_keep_a_bounded_number_of_rows)
{
	rota_id id = put_with(-1, 1, 1, -1);

	CHECK_EQ(get(id)->attempts_max, 0);
	CHECK_EQ(get(id)->retry.attempts_max, -1);
	for (int i = 0; i < ROTA_ATTEMPTS_KEPT_MAX + 20; i++)
		retry_at_once(take_id(id));
	CHECK_STATE(id, ROTA_STATE_READY);
	CHECK_EQ(get(id)->attempt_count, ROTA_ATTEMPTS_KEPT_MAX);
	CHECK_EQ(get(id)->attempts[0]->token, 21);
	CHECK_EQ(get(id)->attempts[ROTA_ATTEMPTS_KEPT_MAX - 1]->attempt, ROTA_ATTEMPTS_KEPT_MAX + 20);
}

/* ---- snooze, release ---- */

CASE(snooze_waits_and_counts_no_attempt)
{
	rota_id id = PUT();
	struct rota_verdict v = verdict(take_id(id), ROTA_OUTCOME_SNOOZE);

	v.delay = ROTA_SECONDS(40);
	v.status_text = "waiting for the moon";
	finish(v);
	CHECK_STATE(id, ROTA_STATE_SCHEDULED);
	CHECK_EQ(get(id)->attempt, 0);
	CHECK_EQ(get(id)->run_at, now() + ROTA_SECONDS(40));
	CHECK_STR(get(id)->status_text, "waiting for the moon");
	CHECK_EQ(get(id)->attempt_count, 0);
	advance(ROTA_SECONDS(40));
	CHECK_EQ(take().task->attempt, 1);
}

CASE(snoozing_for_ever_never_uses_attempts_up)
{
	rota_id id = put_with(1, 0, 0, 0);

	for (int i = 0; i < 10; i++)
		finish(verdict(take_id(id), ROTA_OUTCOME_SNOOZE));
	CHECK_STATE(id, ROTA_STATE_READY);
	CHECK_EQ(get(id)->attempt, 0);
	CHECK_EQ(get(id)->token, 10);
}

CASE(release_gives_the_task_back_at_once_uncounted_and_in_its_place)
{
	rota_id id = PUT(), other;

	advance(ROTA_SECONDS(1));
	other = PUT();
	finish(verdict(take_id(id), ROTA_OUTCOME_RELEASE));
	CHECK_STATE(id, ROTA_STATE_READY);
	CHECK_EQ(get(id)->attempt, 0);
	CHECK_EQ(take().id, id);
	CHECK_EQ(take().id, other);
}

/* ---- expiry ---- */

CASE(task_that_nobody_claims_in_time_fails_as_expired)
{
	rota_id ready = PUT(.expires_in = ROTA_SECONDS(10));
	rota_id later = PUT(.delay = ROTA_SECONDS(500), .expires_in = ROTA_SECONDS(10));
	rota_id blocked = PUT(.signals = 1, .expires_in = ROTA_SECONDS(10));
	rota_id successor = PUT(AFTER(ON(ready), ON(later), ON(blocked)));

	advance(ROTA_SECONDS(10) - 1);
	maintain();
	CHECK_STATE(ready, ROTA_STATE_READY);
	advance(ROTA_SECONDS(1));
	CHECK_EQ(take().id, successor);
	take_none();
	CHECK_STATE(ready, ROTA_STATE_FAILED);
	CHECK_STATE(later, ROTA_STATE_FAILED);
	CHECK_STATE(blocked, ROTA_STATE_FAILED);
	CHECK_STR(get(ready)->last_error, "expired");
	CHECK_EQ(get(successor)->failed_dependencies, 3);
}

CASE(claimed_task_does_not_expire)
{
	rota_id id = PUT(.expires_in = ROTA_SECONDS(10));
	struct lease lease = take_for(id, ROTA_SECONDS(100));

	advance(ROTA_SECONDS(50));
	maintain();
	CHECK_STATE(id, ROTA_STATE_RUNNING);
	complete(lease);
	CHECK_STATE(id, ROTA_STATE_COMPLETED);
}

CASE(task_that_waits_between_two_attempts_expires_too)
{
	rota_id id = PUT(.expires_in = ROTA_SECONDS(10));
	struct rota_verdict v = verdict(take_id(id), ROTA_OUTCOME_SNOOZE);

	v.delay = ROTA_SECONDS(60);
	finish(v);
	advance(ROTA_SECONDS(10));
	maintain();
	CHECK_STATE(id, ROTA_STATE_FAILED);
	CHECK_STR(get(id)->last_error, "expired");
}

/* ---- cancel ---- */

CASE(waiting_tasks_are_cancelled_at_once)
{
	rota_id ids[] = { PUT(), PUT(.delay = 5), PUT(.signals = 1) };
	enum rota_status each[3];

	CHECK_OK(rota_task_cancel(store, ids, 3, "not wanted", each, &err), &err);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(each[i], ROTA_OK);
		CHECK_STATE(ids[i], ROTA_STATE_CANCELLED);
		CHECK_STR(get(ids[i])->last_error, "not wanted");
		CHECK_EQ(get(ids[i])->finished_at, now());
	}
	take_none();
}

CASE(final_and_unknown_tasks_cannot_be_cancelled_and_say_what_they_are)
{
	rota_id done = PUT(), failed = PUT(), dropped = PUT();
	rota_id ids[] = { done, failed, dropped, 999999 };
	enum rota_status each[4];
	const char *before;

	run(done);
	fail(take_id(failed));
	cancel(dropped);
	before = picture();
	CHECK_OK(rota_task_cancel(store, ids, 4, NULL, each, &err), &err);
	CHECK_EQ(each[0], ROTA_COMPLETED);
	CHECK_EQ(each[1], ROTA_FAILED);
	CHECK_EQ(each[2], ROTA_CANCELLED);
	CHECK_EQ(each[3], ROTA_NOT_FOUND);
	CHECK_STATUS(rota_task_cancel(store, ids, 4, NULL, NULL, &err), ROTA_COMPLETED, &err);
	CHECK_EQ(err.item, 1);
	CHECK_UNCHANGED(before);
}

CASE(running_task_is_asked_to_stop_and_hears_of_it_at_the_next_heartbeat)
{
	struct lease lease = take_id(PUT());
	int asked = 7;

	CHECK_OK(rota_task_extend(store, lease.id, lease.token, 0, &asked, &err), &err);
	CHECK_EQ(asked, 0);
	cancel(lease.id);
	cancel(lease.id); /* twice is fine */
	CHECK_STATE(lease.id, ROTA_STATE_RUNNING);
	CHECK(get(lease.id)->cancel_requested);
	CHECK_OK(rota_task_extend(store, lease.id, lease.token, 0, &asked, &err), &err);
	CHECK_EQ(asked, 1);
	asked = 7;
	CHECK_OK(rota_task_progress(store, lease.id, lease.token, (struct rota_bytes){ NULL, 0 }, NULL,
		&asked, &err), &err);
	CHECK_EQ(asked, 1);
}

CASE(after_a_cancel_complete_and_fail_keep_their_state_and_the_rest_become_cancelled)
{
	static const enum rota_outcome outcomes[] = { ROTA_OUTCOME_COMPLETE, ROTA_OUTCOME_FAIL,
		ROTA_OUTCOME_RETRY, ROTA_OUTCOME_SNOOZE, ROTA_OUTCOME_RELEASE, ROTA_OUTCOME_CANCEL };
	static const enum rota_state want[] = { ROTA_STATE_COMPLETED, ROTA_STATE_FAILED,
		ROTA_STATE_CANCELLED, ROTA_STATE_CANCELLED, ROTA_STATE_CANCELLED, ROTA_STATE_CANCELLED };

	for (size_t i = 0; i < 6; i++) {
		struct lease lease = take_id(PUT());

		cancel(lease.id);
		finish(verdict(lease, outcomes[i]));
		CHECK_STATE(lease.id, want[i]);
	}
}

CASE(cancelled_task_whose_lease_is_lost_becomes_cancelled)
{
	struct lease lease = take_id(PUT());

	cancel(lease.id);
	advance(ROTA_DEFAULT_CLAIM_LEASE);
	maintain();
	CHECK_STATE(lease.id, ROTA_STATE_CANCELLED);
	CHECK_STATUS(try_finish(verdict(lease, ROTA_OUTCOME_COMPLETE)), ROTA_CANCELLED, &err);
}

/* ---- the operator's retry ---- */

CASE(operator_retry_starts_a_final_task_again_with_a_fresh_budget)
{
	rota_id failed = put_with(1, 0, 0, 0), done = PUT(), dropped = PUT(.delay = ROTA_SECONDS(100));

	finish(verdict(take_id(failed), ROTA_OUTCOME_RETRY));
	run(done);
	cancel(dropped);
	advance(ROTA_SECONDS(1));
	operator_retry(failed);
	operator_retry(done);
	operator_retry(dropped);
	for (int i = 0; i < 3; i++) {
		rota_id id = i == 0 ? failed : i == 1 ? done : dropped;

		CHECK_STATE(id, ROTA_STATE_READY);
		CHECK_EQ(get(id)->attempt, 0);
		CHECK_EQ(get(id)->finished_at, 0);
		CHECK_EQ(get(id)->run_at, now());
	}
	CHECK_EQ(take_id(failed).task->attempt, 1);
}

CASE(operator_retry_of_a_task_that_is_not_final_is_refused)
{
	rota_id ids[] = { PUT(), PUT(.delay = 5), PUT(.signals = 1), PUT(), 999999 };
	enum rota_status each[5];
	const char *before;

	take_id(ids[3]);
	before = picture();
	CHECK_OK(rota_task_retry(store, ids, 5, each, &err), &err);
	for (int i = 0; i < 4; i++)
		CHECK_STR(rota_status_name(each[i]), rota_status_name(ROTA_WRONG_STATE));
	CHECK_EQ(each[4], ROTA_NOT_FOUND);
	CHECK_UNCHANGED(before);
}

CASE(operator_retry_of_a_task_cancelled_while_blocked_waits_for_its_edges_again)
{
	rota_id first = PUT(), id = PUT(AFTER(ON(first)));

	cancel(id);
	operator_retry(id);
	CHECK_STATE(id, ROTA_STATE_BLOCKED);
	run(first);
	CHECK_STATE(id, ROTA_STATE_READY);
}

CASE(old_token_is_worth_nothing_after_an_operator_retry)
{
	rota_id id = PUT();
	struct lease lease = take_id(id);
	const char *before;

	fail(lease);
	operator_retry(id);
	before = picture();
	CHECK_STATUS(try_finish(verdict(lease, ROTA_OUTCOME_COMPLETE)), ROTA_STALE_LEASE, &err);
	CHECK_UNCHANGED(before);
}

/* ---- follow-ups ---- */

CASE(follow_ups_are_enqueued_by_the_transaction_that_completes_the_task)
{
	struct rota_verdict v = verdict(take_id(PUT()), ROTA_OUTCOME_COMPLETE);
	struct rota_task tasks[] = { ROTA_TASK(.type = "next", .key = "n1"),
		ROTA_TASK(.type = "next", .key = "n2", AFTER(ON_NTH(1), ON(v.id))) };
	rota_id n1 = 0, n2 = 0;

	v.follow_ups = tasks;
	v.follow_up_count = 2;
	finish(v);
	CHECK_OK(rota_task_find(store, "n1", &n1, &err), &err);
	CHECK_OK(rota_task_find(store, "n2", &n2, &err), &err);
	CHECK_STATE(n1, ROTA_STATE_READY);
	CHECK_EQ(get(n2)->pending, 1);
	/* Sent again it enqueues nothing again. */
	finish(v);
	run(n1);
	CHECK_STATE(n2, ROTA_STATE_READY);
}

CASE(follow_up_that_conflicts_refuses_its_verdict_only)
{
	struct lease good = take_id(PUT()), bad = take_id(PUT());
	struct rota_task taken[] = { ROTA_TASK(.type = "next", .key = "new"), ROTA_TASK(.type = "next", .key = "a") };
	struct rota_verdict v[] = { verdict(bad, ROTA_OUTCOME_COMPLETE), verdict(good, ROTA_OUTCOME_COMPLETE) };
	enum rota_status each[2];
	rota_id id = 0;

	PUT(.key = "a");
	v[0].follow_ups = taken;
	v[0].follow_up_count = 2;
	CHECK_OK(rota_task_finish(store, v, 2, each, &err), &err);
	CHECK_STR(rota_status_name(each[0]), rota_status_name(ROTA_EXISTS));
	CHECK_EQ(each[1], ROTA_OK);
	CHECK_STATE(bad.id, ROTA_STATE_RUNNING);
	CHECK_STATE(good.id, ROTA_STATE_COMPLETED);
	CHECK_STATUS(rota_task_find(store, "new", &id, &err), ROTA_NOT_FOUND, &err);
	complete(bad); /* the lease is still worth something */
}

CASE(follow_up_can_be_put_before_a_task_that_waits_for_this_one)
{
	rota_id id = PUT(), report = PUT(AFTER(ON(id)));
	struct rota_verdict v = verdict(take_id(id), ROTA_OUTCOME_COMPLETE);
	struct rota_task part = ROTA_TASK(.type = "part", .key = "part", BEFORE(ON(report)));
	rota_id part_id = 0;

	v.follow_ups = &part;
	v.follow_up_count = 1;
	finish(v);
	CHECK_STATE(report, ROTA_STATE_BLOCKED);
	CHECK_OK(rota_task_find(store, "part", &part_id, &err), &err);
	run(part_id);
	CHECK_STATE(report, ROTA_STATE_READY);
}

CASE(follow_up_cannot_replace_the_task_that_left_it)
{
	for (int late = 0; late < 2; late++) {
		struct rota_verdict v = verdict(take_for(PUT(.key = "me"), ROTA_SECONDS(5)), ROTA_OUTCOME_COMPLETE);
		struct rota_task tasks[] = { ROTA_TASK(.type = "next", .key = "new"),
			ROTA_TASK(.type = "next", .key = "me", .on_conflict = ROTA_CONFLICT_REPLACE) };
		const char *before;

		if (late) {
			advance(ROTA_SECONDS(5));
			maintain();
			CHECK(state_of(v.id) != ROTA_STATE_RUNNING);
		}
		v.follow_ups = tasks;
		v.follow_up_count = 2;
		before = picture();
		CHECK_STATUS(try_finish(v), ROTA_EXISTS, &err);
		CHECK_UNCHANGED(before);
		v.follow_up_count = 0;
		finish(v);
		delete_one(v.id);
	}
}

CASE(follow_ups_of_anything_but_complete_are_refused)
{
	struct rota_verdict v = verdict(take_id(PUT()), ROTA_OUTCOME_FAIL);
	struct rota_task task = ROTA_TASK(.type = "next");
	const char *before = picture();

	v.follow_ups = &task;
	v.follow_up_count = 1;
	CHECK_STATUS(try_finish(v), ROTA_INVALID, &err);
	CHECK_UNCHANGED(before);
}

CASE(result_above_the_limit_is_refused_and_the_task_still_runs)
{
	struct rota_verdict v = verdict(take_id(PUT()), ROTA_OUTCOME_COMPLETE);

	v.result = (struct rota_bytes){ "x", ROTA_RESULT_BYTES_MAX + 1 };
	CHECK_STATUS(try_finish(v), ROTA_LIMIT, &err);
	CHECK_STATE(v.id, ROTA_STATE_RUNNING);
}
