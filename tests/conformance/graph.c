/* Rule 3: dependencies and signals. */
#include "suite.h"
#include "base/limits.h"

static rota_id ended(enum rota_outcome outcome)
{
	rota_id id = PUT();

	finish(verdict(take_id(id), outcome));
	return id;
}

/* ---- waiting for predecessors ---- */

CASE(successor_waits_for_all_its_predecessors)
{
	rota_id a = PUT(), b = PUT(), c = PUT(AFTER(ON(a), ON(b)));

	CHECK_STATE(c, ROTA_STATE_BLOCKED);
	CHECK_EQ(get(c)->pending, 2);
	run(a);
	CHECK_STATE(c, ROTA_STATE_BLOCKED);
	CHECK_EQ(get(c)->pending, 1);
	run(b);
	CHECK_STATE(c, ROTA_STATE_READY);
	CHECK_EQ(get(c)->pending, 0);
	CHECK_EQ(take_id(c).task->failed_dependencies, 0);
}

CASE(blocked_task_with_a_time_of_its_own_is_scheduled_when_its_last_predecessor_ends)
{
	rota_id a = PUT(), b = PUT(.delay = ROTA_SECONDS(60), AFTER(ON(a))), c = PUT(.delay = 5, AFTER(ON(a)));

	advance(ROTA_SECONDS(10));
	run(a);
	CHECK_STATE(b, ROTA_STATE_SCHEDULED);
	CHECK_STATE(c, ROTA_STATE_READY);
	advance(ROTA_SECONDS(50));
	CHECK_EQ(CLAIM(.tasks_max = 5)->count, 2);
}

CASE(graph_in_one_call_names_tasks_by_place_by_key_and_by_id_forwards_and_backwards)
{
	rota_id old = PUT(.key = "old"), ids[4];
	struct rota_task tasks[] = {
		ROTA_TASK(AFTER(ON_NTH(4), ON_KEY("third"))),
		ROTA_TASK(AFTER(ON_KEY("old"), ON_NTH(1))),
		ROTA_TASK(.key = "third", AFTER(ON(old))),
		ROTA_TASK(),
	};

	put_all(tasks, 4, ids);
	CHECK_EQ(get(ids[0])->pending, 2);
	CHECK_EQ(get(ids[1])->pending, 2);
	CHECK_EQ(get(ids[2])->pending, 1);
	CHECK_STATE(ids[3], ROTA_STATE_READY);
	run(old);
	run(ids[3]);
	run(ids[2]);
	run(ids[0]);
	CHECK_STATE(ids[1], ROTA_STATE_READY);
}

CASE(edge_can_be_given_from_the_predecessors_end)
{
	rota_id ids[3], existing = PUT(.signals = 1), more;
	struct rota_task tasks[] = { ROTA_TASK(BEFORE(ON_NTH(2), ON_KEY("c"))), ROTA_TASK(), ROTA_TASK(.key = "c") };

	put_all(tasks, 3, ids);
	CHECK_STATE(ids[1], ROTA_STATE_BLOCKED);
	CHECK_STATE(ids[2], ROTA_STATE_BLOCKED);
	more = PUT(BEFORE(ON(existing), ON_KEY("c")));
	CHECK_EQ(get(existing)->pending, 2);
	CHECK_EQ(get(ids[2])->pending, 2);
	run(ids[0]);
	run(more);
	CHECK_STATE(ids[2], ROTA_STATE_READY);
	CHECK_EQ(get(existing)->pending, 1);
	CHECK_OK(rota_task_signal(store, existing, NULL, &err), &err);
	CHECK_STATE(existing, ROTA_STATE_READY);
}

CASE(nothing_can_be_put_before_a_task_that_is_not_blocked)
{
	rota_id ready = PUT(), later = PUT(.delay = 9), done = PUT();
	rota_id ids[] = { ready, later, done };
	const char *before;

	run(done);
	before = picture();
	for (int i = 0; i < 3; i++) {
		struct rota_task tasks[] = { ROTA_TASK(), ROTA_TASK(BEFORE(ON(ids[i]))) };

		CHECK_STATUS(try_put(tasks, 2), ROTA_WRONG_STATE, &err);
		CHECK_EQ(err.item, 2);
	}
	CHECK_UNCHANGED(before);
}

