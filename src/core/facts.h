/* facts.h: the part of a task that the rules read and change, and the rules.
 *
 * A backend loads the facts of a task, calls one rule with the store's date, and stores the facts
 * again exactly if the rule answered ROTA_OK with a changed effect. Rules assert that every move is
 * in core/state.h's table. No rule looks at edges: the backend does what the effect says about them. */
#ifndef ROTA_CORE_FACTS_H
#define ROTA_CORE_FACTS_H
#include <stdbool.h>
#include <rota/task.h>
#include "base/arena.h"
#include "core/state.h"

/* Bits of facts.flags that belong to the rules; they are stored. */
#define ROTA_FACT_CANCEL 1u    /* cancel_requested */
#define ROTA_FACT_STARTED 2u   /* the store knows that the handler of the last lease has started */
#define ROTA_FACT_LOST 4u      /* the last lease was lost; its holder is still in time */
#define ROTA_FACT_REFUNDED 8u  /* … and its attempt was given back */
#define ROTA_FACT_SUSPECT 16u  /* its worker died before it was known to have started: claim it alone */
#define ROTA_FACT_HAND 32u     /* claimed by hand: nobody will say that it started, so it has */
#define ROTA_FACT_RULES 63u
/* Bits above 255 are the backend's own (has edges, has a key, …). */

struct rota_facts {
	rota_id id;
	enum rota_state state;
	uint32_t flags;
	int32_t attempt, attempts_max; /* attempts_max 0: no limit */
	int32_t crashes;               /* attempts in a row, known to have started, that lost a worker's lease */
	int64_t pending, failed_dependencies, signals; /* pending: unsettled edges + signals awaited */
	int64_t token, settled;
	int32_t settled_outcome;       /* enum rota_outcome said under settled; -1: none (also at birth) */
	rota_time run_at, expires_at;  /* expires_at 0: never */
	/* 0: not yet. first_started_at is when the first counted attempt of this budget began; it is set
	 * when that attempt fails or its lease is lost, so that a claim writes less. */
	rota_time started_at, first_started_at, finished_at;
	rota_time lease_until;         /* informational here: backends keep leases on their own clock */
	struct rota_retry retry;       /* as stored: zero means default; attempts_max is not looked at */
};

/* What a rule did, for the backend to carry out. Rules fill it in whole, whatever they answer. */
struct rota_effect {
	bool changed;       /* store the facts */
	bool ended;         /* became final: settle out-edges (failed unless COMPLETED), retention, news */
	bool ready;         /* became ready */
	bool clear_lease;   /* worker, lease_until go */
	/* Write a row to attempts, under facts.token; it takes the place of one that this token left
	 * before ("lost", and then a late outcome). */
	bool attempt_row;
	/* "retry", "fail", "cancel", "lost", "unstarted" (lost before it was known to run), and "snooze"
	 * or "release" of a task that was asked to stop; static. A snooze or release that only gives the
	 * attempt back leaves no row. */
	const char *attempt_outcome;
	/* A reason made by the rule ("expired", "attempts used up", …); NULL: the caller's alone. What is
	 * stored, in last_error and the row, is rota_rule_error's. */
	const char *error;
	int32_t attempt;    /* the row's number */
};
/* The rule's reason and the caller's as one text, "attempts used up: exit status 3", at most
 * ROTA_TEXT_BYTES_MAX bytes; NULL: there is none. Borrows what it can, else copies into arena; out of
 * memory: the rule's alone. */
const char *rota_rule_error(const struct rota_effect *effect, const char *said, struct rota_arena *arena);

/* The state a new task starts in: pending > 0 blocked, run_at > now scheduled, else ready. */
enum rota_state rota_rule_initial(int64_t pending, rota_time run_at, rota_time now);

/* READY → RUNNING: token+1, attempt+1, started_at = now; STARTED and HAND are set when by_hand, else
 * cleared. by_hand: the claim has no worker process (worker_id 0); then a lost lease counts as an attempt
 * but says nothing about crashes. A worker process says itself what it has started (rota_rule_extend). */
void rota_rule_claim(struct rota_facts *facts, bool by_hand, rota_time now, struct rota_effect *ret);
/* True when a worker process must claim this alone and have its start committed before the handler runs:
 * suspect, its last attempts crashed, or one attempt only. */
