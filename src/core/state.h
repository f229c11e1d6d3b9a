/* state.h: the states, the events, and every move that exists. The only source: enum values, names,
 * SQL CHECKs, the diagram in docs/ and the exhaustive test all come from these two lists. */
#ifndef ROTA_CORE_STATE_H
#define ROTA_CORE_STATE_H
#include <stdbool.h>
#include <rota/task.h>

#define ROTA_STATES(X) \
	X(BLOCKED, "blocked") X(SCHEDULED, "scheduled") X(READY, "ready") X(RUNNING, "running") \
	X(COMPLETED, "completed") X(FAILED, "failed") X(CANCELLED, "cancelled")
#define ROTA_STATE_COUNT 7
#define ROTA_STATE_NONE (-1) /* before it exists */

#define ROTA_EVENTS(X) \
	X(ENQUEUE, "enqueue") X(ARRIVE, "arrive") X(DUE, "due") X(CLAIM, "claim") \
	X(COMPLETE, "complete") X(FAIL, "fail") X(OBEY, "cancelled by handler") \
	X(RETRY, "retry") X(SNOOZE, "snooze") X(RELEASE, "release") \
	X(LOSE, "lease lost") X(RESUME, "late extend") X(CANCEL, "cancel") X(CASCADE, "predecessor failed") \
	X(EXPIRE, "expire") X(REVIVE, "operator retry") X(REPLACE, "replace")
#define ROTA_EVENT_ENUM(name, text) ROTA_EVENT_##name,
enum rota_event { ROTA_EVENTS(ROTA_EVENT_ENUM) ROTA_EVENT_COUNT };

/* X(event, from, to). "W" rows: from a waiting state after a lost lease, while nobody claimed since. */
#define ROTA_MOVES(X) \
	X(ENQUEUE, NONE, BLOCKED) X(ENQUEUE, NONE, SCHEDULED) X(ENQUEUE, NONE, READY) \
	X(ARRIVE, BLOCKED, SCHEDULED) X(ARRIVE, BLOCKED, READY) \
	X(DUE, SCHEDULED, READY) \
	X(CLAIM, READY, RUNNING) \
	X(COMPLETE, RUNNING, COMPLETED) X(COMPLETE, SCHEDULED, COMPLETED) X(COMPLETE, READY, COMPLETED) \
	X(FAIL, RUNNING, FAILED) X(FAIL, SCHEDULED, FAILED) X(FAIL, READY, FAILED) \
	X(OBEY, RUNNING, CANCELLED) X(OBEY, SCHEDULED, CANCELLED) X(OBEY, READY, CANCELLED) \
	X(RETRY, RUNNING, SCHEDULED) X(RETRY, RUNNING, READY) X(RETRY, RUNNING, FAILED) X(RETRY, RUNNING, CANCELLED) \
	X(RETRY, SCHEDULED, SCHEDULED) X(RETRY, SCHEDULED, READY) X(RETRY, SCHEDULED, FAILED) \
	X(RETRY, READY, SCHEDULED) X(RETRY, READY, READY) X(RETRY, READY, FAILED) \
	X(SNOOZE, RUNNING, SCHEDULED) X(SNOOZE, RUNNING, READY) X(SNOOZE, RUNNING, CANCELLED) \
	X(SNOOZE, SCHEDULED, SCHEDULED) X(SNOOZE, SCHEDULED, READY) \
	X(SNOOZE, READY, SCHEDULED) X(SNOOZE, READY, READY) \
	X(RELEASE, RUNNING, READY) X(RELEASE, RUNNING, CANCELLED) X(RELEASE, SCHEDULED, READY) X(RELEASE, READY, READY) \
	X(LOSE, RUNNING, SCHEDULED) X(LOSE, RUNNING, READY) X(LOSE, RUNNING, FAILED) X(LOSE, RUNNING, CANCELLED) \
	X(RESUME, SCHEDULED, RUNNING) X(RESUME, READY, RUNNING) \
	X(CANCEL, BLOCKED, CANCELLED) X(CANCEL, SCHEDULED, CANCELLED) X(CANCEL, READY, CANCELLED) \
	X(CASCADE, BLOCKED, CANCELLED) \
	X(EXPIRE, BLOCKED, FAILED) X(EXPIRE, SCHEDULED, FAILED) X(EXPIRE, READY, FAILED) \
	X(REVIVE, COMPLETED, BLOCKED) X(REVIVE, COMPLETED, SCHEDULED) X(REVIVE, COMPLETED, READY) \
	X(REVIVE, FAILED, BLOCKED) X(REVIVE, FAILED, SCHEDULED) X(REVIVE, FAILED, READY) \
	X(REVIVE, CANCELLED, BLOCKED) X(REVIVE, CANCELLED, SCHEDULED) X(REVIVE, CANCELLED, READY) \
	X(REPLACE, BLOCKED, BLOCKED) \
	X(REPLACE, SCHEDULED, SCHEDULED) X(REPLACE, SCHEDULED, READY) \
	X(REPLACE, READY, SCHEDULED) X(REPLACE, READY, READY)

static inline bool rota_state_final(enum rota_state state)
{
	return state >= ROTA_STATE_COMPLETED;
}
/* from may be ROTA_STATE_NONE. */
bool rota_move_allowed(enum rota_event event, int from, enum rota_state to);
const char *rota_event_name(enum rota_event event);
/* "ready" → 1 and *ret. */
bool rota_state_parse(const char *name, enum rota_state *ret);
#endif
