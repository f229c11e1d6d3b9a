/* claim.c: the public calls of those who work by hand: claim, extend, progress, finish. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "store/internal.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/macros.h"
#include "core/check.h"

/* ---- cancelling a blocking call from elsewhere ---- */

struct rota_cancel {
	pthread_mutex_t lock;
	bool set;
	struct rota_store *store; /* the call that waits now */
	struct rota_op *op;
};

enum rota_status rota_cancel_new(struct rota_cancel **ret_cancel, struct rota_error *err)
{
	struct rota_cancel *cancel = calloc(1, sizeof(*cancel));

	if (!cancel)
		return rota_err_memory(err);
	pthread_mutex_init(&cancel->lock, NULL);
	*ret_cancel = cancel;
	return ROTA_OK;
}

void rota_cancel_set(struct rota_cancel *cancel)
{
	pthread_mutex_lock(&cancel->lock);
	cancel->set = true;
	if (cancel->op)
		rota_store_recall(cancel->store, cancel->op);
	pthread_mutex_unlock(&cancel->lock);
}

void rota_cancel_free(struct rota_cancel *cancel)
{
	if (!cancel)
		return;
	pthread_mutex_destroy(&cancel->lock);
	free(cancel);
}

static enum rota_status cancel_join(struct rota_cancel *cancel, struct rota_store *store, struct rota_op *op,
	struct rota_error *err)
{
	enum rota_status status = ROTA_OK;

	if (!cancel)
		return ROTA_OK;
	pthread_mutex_lock(&cancel->lock);
	if (cancel->set)
		status = rota_err(err, ROTA_CANCELLED, "the claim was cancelled");
	else if (cancel->op)
		status = rota_err(err, ROTA_INVALID, "this rota_cancel already serves another call");
	if (!status) {
		cancel->store = store;
		cancel->op = op;
	}
	pthread_mutex_unlock(&cancel->lock);
	return status;
}

static bool cancel_leave(struct rota_cancel *cancel)
{
	bool set;

	if (!cancel)
		return false;
	pthread_mutex_lock(&cancel->lock);
	cancel->op = NULL;
	set = cancel->set;
	pthread_mutex_unlock(&cancel->lock);
	return set;
}

/* ---- claim ---- */

struct claims_box {
	struct rota_claims claims;
	struct rota_arena arena;
};

void rota_claims_free(struct rota_claims *claims)
{
	struct claims_box *box = ROTA_CONTAINER(claims, struct claims_box, claims);

	if (!claims)
		return;
	rota_arena_deinit(&box->arena);
	free(box);
}

static enum rota_status names_check(const char *const *names, size_t n, const char *what, struct rota_error *err)
{
	if (n && !names)
		return rota_err(err, ROTA_INVALID, "%ss is NULL", what);
	if (n > ROTA_QUEUES_MAX)
		return rota_err(err, ROTA_LIMIT, "%zu %ss; at most %d", n, what, ROTA_QUEUES_MAX);
	for (size_t i = 0; i < n; i++) {
		enum rota_status status = rota_check_name(names[i], what, ROTA_NAME_BYTES_MAX, err);

		if (status)
			return status;
	}
	return ROTA_OK;
}

static enum rota_status claim_check(const struct rota_claim_options *o, struct rota_error *err)
{
	enum rota_status status = names_check(o->queues, o->queue_count, "queue", err);

	if (!status)
		status = names_check(o->types, o->type_count, "type", err);
	if (!status && o->worker)
		status = rota_check_name(o->worker, "worker", ROTA_NAME_BYTES_MAX, err);
	if (!status && o->id_count && !o->ids)
		status = rota_err(err, ROTA_INVALID, "ids is NULL");
	for (size_t i = 0; i < o->id_count && !status; i++)
		status = rota_check_id(o->ids[i], err);
	if (!status && (o->tasks_max > ROTA_CLAIM_TASKS_MAX || o->id_count > ROTA_CLAIM_TASKS_MAX))
		status = rota_err(err, ROTA_LIMIT, "at most %d tasks per claim", ROTA_CLAIM_TASKS_MAX);
	if (!status && o->lease)
		status = rota_check_duration(o->lease, "lease", true, err);
	if (!status && o->wait)
		status = rota_check_duration(o->wait, "wait", true, err);
	return status;
}