CASE(both_ends_of_an_edge_and_their_settling_can_be_seen)
{
	rota_id a = PUT(.key = "a"), b = PUT(), c = PUT(AFTER(ON(a), OR_CANCEL(ON(b))));
	const struct rota_task_info *t = get(c);

	CHECK_EQ(t->predecessor_count, 2);
	CHECK_EQ(t->predecessors[0]->task, a);
	CHECK_STR(t->predecessors[0]->key, "a");
	CHECK_EQ(t->predecessors[0]->settled, 0);
	CHECK_EQ(t->predecessors[0]->failed, ROTA_AFTER_RUN);
	CHECK_EQ(t->predecessors[1]->task, b);
	CHECK_EQ(t->predecessors[1]->failed, ROTA_AFTER_CANCEL);
	run(a);
	CHECK_EQ(get(a)->successor_count, 1);
	CHECK_EQ(get(a)->successors[0]->task, c);
	CHECK_EQ(get(a)->successors[0]->settled, 1);
	CHECK_EQ(get(a)->successors[0]->state, ROTA_STATE_BLOCKED);
	fail(take_id(b));
	CHECK_EQ(get(c)->predecessors[1]->settled, 2);
	CHECK_EQ(get(c)->predecessors[1]->state, ROTA_STATE_FAILED);
}

/* ---- failed predecessors ---- */

CASE(failed_predecessor_counts_and_the_successor_runs_and_is_told)
{
	rota_id good = PUT(), bad = PUT(), dropped = PUT(), late = PUT(.expires_in = ROTA_SECONDS(5));
	rota_id end = PUT(AFTER(ON(good), ON(bad), ON(dropped), ON(late)));
	struct lease lease;

	run(good);
	fail(take_id(bad));
	cancel(dropped);
	advance(ROTA_SECONDS(5));
	lease = take();
	CHECK_EQ(lease.id, end);
	CHECK_EQ(lease.task->failed_dependencies, 3);
}

CASE(failure_is_told_one_step_and_no_further)
{
	rota_id a = PUT(), b = PUT(AFTER(ON(a))), c = PUT(AFTER(ON(b)));
	struct lease lease;

	fail(take_id(a));
	lease = take_id(b);
	CHECK_EQ(lease.task->failed_dependencies, 1);
	complete(lease);
	CHECK_EQ(take_id(c).task->failed_dependencies, 0);
}

CASE(edge_with_policy_cancel_cancels_the_successor_and_so_on_from_there)
{
	rota_id a = PUT(), other = PUT();
	rota_id b = PUT(AFTER(OR_CANCEL(ON(a)), ON(other))), c = PUT(AFTER(OR_CANCEL(ON(b)))), d = PUT(AFTER(ON(b)));

	fail(take_id(a));
	CHECK_STATE(b, ROTA_STATE_CANCELLED);
	CHECK_STATE(c, ROTA_STATE_CANCELLED);
	CHECK_STATE(d, ROTA_STATE_READY);
	CHECK_EQ(get(d)->failed_dependencies, 1);
	CHECK(get(b)->last_error != NULL);
	/* The other predecessor still ends without harm. */
	run(other);
	CHECK_STATE(b, ROTA_STATE_CANCELLED);
	CHECK_EQ(get(b)->pending, 0);
}

CASE(policy_cancel_does_nothing_when_the_predecessor_completes)
{
	rota_id a = PUT(), b = PUT(AFTER(OR_CANCEL(ON(a))));

	run(a);
	CHECK_STATE(b, ROTA_STATE_READY);
}

CASE(cancelled_and_deleted_predecessors_cancel_over_such_edges_too)
{
	rota_id a = PUT(), b = PUT(), c = PUT(AFTER(OR_CANCEL(ON(a)))), d = PUT(AFTER(OR_CANCEL(ON(b))));

	cancel(a);
	CHECK_STATE(c, ROTA_STATE_CANCELLED);
	delete_one(b);
	CHECK_STATE(d, ROTA_STATE_CANCELLED);
}

