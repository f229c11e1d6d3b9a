/* The scenarios of lakeFS parade's own tests, by their names, in this store's words. */
#include "suite.h"
#include "base/limits.h"

#define QUIET .worker = "tester"

/* Claims up to max of these types; answers how many, and their ids. */
static size_t own(size_t max, const char *const *types, size_t n, rota_duration lease, struct lease *out)
{
	struct rota_claims *claims = CLAIM(QUIET, .types = types, .type_count = n, .tasks_max = max, .lease = lease);

	for (size_t i = 0; i < claims->count; i++)
		out[i] = (struct lease){ claims->tasks[i]->id, claims->tasks[i]->token, claims->tasks[i] };
	return claims->count;
}

static rota_id found(const char *key)
{
	rota_id id = 0;

	CHECK_OK(rota_task_find(store, key, &id, &err), &err);
	return id;
}

static bool there(const char *key)
{
	rota_id id;

	return rota_task_find(store, key, &id, NULL) == ROTA_OK;
}

CASE(parade_own)
{
	static const char *const types[] = { "frob", "broz" };
	struct lease first[2], second[2];

	PUT(.key = "000", .type = "never");
	PUT(.key = "111", .type = "frob");
	PUT(.key = "123", .type = "broz");
	PUT(.key = "222", .type = "broz");
	CHECK_EQ(own(2, types, 2, 0, first), 2);
	CHECK_EQ(own(2, types, 2, 0, second), 1);
	CHECK_STR(first[0].task->key, "111");
	CHECK_STR(first[1].task->key, "123");
	CHECK_STR(second[0].task->key, "222");
}

CASE(parade_own_body)
{
	static const char *const types[] = { "yes", "no" };
	static const char body[] = "\"the quick brown fox jumped over the lazy dog\"";
	struct lease leases[2];

	PUT(.key = "body", .type = "yes", .payload = TEXT(body));
	PUT(.key = "nobody", .type = "no");
	CHECK_EQ(own(2, types, 2, 0, leases), 2);
	CHECK_EQ(leases[0].task->payload.size, sizeof(body) - 1);
	CHECK(!memcmp(leases[0].task->payload.data, body, sizeof(body) - 1));
	CHECK(!leases[1].task->payload.data);
}

CASE(parade_own_after_deadline_elapsed)
{
	static const char *const types[] = { "frob" };
	struct lease tortoise, hare;

	PUT(.key = "111", .type = "frob");
	CHECK_EQ(own(1, types, 1, ROTA_SECONDS(1), &tortoise), 1);
	CHECK_EQ(own(1, types, 1, ROTA_SECONDS(1), &hare), 0);
	advance(ROTA_SECONDS(2));
	maintain();
	advance(ROTA_SECONDS(1));
	CHECK_EQ(own(1, types, 1, ROTA_SECONDS(1), &hare), 1);
	CHECK_EQ(hare.id, tortoise.id);
	CHECK(hare.token > tortoise.token);
}

CASE(parade_return_task_directly_and_retry)
{
	static const char *const types[] = { "frob", "broz" };
	struct lease l[4];

	PUT(.key = "111", .type = "frob");
	PUT(.key = "123", .type = "broz");
	PUT(.key = "222", .type = "broz");
	CHECK_EQ(own(4, types, 2, 0, l), 3);
	complete(l[0]);
	/* The same return again is answered OK here: a lost answer can be asked for again. */
	complete(l[0]);
	CHECK_STATUS(try_finish(verdict(l[0], ROTA_OUTCOME_FAIL)), ROTA_COMPLETED, &err);
	retry_at_once(l[1]);
	CHECK_EQ(own(4, types, 2, 0, l), 1);
	CHECK_STR(l[0].task->key, "123");
	CHECK_EQ(l[0].task->failed_dependencies, 0);
}

