/* The lane over a backend whose transactions can be counted and made to fail. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include "test.h"
#include "base/error.h"
#include "base/limits.h"
#include "store/internal.h"

/* ---- a wrapper around the memory backend ---- */

static struct {
	int begins, commits, rollbacks;
	int fail_begin, fail_run, fail_commit; /* how many to fail from now on */
	enum rota_op_kind fail_kind;
	enum rota_status with;
	enum rota_durability durability; /* of the last begin */
	int changed;
	_Atomic bool slow; /* transactions take a while */
} fault;

static enum rota_status f_begin(struct rota_session *s, const struct rota_begin *b, struct rota_error *err)
{
	static const struct timespec a_while = { 0, 1000000 };

	if (atomic_load(&fault.slow))
		nanosleep(&a_while, NULL);
	if (b->write) {
		fault.durability = b->durability;
		if (fault.fail_begin && fault.fail_begin--)
			return rota_err(err, fault.with, "planted");
		fault.begins++;
	}
	return rota_memory_backend.begin(s, b, err);
}

static enum rota_status f_commit(struct rota_session *s, struct rota_error *err)
{
	if (fault.fail_commit && fault.fail_commit--) {
		/* The answer is lost: it may have happened, here it did not. */
		rota_memory_backend.rollback(s);
		return rota_err(err, fault.with, "planted");
	}
	fault.commits++;
	return rota_memory_backend.commit(s, err);
}

static void f_rollback(struct rota_session *s)
{
	fault.rollbacks++;
	rota_memory_backend.rollback(s);
}

static enum rota_status f_run(struct rota_session *s, struct rota_op *const *ops, size_t n, struct rota_error *err)
{
	if (ops[0]->kind == fault.fail_kind && fault.fail_run && fault.fail_run--)
		return rota_err(err, fault.with, "planted");
	return rota_memory_backend.run[ops[0]->kind](s, ops, n, err);
}

static bool f_changed(struct rota_session *s)
{
	(void)s;
	return fault.changed && fault.changed--;
}

static struct rota_backend_vtable faulty;

static struct rota_store *open_faulty(struct rota_world *world, const char *name)
{
	struct rota_store *store = NULL;
	struct rota_error err;
	char url[64];

	snprintf(url, sizeof(url), "memory:%s", name);
	CHECK_OK(rota_store_open_in(world, url, NULL, &store, &err), &err);
	faulty = rota_memory_backend;
	faulty.begin = f_begin;
	faulty.commit = f_commit;
	faulty.rollback = f_rollback;
	faulty.changed = f_changed;
	for (int k = 0; k < ROTA_OP_COUNT; k++)
		faulty.run[k] = rota_memory_backend.run[k] ? f_run : NULL;
	store->vt = &faulty;
	memset(&fault, 0, sizeof(fault));
	fault.fail_kind = ROTA_OP_ENQUEUE;
	return store;
}

/* ---- async enqueues, counted ---- */

static struct {
	_Atomic int ok, failed;
	_Atomic int last_status;
} seen;

static void enqueued(void *arg, const rota_id *ids, size_t n, const struct rota_error *err)
{
	(void)arg;
	(void)ids;
	if (err) {
		atomic_fetch_add(&seen.failed, (int)n);
		atomic_store(&seen.last_status, (int)err->status);
	} else {
		atomic_fetch_add(&seen.ok, (int)n);
	}
}

static void submit(struct rota_store *store, int n)
{
	struct rota_task task = ROTA_TASK(.type = "t");
	struct rota_error err;

	for (int i = 0; i < n; i++)
		CHECK_OK(rota_task_submit(store, &task, 1, enqueued, NULL, &err), &err);
}

static void step(struct rota_store *store)
{
	rota_tick next;

	rota_lane_step(rota_store_lane(store), store->world->now(store->world), &next);
}

static int count_ready(struct rota_store *store)
{
	struct rota_queue_list *list = NULL;
	struct rota_error err;
	int n = 0;

	CHECK_OK(rota_queue_list(store, &list, &err), &err);
	for (size_t i = 0; i < list->count; i++)
		n += (int)list->queues[i]->count[ROTA_STATE_READY];
	rota_queue_list_free(list);
	return n;
}

