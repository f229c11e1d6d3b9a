/* lane.c: group commit, once, for every database.
 *
 * Whoever leads takes all that is pending, runs it as one transaction, answers, and looks again. A
 * synchronous caller who finds the lane idle leads by itself, so that a single caller pays for no
 * thread hop; as soon as two want it, the lane's own thread leads. A group is "what is pending now",
 * never a timer. Claims that found nothing stay parked and run again in the very transaction that
 * makes something ready, so an idle worker learns of a task by the commit that enqueued it. */
#include <stdlib.h>
#include <string.h>
#include "store/lane.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/macros.h"

/* ---- answering ---- */

static void answer(struct rota_op *op)
{
	op->done(op);
}

static void answer_all(struct rota_op *const *ops, size_t n)
{
	for (size_t i = 0; i < n; i++)
		answer(ops[i]);
}

/* Everyone whose op was in this group wakes by one system call. */
static void round_end(struct rota_lane *lane, size_t which)
{
	struct rota_round *round = &lane->rounds[which];

	atomic_fetch_add(&round->word, 1);
	if (atomic_load(&round->waiters))
		lane->store->world->wake(lane->store->world, (uint32_t *)&round->word, 1);
}

/* ---- one transaction ---- */

static enum rota_durability strictest(struct rota_op *const *ops, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (ops[i]->durability != ROTA_DURABILITY_RELAXED)
			return ROTA_DURABILITY_COMMIT;
	}
	return ROTA_DURABILITY_RELAXED;
}

static void news_start(struct rota_lane *lane)
{
	rota_arena_reset(&lane->arena);
	lane->news = (struct rota_news){
		.want_ended = atomic_load(&lane->store->watch_count) > 0,
		.arena = &lane->arena,
		.due_in = ROTA_FOREVER,
	};
}

static void op_clear(struct rota_op *op)
{
	op->err.status = ROTA_OK;
	if (op->kind != ROTA_OP_CLAIM)
		return;
	op->u.claim.ret_tasks = NULL;
	op->u.claim.ret_count = 0;
	op->u.claim.ret_commit_start = false;
}

static enum rota_status kind_run(struct rota_lane *lane, struct rota_op *const *ops, size_t n,
	struct rota_error *err)
{
	for (size_t i = 0; i < n; i++)
		op_clear(ops[i]);
	return lane->store->vt->run[ops[0]->kind](lane->session, ops, n, err);
}

/* MAINTAIN comes before claims, when it is due and anybody wants tasks. */
static enum rota_status maintain_run(struct rota_lane *lane, struct rota_error *err)
{
	struct rota_op *op = &lane->maintain;

	op->u.maintain = (struct rota_op_maintain){ .slice = ROTA_MAINTAIN_SLICE };
	op->err.status = ROTA_OK;
	return lane->store->vt->run[ROTA_OP_MAINTAIN](lane->session, &op, 1, err);
}

/* Parked claims stand before the new ones: they came first. */
static enum rota_status claims_run(struct rota_lane *lane, struct rota_error *err)
{
	struct rota_batch *b = &lane->batch;
	enum rota_status status = ROTA_OK;

	if (b->maintain)
		status = maintain_run(lane, err);
	b->parked_ran = b->retry_parked || lane->news.ready;
	for (size_t i = 0; i < b->parked_count && b->parked_ran; i++)
		rota_arena_reset(b->parked[i]->arena); /* it runs again and again */
	if (!status && b->parked_ran && b->parked_count)
		status = kind_run(lane, b->parked, b->parked_count, err);
	if (!status && b->claim_count)
		status = kind_run(lane, b->claims, b->claim_count, err);
	return status;
}

/* Runs the batch's ops, kind by kind: they are sorted. */
static enum rota_status kinds_run(struct rota_lane *lane, struct rota_op *const *ops, size_t n,
	struct rota_error *err)
{
	for (size_t i = 0, end; i < n; i = end) {
		enum rota_status status;

		for (end = i + 1; end < n && ops[end]->kind == ops[i]->kind; end++)
			;
		status = kind_run(lane, &ops[i], end - i, err);
		if (status)
			return status;
	}
	return ROTA_OK;
}

/* What was claimed in a transaction that did not come to pass is nobody's. */
static void claims_forget(struct rota_lane *lane)
{
	struct rota_batch *b = &lane->batch;

	for (size_t i = 0; i < b->parked_count; i++)
		op_clear(b->parked[i]);
	for (size_t i = 0; i < b->claim_count; i++)
		op_clear(b->claims[i]);
}

