/* What goes in, and that it is found as it went in. */
#include "suite.h"
#include "base/limits.h"

CASE(enqueued_task_is_ready_with_every_default_filled_in)
{
	const struct rota_task_info *t = get(PUT(.key = "a"));

	CHECK_STR(rota_state_name(t->state), "ready");
	CHECK_STR(t->type, TYPE);
	CHECK_STR(t->queue, "default");
	CHECK_STR(t->key, "a");
	CHECK(!t->title && !t->partition && !t->content_type && !t->traceparent && !t->notify_channel);
	CHECK(!t->payload.data && !t->result.data && !t->progress.data);
	CHECK(!t->worker && !t->last_error && !t->status_text);
	CHECK_EQ(t->priority, 0);
	CHECK_EQ(t->attempt, 0);
	CHECK_EQ(t->attempts_max, ROTA_DEFAULT_ATTEMPTS);
	CHECK_EQ(t->retry.attempts_max, ROTA_DEFAULT_ATTEMPTS);
	CHECK_EQ(t->retry.doublings, ROTA_DEFAULT_DOUBLINGS);
	CHECK_EQ(t->retry.backoff_min, ROTA_DEFAULT_BACKOFF_MIN);
	CHECK_EQ(t->retry.backoff_max, ROTA_DEFAULT_BACKOFF_MAX);
	CHECK_EQ(t->retry.jitter_percent, ROTA_DEFAULT_JITTER_PERCENT);
	CHECK_EQ(t->run_at, now());
	CHECK_EQ(t->created_at, now());
	CHECK_EQ(t->token, 0);
	CHECK_EQ(t->lease_until, 0);
	CHECK(!t->started_at && !t->finished_at && !t->expires_at && !t->cancel_requested);
	CHECK_EQ(t->predecessor_count + t->successor_count + t->attempt_count, 0);
}

CASE(every_field_of_a_task_comes_back_as_it_was_given)
{
	struct rota_retry retry = ROTA_INIT(rota_retry);
	const struct rota_task_info *t;

	retry.attempts_max = 7;
	retry.doublings = 3;
	retry.backoff_min = ROTA_MS(10);
	retry.backoff_max = ROTA_SECONDS(9);
	retry.duration_max = ROTA_SECONDS(600);
	retry.jitter_percent = -1;
	t = get(PUT(.type = "other", .queue = "q", .key = "full", .title = "A title",
		.payload = TEXT("{}"), .content_type = "application/json", .partition = "tenant",
		.traceparent = "00-aa-bb-01", .notify_channel = "ch", .priority = -5,
		.delay = ROTA_SECONDS(5), .timeout = ROTA_SECONDS(6), .stall = ROTA_SECONDS(7),
		.expires_in = ROTA_SECONDS(80), .dedup_for = ROTA_SECONDS(90), .retry = &retry));
	CHECK_STR(t->type, "other");
	CHECK_STR(t->queue, "q");
	CHECK_STR(t->title, "A title");
	CHECK_STR(t->content_type, "application/json");
	CHECK_STR(t->partition, "tenant");
	CHECK_STR(t->traceparent, "00-aa-bb-01");
	CHECK_STR(t->notify_channel, "ch");
	CHECK_EQ(t->payload.size, 2);
	CHECK(!memcmp(t->payload.data, "{}", 2));
	CHECK_EQ(t->priority, -5);
	CHECK_EQ(t->run_at, now() + ROTA_SECONDS(5));
	CHECK_EQ(t->timeout, ROTA_SECONDS(6));
	CHECK_EQ(t->stall, ROTA_SECONDS(7));
	CHECK_EQ(t->expires_at, now() + ROTA_SECONDS(80));
	CHECK_EQ(t->dedup_for, ROTA_SECONDS(90));
	CHECK_EQ(t->attempts_max, 7);
	CHECK_EQ(t->retry.doublings, 3);
	CHECK_EQ(t->retry.backoff_min, ROTA_MS(10));
	CHECK_EQ(t->retry.backoff_max, ROTA_SECONDS(9));
	CHECK_EQ(t->retry.duration_max, ROTA_SECONDS(600));
	CHECK_EQ(t->retry.jitter_percent, -1);
	CHECK_STR(rota_state_name(t->state), "scheduled");
}

