/* info.c: tasks as JSON. Names of fields are those of the options and of JSON lines. */
#include "cli/info.h"
#include <stdio.h>
#include <string.h>
#include "base/macros.h"
#include "base/text.h"
#include "cli/base64.h"

void cli_json_text(json_t *object, const char *name, const char *text)
{
	if (text)
		json_object_set_new(object, name, json_string(text));
}

void cli_json_number(json_t *object, const char *name, int64_t value)
{
	json_object_set_new(object, name, json_integer(value));
}

void cli_json_time(json_t *object, const char *name, rota_time time)
{
	char text[40];

	if (time)
		cli_json_text(object, name,
			time == ROTA_FOREVER ? "forever"
					     : rota_time_format(time, text, sizeof(text)));
}

void cli_json_duration(json_t *object, const char *name, rota_duration length)
{
	char text[40];

	if (length)
		cli_json_text(object, name, rota_duration_format(length, text, sizeof(text)));
}

void cli_json_bytes(json_t *object, const char *name, struct rota_bytes bytes)
{
	char other[64];

	if (!bytes.data) {
		json_object_set_new(object, name, json_null());
	} else if (rota_utf8_valid(bytes.data, bytes.size)) {
		json_object_set_new(object, name, json_stringn(bytes.data, bytes.size));
	} else {
		snprintf(other, sizeof(other), "%s_base64", name);
		json_object_set_new(object, other, cli_base64_json(bytes));
	}
}

void cli_json_value(json_t *object, const char *name, struct rota_bytes bytes)
{
	json_t *value;

	if (!bytes.data)
		return;
	value = json_loadb(bytes.data, bytes.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	if (value)
		json_object_set_new(object, name, value);
	else
		cli_json_bytes(object, name, bytes);
}

static void add_retry(json_t *object, const struct rota_task_info *info)
{
	const struct rota_retry *retry = &info->retry;
	char min[40], max[40], both[96];

	rota_duration_format(retry->backoff_min, min, sizeof(min));
	rota_duration_format(retry->backoff_max, max, sizeof(max));
	snprintf(both, sizeof(both), "%s..%s", min, max);
	cli_json_text(object, "backoff", both);
	cli_json_number(object, "backoff_doublings", ROTA_MAX(retry->doublings, 0));
	cli_json_number(object, "jitter", ROTA_MAX(retry->jitter_percent, 0));
	cli_json_duration(object, "retry_for", retry->duration_max);
}

static json_t *edges_json(const struct rota_edge_info *const *edges, size_t n)
{
	static const char *const settled[] = {"awaited", "succeeded", "failed"};
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *edge = json_object();

		cli_json_number(edge, "id", edges[i]->task);
		cli_json_text(edge, "key", edges[i]->key);
		cli_json_text(edge, "state", rota_state_name(edges[i]->state));
		cli_json_text(edge, "edge", settled[edges[i]->settled % 3]);
		cli_json_text(edge, "after_failed",
			edges[i]->failed == ROTA_AFTER_CANCEL ? "cancel" : "run");
		json_array_append_new(array, edge);
	}
	return array;
}

static json_t *attempts_json(const struct rota_task_info *info)
{
	json_t *array = json_array();

	for (size_t i = 0; i < info->attempt_count; i++) {
		const struct rota_attempt_info *from = info->attempts[i];
		json_t *attempt = json_object();

		cli_json_number(attempt, "attempt", from->attempt);
		cli_json_number(attempt, "token", from->token);
		cli_json_text(attempt, "worker", from->worker);
		cli_json_text(attempt, "outcome", from->outcome);
		cli_json_text(attempt, "error", from->error);
		cli_json_time(attempt, "started_at", from->started_at);
		cli_json_time(attempt, "finished_at", from->finished_at);
		json_array_append_new(array, attempt);
	}
	return array;
}

/* What a list does not carry. */
static void add_whole(json_t *object, const struct rota_task_info *info)
{
	cli_json_bytes(object, "payload", info->payload);
	if (info->result.data)
		cli_json_bytes(object, "result", info->result);
	json_object_set_new(
		object, "depends_on", edges_json(info->predecessors, info->predecessor_count));
	json_object_set_new(
		object, "successors", edges_json(info->successors, info->successor_count));
	json_object_set_new(object, "attempts", attempts_json(info));
}

