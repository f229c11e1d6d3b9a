/* Rules 4 and 12: delete, purge, retention. */
#include "suite.h"
#include "base/limits.h"

/* ---- plain ---- */

CASE(deleted_task_is_gone_with_its_edges_attempts_and_key)
{
	rota_id a = PUT(.key = "a"), b = PUT(AFTER(ON(a)));
	rota_id found = 0;

	retry_at_once(take_id(a));
	delete_one(a);
	CHECK(gone(a));
	CHECK_STATUS(rota_task_find(store, "a", &found, &err), ROTA_NOT_FOUND, &err);
	CHECK_EQ(get(b)->predecessor_count, 0);
}

CASE(edge_from_a_deleted_unfinished_task_settles_as_failed)
{
	rota_id a = PUT(), other = PUT(), b = PUT(AFTER(ON(a), ON(other)));

	delete_one(a);
	CHECK_STATE(b, ROTA_STATE_BLOCKED);
	CHECK_EQ(get(b)->pending, 1);
	CHECK_EQ(get(b)->failed_dependencies, 1);
	delete_one(other);
	CHECK_STATE(b, ROTA_STATE_READY);
	CHECK_EQ(get(b)->failed_dependencies, 2);
}

CASE(deleting_a_final_task_changes_no_counter_of_its_successors)
{
	rota_id a = PUT(), other = PUT(), b = PUT(AFTER(ON(a), ON(other)));

	run(a);
	delete_one(a);
	CHECK_EQ(get(b)->pending, 1);
	CHECK_EQ(get(b)->failed_dependencies, 0);
	run(other);
	CHECK_STATE(b, ROTA_STATE_READY);
}

CASE(plain_delete_takes_nothing_but_what_was_named)
{
	rota_id a = PUT(), b = PUT(AFTER(ON(a))), c = PUT(AFTER(ON(b)));

	delete_one(a);
	CHECK_STATE(b, ROTA_STATE_READY);
	CHECK_STATE(c, ROTA_STATE_BLOCKED);
	delete_one(c);
	CHECK_STATE(b, ROTA_STATE_READY);
}

CASE(delete_answers_for_each_and_unknown_ids_are_no_error)
{
	rota_id a = PUT(), ids[] = { a, 123456, a };
	enum rota_status each[3];
	uint64_t deleted = 9;

	CHECK_OK(rota_task_delete(store, ids, 3, 0, &deleted, each, &err), &err);
	CHECK_EQ(each[0], ROTA_OK);
	CHECK_STR(rota_status_name(each[1]), rota_status_name(ROTA_NOT_FOUND));
	CHECK_EQ(deleted, 1);
	CHECK_OK(rota_task_delete(store, NULL, 0, 0, &deleted, NULL, &err), &err);
	CHECK_STATUS(rota_task_delete(store, ids, 1, 8, &deleted, NULL, &err), ROTA_INVALID, &err);
}

CASE(running_task_is_deleted_only_by_force)
{
	rota_id waiting = PUT(), id = PUT(), ids[] = { waiting, id };
	struct lease lease = take_id(id);
	const char *before = picture();

	CHECK_STATUS(rota_task_delete(store, ids, 2, 0, NULL, NULL, &err), ROTA_WRONG_STATE, &err);
	CHECK_UNCHANGED(before);
	CHECK_EQ(delete_tasks(ids, 2, ROTA_DELETE_FORCE), 2);
	CHECK_STATUS(try_finish(verdict(lease, ROTA_OUTCOME_COMPLETE)), ROTA_NOT_FOUND, &err);
}

CASE(ids_are_never_given_out_again)
{
	rota_id a = PUT(), b = PUT();

	delete_one(b);
	delete_one(a);
	CHECK(PUT() > b);
	keep(0, 0);
	for (int i = 0; i < 3; i++) {
		rota_id id = PUT();

		CHECK(id > b);
		b = id;
		run(id);
	}
}

/* ---- with cascade: parade's delete ---- */

#define CASCADE(...) \
	delete_tasks((rota_id[]){ __VA_ARGS__ }, sizeof((rota_id[]){ __VA_ARGS__ }) / sizeof(rota_id), \
		ROTA_DELETE_CASCADE)

CASE(cascade_takes_every_dependent_that_has_nothing_left_to_wait_for)
{
	rota_id a = PUT(), b = PUT(AFTER(ON(a))), c = PUT(AFTER(ON(b), ON(a)));

	CHECK_EQ(CASCADE(a), 3);
	CHECK(gone(a) && gone(b) && gone(c));
}