CASE(cascade_through_a_long_chain_is_linear_and_needs_no_deep_stack)
{
	enum { N = 20000 };
	static struct rota_task tasks[N];
	static struct rota_dependency deps[N];
	static rota_id ids[N];

	for (size_t i = 0; i < N; i++) {
		tasks[i] = ROTA_TASK(.type = "chain");
		if (!i)
			continue;
		deps[i] = (struct rota_dependency){ .nth = i, .failed = ROTA_AFTER_CANCEL };
		tasks[i].after = &deps[i];
		tasks[i].after_count = 1;
	}
	put_all(tasks, N, ids);
	fail(take_id(ids[0]));
	CHECK_STATE(ids[N - 1], ROTA_STATE_CANCELLED);
	CHECK_STATE(ids[N / 2], ROTA_STATE_CANCELLED);
	take_none();
}

CASE(edge_given_twice_counts_once_and_the_stricter_policy_wins)
{
	rota_id a = PUT(.key = "a"), ids[2];
	struct rota_task tasks[] = { ROTA_TASK(AFTER(ON(a), OR_CANCEL(ON_KEY("a")), ON(a), ON_NTH(2))),
		ROTA_TASK(BEFORE(ON_NTH(1))) };

	put_all(tasks, 2, ids);
	CHECK_EQ(get(ids[0])->pending, 2);
	CHECK_EQ(get(ids[0])->predecessor_count, 2);
	CHECK_EQ(get(ids[0])->predecessors[0]->failed, ROTA_AFTER_CANCEL);
	fail(take_id(a));
	CHECK_STATE(ids[0], ROTA_STATE_CANCELLED);
}

CASE(edge_from_a_failed_task_given_twice_takes_the_stricter_policy)
{
	rota_id failed = ended(ROTA_OUTCOME_FAIL), a, b;

	a = PUT(AFTER(ON(failed), OR_CANCEL(ON(failed))));
	CHECK_STATE(a, ROTA_STATE_CANCELLED);
	CHECK_EQ(get(a)->failed_dependencies, 1);
	CHECK_EQ(get(a)->predecessor_count, 1);
	keep(ROTA_FOREVER, 0);
	failed = ended(ROTA_OUTCOME_FAIL);
	CHECK(gone(failed));
	b = PUT(.queue = "kept", AFTER(ON(failed), OR_CANCEL(ON(failed))));
	CHECK_STATE(b, ROTA_STATE_CANCELLED);
	CHECK_EQ(get(b)->failed_dependencies, 1);
}

/* ---- predecessors that are over already ---- */

CASE(final_predecessor_counts_at_once)
{
	rota_id done = ended(ROTA_OUTCOME_COMPLETE), failed = ended(ROTA_OUTCOME_FAIL);
	rota_id a = PUT(AFTER(ON(done))), b = PUT(AFTER(ON(done), ON(failed)));
	rota_id c = PUT(AFTER(OR_CANCEL(ON(failed)))), d = PUT(AFTER(OR_CANCEL(ON(done))));
	rota_id e = PUT(.signals = 1, AFTER(ON(done)));

	CHECK_STATE(a, ROTA_STATE_READY);
	CHECK_EQ(get(a)->predecessors[0]->settled, 1);
	CHECK_STATE(b, ROTA_STATE_READY);
	CHECK_EQ(get(b)->failed_dependencies, 1);
	CHECK_EQ(get(b)->predecessors[1]->settled, 2);
	CHECK_STATE(c, ROTA_STATE_CANCELLED);
	CHECK_STATE(d, ROTA_STATE_READY);
	CHECK_STATE(e, ROTA_STATE_BLOCKED);
	CHECK_EQ(get(e)->pending, 1);
}

