/* facts.c: what the rules mean, one case each. */
#include "test.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/limits.h"
#include "core/facts.h"

#define NOW ROTA_SECONDS(1000000)

static struct rota_effect effect;

static struct rota_facts task(int32_t attempts_max)
{
	return (struct rota_facts){.id = 1,
		.state = ROTA_STATE_READY,
		.settled_outcome = -1,
		.attempts_max = attempts_max,
		.run_at = NOW - ROTA_SECONDS(60)};
}

/* Claimed by a worker process, and known to run if started. */
static struct rota_facts claimed(int32_t attempts_max, bool started)
{
	struct rota_facts f = task(attempts_max);

	rota_rule_claim(&f, false, NOW, &effect);
	if (started)
		CHECK_OK(rota_rule_extend(&f, 1, true, NOW, &effect), NULL);
	return f;
}

static void claim(struct rota_facts *f)
{
	f->state = ROTA_STATE_READY;
	rota_rule_claim(f, false, NOW, &effect);
}

static enum rota_status say(
	struct rota_facts *f, int64_t token, enum rota_outcome outcome, rota_duration delay)
{
	struct rota_verdict v = ROTA_INIT(rota_verdict);

	v.id = f->id;
	v.token = token;
	v.outcome = outcome;
	v.has_delay = delay >= 0;
	v.delay = delay >= 0 ? delay : 0;
	return rota_rule_finish(f, &v, NOW, &effect);
}
#define CHECK_STATE(f, want) CHECK_STR(rota_state_name((f).state), rota_state_name(want))

TEST(new_tasks_are_blocked_scheduled_or_ready)
{
	CHECK_EQ(rota_rule_initial(1, NOW + 1, NOW), ROTA_STATE_BLOCKED);
	CHECK_EQ(rota_rule_initial(0, NOW + 1, NOW), ROTA_STATE_SCHEDULED);
	CHECK_EQ(rota_rule_initial(0, NOW, NOW), ROTA_STATE_READY);
}

TEST(a_claim_raises_token_and_attempt)
{
	struct rota_facts f = claimed(3, false);

	CHECK_STATE(f, ROTA_STATE_RUNNING);
	CHECK_EQ(f.token, 1);
	CHECK_EQ(f.attempt, 1);
	CHECK_EQ(f.settled, 0);
	CHECK_EQ(f.started_at, NOW);
	CHECK_EQ(f.flags, 0);
}

TEST(completing_ends_the_task_and_leaves_no_attempt_row)
{
	struct rota_facts f = claimed(3, true);

	CHECK_OK(say(&f, 1, ROTA_OUTCOME_COMPLETE, -1), NULL);
	CHECK_STATE(f, ROTA_STATE_COMPLETED);
	CHECK(effect.ended && effect.clear_lease && !effect.attempt_row);
	CHECK_EQ(f.settled, 1);
	CHECK_EQ(f.finished_at, NOW);
}

TEST(the_same_outcome_again_is_ok_and_does_nothing)
{
	for (int outcome = 0; outcome <= ROTA_OUTCOME_CANCEL; outcome++) {
		struct rota_facts f = claimed(3, true), before;

		CHECK_OK(say(&f, 1, (enum rota_outcome)outcome, -1), NULL);
		CHECK(effect.changed);
		before = f;
		CHECK_OK(say(&f, 1, (enum rota_outcome)outcome, -1), NULL);
		CHECK(!effect.changed && !effect.attempt_row);
		CHECK(!memcmp(&before, &f, sizeof(f)));
	}
}

TEST(the_same_outcome_again_is_ok_after_the_next_claim_and_after_an_operators_retry)
{
	struct rota_facts f = claimed(3, true);

	CHECK_OK(say(&f, 1, ROTA_OUTCOME_RETRY, 0), NULL);
	claim(&f);
	CHECK_OK(say(&f, 1, ROTA_OUTCOME_RETRY, 0), NULL);
	CHECK(!effect.changed);
	CHECK_OK(say(&f, 2, ROTA_OUTCOME_FAIL, -1), NULL);
	CHECK_OK(rota_rule_revive(&f, NOW, &effect), NULL);
	CHECK_OK(say(&f, 2, ROTA_OUTCOME_FAIL, -1), NULL);
	CHECK(!effect.changed);
	CHECK_STATE(f, ROTA_STATE_READY);
}

