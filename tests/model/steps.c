/* steps.c: what each kind of step does. */
#include "model.h"
#include "base/limits.h"

const char *const step_names[STEP_COUNT] = {
	"enqueue", "stream", "claim", "claim ids", "worker claims", "extend", "progress", "started", "finish",
	"signal", "cancel", "retry", "delete", "purge", "pause", "settings", "advance", "calendar", "maintain",
	"join", "leave", "guard", "states", "list", "find", "open work", "elsewhere", "reopen",
};
struct books *books_now;

static const char *const types[] = { "alpha", "beta", "gamma" };
static const char *const queues[] = { "default", "q1", "q2" };
static const char *const keys[] = { "k1", "k2", "k3", "k4", "k5", "schlüssel" };
static const char *const workers[] = { "w1", "w2" };

struct run {
	struct side *side;
	const struct history *history;
	struct history *learned; /* NULL: the second side */
	struct rota_store *store;
	struct rota_error err;
	uint64_t seed;
	uint32_t limit;
	FILE *out;
};

static size_t some(struct run *run, size_t max)
{
	size_t n = 1 + pick(&run->seed, max);

	return n < run->limit ? n : run->limit;
}

/* Mostly one that was met, now and then one that never was. */
static rota_id any_id(struct run *run)
{
	const struct history *h = run->history;

	if (!h->id_count || chance(&run->seed, 3))
		return 1 + (rota_id)pick(&run->seed, 500);
	if (chance(&run->seed, 50)) /* a recent one */
		return h->ids[h->id_count - 1 - pick(&run->seed, h->id_count < 8 ? h->id_count : 8)];
	return h->ids[pick(&run->seed, h->id_count)];
}

static struct lease any_lease(struct run *run)
{
	const struct history *h = run->history;

	if (!h->lease_count || chance(&run->seed, 3))
		return (struct lease){ any_id(run), 1 + (int64_t)pick(&run->seed, 3) };
	if (chance(&run->seed, 70))
		return h->leases[h->lease_count - 1 - pick(&run->seed, h->lease_count < 6 ? h->lease_count : 6)];
	return h->leases[pick(&run->seed, h->lease_count)];
}

static rota_duration any_length(struct run *run)
{
	static const rota_duration lengths[] = { 1, ROTA_SECONDS(1), ROTA_SECONDS(5), ROTA_SECONDS(10),
		ROTA_SECONDS(60), ROTA_SECONDS(3600) };

	return lengths[pick(&run->seed, 6)];
}

static const char *status_name(enum rota_status status)
{
	return rota_status_name(status);
}

static void learn_id(struct run *run, rota_id id)
{
	if (run->learned && run->learned->id_count < MODEL_TASKS_MAX)
		run->learned->ids[run->learned->id_count++] = id;
}

/* ---- enqueue ---- */

enum { CALL_MAX = 6, DEPS_MAX = 4 };
struct call {
	struct rota_task tasks[CALL_MAX];
	struct rota_retry retries[CALL_MAX];
	struct rota_dependency after[CALL_MAX][DEPS_MAX], before[CALL_MAX][DEPS_MAX];
	size_t count, at;
	rota_id ids[CALL_MAX];
	size_t accepted;
};
static char filler[4000];

static struct rota_bytes any_bytes(struct run *run)
{
	static const size_t sizes[] = { 0, 5, 100, 3000 };
	size_t size = sizes[pick(&run->seed, 4)];

	memset(filler, 'x', sizeof(filler));
	return chance(&run->seed, 40) ? (struct rota_bytes){ NULL, 0 } : (struct rota_bytes){ filler, size };
}

static void show_dep(struct run *run, const char *name, const struct rota_dependency *d)
{
	fprintf(run->out, " %s ", name);
	if (d->nth)
		fprintf(run->out, "#%" PRIu64, d->nth);
	else if (d->key)
		fprintf(run->out, "%s", d->key);
	else
		fprintf(run->out, "%" PRId64, d->id);
	fprintf(run->out, "%s", d->failed ? "!" : "");
}