static void add_lease(json_t *object, const struct rota_task_info *info)
{
	cli_json_number(object, "token", info->token);
	cli_json_number(object, "settled", info->settled);
	cli_json_text(object, "worker", info->worker);
	cli_json_time(object, "lease_until", info->lease_until);
	if (info->cancel_requested)
		json_object_set_new(object, "cancel_requested", json_true());
}

static void add_times(json_t *object, const struct rota_task_info *info)
{
	cli_json_time(object, "run_at", info->run_at);
	cli_json_time(object, "created_at", info->created_at);
	cli_json_time(object, "updated_at", info->updated_at);
	cli_json_time(object, "started_at", info->started_at);
	cli_json_time(object, "heartbeat_at", info->heartbeat_at);
	cli_json_time(object, "finished_at", info->finished_at);
	cli_json_time(object, "expires_at", info->expires_at);
}

json_t *cli_info_json(const struct rota_task_info *info, bool whole)
{
	json_t *object = json_object();

	cli_json_number(object, "id", info->id);
	cli_json_text(object, "state", rota_state_name(info->state));
	cli_json_text(object, "type", info->type);
	cli_json_text(object, "queue", info->queue);
	cli_json_text(object, "key", info->key);
	cli_json_text(object, "title", info->title);
	cli_json_text(object, "partition", info->partition);
	cli_json_text(object, "content_type", info->content_type);
	cli_json_text(object, "traceparent", info->traceparent);
	cli_json_text(object, "notify_channel", info->notify_channel);
	cli_json_number(object, "priority", info->priority);
	cli_json_number(object, "attempt", info->attempt);
	cli_json_number(object, "max_attempts", ROTA_MAX(info->attempts_max, 0));
	add_retry(object, info);
	cli_json_duration(object, "timeout", info->timeout);
	cli_json_duration(object, "stall", info->stall);
	cli_json_duration(object, "dedup_for", info->dedup_for);
	cli_json_number(object, "pending", info->pending);
	cli_json_number(object, "failed_dependencies", info->failed_dependencies);
	add_lease(object, info);
	add_times(object, info);
	cli_json_text(object, "status_text", info->status_text);
	cli_json_text(object, "last_error", info->last_error);
	cli_json_value(object, "progress", info->progress);
	if (whole)
		add_whole(object, info);
	return object;
}

json_t *cli_claimed_json(const struct rota_claimed *claimed)
{
	json_t *object = json_object();

	cli_json_number(object, "id", claimed->id);
	cli_json_number(object, "token", claimed->token);
	cli_json_text(object, "type", claimed->type);
	cli_json_text(object, "queue", claimed->queue);
	cli_json_text(object, "key", claimed->key);
	cli_json_text(object, "title", claimed->title);
	cli_json_text(object, "partition", claimed->partition);
	cli_json_text(object, "content_type", claimed->content_type);
	cli_json_text(object, "traceparent", claimed->traceparent);
	cli_json_number(object, "priority", claimed->priority);
	cli_json_number(object, "attempt", claimed->attempt);
	cli_json_number(object, "max_attempts", ROTA_MAX(claimed->attempts_max, 0));
	cli_json_number(object, "failed_dependencies", claimed->failed_dependencies);
	cli_json_duration(object, "timeout", claimed->timeout);
	cli_json_duration(object, "stall", claimed->stall);
	cli_json_time(object, "run_at", claimed->run_at);
	cli_json_time(object, "created_at", claimed->created_at);
	cli_json_time(object, "lease_until", claimed->lease_until);
	cli_json_value(object, "progress", claimed->progress);
	cli_json_bytes(object, "payload", claimed->payload);
	return object;
}

json_t *cli_answer_json(rota_id id, enum rota_status status, const char *error)
{
	json_t *object = json_object();

	cli_json_number(object, "id", id);
	json_object_set_new(object, "ok", json_boolean(status == ROTA_OK));
	cli_json_text(object, "status", rota_status_name(status));
	cli_json_text(object, "error", error);
	return object;
}

void cli_json_counts(json_t *object, const uint64_t count[7])
{
	for (int state = 0; state < 7; state++)
		cli_json_number(
			object, rota_state_name((enum rota_state)state), (int64_t)count[state]);
}
