/* Who gets what, and in which order. */
#include "suite.h"
#include "base/limits.h"

CASE(claims_come_by_priority_then_time_then_id)
{
	rota_id late = PUT(.run_at = now() + 20), low, first, second, urgent;
	struct rota_claims *claims;

	low = PUT(.priority = 5);
	first = PUT();
	second = PUT();
	urgent = PUT(.priority = -5, .run_at = now() + 10);
	advance(30);
	claims = CLAIM(.tasks_max = 10);
	CHECK_EQ(claims->count, 5);
	CHECK_EQ(claims->tasks[0]->id, urgent);
	CHECK_EQ(claims->tasks[1]->id, first);
	CHECK_EQ(claims->tasks[2]->id, second);
	CHECK_EQ(claims->tasks[3]->id, late);
	CHECK_EQ(claims->tasks[4]->id, low);
}

CASE(first_in_first_out_within_a_queue)
{
	rota_id ids[20];

	for (size_t i = 0; i < 20; i++)
		ids[i] = PUT();
	for (size_t i = 0; i < 20; i++)
		CHECK_EQ(take().id, ids[i]);
}

CASE(order_holds_across_queues_and_types)
{
	rota_id a = PUT(.queue = "q1", .type = "t1", .priority = 3), b = PUT(.queue = "q2", .type = "t2");
	rota_id c = PUT(.queue = "q1", .type = "t2", .priority = 1), d = PUT(.queue = "q2", .type = "t1");
	struct rota_claims *claims = CLAIM(.tasks_max = 4);

	CHECK_EQ(claims->count, 4);
	CHECK_EQ(claims->tasks[0]->id, b);
	CHECK_EQ(claims->tasks[1]->id, d);
	CHECK_EQ(claims->tasks[2]->id, c);
	CHECK_EQ(claims->tasks[3]->id, a);
}

CASE(claim_gives_no_more_than_asked_and_one_by_default)
{
	for (int i = 0; i < 5; i++)
		PUT();
	CHECK_EQ(CLAIM()->count, 1);
	CHECK_EQ(CLAIM(.tasks_max = 3)->count, 3);
	CHECK_EQ(CLAIM(.tasks_max = 3)->count, 1);
	CHECK_EQ(CLAIM(.tasks_max = 3)->count, 0);
}

CASE(claim_by_types_takes_those_and_leaves_the_others)
{
	static const char *const types[] = { "frob", "broz", "frob" };
	rota_id never = PUT(.type = "never"), frob = PUT(.type = "frob"), broz = PUT(.type = "broz");
	struct rota_claims *claims = CLAIM(.types = types, .type_count = 3, .tasks_max = 10);

	CHECK_EQ(claims->count, 2);
	CHECK_EQ(claims->tasks[0]->id, frob);
	CHECK_EQ(claims->tasks[1]->id, broz);
	CHECK_STATE(never, ROTA_STATE_READY);
	CHECK_EQ(CLAIM(.types = types, .type_count = 3)->count, 0);
}

CASE(claim_by_queues_takes_from_those_only)
{
	static const char *const queues[] = { "q2", "idle", "q3" };
	rota_id other = PUT(.queue = "q1"), a = PUT(.queue = "q3"), b = PUT(.queue = "q2");
	struct rota_claims *claims = CLAIM(.queues = queues, .queue_count = 3, .tasks_max = 10);

	CHECK_EQ(claims->count, 2);
	CHECK_EQ(claims->tasks[0]->id, a);
	CHECK_EQ(claims->tasks[1]->id, b);
	CHECK_STATE(other, ROTA_STATE_READY);
}

CASE(types_that_nobody_handles_wait_visibly_and_fail_nothing)
{
	static const char *const types[] = { "known" };
	rota_id id = PUT(.type = "unknown");

	CHECK_EQ(CLAIM(.types = types, .type_count = 1)->count, 0);
	advance(ROTA_SECONDS(86400) * 100);
	CHECK_EQ(CLAIM(.types = types, .type_count = 1)->count, 0);
	CHECK_STATE(id, ROTA_STATE_READY);
}