static size_t any_deps(struct run *run, const char *name, struct rota_dependency *deps, size_t count,
	uint64_t percent)
{
	size_t n = 0;

	while (n < DEPS_MAX && chance(&run->seed, percent)) {
		struct rota_dependency *d = &deps[n++];

		*d = (struct rota_dependency){ .failed = chance(&run->seed, 35) };
		switch (pick(&run->seed, count > 1 ? 4 : 3)) {
		case 0: d->key = keys[pick(&run->seed, 6)]; break;
		case 1:
		case 2: d->id = any_id(run); break;
		default: d->nth = 1 + pick(&run->seed, count); break;
		}
		show_dep(run, name, d);
	}
	return n;
}

static void any_retry(struct run *run, struct rota_task *task, struct rota_retry *retry)
{
	static const int32_t attempts[] = { 0, 1, 2, 3, -1 };

	*retry = (struct rota_retry)ROTA_INIT(rota_retry);
	retry->attempts_max = attempts[pick(&run->seed, 5)];
	retry->backoff_min = any_length(run);
	retry->doublings = (int32_t)pick(&run->seed, 4) - 1;
	retry->jitter_percent = chance(&run->seed, 50) ? -1 : (int32_t)pick(&run->seed, 101);
	retry->duration_max = chance(&run->seed, 20) ? any_length(run) : 0;
	task->retry = retry;
	fprintf(run->out, " attempts=%d", retry->attempts_max);
}

static void any_key(struct run *run, struct rota_task *task)
{
	if (!chance(&run->seed, 40))
		return;
	task->key = keys[pick(&run->seed, 6)];
	task->on_conflict = (enum rota_on_conflict)pick(&run->seed, 3);
	if (chance(&run->seed, 25))
		task->dedup_for = chance(&run->seed, 10) ? ROTA_FOREVER : any_length(run);
	fprintf(run->out, " key=%s conflict=%d dedup=%" PRId64, task->key, (int)task->on_conflict,
		task->dedup_for);
}

static void any_times(struct run *run, struct rota_task *task)
{
	if (chance(&run->seed, 25))
		task->delay = any_length(run);
	if (chance(&run->seed, 5))
		task->run_at = run->side->world->date(run->side->world) - ROTA_SECONDS(5) + any_length(run);
	if (chance(&run->seed, 15))
		task->expires_in = any_length(run);
	if (chance(&run->seed, 5))
		task->timeout = any_length(run);
	if (chance(&run->seed, 5))
		task->stall = any_length(run);
	if (chance(&run->seed, 12))
		task->signals = 1 + (uint32_t)pick(&run->seed, 2);
	fprintf(run->out, " delay=%" PRId64 " expires=%" PRId64 " signals=%u", task->delay, task->expires_in,
		task->signals);
}

static void any_task(struct run *run, struct call *call, size_t i, uint64_t edges)
{
	struct rota_task *task = &call->tasks[i];

	*task = ROTA_TASK(.type = types[pick(&run->seed, 3)]);
	task->queue = chance(&run->seed, 50) ? NULL : queues[pick(&run->seed, 3)];
	task->priority = (int32_t)pick(&run->seed, 3) - 1;
	fprintf(run->out, "\n\t#%zu %s/%s p=%d", i + 1, task->queue ? task->queue : "-", task->type,
		task->priority);
	any_key(run, task);
	any_times(run, task);
	if (chance(&run->seed, 30))
		any_retry(run, task, &call->retries[i]);
	task->payload = any_bytes(run);
	if (chance(&run->seed, 10)) {
		task->title = "title";
		task->content_type = "text/plain";
		task->partition = "p";
		task->traceparent = "trace";
		task->notify_channel = "channel";
	}
	task->after = call->after[i];
	task->before = call->before[i];
	task->after_count = any_deps(run, "after", call->after[i], call->count, edges);
	task->before_count = any_deps(run, "before", call->before[i], call->count, edges / 3);
}

static void any_call(struct run *run, struct call *call)
{
	uint64_t edges = 10 + pick(&run->seed, 50);

	call->count = some(run, CALL_MAX);
	for (size_t i = 0; i < call->count; i++)
		any_task(run, call, i, edges);
}

