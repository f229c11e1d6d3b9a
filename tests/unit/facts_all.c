/* facts_all.c: every rule over every combination of facts that can be, with what must hold of each.
 */
#include "test.h"
#include "base/limits.h"
#include "base/macros.h"
#include "core/facts.h"

#define NOW ROTA_SECONDS(1000000)

static bool has(const struct rota_facts *f, uint32_t flag)
{
	return f->flags & flag;
}

static bool flags_fit(const struct rota_facts *f)
{
	bool waits = f->state == ROTA_STATE_SCHEDULED || f->state == ROTA_STATE_READY;
	bool leased = f->state == ROTA_STATE_RUNNING || has(f, ROTA_FACT_LOST);

	if (has(f, ROTA_FACT_CANCEL) && f->state < ROTA_STATE_RUNNING)
		return false;
	if (has(f, ROTA_FACT_LOST) && !waits)
		return false;
	if (has(f, ROTA_FACT_REFUNDED) && !has(f, ROTA_FACT_LOST))
		return false;
	if (has(f, ROTA_FACT_STARTED | ROTA_FACT_HAND) && !leased)
		return false;
	if (has(f, ROTA_FACT_HAND) && !has(f, ROTA_FACT_STARTED))
		return false;
	if (has(f, ROTA_FACT_REFUNDED) && (has(f, ROTA_FACT_STARTED) || !has(f, ROTA_FACT_SUSPECT)))
		return false;
	if (has(f, ROTA_FACT_LOST) && !has(f, ROTA_FACT_REFUNDED) && !has(f, ROTA_FACT_STARTED))
		return false;
	return !has(f, ROTA_FACT_SUSPECT) ||
	       (!has(f, ROTA_FACT_STARTED) && !rota_state_final(f->state));
}

static bool tokens_fit(const struct rota_facts *f)
{
	bool open = f->state == ROTA_STATE_RUNNING || has(f, ROTA_FACT_LOST);

	if (f->settled < 0 || f->settled > f->token || open != (f->settled < f->token))
		return false;
	return f->settled || f->settled_outcome == -1;
}

/* What can be in a store: the rules must never leave this. */
static bool fits(const struct rota_facts *f)
{
	bool final = rota_state_final(f->state);

	if (f->pending < 0 || f->attempt < 0 || f->crashes < 0 || f->failed_dependencies < 0)
		return false;
	if (!final && (f->state == ROTA_STATE_BLOCKED) != (f->pending > 0))
		return false;
	if (final != (f->finished_at != 0))
		return false;
	if (f->state == ROTA_STATE_RUNNING && f->attempt < 1)
		return false;
	if (has(f, ROTA_FACT_LOST) && !has(f, ROTA_FACT_REFUNDED) && f->attempt < 1)
		return false;
	return flags_fit(f) && tokens_fit(f);
}

/* ---- every rule, with every argument that makes a difference ---- */

struct applied {
	const char *rule;
	bool ran;
	enum rota_status status;
	struct rota_effect effect;
};

static const rota_duration delays[] = {-1, 0, ROTA_SECONDS(5)};

static bool apply_verdict(struct rota_facts *f, unsigned nth, struct applied *a)
{
	unsigned outcomes = ROTA_OUTCOME_CANCEL + 1;
	struct rota_verdict v = ROTA_INIT(rota_verdict);

	if (nth >= outcomes * 3 * 2)
		return false;
	v.outcome = (enum rota_outcome)(nth % outcomes);
	v.has_delay = delays[nth / outcomes % 3] >= 0;
	v.delay = ROTA_MAX(delays[nth / outcomes % 3], 0);
	v.token = nth / outcomes / 3 ? f->token - 1 : f->token;
	a->rule = rota_outcome_name(v.outcome);
	a->ran = v.token > 0;
	if (a->ran)
		a->status = rota_rule_finish(f, &v, NOW, &a->effect);
	return true;
}

