/* lease.c: rules about the time between a claim and its outcome. */
#include "core/rules.h"
#include "base/limits.h"
#include "base/macros.h"
#include "base/world.h"

bool rota_rule_claim_alone(const struct rota_facts *facts)
{
	return facts->flags & ROTA_FACT_SUSPECT || facts->crashes || facts->attempts_max == 1;
}

static void count_attempt(struct rota_facts *facts)
{
	if (facts->attempt < INT32_MAX)
		facts->attempt++;
}

static void give_attempt_back(struct rota_facts *facts)
{
	if (facts->attempt > 0)
		facts->attempt--;
}

static void start(struct rota_facts *facts)
{
	facts->flags |= ROTA_FACT_STARTED;
	facts->flags &= ~ROTA_FACT_SUSPECT;
}

void rota_rule_claim(struct rota_facts *facts, bool by_hand, rota_time now, struct rota_effect *ret)
{
	*ret = (struct rota_effect){0};
	rota_rule_move(facts, ROTA_EVENT_CLAIM, ROTA_STATE_RUNNING, ret);
	facts->token++;
	count_attempt(facts);
	facts->started_at = now;
	facts->flags &= ~(ROTA_FACT_LOST | ROTA_FACT_REFUNDED | ROTA_FACT_STARTED | ROTA_FACT_HAND);
	if (by_hand) {
		facts->flags |= ROTA_FACT_HAND;
		start(facts);
	}
}

/* The holder of the last lease is still in time. */
static bool in_time(const struct rota_facts *facts)
{
	if (facts->state == ROTA_STATE_RUNNING)
		return true;
	return facts->flags & ROTA_FACT_LOST &&
	       (facts->state == ROTA_STATE_SCHEDULED || facts->state == ROTA_STATE_READY);
}

enum rota_status rota_rule_fence(const struct rota_facts *facts, int64_t token)
{
	if (rota_state_final(facts->state))
		return rota_rule_final_status(facts->state);
	if (token != facts->token || facts->settled >= token)
		return ROTA_STALE_LEASE;
	return in_time(facts) ? ROTA_OK : ROTA_WRONG_STATE;
}

/* The lease was not lost after all: what its loss did to the counts is undone. */
static void find_again(struct rota_facts *facts)
{
	if (!(facts->flags & ROTA_FACT_LOST))
		return;
	if (facts->flags & ROTA_FACT_REFUNDED)
		count_attempt(facts);
	else if (facts->crashes > 0 && !(facts->flags & ROTA_FACT_HAND))
		facts->crashes--;
	facts->flags &= ~(ROTA_FACT_LOST | ROTA_FACT_REFUNDED | ROTA_FACT_SUSPECT);
}

enum rota_status rota_rule_extend(struct rota_facts *facts, int64_t token, bool started,
	rota_time now, struct rota_effect *ret)
{
	enum rota_status status = rota_rule_fence(facts, token);

	(void)now;
	*ret = (struct rota_effect){0};
	if (status)
		return status;
	if (facts->state != ROTA_STATE_RUNNING) {
		find_again(facts);
		rota_rule_move(facts, ROTA_EVENT_RESUME, ROTA_STATE_RUNNING, ret);
	}
	if (started && !(facts->flags & ROTA_FACT_STARTED)) {
		start(facts);
		ret->changed = true;
	}
	return ROTA_OK;
}

/* The row in attempts that this lease leaves, with its number before anything is given back. */
static void leave_row(
	const struct rota_facts *facts, const char *outcome, struct rota_effect *effect)
{
	effect->attempt_row = true;
	effect->attempt_outcome = outcome;
	effect->attempt = facts->attempt;
}

static void wait_until(struct rota_facts *facts, enum rota_event event, rota_time run_at,
	rota_time now, struct rota_effect *effect)
{
	facts->run_at = run_at;
	rota_rule_move(facts, event, rota_rule_initial(0, run_at, now), effect);
}

static rota_duration backoff(const struct rota_facts *facts)
{
	struct rota_retry retry = rota_retry_resolve(&facts->retry);

	return rota_retry_jitter(rota_retry_backoff(&retry, facts->attempt), retry.jitter_percent,
		facts->id, facts->token);
}

static bool used_up(const struct rota_facts *facts, rota_time now)
{
	return rota_retry_used_up(facts->attempt, facts->attempts_max, facts->retry.duration_max,
		facts->first_started_at, now);
}

static void note_first_start(struct rota_facts *facts)
{
	if (!facts->first_started_at)
		facts->first_started_at = facts->started_at;
}

static const char cancelled_error[] = "cancelled";

static void retry(struct rota_facts *facts, const struct rota_verdict *verdict, rota_time now,
	struct rota_effect *effect)
{
	rota_duration delay = verdict->has_delay ? verdict->delay : backoff(facts);

	leave_row(facts, "retry", effect);
	note_first_start(facts);
	if (facts->flags & ROTA_FACT_CANCEL) {
		effect->error = cancelled_error;
		rota_rule_end(facts, ROTA_EVENT_RETRY, ROTA_STATE_CANCELLED, now, effect);
	} else if (used_up(facts, now)) {
		effect->error = "attempts used up";
		rota_rule_end(facts, ROTA_EVENT_RETRY, ROTA_STATE_FAILED, now, effect);
	} else {
		wait_until(facts, ROTA_EVENT_RETRY, rota_time_add(now, delay), now, effect);
	}
}