static void call_answer(struct run *run, const struct call *call, enum rota_status status)
{
	fprintf(run->out, "\n\t= %s", status_name(status));
	if (status)
		fprintf(run->out, " item %u", run->err.item);
	for (size_t i = 0; i < call->count && !status; i++) {
		fprintf(run->out, " %" PRId64, call->ids[i]);
		learn_id(run, call->ids[i]);
	}
}

static void enqueue(struct run *run)
{
	struct call call = { .count = 0 };

	any_call(run, &call);
	call_answer(run, &call, rota_task_enqueue(run->store, call.tasks, call.count, call.ids, &run->err));
}

static int call_next(void *arg, struct rota_task *task)
{
	struct call *call = arg;

	if (call->at == call->count)
		return 0;
	*task = call->tasks[call->at++];
	return 1;
}

static void call_accepted(void *arg, uint64_t nth, rota_id id)
{
	struct call *call = arg;

	CHECK_EQ(nth, call->accepted + 1);
	call->ids[call->accepted++] = id;
}

static void stream(struct run *run)
{
	struct call call = { .count = 0 };
	struct rota_task_source source = ROTA_INIT(rota_task_source);

	any_call(run, &call);
	source.next = call_next;
	source.accepted = call_accepted;
	source.arg = &call;
	call_answer(run, &call, rota_task_enqueue_from(run->store, &source, NULL, &run->err));
}

/* ---- claim ---- */

/* A store may take so long to notice what other handles leased. */
static void maintain(struct run *run)
{
	struct rota_op op = { .kind = ROTA_OP_MAINTAIN };
	struct rota_arena arena;

	test_world_advance(run->side->world, ROTA_MAINTAIN_EVERY);
	rota_arena_init(&arena, 0);
	op.arena = &arena;
	do {
		op.u.maintain = (struct rota_op_maintain){ .slice = 1000 };
		CHECK_OK(rota_store_run(run->store, &op, &run->err), &run->err);
	} while (op.u.maintain.ret_more);
	rota_arena_deinit(&arena);
}

static void claimed(struct run *run, const struct rota_claimed *t)
{
	fprintf(run->out, " %" PRId64 "/%" PRId64 "(%s %s %s attempt %d/%d failed %" PRId64 " payload %zd "
		"progress %zd until %" PRId64 ")", t->id, t->token, t->queue, t->type, t->key ? t->key : "-",
		t->attempt, t->attempts_max, t->failed_dependencies, t->payload.data ? (ssize_t)t->payload.size : -1,
		t->progress.data ? (ssize_t)t->progress.size : -1, t->lease_until);
	if (!run->learned)
		return;
	books_claimed(books_now, t->id, t->token);
	if (run->learned->lease_count < MODEL_LEASES_MAX)
		run->learned->leases[run->learned->lease_count++] = (struct lease){ t->id, t->token };
}

/* A subset of names, as often nothing. */
static size_t any_names(struct run *run, const char *const *names, const char **out)
{
	size_t n = 0;

	for (size_t i = 0; i < 3 && chance(&run->seed, 40); i++)
		out[n++] = names[pick(&run->seed, 3)];
	return n;
}

static rota_duration any_lease_length(struct run *run)
{
	return chance(&run->seed, 10) ? ROTA_FOREVER : any_length(run);
}

static void claim(struct run *run)
{
	struct rota_claim_options o = ROTA_INIT(rota_claim_options);
	struct rota_claims *claims = NULL;
	const char *some_queues[3], *some_types[3];
	enum rota_status status;

	maintain(run);
	o.worker = workers[pick(&run->seed, 2)];
	o.queues = some_queues;
	o.queue_count = any_names(run, queues, some_queues);
	o.types = some_types;
	o.type_count = any_names(run, types, some_types);
	o.tasks_max = some(run, 5);
	o.lease = any_lease_length(run);
	fprintf(run->out, " max %zu queues %zu types %zu lease %" PRId64, o.tasks_max, o.queue_count,
		o.type_count, o.lease);
	status = rota_task_claim(run->store, &o, &claims, NULL, &run->err);
	fprintf(run->out, " = %s", status_name(status));
	for (size_t i = 0; !status && i < claims->count; i++)
		claimed(run, claims->tasks[i]);
	if (!status)
		rota_claims_free(claims);
}

