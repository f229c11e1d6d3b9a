/* enqueue.c: the op. Ids, keys and conflicts of a call's tasks, a thousand at a time. */
#include <stdlib.h>
#include <string.h>
#include "base/error.h"
#include "store/internal.h"
#include "store/sqlite/enqueue.h"

/* A stream's texts and payloads are copied until their chunk is written; not more than that of
 * them. */
#define CHUNK_BYTES (4 << 20)

bool rota_call_grow(void **list, size_t count, size_t *room, size_t size)
{
	size_t wanted = *room ? *room * 2 : 64;
	void *bigger;

	if (count < *room)
		return true;
	bigger = realloc(*list, wanted * size);
	if (!bigger)
		return false;
	*list = bigger;
	*room = wanted;
	return true;
}

static void call_free(struct rota_call *call)
{
	free(call->known);
	free(call->edges);
}

/* ---- ids: consecutive, but for tasks that were there ---- */

rota_id rota_call_id(const struct rota_call *call, uint64_t nth, bool *ret_known)
{
	size_t low = 0, high = call->known_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (call->known[middle].nth < nth)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_known = low < call->known_count && call->known[low].nth == nth;
	return *ret_known ? call->known[low].id : call->first_id + (rota_id)(nth - 1 - low);
}

static enum rota_status known_add(struct rota_call *call, uint64_t nth, rota_id id)
{
	void *list = call->known;

	if (!rota_call_grow(&list, call->known_count, &call->known_room, sizeof(*call->known)))
		return rota_session_memory(call->session);
	call->known = list;
	call->known[call->known_count++] = (struct rota_known){nth, id};
	return ROTA_OK;
}

/* ---- edges are noted as they were named ---- */

static enum rota_status edge_note(
	struct rota_call *call, const struct rota_dependency *to, bool before)
{
	struct rota_new_edge edge = {
		.owner = (uint32_t)call->count, .policy = (uint8_t)to->failed, .before = before};
	void *list = call->edges;

	if (call->edge_count == ROTA_STREAM_EDGES_MAX)
		return rota_err(call->refusal, ROTA_LIMIT, "more than %d dependencies in one call",
			ROTA_STREAM_EDGES_MAX);
	if (!rota_call_grow(&list, call->edge_count, &call->edge_room, sizeof(edge)))
		return rota_session_memory(call->session);
	call->edges = list;
	if (to->nth) {
		edge.kind = ROTA_EDGE_NTH;
		edge.target = (int64_t)to->nth;
	} else if (to->key) {
		edge.kind = ROTA_EDGE_KEY;
		edge.key = call->op->next ? rota_arena_strdup(&call->session->scratch, to->key)
					  : to->key;
		if (!edge.key)
			return rota_session_memory(call->session);
	} else {
		edge.target = to->id;
	}
	call->edges[call->edge_count++] = edge;
	return ROTA_OK;
}

static enum rota_status edges_note(struct rota_call *call, const struct rota_task *task)
{
	enum rota_status status = ROTA_OK;

	for (size_t i = 0; i < task->after_count && !status && !call->refusal->status; i++)
		status = edge_note(call, &task->after[i], false);
	for (size_t i = 0; i < task->before_count && !status && !call->refusal->status; i++)
		status = edge_note(call, &task->before[i], true);
	return call->refusal->status ? ROTA_OK : status;
}

/* ---- keys of a chunk ---- */

struct chunk_key {
	const char *key;
	rota_id id; /* of the new task, or of the one that has it */
	size_t nth; /* in the chunk, from 0 */
	bool taken, gone;
};
struct rota_chunk {
	const struct rota_task *tasks[ROTA_SQLITE_ROWS];
	struct chunk_key keys[ROTA_SQLITE_ROWS], *of[ROTA_SQLITE_ROWS];
	size_t count, key_count;
};
static const struct rota_input_column key_columns[] = {
	ROTA_INPUT(TEXT, struct chunk_key, key),
	ROTA_INPUT(I64, struct chunk_key, id),
};

static int by_key(const void *a, const void *b)
{
	const struct chunk_key *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	return order ? order : (x->nth > y->nth) - (x->nth < y->nth);
}

