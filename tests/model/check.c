/* check.c: what must hold whatever the code under test thinks. Knows the public API only. */
#include <stdarg.h>
#include "model.h"

enum { BOOKS_MAX = 4096 };
struct entry {
	rota_id id;
	int64_t token;
	int outcome; /* -1: none accepted yet */
};
struct books {
	struct entry leases[BOOKS_MAX]; /* every claim */
	size_t lease_count;
	int64_t tokens[BOOKS_MAX]; /* by id: the highest seen */
	char wrong[256];
};

struct books *books_new(void)
{
	struct books *books = calloc(1, sizeof(*books));

	CHECK(books);
	return books;
}

void books_free(struct books *books)
{
	free(books);
}

/* The first thing that went wrong. */
static void wrong(struct books *books, const char *format, ...) ROTA_TEXT(2);
static void wrong(struct books *books, const char *format, ...)
{
	va_list args;

	if (books->wrong[0])
		return;
	va_start(args, format);
	vsnprintf(books->wrong, sizeof(books->wrong), format, args);
	va_end(args);
}

static struct entry *entry_of(struct books *books, rota_id id, int64_t token)
{
	for (size_t i = 0; i < books->lease_count; i++) {
		if (books->leases[i].id == id && books->leases[i].token == token)
			return &books->leases[i];
	}
	return NULL;
}

void books_claimed(struct books *books, rota_id id, int64_t token)
{
	if (entry_of(books, id, token))
		wrong(books, "task %" PRId64 " was given out twice under token %" PRId64, id, token);
	for (size_t i = 0; i < books->lease_count; i++) {
		if (books->leases[i].id == id && books->leases[i].token > token)
			wrong(books, "token of task %" PRId64 " fell to %" PRId64, id, token);
	}
	if (books->lease_count < BOOKS_MAX)
		books->leases[books->lease_count++] = (struct entry){ id, token, -1 };
}

void books_finished(struct books *books, rota_id id, int64_t token, enum rota_outcome outcome)
{
	struct entry *entry = entry_of(books, id, token);

	if (!entry)
		wrong(books, "an outcome of task %" PRId64 " was accepted under token %" PRId64
			", which nobody was given", id, token);
	else if (entry->outcome >= 0 && entry->outcome != (int)outcome)
		wrong(books, "two outcomes of task %" PRId64 " were accepted under token %" PRId64, id, token);
	else
		entry->outcome = (int)outcome;
}

/* ---- one task ---- */

static bool final(enum rota_state state)
{
	return state >= ROTA_STATE_COMPLETED;
}

static void check_counts(struct books *books, const struct rota_task_info *t)
{
	int64_t unsettled = 0, failures = 0;

	for (size_t i = 0; i < t->predecessor_count; i++) {
		const struct rota_edge_info *e = t->predecessors[i];

		unsettled += !e->settled;
		failures += e->settled == 2;
		if (!e->settled && final(e->state))
			wrong(books, "task %" PRId64 " waits for %" PRId64 ", which is over", t->id, e->task);
	}
	for (size_t i = 0; i < t->successor_count; i++) {
		if (!t->successors[i]->settled && final(t->state))
			wrong(books, "task %" PRId64 " is over and %" PRId64 " still waits for it", t->id,
				t->successors[i]->task);
	}
	if (t->pending < unsettled)
		wrong(books, "task %" PRId64 " has %" PRId64 " pending, but %" PRId64 " open edges", t->id,
			t->pending, unsettled);
	if (t->failed_dependencies < failures)
		wrong(books, "task %" PRId64 " was told of too few failures", t->id);
}

static void check_state(struct books *books, const struct rota_task_info *t, rota_time now)
{
	if ((t->state == ROTA_STATE_BLOCKED) != (t->pending > 0) && !final(t->state))
		wrong(books, "task %" PRId64 " is %s with %" PRId64 " pending", t->id,
			rota_state_name(t->state), t->pending);
	if ((t->state == ROTA_STATE_RUNNING) != (t->lease_until != 0))
		wrong(books, "task %" PRId64 " is %s and leased until %" PRId64, t->id,
			rota_state_name(t->state), t->lease_until);
	if ((t->state == ROTA_STATE_RUNNING) != (t->worker != NULL))
		wrong(books, "task %" PRId64 " is %s by %s", t->id, rota_state_name(t->state),
			t->worker ? t->worker : "nobody");
	if (final(t->state) != (t->finished_at != 0))
		wrong(books, "task %" PRId64 " is %s and finished at %" PRId64, t->id, rota_state_name(t->state),
			t->finished_at);
	if (t->state == ROTA_STATE_READY && t->run_at > now)
		wrong(books, "task %" PRId64 " is ready too early", t->id);
	if (final(t->state) && t->settled != t->token)
		wrong(books, "task %" PRId64 " is over and its last lease is not", t->id);
}

