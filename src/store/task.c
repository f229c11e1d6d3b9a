/* task.c: the public calls about tasks that only look, and those that act on ids. */
#include <stdlib.h>
#include <string.h>
#include "store/internal.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/macros.h"
#include "core/check.h"
#include "core/state.h"

static enum rota_status ids_check(const rota_id *ids, size_t n, struct rota_error *err)
{
	if (n && !ids)
		return rota_err(err, ROTA_INVALID, "ids is NULL");
	if (n > ROTA_IDS_PER_CALL_MAX)
		return rota_err(err, ROTA_LIMIT, "%zu ids in one call; at most %d", n, ROTA_IDS_PER_CALL_MAX);
	for (size_t i = 0; i < n; i++) {
		if (ids[i] > 0)
			continue;
		(void)rota_check_id(ids[i], err);
		return rota_err_item(err, i + 1);
	}
	return ROTA_OK;
}

/* ---- looking ---- */

struct info_box {
	struct rota_task_info info;
	struct rota_arena arena;
};

void rota_task_info_free(struct rota_task_info *info)
{
	struct info_box *box = ROTA_CONTAINER(info, struct info_box, info);

	if (!info)
		return;
	rota_arena_deinit(&box->arena);
	free(box);
}

enum rota_status rota_task_get(struct rota_store *store, rota_id id, struct rota_task_info **ret_info,
	struct rota_error *err)
{
	struct rota_op op = { .u.get = { .id = id,
		.want = ROTA_GET_PAYLOAD | ROTA_GET_EDGES | ROTA_GET_ATTEMPTS | ROTA_GET_RESULT } };
	struct info_box *box;
	enum rota_status status = rota_check_id(id, err);

	if (status)
		return status;
	box = calloc(1, sizeof(*box));
	if (!box)
		return rota_err_memory(err);
	rota_arena_init(&box->arena, 0);
	status = rota_store_call(store, &op, ROTA_OP_GET, &box->arena, err);
	if (status) {
		rota_task_info_free(&box->info);
		return status;
	}
	box->info = *op.u.get.ret_info;
	*ret_info = &box->info;
	return ROTA_OK;
}

enum rota_status rota_task_find(struct rota_store *store, const char *key, rota_id *ret_id,
	struct rota_error *err)
{
	struct rota_op op = { .u.get = { .key = key, .id_only = true } };
	struct rota_arena arena;
	enum rota_status status = rota_check_name(key, "key", ROTA_KEY_BYTES_MAX, err);

	if (status)
		return status;
	rota_arena_init(&arena, 0);
	status = rota_store_call(store, &op, ROTA_OP_GET, &arena, err);
	rota_arena_deinit(&arena);
	if (!status)
		*ret_id = op.u.get.ret_id;
	return status;
}

struct list_box {
	struct rota_task_list list;
	struct rota_arena arena;
};

void rota_task_list_free(struct rota_task_list *list)
{
	struct list_box *box = ROTA_CONTAINER(list, struct list_box, list);

	if (!list)
		return;
	rota_arena_deinit(&box->arena);
	free(box);
}

static enum rota_status filter_check(struct rota_task_filter *ours, const struct rota_task_filter *filter,
	struct rota_error *err)
{
	enum rota_status status = ROTA_OK;

	if (filter)
		status = rota_struct_adopt(ours, sizeof(*ours), filter, "rota_task_filter", err);
	if (!status && ours->queue)
		status = rota_check_name(ours->queue, "queue", ROTA_NAME_BYTES_MAX, err);
	if (!status && ours->type)
		status = rota_check_name(ours->type, "type", ROTA_NAME_BYTES_MAX, err);
	if (!status && ours->states >> ROTA_STATE_COUNT)
		status = rota_err(err, ROTA_INVALID, "states has bits that are no state: 0x%x", ours->states);
	if (!status && (ours->before < 0 || ours->limit > ROTA_LIST_MAX))
		status = rota_err(err, ROTA_LIMIT, "limit %zu; at most %d", ours->limit, ROTA_LIST_MAX);
	if (!ours->limit)
		ours->limit = 100;
	return status;
}

enum rota_status rota_task_list(struct rota_store *store, const struct rota_task_filter *filter,
	struct rota_task_list **ret_list, struct rota_error *err)
{
	struct rota_op op = { .u.list = { .filter = ROTA_INIT(rota_task_filter) } };
	struct list_box *box;
	enum rota_status status = filter_check(&op.u.list.filter, filter, err);