static void default_worker(char *out, size_t size)
{
	char host[64] = "localhost";

	(void)gethostname(host, sizeof(host) - 1);
	host[sizeof(host) - 1] = 0;
	(void)snprintf(out, size, "%s:%ld", host, (long)getpid());
}

static void claim_fill(struct rota_store *store, struct rota_op_claim *claim,
	const struct rota_claim_options *o, const char *worker)
{
	struct rota_world *world = store->world;

	*claim = (struct rota_op_claim){
		.worker = o->worker ? o->worker : worker,
		.types = o->types, .type_count = o->type_count,
		.queues = o->queues, .queue_count = o->queue_count,
		.ids = o->ids, .id_count = o->id_count,
		.tasks_max = o->id_count ? o->id_count : o->tasks_max ? o->tasks_max : 1,
		.bytes_max = ROTA_CLAIM_BYTES_MAX,
		.lease = o->lease ? o->lease : ROTA_DEFAULT_CLAIM_LEASE,
	};
	if (o->wait && !o->id_count)
		claim->wait_until = rota_tick_add(world->now(world), o->wait);
}

static enum rota_status claim_run(struct rota_store *store, struct rota_op *op, struct claims_box *box,
	struct rota_cancel *cancel, struct rota_error *err)
{
	enum rota_status status = cancel_join(cancel, store, op, err);
	bool cancelled;

	if (status)
		return status;
	status = rota_store_call(store, op, ROTA_OP_CLAIM, &box->arena, err);
	cancelled = cancel_leave(cancel);
	if (status)
		return status;
	if (cancelled && !op->u.claim.ret_count)
		return rota_err(err, ROTA_CANCELLED, "the claim was cancelled");
	box->claims = (struct rota_claims){ op->u.claim.ret_count, op->u.claim.ret_tasks };
	return ROTA_OK;
}

enum rota_status rota_task_claim(struct rota_store *store, const struct rota_claim_options *options,
	struct rota_claims **ret_claims, enum rota_status *ret_each, struct rota_error *err)
{
	struct rota_claim_options o = ROTA_INIT(rota_claim_options);
	struct rota_op op = { .kind = ROTA_OP_CLAIM };
	char worker[ROTA_NAME_BYTES_MAX];
	struct claims_box *box;
	enum rota_status status = rota_store_usable(store, err);

	if (!status && options)
		status = rota_struct_adopt(&o, sizeof(o), options, "rota_claim_options", err);
	if (!status)
		status = claim_check(&o, err);
	if (status)
		return status;
	box = calloc(1, sizeof(*box));
	if (!box)
		return rota_err_memory(err);
	rota_arena_init(&box->arena, 0);
	default_worker(worker, sizeof(worker));
	claim_fill(store, &op.u.claim, &o, worker);
	op.u.claim.ret_each = ret_each;
	status = claim_run(store, &op, box, o.cancel, err);
	if (status)
		rota_claims_free(&box->claims);
	else
		*ret_claims = &box->claims;
	return status;
}

/* ---- extend, progress ---- */

/* In words, with what it means for the holder of the lease. */
static enum rota_status lease_refusal(struct rota_error *err, enum rota_status status, rota_id id, int64_t token)
{
	static const struct { enum rota_status status; const char *why; } whys[] = {
		{ ROTA_NOT_FOUND, "is gone" },
		{ ROTA_STALE_LEASE, "has moved on to another lease" },
		{ ROTA_COMPLETED, "is completed already" },
		{ ROTA_FAILED, "has failed already" },
		{ ROTA_CANCELLED, "is cancelled" },
		{ ROTA_WRONG_STATE, "is not running" },
	};

	for (size_t i = 0; i < ROTA_COUNT(whys); i++) {
		if (whys[i].status == status)
			return rota_err(err, status, "task %lld %s (token %lld); nothing changed",
				(long long)id, whys[i].why, (long long)token);
	}
	return status;
}