TEST(another_outcome_after_the_first_is_refused)
{
	struct rota_facts f = claimed(3, true);

	CHECK_OK(say(&f, 1, ROTA_OUTCOME_RETRY, -1), NULL);
	CHECK_STATUS(say(&f, 1, ROTA_OUTCOME_COMPLETE, -1), ROTA_STALE_LEASE, NULL);
	claim(&f);
	CHECK_STATUS(say(&f, 1, ROTA_OUTCOME_COMPLETE, -1), ROTA_STALE_LEASE, NULL);
	CHECK_OK(say(&f, 2, ROTA_OUTCOME_COMPLETE, -1), NULL);
	CHECK_STATUS(say(&f, 2, ROTA_OUTCOME_FAIL, -1), ROTA_COMPLETED, NULL);
}

TEST(the_fence_says_why)
{
	struct rota_facts f = task(3);

	CHECK_STATUS(rota_rule_fence(&f, 1), ROTA_STALE_LEASE, NULL);
	f = claimed(3, true);
	CHECK_OK(rota_rule_fence(&f, 1), NULL);
	CHECK_STATUS(rota_rule_fence(&f, 0), ROTA_STALE_LEASE, NULL);
	CHECK_STATUS(rota_rule_fence(&f, 2), ROTA_STALE_LEASE, NULL);
	CHECK_OK(say(&f, 1, ROTA_OUTCOME_FAIL, -1), NULL);
	CHECK_STATUS(rota_rule_fence(&f, 1), ROTA_FAILED, NULL);
	CHECK_STATUS(rota_rule_fence(&f, 5), ROTA_FAILED, NULL);
}

TEST(a_retry_waits_for_the_backoff_or_for_its_own_delay)
{
	struct rota_facts f = claimed(3, true);

	f.retry = (struct rota_retry){.backoff_min = ROTA_SECONDS(10), .jitter_percent = -1};
	CHECK_OK(say(&f, 1, ROTA_OUTCOME_RETRY, -1), NULL);
	CHECK_STATE(f, ROTA_STATE_SCHEDULED);
	CHECK_EQ(f.run_at, NOW + ROTA_SECONDS(10));
	CHECK_EQ(f.attempt, 1);
	CHECK_STR(effect.attempt_outcome, "retry");
	CHECK_EQ(effect.attempt, 1);
	claim(&f);
	CHECK_OK(say(&f, 2, ROTA_OUTCOME_RETRY, ROTA_SECONDS(3)), NULL);
	CHECK_EQ(f.run_at, NOW + ROTA_SECONDS(3));
}

TEST(a_retry_with_no_delay_is_ready_at_once)
{
	struct rota_facts f = claimed(3, true);

	CHECK_OK(say(&f, 1, ROTA_OUTCOME_RETRY, 0), NULL);
	CHECK_STATE(f, ROTA_STATE_READY);
	CHECK(effect.ready);
	CHECK_EQ(f.run_at, NOW);
}

TEST(a_retry_with_no_attempts_left_fails_and_says_so)
{
	struct rota_facts f = claimed(1, true);
	struct rota_arena arena;

	rota_arena_init(&arena, 0);
	CHECK_OK(say(&f, 1, ROTA_OUTCOME_RETRY, 0), NULL);
	CHECK_STATE(f, ROTA_STATE_FAILED);
	CHECK_STR(rota_rule_error(&effect, "no route", &arena), "attempts used up: no route");
	CHECK_STR(rota_rule_error(&effect, NULL, &arena), "attempts used up");
	CHECK(effect.attempt_row && effect.ended);
	rota_arena_deinit(&arena);
}

TEST(reasons_stay_within_the_limit_of_texts)
{
	char *said = malloc(ROTA_TEXT_BYTES_MAX + 1);
	struct rota_effect used_up = {.error = "attempts used up"};
	struct rota_arena arena;
	const char *text;

	CHECK(said);
	memset(said, 'x', ROTA_TEXT_BYTES_MAX);
	said[ROTA_TEXT_BYTES_MAX] = 0;
	rota_arena_init(&arena, 0);
	text = rota_rule_error(&used_up, said, &arena);
	CHECK_EQ(strlen(text), ROTA_TEXT_BYTES_MAX);
	rota_arena_deinit(&arena);
	free(said);
}

