/* facts_lost.c: leases that are lost, and who comes back after that. */
#include "test.h"
#include "base/limits.h"
#include "core/facts.h"

#define NOW ROTA_SECONDS(1000000)

static struct rota_effect effect;

static struct rota_facts claimed(int32_t attempts_max, bool by_hand, bool started)
{
	struct rota_facts f = {.id = 1,
		.state = ROTA_STATE_READY,
		.settled_outcome = -1,
		.attempts_max = attempts_max,
		.run_at = NOW - ROTA_SECONDS(60)};

	rota_rule_claim(&f, by_hand, NOW, &effect);
	if (started)
		CHECK_OK(rota_rule_extend(&f, 1, true, NOW, &effect), NULL);
	return f;
}

static enum rota_status say(struct rota_facts *f, int64_t token, enum rota_outcome outcome)
{
	struct rota_verdict v = ROTA_INIT(rota_verdict);

	v.id = f->id;
	v.token = token;
	v.outcome = outcome;
	v.delay = ROTA_SECONDS(5);
	return rota_rule_finish(f, &v, NOW, &effect);
}
#define CHECK_STATE(f, want) CHECK_STR(rota_state_name((f).state), rota_state_name(want))

static void claim_again(struct rota_facts *f, bool by_hand, bool started)
{
	f->state = ROTA_STATE_READY;
	rota_rule_claim(f, by_hand, NOW, &effect);
	if (started)
		CHECK_OK(rota_rule_extend(f, f->token, true, NOW, &effect), NULL);
}

TEST(a_lease_lost_after_the_start_costs_an_attempt_and_backs_off)
{
	struct rota_facts f = claimed(5, false, true);

	rota_rule_lose(&f, NOW, &effect);
	CHECK_STATE(f, ROTA_STATE_SCHEDULED);
	CHECK(f.run_at > NOW);
	CHECK_EQ(f.attempt, 1);
	CHECK_EQ(f.crashes, 1);
	CHECK_EQ(f.settled, 0);
	CHECK_EQ(f.first_started_at, NOW);
	CHECK(effect.clear_lease && effect.attempt_row);
	CHECK_STR(effect.attempt_outcome, "lost");
	CHECK_STR(effect.error, "lease lost");
}

TEST(a_lease_lost_before_the_start_is_given_back_and_suspect)
{
	struct rota_facts f = claimed(1, false, false);
	rota_time place = f.run_at;

	rota_rule_lose(&f, NOW, &effect);
	CHECK_STATE(f, ROTA_STATE_READY);
	CHECK_EQ(f.attempt, 0);
	CHECK_EQ(f.crashes, 0);
	CHECK_EQ(f.run_at, place);
	CHECK_EQ(f.first_started_at, 0);
	CHECK(f.flags & ROTA_FACT_SUSPECT);
	CHECK(rota_rule_claim_alone(&f));
	CHECK_STR(effect.attempt_outcome, "unstarted");
	CHECK_STR(effect.error, "lease lost before the start");
	CHECK_EQ(effect.attempt, 1);
}

TEST(suspicion_ends_with_a_known_start_but_a_crash_is_remembered)
{
	struct rota_facts f = claimed(5, false, false);

	rota_rule_lose(&f, NOW, &effect);
	claim_again(&f, false, false);
	CHECK(f.flags & ROTA_FACT_SUSPECT);
	CHECK_OK(rota_rule_extend(&f, 2, true, NOW, &effect), NULL);
	CHECK(!(f.flags & ROTA_FACT_SUSPECT));
	CHECK(!rota_rule_claim_alone(&f));
	rota_rule_lose(&f, NOW, &effect);
	CHECK(rota_rule_claim_alone(&f));
	claim_again(&f, false, true);
	CHECK_OK(say(&f, 3, ROTA_OUTCOME_RETRY), NULL);
	CHECK(!rota_rule_claim_alone(&f));
}

TEST(a_single_attempt_is_claimed_alone)
{
	struct rota_facts f = claimed(1, false, false);

	CHECK(rota_rule_claim_alone(&f));
	f.attempts_max = 2;
	CHECK(!rota_rule_claim_alone(&f));
}

TEST(a_single_attempt_that_started_is_not_run_twice)
{
	struct rota_facts f = claimed(1, false, true);

	rota_rule_lose(&f, NOW, &effect);
	CHECK_STATE(f, ROTA_STATE_FAILED);
	CHECK_HAS(effect.error, "attempts used up");
	CHECK_STATUS(say(&f, 1, ROTA_OUTCOME_COMPLETE), ROTA_FAILED, NULL);
}

TEST(a_task_that_kills_its_worker_again_and_again_is_quarantined)
{
	struct rota_facts f = claimed(0, false, true);

	for (int i = 1; i < ROTA_QUARANTINE_CRASHES; i++) {
		rota_rule_lose(&f, NOW, &effect);
		CHECK(!effect.ended);
		claim_again(&f, false, true);
	}
	rota_rule_lose(&f, NOW, &effect);
	CHECK_STATE(f, ROTA_STATE_FAILED);
	CHECK_HAS(effect.error, "quarantined");
	CHECK(effect.ended);
}

TEST(crashes_count_in_a_row)
{
	struct rota_facts f = claimed(0, false, true);

	for (int i = 0; i < 3 * ROTA_QUARANTINE_CRASHES; i++) {
		rota_rule_lose(&f, NOW, &effect);
		claim_again(&f, false, true);
		CHECK_OK(say(&f, f.token, ROTA_OUTCOME_SNOOZE), NULL);
		claim_again(&f, false, true);
	}
	CHECK_STATE(f, ROTA_STATE_RUNNING);
}

