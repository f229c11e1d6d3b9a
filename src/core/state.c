/* state.c: the tables of state.h, as data. */
#include "core/state.h"
#include "base/macros.h"
#include <string.h>

#define STATE_NAME(name, text) [ROTA_STATE_##name] = text,
static const char *const state_names[] = {ROTA_STATES(STATE_NAME)};
_Static_assert(ROTA_COUNT(state_names) == ROTA_STATE_COUNT, "a name per state");

#define EVENT_NAME(name, text) [ROTA_EVENT_##name] = text,
static const char *const event_names[] = {ROTA_EVENTS(EVENT_NAME)};

static const char *const outcome_names[] = {
	[ROTA_OUTCOME_COMPLETE] = "complete",
	[ROTA_OUTCOME_RETRY] = "retry",
	[ROTA_OUTCOME_SNOOZE] = "snooze",
	[ROTA_OUTCOME_RELEASE] = "release",
	[ROTA_OUTCOME_FAIL] = "fail",
	[ROTA_OUTCOME_CANCEL] = "cancel",
	[ROTA_OUTCOME_LATER] = "later",
};

/* A switch: claims and finishes ask at every task, and a move listed twice does not compile. */
#define MOVE_KEY(event, from, to) ((int)(event)*64 + ((int)(from) + 1) * 8 + (int)(to))
#define MOVE_CASE(event, from, to)                                                                 \
	case MOVE_KEY(ROTA_EVENT_##event, ROTA_STATE_##from, ROTA_STATE_##to):

bool rota_move_allowed(enum rota_event event, int from, enum rota_state to)
{
	if ((unsigned)event >= ROTA_EVENT_COUNT || from < ROTA_STATE_NONE ||
		from >= ROTA_STATE_COUNT || (unsigned)to >= ROTA_STATE_COUNT)
		return false;
	switch (MOVE_KEY(event, from, to)) {
		ROTA_MOVES(MOVE_CASE)
		return true;
	default:
		return false;
	}
}

const char *rota_state_name(enum rota_state state)
{
	return (unsigned)state < ROTA_COUNT(state_names) ? state_names[state] : "unknown state";
}

const char *rota_event_name(enum rota_event event)
{
	return (unsigned)event < ROTA_COUNT(event_names) ? event_names[event] : "unknown event";
}

const char *rota_outcome_name(enum rota_outcome outcome)
{
	return (unsigned)outcome < ROTA_COUNT(outcome_names) ? outcome_names[outcome]
							     : "unknown outcome";
}

bool rota_state_parse(const char *name, enum rota_state *ret)
{
	for (size_t i = 0; i < ROTA_COUNT(state_names); i++) {
		if (!strcmp(name, state_names[i])) {
			*ret = (enum rota_state)i;
			return true;
		}
	}
	return false;
}