static void chunk_sort(struct rota_chunk *chunk)
{
	chunk->key_count = 0;
	for (size_t i = 0; i < chunk->count; i++) {
		if (chunk->tasks[i]->key)
			chunk->keys[chunk->key_count++] =
				(struct chunk_key){chunk->tasks[i]->key, 0, i, false, false};
	}
	for (size_t i = 1; i < chunk->key_count; i++) {
		if (by_key(&chunk->keys[i - 1], &chunk->keys[i]) > 0) {
			qsort(chunk->keys, chunk->key_count, sizeof(*chunk->keys), by_key);
			break;
		}
	}
}

/* A key given twice ends the chunk before its second task, which meets the first one as a row. */
static void chunk_cut(struct rota_chunk *chunk)
{
	size_t cut = chunk->count;

	for (size_t i = 1; i < chunk->key_count; i++) {
		if (!strcmp(chunk->keys[i].key, chunk->keys[i - 1].key))
			cut = ROTA_MIN(cut, chunk->keys[i].nth);
	}
	if (cut < chunk->count) {
		chunk->count = cut;
		chunk_sort(chunk);
	}
}

static enum rota_status keys_look(
	struct rota_session *session, struct rota_chunk *chunk, int64_t name_space)
{
	sqlite3_stmt *row;
	int got;

	ROTA_SHOW(session, chunk->keys, chunk->key_count, key_columns);
	row = rota_sql_query(session, ROTA_SQL_KEY_LOOK, "i", name_space);
	while ((got = rota_sql_next(session, row)) > 0) {
		struct chunk_key *key = &chunk->keys[sqlite3_column_int64(row, 0)];
		bool buried = sqlite3_column_type(row, 2) != SQLITE_NULL;

		key->taken = !buried || sqlite3_column_int64(row, 2) > session->now;
		key->gone = buried;
		key->id = sqlite3_column_int64(row, 1);
	}
	return got < 0 ? session->error.status : ROTA_OK;
}

/* Those of new tasks, in the keys' order. */
static enum rota_status keys_add(
	struct rota_session *session, struct rota_chunk *chunk, int64_t name_space)
{
	size_t n = 0;

	for (size_t i = 0; i < chunk->key_count; i++) {
		if (!chunk->keys[i].taken)
			chunk->keys[n++] = chunk->keys[i];
	}
	if (!n)
		return ROTA_OK;
	ROTA_SHOW(session, chunk->keys, n, key_columns);
	return rota_sql_run(session, ROTA_SQL_KEY_ADD, "i", name_space);
}

/* ---- a task whose key is taken ---- */

static enum rota_status conflict(
	struct rota_call *call, const struct rota_task *task, const struct chunk_key *key)
{
	enum rota_status status = known_add(call, call->count, key->id);

	if (status || task->on_conflict == ROTA_CONFLICT_IGNORE)
		return status;
	if (task->on_conflict == ROTA_CONFLICT_REPLACE && !key->gone &&
		key->id != call->op->finishing)
		return rota_task_replace(call->session, key->id, task, call->refusal);
	(void)rota_err(call->refusal, ROTA_EXISTS, "key \"%s\" is taken by task %lld%s", task->key,
		(long long)key->id, key->gone ? ", which is gone, for some time yet" : "");
	return ROTA_OK;
}

static enum rota_status fresh(
	struct rota_call *call, const struct rota_task *task, struct chunk_key *key)
{
	struct rota_session *session = call->session;
	struct rota_new *row;
	enum rota_status status = rota_new_add(session, &row);

	if (!status)
		status = rota_queue_id(
			session, task->queue ? task->queue : ROTA_DEFAULT_QUEUE, true, &row->queue);
	if (!status)
		status = rota_type_id(session, task->type, true, &row->type);
	if (status)
		return status;
	row->id = call->next_id++;
	rota_new_fill(session, task, row);
	if (key)
		key->id = row->id;
	return task->after_count || task->before_count ? edges_note(call, task) : ROTA_OK;
}

