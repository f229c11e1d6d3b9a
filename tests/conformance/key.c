/* Rule 5: keys. */
#include "suite.h"
#include "base/limits.h"

static rota_id find(const char *key)
{
	rota_id id = 0;
	enum rota_status status = rota_task_find(store, key, &id, &err);

	if (status == ROTA_NOT_FOUND)
		return 0;
	CHECK_OK(status, &err);
	return id;
}

/* A task with this key in each state. */
static rota_id make(enum rota_state state, const char *key)
{
	rota_id id = PUT(.key = key, .signals = state == ROTA_STATE_BLOCKED,
		.delay = state == ROTA_STATE_SCHEDULED ? ROTA_SECONDS(100) : 0, .payload = TEXT("old"));

	if (state == ROTA_STATE_RUNNING)
		take_id(id);
	if (state == ROTA_STATE_COMPLETED)
		run(id);
	if (state == ROTA_STATE_FAILED)
		fail(take_id(id));
	if (state == ROTA_STATE_CANCELLED)
		cancel(id);
	CHECK_STATE(id, state);
	return id;
}

CASE(key_is_taken_in_every_state_and_reject_says_by_whom)
{
	for (int state = 0; state < 7; state++) {
		char key[16];
		struct rota_task task = ROTA_TASK(.key = key);
		const char *before;

		snprintf(key, sizeof(key), "k%d", state);
		make((enum rota_state)state, key);
		before = picture();
		CHECK_STATUS(try_put(&task, 1), ROTA_EXISTS, &err);
		CHECK_HAS(err.message, key);
		CHECK_EQ(err.item, 1);
		CHECK_UNCHANGED(before);
	}
}

CASE(ignore_answers_the_id_of_whoever_has_the_key_in_every_state)
{
	for (int state = 0; state < 7; state++) {
		char key[16];
		rota_id id;
		const char *before;

		snprintf(key, sizeof(key), "k%d", state);
		id = make((enum rota_state)state, key);
		before = picture();
		CHECK_EQ(PUT(.key = key, .on_conflict = ROTA_CONFLICT_IGNORE, .payload = TEXT("new")), id);
		CHECK_UNCHANGED(before);
	}
}

CASE(replace_changes_a_waiting_task_and_keeps_its_id)
{
	struct rota_retry retry = ROTA_INIT(rota_retry);

	retry.attempts_max = 3;
	for (int state = ROTA_STATE_BLOCKED; state <= ROTA_STATE_READY; state++) {
		char key[16];
		rota_id id;
		const struct rota_task_info *t;

		snprintf(key, sizeof(key), "k%d", state);
		id = make((enum rota_state)state, key);
		CHECK_EQ(PUT(.key = key, .on_conflict = ROTA_CONFLICT_REPLACE, .payload = TEXT("newer"),
			.type = "other", .queue = "q", .title = "T", .priority = 3, .timeout = 4, .stall = 5,
			.expires_in = ROTA_SECONDS(900), .retry = &retry), id);
		t = get(id);
		CHECK_STR(t->key, key);
		CHECK_EQ(t->payload.size, 5);
		CHECK_STR(t->type, "other");
		CHECK_STR(t->queue, "q");
		CHECK_STR(t->title, "T");
		CHECK_EQ(t->priority, 3);
		CHECK_EQ(t->timeout, 4);
		CHECK_EQ(t->stall, 5);
		CHECK_EQ(t->expires_at, now() + ROTA_SECONDS(900));
		CHECK_EQ(t->attempts_max, 3);
		CHECK_EQ(t->run_at, now());
		CHECK_STR(rota_state_name(t->state), state == ROTA_STATE_BLOCKED ? "blocked" : "ready");
	}
	CHECK_EQ(CLAIM(.tasks_max = 5)->count, 2);
}

CASE(replace_may_move_a_ready_task_into_the_future)
{
	rota_id id = PUT(.key = "a");

	PUT(.key = "a", .on_conflict = ROTA_CONFLICT_REPLACE, .delay = ROTA_SECONDS(20));
	CHECK_STATE(id, ROTA_STATE_SCHEDULED);
	take_none();
	advance(ROTA_SECONDS(20));
	CHECK_EQ(take().id, id);
}

CASE(replace_of_a_running_or_final_task_is_refused)
{
	for (int state = ROTA_STATE_RUNNING; state < 7; state++) {
		char key[16];
		struct rota_task task = ROTA_TASK(.key = key, .on_conflict = ROTA_CONFLICT_REPLACE);
		const char *before;

		snprintf(key, sizeof(key), "k%d", state);
		make((enum rota_state)state, key);
		before = picture();
		CHECK_STATUS(try_put(&task, 1), ROTA_EXISTS, &err);
		CHECK_UNCHANGED(before);
	}
}