TEST(what_is_pending_shares_one_commit)
{
	struct rota_world *world = test_world_new(1);
	struct rota_store *store = open_faulty(world, "a");

	submit(store, 100);
	CHECK_EQ(seen.ok, 0);
	step(store);
	CHECK_EQ(seen.ok, 100);
	CHECK_EQ(fault.commits, 1);
	rota_store_close(store);
	test_world_free(world);
}

TEST(a_group_is_bounded_in_tasks)
{
	struct rota_world *world = test_world_new(1);
	struct rota_store *store = open_faulty(world, "a");
	static struct rota_task tasks[ROTA_GROUP_TASKS_MAX / 2];
	struct rota_error err;

	for (size_t i = 0; i < ROTA_GROUP_TASKS_MAX / 2; i++)
		tasks[i] = ROTA_TASK(.type = "t");
	for (int i = 0; i < 4; i++)
		CHECK_OK(rota_task_submit(store, tasks, ROTA_GROUP_TASKS_MAX / 2, enqueued, NULL, &err), &err);
	step(store);
	CHECK_EQ(seen.ok, ROTA_GROUP_TASKS_MAX / 2);
	CHECK_OK(rota_store_flush(store, ROTA_SECONDS(1), &err), &err);
	CHECK_EQ(seen.ok, ROTA_GROUP_TASKS_MAX * 2);
	CHECK_EQ(fault.commits, 4);
	rota_store_close(store);
	test_world_free(world);
}

TEST(a_group_is_relaxed_only_if_every_member_asked_for_it)
{
	struct rota_world *world = test_world_new(1);
	struct rota_store *store = open_faulty(world, "a");

	store->options.durability = ROTA_DURABILITY_RELAXED;
	submit(store, 3);
	step(store);
	CHECK_EQ(fault.durability, ROTA_DURABILITY_RELAXED);
	submit(store, 3);
	store->options.durability = ROTA_DURABILITY_COMMIT;
	submit(store, 1);
	step(store);
	CHECK_EQ(fault.durability, ROTA_DURABILITY_COMMIT);
	rota_store_close(store);
	test_world_free(world);
}

TEST(when_a_group_fails_each_op_is_tried_alone_once)
{
	struct rota_world *world = test_world_new(1);
	struct rota_store *store = open_faulty(world, "a");

	submit(store, 5);
	fault.fail_run = 1;
	fault.with = ROTA_LIMIT;
	step(store);
	CHECK_EQ(seen.ok, 5);
	CHECK_EQ(fault.commits, 5);
	fault.fail_run = 3; /* the group, and the first two alone */
	submit(store, 5);
	step(store);
	CHECK_EQ(seen.ok, 8);
	CHECK_EQ(seen.failed, 2);
	CHECK_EQ(seen.last_status, ROTA_LIMIT);
	CHECK_EQ(count_ready(store), 8);
	rota_store_close(store);
	test_world_free(world);
}

TEST(a_lost_commit_answer_is_told_and_never_repeated_when_that_could_harm)
{
	struct rota_world *world = test_world_new(1);
	struct rota_store *store = open_faulty(world, "a");

	submit(store, 5);
	fault.fail_commit = 1;
	fault.with = ROTA_UNCERTAIN;
	step(store);
	CHECK_EQ(seen.ok, 0);
	CHECK_EQ(seen.failed, 5);
	CHECK_EQ(seen.last_status, ROTA_UNCERTAIN);
	rota_store_close(store);
	test_world_free(world);
}

TEST(a_lost_commit_answer_is_repeated_where_it_is_safe)
{
	struct rota_world *world = test_world_new(1);
	struct rota_store *store = open_faulty(world, "a");
	struct rota_error err;

	fault.fail_commit = 1;
	fault.with = ROTA_UNCERTAIN;
	CHECK_OK(rota_queue_pause(store, "q", &err), &err);
	CHECK_EQ(fault.commits, 1);
	fault.fail_commit = 2;
	CHECK_STATUS(rota_queue_pause(store, "q", &err), ROTA_UNCERTAIN, &err);
	rota_store_close(store);
	test_world_free(world);
}