CASE(cascade_leaves_a_dependent_that_still_waits_for_another)
{
	rota_id a = PUT(), other = PUT(), b = PUT(AFTER(ON(a), ON(other))), c = PUT(AFTER(ON(b)));

	CHECK_EQ(CASCADE(a), 1);
	CHECK_EQ(get(b)->pending, 1);
	CHECK_EQ(get(b)->failed_dependencies, 1);
	CHECK_STATE(c, ROTA_STATE_BLOCKED);
}

CASE(cascade_leaves_a_dependent_that_awaits_a_signal)
{
	rota_id a = PUT(), b = PUT(.signals = 1, AFTER(ON(a)));

	CHECK_EQ(CASCADE(a), 1);
	CHECK_EQ(get(b)->pending, 1);
	CHECK_OK(rota_task_signal(store, b, NULL, &err), &err);
	CHECK_STATE(b, ROTA_STATE_READY);
}

CASE(cascade_from_a_finished_task_takes_ready_and_finished_dependents)
{
	rota_id a = PUT(), ready = PUT(AFTER(ON(a))), done = PUT(AFTER(ON(a)));

	run(a);
	run(done);
	CHECK_STATE(ready, ROTA_STATE_READY);
	CHECK_EQ(CASCADE(a), 3);
	CHECK(gone(ready) && gone(done));
}

CASE(cascade_that_reaches_a_running_task_needs_force)
{
	rota_id a = PUT(), b = PUT(AFTER(ON(a)));
	struct lease lease;
	const char *before;

	run(a);
	lease = take_id(b);
	before = picture();
	CHECK_STATUS(rota_task_delete(store, &a, 1, ROTA_DELETE_CASCADE, NULL, NULL, &err), ROTA_WRONG_STATE,
		&err);
	CHECK_UNCHANGED(before);
	CHECK_EQ(delete_tasks(&a, 1, ROTA_DELETE_CASCADE | ROTA_DELETE_FORCE), 2);
	CHECK_STATUS(try_finish(verdict(lease, ROTA_OUTCOME_COMPLETE)), ROTA_NOT_FOUND, &err);
}

CASE(survivor_of_a_cascade_whose_edge_says_cancel_is_cancelled)
{
	rota_id a = PUT(), other = PUT(), b = PUT(AFTER(OR_CANCEL(ON(a)), ON(other)));

	CHECK_EQ(CASCADE(a), 1);
	CHECK_STATE(b, ROTA_STATE_CANCELLED);
}

CASE(ids_named_twice_and_parent_with_child_count_each_edge_once)
{
	/* parade's bug B5: dependents' counters were decremented once per mention. */
	rota_id a = PUT(), b = PUT(AFTER(ON(a))), o1 = PUT(), o2 = PUT();
	rota_id c = PUT(AFTER(ON(a), ON(b), ON(o1), ON(o2)));

	CHECK_EQ(CASCADE(a, a, b, a), 2);
	CHECK(gone(a) && gone(b));
	CHECK_STATE(c, ROTA_STATE_BLOCKED);
	CHECK_EQ(get(c)->pending, 2);
	run(o1);
	CHECK_STATE(c, ROTA_STATE_BLOCKED);
	run(o2);
	CHECK_STATE(c, ROTA_STATE_READY);
}

CASE(child_of_two_finished_parents_does_not_take_a_grandchild_with_a_live_parent)
{
	/* parade's bug B6: data loss. */
	rota_id p1 = PUT(), p2 = PUT(), child = PUT(AFTER(ON(p1), ON(p2))), live = PUT();
	rota_id grandchild = PUT(AFTER(ON(child), ON(live)));

	run(p1);
	run(p2);
	CHECK_EQ(CASCADE(p1, p2), 3);
	CHECK(gone(child));
	CHECK(!gone(grandchild));
	CHECK_EQ(get(grandchild)->pending, 1);
	run(live);
	CHECK_STATE(grandchild, ROTA_STATE_READY);
}

static void layers(size_t depth, size_t width, rota_id *ids, bool finished)
{
	for (size_t i = 0; i < depth; i++) {
		struct rota_dependency deps[32];

		for (size_t k = 0; k < width && i; k++)
			deps[k] = ON(ids[(i - 1) * width + k]);
		for (size_t k = 0; k < width; k++) {
			struct rota_task task = ROTA_TASK(.type = "layer");

			task.after = deps;
			task.after_count = i ? width : 0;
			ids[i * width + k] = put(task);
		}
	}
	for (size_t i = 0; i < depth * width && finished; i++)
		run(ids[i]);
}

CASE_LIMIT(cascade_over_a_deep_finished_graph_is_linear_in_its_edges, 30)
{
	/* parade's bug B7: the number of paths, 2^200 here; 32 tasks took it over a minute. */
	rota_id ids[400];

	layers(200, 2, ids, true);
	CHECK_EQ(CASCADE(ids[0], ids[1]), 400);
	layers(100, 4, ids, false);
	CHECK_EQ(CASCADE(ids[0], ids[1], ids[2], ids[3]), 400);
}

