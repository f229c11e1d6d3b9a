/* stats.c: stats and open_work: counts, which the lanes keep. */
#include <string.h>
#include "base/error.h"
#include "base/limits.h"
#include "base/macros.h"
#include "store/memory/memory.h"

#define LANE(n) ROTA_CONTAINER(n, struct rota_mem_lane, node)

/* By run_at alone: within a lane priority comes first. */
static void lane_add(struct rota_queue_info *to, const struct rota_mem_lane *lane)
{
	for (size_t i = 0; i < ROTA_STATE_COUNT; i++)
		to->count[i] += lane->count[i];
	for (struct rota_mem_node *n = rota_mem_tree_first(&lane->ready); n; n = rota_mem_tree_next(n)) {
		rota_time run_at = ROTA_MEM_TASK(n, place)->d.facts.run_at;

		if (!to->oldest_ready || run_at < to->oldest_ready)
			to->oldest_ready = run_at;
	}
}

static const struct rota_queue_info *queue_copy(struct rota_arena *arena, const struct rota_mem_queue *queue)
{
	struct rota_queue_info *to = rota_arena_zalloc(arena, sizeof(*to));

	if (!to)
		return NULL;
	to->name = rota_arena_strdup(arena, queue->name);
	to->paused = queue->d.paused;
	to->keep_completed = rota_mem_keep(queue, 0);
	to->keep_failed = rota_mem_keep(queue, 1);
	for (struct rota_mem_node *n = rota_mem_tree_first(&queue->lanes); n; n = rota_mem_tree_next(n))
		lane_add(to, LANE(n));
	return to->name ? to : NULL;
}

static bool queues_copy(const struct rota_session *session, struct rota_op_stats *op,
	struct rota_arena *arena)
{
	op->ret_queues = rota_arena_array(arena, ROTA_QUEUES_MAX, sizeof(*op->ret_queues));
	op->ret_queue_count = 0;
	for (struct rota_mem_node *n = rota_mem_tree_first(&session->space->queues); n && op->ret_queues;
		n = rota_mem_tree_next(n)) {
		const struct rota_queue_info *info =
			queue_copy(arena, ROTA_CONTAINER(n, struct rota_mem_queue, node));

		if (!info)
			return false;
		op->ret_queues[op->ret_queue_count++] = info;
	}
	return op->ret_queues;
}

/* A type is there while some task has it. */
static bool type_used(const struct rota_mem_type *type)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < ROTA_STATE_COUNT; i++)
		sum += type->count[i];
	return sum > 0;
}

static const struct rota_type_info *type_copy(struct rota_arena *arena, const struct rota_mem_type *type)
{
	struct rota_type_info *to = rota_arena_zalloc(arena, sizeof(*to));

	if (!to)
		return NULL;
	to->name = rota_arena_strdup(arena, type->name);
	memcpy(to->count, type->count, sizeof(to->count));
	return to->name ? to : NULL;
}

static bool types_copy(const struct rota_session *session, struct rota_op_stats *op, struct rota_arena *arena)
{
	op->ret_types = rota_arena_array(arena, ROTA_TYPES_MAX, sizeof(*op->ret_types));
	op->ret_type_count = 0;
	for (struct rota_mem_node *n = rota_mem_tree_first(&session->space->types); n && op->ret_types;
		n = rota_mem_tree_next(n)) {
		const struct rota_mem_type *type = ROTA_CONTAINER(n, struct rota_mem_type, node);
		const struct rota_type_info *info = type_used(type) ? type_copy(arena, type) : NULL;

		if (!info && type_used(type))
			return false;
		if (info)
			op->ret_types[op->ret_type_count++] = info;
	}
	return op->ret_types;
}

enum rota_status rota_mem_run_stats(struct rota_session *session, struct rota_op *const *ops, size_t n,
	struct rota_error *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++) {
		struct rota_op_stats *op = &ops[i]->u.stats;

		rota_mem_op_start(session);
		if (!queues_copy(session, op, ops[i]->arena) || !types_copy(session, op, ops[i]->arena))
			(void)rota_err_memory(&ops[i]->err);
	}
	return ROTA_OK;
}

/* ---- open work ---- */

static bool lane_open(const struct rota_mem_lane *lane)
{
	return lane->count[ROTA_STATE_SCHEDULED] || lane->count[ROTA_STATE_READY] ||
		lane->count[ROTA_STATE_RUNNING];
}

static bool named(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(name, names[i]))
			return true;
	}
	return !n;
}

static bool queue_open(const struct rota_mem_queue *queue, const struct rota_op_open_work *op)
{
	if (!named(queue->name, op->queues, op->queue_count))
		return false;
	for (struct rota_mem_node *n = rota_mem_tree_first(&queue->lanes); n; n = rota_mem_tree_next(n)) {
		if (lane_open(LANE(n)) && named(LANE(n)->type->name, op->types, op->type_count))
			return true;
	}
	return false;
}

enum rota_status rota_mem_run_open_work(struct rota_session *session, struct rota_op *const *ops, size_t n,
	struct rota_error *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++) {
		struct rota_op_open_work *op = &ops[i]->u.open_work;
		struct rota_mem_node *node = rota_mem_tree_first(&session->space->queues);

		op->ret_open = false;
		for (; node && !op->ret_open; node = rota_mem_tree_next(node))
			op->ret_open = queue_open(ROTA_CONTAINER(node, struct rota_mem_queue, node), op);
	}
	return ROTA_OK;
}