CASE(claimed_task_says_everything_that_its_handler_needs)
{
	rota_id id = PUT(.type = "t", .queue = "q", .key = "k1", .title = "T", .payload = TEXT("body"),
		.content_type = "text/plain", .partition = "p", .traceparent = "tp", .priority = 4,
		.timeout = 11, .stall = 12);
	const struct rota_claimed *t = take().task;

	CHECK_EQ(t->id, id);
	CHECK(t->token > 0);
	CHECK_STR(t->type, "t");
	CHECK_STR(t->queue, "q");
	CHECK_STR(t->key, "k1");
	CHECK_STR(t->title, "T");
	CHECK_EQ(t->payload.size, 4);
	CHECK_STR(t->content_type, "text/plain");
	CHECK_STR(t->partition, "p");
	CHECK_STR(t->traceparent, "tp");
	CHECK_EQ(t->priority, 4);
	CHECK_EQ(t->attempt, 1);
	CHECK_EQ(t->attempts_max, ROTA_DEFAULT_ATTEMPTS);
	CHECK_EQ(t->timeout, 11);
	CHECK_EQ(t->stall, 12);
	CHECK_EQ(t->run_at, now());
	CHECK_EQ(t->created_at, now());
	CHECK_EQ(t->lease_until, now() + ROTA_DEFAULT_CLAIM_LEASE);
}

CASE(running_task_says_who_has_it_and_until_when)
{
	rota_id id = PUT();
	const struct rota_task_info *t;

	advance(5);
	take_for(id, ROTA_SECONDS(10));
	advance(ROTA_SECONDS(4));
	t = get(id);
	CHECK_STR(rota_state_name(t->state), "running");
	CHECK_STR(t->worker, "somebody");
	CHECK_EQ(t->lease_until, now() + ROTA_SECONDS(6));
	CHECK_EQ(t->started_at, now() - ROTA_SECONDS(4));
	CHECK_EQ(t->attempt, 1);
}

CASE(task_is_never_claimed_twice_at_once)
{
	for (int i = 0; i < 100; i++)
		PUT();
	CHECK_EQ(CLAIM(.tasks_max = 70)->count, 70);
	CHECK_EQ(CLAIM(.tasks_max = 70)->count, 30);
	CHECK_EQ(CLAIM(.tasks_max = 70)->count, 0);
}

CASE(claim_by_ids_takes_exactly_those_and_says_why_one_is_missing)
{
	rota_id ready = PUT(), leased = PUT(), later = PUT(.delay = 5), blocked = PUT(.signals = 1);
	rota_id paused = PUT(.queue = "paused"), done = PUT(), failed = PUT(), dropped = PUT(), other = PUT();
	rota_id ids[] = { ready, leased, later, blocked, paused, done, failed, dropped, 999999 };
	static const enum rota_status want[] = { ROTA_OK, ROTA_WRONG_STATE, ROTA_WRONG_STATE,
		ROTA_WRONG_STATE, ROTA_WRONG_STATE, ROTA_COMPLETED, ROTA_FAILED, ROTA_CANCELLED, ROTA_NOT_FOUND };
	enum rota_status each[9];
	struct rota_claim_options o = ROTA_INIT(rota_claim_options);
	struct rota_claims *claims = NULL;

	take_id(leased);
	run(done);
	fail(take_id(failed));
	cancel(dropped);
	CHECK_OK(rota_queue_pause(store, "paused", &err), &err);
	o.ids = ids;
	o.id_count = 9;
	CHECK_OK(rota_task_claim(store, &o, &claims, each, &err), &err);
	CHECK_EQ(claims->count, 1);
	CHECK_EQ(claims->tasks[0]->id, ready);
	for (size_t i = 0; i < 9; i++)
		CHECK_STR(rota_status_name(each[i]), rota_status_name(want[i]));
	rota_claims_free(claims);
	CHECK_STATE(other, ROTA_STATE_READY);
}

CASE(claim_by_several_ids_gives_all_of_them)
{
	rota_id ids[] = { PUT(.priority = 9), PUT(), PUT(.queue = "q") };
	struct rota_claims *claims = CLAIM(.ids = ids, .id_count = 3);

	CHECK_EQ(claims->count, 3);
	for (size_t i = 0; i < 3; i++)
		CHECK_STATE(ids[i], ROTA_STATE_RUNNING);
}

