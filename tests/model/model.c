/* model.c: runs sequences, compares after every step, shrinks what fails. */
#include "model.h"

/* ---- which kinds of steps, how often ---- */

struct profile {
	const char *name;
	uint8_t weight[STEP_COUNT];
};
#define COMMON \
	[STEP_ADVANCE] = 10, [STEP_MAINTAIN] = 5, [STEP_STATES] = 1, [STEP_LIST] = 2, [STEP_FIND] = 1, \
	[STEP_OPEN_WORK] = 2, [STEP_ELSEWHERE] = 2, [STEP_REOPEN] = 1, [STEP_GUARD] = 2
static const struct profile all_kinds = { "all kinds", { COMMON,
	[STEP_ENQUEUE] = 20, [STEP_STREAM] = 4, [STEP_CLAIM] = 15, [STEP_CLAIM_IDS] = 5, [STEP_WORKER_CLAIM] = 5,
	[STEP_EXTEND] = 5, [STEP_PROGRESS] = 4, [STEP_STARTED] = 4, [STEP_FINISH] = 20, [STEP_SIGNAL] = 5,
	[STEP_CANCEL] = 5, [STEP_RETRY] = 5, [STEP_DELETE] = 4, [STEP_PURGE] = 1, [STEP_PAUSE] = 3,
	[STEP_SETTINGS] = 3, [STEP_CALENDAR] = 1, [STEP_JOIN] = 3, [STEP_LEAVE] = 2 } };
static const struct profile graphs = { "graphs", { COMMON,
	[STEP_ENQUEUE] = 30, [STEP_STREAM] = 10, [STEP_CLAIM] = 10, [STEP_CLAIM_IDS] = 5, [STEP_FINISH] = 20,
	[STEP_SIGNAL] = 6, [STEP_CANCEL] = 6, [STEP_RETRY] = 8, [STEP_DELETE] = 10, [STEP_PURGE] = 2,
	[STEP_SETTINGS] = 3 } };
static const struct profile leases = { "leases", { COMMON,
	[STEP_ENQUEUE] = 10, [STEP_CLAIM] = 15, [STEP_CLAIM_IDS] = 10, [STEP_WORKER_CLAIM] = 20,
	[STEP_EXTEND] = 10, [STEP_PROGRESS] = 6, [STEP_STARTED] = 15, [STEP_FINISH] = 15, [STEP_CANCEL] = 5,
	[STEP_RETRY] = 5, [STEP_CALENDAR] = 2, [STEP_JOIN] = 6, [STEP_LEAVE] = 4, [STEP_DELETE] = 1 } };
static const struct profile endings = { "endings", { COMMON,
	[STEP_ENQUEUE] = 20, [STEP_STREAM] = 3, [STEP_CLAIM] = 20, [STEP_FINISH] = 30, [STEP_CANCEL] = 6,
	[STEP_RETRY] = 5, [STEP_DELETE] = 5, [STEP_PURGE] = 2, [STEP_SETTINGS] = 10 } };

static enum step_kind any_kind(const struct profile *profile, uint64_t *seed)
{
	uint64_t sum = 0, at;

	for (size_t i = 0; i < STEP_COUNT; i++)
		sum += profile->weight[i];
	at = pick(seed, sum);
	for (size_t i = 0; i < STEP_COUNT; i++) {
		if (at < profile->weight[i])
			return (enum step_kind)i;
		at -= profile->weight[i];
	}
	return STEP_ADVANCE;
}

static void sequence_make(struct sequence *sequence, const struct profile *profile, uint64_t seed)
{
	sequence->count = 5 + pick(&seed, MODEL_STEPS_MAX - 5);
	for (size_t i = 0; i < sequence->count; i++)
		sequence->steps[i] = (struct step){ any_kind(profile, &seed), test_random(&seed), UINT32_MAX };
}

/* ---- one sequence on two stores ---- */

struct trial {
	struct side ours, theirs; /* the reference, the store under test */
	struct history history;
	struct books *books;
	char *report; /* what was asked and answered, and then what was wrong */
	size_t report_size;
	FILE *out;
	bool failed;
};

/* Every trial has stores of its own: names, and files, that nobody used before. */
static const char *fresh_url(bool reference)
{
	static unsigned count;
	static char urls[2][512];
	char name[32];

	snprintf(name, sizeof(name), "%s%u", reference ? "reference" : "tested", count++);
	if (reference)
		snprintf(urls[1], sizeof(urls[1]), "memory:%s", name);
	else
		snprintf(urls[0], sizeof(urls[0]), "%s", test_store_url(name));
	return urls[reference];
}

static char *step_answer(struct trial *trial, struct side *side, const struct step *step, struct history *learned)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	CHECK(out);
	step_run(side, step, &trial->history, learned, out);
	fclose(out);
	return text;
}

static void differ(struct trial *trial, const char *what, const char *reference, const char *tested)
{
	char *difference = test_show_difference(reference, tested);

	fprintf(trial->out, "%s (- the memory store, + the store under test):\n%s", what, difference);
	free(difference);
	trial->failed = true;
}

static void compare_answers(struct trial *trial, const struct step *step)
{
	static struct history learned;
	char *reference, *tested;

	learned = trial->history;
	books_now = trial->books;
	reference = step_answer(trial, &trial->ours, step, &learned);
	books_now = NULL;
	tested = step_answer(trial, &trial->theirs, step, NULL);
	fprintf(trial->out, "%s", reference);
	if (strcmp(reference, tested))
		differ(trial, "the answers differ", reference, tested);
	trial->history = learned;
	free(reference);
	free(tested);
}