TEST(reasons_survive_without_memory)
{
	struct rota_effect used_up = {.error = "attempts used up"}, none = {.error = NULL};
	struct rota_arena arena;

	rota_arena_init(&arena, 16);
	CHECK_STR(rota_rule_error(&used_up, "why", &arena), "attempts used up");
	CHECK_STR(rota_rule_error(&none, "why", &arena), "why");
	CHECK(!rota_rule_error(&none, NULL, &arena));
	rota_arena_deinit(&arena);
}

TEST(snooze_and_release_give_the_attempt_back)
{
	struct rota_facts f = claimed(1, true);
	rota_time place = f.run_at;

	CHECK_OK(say(&f, 1, ROTA_OUTCOME_SNOOZE, ROTA_SECONDS(9)), NULL);
	CHECK_STATE(f, ROTA_STATE_SCHEDULED);
	CHECK_EQ(f.attempt, 0);
	CHECK_EQ(f.run_at, NOW + ROTA_SECONDS(9));
	CHECK(!effect.attempt_row);
	f = claimed(1, true);
	CHECK_OK(say(&f, 1, ROTA_OUTCOME_RELEASE, -1), NULL);
	CHECK_STATE(f, ROTA_STATE_READY);
	CHECK_EQ(f.attempt, 0);
	CHECK_EQ(f.run_at, place);
}

TEST(a_running_task_that_is_cancelled_keeps_what_it_completes_or_fails)
{
	static const struct {
		enum rota_outcome said;
		enum rota_state state;
	} cases[] = {{ROTA_OUTCOME_COMPLETE, ROTA_STATE_COMPLETED},
		{ROTA_OUTCOME_FAIL, ROTA_STATE_FAILED}, {ROTA_OUTCOME_CANCEL, ROTA_STATE_CANCELLED},
		{ROTA_OUTCOME_RETRY, ROTA_STATE_CANCELLED},
		{ROTA_OUTCOME_SNOOZE, ROTA_STATE_CANCELLED},
		{ROTA_OUTCOME_RELEASE, ROTA_STATE_CANCELLED}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rota_facts f = claimed(3, true);

		CHECK_OK(rota_rule_cancel(&f, NOW, &effect), NULL);
		CHECK(effect.changed && !effect.ended);
		CHECK_STATE(f, ROTA_STATE_RUNNING);
		CHECK_OK(rota_rule_cancel(&f, NOW, &effect), NULL);
		CHECK(!effect.changed);
		CHECK_OK(say(&f, 1, cases[i].said, 5), NULL);
		CHECK_STATE(f, cases[i].state);
		CHECK(effect.ended);
		CHECK_OK(say(&f, 1, cases[i].said, 5), NULL);
	}
}

TEST(a_cancelled_task_whose_lease_is_lost_is_cancelled)
{
	for (int started = 0; started < 2; started++) {
		struct rota_facts f = claimed(3, started);

		CHECK_OK(rota_rule_cancel(&f, NOW, &effect), NULL);
		rota_rule_lose(&f, NOW, &effect);
		CHECK_STATE(f, ROTA_STATE_CANCELLED);
		CHECK(effect.ended && effect.clear_lease);
		CHECK_HAS(effect.error, "cancelled: lease lost");
		CHECK_STATUS(say(&f, 1, ROTA_OUTCOME_COMPLETE, -1), ROTA_CANCELLED, NULL);
	}
}

TEST(cancelling_what_waits_ends_it_and_what_is_final_is_refused)
{
	struct rota_facts f = task(3);

	CHECK_OK(rota_rule_cancel(&f, NOW, &effect), NULL);
	CHECK_STATE(f, ROTA_STATE_CANCELLED);
	CHECK(effect.ended && !effect.clear_lease);
	CHECK_STATUS(rota_rule_cancel(&f, NOW, &effect), ROTA_CANCELLED, NULL);
	f.state = ROTA_STATE_COMPLETED;
	CHECK_STATUS(rota_rule_cancel(&f, NOW, &effect), ROTA_COMPLETED, NULL);
	f.state = ROTA_STATE_FAILED;
	CHECK_STATUS(rota_rule_cancel(&f, NOW, &effect), ROTA_FAILED, NULL);
}