static enum rota_status transaction(struct rota_lane *lane, struct rota_op *const *ops, size_t n,
	bool claims, struct rota_error *err)
{
	const struct rota_backend_vtable *vt = lane->store->vt;
	struct rota_begin begin = { .write = true, .news = &lane->news };
	enum rota_status status;

	begin.durability = strictest(ops, n);
	if (claims && strictest(lane->batch.claims, lane->batch.claim_count) == ROTA_DURABILITY_COMMIT)
		begin.durability = ROTA_DURABILITY_COMMIT;
	if (claims && strictest(lane->batch.parked, lane->batch.parked_count) == ROTA_DURABILITY_COMMIT)
		begin.durability = ROTA_DURABILITY_COMMIT;
	news_start(lane);
	status = vt->begin(lane->session, &begin, err);
	if (status)
		return status;
	status = kinds_run(lane, ops, n, err);
	if (!status && claims)
		status = claims_run(lane, err);
	if (status)
		vt->rollback(lane->session);
	else
		status = vt->commit(lane->session, err);
	if (status && claims)
		claims_forget(lane);
	return status;
}

/* ---- what failed as a group is tried alone, once ---- */

static void refuse(struct rota_op *const *ops, size_t n, const struct rota_error *err)
{
	for (size_t i = 0; i < n; i++)
		ops[i]->err = *err;
}

static bool op_stream(const struct rota_op *op)
{
	return op->kind == ROTA_OP_ENQUEUE && op->u.enqueue.next;
}

/* After a lost commit answer, what does no harm is done again; the rest is told. A stream's source
 * is used up: again it would give the rest, or nothing. */
static bool repeatable(struct rota_op *op, enum rota_status status)
{
	if (op->repeated || op_stream(op))
		return false;
	op->repeated = true;
	return status != ROTA_UNCERTAIN || (rota_op_flags[op->kind] & ROTA_OP_SAFE);
}

static void told(struct rota_lane *lane)
{
	/* A watch that came while the transaction ran cannot rely on its news. */
	if (!lane->news.want_ended && atomic_load(&lane->store->watch_count))
		lane->news.overflow = true;
	rota_store_tell(lane->store, &lane->news);
}

/* When maintenance is due, after a commit. */
static void maintain_plan(struct rota_lane *lane, bool maintained, rota_tick now)
{
	const struct rota_op_maintain *m = &lane->maintain.u.maintain;

	if (maintained)
		lane->maintain_at = m->ret_more ? now : rota_tick_add(now, m->ret_next);
	if (lane->news.claimed)
		lane->maintain_at = ROTA_MIN(lane->maintain_at, rota_tick_add(now, ROTA_MAINTAIN_EVERY));
	lane->maintain_at = ROTA_MIN(lane->maintain_at, rota_tick_add(now, lane->news.due_in));
	lane->retry_parked |= lane->news.unseen;
}

static void alone(struct rota_lane *lane, struct rota_op *op, const struct rota_error *group_err,
	rota_tick now)
{
	struct rota_error err = { .status = ROTA_OK };

	if (!repeatable(op, group_err->status)) {
		op->err = *group_err;
		return;
	}
	if (transaction(lane, &op, 1, false, &err)) {
		op->err = err;
		return;
	}
	lane->batch.retry_parked |= lane->news.ready && lane->batch.parked_count;
	maintain_plan(lane, false, now);
	told(lane);
}

/* No lock, no database: each op alone would meet the same, only later. */
static bool hopeless(enum rota_status status)
{
	return status == ROTA_BUSY || status == ROTA_UNAVAILABLE || status == ROTA_CORRUPT;
}

static void claims_refuse(struct rota_lane *lane, const struct rota_error *err)
{
	refuse(lane->batch.claims, lane->batch.claim_count, err);
	if (lane->batch.parked_ran || lane->batch.retry_parked)
		refuse(lane->batch.parked, lane->batch.parked_count, err);
}

static void group_failed(struct rota_lane *lane, const struct rota_error *err, rota_tick now)
{
	struct rota_batch *b = &lane->batch;
	struct rota_error again = { .status = ROTA_OK };

	if (b->maintain)
		lane->maintain_at = rota_tick_add(now, ROTA_MAINTAIN_EVERY);
	if (hopeless(err->status) || !b->count) {
		refuse(b->ops, b->count, err);
		claims_refuse(lane, err);
		return;
	}
	for (size_t i = 0; i < b->count; i++)
		alone(lane, b->ops[i], err, now);
	/* The claims together: which of the others sank the group does not concern them. */
	if (!b->claim_count && !b->retry_parked)
		return;
	if (transaction(lane, b->ops, 0, true, &again)) {
		claims_refuse(lane, &again);
		return;
	}
	maintain_plan(lane, b->maintain, now);
	told(lane);
}