static void claim_ids(struct run *run)
{
	struct rota_claim_options o = ROTA_INIT(rota_claim_options);
	struct rota_claims *claims = NULL;
	enum rota_status each[4] = { 0 }, status;
	rota_id ids[4];

	maintain(run);
	o.worker = "by id";
	o.ids = ids;
	o.id_count = some(run, 4);
	o.lease = any_lease_length(run);
	for (size_t i = 0; i < o.id_count; i++)
		ids[i] = any_id(run);
	status = rota_task_claim(run->store, &o, &claims, each, &run->err);
	fprintf(run->out, " = %s", status_name(status));
	for (size_t i = 0; i < o.id_count && !status; i++)
		fprintf(run->out, " %" PRId64 ":%s", ids[i], status_name(each[i]));
	for (size_t i = 0; !status && i < claims->count; i++)
		claimed(run, claims->tasks[i]);
	if (!status)
		rota_claims_free(claims);
}

static int64_t any_worker(struct run *run)
{
	const struct history *h = run->history;

	return h->worker_count ? h->workers[pick(&run->seed, h->worker_count)] : 0;
}

static void worker_claims(struct run *run)
{
	struct rota_op op = { .kind = ROTA_OP_CLAIM };
	struct rota_arena arena;
	int64_t worker = any_worker(run);
	enum rota_status status;

	if (!worker)
		return;
	maintain(run);
	rota_arena_init(&arena, 0);
	op.arena = &arena;
	op.u.claim = (struct rota_op_claim){ .worker = "process", .worker_id = worker, .number = run->seed,
		.tasks_max = some(run, 5), .bytes_max = 1 << 20, .lease = any_lease_length(run) };
	status = rota_store_run(run->store, &op, &run->err);
	fprintf(run->out, " = %s start %d", status_name(status), op.u.claim.ret_commit_start);
	for (size_t i = 0; !status && i < op.u.claim.ret_count; i++)
		claimed(run, op.u.claim.ret_tasks[i]);
	rota_arena_deinit(&arena);
}

static void worker(struct run *run, enum rota_worker_action action)
{
	struct rota_op op = { .kind = ROTA_OP_WORKER };
	struct rota_arena arena;
	size_t count = run->history->worker_count;

	if (action == ROTA_WORKER_JOIN ? count >= 4 : !count)
		return;
	rota_arena_init(&arena, 0);
	op.arena = &arena;
	op.u.worker = (struct rota_op_worker){ .action = action, .name = "process", .pid = 1,
		.worker_id = action == ROTA_WORKER_LEAVE ? run->history->workers[count - 1] : 0 };
	fprintf(run->out, " = %s", status_name(rota_store_run(run->store, &op, &run->err)));
	if (run->learned && action == ROTA_WORKER_JOIN)
		run->learned->workers[run->learned->worker_count++] = op.u.worker.ret_worker_id;
	if (run->learned && action == ROTA_WORKER_LEAVE)
		run->learned->worker_count--;
	rota_arena_deinit(&arena);
}

static void join(struct run *run)
{
	worker(run, ROTA_WORKER_JOIN);
}

static void leave(struct run *run)
{
	worker(run, ROTA_WORKER_LEAVE);
	maintain(run);
}

/* ---- leases ---- */

static void extend(struct run *run)
{
	struct lease l = any_lease(run);
	rota_duration length = any_lease_length(run);
	int asked = -1;
	enum rota_status status = rota_task_extend(run->store, l.id, l.token, length, &asked, &run->err);

	fprintf(run->out, " %" PRId64 "/%" PRId64 " by %" PRId64 " = %s %d", l.id, l.token, length,
		status_name(status), asked);
}

static void progress(struct run *run)
{
	struct lease l = any_lease(run);
	struct rota_bytes bytes = any_bytes(run);
	const char *text = chance(&run->seed, 50) ? "at it" : NULL;
	int asked = -1;
	enum rota_status status = rota_task_progress(run->store, l.id, l.token, bytes, text, &asked, &run->err);

	fprintf(run->out, " %" PRId64 "/%" PRId64 " = %s %d", l.id, l.token, status_name(status), asked);
}

