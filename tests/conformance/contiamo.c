/* The scenarios of contiamo queue's tests, as far as this release goes, in this store's words. */
#include "suite.h"
#include "base/limits.h"

CASE(contiamo_enqueue_table)
{
	struct rota_task blank_queue = ROTA_TASK(.queue = "", .type = "t");
	struct rota_task blank_type = ROTA_TASK(.queue = "q", .type = "");
	struct rota_task not_json = ROTA_TASK(.queue = "q", .type = "t", .payload = TEXT("invalid"));
	struct rota_task plain = ROTA_TASK(.queue = "q", .type = "t");

	CHECK_STATUS(rota_task_enqueue(store, &blank_queue, 1, NULL, &err), ROTA_INVALID, &err);
	CHECK_HAS(err.message, "queue");
	CHECK_STATUS(rota_task_enqueue(store, &blank_type, 1, NULL, &err), ROTA_INVALID, &err);
	CHECK_HAS(err.message, "type");
	CHECK_OK(rota_task_enqueue(store, &not_json, 1, NULL, &err), &err); /* never parsed */
	CHECK_OK(rota_task_enqueue(store, &plain, 1, NULL, &err), &err);
}

CASE(contiamo_finish_and_fail)
{
	struct rota_verdict done = verdict(take_id(PUT()), ROTA_OUTCOME_COMPLETE);
	struct rota_verdict failed = verdict(take_id(PUT()), ROTA_OUTCOME_FAIL);

	done.progress = failed.progress = (struct rota_bytes)TEXT("{\"scale\": 99}");
	finish(done);
	finish(failed);
	CHECK_STATE(done.id, ROTA_STATE_COMPLETED);
	CHECK_STATE(failed.id, ROTA_STATE_FAILED);
	CHECK_EQ(get(done.id)->progress.size, 13);
	CHECK_EQ(get(failed.id)->progress.size, 13);
	CHECK(get(done.id)->finished_at && get(failed.id)->finished_at);
}

static enum rota_status heartbeat(rota_id id, int64_t token)
{
	return rota_task_progress(store, id, token, (struct rota_bytes)TEXT("{\"a\": 1 }"), NULL, NULL, &err);
}

CASE(contiamo_heartbeat_table)
{
	struct lease running = take_id(PUT()), finished = take_id(PUT()), dropped = take_id(PUT());
	rota_id waiting = PUT();

	complete(finished);
	finish(verdict(dropped, ROTA_OUTCOME_CANCEL));
	CHECK_STATUS(heartbeat(4242, 1), ROTA_NOT_FOUND, &err);
	advance(5);
	for (int i = 0; i < 2; i++)
		CHECK_OK(heartbeat(running.id, running.token), &err);
	CHECK_EQ(get(running.id)->heartbeat_at, now());
	CHECK_EQ(get(running.id)->progress.size, 9);
	CHECK(!memcmp(get(running.id)->progress.data, "{\"a\": 1 }", 9));
	CHECK_STATUS(heartbeat(finished.id, finished.token), ROTA_COMPLETED, &err);
	CHECK_STATUS(heartbeat(dropped.id, dropped.token), ROTA_CANCELLED, &err);
	CHECK_STATUS(heartbeat(waiting, 1), ROTA_STALE_LEASE, &err);
}

CASE(contiamo_dequeue_attempts)
{
	static const char *const queues[] = { "q" };
	struct rota_claims *claims;
	rota_id stale;

	claims = CLAIM(.queues = queues, .queue_count = 1);
	CHECK_EQ(claims->count, 0); /* no rows */
	stale = PUT(.queue = "q");
	CHECK_EQ(CLAIM(.queues = queues, .queue_count = 1)->count, 1); /* one waiting */
	CHECK_EQ(CLAIM(.queues = queues, .queue_count = 1)->count, 0); /* one running, fresh */
	advance(ROTA_SECONDS(600));
	maintain();
	advance(ROTA_SECONDS(2));
	claims = CLAIM(.queues = queues, .queue_count = 1); /* one stale */
	CHECK_EQ(claims->count, 1);
	CHECK_EQ(claims->tasks[0]->id, stale);
	complete((struct lease){ stale, claims->tasks[0]->token, NULL });
	CHECK_EQ(CLAIM(.queues = queues, .queue_count = 1)->count, 0); /* one finished */
}