TEST(a_claim_by_hand_counts_its_attempt_and_crashes_nothing)
{
	struct rota_facts f = claimed(2 * ROTA_QUARANTINE_CRASHES, true, false);

	for (int i = 1; i < 2 * ROTA_QUARANTINE_CRASHES; i++) {
		rota_rule_lose(&f, NOW, &effect);
		CHECK_STATE(f, ROTA_STATE_SCHEDULED);
		CHECK_EQ(f.attempt, i);
		CHECK_EQ(f.crashes, 0);
		claim_again(&f, true, false);
	}
	rota_rule_lose(&f, NOW, &effect);
	CHECK_STATE(f, ROTA_STATE_FAILED);
	CHECK_STR(effect.error, "attempts used up: lease lost");
}

TEST(a_late_outcome_counts_while_nobody_claimed_since)
{
	for (int outcome = 0; outcome <= ROTA_OUTCOME_CANCEL; outcome++) {
		for (int started = 0; started < 2; started++) {
			struct rota_facts late = claimed(3, false, started), in_time = late;

			rota_rule_lose(&late, NOW, &effect);
			CHECK_OK(say(&late, 1, (enum rota_outcome)outcome), NULL);
			CHECK(effect.changed && !effect.clear_lease);
			CHECK_OK(say(&in_time, 1, (enum rota_outcome)outcome), NULL);
			CHECK_EQ(late.state, in_time.state);
			CHECK_EQ(late.attempt, in_time.attempt);
			CHECK_EQ(late.crashes, in_time.crashes);
			CHECK_EQ(late.settled, 1);
			CHECK_EQ(late.flags, in_time.flags);
		}
	}
}

TEST(a_late_outcome_is_refused_once_somebody_claimed)
{
	struct rota_facts f = claimed(3, false, true);

	rota_rule_lose(&f, NOW, &effect);
	claim_again(&f, false, true);
	CHECK_STATUS(say(&f, 1, ROTA_OUTCOME_COMPLETE), ROTA_STALE_LEASE, NULL);
	CHECK_STATUS(rota_rule_extend(&f, 1, true, NOW, &effect), ROTA_STALE_LEASE, NULL);
	CHECK_OK(say(&f, 2, ROTA_OUTCOME_COMPLETE), NULL);
}

TEST(a_late_outcome_is_refused_once_the_task_was_cancelled_and_retried)
{
	struct rota_facts f = claimed(3, false, true);

	rota_rule_lose(&f, NOW, &effect);
	CHECK_OK(rota_rule_cancel(&f, NOW, &effect), NULL);
	CHECK_STATUS(say(&f, 1, ROTA_OUTCOME_COMPLETE), ROTA_CANCELLED, NULL);
	CHECK_OK(rota_rule_revive(&f, NOW, &effect), NULL);
	CHECK_STATUS(say(&f, 1, ROTA_OUTCOME_COMPLETE), ROTA_STALE_LEASE, NULL);
	CHECK_STATE(f, ROTA_STATE_READY);
}

TEST(a_late_renewal_takes_the_lease_back)
{
	for (int started = 0; started < 2; started++) {
		struct rota_facts f = claimed(3, false, started);

		rota_rule_lose(&f, NOW, &effect);
		CHECK_OK(rota_rule_extend(&f, 1, started, NOW, &effect), NULL);
		CHECK(effect.changed);
		CHECK_STATE(f, ROTA_STATE_RUNNING);
		CHECK_EQ(f.attempt, 1);
		CHECK_EQ(f.crashes, 0);
		CHECK_EQ(f.flags, started ? ROTA_FACT_STARTED : 0);
		CHECK_OK(say(&f, 1, ROTA_OUTCOME_COMPLETE), NULL);
	}
}

TEST(a_renewal_in_time_changes_nothing_unless_it_tells_of_the_start)
{
	struct rota_facts f = claimed(3, false, false);

	CHECK_OK(rota_rule_extend(&f, 1, false, NOW, &effect), NULL);
	CHECK(!effect.changed);
	CHECK_OK(rota_rule_extend(&f, 1, true, NOW, &effect), NULL);
	CHECK(effect.changed);
	CHECK_OK(rota_rule_extend(&f, 1, true, NOW, &effect), NULL);
	CHECK(!effect.changed);
}

TEST(a_late_retry_with_no_attempts_left_fails)
{
	struct rota_facts f = claimed(1, false, false);

	rota_rule_lose(&f, NOW, &effect);
	CHECK_EQ(f.attempt, 0);
	CHECK_OK(say(&f, 1, ROTA_OUTCOME_RETRY), NULL);
	CHECK_STATE(f, ROTA_STATE_FAILED);
	CHECK_EQ(f.attempt, 1);
	CHECK_STR(effect.error, "attempts used up");
	CHECK_EQ(effect.attempt, 1);
}

TEST(the_budget_of_time_begins_with_the_first_attempt_that_counted)
{
	struct rota_facts f = claimed(1, false, true);

	f.retry.duration_max = ROTA_SECONDS(60);
	CHECK_OK(say(&f, 1, ROTA_OUTCOME_RETRY), NULL);
	CHECK(!effect.ended);
	CHECK_EQ(f.first_started_at, NOW);
	claim_again(&f, false, true);
	rota_rule_lose(&f, NOW + ROTA_SECONDS(59), &effect);
	CHECK(!effect.ended);
	CHECK_EQ(f.first_started_at, NOW);
	claim_again(&f, false, true);
	rota_rule_lose(&f, NOW + ROTA_SECONDS(60), &effect);
	CHECK_STATE(f, ROTA_STATE_FAILED);
}