static void started(struct run *run)
{
	struct rota_extension items[3];
	struct rota_op op = { .kind = ROTA_OP_EXTEND };
	struct rota_arena arena;
	enum rota_status status;
	size_t n = some(run, 3);

	for (size_t i = 0; i < n; i++) {
		struct lease l = any_lease(run);

		items[i] = (struct rota_extension){ .id = l.id, .token = l.token,
			.started = chance(&run->seed, 80) };
	}
	rota_arena_init(&arena, 0);
	op.arena = &arena;
	op.u.extend = (struct rota_op_extend){ items, n, any_length(run) };
	status = rota_store_run(run->store, &op, &run->err);
	fprintf(run->out, " = %s", status_name(status));
	for (size_t i = 0; i < n; i++)
		fprintf(run->out, " %" PRId64 "/%" PRId64 ":%s,%d", items[i].id, items[i].token,
			status_name(items[i].ret_status), items[i].ret_cancel_requested);
	rota_arena_deinit(&arena);
}

static void guard(struct run *run)
{
	struct lease l = any_lease(run);

	fprintf(run->out, " %" PRId64 "/%" PRId64 " = %s", l.id, l.token,
		status_name(rota_task_guard(run->store, l.id, l.token, &run->err)));
}

static void any_verdict(struct run *run, struct rota_verdict *v, struct call *follow_ups)
{
	struct lease l = any_lease(run);

	*v = (struct rota_verdict)ROTA_INIT(rota_verdict);
	v->id = l.id;
	v->token = l.token;
	v->outcome = chance(&run->seed, 40) ? ROTA_OUTCOME_COMPLETE : (enum rota_outcome)pick(&run->seed, 6);
	v->has_delay = chance(&run->seed, 50);
	v->delay = chance(&run->seed, 50) ? 0 : any_length(run);
	fprintf(run->out, "\n\t%" PRId64 "/%" PRId64 " %s delay %d,%" PRId64, v->id, v->token,
		rota_outcome_name(v->outcome), v->has_delay, v->delay);
	v->result = any_bytes(run);
	if (chance(&run->seed, 20))
		v->progress = any_bytes(run);
	if (chance(&run->seed, 30))
		v->status_text = "said";
	if (chance(&run->seed, 30))
		v->error = "because";
	if (v->outcome == ROTA_OUTCOME_COMPLETE && chance(&run->seed, 25)) {
		any_call(run, follow_ups);
		v->follow_ups = follow_ups->tasks;
		v->follow_up_count = follow_ups->count;
	}
}

/* Follow-ups get ids that nobody answers; they come after all that is known. */
static void finish(struct run *run)
{
	static struct call follow_ups[3];
	struct rota_verdict v[3];
	enum rota_status each[3], status;
	size_t n = some(run, 3);

	for (size_t i = 0; i < n; i++)
		any_verdict(run, &v[i], &follow_ups[i]);
	status = rota_task_finish(run->store, v, n, each, &run->err);
	fprintf(run->out, "\n\t= %s", status_name(status));
	for (size_t i = 0; i < n && !status; i++) {
		fprintf(run->out, " %s", status_name(each[i]));
		if (run->learned && !each[i])
			books_finished(books_now, v[i].id, v[i].token, v[i].outcome);
	}
}

/* ---- acting on ids ---- */

static size_t any_ids(struct run *run, rota_id *ids)
{
	size_t n = some(run, 4);

	for (size_t i = 0; i < n; i++) {
		ids[i] = any_id(run);
		fprintf(run->out, " %" PRId64, ids[i]);
	}
	return n;
}

static void show_each(struct run *run, enum rota_status status, const enum rota_status *each, size_t n)
{
	fprintf(run->out, " = %s", status_name(status));
	for (size_t i = 0; i < n && !status; i++)
		fprintf(run->out, " %s", status_name(each[i]));
}