static void check_token(struct books *books, const struct rota_task_info *t)
{
	if (t->id >= BOOKS_MAX)
		return;
	if (t->token < books->tokens[t->id])
		wrong(books, "token of task %" PRId64 " fell to %" PRId64, t->id, t->token);
	books->tokens[t->id] = t->token;
	if (t->settled > t->token)
		wrong(books, "task %" PRId64 " has settled a lease that it never gave", t->id);
	if (t->token && !entry_of(books, t->id, t->token))
		wrong(books, "task %" PRId64 " has token %" PRId64 ", which nobody was given", t->id, t->token);
}

static void check_attempts(struct books *books, const struct rota_task_info *t)
{
	for (size_t i = 0; i < t->attempt_count; i++) {
		if (t->attempts[i]->token > t->token || (i && t->attempts[i]->token <= t->attempts[i - 1]->token))
			wrong(books, "task %" PRId64 " has attempts out of order", t->id);
		if (!t->attempts[i]->outcome)
			wrong(books, "task %" PRId64 " has an attempt without an outcome", t->id);
	}
	if (t->attempt < 0 || t->attempt > t->token)
		wrong(books, "task %" PRId64 " counts %d attempts under %" PRId64 " claims", t->id, t->attempt,
			t->token);
}

/* ---- all of them ---- */

struct tally {
	uint64_t by_queue[8][7];
	const struct rota_queue_list *queues;
	char keys[256][32];
	size_t key_count;
};

static void check_key(struct books *books, struct tally *tally, const struct rota_task_info *t)
{
	rota_id id = t->id;

	if (!t->key || tally->key_count == 256)
		return;
	for (size_t i = 0; i < tally->key_count; i++) {
		if (!strcmp(tally->keys[i], t->key))
			wrong(books, "key %s is taken by %" PRId64 " and another", t->key, id);
	}
	snprintf(tally->keys[tally->key_count++], 32, "%s", t->key);
}

static void count(struct books *books, struct tally *tally, const struct rota_task_info *t)
{
	for (size_t i = 0; i < tally->queues->count && i < 8; i++) {
		if (!strcmp(tally->queues->queues[i]->name, t->queue)) {
			tally->by_queue[i][t->state]++;
			return;
		}
	}
	wrong(books, "task %" PRId64 " is in queue %s, which is not listed", t->id, t->queue);
}

static void check_tally(struct books *books, const struct tally *tally)
{
	for (size_t i = 0; i < tally->queues->count && i < 8; i++) {
		for (int s = 0; s < 7; s++) {
			if (tally->queues->queues[i]->count[s] != tally->by_queue[i][s])
				wrong(books, "queue %s says %" PRIu64 " %s, there are %" PRIu64,
					tally->queues->queues[i]->name, tally->queues->queues[i]->count[s],
					rota_state_name((enum rota_state)s), tally->by_queue[i][s]);
		}
	}
}

static void check_task(struct books *books, struct tally *tally, struct rota_store *store, rota_id id)
{
	struct rota_task_info *t = NULL;
	struct rota_error err = { 0 };
	struct rota_world *world = rota_store_world(store);

	CHECK_OK(rota_task_get(store, id, &t, &err), &err);
	check_counts(books, t);
	check_state(books, t, world->date(world));
	check_token(books, t);
	check_attempts(books, t);
	check_key(books, tally, t);
	count(books, tally, t);
	rota_task_info_free(t);
}

char *books_check(struct books *books, struct rota_store *store)
{
	struct rota_task_filter filter = ROTA_INIT(rota_task_filter);
	struct rota_task_list *list = NULL;
	struct rota_queue_list *queues = NULL;
	struct rota_error err = { 0 };
	struct tally tally = { .key_count = 0 };

	filter.limit = 100000;
	CHECK_OK(rota_task_list(store, &filter, &list, &err), &err);
	CHECK_OK(rota_queue_list(store, &queues, &err), &err);
	tally.queues = queues;
	for (size_t i = 0; i < list->count; i++)
		check_task(books, &tally, store, list->tasks[i]->id);
	check_tally(books, &tally);
	rota_task_list_free(list);
	rota_queue_list_free(queues);
	return books->wrong[0] ? strdup(books->wrong) : NULL;
}