TEST(a_lock_that_is_not_to_be_had_is_answered_to_all_at_once)
{
	struct rota_world *world = test_world_new(1);
	struct rota_store *store = open_faulty(world, "a");

	submit(store, 5);
	fault.fail_begin = 1;
	fault.with = ROTA_BUSY;
	step(store);
	CHECK_EQ(seen.failed, 5);
	CHECK_EQ(fault.begins, 0);
	CHECK_EQ(seen.last_status, ROTA_BUSY);
	rota_store_close(store);
	test_world_free(world);
}

/* ---- claims that wait ---- */

struct waiting {
	struct rota_op op;
	struct rota_arena arena;
	int answers;
};

static void waiting_done(struct rota_op *op)
{
	struct waiting *w = op->owner;

	w->answers++;
}

static void claim_parked(struct rota_store *store, struct waiting *w, rota_duration wait)
{
	struct rota_error err;

	memset(w, 0, sizeof(*w));
	rota_arena_init(&w->arena, 0);
	w->op = (struct rota_op){ .kind = ROTA_OP_CLAIM, .arena = &w->arena, .done = waiting_done, .owner = w };
	w->op.u.claim = (struct rota_op_claim){ .worker = "w", .tasks_max = 10, .bytes_max = 1 << 20,
		.lease = ROTA_SECONDS(30), .wait_until = rota_tick_add(store->world->now(store->world), wait) };
	CHECK_OK(rota_store_submit(store, &w->op, &err), &err);
	step(store);
}

TEST(a_parked_claim_gets_its_task_in_the_commit_that_enqueues_it)
{
	struct rota_world *world = test_world_new(1);
	struct rota_store *store = open_faulty(world, "a");
	struct waiting w;
	int commits;

	claim_parked(store, &w, ROTA_SECONDS(60));
	CHECK_EQ(w.answers, 0);
	CHECK(w.op.parked);
	commits = fault.commits;
	submit(store, 1);
	step(store);
	CHECK_EQ(w.answers, 1);
	CHECK_EQ(w.op.u.claim.ret_count, 1);
	CHECK_EQ(fault.commits, commits + 1);
	rota_arena_deinit(&w.arena);
	rota_store_close(store);
	test_world_free(world);
}

TEST(a_parked_claim_ends_when_its_time_is_over)
{
	struct rota_world *world = test_world_new(1);
	struct rota_store *store = open_faulty(world, "a");
	struct waiting w;

	claim_parked(store, &w, ROTA_SECONDS(5));
	test_world_advance(world, ROTA_SECONDS(4));
	step(store);
	CHECK_EQ(w.answers, 0);
	test_world_advance(world, ROTA_SECONDS(2));
	step(store);
	CHECK_EQ(w.answers, 1);
	CHECK_EQ(w.op.err.status, ROTA_OK);
	CHECK_EQ(w.op.u.claim.ret_count, 0);
	rota_arena_deinit(&w.arena);
	rota_store_close(store);
	test_world_free(world);
}

TEST(a_parked_claim_can_be_recalled)
{
	struct rota_world *world = test_world_new(1);
	struct rota_store *store = open_faulty(world, "a");
	struct waiting w;

	claim_parked(store, &w, ROTA_FOREVER);
	rota_store_recall(store, &w.op);
	step(store);
	CHECK_EQ(w.answers, 1);
	rota_arena_deinit(&w.arena);
	rota_store_close(store);
	test_world_free(world);
}

TEST(closing_the_store_answers_parked_claims)
{
	struct rota_world *world = test_world_new(1);
	struct rota_store *store = open_faulty(world, "a");
	struct waiting w;

	claim_parked(store, &w, ROTA_FOREVER);
	rota_store_close(store);
	CHECK_EQ(w.answers, 1);
	rota_arena_deinit(&w.arena);
	test_world_free(world);
}

TEST(a_scheduled_task_reaches_a_parked_claim_when_it_is_due)
{
	struct rota_world *world = test_world_new(1);
	struct rota_store *store = open_faulty(world, "a");
	struct rota_task task = ROTA_TASK(.type = "t", .delay = ROTA_SECONDS(10));
	struct waiting w;
	struct rota_error err;
	rota_tick next;

	claim_parked(store, &w, ROTA_FOREVER);
	CHECK_OK(rota_task_enqueue(store, &task, 1, NULL, &err), &err);
	rota_lane_step(rota_store_lane(store), world->now(world), &next);
	CHECK_EQ(w.answers, 0);
	test_world_advance(world, ROTA_SECONDS(10));
	step(store);
	CHECK_EQ(w.answers, 1);
	CHECK_EQ(w.op.u.claim.ret_count, 1);
	rota_arena_deinit(&w.arena);
	rota_store_close(store);
	test_world_free(world);
}