CASE(task_cancelled_at_birth_cancels_and_frees_its_successors_of_the_same_call)
{
	rota_id failed = ended(ROTA_OUTCOME_FAIL), ids[3];
	struct rota_task tasks[] = { ROTA_TASK(AFTER(ON_NTH(3))), ROTA_TASK(AFTER(OR_CANCEL(ON_NTH(3)))),
		ROTA_TASK(AFTER(OR_CANCEL(ON(failed)))) };

	put_all(tasks, 3, ids);
	CHECK_STATE(ids[2], ROTA_STATE_CANCELLED);
	CHECK_STATE(ids[1], ROTA_STATE_CANCELLED);
	CHECK_STATE(ids[0], ROTA_STATE_READY);
	CHECK_EQ(get(ids[0])->failed_dependencies, 1);
}

CASE(pruned_predecessor_counts_as_what_it_was)
{
	rota_id done, failed, a, b, c;

	keep(0, 0);
	done = ended(ROTA_OUTCOME_COMPLETE);
	failed = ended(ROTA_OUTCOME_FAIL);
	CHECK(gone(done) && gone(failed));
	a = PUT(AFTER(ON(done)));
	b = PUT(AFTER(ON(done), ON(failed), ON(failed)));
	CHECK_STATE(a, ROTA_STATE_READY);
	CHECK_EQ(get(a)->failed_dependencies, 0);
	CHECK_STATE(b, ROTA_STATE_READY);
	CHECK_EQ(get(b)->failed_dependencies, 1);
	c = PUT(.key = "c", AFTER(OR_CANCEL(ON(failed))));
	CHECK(gone(c)); /* cancelled at once, and not kept */
}

CASE(unknown_predecessor_is_refused_and_named)
{
	rota_id deleted = PUT();
	struct rota_task by_key[] = { ROTA_TASK(), ROTA_TASK(AFTER(ON_KEY("nobody"))) };
	struct rota_task by_id[] = { ROTA_TASK(AFTER(ON(123456))) };
	struct rota_task by_deleted[] = { ROTA_TASK(AFTER(ON(deleted))) };
	struct rota_task by_nth[] = { ROTA_TASK(AFTER(ON_NTH(2))) };
	struct rota_task before[] = { ROTA_TASK(BEFORE(ON_KEY("nobody"))) };
	const char *picture_before;

	delete_one(deleted);
	picture_before = picture();
	CHECK_STATUS(try_put(by_key, 2), ROTA_NOT_FOUND, &err);
	CHECK_EQ(err.item, 2);
	CHECK_HAS(err.message, "nobody");
	CHECK_STATUS(try_put(by_id, 1), ROTA_NOT_FOUND, &err);
	CHECK_HAS(err.message, "123456");
	CHECK_STATUS(try_put(by_deleted, 1), ROTA_NOT_FOUND, &err);
	CHECK_STATUS(try_put(by_nth, 1), ROTA_INVALID, &err);
	CHECK_STATUS(try_put(before, 1), ROTA_NOT_FOUND, &err);
	CHECK_UNCHANGED(picture_before);
}

/* ---- cycles ---- */

CASE(task_that_waits_for_itself_is_refused)
{
	struct rota_task by_nth[] = { ROTA_TASK(AFTER(ON_NTH(1))) };
	struct rota_task by_key[] = { ROTA_TASK(.key = "me", AFTER(ON_KEY("me"))) };
	struct rota_task before[] = { ROTA_TASK(.key = "me", BEFORE(ON_KEY("me"))) };
	const char *picture_before = picture();

	CHECK_STATUS(try_put(by_nth, 1), ROTA_INVALID, &err);
	CHECK_STATUS(try_put(by_key, 1), ROTA_INVALID, &err);
	CHECK_HAS(err.message, "me");
	CHECK_STATUS(try_put(before, 1), ROTA_INVALID, &err);
	CHECK_UNCHANGED(picture_before);
}