CASE(replace_never_changes_edges_or_signals)
{
	rota_id first = PUT(), a = PUT(.key = "a", .signals = 1, AFTER(ON(first))), b = PUT(AFTER(ON(a)));
	rota_id other = PUT();

	CHECK_EQ(PUT(.key = "a", .on_conflict = ROTA_CONFLICT_REPLACE, .signals = 7, AFTER(ON(other))), a);
	CHECK_EQ(get(a)->pending, 2);
	CHECK_EQ(get(a)->predecessor_count, 1);
	CHECK_EQ(get(a)->successor_count, 1);
	CHECK_EQ(get(b)->pending, 1);
}

CASE(replaced_task_is_no_longer_in_time_for_the_holder_of_a_lost_lease)
{
	rota_id id = PUT(.key = "a");
	struct lease lease = take_id(id);

	advance(ROTA_DEFAULT_CLAIM_LEASE);
	maintain();
	PUT(.key = "a", .on_conflict = ROTA_CONFLICT_REPLACE, .payload = TEXT("new"));
	CHECK_STATUS(try_finish(verdict(lease, ROTA_OUTCOME_COMPLETE)), ROTA_STALE_LEASE, &err);
	CHECK_EQ(take_id(id).token, 2);
}

CASE(ignored_tasks_edges_are_not_added)
{
	rota_id first = PUT(), a = PUT(.key = "a"), blocked = PUT(.signals = 1);
	const char *before = picture();

	CHECK_EQ(PUT(.key = "a", .on_conflict = ROTA_CONFLICT_IGNORE, AFTER(ON(first)), BEFORE(ON(blocked))), a);
	CHECK_UNCHANGED(before);
}

CASE(edges_may_name_an_ignored_task_by_its_place)
{
	rota_id a = PUT(.key = "a"), ids[2];
	struct rota_task tasks[] = { ROTA_TASK(.key = "a", .on_conflict = ROTA_CONFLICT_IGNORE),
		ROTA_TASK(AFTER(ON_NTH(1))) };

	put_all(tasks, 2, ids);
	CHECK_EQ(ids[0], a);
	CHECK_EQ(get(ids[1])->predecessors[0]->task, a);
}

CASE(same_key_twice_in_one_call_meets_the_first)
{
	struct rota_task reject[] = { ROTA_TASK(.key = "a"), ROTA_TASK(.key = "a") };
	struct rota_task ignore[] = { ROTA_TASK(.key = "b"),
		ROTA_TASK(.key = "b", .on_conflict = ROTA_CONFLICT_IGNORE) };
	struct rota_task replace[] = { ROTA_TASK(.key = "c"),
		ROTA_TASK(.key = "c", .on_conflict = ROTA_CONFLICT_REPLACE, .priority = 8) };
	rota_id ids[2];

	CHECK_STATUS(try_put(reject, 2), ROTA_EXISTS, &err);
	CHECK_EQ(err.item, 2);
	CHECK_EQ(find("a"), 0);
	put_all(ignore, 2, ids);
	CHECK_EQ(ids[0], ids[1]);
	put_all(replace, 2, ids);
	CHECK_EQ(ids[0], ids[1]);
	CHECK_EQ(get(ids[0])->priority, 8);
	CHECK_STATE(ids[0], ROTA_STATE_READY);
}

CASE(conflict_with_many_others_in_the_call_refuses_all_and_names_the_item)
{
	static struct rota_task tasks[500];
	static char keys[500][8];
	const char *before;

	PUT(.key = "k321");
	before = picture();
	for (size_t i = 0; i < 500; i++) {
		snprintf(keys[i], sizeof(keys[i]), "k%zu", i);
		tasks[i] = ROTA_TASK(.key = keys[i]);
	}
	CHECK_STATUS(try_put(tasks, 500), ROTA_EXISTS, &err);
	CHECK_EQ(err.item, 322);
	CHECK_UNCHANGED(before);
}

CASE(key_is_free_again_when_the_task_is_gone)
{
	rota_id id = PUT(.key = "a");

	CHECK_EQ(find("a"), id);
	delete_one(id);
	CHECK_EQ(find("a"), 0);
	CHECK(PUT(.key = "a") > id);
	keep(0, 0);
	run(find("a"));
	CHECK_EQ(find("a"), 0);
	PUT(.key = "a");
}

CASE(very_long_keys_work_and_longer_ones_are_refused)
{
	char key[ROTA_KEY_BYTES_MAX + 2];
	struct rota_task task = ROTA_TASK(.key = key);
	rota_id id;

	memset(key, 'k', sizeof(key));
	key[ROTA_KEY_BYTES_MAX] = 0;
	id = put(task);
	CHECK_EQ(find(key), id);
	delete_one(id);
	key[ROTA_KEY_BYTES_MAX] = 'k';
	key[ROTA_KEY_BYTES_MAX + 1] = 0;
	CHECK_STATUS(try_put(&task, 1), ROTA_LIMIT, &err);
}

/* ---- dedup_for: the name stays taken for a time after the end ---- */

