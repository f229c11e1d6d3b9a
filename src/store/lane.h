/* lane.h: the inside of a lane, shared by lane.c (the step) and lane_run.c (who steps it). */
#ifndef ROTA_STORE_LANE_H
#define ROTA_STORE_LANE_H
#include "store/internal.h"
#include "base/limits.h"

#define ROTA_PARKED_MAX 1024 /* claims waiting in one process; more are answered empty at once */

/* A futex on which the callers of one group sleep. Two groups are alive at a time: the one that runs
 * and the one that gathers; parked claims have a word of their own. */
struct rota_round {
	_Atomic uint32_t word, waiters;
};
enum { ROTA_ROUND_PARKED = 2, ROTA_ROUND_COUNT };

/* One group, while it runs. */
struct rota_batch {
	struct rota_op *taken[ROTA_GROUP_OPS_MAX], *ops[ROTA_GROUP_OPS_MAX]; /* as they came; by kind */
	struct rota_op *claims[ROTA_GROUP_OPS_MAX];
	struct rota_op *parked[ROTA_PARKED_MAX];
	size_t count, claim_count, parked_count;
	bool maintain, retry_parked, parked_ran;
};

struct rota_lane {
	struct rota_store *store;
	struct rota_session *session;

	pthread_mutex_t lock;
	struct rota_op *first, **last; /* pending, in order */
	struct rota_op *parked[ROTA_PARKED_MAX];
	size_t parked_count;
	uint64_t submitted, taken, group;
	_Atomic uint64_t answered;
	bool busy;    /* somebody leads */
	bool closing;
	_Atomic bool attend; /* a watch wants foreign commits */
	bool has_thread, has_hints;
	uint32_t lonely; /* callers that sleep on kick because there is no thread */
	rota_tick thread_at; /* when the lane's thread wakes by itself */

	/* the leader's */
	struct rota_batch batch;
	struct rota_news news;
	struct rota_arena arena;
	struct rota_op maintain;
	rota_tick maintain_at, poll_at;
	bool retry_parked;

	struct rota_round rounds[ROTA_ROUND_COUNT];
	_Atomic uint32_t kick; /* the lane's thread sleeps on it */
	_Atomic bool hinted;
	pthread_t thread, hints;
	_Atomic bool hints_stop;
};
#endif