CASE_LIMIT(delete_of_a_finished_fan_in_of_ten_thousand_is_quick, 30)
{
	enum { N = 10000 };
	static struct rota_task tasks[N + 1];
	static struct rota_dependency deps[N];
	static rota_id ids[N + 1];

	for (size_t i = 0; i < N; i++) {
		tasks[i] = ROTA_TASK(.type = "part");
		deps[i] = ON_NTH(i + 1);
	}
	tasks[N] = ROTA_TASK(.type = "report", .after = deps, .after_count = N);
	put_all(tasks, N + 1, ids);
	CHECK_EQ(get(ids[N])->pending, N);
	CHECK_EQ(delete_tasks(ids, N, ROTA_DELETE_CASCADE), N + 1);
	CHECK(gone(ids[N]));
}

/* ---- purge ---- */

CASE(purge_deletes_all_of_a_queue_that_does_not_run)
{
	rota_id running = PUT(.queue = "q"), waits, other = PUT();
	rota_id first;
	uint64_t deleted = 0;

	take_id(running);
	first = PUT(.queue = "q");
	PUT(.queue = "q", .delay = 9);
	PUT(.queue = "q", .signals = 1);
	run(PUT(.queue = "q"));
	waits = PUT(AFTER(ON(first)));
	CHECK_OK(rota_queue_purge(store, "q", &deleted, &err), &err);
	CHECK_EQ(deleted, 4);
	CHECK_STATE(running, ROTA_STATE_RUNNING);
	CHECK_STATE(other, ROTA_STATE_READY);
	CHECK_STATE(waits, ROTA_STATE_READY);
	CHECK_EQ(get(waits)->failed_dependencies, 1);
	CHECK_OK(rota_queue_purge(store, "no such queue", &deleted, &err), &err);
	CHECK_EQ(deleted, 0);
}

CASE(purge_of_more_than_one_slice_goes_to_the_end)
{
	static struct rota_task tasks[ROTA_MAINTAIN_SLICE * 2 + 10];
	uint64_t deleted = 0;
	size_t n = sizeof(tasks) / sizeof(*tasks);

	for (size_t i = 0; i < n; i++)
		tasks[i] = ROTA_TASK(.queue = "q");
	put_all(tasks, n, NULL);
	CHECK_OK(rota_queue_purge(store, "q", &deleted, &err), &err);
	CHECK_EQ(deleted, n);
}

/* ---- retention ---- */

CASE(final_tasks_are_kept_a_day_or_thirty_by_default)
{
	rota_id done = PUT(), failed = PUT(), dropped = PUT(), waiting = PUT(.signals = 1);

	run(done);
	fail(take_id(failed));
	cancel(dropped);
	advance(ROTA_DEFAULT_KEEP_COMPLETED - 1);
	maintain();
	CHECK_STATE(done, ROTA_STATE_COMPLETED);
	advance(ROTA_SECONDS(2));
	maintain();
	CHECK(gone(done));
	CHECK_STATE(failed, ROTA_STATE_FAILED);
	advance(ROTA_DEFAULT_KEEP_FAILED);
	maintain();
	CHECK(gone(failed) && gone(dropped));
	CHECK_STATE(waiting, ROTA_STATE_BLOCKED);
}

CASE(retention_is_set_by_queue_and_final_state)
{
	struct rota_queue_settings settings = ROTA_QUEUE_SETTINGS_INIT;
	struct rota_queue_list *queues = NULL;
	rota_id done, failed, other;

	settings.keep_completed = ROTA_SECONDS(10);
	CHECK_OK(rota_queue_set(store, "q", &settings, &err), &err);
	settings.keep_completed = -1;
	settings.keep_failed = ROTA_FOREVER;
	CHECK_OK(rota_queue_set(store, "q", &settings, &err), &err);
	CHECK_OK(rota_queue_list(store, &queues, &err), &err);
	CHECK_EQ(queues->queues[0]->keep_completed, ROTA_SECONDS(10));
	CHECK_EQ(queues->queues[0]->keep_failed, ROTA_FOREVER);
	rota_queue_list_free(queues);
	done = PUT(.queue = "q");
	failed = PUT(.queue = "q");
	other = PUT();
	run(done);
	fail(take_id(failed));
	run(other);
	advance(ROTA_SECONDS(11));
	maintain();
	CHECK(gone(done));
	CHECK(!gone(other));
	advance(ROTA_SECONDS(86400) * 365 * 50);
	maintain();
	CHECK_STATE(failed, ROTA_STATE_FAILED);
}

