/* cases_work.c: taking tasks out: a worker with C handlers, and claims by hand. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench.h"

static char payload[BENCH_PAYLOAD];

static bool keep(struct rota_store *store, rota_duration completed)
{
	struct rota_queue_settings settings = ROTA_QUEUE_SETTINGS_INIT;
	struct rota_error err;

	settings.keep_completed = completed;
	return bench_ok(rota_queue_set(store, "default", &settings, &err), &err);
}

static bool fill(struct rota_store *store, uint64_t total, const char *type)
{
	static struct rota_task tasks[1000];
	struct rota_error err;

	for (int i = 0; i < 1000; i++)
		tasks[i] = ROTA_TASK(.type = type, .payload = { payload, sizeof(payload) });
	for (uint64_t i = 0; i < total; i += 1000) {
		if (!bench_ok(rota_task_enqueue(store, tasks, 1000, NULL, &err), &err))
			return false;
	}
	return true;
}

static _Atomic uint64_t handled;

static enum rota_outcome noop(struct rota_job *job, void *arg)
{
	(void)job;
	(void)arg;
	atomic_fetch_add_explicit(&handled, 1, memory_order_relaxed);
	return ROTA_OUTCOME_COMPLETE;
}

static bool work(struct rota_store *store, const struct rota_worker_options *options)
{
	struct rota_worker *worker = NULL;
	struct rota_error err;
	bool ok = bench_ok(rota_worker_new(store, options, &worker, &err), &err) &&
		bench_ok(rota_worker_handle(worker, "noop", noop, NULL, &err), &err) &&
		bench_ok(rota_worker_run(worker, &err), &err);

	rota_worker_free(worker);
	return ok;
}

static bool drain_run(struct bench *bench, struct bench_result *ret, uint64_t total, rota_duration kept,
	uint32_t one_by_one)
{
	struct rota_store *store = bench_open(bench, "rota");
	struct rota_worker_options options = ROTA_INIT(rota_worker_options);
	struct bench_counts before;
	int64_t start;
	bool ok = store && keep(store, kept) && fill(store, total, "noop");

	options.drain = 1;
	options.claim_max = options.concurrency = options.buffer = one_by_one;
	atomic_store(&handled, 0);
	count_vfs_read(&before);
	start = bench_now_us();
	ok = ok && work(store, &options);
	ret->rate = (double)total * 1e6 / (double)(bench_now_us() - start);
	bench_counted(ret, &before, total);
	rota_store_close(store);
	if (ok && atomic_load(&handled) != total)
		return fprintf(stderr, "rota: bench: %llu of %llu tasks were handled\n",
			(unsigned long long)atomic_load(&handled), (unsigned long long)total), false;
	return ok;
}

bool rota_drain(struct bench *bench, struct bench_result *ret)
{
	return drain_run(bench, ret, bench->tasks, 0, 0);
}

bool rota_drain_kept(struct bench *bench, struct bench_result *ret)
{
	return drain_run(bench, ret, bench->tasks, ROTA_SECONDS(86400), 0);
}

/* One task at a time: complete k and claim k+1 share a commit. */
bool rota_drain_1(struct bench *bench, struct bench_result *ret)
{
	return drain_run(bench, ret, bench->tasks / 20 / 1000 * 1000 + 1000, 0, 1);
}

/* ---- enqueue, claim and complete at the same time ---- */

struct running {
	struct rota_worker *worker;
	pthread_t thread;
	bool ok;
};

static void *run_main(void *arg)
{
	struct running *r = arg;
	struct rota_error err;

	r->ok = bench_ok(rota_worker_run(r->worker, &err), &err);
	return NULL;
}

static bool run_start(struct running *r, struct rota_store *store, rota_handler_fn *handler, void *arg)
{
	struct rota_worker_options options = ROTA_INIT(rota_worker_options);
	struct rota_error err;

	r->worker = NULL;
	return bench_ok(rota_worker_new(store, &options, &r->worker, &err), &err) &&
		bench_ok(rota_worker_handle(r->worker, "noop", handler, arg, &err), &err) &&
		pthread_create(&r->thread, NULL, run_main, r) == 0;
}