/* ---- parking ---- */

static bool claim_satisfied(const struct rota_op *op, rota_tick now)
{
	return op->err.status || op->u.claim.ret_count || op->recalled || op->u.claim.wait_until <= now;
}

static void park(struct rota_lane *lane, struct rota_op *op)
{
	ROTA_ASSERT(lane->parked_count < ROTA_COUNT(lane->parked));
	op->parked = true;
	lane->parked[lane->parked_count++] = op;
}

/* Who got something, failed, was recalled or has waited long enough is answered; the others (again)
 * parked. Under the lock. Returns how many of list are to be answered, at its front. */
static size_t claims_sort(struct rota_lane *lane, struct rota_op **list, size_t n, rota_tick now)
{
	size_t answered = 0;

	for (size_t i = 0; i < n; i++) {
		struct rota_op *op = list[i];

		/* Still called parked when it is answered: its caller sleeps on that round. */
		if (claim_satisfied(op, now) || lane->closing)
			list[answered++] = op;
		else if (lane->parked_count < ROTA_COUNT(lane->parked))
			park(lane, op);
		else
			list[answered++] = op; /* nothing, a little early: no caller relies on more */
	}
	return answered;
}

/* ---- taking what is pending ---- */

static size_t op_weight(const struct rota_op *op)
{
	switch (op->kind) {
	case ROTA_OP_ENQUEUE: return op->u.enqueue.count + 1;
	case ROTA_OP_FINISH: return op->u.finish.count + 1;
	case ROTA_OP_EXTEND: return op->u.extend.count + 1;
	case ROTA_OP_CANCEL:
	case ROTA_OP_RETRY: return op->u.ids.count + 1;
	default: return 1;
	}
}

static void batch_add(struct rota_lane *lane, struct rota_op *op)
{
	struct rota_batch *b = &lane->batch;

	op->group = lane->group;
	if (op->kind == ROTA_OP_CLAIM)
		b->claims[b->claim_count++] = op;
	else
		b->taken[b->count++] = op;
}

/* Under the lock. A stream is long and holds its own callbacks: it goes alone. */
static void batch_take(struct rota_lane *lane)
{
	struct rota_batch *b = &lane->batch;
	size_t weight = 0;

	while (lane->first && b->count + b->claim_count < ROTA_GROUP_OPS_MAX) {
		struct rota_op *op = lane->first;

		weight += op_weight(op);
		if ((b->count || b->claim_count) && (weight > ROTA_GROUP_TASKS_MAX || op_stream(op)))
			break;
		lane->first = op->next;
		lane->taken++;
		batch_add(lane, op);
		if (op_stream(op))
			break;
	}
	if (!lane->first)
		lane->last = &lane->first;
}

/* Stable, by kind: one count per kind. */
static void batch_sort(struct rota_batch *b)
{
	size_t at[ROTA_OP_COUNT + 1] = { 0 };

	for (size_t i = 0; i < b->count; i++)
		at[b->taken[i]->kind + 1]++;
	for (size_t k = 1; k <= ROTA_OP_COUNT; k++)
		at[k] += at[k - 1];
	for (size_t i = 0; i < b->count; i++)
		b->ops[at[b->taken[i]->kind]++] = b->taken[i];
}

static bool parked_due(const struct rota_lane *lane, rota_tick now)
{
	for (size_t i = 0; i < lane->parked_count; i++) {
		if (lane->parked[i]->recalled || lane->parked[i]->u.claim.wait_until <= now)
			return true;
	}
	return false;
}

/* Somebody waits for tasks to end; some end by their time alone. */
static bool watched(const struct rota_lane *lane)
{
	return lane->attend && atomic_load(&lane->store->watch_count);
}

/* Under the lock. False: there is nothing to do. */
static bool batch_fill(struct rota_lane *lane, rota_tick now)
{
	struct rota_batch *b = &lane->batch;
	bool wanted;

	b->count = b->claim_count = b->parked_count = 0;
	b->parked_ran = false;
	lane->group++;
	batch_take(lane);
	memcpy(b->parked, lane->parked, lane->parked_count * sizeof(*b->parked));
	b->parked_count = lane->parked_count;
	lane->parked_count = 0;
	wanted = b->claim_count || b->parked_count || watched(lane);
	b->maintain = wanted && now >= lane->maintain_at;
	b->retry_parked = lane->retry_parked && b->parked_count;
	lane->retry_parked = false;
	if (b->count || b->claim_count || b->maintain || b->retry_parked)
		return true;
	lane->group--;
	return false;
}

