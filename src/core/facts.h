/* facts.h: the part of a task that the rules read and change, and the rules.
 *
 * A backend loads the facts of a task, calls one rule with the store's date, and stores the facts
 * again exactly if the rule answered ROTA_OK with a changed effect. Rules assert that every move is
 * in core/state.h's table. No rule looks at edges: the backend does what the effect says about them. */
#ifndef ROTA_CORE_FACTS_H
#define ROTA_CORE_FACTS_H
#include <stdbool.h>
#include <rota/task.h>
#include "core/state.h"

/* Bits of facts.flags that belong to the rules; they are stored. */
#define ROTA_FACT_CANCEL 1u    /* cancel_requested */
#define ROTA_FACT_STARTED 2u   /* the store knows that the handler of this lease has started */
#define ROTA_FACT_LOST 4u      /* the last lease was lost; its holder is still in time */
#define ROTA_FACT_REFUNDED 8u  /* … and its attempt was given back */
#define ROTA_FACT_SUSPECT 16u  /* its worker died before it was known to have started: claim it alone */
#define ROTA_FACT_RULES 31u
/* Bits above 255 are the backend's own (has edges, has a key, …). */

struct rota_facts {
	rota_id id;
	enum rota_state state;
	uint32_t flags;
	int32_t attempt, attempts_max; /* attempts_max 0: no limit */
	int32_t crashes;               /* attempts, known to have started, that lost their lease */
	int64_t pending, failed_dependencies, signals; /* pending: unsettled edges + signals awaited */
	int64_t token, settled;
	int32_t settled_outcome;       /* enum rota_outcome said under settled; -1: none */
	rota_time run_at, expires_at;  /* expires_at 0: never */
	rota_time started_at, first_started_at, finished_at; /* 0: not yet */
	rota_time lease_until;         /* informational here: backends keep leases on their own clock */
	struct rota_retry retry;       /* as stored: zero means default */
};

/* What a rule did, for the backend to carry out. */
struct rota_effect {
	bool changed;       /* store the facts */
	bool ended;         /* became final: settle out-edges (failed unless COMPLETED), retention, news */
	bool ready;         /* became ready */
	bool clear_lease;   /* worker, lease_until go */
	bool attempt_row;   /* write a row to attempts, with this name of an outcome: */
	const char *attempt_outcome; /* "retry", "lost", "expired", …; static */
	const char *error;  /* a reason made by the rule ("expired", "attempts used up"); NULL: the caller's */
};

/* The state a new task starts in: pending > 0 blocked, run_at > now scheduled, else ready. */
enum rota_state rota_rule_initial(int64_t pending, rota_time run_at, rota_time now);

/* READY → RUNNING: token+1, attempt+1, started_at = now; STARTED is set when commit_start, else cleared. */
void rota_rule_claim(struct rota_facts *facts, bool commit_start, rota_time now, struct rota_effect *ret);
/* True when this claim must be alone and its start committed first: suspect, or one attempt only. */
bool rota_rule_claim_alone(const struct rota_facts *facts);

/* Whether (id, token) may act on the task: ROTA_OK; else STALE_LEASE (token is not the task's, or
 * already settled while the task waits or runs again), COMPLETED, FAILED, CANCELLED, WRONG_STATE. */
enum rota_status rota_rule_fence(const struct rota_facts *facts, int64_t token);
/* A heartbeat: fence, then RESUME if the lease was lost. started: the handler is known to run now.
 * ret->changed only if state, flags or attempt changed. */
enum rota_status rota_rule_extend(struct rota_facts *facts, int64_t token, bool started,
	rota_time now, struct rota_effect *ret);
/* Any outcome. OK with ret->changed false: said before, nothing to do. Follow-ups, result and texts
 * are the backend's to store when changed. */
enum rota_status rota_rule_finish(struct rota_facts *facts, const struct rota_verdict *verdict,
	rota_time now, struct rota_effect *ret);
/* The lease is over and a rescuer noticed. RUNNING only. */
void rota_rule_lose(struct rota_facts *facts, rota_time now, struct rota_effect *ret);
/* arrivals of edges or signals, failures among them; cancel: a failed one whose edge says so.
 * Any state: elsewhere than in BLOCKED only counters change. pending never goes below 0. */
void rota_rule_arrive(struct rota_facts *facts, int64_t arrivals, int64_t failures, bool cancel,
	rota_time now, struct rota_effect *ret);
/* SCHEDULED and due → READY. */
void rota_rule_due(struct rota_facts *facts, rota_time now, struct rota_effect *ret);
/* Waiting states, expires_at passed → FAILED "expired". */
void rota_rule_expire(struct rota_facts *facts, rota_time now, struct rota_effect *ret);
/* OK; COMPLETED, FAILED, CANCELLED when final. RUNNING: sets the flag (changed false if set before). */
enum rota_status rota_rule_cancel(struct rota_facts *facts, rota_time now, struct rota_effect *ret);
/* Operator's retry of a final task; else WRONG_STATE. Clears progress-independent leftovers: flags,
 * crashes, attempt, finished_at, expires_at. run_at becomes now. */
enum rota_status rota_rule_revive(struct rota_facts *facts, rota_time now, struct rota_effect *ret);
/* Key conflict, policy replace: OK for blocked, scheduled, ready (run_at and expires_at are the new
 * task's), else EXISTS. */
enum rota_status rota_rule_replace(struct rota_facts *facts, rota_time run_at, rota_time expires_at,
	rota_time now, struct rota_effect *ret);

/* ---- retry policy ---- */
/* Defaults filled in; attempts_max -1 stays "no limit". */
struct rota_retry rota_retry_resolve(const struct rota_retry *retry);
/* After attempt n (1 is the first), without jitter; retry resolved. */
rota_duration rota_retry_backoff(const struct rota_retry *retry, int32_t attempt);
/* Takes up to jitter_percent off, by a hash of (id, token): spreads a herd, repeats exactly, and
 * every backend and SQL agree. */
rota_duration rota_retry_jitter(rota_duration backoff, int32_t percent, rota_id id, int64_t token);
/* attempts_max as in facts (0: no limit). */
bool rota_retry_used_up(int32_t attempt, int32_t attempts_max, rota_duration duration_max,
	rota_time first_started_at, rota_time now);
#endif
