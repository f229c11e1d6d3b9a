/* enqueue.c: the public calls that put tasks in: at once, from a source, and asynchronously. */
#include <stdlib.h>
#include <string.h>
#include "store/internal.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/macros.h"
#include "core/check.h"

/* Callers with today's headers are used as they are; others get copies of today's size. */
static enum rota_status tasks_adopt(struct rota_arena *arena, const struct rota_task *tasks, size_t n,
	const struct rota_task **ret, struct rota_error *err)
{
	struct rota_task *ours;
	enum rota_status status;

	*ret = tasks;
	if (tasks->size == sizeof(*tasks))
		return ROTA_OK;
	ours = rota_arena_array(arena, n, sizeof(*ours));
	if (!ours)
		return rota_err_memory(err);
	for (size_t i = 0; i < n; i++) {
		status = rota_task_adopt(rota_task_at(tasks, i), &ours[i], err);
		if (status) {
			(void)rota_err_item(err, i + 1);
			return status;
		}
	}
	*ret = ours;
	return ROTA_OK;
}

static enum rota_status tasks_check(struct rota_arena *arena, const struct rota_task *tasks, size_t n,
	const struct rota_task **ret, struct rota_error *err)
{
	enum rota_status status;

	if (!tasks)
		return rota_err(err, ROTA_INVALID, "tasks is NULL");
	if (n > ROTA_TASKS_PER_CALL_MAX)
		return rota_err(err, ROTA_LIMIT, "%zu tasks in one call; at most %d (rota_task_enqueue_from takes any number)",
			n, ROTA_TASKS_PER_CALL_MAX);
	status = tasks_adopt(arena, tasks, n, ret, err);
	for (size_t i = 0; i < n && !status; i++) {
		status = rota_check_task(&(*ret)[i], i + 1, n, err);
		if (status)
			(void)rota_err_item(err, i + 1);
	}
	return status;
}

enum rota_status rota_task_enqueue(struct rota_store *store, const struct rota_task *tasks, size_t n,
	rota_id *ret_ids, struct rota_error *err)
{
	struct rota_op op = { .u.enqueue = { .count = n, .ret_ids = ret_ids } };
	struct rota_arena arena ROTA_CLEANUP(rota_arena_deinit);
	enum rota_status status;

	rota_arena_init(&arena, 0);
	if (!n)
		return rota_store_usable(store, err);
	status = tasks_check(&arena, tasks, n, &op.u.enqueue.tasks, err);
	if (status)
		return status;
	return rota_store_call(store, &op, ROTA_OP_ENQUEUE, &arena, err);
}

/* ---- from a source ---- */

struct stream {
	struct rota_task_source source;
	struct rota_task task;
	uint64_t nth;
};

static enum rota_status stream_next(void *arg, const struct rota_task **ret_task, struct rota_error *err)
{
	struct stream *stream = arg;
	enum rota_status status;
	int more;

	stream->task = (struct rota_task)ROTA_INIT(rota_task);
	more = stream->source.next(stream->source.arg, &stream->task);
	if (more < 0)
		return rota_err(err, ROTA_CANCELLED, "the source gave up after %llu tasks; nothing was enqueued",
			(unsigned long long)stream->nth);
	*ret_task = more ? &stream->task : NULL;
	if (!more)
		return ROTA_OK;
	stream->nth++;
	status = rota_check_task(&stream->task, stream->nth, UINT64_MAX, err);
	if (status)
		(void)rota_err_item(err, stream->nth);
	return status;
}

static void stream_accepted(void *arg, uint64_t nth, rota_id id)
{
	struct stream *stream = arg;

	if (stream->source.accepted)
		stream->source.accepted(stream->source.arg, nth, id);
}

enum rota_status rota_task_enqueue_from(struct rota_store *store, const struct rota_task_source *source,
	uint64_t *ret_count, struct rota_error *err)
{
	struct stream stream = { .source = ROTA_INIT(rota_task_source) };
	struct rota_op op = { .u.enqueue = { .next = stream_next, .accepted = stream_accepted, .arg = &stream } };
	struct rota_arena arena;
	enum rota_status status;

	if (!source || !source->next)
		return rota_err(err, ROTA_INVALID, "the source has no next function");
	status = rota_struct_adopt(&stream.source, sizeof(stream.source), source, "rota_task_source", err);
	if (status)
		return status;
	rota_arena_init(&arena, 0);
	status = rota_store_call(store, &op, ROTA_OP_ENQUEUE, &arena, err);
	rota_arena_deinit(&arena);
	if (!status && ret_count)
		*ret_count = op.u.enqueue.ret_count;
	return status;
}

/* ---- asynchronously: one allocation holds the op and copies of everything ---- */

struct ticket {
	struct rota_op op;
	struct rota_store *store;
	rota_enqueued_fn *done;
	void *arg;
	size_t bytes;
	struct rota_arena arena;
};