CASE(absent_payload_and_empty_payload_stay_apart_from_enqueue_to_result)
{
	rota_id none = PUT(.key = "none"), empty = PUT(.key = "empty", .payload = { "", 0 });
	struct lease lease;
	struct rota_verdict v;

	CHECK(!get(none)->payload.data);
	CHECK(get(empty)->payload.data && !get(empty)->payload.size);
	lease = take_id(none);
	CHECK(!lease.task->payload.data && !lease.task->progress.data);
	complete(lease);
	CHECK(!get(none)->result.data && !get(none)->progress.data);
	lease = take_id(empty);
	CHECK(lease.task->payload.data && !lease.task->payload.size);
	CHECK_OK(rota_task_progress(store, empty, lease.token, (struct rota_bytes){ "", 0 }, NULL, NULL, &err),
		&err);
	v = verdict(lease, ROTA_OUTCOME_COMPLETE);
	v.result = (struct rota_bytes){ "", 0 };
	finish(v);
	CHECK(get(empty)->result.data && !get(empty)->result.size);
	CHECK(get(empty)->progress.data && !get(empty)->progress.size);
}

CASE(payload_is_bytes_and_may_hold_anything)
{
	static const char data[] = "\0\xff\xfe{\"\n\0";
	const struct rota_task_info *t = get(PUT(.payload = { data, sizeof(data) }));

	CHECK_EQ(t->payload.size, sizeof(data));
	CHECK(!memcmp(t->payload.data, data, sizeof(data)));
}

CASE(large_payloads_results_and_progress_come_back_whole)
{
	size_t size = 3 << 20;
	char *data = malloc(size);
	struct rota_verdict v;
	struct lease lease;

	CHECK(data);
	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i * 31 + (i >> 12));
	PUT(.payload = { data, size });
	lease = take();
	CHECK_EQ(lease.task->payload.size, size);
	CHECK(!memcmp(lease.task->payload.data, data, size));
	v = verdict(lease, ROTA_OUTCOME_COMPLETE);
	v.result = (struct rota_bytes){ data, size };
	v.progress = (struct rota_bytes){ data, ROTA_PROGRESS_BYTES_MAX };
	finish(v);
	CHECK_EQ(get(lease.id)->result.size, size);
	CHECK(!memcmp(get(lease.id)->result.data, data, size));
	CHECK(!memcmp(get(lease.id)->payload.data, data, size));
	CHECK_EQ(get(lease.id)->progress.size, ROTA_PROGRESS_BYTES_MAX);
	free(data);
}

CASE(payload_above_the_limit_is_refused_and_nothing_is_stored)
{
	const char *before = picture();
	struct rota_task task = ROTA_TASK(.payload = { "x", ROTA_PAYLOAD_BYTES_MAX + 1 });

	CHECK_STATUS(try_put(&task, 1), ROTA_LIMIT, &err);
	CHECK_HAS(err.message, "payload");
	CHECK_UNCHANGED(before);
}

CASE(text_is_unicode_everywhere)
{
	const char *word = "Zażółć 漢字 🦊";
	rota_id id = PUT(.type = word, .queue = word, .key = word, .title = word, .partition = word);
	const struct rota_task_info *t = get(id);
	rota_id found = 0;

	CHECK_STR(t->type, word);
	CHECK_STR(t->queue, word);
	CHECK_STR(t->key, word);
	CHECK_STR(t->title, word);
	CHECK_STR(t->partition, word);
	CHECK_OK(rota_task_find(store, word, &found, &err), &err);
	CHECK_EQ(found, id);
	CHECK_EQ(CLAIM(.queues = &word, .queue_count = 1, .types = &word, .type_count = 1)->count, 1);
}

CASE(keys_that_differ_in_case_accents_or_trailing_space_are_different)
{
	rota_id a = PUT(.key = "key"), b = PUT(.key = "KEY"), c = PUT(.key = "key "), d = PUT(.key = "kéy");
	rota_id found = 0;

	CHECK(a != b && b != c && c != d);
	CHECK_OK(rota_task_find(store, "key ", &found, &err), &err);
	CHECK_EQ(found, c);
}

CASE(blank_queue_and_blank_type_are_refused_with_texts_of_their_own)
{
	struct rota_task no_type = ROTA_TASK(.type = ""), no_queue = ROTA_TASK(.type = "t", .queue = " ");
	const char *before = picture();

	CHECK_STATUS(rota_task_enqueue(store, &no_type, 1, NULL, &err), ROTA_INVALID, &err);
	CHECK_HAS(err.message, "type cannot be blank");
	CHECK_STATUS(rota_task_enqueue(store, &no_queue, 1, NULL, &err), ROTA_INVALID, &err);
	CHECK_HAS(err.message, "queue name cannot be blank");
	CHECK_UNCHANGED(before);
}