CASE(dedup_for_keeps_the_key_of_a_pruned_task_for_that_long_after_its_end)
{
	struct rota_task again = ROTA_TASK(.key = "a");
	rota_id id;

	keep(0, 0);
	id = PUT(.key = "a", .dedup_for = ROTA_SECONDS(60));
	run(id);
	CHECK(gone(id));
	CHECK_EQ(find("a"), 0);
	advance(ROTA_SECONDS(60) - 1);
	CHECK_STATUS(try_put(&again, 1), ROTA_EXISTS, &err);
	again.on_conflict = ROTA_CONFLICT_REPLACE;
	CHECK_STATUS(try_put(&again, 1), ROTA_EXISTS, &err);
	CHECK_EQ(PUT(.key = "a", .on_conflict = ROTA_CONFLICT_IGNORE), id);
	advance(1);
	again.on_conflict = ROTA_CONFLICT_REJECT;
	CHECK(put(again) > id);
}

CASE(key_of_a_task_that_still_exists_is_taken_however_long_ago_dedup_ended)
{
	struct rota_task again = ROTA_TASK(.key = "a");
	rota_id id;

	keep(ROTA_FOREVER, ROTA_FOREVER);
	id = PUT(.key = "a", .dedup_for = ROTA_SECONDS(1));
	run(id);
	advance(ROTA_SECONDS(86400) * 365);
	maintain();
	CHECK_STATUS(try_put(&again, 1), ROTA_EXISTS, &err);
	CHECK_EQ(find("a"), id);
}

CASE(dedup_for_ever_keeps_the_key_for_ever)
{
	struct rota_task again = ROTA_TASK(.key = "a");

	keep(0, 0);
	run(PUT(.key = "a", .dedup_for = ROTA_FOREVER));
	advance(ROTA_SECONDS(86400) * 365 * 400);
	maintain();
	CHECK_STATUS(try_put(&again, 1), ROTA_EXISTS, &err);
}

CASE(explicit_delete_frees_the_key_unless_dedup_for_was_given)
{
	rota_id plain = PUT(.key = "a"), dedup = PUT(.key = "b", .dedup_for = ROTA_SECONDS(60));
	struct rota_task again = ROTA_TASK(.key = "b");

	delete_one(plain);
	delete_one(dedup);
	PUT(.key = "a");
	advance(ROTA_SECONDS(60) - 1);
	CHECK_STATUS(try_put(&again, 1), ROTA_EXISTS, &err);
	advance(1);
	CHECK_OK(try_put(&again, 1), &err);
}

CASE(name_kept_after_the_end_answers_with_its_final_state_as_predecessor)
{
	rota_id a, b, c;

	keep(0, 0);
	run(PUT(.key = "good", .dedup_for = ROTA_SECONDS(60)));
	fail(take_id(PUT(.key = "bad", .dedup_for = ROTA_SECONDS(60))));
	a = PUT(AFTER(ON_KEY("good")));
	b = PUT(AFTER(ON_KEY("good"), ON_KEY("bad"), ON_KEY("bad")));
	CHECK_STATE(a, ROTA_STATE_READY);
	CHECK_EQ(get(a)->failed_dependencies, 0);
	CHECK_STATE(b, ROTA_STATE_READY);
	CHECK_EQ(get(b)->failed_dependencies, 1);
	keep(0, ROTA_FOREVER);
	c = PUT(AFTER(OR_CANCEL(ON_KEY("bad"))));
	CHECK_STATE(c, ROTA_STATE_CANCELLED);
}

CASE(edges_may_name_by_its_place_a_task_that_met_a_name_kept_after_the_end)
{
	struct rota_task tasks[] = { ROTA_TASK(.key = "a", .on_conflict = ROTA_CONFLICT_IGNORE),
		ROTA_TASK(.key = "b", .on_conflict = ROTA_CONFLICT_IGNORE), ROTA_TASK(AFTER(ON_NTH(1), ON_NTH(2))) };
	rota_id a, ids[3];

	keep(0, 0);
	a = PUT(.key = "a", .dedup_for = ROTA_SECONDS(60));
	run(a);
	fail(take_id(PUT(.key = "b", .dedup_for = ROTA_SECONDS(60))));
	put_all(tasks, 3, ids);
	CHECK_EQ(ids[0], a);
	CHECK_STATE(ids[2], ROTA_STATE_READY);
	CHECK_EQ(get(ids[2])->failed_dependencies, 1);
}

CASE(task_run_again_by_an_operator_has_its_key_and_keeps_it)
{
	rota_id id = PUT(.key = "a", .dedup_for = ROTA_SECONDS(10));

	run(id);
	advance(ROTA_SECONDS(60));
	operator_retry(id);
	CHECK_EQ(find("a"), id);
	run(id);
	keep(0, 0);
	maintain();
	CHECK(gone(id));
	CHECK_EQ(PUT(.key = "a", .on_conflict = ROTA_CONFLICT_IGNORE), id);
}