static void snooze(struct rota_facts *facts, const struct rota_verdict *verdict, rota_time now,
	struct rota_effect *effect)
{
	if (facts->flags & ROTA_FACT_CANCEL) {
		leave_row(facts, "snooze", effect);
		effect->error = cancelled_error;
		rota_rule_end(facts, ROTA_EVENT_SNOOZE, ROTA_STATE_CANCELLED, now, effect);
		return;
	}
	give_attempt_back(facts);
	wait_until(facts, ROTA_EVENT_SNOOZE, rota_time_add(now, verdict->delay), now, effect);
}

static void release(struct rota_facts *facts, rota_time now, struct rota_effect *effect)
{
	if (facts->flags & ROTA_FACT_CANCEL) {
		leave_row(facts, "release", effect);
		effect->error = cancelled_error;
		rota_rule_end(facts, ROTA_EVENT_RELEASE, ROTA_STATE_CANCELLED, now, effect);
		return;
	}
	give_attempt_back(facts);
	/* it keeps its place in the queue */
	wait_until(facts, ROTA_EVENT_RELEASE, ROTA_MIN(facts->run_at, now), now, effect);
}

static void carry_out(struct rota_facts *facts, const struct rota_verdict *verdict, rota_time now,
	struct rota_effect *effect)
{
	switch (verdict->outcome) {
	case ROTA_OUTCOME_COMPLETE:
		rota_rule_end(facts, ROTA_EVENT_COMPLETE, ROTA_STATE_COMPLETED, now, effect);
		return;
	case ROTA_OUTCOME_FAIL:
		leave_row(facts, "fail", effect);
		rota_rule_end(facts, ROTA_EVENT_FAIL, ROTA_STATE_FAILED, now, effect);
		return;
	case ROTA_OUTCOME_CANCEL:
		leave_row(facts, "cancel", effect);
		rota_rule_end(facts, ROTA_EVENT_OBEY, ROTA_STATE_CANCELLED, now, effect);
		return;
	case ROTA_OUTCOME_RETRY:
		retry(facts, verdict, now, effect);
		return;
	case ROTA_OUTCOME_SNOOZE:
		snooze(facts, verdict, now, effect);
		return;
	case ROTA_OUTCOME_RELEASE:
		release(facts, now, effect);
		return;
	case ROTA_OUTCOME_LATER:
		break;
	}
	ROTA_ASSERT(!"an outcome that check.h refuses");
}

static bool said_before(const struct rota_facts *facts, const struct rota_verdict *verdict)
{
	return verdict->token == facts->settled && facts->settled > 0 &&
	       facts->settled_outcome == (int32_t)verdict->outcome;
}

enum rota_status rota_rule_finish(struct rota_facts *facts, const struct rota_verdict *verdict,
	rota_time now, struct rota_effect *ret)
{
	enum rota_status status;

	*ret = (struct rota_effect){0};
	if (said_before(facts, verdict))
		return ROTA_OK;
	status = rota_rule_fence(facts, verdict->token);
	if (status)
		return status;
	find_again(facts);
	facts->settled = verdict->token;
	facts->settled_outcome = (int32_t)verdict->outcome;
	/* it came back: whatever it did, it did not kill its worker */
	facts->crashes = 0;
	facts->flags &= ~(ROTA_FACT_STARTED | ROTA_FACT_SUSPECT | ROTA_FACT_HAND);
	carry_out(facts, verdict, now, ret);
	return ROTA_OK;
}

/* Its worker was gone before the handler was known to run: nothing happened, but take care. */
static void lose_unstarted(struct rota_facts *facts, rota_time now, struct rota_effect *effect)
{
	leave_row(facts, "unstarted", effect);
	effect->error = "lease lost before the start";
	give_attempt_back(facts);
	if (facts->flags & ROTA_FACT_CANCEL) {
		effect->error = "cancelled: lease lost before the start";
		rota_rule_end(facts, ROTA_EVENT_LOSE, ROTA_STATE_CANCELLED, now, effect);
		return;
	}
	facts->flags |= ROTA_FACT_LOST | ROTA_FACT_REFUNDED | ROTA_FACT_SUSPECT;
	wait_until(facts, ROTA_EVENT_LOSE, ROTA_MIN(facts->run_at, now), now, effect);
}

static void lose_started(struct rota_facts *facts, rota_time now, struct rota_effect *effect)
{
	leave_row(facts, "lost", effect);
	effect->error = "lease lost";
	note_first_start(facts);
	facts->crashes += !(facts->flags & ROTA_FACT_HAND);
	if (facts->flags & ROTA_FACT_CANCEL) {
		effect->error = "cancelled: lease lost";
		rota_rule_end(facts, ROTA_EVENT_LOSE, ROTA_STATE_CANCELLED, now, effect);
	} else if (facts->crashes >= ROTA_QUARANTINE_CRASHES) {
		effect->error = "quarantined: lease lost again and again";
		rota_rule_end(facts, ROTA_EVENT_LOSE, ROTA_STATE_FAILED, now, effect);
	} else if (used_up(facts, now)) {
		effect->error = "attempts used up: lease lost";
		rota_rule_end(facts, ROTA_EVENT_LOSE, ROTA_STATE_FAILED, now, effect);
	} else {
		facts->flags |= ROTA_FACT_LOST;
		wait_until(facts, ROTA_EVENT_LOSE, rota_time_add(now, backoff(facts)), now, effect);
	}
}

void rota_rule_lose(struct rota_facts *facts, rota_time now, struct rota_effect *ret)
{
	*ret = (struct rota_effect){0};
	ROTA_ASSERT(facts->state == ROTA_STATE_RUNNING);
	if (facts->flags & ROTA_FACT_STARTED)
		lose_started(facts, now, ret);
	else
		lose_unstarted(facts, now, ret);
}