TEST(an_expired_task_fails_unless_it_runs_or_is_final)
{
	struct rota_facts f = task(3);

	f.expires_at = NOW;
	rota_rule_expire(&f, NOW - 1, &effect);
	CHECK(!effect.changed);
	rota_rule_expire(&f, NOW, &effect);
	CHECK_STATE(f, ROTA_STATE_FAILED);
	CHECK_STR(effect.error, "expired");
	rota_rule_expire(&f, NOW, &effect);
	CHECK(!effect.changed);
	f = claimed(3, true);
	f.expires_at = NOW - 1;
	rota_rule_expire(&f, NOW, &effect);
	CHECK(!effect.changed);
}

TEST(arrivals_unblock_when_the_last_has_come)
{
	struct rota_facts f = task(3);

	f.state = ROTA_STATE_BLOCKED;
	f.pending = 3;
	rota_rule_arrive(&f, 2, 1, false, NOW, &effect);
	CHECK_STATE(f, ROTA_STATE_BLOCKED);
	CHECK(effect.changed && !effect.ready);
	CHECK_EQ(f.pending, 1);
	CHECK_EQ(f.failed_dependencies, 1);
	rota_rule_arrive(&f, 5, 0, false, NOW, &effect);
	CHECK_STATE(f, ROTA_STATE_READY);
	CHECK(effect.ready);
	CHECK_EQ(f.pending, 0);
}

TEST(arrivals_of_a_task_for_later_leave_it_scheduled)
{
	struct rota_facts f = task(3);

	f.state = ROTA_STATE_BLOCKED;
	f.pending = 1;
	f.run_at = NOW + 1;
	rota_rule_arrive(&f, 1, 0, false, NOW, &effect);
	CHECK_STATE(f, ROTA_STATE_SCHEDULED);
	rota_rule_due(&f, NOW, &effect);
	CHECK(!effect.changed);
	rota_rule_due(&f, NOW + 1, &effect);
	CHECK_STATE(f, ROTA_STATE_READY);
	CHECK(effect.ready);
}

TEST(a_failed_predecessor_whose_edge_says_so_cancels)
{
	struct rota_facts f = task(3);

	f.state = ROTA_STATE_BLOCKED;
	f.pending = 2;
	rota_rule_arrive(&f, 1, 1, true, NOW, &effect);
	CHECK_STATE(f, ROTA_STATE_CANCELLED);
	CHECK(effect.ended && effect.error);
	rota_rule_arrive(&f, 1, 1, true, NOW, &effect);
	CHECK_STATE(f, ROTA_STATE_CANCELLED);
	CHECK(effect.changed && !effect.ended);
	CHECK_EQ(f.failed_dependencies, 2);
}

TEST(an_operators_retry_gives_a_fresh_budget)
{
	struct rota_facts f = claimed(1, true);

	f.expires_at = NOW + 5;
	CHECK_STATUS(rota_rule_revive(&f, NOW, &effect), ROTA_WRONG_STATE, NULL);
	CHECK_OK(say(&f, 1, ROTA_OUTCOME_RETRY, 0), NULL);
	CHECK_OK(rota_rule_revive(&f, NOW + 7, &effect), NULL);
	CHECK_STATE(f, ROTA_STATE_READY);
	CHECK(effect.ready);
	CHECK_EQ(f.attempt, 0);
	CHECK_EQ(f.token, 1);
	CHECK_EQ(f.run_at, NOW + 7);
	CHECK_EQ(f.finished_at, 0);
	CHECK_EQ(f.expires_at, 0);
	CHECK_EQ(f.first_started_at, 0);
}

TEST(an_operators_retry_of_a_task_with_open_edges_is_blocked)
{
	struct rota_facts f = task(3);

	f.state = ROTA_STATE_BLOCKED;
	f.pending = 1;
	CHECK_OK(rota_rule_cancel(&f, NOW, &effect), NULL);
	CHECK_OK(rota_rule_revive(&f, NOW, &effect), NULL);
	CHECK_STATE(f, ROTA_STATE_BLOCKED);
}

TEST(replacing_changes_the_times_of_what_waits)
{
	struct rota_facts f = task(3);

	CHECK_OK(rota_rule_replace(&f, NOW + 9, NOW + 99, NOW, &effect), NULL);
	CHECK_STATE(f, ROTA_STATE_SCHEDULED);
	CHECK_EQ(f.run_at, NOW + 9);
	CHECK_EQ(f.expires_at, NOW + 99);
	CHECK_OK(rota_rule_replace(&f, NOW, 0, NOW, &effect), NULL);
	CHECK_STATE(f, ROTA_STATE_READY);
	CHECK(effect.ready);
	f = claimed(3, true);
	CHECK_STATUS(rota_rule_replace(&f, NOW, 0, NOW, &effect), ROTA_EXISTS, NULL);
}