CASE(parade_return_task_counts_failures)
{
	struct lease end;

	PUT(.key = "success", .type = "part");
	PUT(.key = "failure", .type = "part");
	PUT(.key = "end", .type = "end", AFTER(ON_KEY("success"), ON_KEY("failure")));
	run(found("success"));
	fail(take_id(found("failure")));
	end = take();
	CHECK_STR(end.task->key, "end");
	CHECK_EQ(end.task->failed_dependencies, 1);
}

CASE(parade_return_task_retry_until_failed)
{
	struct rota_retry seven = ROTA_INIT(rota_retry);
	static const char *const types[] = { "fail", "report" };
	struct lease l[2];

	seven.attempts_max = 7;
	PUT(.key = "try_till_failure", .type = "fail", .retry = &seven);
	PUT(.key = "end", .type = "report", AFTER(ON_KEY("try_till_failure")));
	for (int i = 0; i < 7; i++) {
		CHECK_EQ(own(2, types, 2, 0, l), 1);
		CHECK_STR(l[0].task->key, "try_till_failure");
		retry_at_once(l[0]);
	}
	CHECK_EQ(own(2, types, 2, 0, l), 1);
	CHECK_STR(l[0].task->key, "end");
	/* parade's bug B9: used-up attempts did not count as a failure. */
	CHECK_EQ(l[0].task->failed_dependencies, 1);
	CHECK_STATE(found("try_till_failure"), ROTA_STATE_FAILED);
}

CASE(parade_return_task_retry_multi)
{
	struct rota_retry seven = ROTA_INIT(rota_retry);
	static const char *const types[] = { "frob" };
	struct lease l;

	seven.attempts_max = 7;
	seven.backoff_min = seven.backoff_max = 1;
	PUT(.key = "111", .type = "frob", .retry = &seven);
	for (int i = 0; i < 7; i++) {
		CHECK_EQ(own(1, types, 1, ROTA_MS(250), &l), 1);
		if (i % 2) {
			retry_at_once(l);
			continue;
		}
		advance(ROTA_SECONDS(1));
		maintain();
		advance(1);
	}
	advance(ROTA_SECONDS(10));
	CHECK_EQ(own(1, types, 1, ROTA_MS(250), &l), 0);
	/* parade's bug B10: used up by a lost lease, it was stuck for ever. */
	CHECK_STATE(found("111"), ROTA_STATE_FAILED);
}

CASE(parade_extend_task_duration_of_an_unowned_task)
{
	rota_id id = PUT(.key = "111");

	CHECK_STATUS(rota_task_extend(store, id, 77, ROTA_SECONDS(1), NULL, &err), ROTA_STALE_LEASE, &err);
}

CASE(parade_extend_task_duration_of_an_owned_task)
{
	struct lease l = take_for(PUT(.key = "111"), ROTA_MS(100));

	CHECK_OK(rota_task_extend(store, l.id, l.token, ROTA_SECONDS(1), NULL, &err), &err);
	advance(ROTA_MS(300));
	take_none();
}

CASE(parade_extend_fails_when_another_actor_steals)
{
	struct lease first = take_for(PUT(.key = "222"), ROTA_MS(100)), second = { 0 };

	for (int i = 0; i < 50 && !second.id; i++) {
		struct rota_claims *claims;

		advance(ROTA_MS(100));
		claims = CLAIM(.worker = "thief");
		if (claims->count)
			second = (struct lease){ claims->tasks[0]->id, claims->tasks[0]->token, NULL };
	}
	CHECK_EQ(second.id, first.id);
	CHECK_STATUS(rota_task_extend(store, first.id, first.token, ROTA_SECONDS(1), NULL, &err),
		ROTA_STALE_LEASE, &err);
}