CASE(bad_text_and_absurd_numbers_are_refused_with_the_item_named)
{
	struct rota_task bad[] = {
		ROTA_TASK(.key = "\xff\xfe"), ROTA_TASK(.title = "\xc0\x80"), ROTA_TASK(.delay = -1),
		ROTA_TASK(.run_at = ROTA_TIME_MAX), ROTA_TASK(.timeout = ROTA_FOREVER),
		ROTA_TASK(.signals = UINT32_MAX), ROTA_TASK(.run_at = -1), ROTA_TASK(.dedup_for = 5),
		ROTA_TASK(.expires_in = -5), ROTA_TASK(.on_conflict = 17),
	};
	const char *before = picture();

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct rota_task tasks[] = { ROTA_TASK(.key = "fine"), bad[i] };

		CHECK_STATUS(try_put(tasks, 2), ROTA_INVALID, &err);
		CHECK_EQ(err.item, 2);
	}
	CHECK_UNCHANGED(before);
}

CASE(many_tasks_in_one_call_get_consecutive_ids_in_order)
{
	static struct rota_task tasks[3000];
	static rota_id ids[3000];

	for (size_t i = 0; i < 3000; i++)
		tasks[i] = ROTA_TASK(.type = i % 2 ? "odd" : "even");
	put_all(tasks, 3000, ids);
	for (size_t i = 1; i < 3000; i++)
		CHECK_EQ(ids[i], ids[i - 1] + 1);
	CHECK_STR(get(ids[2999])->type, "odd");
}

CASE(refused_call_consumes_no_ids_and_leaves_no_trace)
{
	rota_id first = PUT(.key = "a"), next;
	struct rota_task tasks[] = { ROTA_TASK(.key = "new", .queue = "new queue", .type = "new type"),
		ROTA_TASK(.key = "a") };
	const char *before = picture();

	CHECK_STATUS(try_put(tasks, 2), ROTA_EXISTS, &err);
	CHECK_EQ(err.item, 2);
	CHECK_UNCHANGED(before);
	next = PUT(.key = "b");
	CHECK_EQ(next, first + 1);
}

CASE(task_in_the_past_is_stored_as_now_and_one_in_the_future_waits)
{
	rota_id past = PUT(.run_at = 1), future = PUT(.run_at = now() + ROTA_SECONDS(10));
	rota_id both = PUT(.run_at = now() + ROTA_SECONDS(10), .delay = ROTA_SECONDS(5));

	CHECK_EQ(get(past)->run_at, now());
	CHECK_STATE(past, ROTA_STATE_READY);
	CHECK_STATE(future, ROTA_STATE_SCHEDULED);
	CHECK_EQ(get(both)->run_at, now() + ROTA_SECONDS(15));
	run(past);
	take_none();
	advance(ROTA_SECONDS(10) - 1);
	take_none();
	advance(1);
	CHECK_EQ(take().id, future);
	take_none();
	advance(ROTA_SECONDS(5));
	CHECK_EQ(take().id, both);
}

CASE(task_in_the_year_9998_never_runs_early)
{
	rota_id id = PUT(.run_at = ROTA_TIME_MAX - 1);

	advance(ROTA_SECONDS(86400) * 365 * 300);
	take_none();
	CHECK_STATE(id, ROTA_STATE_SCHEDULED);
}

CASE(list_answers_newest_first_by_state_queue_and_type_page_by_page)
{
	rota_id a = PUT(.queue = "q"), b = PUT(.type = "other"), c = PUT(.queue = "q", .delay = ROTA_SECONDS(9));
	struct rota_task_filter f = ROTA_INIT(rota_task_filter);
	struct rota_task_list *list = NULL;

	CHECK_OK(rota_task_list(store, NULL, &list, &err), &err);
	CHECK_EQ(list->count, 3);
	CHECK_EQ(list->tasks[0]->id, c);
	CHECK_EQ(list->tasks[2]->id, a);
	rota_task_list_free(list);
	f.queue = "q";
	f.states = 1u << ROTA_STATE_READY;
	CHECK_OK(rota_task_list(store, &f, &list, &err), &err);
	CHECK_EQ(list->count, 1);
	CHECK_EQ(list->tasks[0]->id, a);
	rota_task_list_free(list);
	f = (struct rota_task_filter){ .size = sizeof(f), .type = TYPE, .limit = 1 };
	CHECK_OK(rota_task_list(store, &f, &list, &err), &err);
	CHECK_EQ(list->count, 1);
	CHECK_EQ(list->tasks[0]->id, c);
	rota_task_list_free(list);
	f.before = c;
	CHECK_OK(rota_task_list(store, &f, &list, &err), &err);
	CHECK_EQ(list->tasks[0]->id, a);
	rota_task_list_free(list);
	f.queue = "nowhere";
	CHECK_OK(rota_task_list(store, &f, &list, &err), &err);
	CHECK_EQ(list->count, 0);
	rota_task_list_free(list);
	CHECK(b > a);
}