CASE(id_named_twice_in_a_claim_is_given_once)
{
	rota_id id = PUT(), ids[] = { id, id };
	enum rota_status each[2];
	struct rota_claim_options o = ROTA_INIT(rota_claim_options);
	struct rota_claims *claims = NULL;

	o.ids = ids;
	o.id_count = 2;
	CHECK_OK(rota_task_claim(store, &o, &claims, each, &err), &err);
	CHECK_EQ(claims->count, 1);
	CHECK_EQ(each[0], ROTA_OK);
	CHECK_STR(rota_status_name(each[1]), rota_status_name(ROTA_WRONG_STATE));
	rota_claims_free(claims);
}

CASE(paused_queue_gives_nothing_and_resumed_gives_again)
{
	rota_id id = PUT(.queue = "q"), other = PUT();
	struct lease running = take_id(id);

	PUT(.queue = "q");
	CHECK_OK(rota_queue_pause(store, "q", &err), &err);
	CHECK_OK(rota_queue_pause(store, "q", &err), &err);
	CHECK_EQ(take().id, other);
	take_none();
	complete(running); /* what runs goes on */
	CHECK_OK(rota_queue_resume(store, "q", &err), &err);
	CHECK_STR(take().task->queue, "q");
}

CASE(queue_may_be_paused_before_it_has_a_task)
{
	CHECK_OK(rota_queue_pause(store, "early", &err), &err);
	PUT(.queue = "early");
	take_none();
	CHECK_OK(rota_queue_resume(store, "early", &err), &err);
	take();
}

CASE(lease_without_end_never_ends_by_itself)
{
	rota_id id = PUT();
	struct lease lease = take_for(id, ROTA_FOREVER);

	CHECK_EQ(lease.task->lease_until, ROTA_FOREVER);
	CHECK_EQ(get(id)->lease_until, ROTA_FOREVER);
	advance(ROTA_SECONDS(86400) * 365 * 100);
	maintain();
	CHECK_STATE(id, ROTA_STATE_RUNNING);
	complete(lease);
}

CASE(claim_takes_payloads_up_to_a_number_of_bytes_and_one_whatever_its_size)
{
	size_t size = 9 << 20;
	char *data = calloc(1, size);

	CHECK(data);
	PUT(.payload = { data, size });
	PUT(.payload = { data, size });
	PUT();
	CHECK_EQ(CLAIM(.tasks_max = 3)->count, 1);
	CHECK_EQ(CLAIM(.tasks_max = 3)->count, 2);
	free(data);
}

CASE(claim_that_waits_gets_what_becomes_due_meanwhile)
{
	rota_time start = now();
	rota_id id = PUT(.delay = ROTA_SECONDS(3));
	struct rota_claims *claims = CLAIM(.wait = ROTA_SECONDS(60));

	CHECK_EQ(claims->count, 1);
	CHECK_EQ(claims->tasks[0]->id, id);
	CHECK_EQ(now() - start, ROTA_SECONDS(3));
}

CASE(claim_that_waits_in_vain_answers_nothing_when_its_time_is_over)
{
	rota_time start = now();

	CHECK_EQ(CLAIM(.wait = ROTA_SECONDS(7))->count, 0);
	CHECK(now() - start >= ROTA_SECONDS(7));
	CHECK(now() - start < ROTA_SECONDS(9));
}

CASE(claim_with_absurd_options_is_refused)
{
	struct rota_claim_options o = ROTA_INIT(rota_claim_options);
	struct rota_claims *claims = NULL;
	rota_id none = 0;

	o.tasks_max = ROTA_CLAIM_TASKS_MAX + 1;
	CHECK_STATUS(rota_task_claim(store, &o, &claims, NULL, &err), ROTA_LIMIT, &err);
	o = (struct rota_claim_options){ .size = sizeof(o), .lease = -1 };
	CHECK_STATUS(rota_task_claim(store, &o, &claims, NULL, &err), ROTA_INVALID, &err);
	o = (struct rota_claim_options){ .size = sizeof(o), .ids = &none, .id_count = 1 };
	CHECK_STATUS(rota_task_claim(store, &o, &claims, NULL, &err), ROTA_INVALID, &err);
	CHECK(!claims);
}
