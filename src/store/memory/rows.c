/* rows.c: every row but the task's. */
#include <stdlib.h>
#include <string.h>
#include "base/error.h"
#include "base/limits.h"
#include "base/macros.h"
#include "store/memory/memory.h"

#define ROW_OF(type, row_) ROTA_CONTAINER(row_, struct rota_mem_##type, row)
#define NODE_OF(type, node_, member) ROTA_CONTAINER(node_, struct rota_mem_##type, member)

static int compare(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* A kind whose rows stand in one tree, owner->tree, ordered by what `key` says. */
#define KIND(type, place_fn, unplace_fn, owner_tree, compare_expr) \
	static int type##_order(const struct rota_mem_node *na, const struct rota_mem_node *nb) \
	{ \
		const struct rota_mem_##type *a = NODE_OF(type, na, node), *b = NODE_OF(type, nb, node); \
		return compare_expr; \
	} \
	static void type##_link(struct rota_mem_row *row) \
	{ \
		struct rota_mem_##type *r = ROW_OF(type, row); \
		rota_mem_tree_add(&r->owner_tree, &r->node, type##_order); \
	} \
	static void type##_unlink(struct rota_mem_row *row) \
	{ \
		struct rota_mem_##type *r = ROW_OF(type, row); \
		rota_mem_tree_remove(&r->owner_tree, &r->node); \
	} \
	static const struct rota_mem_kind type##_kind = { \
		offsetof(struct rota_mem_##type, d), sizeof(((struct rota_mem_##type *)NULL)->d), \
		type##_link, type##_unlink, place_fn, unplace_fn, type##_free, \
	};

static void queue_free(struct rota_mem_row *row)
{
	free(ROW_OF(queue, row)->name);
	free(ROW_OF(queue, row));
}
KIND(queue, NULL, NULL, space->queues, strcmp(a->name, b->name))

static void type_free(struct rota_mem_row *row)
{
	free(ROW_OF(type, row)->name);
	free(ROW_OF(type, row));
}
KIND(type, NULL, NULL, space->types, strcmp(a->name, b->name))

static void lane_free(struct rota_mem_row *row)
{
	free(ROW_OF(lane, row));
}
KIND(lane, NULL, NULL, queue->lanes, strcmp(a->type->name, b->type->name))

static void attempt_free(struct rota_mem_row *row)
{
	free(ROW_OF(attempt, row)->d.worker);
	free(ROW_OF(attempt, row)->d.error);
	free(ROW_OF(attempt, row));
}
KIND(attempt, NULL, NULL, task->attempts, compare(a->d.token, b->d.token))

static void signal_free(struct rota_mem_row *row)
{
	free(ROW_OF(signal, row)->name);
	free(ROW_OF(signal, row));
}
KIND(signal, NULL, NULL, task->signals, strcmp(a->name, b->name))

static void gone_free(struct rota_mem_row *row)
{
	free(ROW_OF(gone, row));
}
KIND(gone, NULL, NULL, store->gone, compare(a->id, b->id))

static void worker_free(struct rota_mem_row *row)
{
	free(ROW_OF(worker, row)->d.metrics);
	free(ROW_OF(worker, row));
}
KIND(worker, NULL, NULL, store->workers, compare(a->id, b->id))

/* ---- keys: a grave also stands in the tree of those that will be free ---- */

static int grave_order(const struct rota_mem_node *na, const struct rota_mem_node *nb)
{
	const struct rota_mem_key *a = NODE_OF(key, na, grave), *b = NODE_OF(key, nb, grave);
	int order = compare(a->d.free_at, b->d.free_at);

	return order ? order : compare(a->d.id, b->d.id);
}

static void key_place(struct rota_mem_row *row)
{
	struct rota_mem_key *key = ROW_OF(key, row);

	if (key->d.task)
		return;
	key->buried = &key->store->graves;
	rota_mem_tree_add(key->buried, &key->grave, grave_order);
}

static void key_unplace(struct rota_mem_row *row)
{
	struct rota_mem_key *key = ROW_OF(key, row);

	if (key->buried)
		rota_mem_tree_remove(key->buried, &key->grave);
	key->buried = NULL;
}

static void key_free(struct rota_mem_row *row)
{
	free(ROW_OF(key, row)->name);
	free(ROW_OF(key, row));
}
KIND(key, key_place, key_unplace, space->keys, strcmp(a->name, b->name))

/* ---- edges stand in two trees ---- */

static int out_order(const struct rota_mem_node *a, const struct rota_mem_node *b)
{
	return compare(NODE_OF(edge, a, out)->to->d.facts.id, NODE_OF(edge, b, out)->to->d.facts.id);
}

static int in_order(const struct rota_mem_node *a, const struct rota_mem_node *b)
{
	return compare(NODE_OF(edge, a, in)->from->d.facts.id, NODE_OF(edge, b, in)->from->d.facts.id);
}

static void edge_link(struct rota_mem_row *row)
{
	struct rota_mem_edge *edge = ROW_OF(edge, row);

	rota_mem_tree_add(&edge->from->out, &edge->out, out_order);
	rota_mem_tree_add(&edge->to->in, &edge->in, in_order);
}

static void edge_unlink(struct rota_mem_row *row)
{
	struct rota_mem_edge *edge = ROW_OF(edge, row);

	rota_mem_tree_remove(&edge->from->out, &edge->out);
	rota_mem_tree_remove(&edge->to->in, &edge->in);
}

static void edge_free(struct rota_mem_row *row)
{
	free(ROW_OF(edge, row));
}

static const struct rota_mem_kind edge_kind = {
	offsetof(struct rota_mem_edge, d), sizeof(struct rota_mem_edge_data),
	edge_link, edge_unlink, NULL, NULL, edge_free,
};

/* ---- finding ---- */

#define FIND(type, tree, key) \
	({ \
		struct rota_mem_node *found_ = rota_mem_tree_find(tree, type##_at, key); \
		found_ ? NODE_OF(type, found_, node) : NULL; \
	})
#define NAMED(type, text) \
	static int type##_at(const struct rota_mem_node *node, const void *key) \
	{ \
		return strcmp(NODE_OF(type, node, node)->text, key); \
	}
#define NUMBERED(type, number) \
	static int type##_at(const struct rota_mem_node *node, const void *key) \
	{ \
		return compare(NODE_OF(type, node, node)->number, *(const int64_t *)key); \
	}
NAMED(queue, name)
NAMED(type, name)
NAMED(lane, type->name)
NAMED(signal, name)
NAMED(key, name)
NUMBERED(gone, id)
NUMBERED(worker, id)

struct rota_mem_queue *rota_mem_queue_find(const struct rota_session *session, const char *name)
{
	return FIND(queue, &session->space->queues, name);
}

struct rota_mem_type *rota_mem_type_find(const struct rota_session *session, const char *name)
{
	return FIND(type, &session->space->types, name);
}

struct rota_mem_lane *rota_mem_lane_find(const struct rota_mem_queue *queue, const char *type)
{
	return FIND(lane, &queue->lanes, type);
}

struct rota_mem_key *rota_mem_key_find(const struct rota_session *session, const char *name)
{
	struct rota_mem_key *key = FIND(key, &session->space->keys, name);

	return key && !key->d.task && key->d.free_at <= session->date ? NULL : key;
}

struct rota_mem_gone *rota_mem_gone_find(const struct rota_session *session, rota_id id)
{
	return FIND(gone, &session->store->gone, &id);
}

struct rota_mem_worker *rota_mem_worker_find(const struct rota_mem_store *store, int64_t id)
{
	return FIND(worker, &store->workers, &id);
}

struct rota_mem_signal *rota_mem_signal_find(const struct rota_mem_task *task, const char *name)
{
	return FIND(signal, &task->signals, name);
}

static int edge_at(const struct rota_mem_node *node, const void *key)
{
	return compare(NODE_OF(edge, node, out)->to->d.facts.id, *(const int64_t *)key);
}

struct rota_mem_edge *rota_mem_edge_find(const struct rota_mem_task *from, const struct rota_mem_task *to)
{
	struct rota_mem_node *node = rota_mem_tree_find(&from->out, edge_at, &to->d.facts.id);

	return node ? NODE_OF(edge, node, out) : NULL;
}

rota_duration rota_mem_keep(const struct rota_mem_queue *queue, int class)
{
	static const rota_duration defaults[2] = { ROTA_DEFAULT_KEEP_COMPLETED, ROTA_DEFAULT_KEEP_FAILED };

	return queue->d.keep[class] < 0 ? defaults[class] : queue->d.keep[class];
}

enum rota_status rota_mem_task_need(const struct rota_session *session, rota_id id,
	struct rota_mem_task **ret, struct rota_error *err)
{
	struct rota_mem_task *task = rota_mem_task_find(session, id);

	if (!task)
		return rota_err(err, ROTA_NOT_FOUND, "there is no task %lld", (long long)id);
	*ret = task;
	return ROTA_OK;
}

/* ---- making ---- */

#define NEW(type) \
	({ \
		struct rota_mem_##type *new_ = calloc(1, sizeof(*new_)); \
		if (new_) \
			new_->row.kind = &type##_kind; \
		new_; \
	})

/* NULL: out of memory. name may be NULL when the row has none. */
#define NEW_NAMED(type, name_) \
	({ \
		struct rota_mem_##type *named_ = NEW(type); \
		if (named_ && !(named_->name = strdup(name_))) { \
			free(named_); \
			named_ = NULL; \
		} \
		named_; \
	})

static size_t tree_size(const struct rota_mem_tree *tree)
{
	size_t n = 0;

	for (struct rota_mem_node *node = rota_mem_tree_first(tree); node; node = rota_mem_tree_next(node))
		n++;
	return n;
}

enum rota_status rota_mem_queue_have(struct rota_session *session, const char *name,
	struct rota_mem_queue **ret, struct rota_error *err)
{
	struct rota_mem_queue *queue = rota_mem_queue_find(session, name);

	*ret = queue;
	if (queue)
		return ROTA_OK;
	if (tree_size(&session->space->queues) >= ROTA_QUEUES_MAX)
		return rota_err(err, ROTA_LIMIT, "there are %d queues already; no more fit", ROTA_QUEUES_MAX);
	queue = NEW_NAMED(queue, name);
	if (!queue)
		return rota_err_memory(err);
	queue->space = session->space;
	queue->d.keep[0] = queue->d.keep[1] = -1;
	*ret = queue;
	return rota_mem_add(&session->store->journal, &queue->row) ? ROTA_OK : rota_err_memory(err);
}

static enum rota_status type_have(struct rota_session *session, const char *name,
	struct rota_mem_type **ret, struct rota_error *err)
{
	struct rota_mem_type *type = rota_mem_type_find(session, name);

	*ret = type;
	if (type)
		return ROTA_OK;
	if (tree_size(&session->space->types) >= ROTA_TYPES_MAX)
		return rota_err(err, ROTA_LIMIT, "there are %d types already; no more fit", ROTA_TYPES_MAX);
	type = NEW_NAMED(type, name);
	if (!type)
		return rota_err_memory(err);
	type->space = session->space;
	*ret = type;
	return rota_mem_add(&session->store->journal, &type->row) ? ROTA_OK : rota_err_memory(err);
}

enum rota_status rota_mem_lane_have(struct rota_session *session, const char *queue, const char *type,
	struct rota_mem_lane **ret, struct rota_error *err)
{
	struct rota_mem_queue *q = NULL;
	struct rota_mem_type *t = NULL;
	struct rota_mem_lane *lane;
	enum rota_status status = rota_mem_queue_have(session, queue, &q, err);

	if (status)
		return status;
	*ret = rota_mem_lane_find(q, type);
	if (*ret)
		return ROTA_OK;
	status = type_have(session, type, &t, err);
	if (status)
		return status;
	lane = NEW(lane);
	if (!lane)
		return rota_err_memory(err);
	lane->queue = q;
	lane->type = t;
	*ret = lane;
	return rota_mem_add(&session->store->journal, &lane->row) ? ROTA_OK : rota_err_memory(err);
}

enum rota_status rota_mem_worker_add(struct rota_session *session, struct rota_mem_worker **ret,
	struct rota_error *err)
{
	struct rota_mem_worker *worker = NEW(worker);

	if (!worker)
		return rota_err_memory(err);
	worker->store = session->store;
	worker->id = session->store->worker_next++;
	*ret = worker;
	return rota_mem_add(&session->store->journal, &worker->row) ? ROTA_OK : rota_err_memory(err);
}

bool rota_mem_edge_add(struct rota_session *session, struct rota_mem_task *from,
	struct rota_mem_task *to, const struct rota_mem_edge_data *data)
{
	struct rota_mem_edge *edge = NEW(edge);

	if (!edge)
		return false;
	edge->from = from;
	edge->to = to;
	edge->d = *data;
	return rota_mem_add(&session->store->journal, &edge->row);
}

bool rota_mem_signal_add(struct rota_session *session, struct rota_mem_task *task, const char *name)
{
	struct rota_mem_signal *signal = NEW_NAMED(signal, name);

	if (!signal)
		return false;
	signal->task = task;
	return rota_mem_add(&session->store->journal, &signal->row);
}

bool rota_mem_gone_add(struct rota_session *session, rota_id id, int state)
{
	struct rota_mem_gone *gone = NEW(gone);

	if (!gone)
		return false;
	gone->store = session->store;
	gone->id = id;
	gone->state = state;
	return rota_mem_add(&session->store->journal, &gone->row);
}

/* A grave whose time is over gives way. */
bool rota_mem_key_add(struct rota_session *session, const char *name, struct rota_mem_task *task)
{
	struct rota_mem_key *old = FIND(key, &session->space->keys, name);
	struct rota_mem_key *key;

	if (old && !rota_mem_remove(&session->store->journal, &old->row))
		return false;
	key = NEW_NAMED(key, name);
	if (!key)
		return false;
	key->store = session->store;
	key->space = session->space;
	key->d.id = task->d.facts.id;
	key->d.task = task;
	return rota_mem_add(&session->store->journal, &key->row);
}

static bool attempts_trim(struct rota_session *session, struct rota_mem_task *task)
{
	struct rota_mem_node *first = rota_mem_tree_first(&task->attempts);

	if (tree_size(&task->attempts) < ROTA_ATTEMPTS_KEPT_MAX)
		return true;
	return rota_mem_remove(&session->store->journal, &NODE_OF(attempt, first, node)->row);
}

bool rota_mem_attempt_add(struct rota_session *session, struct rota_mem_task *task,
	const struct rota_mem_attempt_data *data, const char *worker, const char *error)
{
	struct rota_mem_attempt *attempt = attempts_trim(session, task) ? NEW(attempt) : NULL;

	if (!attempt)
		return false;
	attempt->task = task;
	attempt->d = *data;
	attempt->d.worker = worker ? strdup(worker) : NULL;
	attempt->d.error = error ? strdup(error) : NULL;
	if ((worker && !attempt->d.worker) || (error && !attempt->d.error)) {
		attempt_free(&attempt->row);
		return false;
	}
	return rota_mem_add(&session->store->journal, &attempt->row);
}

/* ---- the end of a store: nobody looks any more, so nothing is taken out of its tree ---- */

static void tree_empty(struct rota_mem_node *n, struct rota_mem_row *(*row_of)(struct rota_mem_node *))
{
	while (n) {
		struct rota_mem_node *left = n->left, *right = n->right;
		struct rota_mem_row *row = row_of(n);

		tree_empty(left, row_of);
		row->kind->free(row);
		n = right;
	}
}

#define ROW_AT(type, member) \
	static struct rota_mem_row *type##_row(struct rota_mem_node *n) \
	{ \
		return &NODE_OF(type, n, member)->row; \
	}
ROW_AT(queue, node)
ROW_AT(type, node)
ROW_AT(lane, node)
ROW_AT(attempt, node)
ROW_AT(signal, node)
ROW_AT(gone, node)
ROW_AT(worker, node)
ROW_AT(key, node)
ROW_AT(edge, out)
ROW_AT(task, by_id)

static void details_empty(struct rota_mem_store *store)
{
	for (struct rota_mem_node *n = rota_mem_tree_first(&store->tasks); n; n = rota_mem_tree_next(n)) {
		struct rota_mem_task *task = ROTA_MEM_TASK(n, by_id);

		tree_empty(task->out.root, edge_row);
		tree_empty(task->attempts.root, attempt_row);
		tree_empty(task->signals.root, signal_row);
	}
}

static void space_empty(struct rota_mem_space *space)
{
	struct rota_mem_node *n;

	for (n = rota_mem_tree_first(&space->queues); n; n = rota_mem_tree_next(n))
		tree_empty(NODE_OF(queue, n, node)->lanes.root, lane_row);
	tree_empty(space->queues.root, queue_row);
	tree_empty(space->types.root, type_row);
	tree_empty(space->keys.root, key_row);
}

void rota_mem_store_empty(struct rota_mem_store *store)
{
	details_empty(store);
	tree_empty(store->tasks.root, task_row);
	tree_empty(store->gone.root, gone_row);
	tree_empty(store->workers.root, worker_row);
	for (struct rota_mem_space *space = store->spaces; space; space = space->next)
		space_empty(space);
}