CASE(queues_and_types_count_their_tasks_by_state)
{
	struct rota_queue_list *queues = NULL;
	struct rota_type_list *types = NULL;
	rota_time start = now();

	PUT(.queue = "q");
	advance(5);
	PUT(.queue = "q", .priority = -1);
	run(PUT(.queue = "p", .type = "other"));
	CHECK_OK(rota_queue_list(store, &queues, &err), &err);
	CHECK_EQ(queues->count, 2);
	CHECK_STR(queues->queues[0]->name, "p");
	CHECK_EQ(queues->queues[0]->count[ROTA_STATE_COMPLETED], 1);
	CHECK_EQ(queues->queues[0]->oldest_ready, 0);
	CHECK_STR(queues->queues[1]->name, "q");
	CHECK_EQ(queues->queues[1]->count[ROTA_STATE_READY], 2);
	CHECK_EQ(queues->queues[1]->oldest_ready, start);
	CHECK_EQ(queues->queues[1]->keep_completed, ROTA_DEFAULT_KEEP_COMPLETED);
	CHECK_EQ(queues->queues[1]->keep_failed, ROTA_DEFAULT_KEEP_FAILED);
	rota_queue_list_free(queues);
	CHECK_OK(rota_type_list(store, &types, &err), &err);
	CHECK_EQ(types->count, 2);
	CHECK_STR(types->types[0]->name, "other");
	CHECK_EQ(types->types[0]->count[ROTA_STATE_COMPLETED], 1);
	CHECK_EQ(types->types[1]->count[ROTA_STATE_READY], 2);
	rota_type_list_free(types);
}

CASE(enqueue_of_nothing_is_fine)
{
	const char *before = picture();

	CHECK_OK(rota_task_enqueue(store, NULL, 0, NULL, &err), &err);
	CHECK_UNCHANGED(before);
}

/* ---- streams ---- */

struct source {
	const struct rota_task *tasks;
	size_t count, at;
	int give_up_at; /* 1 is the first; 0: never */
	rota_id accepted[16];
	uint64_t nth[16];
	size_t accepted_count;
};

static int source_next(void *arg, struct rota_task *task)
{
	struct source *source = arg;

	if (source->give_up_at && source->at + 1 == (size_t)source->give_up_at)
		return -1;
	if (source->at == source->count)
		return 0;
	*task = source->tasks[source->at++];
	return 1;
}

static void source_accepted(void *arg, uint64_t nth, rota_id id)
{
	struct source *source = arg;

	if (source->accepted_count < 16) {
		source->accepted[source->accepted_count] = id;
		source->nth[source->accepted_count] = nth;
	}
	source->accepted_count++;
}

static enum rota_status stream(struct source *source, uint64_t *ret_count)
{
	struct rota_task_source s = ROTA_INIT(rota_task_source);

	s.next = source_next;
	s.accepted = source_accepted;
	s.arg = source;
	return rota_task_enqueue_from(store, &s, ret_count, &err);
}

CASE(stream_enqueues_all_and_names_each_id_in_order)
{
	struct rota_task tasks[] = { ROTA_TASK(.type = "t", .key = "one"), ROTA_TASK(.type = "t"),
		ROTA_TASK(.type = "t", AFTER(ON_NTH(1), ON_NTH(2))) };
	struct source source = { .tasks = tasks, .count = 3 };
	uint64_t count = 0;

	CHECK_OK(stream(&source, &count), &err);
	CHECK_EQ(count, 3);
	CHECK_EQ(source.accepted_count, 3);
	CHECK_EQ(source.nth[0], 1);
	CHECK_EQ(source.nth[2], 3);
	CHECK_EQ(source.accepted[1], source.accepted[0] + 1);
	CHECK_STATE(source.accepted[2], ROTA_STATE_BLOCKED);
	CHECK_EQ(get(source.accepted[2])->pending, 2);
}

CASE(stream_may_name_tasks_that_come_later)
{
	struct rota_task tasks[] = { ROTA_TASK(.type = "t", AFTER(ON_NTH(3), ON_KEY("later"))),
		ROTA_TASK(.type = "t", .key = "later"), ROTA_TASK(.type = "t") };
	struct source source = { .tasks = tasks, .count = 3 };

	CHECK_OK(stream(&source, NULL), &err);
	CHECK_EQ(get(source.accepted[0])->pending, 2);
	run(source.accepted[1]);
	run(source.accepted[2]);
	CHECK_STATE(source.accepted[0], ROTA_STATE_READY);
}