static void ticket_free(struct ticket *ticket)
{
	atomic_fetch_sub(&ticket->store->in_flight_bytes, ticket->bytes);
	rota_arena_deinit(&ticket->arena);
	free(ticket);
}

static void ticket_done(struct rota_op *op)
{
	struct ticket *ticket = op->owner;

	if (ticket->done)
		ticket->done(ticket->arg, op->err.status ? NULL : op->u.enqueue.ret_ids, op->u.enqueue.count,
			op->err.status ? &op->err : NULL);
	ticket_free(ticket);
}

static bool text_copy(struct rota_arena *arena, const char **text)
{
	if (*text)
		*text = rota_arena_strdup(arena, *text);
	return true;
}

static bool edges_copy(struct rota_arena *arena, const struct rota_dependency **edges, size_t n)
{
	struct rota_dependency *copy;

	if (!n)
		return true;
	copy = rota_arena_array(arena, n, sizeof(*copy));
	if (!copy)
		return false;
	memcpy(copy, *edges, n * sizeof(*copy));
	*edges = copy;
	for (size_t i = 0; i < n; i++) {
		if (copy[i].key && !(copy[i].key = rota_arena_strdup(arena, copy[i].key)))
			return false;
	}
	return true;
}

bool rota_task_copy(struct rota_arena *arena, const struct rota_task *task, struct rota_task *ret)
{
	const char **const texts[] = { &ret->type, &ret->queue, &ret->key, &ret->title, &ret->content_type,
		&ret->partition, &ret->traceparent, &ret->notify_channel };
	struct rota_retry *retry;

	*ret = *task;
	for (size_t i = 0; i < ROTA_COUNT(texts); i++) {
		bool there = *texts[i];

		if (!text_copy(arena, texts[i]) || (there && !*texts[i]))
			return false;
	}
	if (task->payload.data && !rota_arena_bytes(arena, task->payload, &ret->payload))
		return false;
	if (task->retry) {
		retry = rota_arena_zalloc(arena, sizeof(*retry));
		if (!retry || rota_struct_adopt(retry, sizeof(*retry), task->retry, "rota_retry", NULL))
			return false;
		ret->retry = retry;
	}
	return edges_copy(arena, &ret->after, ret->after_count) && edges_copy(arena, &ret->before, ret->before_count);
}

static bool ticket_fill(struct ticket *ticket, const struct rota_task *tasks, size_t n)
{
	struct rota_task *copies = rota_arena_array(&ticket->arena, n, sizeof(*copies));

	ticket->op.u.enqueue.ret_ids = rota_arena_array(&ticket->arena, n, sizeof(rota_id));
	for (size_t i = 0; i < n && copies; i++) {
		if (!rota_task_copy(&ticket->arena, &tasks[i], &copies[i]))
			return false;
	}
	ticket->op.u.enqueue.tasks = copies;
	ticket->op.u.enqueue.count = n;
	return copies && ticket->op.u.enqueue.ret_ids;
}

static enum rota_status ticket_send(struct ticket *ticket, struct rota_error *err)
{
	struct rota_store *store = ticket->store;
	size_t before;
	enum rota_status status;

	ticket->bytes = ticket->arena.used_bytes + sizeof(*ticket);
	before = atomic_fetch_add(&store->in_flight_bytes, ticket->bytes);
	if (before && before + ticket->bytes > store->options.in_flight_bytes_max) {
		ticket_free(ticket);
		return rota_err(err, ROTA_BUSY, "%zu bytes of tasks are in flight already; flush or wait", before);
	}
	status = rota_store_submit(store, &ticket->op, err);
	if (status)
		ticket_free(ticket);
	return status;
}

enum rota_status rota_task_submit(struct rota_store *store, const struct rota_task *tasks, size_t n,
	rota_enqueued_fn *done, void *arg, struct rota_error *err)
{
	struct ticket *ticket;
	const struct rota_task *ours = NULL;
	enum rota_status status = rota_store_usable(store, err);

	if (status)
		return status;
	if (!n)
		return rota_err(err, ROTA_INVALID, "no tasks to submit");
	ticket = calloc(1, sizeof(*ticket));
	if (!ticket)
		return rota_err_memory(err);
	rota_arena_init(&ticket->arena, 0);
	ticket->store = store;
	ticket->done = done;
	ticket->arg = arg;
	ticket->op = (struct rota_op){ .kind = ROTA_OP_ENQUEUE, .done = ticket_done, .owner = ticket };
	ticket->op.arena = &ticket->arena;
	status = tasks_check(&ticket->arena, tasks, n, &ours, err);
	if (!status && !ticket_fill(ticket, ours, n))
		status = rota_err_memory(err);
	if (status) {
		ticket_free(ticket);
		return status;
	}
	return ticket_send(ticket, err);
}
