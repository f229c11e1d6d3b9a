/* rules.c: moves that need no lease: birth, waiting, cancellation, revival. */
#include "core/rules.h"
#include "base/limits.h"
#include "base/macros.h"
#include "base/text.h"
#include <string.h>

void rota_rule_move(struct rota_facts *facts, enum rota_event event, enum rota_state to,
	struct rota_effect *effect)
{
	ROTA_ASSERT(rota_move_allowed(event, (int)facts->state, to));
	effect->changed = true;
	effect->ready |= to == ROTA_STATE_READY && facts->state != ROTA_STATE_READY;
	if (facts->state == ROTA_STATE_RUNNING && to != ROTA_STATE_RUNNING) {
		effect->clear_lease = true;
		facts->lease_until = 0;
	}
	facts->state = to;
}

void rota_rule_disown(struct rota_facts *facts)
{
	facts->flags &= ~(ROTA_FACT_STARTED | ROTA_FACT_LOST | ROTA_FACT_REFUNDED | ROTA_FACT_HAND);
	if (facts->settled == facts->token)
		return;
	facts->settled = facts->token;
	facts->settled_outcome = -1;
}

void rota_rule_end(struct rota_facts *facts, enum rota_event event, enum rota_state to,
	rota_time now, struct rota_effect *effect)
{
	ROTA_ASSERT(rota_state_final(to));
	rota_rule_move(facts, event, to, effect);
	rota_rule_disown(facts);
	facts->flags &= ~ROTA_FACT_SUSPECT;
	facts->finished_at = now;
	effect->ended = true;
}

enum rota_status rota_rule_final_status(enum rota_state state)
{
	switch (state) {
	case ROTA_STATE_COMPLETED:
		return ROTA_COMPLETED;
	case ROTA_STATE_FAILED:
		return ROTA_FAILED;
	case ROTA_STATE_CANCELLED:
		return ROTA_CANCELLED;
	default:
		return ROTA_OK;
	}
}

static bool waits(const struct rota_facts *facts)
{
	return facts->state < ROTA_STATE_RUNNING;
}

enum rota_state rota_rule_initial(int64_t pending, rota_time run_at, rota_time now)
{
	if (pending > 0)
		return ROTA_STATE_BLOCKED;
	return run_at > now ? ROTA_STATE_SCHEDULED : ROTA_STATE_READY;
}

void rota_rule_arrive(struct rota_facts *facts, int64_t arrivals, int64_t failures, bool cancel,
	rota_time now, struct rota_effect *ret)
{
	int64_t counted = ROTA_MIN(arrivals, facts->pending);

	*ret = (struct rota_effect){.changed = counted > 0 || failures > 0};
	facts->pending -= counted;
	facts->failed_dependencies += failures;
	if (facts->state != ROTA_STATE_BLOCKED)
		return;
	if (cancel) {
		ret->error = "a predecessor did not complete";
		rota_rule_end(facts, ROTA_EVENT_CASCADE, ROTA_STATE_CANCELLED, now, ret);
	} else if (!facts->pending) {
		rota_rule_move(
			facts, ROTA_EVENT_ARRIVE, rota_rule_initial(0, facts->run_at, now), ret);
	}
}

void rota_rule_due(struct rota_facts *facts, rota_time now, struct rota_effect *ret)
{
	*ret = (struct rota_effect){0};
	if (facts->state == ROTA_STATE_SCHEDULED && facts->run_at <= now)
		rota_rule_move(facts, ROTA_EVENT_DUE, ROTA_STATE_READY, ret);
}

void rota_rule_expire(struct rota_facts *facts, rota_time now, struct rota_effect *ret)
{
	*ret = (struct rota_effect){0};
	if (!waits(facts) || !facts->expires_at || facts->expires_at > now)
		return;
	ret->error = "expired";
	rota_rule_end(facts, ROTA_EVENT_EXPIRE, ROTA_STATE_FAILED, now, ret);
}

enum rota_status rota_rule_cancel(struct rota_facts *facts, rota_time now, struct rota_effect *ret)
{
	*ret = (struct rota_effect){0};
	if (rota_state_final(facts->state))
		return rota_rule_final_status(facts->state);
	if (waits(facts)) {
		rota_rule_end(facts, ROTA_EVENT_CANCEL, ROTA_STATE_CANCELLED, now, ret);
		return ROTA_OK;
	}
	ret->changed = !(facts->flags & ROTA_FACT_CANCEL);
	facts->flags |= ROTA_FACT_CANCEL;
	return ROTA_OK;
}

enum rota_status rota_rule_revive(struct rota_facts *facts, rota_time now, struct rota_effect *ret)
{
	*ret = (struct rota_effect){0};
	if (!rota_state_final(facts->state))
		return ROTA_WRONG_STATE;
	facts->flags &= ~ROTA_FACT_RULES;
	facts->attempt = facts->crashes = 0;
	facts->started_at = facts->first_started_at = facts->finished_at = facts->expires_at = 0;
	facts->run_at = now;
	rota_rule_move(facts, ROTA_EVENT_REVIVE, rota_rule_initial(facts->pending, now, now), ret);
	return ROTA_OK;
}

enum rota_status rota_rule_replace(struct rota_facts *facts, rota_time run_at, rota_time expires_at,
	rota_time now, struct rota_effect *ret)
{
	enum rota_state to = rota_rule_initial(0, run_at, now);

	*ret = (struct rota_effect){0};
	if (!waits(facts))
		return ROTA_EXISTS;
	/* whoever still holds a lost lease worked on what is gone now */
	rota_rule_disown(facts);
	facts->run_at = run_at;
	facts->expires_at = expires_at;
	rota_rule_move(facts, ROTA_EVENT_REPLACE,
		facts->state == ROTA_STATE_BLOCKED ? ROTA_STATE_BLOCKED : to, ret);
	return ROTA_OK;
}

const char *rota_rule_error(
	const struct rota_effect *effect, const char *said, struct rota_arena *arena)
{
	size_t size, more;
	char *text;

	if (!effect->error || !said || !*said)
		return effect->error ? effect->error : said;
	size = strlen(effect->error);
	more = strlen(said);
	more = rota_utf8_prefix(said, more, ROTA_TEXT_BYTES_MAX - size - 2);
	text = rota_arena_alloc(arena, size + 2 + more + 1);
	if (!text)
		return effect->error;
	memcpy(text, effect->error, size);
	memcpy(text + size, ": ", 2);
	memcpy(text + size + 2, said, more);
	text[size + 2 + more] = 0;
	return text;
}