static bool run_stop(struct running *r)
{
	rota_worker_stop(r->worker);
	pthread_join(r->thread, NULL);
	rota_worker_free(r->worker);
	return r->ok;
}

static bool wait_handled(uint64_t want)
{
	for (int64_t start = bench_now_us(); atomic_load(&handled) < want;) {
		struct timespec t = { 0, 50000 };

		if (bench_now_us() - start > 60000000)
			return fprintf(stderr, "rota: bench: tasks are stuck\n"), false;
		nanosleep(&t, NULL);
	}
	return true;
}

/* Groups of 100 are enqueued while a worker works them off. */
bool rota_cycle(struct bench *bench, struct bench_result *ret)
{
	struct rota_store *store = bench_open(bench, "rota");
	struct rota_task tasks[100];
	struct running r;
	struct rota_error err;
	struct bench_counts before;
	int64_t start;
	bool ok = store && keep(store, 0) && run_start(&r, store, noop, NULL);

	for (int i = 0; i < 100; i++)
		tasks[i] = ROTA_TASK(.type = "noop", .payload = { payload, sizeof(payload) });
	atomic_store(&handled, 0);
	count_vfs_read(&before);
	start = bench_now_us();
	for (uint64_t i = 0; i < bench->tasks && ok; i += 100) {
		while (rota_task_submit(store, tasks, 100, NULL, NULL, &err) == ROTA_BUSY && ok)
			ok = bench_ok(rota_store_flush(store, ROTA_SECONDS(30), &err), &err);
	}
	ok = ok && wait_handled(bench->tasks) && bench_ok(rota_store_flush(store, ROTA_SECONDS(30), &err), &err);
	ret->rate = (double)bench->tasks * 1e6 / (double)(bench_now_us() - start);
	bench_counted(ret, &before, bench->tasks);
	if (store)
		ok = run_stop(&r) && ok;
	rota_store_close(store);
	return ok;
}

/* ---- latency: enqueue to handler start, idle worker ---- */

static _Atomic int64_t started_at;

static enum rota_outcome stamp(struct rota_job *job, void *arg)
{
	(void)job;
	(void)arg;
	atomic_store(&started_at, bench_now_us());
	atomic_fetch_add(&handled, 1);
	return ROTA_OUTCOME_COMPLETE;
}

bool rota_latency(struct bench *bench, struct bench_result *ret)
{
	enum { N = 1000 };
	static double took[N];
	struct rota_store *store = bench_open(bench, "rota");
	struct rota_task task = ROTA_TASK(.type = "noop", .payload = { payload, sizeof(payload) });
	struct rota_error err;
	struct running r;
	bool ok = store && keep(store, 0) && run_start(&r, store, stamp, NULL);

	atomic_store(&handled, 0);
	for (int i = 0; i < N && ok; i++) {
		struct timespec idle = { 0, 1000000 };
		int64_t start;

		nanosleep(&idle, NULL);
		start = bench_now_us();
		ok = bench_ok(rota_task_enqueue(store, &task, 1, NULL, &err), &err) &&
			wait_handled((uint64_t)i + 1);
		took[i] = (double)(atomic_load(&started_at) - start);
	}
	ret->p50_us = bench_percentile(took, N, 0.5);
	ret->p99_us = bench_percentile(took, N, 0.99);
	ret->rate = 1e6 / ret->p50_us;
	if (store)
		ok = run_stop(&r) && ok;
	rota_store_close(store);
	return ok;
}

/* ---- parade's fan-in: N parts, 400 shards, one done; claimed 2,000 at a time by hand ---- */

struct fan {
	uint64_t parts, at;
	char key[32];
	struct rota_dependency after;
};
enum { SHARDS = 400 };

/* The shards and the end come first; parts name their shard as successor. */
static int fan_next(void *arg, struct rota_task *task)
{
	struct fan *f = arg;
	uint64_t at = f->at++;

	f->after = (struct rota_dependency){ .nth = 1 };
	if (at == 0) {
		task->type = "done";
	} else if (at <= SHARDS) {
		task->type = "shard";
		task->before = &f->after;
		task->before_count = 1;
	} else if (at <= SHARDS + f->parts) {
		f->after.nth = 2 + (at / 100) % SHARDS;
		task->type = "part";
		task->before = &f->after;
		task->before_count = 1;
	} else {
		return 0;
	}
	return 1;
}