CASE(cycle_in_a_call_is_refused_and_named)
{
	struct rota_task tasks[] = {
		ROTA_TASK(.key = "start"),
		ROTA_TASK(.key = "egg", AFTER(ON_KEY("hen"), ON_NTH(1))),
		ROTA_TASK(AFTER(ON_NTH(2))),
		ROTA_TASK(.key = "hen", AFTER(ON_NTH(3))),
	};
	const char *before = picture();

	CHECK_STATUS(try_put(tasks, 4), ROTA_INVALID, &err);
	CHECK_HAS(err.message, "egg");
	CHECK_HAS(err.message, "hen");
	CHECK_HAS(err.message, "#3");
	CHECK_HAS(err.message, "→");
	CHECK(!strstr(err.message, "start"));
	CHECK_UNCHANGED(before);
}

CASE(cycle_made_of_both_kinds_of_ends_is_found)
{
	struct rota_task tasks[] = { ROTA_TASK(.key = "a", BEFORE(ON_KEY("b"))),
		ROTA_TASK(.key = "b", BEFORE(ON_KEY("a"))) };

	CHECK_STATUS(try_put(tasks, 2), ROTA_INVALID, &err);
	CHECK_HAS(err.message, "→");
}

CASE(cycle_through_tasks_that_were_there_before_is_found)
{
	rota_id first = PUT(.signals = 1), second = PUT(AFTER(ON(first))), third = PUT(AFTER(ON(second)));
	struct rota_task task = ROTA_TASK(AFTER(ON(third)), BEFORE(ON(first)));
	const char *before = picture();

	char id[24];

	snprintf(id, sizeof(id), "%lld", (long long)second);
	CHECK_STATUS(try_put(&task, 1), ROTA_INVALID, &err);
	CHECK_HAS(err.message, "→");
	CHECK_HAS(err.message, id);
	CHECK_HAS(err.message, "#1");
	CHECK_UNCHANGED(before);
	/* Without the way back it is none. */
	task = ROTA_TASK(BEFORE(ON(first)));
	CHECK_OK(try_put(&task, 1), &err);
}

CASE(way_back_over_an_edge_that_is_settled_is_no_cycle)
{
	rota_id first = PUT(), second = PUT(.signals = 1, AFTER(ON(first))), between;

	run(first);
	operator_retry(first);
	cancel(first);
	between = PUT(AFTER(ON(first)), BEFORE(ON(second)));
	CHECK_STATE(between, ROTA_STATE_READY);
	CHECK_EQ(get(second)->pending, 2);
}

CASE(large_graph_in_one_call_is_found_free_of_cycles)
{
	enum { LAYERS = 100, WIDTH = 20 };
	static struct rota_task tasks[LAYERS * WIDTH];
	static struct rota_dependency deps[LAYERS * WIDTH][WIDTH];
	static rota_id ids[LAYERS * WIDTH];

	for (size_t i = 0; i < LAYERS * WIDTH; i++) {
		tasks[i] = ROTA_TASK(.type = "layer");
		if (i < WIDTH)
			continue;
		for (size_t k = 0; k < WIDTH; k++)
			deps[i][k].nth = (i / WIDTH - 1) * WIDTH + k + 1;
		tasks[i].after = deps[i];
		tasks[i].after_count = WIDTH;
	}
	put_all(tasks, LAYERS * WIDTH, ids);
	CHECK_EQ(CLAIM(.tasks_max = 100)->count, WIDTH);
	/* The same with one edge back. */
	deps[0][0].nth = LAYERS * WIDTH;
	tasks[0].after = deps[0];
	tasks[0].after_count = 1;
	CHECK_STATUS(try_put(tasks, LAYERS * WIDTH), ROTA_INVALID, &err);
	CHECK_HAS(err.message, "→");
}

/* ---- edges settle once ---- */

CASE(operator_retry_neither_blocks_successors_nor_signals_again)
{
	rota_id a = PUT(), other = PUT(), b = PUT(AFTER(ON(a), ON(other)));

	fail(take_id(a));
	CHECK_EQ(get(b)->pending, 1);
	operator_retry(a);
	CHECK_EQ(get(b)->pending, 1);
	CHECK_EQ(get(b)->failed_dependencies, 1);
	CHECK_EQ(get(b)->predecessors[0]->settled, 2);
	run(a);
	CHECK_EQ(get(b)->pending, 1);
	CHECK_EQ(get(b)->failed_dependencies, 1);
	CHECK_EQ(get(b)->predecessors[0]->settled, 2);
	run(other);
	CHECK_STATE(b, ROTA_STATE_READY);
}