static void cancel(struct run *run)
{
	rota_id ids[4];
	enum rota_status each[4];
	size_t n = any_ids(run, ids);
	const char *reason = chance(&run->seed, 50) ? "unwanted" : NULL;

	show_each(run, rota_task_cancel(run->store, ids, n, reason, each, &run->err), each, n);
}

static void retry(struct run *run)
{
	rota_id ids[4];
	enum rota_status each[4];
	size_t n = any_ids(run, ids);

	show_each(run, rota_task_retry(run->store, ids, n, each, &run->err), each, n);
}

static void delete(struct run *run)
{
	rota_id ids[4];
	enum rota_status each[4], status;
	size_t n = any_ids(run, ids);
	uint32_t flags = (uint32_t)pick(&run->seed, 4);
	uint64_t deleted = 0;

	fprintf(run->out, " flags %u", flags);
	status = rota_task_delete(run->store, ids, n, flags, &deleted, each, &run->err);
	show_each(run, status, each, n);
	fprintf(run->out, ", %" PRIu64, deleted);
}

static void purge(struct run *run)
{
	const char *queue = queues[pick(&run->seed, 3)];
	uint64_t deleted = 0;
	enum rota_status status = rota_queue_purge(run->store, queue, &deleted, &run->err);

	fprintf(run->out, " %s = %s %" PRIu64, queue, status_name(status), deleted);
}

static void signal(struct run *run)
{
	static const char *const names[] = { NULL, "one", "two" };
	rota_id id = any_id(run);
	const char *name = names[pick(&run->seed, 3)];

	fprintf(run->out, " %" PRId64 " %s = %s", id, name ? name : "-",
		status_name(rota_task_signal(run->store, id, name, &run->err)));
}

/* ---- queues, time ---- */

static void pause(struct run *run)
{
	const char *queue = queues[pick(&run->seed, 3)];
	bool off = chance(&run->seed, 50);

	fprintf(run->out, " %s %d = %s", queue, off, status_name(off ?
		rota_queue_pause(run->store, queue, &run->err) : rota_queue_resume(run->store, queue, &run->err)));
}

static void settings(struct run *run)
{
	static const rota_duration keeps[] = { -1, 0, ROTA_SECONDS(5), ROTA_SECONDS(3600), ROTA_FOREVER };
	struct rota_queue_settings s = ROTA_QUEUE_SETTINGS_INIT;
	const char *queue = queues[pick(&run->seed, 3)];

	s.keep_completed = keeps[pick(&run->seed, 5)];
	s.keep_failed = keeps[pick(&run->seed, 5)];
	fprintf(run->out, " %s keep %" PRId64 ",%" PRId64 " = %s", queue, s.keep_completed, s.keep_failed,
		status_name(rota_queue_set(run->store, queue, &s, &run->err)));
	maintain(run);
}

static void advance(struct run *run)
{
	rota_duration by = any_length(run);

	fprintf(run->out, " %" PRId64, by);
	test_world_advance(run->side->world, by);
}

static void calendar(struct run *run)
{
	struct rota_world *world = run->side->world;
	rota_duration by = any_length(run);

	fprintf(run->out, " +%" PRId64, by);
	test_world_set_date(world, world->date(world) + by);
}

/* ---- looking ---- */

static void states(struct run *run)
{
	rota_id ids[4];
	int8_t answers[4];
	struct rota_op op = { .kind = ROTA_OP_STATES };
	struct rota_arena arena;
	size_t n = any_ids(run, ids);

	rota_arena_init(&arena, 0);
	op.arena = &arena;
	op.u.states = (struct rota_op_states){ ids, n, answers };
	fprintf(run->out, " = %s", status_name(rota_store_run(run->store, &op, &run->err)));
	for (size_t i = 0; i < n; i++)
		fprintf(run->out, " %d", answers[i]);
	rota_arena_deinit(&arena);
}