static enum rota_status task_take(
	struct rota_call *call, const struct rota_task *task, struct chunk_key *key)
{
	enum rota_status status;

	call->count++;
	status = key && key->taken ? conflict(call, task, key) : fresh(call, task, key);
	if (call->refusal->status)
		call->refusal->item = (uint32_t)call->count;
	return status;
}

/* ---- chunks ---- */

static enum rota_status chunk_keys(
	struct rota_call *call, struct rota_chunk *chunk, int64_t *ret_name_space)
{
	enum rota_status status;

	chunk_sort(chunk);
	memset(chunk->of, 0, chunk->count * sizeof(*chunk->of));
	if (!chunk->key_count)
		return ROTA_OK;
	chunk_cut(chunk);
	status = rota_namespace_id(call->session, true, ret_name_space);
	if (!status)
		status = keys_look(call->session, chunk, *ret_name_space);
	for (size_t i = 0; i < chunk->key_count; i++)
		chunk->of[chunk->keys[i].nth] = &chunk->keys[i];
	return status;
}

/* Takes the chunk's tasks; chunk->count says how many of them it was. */
static enum rota_status chunk_take(struct rota_call *call, struct rota_chunk *chunk)
{
	int64_t name_space = 0;
	enum rota_status status = chunk_keys(call, chunk, &name_space);

	for (size_t i = 0; i < chunk->count && !status && !call->refusal->status; i++)
		status = task_take(call, chunk->tasks[i], chunk->of[i]);
	if (status || call->refusal->status)
		return status;
	status = keys_add(call->session, chunk, name_space);
	return status ? status : rota_new_flush(call->session);
}

static enum rota_status array_take(struct rota_call *call, struct rota_chunk *chunk)
{
	const struct rota_op_enqueue *op = call->op;
	enum rota_status status = ROTA_OK;

	while (call->count < op->count && !status && !call->refusal->status) {
		chunk->count = ROTA_MIN(op->count - call->count, (size_t)ROTA_SQLITE_ROWS);
		for (size_t i = 0; i < chunk->count; i++)
			chunk->tasks[i] = &op->tasks[call->count + i];
		status = chunk_take(call, chunk);
	}
	return status;
}

/* ---- streams ---- */

/* The next tasks, as copies in the session's reads. False in *ret_more: that was the last. A
 * refusal waits until those before it were taken: they may be refused earlier. */
static enum rota_status stream_read(
	struct rota_call *call, struct rota_chunk *chunk, struct rota_error *late, bool *ret_more)
{
	struct rota_arena *reads = &call->session->reads;

	rota_arena_reset(reads);
	chunk->count = 0;
	while (chunk->count < ROTA_SQLITE_ROWS && reads->used_bytes < CHUNK_BYTES) {
		const struct rota_task *task = NULL;
		struct rota_task *copy;

		*ret_more = !call->op->next(call->op->arg, &task, late) && task;
		if (!*ret_more)
			return ROTA_OK;
		copy = rota_arena_alloc(reads, sizeof(*copy));
		if (!copy || !rota_task_copy(reads, task, copy))
			return rota_session_memory(call->session);
		chunk->tasks[chunk->count++] = copy;
	}
	return ROTA_OK;
}

static enum rota_status chunk_take_all(struct rota_call *call, struct rota_chunk *chunk)
{
	size_t left = chunk->count;
	enum rota_status status = ROTA_OK;

	while (left && !status && !call->refusal->status) {
		chunk->count = left;
		status = chunk_take(call, chunk);
		left -= chunk->count;
		memmove(chunk->tasks, chunk->tasks + chunk->count, left * sizeof(*chunk->tasks));
	}
	return status;
}

static enum rota_status stream_take(struct rota_call *call, struct rota_chunk *chunk)
{
	struct rota_error late = {.status = ROTA_OK};
	enum rota_status status = ROTA_OK;

	for (bool more = true; more && !status && !call->refusal->status;) {
		status = stream_read(call, chunk, &late, &more);
		if (!status)
			status = chunk_take_all(call, chunk);
	}
	rota_arena_reset(&call->session->reads);
	if (!status && !call->refusal->status && late.status)
		*call->refusal = late;
	return status;
}