CASE(contiamo_dequeue_ticker)
{
	static const char *const queues[] = { "q" };
	struct rota_claims *claims;

	PUT(.queue = "q");
	CHECK_EQ(CLAIM(.queues = queues, .queue_count = 1, .wait = ROTA_SECONDS(1))->count, 1);
	PUT(.queue = "q", .delay = ROTA_MS(150));
	claims = CLAIM(.queues = queues, .queue_count = 1, .wait = ROTA_SECONDS(1));
	CHECK_EQ(claims->count, 1);
}

CASE(contiamo_queue_list)
{
	struct rota_queue_list *list = NULL;

	CHECK_OK(rota_queue_list(store, &list, &err), &err);
	CHECK_EQ(list->count, 0);
	rota_queue_list_free(list);
	PUT(.queue = "c");
	PUT(.queue = "a");
	PUT(.queue = "b");
	CHECK_OK(rota_queue_list(store, &list, &err), &err);
	CHECK_EQ(list->count, 3);
	CHECK_STR(list->queues[0]->name, "a");
	CHECK_STR(list->queues[2]->name, "c");
	rota_queue_list_free(list);
}

CASE(contiamo_retention_removes_only_what_is_old_enough)
{
	struct rota_queue_settings settings = ROTA_QUEUE_SETTINGS_INIT;
	rota_id old, recent, running, waiting;

	settings.keep_completed = ROTA_SECONDS(86400) * 7;
	CHECK_OK(rota_queue_set(store, "standard", &settings, &err), &err);
	old = PUT(.queue = "standard");
	run(old);
	advance(ROTA_SECONDS(86400) * 14 - ROTA_SECONDS(300));
	recent = PUT(.queue = "standard");
	run(recent);
	running = PUT(.queue = "standard");
	take_for(running, ROTA_FOREVER);
	waiting = PUT(.queue = "standard", .delay = ROTA_SECONDS(900));
	advance(ROTA_SECONDS(300));
	maintain();
	CHECK(gone(old));
	CHECK(!gone(recent) && !gone(running) && !gone(waiting));
}

CASE(contiamo_second_task_of_a_queue_starts_though_the_first_was_cancelled)
{
	/* A11.1: cancelling a running task wedged its worker for ever. */
	struct lease first = take_id(PUT());
	int asked = 0;

	cancel(first.id);
	PUT();
	CHECK_OK(rota_task_extend(store, first.id, first.token, 0, &asked, &err), &err);
	CHECK_EQ(asked, 1);
	finish(verdict(first, ROTA_OUTCOME_CANCEL));
	complete(take());
}

CASE(contiamo_cancelled_task_is_never_given_out)
{
	/* A11.3 and 4: a waiting one was run all the same, a running one came back. */
	rota_id waiting = PUT();
	struct lease running;

	cancel(waiting);
	take_none();
	running = take_id(PUT());
	cancel(running.id);
	advance(ROTA_SECONDS(3600));
	maintain();
	advance(ROTA_SECONDS(3600));
	take_none();
	CHECK_STATE(running.id, ROTA_STATE_CANCELLED);
}

CASE(contiamo_claim_from_a_list_with_an_idle_queue_finds_the_other_at_once)
{
	/* A11.10: it could cost whole poll periods. */
	static const char *const queues[] = { "idle", "busy", "idle too" };
	rota_time start = now();

	PUT(.queue = "busy");
	CHECK_EQ(CLAIM(.queues = queues, .queue_count = 3, .wait = ROTA_SECONDS(10))->count, 1);
	CHECK_EQ(now(), start);
}