bool rota_rule_claim_alone(const struct rota_facts *facts);

/* Whether (id, token) may act on the task: ROTA_OK; else, in this order: COMPLETED, FAILED, CANCELLED;
 * STALE_LEASE (token is not the task's, or its attempt is over already); WRONG_STATE. OK also while the
 * task waits after a lost lease: guards ask for RUNNING besides. */
enum rota_status rota_rule_fence(const struct rota_facts *facts, int64_t token);
/* A heartbeat: fence, then RESUME if the lease was lost (what the loss counted is taken back; the
 * backend leases it to whom it was leased before). started: the handler is known to run now.
 * ret->changed only if state, flags or attempt changed. */
enum rota_status rota_rule_extend(struct rota_facts *facts, int64_t token, bool started,
	rota_time now, struct rota_effect *ret);
/* Any outcome. OK with ret->changed false: said before under the last settled token, nothing to do,
 * whatever has become of the task since. Follow-ups, result and texts are the backend's to store when
 * changed. With CANCEL set, retry, snooze and release end the task as cancelled. A snooze or release
 * gives the attempt back; a release keeps run_at, its place in the queue. */
enum rota_status rota_rule_finish(struct rota_facts *facts, const struct rota_verdict *verdict,
	rota_time now, struct rota_effect *ret);
/* The lease is over and a rescuer noticed. RUNNING only. Not known to have started: the attempt is given
 * back, READY again. Else as a retry by the backoff, used up → FAILED; ROTA_QUARANTINE_CRASHES in a row →
 * FAILED "quarantined". The token is not settled: who held the lease is in time until the next claim. */
void rota_rule_lose(struct rota_facts *facts, rota_time now, struct rota_effect *ret);
/* arrivals of edges or signals, failures among them; cancel: a failed one whose edge says so. (signals,
 * how many of them are awaited, is the backend's to count down.)
 * Any state: elsewhere than in BLOCKED only counters change. pending never goes below 0. */
void rota_rule_arrive(struct rota_facts *facts, int64_t arrivals, int64_t failures, bool cancel,
	rota_time now, struct rota_effect *ret);
/* SCHEDULED and due → READY. */
void rota_rule_due(struct rota_facts *facts, rota_time now, struct rota_effect *ret);
/* Waiting states (also between attempts), expires_at passed → FAILED "expired". */
void rota_rule_expire(struct rota_facts *facts, rota_time now, struct rota_effect *ret);
/* OK; COMPLETED, FAILED, CANCELLED when final. RUNNING: sets the flag (changed false if set before). */
enum rota_status rota_rule_cancel(struct rota_facts *facts, rota_time now, struct rota_effect *ret);
/* Operator's retry of a final task; else WRONG_STATE. Clears progress-independent leftovers: flags,
 * crashes, attempt, all times of starting and finishing, expires_at. run_at becomes now. Edges that are
 * still open (pending) block it. */
enum rota_status rota_rule_revive(struct rota_facts *facts, rota_time now, struct rota_effect *ret);
/* Key conflict, policy replace: OK for blocked, scheduled, ready (run_at and expires_at are the new
 * task's), else EXISTS. Who held a lost lease is no longer in time: it worked on the old payload. */
enum rota_status rota_rule_replace(struct rota_facts *facts, rota_time run_at, rota_time expires_at,
	rota_time now, struct rota_effect *ret);

/* ---- retry policy ---- */
/* Defaults filled in (NULL: all of them); -1 stays "no limit" or "none", so that the answer may be
 * resolved again. Reads no more than retry->size bytes, when that is set. */
struct rota_retry rota_retry_resolve(const struct rota_retry *retry);
/* After attempt n (1 is the first), without jitter; retry resolved. */
rota_duration rota_retry_backoff(const struct rota_retry *retry, int32_t attempt);
/* Takes up to jitter_percent off, by a hash of (id, token): spreads a herd, repeats exactly, and
 * every backend and SQL agree. */
rota_duration rota_retry_jitter(rota_duration backoff, int32_t percent, rota_id id, int64_t token);
/* Both must be passed; what has no limit is not asked. attempts_max as in facts (0: no limit). */
bool rota_retry_used_up(int32_t attempt, int32_t attempts_max, rota_duration duration_max,
	rota_time first_started_at, rota_time now);
#endif