TEST(a_commit_of_another_process_reaches_a_parked_claim_within_a_poll)
{
	struct rota_world *world = test_world_new(1);
	struct rota_store *store = open_faulty(world, "shared"), *other = NULL;
	struct rota_task task = ROTA_TASK(.type = "t");
	struct waiting w;
	struct rota_error err;

	CHECK_OK(rota_store_open_in(world, "memory:shared", NULL, &other, &err), &err);
	claim_parked(store, &w, ROTA_FOREVER);
	CHECK_OK(rota_task_enqueue(other, &task, 1, NULL, &err), &err);
	fault.changed = 1;
	test_world_advance(world, ROTA_DEFAULT_POLL);
	step(store);
	CHECK_EQ(w.answers, 1);
	CHECK_EQ(w.op.u.claim.ret_count, 1);
	rota_arena_deinit(&w.arena);
	rota_store_close(other);
	rota_store_close(store);
	test_world_free(world);
}

TEST(a_failed_claim_is_answered_with_its_reason)
{
	struct rota_world *world = test_world_new(1);
	struct rota_store *store = open_faulty(world, "a");
	struct rota_claims *claims = NULL;
	struct rota_error err;

	fault.fail_begin = 1;
	fault.with = ROTA_UNAVAILABLE;
	CHECK_STATUS(rota_task_claim(store, NULL, &claims, NULL, &err), ROTA_UNAVAILABLE, &err);
	CHECK(!claims);
	CHECK_OK(rota_task_claim(store, NULL, &claims, NULL, &err), &err);
	CHECK_EQ(claims->count, 0);
	rota_claims_free(claims);
	rota_store_close(store);
	test_world_free(world);
}

TEST(a_blocking_claim_lets_virtual_time_pass_and_comes_back)
{
	struct rota_world *world = test_world_new(1);
	struct rota_store *store = open_faulty(world, "a");
	struct rota_claim_options options = ROTA_INIT(rota_claim_options);
	struct rota_claims *claims = NULL;
	struct rota_error err;
	rota_tick before = world->now(world);

	options.wait = ROTA_SECONDS(3);
	CHECK_OK(rota_task_claim(store, &options, &claims, NULL, &err), &err);
	CHECK_EQ(claims->count, 0);
	CHECK(world->now(world) - before >= ROTA_SECONDS(3));
	rota_claims_free(claims);
	rota_store_close(store);
	test_world_free(world);
}

/* ---- streams ---- */

static int thousand(void *arg, struct rota_task *task)
{
	int *n = arg;

	task->type = "t";
	return (*n)-- > 0;
}

TEST(a_stream_is_alone_in_its_group)
{
	struct rota_world *world = test_world_new(1);
	struct rota_store *store = open_faulty(world, "a");
	struct rota_task_source source = ROTA_INIT(rota_task_source);
	struct rota_error err;
	uint64_t count = 0;
	int n = 1000;

	source.next = thousand;
	source.arg = &n;
	submit(store, 2);
	CHECK_OK(rota_task_enqueue_from(store, &source, &count, &err), &err);
	CHECK_EQ(count, 1000);
	CHECK_EQ(fault.commits, 2);
	CHECK_EQ(seen.ok, 2);
	rota_store_close(store);
	test_world_free(world);
}

/* ---- groups that fail while claims wait ---- */

TEST(tasks_of_a_group_that_failed_and_was_repaired_reach_parked_claims)
{
	struct rota_world *world = test_world_new(1);
	struct rota_store *store = open_faulty(world, "a");
	struct waiting w;

	claim_parked(store, &w, ROTA_FOREVER);
	submit(store, 2);
	fault.fail_run = 1;
	fault.with = ROTA_LIMIT;
	step(store);
	CHECK_EQ(seen.ok, 2);
	CHECK_EQ(w.answers, 1);
	CHECK_EQ(w.op.u.claim.ret_count, 2);
	rota_arena_deinit(&w.arena);
	rota_store_close(store);
	test_world_free(world);
}