static enum rota_status extend_one(struct rota_store *store, struct rota_extension *item, rota_duration lease,
	int *ret_cancel_requested, struct rota_error *err)
{
	struct rota_op op = { .u.extend = { .items = item, .count = 1, .lease = lease } };
	struct rota_arena arena;
	enum rota_status status = rota_check_id(item->id, err);

	if (status)
		return status;
	rota_arena_init(&arena, 0);
	status = rota_store_call(store, &op, ROTA_OP_EXTEND, &arena, err);
	rota_arena_deinit(&arena);
	if (status)
		return status;
	if (item->ret_status)
		return lease_refusal(err, item->ret_status, item->id, item->token);
	if (ret_cancel_requested)
		*ret_cancel_requested = item->ret_cancel_requested;
	return ROTA_OK;
}

enum rota_status rota_task_extend(struct rota_store *store, rota_id id, int64_t token, rota_duration lease,
	int *ret_cancel_requested, struct rota_error *err)
{
	struct rota_extension item = { .id = id, .token = token, .started = true };
	enum rota_status status = ROTA_OK;

	if (lease)
		status = rota_check_duration(lease, "lease", true, err);
	if (status)
		return status;
	return extend_one(store, &item, lease ? lease : ROTA_DEFAULT_CLAIM_LEASE, ret_cancel_requested, err);
}

enum rota_status rota_task_progress(struct rota_store *store, rota_id id, int64_t token,
	struct rota_bytes progress, const char *status_text, int *ret_cancel_requested, struct rota_error *err)
{
	struct rota_extension item = { .id = id, .token = token, .started = true, .keep_deadline = true,
		.progress = progress, .status_text = status_text };
	enum rota_status status = rota_check_bytes(progress, "progress", ROTA_PROGRESS_BYTES_MAX, err);

	if (!status && status_text)
		status = rota_check_text(status_text, "status text", ROTA_TEXT_BYTES_MAX, err);
	if (status)
		return status;
	return extend_one(store, &item, 0, ret_cancel_requested, err);
}

/* ---- finish ---- */

static enum rota_status verdicts_check(struct rota_arena *arena, const struct rota_verdict *verdicts, size_t n,
	const struct rota_verdict **ret, struct rota_error *err)
{
	struct rota_verdict *ours;

	if (!verdicts || n > ROTA_IDS_PER_CALL_MAX)
		return rota_err(err, verdicts ? ROTA_LIMIT : ROTA_INVALID, "between 1 and %d verdicts per call",
			ROTA_IDS_PER_CALL_MAX);
	ours = rota_arena_array(arena, n, sizeof(*ours));
	if (!ours)
		return rota_err_memory(err);
	for (size_t i = 0; i < n; i++) {
		enum rota_status status = rota_verdict_adopt(rota_verdict_at(verdicts, i), &ours[i], err);

		if (!status)
			status = rota_check_verdict(&ours[i], err);
		if (status) {
			(void)rota_err_item(err, i + 1);
			return status;
		}
	}
	*ret = ours;
	return ROTA_OK;
}

static enum rota_status finish_answer(const struct rota_op_finish *f, struct rota_error *err)
{
	for (size_t i = 0; i < f->count; i++) {
		if (!f->ret_each[i])
			continue;
		if (f->ret_errors[i].status && err)
			*err = f->ret_errors[i];
		else
			(void)lease_refusal(err, f->ret_each[i], f->verdicts[i].id, f->verdicts[i].token);
		(void)rota_err_item(err, i + 1);
		return f->ret_each[i];
	}
	return ROTA_OK;
}

enum rota_status rota_task_finish(struct rota_store *store, const struct rota_verdict *verdicts, size_t n,
	enum rota_status *ret_each, struct rota_error *err)
{
	struct rota_op op = { .u.finish = { .count = n, .ret_each = ret_each } };
	struct rota_arena arena ROTA_CLEANUP(rota_arena_deinit);
	enum rota_status status;

	rota_arena_init(&arena, 0);
	if (!n)
		return rota_store_usable(store, err);
	status = verdicts_check(&arena, verdicts, n, &op.u.finish.verdicts, err);
	if (status)
		return status;
	if (!ret_each) {
		op.u.finish.ret_each = rota_arena_array(&arena, n, sizeof(*ret_each));
		op.u.finish.ret_errors = rota_arena_array(&arena, n, sizeof(struct rota_error));
		if (!op.u.finish.ret_each || !op.u.finish.ret_errors)
			return rota_err_memory(err);
	}
	status = rota_store_call(store, &op, ROTA_OP_FINISH, &arena, err);
	return status || ret_each ? status : finish_answer(&op.u.finish, err);
}