CASE(keep_zero_deletes_at_the_end_after_successors_have_heard)
{
	rota_id a, b, c;

	keep(0, ROTA_FOREVER);
	a = PUT(.key = "a");
	b = PUT(AFTER(ON(a)));
	c = PUT();
	run(a);
	CHECK(gone(a));
	CHECK_STATE(b, ROTA_STATE_READY);
	CHECK_EQ(get(b)->failed_dependencies, 0);
	fail(take_id(c));
	CHECK_STATE(c, ROTA_STATE_FAILED);
}

CASE(keep_zero_of_failed_tasks_holds_for_expired_cancelled_and_cascaded_ones)
{
	rota_id a, b, c, d;

	keep(ROTA_FOREVER, 0);
	a = PUT(.expires_in = ROTA_SECONDS(5));
	b = PUT();
	c = PUT(AFTER(OR_CANCEL(ON(b))));
	d = PUT(.queue = "q", AFTER(ON(c)));
	cancel(b);
	CHECK(gone(b) && gone(c));
	CHECK_EQ(get(d)->failed_dependencies, 1);
	advance(ROTA_SECONDS(6));
	maintain();
	CHECK(gone(a));
	run(d);
	CHECK_STATE(d, ROTA_STATE_COMPLETED);
}

/* C waits for B and D; B goes by the same call that A's end would cancel it by, and counts once. */
CASE(task_that_expires_with_its_predecessor_and_is_not_kept_counts_once)
{
	rota_id gate = PUT(.queue = "q", .delay = ROTA_SECONDS(3600)), a, b, c, d;

	keep(ROTA_FOREVER, 0);
	a = PUT(.expires_in = ROTA_SECONDS(5), AFTER(ON(gate)));
	b = PUT(.expires_in = ROTA_SECONDS(5), AFTER(OR_CANCEL(ON(a))));
	d = PUT(.queue = "q", .delay = ROTA_SECONDS(3600));
	c = PUT(.queue = "q", AFTER(ON(b), ON(d)));
	advance(ROTA_SECONDS(6));
	maintain();
	CHECK(gone(a) && gone(b));
	CHECK_STATE(c, ROTA_STATE_BLOCKED);
	CHECK_EQ(get(c)->pending, 1);
	CHECK_EQ(get(c)->failed_dependencies, 1);
}

CASE(tasks_cancelled_in_one_call_and_not_kept_count_once_in_any_order)
{
	for (int order = 0; order < 6; order++) {
		static const int orders[6][3] = {
			{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
		enum rota_status each[3]; /* who went along with another is not found */
		rota_id ids[3], list[3], c, d;

		keep(ROTA_FOREVER, 0);
		ids[0] = PUT();
		ids[1] = PUT(AFTER(OR_CANCEL(ON(ids[0]))));
		ids[2] = PUT(.signals = 1, BEFORE(ON(ids[1])));
		d = PUT(.queue = "q", .delay = ROTA_SECONDS(3600));
		c = PUT(.queue = "q", AFTER(ON(ids[0]), ON(ids[1]), ON(ids[2]), ON(d)));
		for (int i = 0; i < 3; i++)
			list[i] = ids[orders[order][i]];
		CHECK_OK(rota_task_cancel(store, list, 3, NULL, each, &err), &err);
		CHECK(gone(ids[0]) && gone(ids[1]) && gone(ids[2]));
		CHECK_STATE(c, ROTA_STATE_BLOCKED);
		CHECK_EQ(get(c)->pending, 1);
		CHECK_EQ(get(c)->failed_dependencies, 3);
	}
}

CASE(pruned_task_is_not_found_by_a_late_resend)
{
	struct rota_verdict v;

	keep(0, 0);
	v = verdict(take_id(PUT()), ROTA_OUTCOME_COMPLETE);
	finish(v);
	CHECK_STATUS(try_finish(v), ROTA_NOT_FOUND, &err);
}

CASE(pruning_of_more_than_one_slice_goes_on_by_itself)
{
	static struct rota_task tasks[ROTA_MAINTAIN_SLICE + 50];
	static rota_id ids[ROTA_MAINTAIN_SLICE + 50];
	size_t n = sizeof(tasks) / sizeof(*tasks);

	for (size_t i = 0; i < n; i++)
		tasks[i] = ROTA_TASK(.signals = 1);
	put_all(tasks, n, ids);
	CHECK_OK(rota_task_cancel(store, ids, n, NULL, NULL, &err), &err);
	advance(ROTA_DEFAULT_KEEP_FAILED + ROTA_SECONDS(2));
	maintain();
	maintain();
	for (size_t i = 0; i < n; i++)
		CHECK(gone(ids[i]));
}