TEST(a_task_scheduled_by_a_group_that_failed_and_was_repaired_becomes_due)
{
	struct rota_task task = ROTA_TASK(.type = "t", .delay = ROTA_SECONDS(10));
	struct rota_world *world = test_world_new(1);
	struct rota_store *store = open_faulty(world, "a");
	struct rota_error err;
	struct waiting w;

	claim_parked(store, &w, ROTA_FOREVER);
	fault.fail_run = 1;
	fault.with = ROTA_LIMIT;
	CHECK_OK(rota_task_enqueue(store, &task, 1, NULL, &err), &err);
	CHECK_EQ(w.answers, 0);
	test_world_advance(world, ROTA_SECONDS(10));
	step(store);
	CHECK_EQ(w.answers, 1);
	CHECK_EQ(w.op.u.claim.ret_count, 1);
	rota_arena_deinit(&w.arena);
	rota_store_close(store);
	test_world_free(world);
}

/* Its source is used up: done again it would be the rest, or nothing, and say OK. */
TEST(a_stream_is_never_repeated)
{
	struct rota_world *world = test_world_new(1);
	struct rota_store *store = open_faulty(world, "a");
	struct rota_task_source source = ROTA_INIT(rota_task_source);
	struct rota_error err;
	uint64_t count = 77;
	int n = 10;

	source.next = thousand;
	source.arg = &n;
	fault.fail_commit = 1;
	fault.with = ROTA_LIMIT;
	CHECK_STATUS(rota_task_enqueue_from(store, &source, &count, &err), ROTA_LIMIT, &err);
	CHECK_EQ(count, 77);
	CHECK_EQ(count_ready(store), 0);
	rota_store_close(store);
	test_world_free(world);
}

/* ---- threads ---- */

enum { THREADS = 8, EACH = 500 };

static void *enqueue_many(void *arg)
{
	struct rota_store *store = arg;
	struct rota_task task = ROTA_TASK(.type = "t");
	struct rota_error err;

	for (int i = 0; i < EACH; i++)
		CHECK_OK(rota_task_enqueue(store, &task, 1, NULL, &err), &err);
	return NULL;
}

static void *claim_many(void *arg)
{
	struct rota_store *store = arg;
	struct rota_claim_options options = ROTA_INIT(rota_claim_options);
	struct rota_claims *claims = NULL;
	struct rota_error err;
	intptr_t n = 0;

	options.wait = ROTA_SECONDS(20);
	options.tasks_max = 7;
	while (n < EACH) {
		options.tasks_max = (size_t)(EACH - n < 7 ? EACH - n : 7);
		CHECK_OK(rota_task_claim(store, &options, &claims, NULL, &err), &err);
		CHECK(claims->count > 0);
		n += (intptr_t)claims->count;
		rota_claims_free(claims);
	}
	return (void *)n;
}