TEST(replacing_a_blocked_task_leaves_it_blocked)
{
	struct rota_facts f = task(3);

	f.state = ROTA_STATE_BLOCKED;
	f.pending = 1;
	CHECK_OK(rota_rule_replace(&f, NOW, 0, NOW, &effect), NULL);
	CHECK_STATE(f, ROTA_STATE_BLOCKED);
	CHECK(effect.changed);
}

TEST(who_worked_on_a_replaced_payload_comes_too_late)
{
	struct rota_facts f = claimed(3, true);

	rota_rule_lose(&f, NOW, &effect);
	CHECK_OK(rota_rule_replace(&f, NOW, 0, NOW, &effect), NULL);
	CHECK_STATUS(say(&f, 1, ROTA_OUTCOME_COMPLETE, -1), ROTA_STALE_LEASE, NULL);
	CHECK_STATE(f, ROTA_STATE_READY);
}

TEST(failing_and_obeying_end_the_task_with_a_row_each)
{
	struct rota_facts f = claimed(3, true);

	CHECK_OK(say(&f, 1, ROTA_OUTCOME_FAIL, -1), NULL);
	CHECK_STATE(f, ROTA_STATE_FAILED);
	CHECK_STR(effect.attempt_outcome, "fail");
	CHECK(effect.attempt_row && !effect.error);
	f = claimed(3, true);
	CHECK_OK(say(&f, 1, ROTA_OUTCOME_CANCEL, -1), NULL);
	CHECK_STATE(f, ROTA_STATE_CANCELLED);
	CHECK_STR(effect.attempt_outcome, "cancel");
	CHECK(effect.attempt_row && !effect.error);
}

TEST(what_a_cancelled_task_says_instead_is_kept_as_its_reason)
{
	static const struct {
		enum rota_outcome said;
		const char *name;
	} cases[] = {{ROTA_OUTCOME_RETRY, "retry"}, {ROTA_OUTCOME_SNOOZE, "snooze"},
		{ROTA_OUTCOME_RELEASE, "release"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rota_facts f = claimed(3, true);

		CHECK_OK(rota_rule_cancel(&f, NOW, &effect), NULL);
		CHECK_OK(say(&f, 1, cases[i].said, 5), NULL);
		CHECK_STR(effect.attempt_outcome, cases[i].name);
		CHECK_STR(effect.error, "cancelled");
		CHECK_EQ(f.attempt, 1);
	}
}

TEST(an_end_without_an_outcome_forgets_the_outcome_of_an_earlier_lease)
{
	struct rota_facts f = claimed(3, true);

	CHECK_OK(say(&f, 1, ROTA_OUTCOME_RETRY, 0), NULL);
	claim(&f);
	rota_rule_lose(&f, NOW, &effect);
	CHECK_OK(rota_rule_cancel(&f, NOW, &effect), NULL);
	CHECK_EQ(f.settled, 2);
	CHECK_EQ(f.settled_outcome, -1);
	CHECK_STATUS(say(&f, 2, ROTA_OUTCOME_RETRY, 0), ROTA_CANCELLED, NULL);
}

TEST(attempts_do_not_overflow)
{
	struct rota_facts f = task(0);

	f.attempt = INT32_MAX;
	rota_rule_claim(&f, false, NOW, &effect);
	CHECK_EQ(f.attempt, INT32_MAX);
	CHECK_OK(say(&f, 1, ROTA_OUTCOME_RETRY, -1), NULL);
	CHECK_STATE(f, ROTA_STATE_SCHEDULED);
}

static void claim_blocked(void)
{
	struct rota_facts f = task(3);

	f.state = ROTA_STATE_BLOCKED;
	rota_rule_claim(&f, false, NOW, &effect);
}

static void lose_ready(void)
{
	struct rota_facts f = task(3);

	rota_rule_lose(&f, NOW, &effect);
}

static void finish_later(void)
{
	struct rota_facts f = claimed(3, true);

	(void)say(&f, 1, ROTA_OUTCOME_LATER, -1);
}

TEST(a_move_that_cannot_be_stops_the_process)
{
	static void (*const moves[])(void) = {claim_blocked, lose_ready, finish_later};

	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		int status = 0;
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (!pid) {
			moves[i]();
			_exit(0);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	}
}