static void compare_states(struct trial *trial, struct rota_store *ours, struct rota_store *theirs,
	const char *what)
{
	char *reference = test_show_store(ours), *tested = test_show_store(theirs);

	if (strcmp(reference, tested))
		differ(trial, what, reference, tested);
	free(reference);
	free(tested);
}

static void check_books(struct trial *trial)
{
	char *wrong = books_check(trial->books, trial->ours.handles[0]);

	if (!wrong)
		return;
	fprintf(trial->out, "%s\n", wrong);
	trial->failed = true;
	free(wrong);
}

/* Follow-ups' ids are in nobody's answer: whatever is there is known. */
static void learn_ids(struct trial *trial)
{
	struct rota_task_filter filter = ROTA_INIT(rota_task_filter);
	struct rota_task_list *list = NULL;
	struct rota_error err = { 0 };
	struct history *h = &trial->history;

	filter.limit = 20;
	CHECK_OK(rota_task_list(trial->ours.handles[0], &filter, &list, &err), &err);
	for (size_t i = list->count; i-- > 0;) {
		bool known = false;

		for (size_t k = 0; k < h->id_count && !known; k++)
			known = h->ids[k] == list->tasks[i]->id;
		if (!known && h->id_count < MODEL_TASKS_MAX)
			h->ids[h->id_count++] = list->tasks[i]->id;
	}
	rota_task_list_free(list);
}

static bool changes(enum step_kind kind)
{
	return kind != STEP_GUARD && kind != STEP_STATES && kind != STEP_LIST && kind != STEP_FIND &&
		kind != STEP_OPEN_WORK;
}

static void trial_step(struct trial *trial, const struct step *step)
{
	compare_answers(trial, step);
	if (trial->failed || !changes(step->kind))
		return;
	compare_states(trial, trial->ours.handles[0], trial->theirs.handles[0], "what can be seen differs");
	check_books(trial);
	if (step->kind == STEP_FINISH)
		learn_ids(trial);
}

/* The report of a failure, or NULL. */
static char *sequence_run(const struct sequence *sequence)
{
	static struct trial trial;

	memset(&trial, 0, sizeof(trial));
	trial.books = books_new();
	trial.out = open_memstream(&trial.report, &trial.report_size);
	CHECK(trial.out);
	side_open(&trial.ours, strdup(fresh_url(true)), 1);
	side_open(&trial.theirs, strdup(fresh_url(false)), 1);
	for (size_t i = 0; i < sequence->count && !trial.failed; i++)
		trial_step(&trial, &sequence->steps[i]);
	if (!trial.failed)
		compare_states(&trial, trial.ours.elsewhere, trial.theirs.elsewhere, "the other namespace differs");
	side_close(&trial.ours);
	side_close(&trial.theirs);
	free((char *)trial.ours.url);
	free((char *)trial.theirs.url);
	books_free(trial.books);
	fclose(trial.out);
	if (trial.failed)
		return trial.report;
	free(trial.report);
	return NULL;
}

/* ---- shrinking: whatever can go while it still fails, goes ---- */

static bool try_sequence(const struct sequence *candidate, struct sequence *best, char **report)
{
	char *text = sequence_run(candidate);

	if (!text)
		return false;
	free(*report);
	*report = text;
	*best = *candidate;
	return true;
}

static bool drop_steps(struct sequence *best, char **report, size_t length)
{
	bool any = false;

	for (size_t at = 0; at + length <= best->count;) {
		struct sequence candidate = *best;

		memmove(&candidate.steps[at], &candidate.steps[at + length],
			(best->count - at - length) * sizeof(struct step));
		candidate.count -= length;
		if (try_sequence(&candidate, best, report))
			any = true;
		else
			at++;
	}
	return any;
}

static bool lower_limits(struct sequence *best, char **report)
{
	bool any = false;

	for (size_t i = 0; i < best->count; i++) {
		for (uint32_t limit = 1; limit < 4 && limit < best->steps[i].limit; limit++) {
			struct sequence candidate = *best;

			candidate.steps[i].limit = limit;
			if (try_sequence(&candidate, best, report)) {
				any = true;
				break;
			}
		}
	}
	return any;
}

static void shrink(struct sequence *best, char **report)
{
	bool any = true;

	for (int round = 0; any && round < 10; round++) {
		any = false;
		for (size_t length = best->count / 2; length; length /= 2)
			any |= drop_steps(best, report, length);
		any |= lower_limits(best, report);
	}
}

/* ---- the tests ---- */

static void model(const struct profile *profile, int sequences)
{
	uint64_t seed = test_seed();

	for (int i = 0; i < sequences; i++) {
		struct sequence sequence;
		char *report;

		sequence_make(&sequence, profile, seed + (uint64_t)i);
		report = sequence_run(&sequence);
		if (!report)
			continue;
		shrink(&sequence, &report);
		test_fail(__FILE__, __LINE__, "%s, sequence %d; the shortest that fails has %zu steps:\n%s",
			profile->name, i, sequence.count, report);
	}
}

#define SEQUENCES 75

TEST_LIMIT(random_sequences_of_all_kinds_agree_with_the_memory_store, 120)
{
	model(&all_kinds, SEQUENCES);
}

TEST_LIMIT(random_graphs_agree_with_the_memory_store, 120)
{
	model(&graphs, SEQUENCES);
}

TEST_LIMIT(random_leases_and_workers_agree_with_the_memory_store, 120)
{
	model(&leases, SEQUENCES);
}

TEST_LIMIT(random_endings_and_retention_agree_with_the_memory_store, 120)
{
	model(&endings, SEQUENCES);
}