TEST(many_threads_enqueue_and_claim_and_nobody_waits_for_ever)
{
	struct rota_store *store = NULL;
	struct rota_error err;
	pthread_t producers[THREADS], claimers[THREADS];
	void *n;
	intptr_t total = 0;

	CHECK_OK(rota_store_open(test_store_url("threads"), NULL, &store, &err), &err);
	for (int i = 0; i < THREADS; i++) {
		CHECK_EQ(pthread_create(&claimers[i], NULL, claim_many, store), 0);
		CHECK_EQ(pthread_create(&producers[i], NULL, enqueue_many, store), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(producers[i], NULL);
		pthread_join(claimers[i], &n);
		total += (intptr_t)n;
	}
	CHECK_EQ(total, THREADS * EACH);
	rota_store_close(store);
}

static void *cancel_soon(void *arg)
{
	struct timespec t = { 0, 20000000 };

	nanosleep(&t, NULL);
	rota_cancel_set(arg);
	return NULL;
}

TEST(a_blocking_claim_is_cancelled_from_another_thread)
{
	struct rota_store *store = NULL;
	struct rota_claim_options options = ROTA_INIT(rota_claim_options);
	struct rota_claims *claims = NULL;
	struct rota_error err;
	pthread_t thread;

	CHECK_OK(rota_store_open(test_store_url("cancel"), NULL, &store, &err), &err);
	CHECK_OK(rota_cancel_new(&options.cancel, &err), &err);
	options.wait = ROTA_FOREVER;
	CHECK_EQ(pthread_create(&thread, NULL, cancel_soon, options.cancel), 0);
	CHECK_STATUS(rota_task_claim(store, &options, &claims, NULL, &err), ROTA_CANCELLED, &err);
	CHECK_STATUS(rota_task_claim(store, &options, &claims, NULL, &err), ROTA_CANCELLED, &err);
	pthread_join(thread, NULL);
	rota_cancel_free(options.cancel);
	rota_store_close(store);
}

TEST(submitted_tasks_are_durable_after_a_flush)
{
	struct rota_store *store = NULL;
	struct rota_error err;

	CHECK_OK(rota_store_open(test_store_url("flush"), NULL, &store, &err), &err);
	submit(store, 2000);
	CHECK_OK(rota_store_flush(store, ROTA_SECONDS(30), &err), &err);
	CHECK_EQ(seen.ok, 2000);
	CHECK_EQ(count_ready(store), 2000);
	rota_store_close(store);
}

TEST(too_much_in_flight_is_refused_as_busy)
{
	struct rota_world *world = test_world_new(1);
	struct rota_store_options options = ROTA_INIT(rota_store_options);
	static char payload[2000];
	struct rota_task task = ROTA_TASK(.type = "t", .payload = { payload, sizeof(payload) });
	struct rota_store *store = NULL;
	struct rota_error err;

	options.in_flight_bytes_max = 5000;
	CHECK_OK(rota_store_open_in(world, "memory:", &options, &store, &err), &err);
	CHECK_OK(rota_task_submit(store, &task, 1, enqueued, NULL, &err), &err);
	CHECK_STATUS(rota_task_submit(store, &task, 1, enqueued, NULL, &err), ROTA_BUSY, &err);
	CHECK_OK(rota_store_flush(store, ROTA_SECONDS(1), &err), &err);
	CHECK_OK(rota_task_submit(store, &task, 1, enqueued, NULL, &err), &err);
	rota_store_close(store);
	CHECK_EQ(seen.ok, 2);
	test_world_free(world);
}

struct threaded {
	struct rota_op op;
	struct rota_arena arena;
	_Atomic int answers;
};

static void threaded_done(struct rota_op *op)
{
	struct threaded *w = op->owner;

	atomic_fetch_add(&w->answers, 1);
}

/* Whoever leads for others must leave word of what comes next: the claim's end, the next poll. */
TEST(a_flush_does_not_forget_the_claims_that_wait)
{
	struct rota_store *store = NULL;
	struct rota_error err;
	struct timespec t = { 0, 1000000 };

	store = open_faulty(rota_world_real(), "flush");
	atomic_store(&fault.slow, true);
	for (int i = 0; i < 100; i++) {
		struct threaded w = { .op = { .kind = ROTA_OP_CLAIM, .done = threaded_done } };

		rota_arena_init(&w.arena, 0);
		w.op.arena = &w.arena;
		w.op.owner = &w;
		w.op.u.claim = (struct rota_op_claim){ .worker = "w", .tasks_max = 1, .bytes_max = 1,
			.lease = ROTA_SECONDS(30), .wait_until = store->world->now(store->world) + ROTA_MS(2) };
		CHECK_OK(rota_store_submit(store, &w.op, &err), &err);
		CHECK_OK(rota_store_flush(store, ROTA_SECONDS(5), &err), &err);
		for (int waited = 0; !atomic_load(&w.answers); waited++) {
			CHECK_MSG(waited < 5000, "a claim of 2 ms still waits");
			nanosleep(&t, NULL);
		}
		rota_arena_deinit(&w.arena);
	}
	rota_store_close(store);
}

TEST(refusals_are_the_same_without_an_error_to_put_them_in)
{
	static char payload[ROTA_TITLE_BYTES_MAX + 2];
	struct rota_store *store = NULL;
	struct rota_task task = ROTA_TASK(.type = "t");
	struct rota_verdict verdict = ROTA_INIT(rota_verdict);
	rota_id id = 0;

	memset(payload, 'x', sizeof(payload) - 1);
	CHECK_OK(rota_store_open(test_store_url("refusals"), NULL, &store, NULL), NULL);
	CHECK_OK(rota_task_enqueue(store, &task, 1, &id, NULL), NULL);
	CHECK_OK(rota_task_cancel(store, &id, 1, NULL, NULL, NULL), NULL);
	CHECK_STATUS(rota_task_cancel(store, &id, 1, NULL, NULL, NULL), ROTA_CANCELLED, NULL);
	task.title = payload;
	CHECK_STATUS(rota_task_enqueue(store, &task, 1, &id, NULL), ROTA_LIMIT, NULL);
	verdict.id = verdict.token = 1;
	verdict.result = (struct rota_bytes){ "x", ROTA_RESULT_BYTES_MAX + 1 };
	CHECK_STATUS(rota_task_finish(store, &verdict, 1, NULL, NULL), ROTA_LIMIT, NULL);
	rota_store_close(store);
}

/* ---- no threads to be had ---- */

static _Atomic bool no_threads;

int pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	static _Atomic(void *) real;

	if (atomic_load(&no_threads))
		return EAGAIN;
	if (!atomic_load(&real))
		atomic_store(&real, dlsym(RTLD_NEXT, "pthread_create"));
	return ((int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))atomic_load(&real))(
		id, attr, run, arg);
}