/* ---- calls ---- */

/* Nobody hears of an id before all of the call is in. */
static void call_answer(struct rota_call *call)
{
	struct rota_op_enqueue *op = call->op;
	bool known;

	for (uint64_t i = 0; i < call->count && (op->ret_ids || op->accepted); i++) {
		rota_id id = rota_call_id(call, i + 1, &known);

		if (op->ret_ids)
			op->ret_ids[i] = id;
		if (op->accepted)
			op->accepted(op->arg, i + 1, id);
	}
	op->ret_count = call->count;
	call->session->next_id = call->next_id;
}

static enum rota_status call_run(struct rota_call *call)
{
	enum rota_status status = rota_session_next_id(call->session, &call->first_id);
	struct rota_chunk *chunk = call->session->chunk;

	if (!chunk)
		chunk = call->session->chunk = malloc(sizeof(*chunk));
	if (!chunk)
		return rota_session_memory(call->session);
	call->next_id = call->first_id;
	if (!status)
		status = call->op->next ? stream_take(call, chunk) : array_take(call, chunk);
	if (!status && !call->refusal->status && call->edge_count)
		status = rota_call_edges(call);
	if (!status && !call->refusal->status)
		call_answer(call);
	return status;
}

/* One task without edges is refused before anything is written. */
static bool undo_needed(const struct rota_op_enqueue *op)
{
	return op->next || op->count != 1 || op->tasks->after_count || op->tasks->before_count;
}

static enum rota_status call_undo(
	struct rota_session *session, const struct rota_news *news, bool savepoint)
{
	rota_work_forget(session);
	*session->news = *news;
	if (!savepoint)
		return ROTA_OK;
	rota_names_forget(session);
	return rota_sql_run(session, ROTA_SQL_SAVEPOINT_BACK, "");
}

enum rota_status rota_enqueue_call(
	struct rota_session *session, struct rota_op_enqueue *op, struct rota_error *refusal)
{
	struct rota_call call ROTA_CLEANUP(call_free) = {
		.session = session, .op = op, .refusal = refusal};
	struct rota_news news;
	bool savepoint = undo_needed(op);
	enum rota_status status = rota_new_flush(session);

	news = *session->news;
	if (!status && savepoint)
		status = rota_sql_run(session, ROTA_SQL_SAVEPOINT_SET, "");
	if (!status)
		status = call_run(&call);
	if (!status && refusal->status)
		status = call_undo(session, &news, savepoint);
	return status || !savepoint ? status : rota_sql_run(session, ROTA_SQL_SAVEPOINT_END, "");
}

/* ---- the op ---- */

/* Tasks that nothing can refuse: they are collected over all ops of the group. */
static bool simple(const struct rota_op_enqueue *op)
{
	if (op->next)
		return false;
	for (size_t i = 0; i < op->count; i++) {
		const struct rota_task *task = &op->tasks[i];

		if (task->key || task->after_count || task->before_count)
			return false;
	}
	return true;
}

static enum rota_status simple_take(struct rota_session *session, struct rota_op_enqueue *op)
{
	struct rota_call call = {.session = session, .op = op};
	enum rota_status status = rota_session_next_id(session, &call.next_id);

	for (size_t i = 0; i < op->count && !status; i++) {
		if (op->ret_ids)
			op->ret_ids[i] = call.next_id;
		status = fresh(&call, &op->tasks[i], NULL);
	}
	session->next_id = call.next_id;
	op->ret_count = op->count;
	return status;
}

enum rota_status rota_sqlite_enqueue(
	struct rota_session *session, struct rota_op *const *ops, size_t n, struct rota_error *err)
{
	enum rota_status status = ROTA_OK;

	rota_session_start(session);
	for (size_t i = 0; i < n && !status; i++) {
		struct rota_op_enqueue *op = &ops[i]->u.enqueue;

		status = simple(op) ? simple_take(session, op)
				    : rota_enqueue_call(session, op, &ops[i]->err);
	}
	if (!status)
		status = rota_new_flush(session);
	return status ? rota_session_answer(session, err) : ROTA_OK;
}
