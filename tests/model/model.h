/* model.h: random sequences of steps, run on two stores at once.
 *
 * A step is a kind and a seed; everything else about it (which task, which payload, …) is drawn from
 * that seed and from what happened before, so a sequence still means something when steps are taken
 * out of it. Both sides live in worlds of their own that show the same time. */
#ifndef ROTA_MODEL_H
#define ROTA_MODEL_H
#include "test.h"
#include "show.h"
#include "store/store.h"

#define MODEL_STEPS_MAX 64
#define MODEL_TASKS_MAX 2048  /* ids met in one sequence */
#define MODEL_LEASES_MAX 1024
#define MODEL_HANDLES 2

enum step_kind {
	STEP_ENQUEUE, STEP_STREAM, STEP_CLAIM, STEP_CLAIM_IDS, STEP_WORKER_CLAIM, STEP_EXTEND, STEP_PROGRESS,
	STEP_STARTED, STEP_FINISH, STEP_SIGNAL, STEP_CANCEL, STEP_RETRY, STEP_DELETE, STEP_PURGE,
	STEP_PAUSE, STEP_SETTINGS, STEP_ADVANCE, STEP_CALENDAR, STEP_MAINTAIN, STEP_JOIN, STEP_LEAVE,
	STEP_GUARD, STEP_STATES, STEP_LIST, STEP_FIND, STEP_OPEN_WORK, STEP_ELSEWHERE, STEP_REOPEN, STEP_COUNT
};
extern const char *const step_names[STEP_COUNT];

struct step {
	enum step_kind kind;
	uint64_t seed;
	uint32_t limit; /* at most that many tasks or ids in it; shrinking lowers it */
};
struct sequence {
	struct step steps[MODEL_STEPS_MAX];
	size_t count;
};

struct lease {
	rota_id id;
	int64_t token;
};
/* What both sides have answered so far, which is the same or the sequence is over. */
struct history {
	rota_id ids[MODEL_TASKS_MAX];
	struct lease leases[MODEL_LEASES_MAX];
	int64_t workers[16];
	size_t id_count, lease_count, worker_count;
};

struct side {
	const char *url;
	struct rota_world *world;
	struct rota_store *handles[MODEL_HANDLES], *elsewhere;
};
void side_open(struct side *side, const char *url, uint64_t seed);
void side_close(struct side *side);

/* One step on one side: what was asked and answered goes to out; history (may be NULL) learns. */
void step_run(struct side *side, const struct step *step, const struct history *history, struct history *learned,
	FILE *out);

/* What must hold whatever the store's code says (check.c). Keeps its own books from history's steps. */
struct books;
struct books *books_new(void);
void books_free(struct books *books);
/* A line about what is wrong, or NULL. The caller frees it. */
char *books_check(struct books *books, struct rota_store *store);
/* What a step's answers mean for the books; called by step_run for the first side. */
void books_claimed(struct books *books, rota_id id, int64_t token);
void books_finished(struct books *books, rota_id id, int64_t token, enum rota_outcome outcome);
extern struct books *books_now; /* of the sequence that runs; NULL: the second side, which keeps none */

/* Random numbers of a step. */
static inline uint64_t pick(uint64_t *seed, uint64_t n)
{
	return test_random(seed) % n;
}
static inline bool chance(uint64_t *seed, uint64_t percent)
{
	return pick(seed, 100) < percent;
}
#endif