static pthread_mutex_t start = PTHREAD_MUTEX_INITIALIZER;

static void *enqueue_one(void *store)
{
	struct rota_task task = ROTA_TASK(.type = "t");
	struct rota_error err;

	CHECK_OK(rota_task_enqueue(store, &task, 1, NULL, &err), &err);
	return NULL;
}

static void *enqueue_when_told(void *arg)
{
	static _Atomic int nth;
	int count = 20 + atomic_fetch_add(&nth, 1); /* they do not end together */

	pthread_mutex_lock(&start);
	pthread_mutex_unlock(&start);
	for (int i = 0; i < count; i++)
		(void)enqueue_one(arg);
	return NULL;
}

static void *claim_when_told(void *arg)
{
	struct rota_claim_options options = ROTA_INIT(rota_claim_options);
	struct rota_claims *claims = NULL;
	struct rota_error err;

	options.wait = ROTA_FOREVER;
	pthread_mutex_lock(&start);
	pthread_mutex_unlock(&start);
	CHECK_OK(rota_task_claim(arg, &options, &claims, NULL, &err), &err);
	CHECK_EQ(claims->count, 1);
	rota_claims_free(claims);
	return NULL;
}

static void run_without_threads(size_t producers, size_t claimers)
{
	static const struct timespec until_they_wait = { 0, 50000000 };
	struct rota_store *store = open_faulty(rota_world_real(), "alone");
	pthread_t ids[2 * THREADS];

	faulty.changed = NULL; /* else polling helps */
	atomic_store(&fault.slow, true);
	pthread_mutex_lock(&start);
	for (size_t i = 0; i < producers + claimers; i++)
		CHECK_EQ(pthread_create(&ids[i], NULL, i < producers ? enqueue_when_told : claim_when_told,
			store), 0);
	atomic_store(&no_threads, true);
	pthread_mutex_unlock(&start);
	for (size_t i = 0; i < claimers; i++) {
		nanosleep(&until_they_wait, NULL);
		(void)enqueue_one(store);
	}
	for (size_t i = 0; i < producers + claimers; i++)
		pthread_join(ids[i], NULL);
	rota_store_close(store);
}

TEST_LIMIT(without_threads_to_be_had_callers_lead_for_each_other, 20)
{
	run_without_threads(THREADS, 0);
}

TEST_LIMIT(without_threads_to_be_had_claims_are_woken_by_callers, 20)
{
	run_without_threads(0, THREADS);
}

/* ---- what a rolled-back group must not leave behind ---- */