static bool apply_arrival(struct rota_facts *f, unsigned nth, struct applied *a)
{
	if (nth >= 3 * 2 * 2)
		return false;
	a->rule = "arrive";
	a->ran = true;
	rota_rule_arrive(f, nth % 3, nth / 3 % 2, nth / 6, NOW, &a->effect);
	return true;
}

static void apply_lease(struct rota_facts *f, unsigned nth, struct applied *a)
{
	a->ran = true;
	if (nth < 2) {
		a->rule = "claim";
		a->ran = f->state == ROTA_STATE_READY;
		if (a->ran)
			rota_rule_claim(f, nth, NOW, &a->effect);
	} else if (nth < 6) {
		a->rule = "extend";
		a->status = rota_rule_extend(f, f->token - (nth & 1), nth & 2, NOW, &a->effect);
	} else {
		a->rule = "lose";
		a->ran = f->state == ROTA_STATE_RUNNING;
		if (a->ran)
			rota_rule_lose(f, NOW, &a->effect);
	}
}

static void apply_other(struct rota_facts *f, unsigned nth, struct applied *a)
{
	static const char *const names[] = {
		"due", "expire", "cancel", "revive", "replace", "replace"};

	a->rule = names[nth];
	a->ran = true;
	if (nth == 0)
		rota_rule_due(f, NOW, &a->effect);
	else if (nth == 1)
		rota_rule_expire(f, NOW, &a->effect);
	else if (nth == 2)
		a->status = rota_rule_cancel(f, NOW, &a->effect);
	else if (nth == 3)
		a->status = rota_rule_revive(f, NOW, &a->effect);
	else
		a->status = rota_rule_replace(f, NOW + (nth == 5), NOW + 10, NOW, &a->effect);
}

static bool apply(struct rota_facts *f, unsigned nth, struct applied *a)
{
	memset(a, 0, sizeof(*a));
	memset(&a->effect, 0xff, sizeof(a->effect)); /* rules fill it in whole */
	if (nth < 7)
		apply_lease(f, nth, a);
	else if (nth < 13)
		apply_other(f, nth - 7, a);
	else if (nth < 25)
		return apply_arrival(f, nth - 13, a);
	else
		return apply_verdict(f, nth - 25, a);
	return true;
}

/* ---- what must hold ---- */