CASE(retry_by_the_policy_signals_nobody)
{
	rota_id a = PUT(), b = PUT(AFTER(ON(a)));

	for (int i = 0; i < 3; i++) {
		retry_at_once(take_id(a));
		CHECK_EQ(get(b)->pending, 1);
	}
	run(a);
	CHECK_STATE(b, ROTA_STATE_READY);
}

CASE(task_that_waits_for_a_revived_one_waits_until_it_ends_again)
{
	rota_id a = PUT(), b;

	run(a);
	operator_retry(a);
	b = PUT(AFTER(ON(a)));
	CHECK_STATE(b, ROTA_STATE_BLOCKED);
	run(a);
	CHECK_STATE(b, ROTA_STATE_READY);
}

/* ---- signals ---- */

CASE(task_waits_for_as_many_signals_as_it_asked_for)
{
	rota_id id = PUT(.signals = 3);

	for (int i = 3; i > 0; i--) {
		CHECK_STATE(id, ROTA_STATE_BLOCKED);
		CHECK_EQ(get(id)->pending, i);
		CHECK_OK(rota_task_signal(store, id, NULL, &err), &err);
	}
	CHECK_STATE(id, ROTA_STATE_READY);
}

CASE(named_signal_counts_once_per_name)
{
	rota_id id = PUT(.signals = 2);

	CHECK_OK(rota_task_signal(store, id, "upload", &err), &err);
	CHECK_OK(rota_task_signal(store, id, "upload", &err), &err);
	CHECK_EQ(get(id)->pending, 1);
	CHECK_OK(rota_task_signal(store, id, "review", &err), &err);
	CHECK_STATE(id, ROTA_STATE_READY);
	/* Known ones stay fine; new ones are not awaited. */
	CHECK_OK(rota_task_signal(store, id, "upload", &err), &err);
	CHECK_STATUS(rota_task_signal(store, id, "third", &err), ROTA_WRONG_STATE, &err);
}

CASE(signal_too_many_is_refused_and_harms_nothing)
{
	rota_id id = PUT(.signals = 1), plain = PUT();
	const char *before;

	CHECK_OK(rota_task_signal(store, id, NULL, &err), &err);
	before = picture();
	CHECK_STATUS(rota_task_signal(store, id, NULL, &err), ROTA_WRONG_STATE, &err);
	CHECK_STATUS(rota_task_signal(store, plain, NULL, &err), ROTA_WRONG_STATE, &err);
	CHECK_STATUS(rota_task_signal(store, 123456, NULL, &err), ROTA_NOT_FOUND, &err);
	CHECK_STATUS(rota_task_signal(store, id, " ", &err), ROTA_INVALID, &err);
	CHECK_UNCHANGED(before);
	run(id);
}

CASE(signals_count_on_top_of_dependencies)
{
	rota_id a = PUT(), b = PUT(.signals = 1, AFTER(ON(a)));

	CHECK_EQ(get(b)->pending, 2);
	CHECK_OK(rota_task_signal(store, b, NULL, &err), &err);
	CHECK_STATE(b, ROTA_STATE_BLOCKED);
	/* All its signals have come: what is left is the edge's. */
	CHECK_STATUS(rota_task_signal(store, b, NULL, &err), ROTA_WRONG_STATE, &err);
	run(a);
	CHECK_STATE(b, ROTA_STATE_READY);
}

CASE(signal_does_not_arrive_for_a_predecessor)
{
	rota_id a = PUT(), b = PUT(AFTER(ON(a)));

	CHECK_STATUS(rota_task_signal(store, b, NULL, &err), ROTA_WRONG_STATE, &err);
	CHECK_EQ(get(b)->pending, 1);
}