static void list(struct run *run)
{
	struct rota_task_filter f = ROTA_INIT(rota_task_filter);
	struct rota_task_list *tasks = NULL;
	enum rota_status status;

	f.states = chance(&run->seed, 50) ? 0 : (uint32_t)pick(&run->seed, 128);
	f.queue = chance(&run->seed, 50) ? NULL : queues[pick(&run->seed, 3)];
	f.type = chance(&run->seed, 50) ? NULL : types[pick(&run->seed, 3)];
	f.before = chance(&run->seed, 50) ? 0 : any_id(run);
	f.limit = pick(&run->seed, 6);
	status = rota_task_list(run->store, &f, &tasks, &run->err);
	fprintf(run->out, " = %s", status_name(status));
	for (size_t i = 0; !status && i < tasks->count; i++)
		fprintf(run->out, " %" PRId64 "%c", tasks->tasks[i]->id, *rota_state_name(tasks->tasks[i]->state));
	if (!status)
		rota_task_list_free(tasks);
}

static void find(struct run *run)
{
	const char *key = keys[pick(&run->seed, 6)];
	rota_id id = 0;
	enum rota_status status = rota_task_find(run->store, key, &id, &run->err);

	fprintf(run->out, " %s = %s %" PRId64, key, status_name(status), id);
}

static void open_work(struct run *run)
{
	struct rota_op op = { .kind = ROTA_OP_OPEN_WORK };
	const char *some_queues[3], *some_types[3];
	struct rota_arena arena;

	rota_arena_init(&arena, 0);
	op.arena = &arena;
	op.u.open_work.queues = some_queues;
	op.u.open_work.queue_count = any_names(run, queues, some_queues);
	op.u.open_work.types = some_types;
	op.u.open_work.type_count = any_names(run, types, some_types);
	fprintf(run->out, " = %s", status_name(rota_store_run(run->store, &op, &run->err)));
	fprintf(run->out, " %d", op.u.open_work.ret_open);
	rota_arena_deinit(&arena);
}

/* ---- elsewhere: another namespace, which must neither see nor change anything here ---- */

static void elsewhere(struct run *run)
{
	struct run other = *run;

	other.store = run->side->elsewhere;
	other.learned = NULL;
	switch (pick(&other.seed, 4)) {
	case 0: enqueue(&other); break;
	case 1: cancel(&other); break;
	case 2: delete(&other); break;
	default: signal(&other); break;
	}
}

static struct rota_store *handle_open(struct side *side, const char *name_space)
{
	struct rota_store_options options = ROTA_INIT(rota_store_options);
	struct rota_store *store = NULL;
	struct rota_error err = { 0 };

	options.name_space = name_space;
	options.durability = ROTA_DURABILITY_RELAXED;
	CHECK_OK(rota_store_open_in(side->world, side->url, &options, &store, &err), &err);
	return store;
}

/* The other handles keep a memory store alive. */
static void reopen(struct run *run)
{
	struct rota_store **handle = &run->side->handles[pick(&run->seed, MODEL_HANDLES)];

	if (run->history->worker_count)
		return;
	rota_store_close(*handle);
	*handle = handle_open(run->side, "ours");
}

typedef void step_fn(struct run *run);
static step_fn *const step_fns[STEP_COUNT] = {
	enqueue, stream, claim, claim_ids, worker_claims, extend, progress, started, finish, signal, cancel,
	retry, delete, purge, pause, settings, advance, calendar, maintain, join, leave, guard, states, list,
	find, open_work, elsewhere, reopen,
};

void step_run(struct side *side, const struct step *step, const struct history *history,
	struct history *learned, FILE *out)
{
	struct run run = { .side = side, .history = history, .learned = learned, .seed = step->seed,
		.limit = step->limit, .out = out };

	run.store = side->handles[pick(&run.seed, MODEL_HANDLES)];
	fprintf(out, "%s", step_names[step->kind]);
	step_fns[step->kind](&run);
	fputc('\n', out);
}

void side_open(struct side *side, const char *url, uint64_t seed)
{
	side->url = url;
	side->world = test_world_new(seed);
	for (size_t i = 0; i < MODEL_HANDLES; i++)
		side->handles[i] = handle_open(side, "ours");
	side->elsewhere = handle_open(side, "elsewhere");
}

void side_close(struct side *side)
{
	for (size_t i = 0; i < MODEL_HANDLES; i++)
		rota_store_close(side->handles[i]);
	rota_store_close(side->elsewhere);
	test_world_free(side->world);
}