#define HOLDS(cond)                                                                                \
	CHECK_MSG(cond,                                                                            \
		"%s (%s): state %d flags %u attempt %d/%d token %d settled %d pending %d "         \
		"→ state %d flags %u attempt %d token %d settled %d: not %s",                      \
		a->rule, rota_status_name(a->status), (int)b->state, b->flags, b->attempt,         \
		b->attempts_max, (int)b->token, (int)b->settled, (int)b->pending, (int)f->state,   \
		f->flags, f->attempt, (int)f->token, (int)f->settled, #cond)

static void check_effect(
	const struct rota_facts *b, const struct rota_facts *f, const struct applied *a)
{
	bool was_final = rota_state_final(b->state), final = rota_state_final(f->state);

	HOLDS(a->effect.changed == (memcmp(b, f, sizeof(*f)) != 0) || !strcmp(a->rule, "replace"));
	HOLDS(a->effect.ended == (final && !was_final));
	HOLDS(a->effect.ready == (f->state == ROTA_STATE_READY && b->state != ROTA_STATE_READY));
	HOLDS(a->effect.clear_lease ==
		(b->state == ROTA_STATE_RUNNING && f->state != ROTA_STATE_RUNNING));
	HOLDS(!a->effect.attempt_row || (a->effect.attempt_outcome && a->effect.attempt >= 1));
	HOLDS(a->effect.attempt_row || !a->effect.attempt_outcome);
	if (a->status)
		HOLDS(!a->effect.changed && !a->effect.attempt_row && !a->effect.error);
}

static void check_facts(
	const struct rota_facts *b, const struct rota_facts *f, const struct applied *a)
{
	HOLDS(fits(f));
	HOLDS(f->token == b->token + !strcmp(a->rule, "claim"));
	HOLDS(f->settled >= b->settled);
	HOLDS(f->pending <= b->pending);
	HOLDS(f->failed_dependencies >= b->failed_dependencies);
	HOLDS(!rota_state_final(b->state) || f->state == b->state || !strcmp(a->rule, "revive"));
	HOLDS(f->id == b->id && f->attempts_max == b->attempts_max && f->signals == b->signals);
	HOLDS(f->attempt >= b->attempt - 1 || !strcmp(a->rule, "revive"));
	HOLDS(f->attempt <= b->attempt + 1);
	HOLDS(f->state != ROTA_STATE_SCHEDULED || b->state == ROTA_STATE_SCHEDULED ||
		f->run_at > NOW);
	HOLDS(f->state != ROTA_STATE_READY || b->state == ROTA_STATE_READY || f->run_at <= NOW);
	/* nobody tries again who has tried often enough */
	if (a->effect.attempt_row && f->state < ROTA_STATE_RUNNING && b->attempts_max &&
		!b->retry.duration_max && strcmp(a->effect.attempt_outcome, "unstarted"))
		HOLDS(f->attempt < f->attempts_max);
}

static size_t try_all(const struct rota_facts *before)
{
	size_t ran = 0;
	struct applied a;

	for (unsigned nth = 0;; nth++) {
		struct rota_facts after;

		memcpy(&after, before, sizeof(after));
		if (!apply(&after, nth, &a))
			return ran;
		if (!a.ran)
			continue;
		check_effect(before, &after, &a);
		check_facts(before, &after, &a);
		ran++;
	}
}

/* ---- every combination ---- */

static void counts(struct rota_facts *f, unsigned nth)
{
	f->attempt = (int32_t)(nth % 3);
	f->attempts_max = (int32_t)(nth / 3 % 3);
	f->crashes = (int32_t)(nth / 9 % 2) * (ROTA_QUARANTINE_CRASHES - 1);
	f->pending = nth / 18 % 3;
	f->retry.duration_max = nth / 54 % 2 ? ROTA_SECONDS(60) : 0;
}
#define COUNTS 108u

static void times(struct rota_facts *f, unsigned nth)
{
	static const int outcomes[] = {-1, ROTA_OUTCOME_COMPLETE, ROTA_OUTCOME_RETRY};

	f->run_at = NOW + (int)(nth % 3) - 1;
	f->expires_at = nth / 3 % 3 ? NOW + (int)(nth / 3 % 3) - 1 : 0;
	f->settled = nth / 9 % 3;
	f->token = f->settled + nth / 27 % 2;
	f->settled_outcome = f->settled ? outcomes[nth / 54 % 3] : -1;
	f->started_at = f->token ? NOW - ROTA_SECONDS(nth / 162 % 2 ? 10 : 100) : 0;
	f->finished_at = rota_state_final(f->state) ? NOW - 1 : 0;
}
#define TIMES 324u

static size_t with_flags(enum rota_state state, uint32_t flags)
{
	struct rota_facts f;
	size_t ran = 0;

	for (unsigned c = 0; c < COUNTS; c++) {
		for (unsigned t = 0; t < TIMES; t++) {
			memset(&f, 0, sizeof(f));
			f.id = 7;
			f.state = state;
			f.flags = flags;
			counts(&f, c);
			times(&f, t);
			if (fits(&f))
				ran += try_all(&f);
		}
	}
	return ran;
}

TEST(every_rule_keeps_every_task_that_can_be_one_that_can_be)
{
	size_t ran = 0;

	for (int state = 0; state < ROTA_STATE_COUNT; state++)
		for (uint32_t flags = 0; flags <= ROTA_FACT_RULES; flags++)
			ran += with_flags((enum rota_state)state, flags);
	CHECK(ran > 1000000);
}