CASE(parade_dependencies)
{
	/* Tasks 1 to 63; each waits for all its proper divisors. */
	struct rota_task tasks[63];
	struct rota_dependency deps[63][63];
	rota_id ids[63];
	bool done[64] = { false };
	int left = 63;

	for (size_t i = 1; i <= 63; i++) {
		tasks[i - 1] = ROTA_TASK(.type = "divide", .after = deps[i - 1]);
		for (size_t k = 1; k < i; k++) {
			if (i % k == 0)
				deps[i - 1][tasks[i - 1].after_count++] = ON_NTH(k);
		}
	}
	put_all(tasks, 63, ids);
	while (left) {
		struct rota_claims *claims = CLAIM(.tasks_max = 17);

		CHECK(claims->count > 0);
		for (size_t c = 0; c < claims->count; c++) {
			size_t n = (size_t)(claims->tasks[c]->id - ids[0]) + 1;

			for (size_t k = 1; k < n; k++)
				CHECK_MSG(n % k != 0 || done[k], "task %zu came before its divisor %zu", n, k);
		}
		for (size_t c = 0; c < claims->count; c++) {
			complete((struct lease){ claims->tasks[c]->id, claims->tasks[c]->token, NULL });
			done[claims->tasks[c]->id - ids[0] + 1] = true;
			left--;
		}
	}
	take_none();
}

/* ---- TestDeleteTasks: parade's delete is a cascade ---- */

static void delete_key(const char *key)
{
	rota_id id = found(key);

	CHECK(delete_tasks(&id, 1, ROTA_DELETE_CASCADE) > 0);
}

/* "2 of 3 signalled": that many predecessors that are over already. */
static void done_first(const char *key)
{
	run(PUT(.key = key));
}

CASE(parade_delete_tasks_chain_with_extra_link)
{
	done_first("extra");
	PUT(.key = "a0");
	PUT(.key = "a1", AFTER(ON_KEY("a0")));
	PUT(.key = "a2", AFTER(ON_KEY("a1")));
	PUT(.key = "a3", AFTER(ON_KEY("a0"), ON_KEY("a2"), ON_KEY("extra")));
	delete_key("a0");
	CHECK(!there("a0") && !there("a1") && !there("a2") && !there("a3"));
}

CASE(parade_delete_tasks_delete_only_one_dep)
{
	PUT(.key = "b0");
	PUT(.key = "b1");
	PUT(.key = "b2", AFTER(ON_KEY("b0"), ON_KEY("b1")));
	delete_key("b0");
	CHECK(!there("b0") && there("b1") && there("b2"));
}

CASE(parade_delete_tasks_treelike)
{
	PUT(.key = "c0");
	PUT(.key = "c1", AFTER(ON_KEY("c0")));
	PUT(.key = "c2", AFTER(ON_KEY("c0")));
	PUT(.key = "c3", AFTER(ON_KEY("c1")));
	PUT(.key = "c4", AFTER(ON_KEY("c1"), ON_KEY("c2")));
	PUT(.key = "c5", AFTER(ON_KEY("c2"), ON_KEY("c3")));
	PUT(.key = "c6", AFTER(ON_KEY("c3")));
	delete_key("c0");
	for (int i = 0; i < 7; i++)
		CHECK(!there((char[]){ 'c', (char)('0' + i), 0 }));
}

CASE(parade_delete_tasks_delete_done)
{
	PUT(.key = "other");
	PUT(.key = "d0");
	PUT(.key = "d1", AFTER(ON_KEY("d0"), ON_KEY("other")));
	run(found("d0"));
	delete_key("d0");
	CHECK(!there("d0") && there("d1"));
}

CASE(parade_delete_tasks_delete_in_progress)
{
	done_first("other");
	PUT(.key = "e0");
	PUT(.key = "e1", AFTER(ON_KEY("e0"), ON_KEY("other")));
	delete_key("e0");
	CHECK(!there("e0") && !there("e1"));
}

/* ---- BenchmarkFanIn, in small ---- */

