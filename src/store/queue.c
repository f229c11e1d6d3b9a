/* queue.c: the public calls about queues and types. */
#include <stdlib.h>
#include "store/internal.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/macros.h"
#include "core/check.h"

struct queues_box {
	struct rota_queue_list list;
	struct rota_arena arena;
};
struct types_box {
	struct rota_type_list list;
	struct rota_arena arena;
};

void rota_queue_list_free(struct rota_queue_list *list)
{
	struct queues_box *box = ROTA_CONTAINER(list, struct queues_box, list);

	if (!list)
		return;
	rota_arena_deinit(&box->arena);
	free(box);
}

void rota_type_list_free(struct rota_type_list *list)
{
	struct types_box *box = ROTA_CONTAINER(list, struct types_box, list);

	if (!list)
		return;
	rota_arena_deinit(&box->arena);
	free(box);
}

enum rota_status rota_queue_list(struct rota_store *store, struct rota_queue_list **ret_list,
	struct rota_error *err)
{
	struct rota_op op = { 0 };
	struct queues_box *box = calloc(1, sizeof(*box));
	enum rota_status status;

	if (!box)
		return rota_err_memory(err);
	rota_arena_init(&box->arena, 0);
	status = rota_store_call(store, &op, ROTA_OP_STATS, &box->arena, err);
	if (status) {
		rota_queue_list_free(&box->list);
		return status;
	}
	box->list = (struct rota_queue_list){ op.u.stats.ret_queue_count, op.u.stats.ret_queues };
	*ret_list = &box->list;
	return ROTA_OK;
}

enum rota_status rota_type_list(struct rota_store *store, struct rota_type_list **ret_list,
	struct rota_error *err)
{
	struct rota_op op = { 0 };
	struct types_box *box = calloc(1, sizeof(*box));
	enum rota_status status;

	if (!box)
		return rota_err_memory(err);
	rota_arena_init(&box->arena, 0);
	status = rota_store_call(store, &op, ROTA_OP_STATS, &box->arena, err);
	if (status) {
		rota_type_list_free(&box->list);
		return status;
	}
	box->list = (struct rota_type_list){ op.u.stats.ret_type_count, op.u.stats.ret_types };
	*ret_list = &box->list;
	return ROTA_OK;
}

static enum rota_status queue_call(struct rota_store *store, const char *queue, enum rota_queue_action action,
	const struct rota_queue_settings *settings, struct rota_error *err)
{
	struct rota_op op = { .u.queue = { .action = action, .name = queue } };
	struct rota_arena arena;
	enum rota_status status = rota_check_name(queue, "queue", ROTA_NAME_BYTES_MAX, err);

	if (status)
		return status;
	if (settings)
		op.u.queue.settings = *settings;
	rota_arena_init(&arena, 0);
	status = rota_store_call(store, &op, ROTA_OP_QUEUE, &arena, err);
	rota_arena_deinit(&arena);
	return status;
}

enum rota_status rota_queue_pause(struct rota_store *store, const char *queue, struct rota_error *err)
{
	return queue_call(store, queue, ROTA_QUEUE_PAUSE, NULL, err);
}

enum rota_status rota_queue_resume(struct rota_store *store, const char *queue, struct rota_error *err)
{
	return queue_call(store, queue, ROTA_QUEUE_RESUME, NULL, err);
}

enum rota_status rota_queue_set(struct rota_store *store, const char *queue,
	const struct rota_queue_settings *settings, struct rota_error *err)
{
	struct rota_queue_settings ours = ROTA_QUEUE_SETTINGS_INIT;
	enum rota_status status;

	if (!settings)
		return rota_err(err, ROTA_INVALID, "settings is NULL");
	status = rota_struct_adopt(&ours, sizeof(ours), settings, "rota_queue_settings", err);
	if (!status && ours.keep_completed > 0)
		status = rota_check_duration(ours.keep_completed, "keep_completed", true, err);
	if (!status && ours.keep_failed > 0)
		status = rota_check_duration(ours.keep_failed, "keep_failed", true, err);
	if (!status && (ours.keep_completed < -1 || ours.keep_failed < -1))
		status = rota_err(err, ROTA_INVALID, "a retention cannot be negative");
	return status ? status : queue_call(store, queue, ROTA_QUEUE_SET, &ours, err);
}

/* Slice by slice: a transaction over a million rows would keep everyone else waiting. */
enum rota_status rota_queue_purge(struct rota_store *store, const char *queue, uint64_t *ret_deleted,
	struct rota_error *err)
{
	struct rota_op op = { .u.purge = { .queue = queue, .slice = ROTA_MAINTAIN_SLICE } };
	struct rota_arena arena;
	uint64_t deleted = 0;
	enum rota_status status = rota_check_name(queue, "queue", ROTA_NAME_BYTES_MAX, err);

	if (status)
		return status;
	rota_arena_init(&arena, 0);
	do {
		rota_arena_reset(&arena);
		status = rota_store_call(store, &op, ROTA_OP_PURGE, &arena, err);
		deleted += status ? 0 : op.u.purge.ret_deleted;
	} while (!status && op.u.purge.ret_more);
	rota_arena_deinit(&arena);
	if (!status && ret_deleted)
		*ret_deleted = deleted;
	return status;
}