static bool claim_finish(struct rota_store *store, uint64_t *ret_done, bool *ret_last)
{
	static struct rota_verdict verdicts[2000];
	struct rota_claim_options options = ROTA_INIT(rota_claim_options);
	struct rota_claims *claims = NULL;
	struct rota_error err;
	bool ok;

	options.tasks_max = 2000;
	if (!bench_ok(rota_task_claim(store, &options, &claims, NULL, &err), &err))
		return false;
	for (size_t i = 0; i < claims->count; i++) {
		verdicts[i] = (struct rota_verdict){ .size = sizeof(verdicts[i]), .id = claims->tasks[i]->id,
			.token = claims->tasks[i]->token, .outcome = ROTA_OUTCOME_COMPLETE };
		*ret_last = !strcmp(claims->tasks[i]->type, "done");
	}
	*ret_done = claims->count;
	ok = !claims->count || bench_ok(rota_task_finish(store, verdicts, claims->count, NULL, &err), &err);
	rota_claims_free(claims);
	return ok;
}

bool rota_fan_in(struct bench *bench, struct bench_result *ret)
{
	struct rota_store *store = bench_open(bench, "rota");
	struct fan fan = { .parts = bench->tasks };
	struct rota_task_source source = ROTA_INIT(rota_task_source);
	struct rota_error err;
	struct bench_counts before;
	uint64_t done = 0, n = 0, count = 0;
	int64_t start;
	bool last = false, ok = store && keep(store, 0);

	source.next = fan_next;
	source.arg = &fan;
	ok = ok && bench_ok(rota_task_enqueue_from(store, &source, &count, &err), &err);
	count_vfs_read(&before);
	start = bench_now_us();
	do {
		ok = ok && claim_finish(store, &n, &last);
		done += n;
	} while (ok && n);
	ret->rate = (double)done * 1e6 / (double)(bench_now_us() - start);
	bench_counted(ret, &before, done ? done : 1);
	rota_store_close(store);
	if (ok && (done != count || !last))
		return fprintf(stderr, "rota: bench: fan-in did %llu of %llu tasks\n", (unsigned long long)done,
			(unsigned long long)count), false;
	return ok;
}

/* ---- a gigabyte of payloads in bounded memory ---- */

static uint64_t rss_peak_kib(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	unsigned long long kib = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "VmHWM: %llu", &kib) == 1)
			break;
	}
	if (f)
		fclose(f);
	return kib;
}

static void rss_reset(void)
{
	FILE *f = fopen("/proc/self/clear_refs", "we");

	if (f) {
		fputs("5", f);
		fclose(f);
	}
}

bool rota_big_payloads(struct bench *bench, struct bench_result *ret)
{
	enum { SIZE = 1 << 20 };
	uint64_t total = bench->tasks >= 100000 ? 1024 : 64;
	struct rota_store *store = bench_open(bench, "rota");
	char *big = calloc(1, SIZE);
	struct rota_task task = ROTA_TASK(.type = "noop", .payload = { big, SIZE });
	struct rota_error err;
	struct running r;
	int64_t start = bench_now_us();
	bool ok = store && big && keep(store, 0) && run_start(&r, store, noop, NULL);

	rss_reset();
	atomic_store(&handled, 0);
	for (uint64_t i = 0; i < total && ok; i++) {
		while (rota_task_submit(store, &task, 1, NULL, NULL, &err) == ROTA_BUSY && ok)
			ok = bench_ok(rota_store_flush(store, ROTA_SECONDS(60), &err), &err);
	}
	ok = ok && wait_handled(total);
	ret->rate = (double)total * 1e6 / (double)(bench_now_us() - start);
	ret->rss_kib = rss_peak_kib();
	if (store)
		ok = run_stop(&r) && ok;
	rota_store_close(store);
	free(big);
	return ok;
}