CASE_LIMIT(parade_fan_in, 60)
{
	enum { PARTS = 4000, SHARDS = 16 };
	static struct rota_task tasks[PARTS + SHARDS + 1];
	static struct rota_dependency deps[SHARDS][PARTS], shard_deps[SHARDS];
	size_t parts = 0, shards = 0, done = 0;

	for (size_t s = 0; s < SHARDS; s++) {
		tasks[PARTS + s] = ROTA_TASK(.type = "spontaneous", .after = deps[s]);
		shard_deps[s] = ON_NTH(PARTS + s + 1);
	}
	for (size_t i = 0; i < PARTS; i++) {
		size_t shard = i / 100 % SHARDS;

		tasks[i] = ROTA_TASK(.type = "part");
		deps[shard][tasks[PARTS + shard].after_count++] = ON_NTH(i + 1);
	}
	tasks[PARTS + SHARDS] = ROTA_TASK(.type = "done", .after = shard_deps, .after_count = SHARDS);
	put_all(tasks, PARTS + SHARDS + 1, NULL);
	for (;;) {
		struct rota_claims *claims = CLAIM(.tasks_max = 700);
		static struct rota_verdict v[700];

		if (!claims->count)
			break;
		for (size_t i = 0; i < claims->count; i++) {
			const struct rota_claimed *t = claims->tasks[i];

			parts += !strcmp(t->type, "part");
			shards += !strcmp(t->type, "spontaneous");
			done += !strcmp(t->type, "done");
			CHECK(strcmp(t->type, "done") || shards == SHARDS);
			v[i] = verdict((struct lease){ t->id, t->token, NULL }, ROTA_OUTCOME_COMPLETE);
		}
		CHECK_OK(rota_task_finish(store, v, claims->count, NULL, &err), &err);
	}
	CHECK_EQ(parts, PARTS);
	CHECK_EQ(shards, SHARDS);
	CHECK_EQ(done, 1);
}

/* ---- gaps and bugs of the original that no other test here names ---- */

CASE(parade_duplicate_insert_is_atomic)
{
	struct rota_task tasks[] = { ROTA_TASK(.key = "one"), ROTA_TASK(.key = "two"), ROTA_TASK(.key = "one") };

	CHECK_STATUS(try_put(tasks, 3), ROTA_EXISTS, &err);
	CHECK(!there("one") && !there("two"));
}

CASE(parade_late_return_succeeds_until_somebody_else_has_it)
{
	struct lease l = take_for(PUT(), ROTA_MS(1));

	advance(ROTA_SECONDS(1));
	complete(l);
	CHECK_STATE(l.id, ROTA_STATE_COMPLETED);
}

CASE(parade_over_signalled_task_is_not_stuck)
{
	/* B11: one signal more than counted made it unclaimable for ever. */
	rota_id id = PUT(.signals = 1);

	CHECK_OK(rota_task_signal(store, id, NULL, &err), &err);
	CHECK_STATUS(rota_task_signal(store, id, NULL, &err), ROTA_WRONG_STATE, &err);
	CHECK_EQ(take().id, id);
}

CASE(parade_predecessor_that_ends_before_its_dependent_is_inserted_is_not_lost)
{
	/* B12 */
	run(PUT(.key = "parent"));
	CHECK_EQ(take_id(PUT(AFTER(ON_KEY("parent")))).task->failed_dependencies, 0);
}

CASE(parade_long_ids_and_long_channels_can_be_returned_and_deleted)
{
	/* B13: ids above 64 bytes could not be deleted, channels of 64 made a task unreturnable. */
	char key[201], channel[101];
	rota_id id;

	memset(key, 'i', 200);
	key[200] = 0;
	memset(channel, 'c', 100);
	channel[100] = 0;
	id = PUT(.key = key, .notify_channel = channel);
	run(id);
	delete_one(id);
	CHECK(!there(key));
}

CASE(parade_delete_and_return_of_the_same_parent_in_one_group_leave_the_dependent_right)
{
	/* B14: they deadlocked, or left the dependent stuck. */
	rota_id parent = PUT(), other = PUT(), child = PUT(AFTER(ON(parent), ON(other)));

	complete(take_id(parent));
	delete_one(parent);
	CHECK_EQ(get(child)->pending, 1);
	run(other);
	CHECK_EQ(take().id, child);
}