CASE(error_in_the_middle_of_a_stream_refuses_all_of_it_and_names_the_item)
{
	struct rota_task tasks[] = { ROTA_TASK(.type = "t"), ROTA_TASK(.type = "t", .key = "new"),
		ROTA_TASK(.type = " ") };
	struct source source = { .tasks = tasks, .count = 3 };
	const char *before = picture();

	CHECK_STATUS(stream(&source, NULL), ROTA_INVALID, &err);
	CHECK_EQ(err.item, 3);
	CHECK_UNCHANGED(before);
	tasks[2] = ROTA_TASK(.type = "t", .key = "new");
	source = (struct source){ .tasks = tasks, .count = 3 };
	CHECK_STATUS(stream(&source, NULL), ROTA_EXISTS, &err);
	CHECK_EQ(err.item, 3);
	CHECK_UNCHANGED(before);
}

CASE(stream_that_gives_up_enqueues_nothing)
{
	struct rota_task tasks[] = { ROTA_TASK(.type = "t"), ROTA_TASK(.type = "t"), ROTA_TASK(.type = "t") };
	struct source source = { .tasks = tasks, .count = 3, .give_up_at = 3 };
	const char *before = picture();

	CHECK_STATUS(stream(&source, NULL), ROTA_CANCELLED, &err);
	CHECK_EQ(source.accepted_count, 0);
	CHECK_UNCHANGED(before);
}

CASE(stream_that_names_a_task_that_never_comes_is_refused)
{
	struct rota_task tasks[] = { ROTA_TASK(.type = "t"), ROTA_TASK(.type = "t", AFTER(ON_NTH(9))) };
	struct source source = { .tasks = tasks, .count = 2 };
	const char *before = picture();

	CHECK_STATUS(stream(&source, NULL), ROTA_INVALID, &err);
	CHECK_EQ(err.item, 2);
	CHECK_UNCHANGED(before);
}

CASE(empty_stream_is_fine)
{
	struct source source = { .count = 0 };
	uint64_t count = 7;

	CHECK_OK(stream(&source, &count), &err);
	CHECK_EQ(count, 0);
}

struct endless {
	uint64_t left;
};

static int endless_next(void *arg, struct rota_task *task)
{
	struct endless *endless = arg;

	task->type = "bulk";
	return endless->left-- > 0;
}

CASE(stream_of_fifty_thousand_is_one_call)
{
	struct endless endless = { 50000 };
	struct rota_task_source s = ROTA_INIT(rota_task_source);
	struct rota_type_list *types = NULL;
	uint64_t count = 0;

	s.next = endless_next;
	s.arg = &endless;
	CHECK_OK(rota_task_enqueue_from(store, &s, &count, &err), &err);
	CHECK_EQ(count, 50000);
	CHECK_OK(rota_type_list(store, &types, &err), &err);
	CHECK_EQ(types->types[0]->count[ROTA_STATE_READY], 50000);
	rota_type_list_free(types);
}

/* ---- asynchronously ---- */

struct submitted {
	int calls;
	size_t n;
	rota_id ids[4];
	enum rota_status status;
};

static void submitted_done(void *arg, const rota_id *ids, size_t n, const struct rota_error *error)
{
	struct submitted *s = arg;

	s->calls++;
	s->n = n;
	s->status = error ? error->status : ROTA_OK;
	for (size_t i = 0; i < n && ids && i < 4; i++)
		s->ids[i] = ids[i];
}

CASE(submitted_tasks_are_answered_once_and_durable_after_a_flush)
{
	struct submitted first = { 0 }, second = { 0 };
	struct rota_task tasks[] = { ROTA_TASK(.type = "t", .key = "one"), ROTA_TASK(.type = "t") };

	CHECK_OK(rota_task_submit(store, tasks, 2, submitted_done, &first, &err), &err);
	CHECK_OK(rota_task_submit(store, tasks, 1, submitted_done, &second, &err), &err);
	CHECK_OK(rota_store_flush(store, ROTA_SECONDS(1), &err), &err);
	CHECK_EQ(first.calls, 1);
	CHECK_EQ(first.status, ROTA_OK);
	CHECK_STR(get(first.ids[0])->key, "one");
	CHECK_EQ(second.calls, 1);
	CHECK_STR(rota_status_name(second.status), rota_status_name(ROTA_EXISTS));
}
