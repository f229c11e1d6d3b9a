#include "show.h"

static void show_bytes(FILE *out, const char *name, struct rota_bytes bytes)
{
	const unsigned char *at = bytes.data;
	uint64_t hash = 1469598103934665603u;

	if (!at)
		return;
	for (size_t i = 0; i < bytes.size; i++)
		hash = (hash ^ at[i]) * 1099511628211u;
	fprintf(out, " %s=[%zu bytes, %08x]", name, bytes.size, (unsigned)hash);
}

static void show_text(FILE *out, const char *name, const char *text)
{
	if (text)
		fprintf(out, " %s=\"%s\"", name, text);
}

static void show_number(FILE *out, const char *name, int64_t number)
{
	if (number == ROTA_FOREVER)
		fprintf(out, " %s=forever", name);
	else if (number)
		fprintf(out, " %s=%" PRId64, name, number);
}

static void show_texts(FILE *out, const struct rota_task_info *t)
{
	show_text(out, "key", t->key);
	show_text(out, "title", t->title);
	show_text(out, "partition", t->partition);
	show_text(out, "content_type", t->content_type);
	show_text(out, "traceparent", t->traceparent);
	show_text(out, "notify_channel", t->notify_channel);
	show_text(out, "worker", t->worker);
	show_text(out, "status_text", t->status_text);
	show_text(out, "last_error", t->last_error);
	show_bytes(out, "payload", t->payload);
	show_bytes(out, "result", t->result);
	show_bytes(out, "progress", t->progress);
}

static void show_numbers(FILE *out, const struct rota_task_info *t)
{
	show_number(out, "priority", t->priority);
	show_number(out, "attempt", t->attempt);
	show_number(out, "attempts_max", t->attempts_max);
	show_number(out, "token", t->token);
	show_number(out, "settled", t->settled);
	show_number(out, "pending", t->pending);
	show_number(out, "failed_dependencies", t->failed_dependencies);
	show_number(out, "timeout", t->timeout);
	show_number(out, "stall", t->stall);
	show_number(out, "dedup_for", t->dedup_for);
	show_number(out, "cancel_requested", t->cancel_requested);
	fprintf(out, " retry=%d,%d,%" PRId64 ",%" PRId64 ",%" PRId64 ",%d", t->retry.attempts_max,
		t->retry.doublings, t->retry.backoff_min, t->retry.backoff_max, t->retry.duration_max,
		t->retry.jitter_percent);
}

static void show_times(FILE *out, const struct rota_task_info *t)
{
	show_number(out, "run_at", t->run_at);
	show_number(out, "created_at", t->created_at);
	show_number(out, "updated_at", t->updated_at);
	show_number(out, "started_at", t->started_at);
	show_number(out, "finished_at", t->finished_at);
	show_number(out, "heartbeat_at", t->heartbeat_at);
	show_number(out, "expires_at", t->expires_at);
	show_number(out, "lease_until", t->lease_until);
}

static void show_edges(FILE *out, const char *name, size_t n, const struct rota_edge_info *const *edges)
{
	for (size_t i = 0; i < n; i++) {
		fprintf(out, "\n\t%s %" PRId64 " %s settled=%d failed=%d", name, edges[i]->task,
			rota_state_name(edges[i]->state), edges[i]->settled, (int)edges[i]->failed);
		show_text(out, "key", edges[i]->key);
	}
}

static void show_attempts(FILE *out, const struct rota_task_info *t)
{
	for (size_t i = 0; i < t->attempt_count; i++) {
		const struct rota_attempt_info *a = t->attempts[i];

		fprintf(out, "\n\tattempt %d token=%" PRId64, a->attempt, a->token);
		show_text(out, "outcome", a->outcome);
		show_text(out, "worker", a->worker);
		show_text(out, "error", a->error);
		show_number(out, "started_at", a->started_at);
		show_number(out, "finished_at", a->finished_at);
	}
}

static void show_task(FILE *out, struct rota_store *store, rota_id id)
{
	struct rota_task_info *t = NULL;
	struct rota_error err = { 0 };

	if (rota_task_get(store, id, &t, &err)) {
		fprintf(out, "task %" PRId64 ": %s\n", id, rota_status_name(err.status));
		return;
	}
	fprintf(out, "task %" PRId64 " %s %s/%s", t->id, rota_state_name(t->state), t->queue, t->type);
	show_texts(out, t);
	show_numbers(out, t);
	show_times(out, t);
	show_edges(out, "after", t->predecessor_count, t->predecessors);
	show_edges(out, "before", t->successor_count, t->successors);
	show_attempts(out, t);
	fputc('\n', out);
	rota_task_info_free(t);
}

static void show_tasks(FILE *out, struct rota_store *store)
{
	struct rota_task_filter filter = ROTA_INIT(rota_task_filter);
	struct rota_task_list *list = NULL;
	struct rota_error err = { 0 };

	filter.limit = 100000;
	CHECK_OK(rota_task_list(store, &filter, &list, &err), &err);
	for (size_t i = list->count; i-- > 0;)
		show_task(out, store, list->tasks[i]->id);
	rota_task_list_free(list);
}

static void show_queues(FILE *out, struct rota_store *store)
{
	struct rota_queue_list *list = NULL;
	struct rota_error err = { 0 };

	CHECK_OK(rota_queue_list(store, &list, &err), &err);
	for (size_t i = 0; i < list->count; i++) {
		const struct rota_queue_info *q = list->queues[i];

		fprintf(out, "queue \"%s\" paused=%d counts", q->name, q->paused);
		for (int state = 0; state < 7; state++)
			fprintf(out, " %" PRIu64, q->count[state]);
		show_number(out, "keep_completed", q->keep_completed);
		show_number(out, "keep_failed", q->keep_failed);
		show_number(out, "oldest_ready", q->oldest_ready);
		fputc('\n', out);
	}
	rota_queue_list_free(list);
}

static void show_types(FILE *out, struct rota_store *store)
{
	struct rota_type_list *list = NULL;
	struct rota_error err = { 0 };

	CHECK_OK(rota_type_list(store, &list, &err), &err);
	for (size_t i = 0; i < list->count; i++) {
		fprintf(out, "type \"%s\" counts", list->types[i]->name);
		for (int state = 0; state < 7; state++)
			fprintf(out, " %" PRIu64, list->types[i]->count[state]);
		fputc('\n', out);
	}
	rota_type_list_free(list);
}

char *test_show_store(struct rota_store *store)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	CHECK(out);
	show_tasks(out, store);
	show_queues(out, store);
	show_types(out, store);
	fclose(out);
	return text;
}

char *test_show_task(struct rota_store *store, rota_id id)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	CHECK(out);
	show_task(out, store, id);
	fclose(out);
	return text;
}

char *test_show_difference(const char *a, const char *b)
{
	size_t na = strcspn(a, "\n"), nb = strcspn(b, "\n");
	char *text = NULL;

	while (*a && na == nb && !memcmp(a, b, na)) {
		a += na + (a[na] == '\n');
		b += nb + (b[nb] == '\n');
		na = strcspn(a, "\n");
		nb = strcspn(b, "\n");
	}
	CHECK(asprintf(&text, "- %.*s\n+ %.*s\n", (int)na, a, (int)nb, b) > 0);
	return text;
}