	if (status)
		return status;
	box = calloc(1, sizeof(*box));
	if (!box)
		return rota_err_memory(err);
	rota_arena_init(&box->arena, 0);
	status = rota_store_call(store, &op, ROTA_OP_LIST, &box->arena, err);
	if (status) {
		rota_task_list_free(&box->list);
		return status;
	}
	box->list = (struct rota_task_list){ op.u.list.ret_count, op.u.list.ret_tasks };
	*ret_list = &box->list;
	return ROTA_OK;
}

enum rota_status rota_task_guard(struct rota_store *store, rota_id id, int64_t token, struct rota_error *err)
{
	struct rota_op op = { .u.guard = { id, token } };
	struct rota_arena arena;
	enum rota_status status = rota_check_id(id, err);

	if (status)
		return status;
	rota_arena_init(&arena, 0);
	status = rota_store_call(store, &op, ROTA_OP_GUARD, &arena, err);
	rota_arena_deinit(&arena);
	return status;
}

/* ---- acting ---- */

/* What a refusal of one task says in words. */
static enum rota_status refusal(struct rota_error *err, enum rota_status status, rota_id id, size_t nth)
{
	if (status == ROTA_OK)
		return ROTA_OK;
	(void)rota_err(err, status, "task %lld: %s", (long long)id, rota_status_name(status));
	(void)rota_err_item(err, nth);
	return status;
}

static enum rota_status first_refusal(const enum rota_status *each, const rota_id *ids, size_t n,
	struct rota_error *err)
{
	for (size_t i = 0; i < n; i++) {
		if (each[i])
			return refusal(err, each[i], ids[i], i + 1);
	}
	return ROTA_OK;
}

/* Without ret_each of the caller's, the first refusal is the call's. */
static enum rota_status ids_call(struct rota_store *store, struct rota_op *op, enum rota_op_kind kind,
	enum rota_status **each, enum rota_status *ret_each, const rota_id *ids, size_t n, struct rota_error *err)
{
	struct rota_arena arena ROTA_CLEANUP(rota_arena_deinit);
	enum rota_status status = ids_check(ids, n, err);

	rota_arena_init(&arena, 0);
	if (status || !n)
		return status;
	*each = ret_each ? ret_each : rota_arena_array(&arena, n, sizeof(**each));
	if (!*each)
		return rota_err_memory(err);
	status = rota_store_call(store, op, kind, &arena, err);
	return status || ret_each ? status : first_refusal(*each, ids, n, err);
}

enum rota_status rota_task_cancel(struct rota_store *store, const rota_id *ids, size_t n,
	const char *reason, enum rota_status *ret_each, struct rota_error *err)
{
	struct rota_op op = { .u.ids = { .ids = ids, .count = n, .reason = reason } };
	enum rota_status status = ROTA_OK;

	if (reason)
		status = rota_check_text(reason, "reason", ROTA_TEXT_BYTES_MAX, err);
	if (status)
		return status;
	return ids_call(store, &op, ROTA_OP_CANCEL, &op.u.ids.ret_each, ret_each, ids, n, err);
}

enum rota_status rota_task_retry(struct rota_store *store, const rota_id *ids, size_t n,
	enum rota_status *ret_each, struct rota_error *err)
{
	struct rota_op op = { .u.ids = { .ids = ids, .count = n } };

	return ids_call(store, &op, ROTA_OP_RETRY, &op.u.ids.ret_each, ret_each, ids, n, err);
}

enum rota_status rota_task_delete(struct rota_store *store, const rota_id *ids, size_t n, uint32_t flags,
	uint64_t *ret_deleted, enum rota_status *ret_each, struct rota_error *err)
{
	struct rota_op op = { .u.delete = { .ids = ids, .count = n, .flags = flags } };
	enum rota_status status;

	if (flags & ~(ROTA_DELETE_CASCADE | ROTA_DELETE_FORCE))
		return rota_err(err, ROTA_INVALID, "unknown delete flags 0x%x", flags);
	status = ids_call(store, &op, ROTA_OP_DELETE, &op.u.delete.ret_each, ret_each, ids, n, err);
	if (!status && ret_deleted)
		*ret_deleted = op.u.delete.ret_deleted;
	return status;
}

enum rota_status rota_task_signal(struct rota_store *store, rota_id id, const char *name, struct rota_error *err)
{
	struct rota_op op = { .u.signal = { id, name } };
	struct rota_arena arena;
	enum rota_status status = rota_check_id(id, err);

	if (!status && name)
		status = rota_check_name(name, "signal", ROTA_NAME_BYTES_MAX, err);
	if (status)
		return status;
	rota_arena_init(&arena, 0);
	status = rota_store_call(store, &op, ROTA_OP_SIGNAL, &arena, err);
	rota_arena_deinit(&arena);
	return status;
}