TEST(a_parked_claim_gets_nothing_of_a_commit_that_failed)
{
	struct rota_world *world = test_world_new(1);
	struct rota_store *store = open_faulty(world, "a");
	struct waiting w;

	claim_parked(store, &w, ROTA_FOREVER);
	submit(store, 1);
	fault.fail_commit = 2; /* the group, and the enqueue alone */
	fault.with = ROTA_LIMIT;
	step(store);
	CHECK_EQ(seen.failed, 1);
	CHECK_EQ(w.answers, 0);
	CHECK(w.op.parked);
	submit(store, 1);
	step(store);
	CHECK_EQ(w.answers, 1);
	CHECK_EQ(w.op.u.claim.ret_count, 1);
	CHECK_EQ(w.op.u.claim.ret_tasks[0]->token, 1);
	rota_arena_deinit(&w.arena);
	rota_store_close(store);
	test_world_free(world);
}

TEST(a_lost_commit_answer_gives_a_parked_claim_nothing)
{
	struct rota_world *world = test_world_new(1);
	struct rota_store *store = open_faulty(world, "a");
	struct waiting w;

	claim_parked(store, &w, ROTA_FOREVER);
	submit(store, 1);
	fault.fail_commit = 1;
	fault.with = ROTA_UNCERTAIN;
	step(store);
	CHECK_EQ(seen.last_status, ROTA_UNCERTAIN);
	CHECK_EQ(w.answers, 0);
	rota_store_recall(store, &w.op);
	step(store);
	CHECK_EQ(w.answers, 1);
	CHECK_EQ(w.op.u.claim.ret_count, 0);
	rota_arena_deinit(&w.arena);
	rota_store_close(store);
	test_world_free(world);
}

TEST(a_claim_that_waits_takes_no_more_memory_each_time_it_runs)
{
	struct rota_world *world = test_world_new(1);
	struct rota_store *store = open_faulty(world, "a");
	struct rota_task task = ROTA_TASK(.type = "other", .queue = "elsewhere");
	static const char *const queue = "here";
	struct rota_error err;
	struct waiting w;
	size_t used = 0;

	claim_parked(store, &w, 0);
	rota_arena_reset(&w.arena);
	w.op.u.claim.queues = &queue;
	w.op.u.claim.queue_count = 1;
	w.op.u.claim.tasks_max = 10000;
	w.op.u.claim.wait_until = ROTA_TICK_NEVER;
	CHECK_OK(rota_store_submit(store, &w.op, &err), &err);
	step(store);
	for (int i = 0; i < 200; i++) {
		CHECK_OK(rota_task_enqueue(store, &task, 1, NULL, &err), &err);
		if (i == 10)
			used = w.arena.used_bytes;
	}
	CHECK_EQ(w.arena.used_bytes, used);
	rota_store_close(store);
	rota_arena_deinit(&w.arena);
	test_world_free(world);
}

TEST(a_waiter_learns_of_an_expiry_though_nobody_claims)
{
	struct rota_world *world = test_world_new(1);
	struct rota_store *store = open_faulty(world, "a");
	struct rota_task task = ROTA_TASK(.type = "t", .expires_in = ROTA_SECONDS(2));
	struct rota_error err;
	int32_t state = 0;
	rota_id id;

	CHECK_OK(rota_task_enqueue(store, &task, 1, &id, &err), &err);
	CHECK_OK(rota_task_wait(store, &id, 1, 1, ROTA_SECONDS(10), &state, &err), &err);
	CHECK_EQ(state, ROTA_STATE_FAILED);
	rota_store_close(store);
	test_world_free(world);
}

static void *claim_briefly(void *arg)
{
	struct rota_store *store = arg;
	struct rota_claim_options options = ROTA_INIT(rota_claim_options);
	struct rota_error err;

	options.wait = ROTA_MS(4);
	for (int i = 0; i < 60; i++) {
		struct rota_claims *claims = NULL;

		CHECK_OK(rota_task_claim(store, &options, &claims, NULL, &err), &err);
		rota_claims_free(claims);
	}
	return NULL;
}

TEST_LIMIT(claims_that_end_together_all_wake, 20)
{
	enum { CLAIMERS = 24 };
	struct rota_store *store = NULL;
	pthread_t threads[CLAIMERS];
	struct rota_error err;

	CHECK_OK(rota_store_open(test_store_url("brief"), NULL, &store, &err), &err);
	for (int i = 0; i < CLAIMERS; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, claim_briefly, store), 0);
	for (int i = 0; i < CLAIMERS; i++)
		pthread_join(threads[i], NULL);
	rota_store_close(store);
}