/* ---- foreign commits ---- */

static bool attentive(const struct rota_lane *lane)
{
	return lane->parked_count || lane->attend;
}

/* Others' commits may have made anything ready or final. */
static void foreign_look(struct rota_lane *lane, rota_tick now)
{
	const struct rota_backend_vtable *vt = lane->store->vt;
	struct rota_news news = { .foreign = true, .overflow = true, .due_in = ROTA_FOREVER };
	bool hinted = atomic_exchange(&lane->hinted, false);

	if (!vt->changed || !(hinted || (attentive(lane) && now >= lane->poll_at)))
		return;
	lane->poll_at = rota_tick_add(now, lane->store->options.poll_interval);
	if (!vt->changed(lane->session))
		return;
	lane->retry_parked = true;
	lane->maintain_at = ROTA_MIN(lane->maintain_at, rota_tick_add(now, ROTA_MAINTAIN_EVERY));
	rota_store_tell(lane->store, &news);
}

/* ---- a step ---- */

static void group_end(struct rota_lane *lane, const struct rota_error *err, rota_tick now)
{
	struct rota_batch *b = &lane->batch;
	size_t parked, claims;

	if (err->status)
		group_failed(lane, err, now);
	else
		maintain_plan(lane, b->maintain, now);
	pthread_mutex_lock(&lane->lock);
	parked = claims_sort(lane, b->parked, b->parked_count, now);
	claims = claims_sort(lane, b->claims, b->claim_count, now);
	pthread_mutex_unlock(&lane->lock);
	/* Claims first: somebody's handler can start. */
	answer_all(b->parked, parked);
	answer_all(b->claims, claims);
	answer_all(b->ops, b->count);
	if (!err->status)
		told(lane);
	atomic_store(&lane->answered, lane->taken);
	round_end(lane, lane->group & 1);
	if (parked)
		round_end(lane, ROTA_ROUND_PARKED);
}

static void group_run(struct rota_lane *lane)
{
	struct rota_batch *b = &lane->batch;
	struct rota_error err = { .status = ROTA_OK };

	batch_sort(b);
	(void)transaction(lane, b->ops, b->count, true, &err);
	group_end(lane, &err, lane->store->world->now(lane->store->world));
	if (lane->store->vt->housekeep)
		(void)lane->store->vt->housekeep(lane->session, NULL); /* it will be tried again */
}

/* Those who have waited long enough, or were recalled, without running anything. */
static void parked_release(struct rota_lane *lane, rota_tick now)
{
	struct rota_op *list[ROTA_PARKED_MAX];
	size_t n, count;

	pthread_mutex_lock(&lane->lock);
	count = lane->parked_count;
	memcpy(list, lane->parked, count * sizeof(*list));
	lane->parked_count = 0;
	n = claims_sort(lane, list, count, now);
	pthread_mutex_unlock(&lane->lock);
	answer_all(list, n);
	if (n)
		round_end(lane, ROTA_ROUND_PARKED);
}

static rota_tick lane_next(struct rota_lane *lane)
{
	rota_tick next = ROTA_TICK_NEVER;

	for (size_t i = 0; i < lane->parked_count; i++)
		next = ROTA_MIN(next, lane->parked[i]->u.claim.wait_until);
	if (lane->parked_count || watched(lane))
		next = ROTA_MIN(next, lane->maintain_at);
	if (attentive(lane) && lane->store->vt->changed)
		next = ROTA_MIN(next, lane->poll_at);
	return lane->first || lane->retry_parked ? 0 : next;
}

void rota_lane_step(struct rota_lane *lane, rota_tick now, rota_tick *ret_next)
{
	bool work, due;

	foreign_look(lane, now);
	pthread_mutex_lock(&lane->lock);
	work = batch_fill(lane, now);
	if (!work) { /* put the parked back */
		memcpy(lane->parked, lane->batch.parked, lane->batch.parked_count * sizeof(*lane->parked));
		lane->parked_count = lane->batch.parked_count;
	}
	due = !work && parked_due(lane, now);
	pthread_mutex_unlock(&lane->lock);
	if (work)
		group_run(lane);
	else if (due)
		parked_release(lane, now);
	pthread_mutex_lock(&lane->lock);
	*ret_next = lane_next(lane);
	pthread_mutex_unlock(&lane->lock);
}
