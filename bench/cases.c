/* cases.c: putting tasks in. Through the public API only, as an application would. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench.h"

static char payload[BENCH_PAYLOAD];

bool bench_ok(enum rota_status status, const struct rota_error *err)
{
	if (status != ROTA_OK)
		fprintf(stderr, "rota: bench: %s\n", err->message);
	return status == ROTA_OK;
}

struct rota_store *bench_open(struct bench *bench, const char *name)
{
	struct rota_store_options options = ROTA_INIT(rota_store_options);
	struct rota_store *store = NULL;
	struct rota_error err;

	bench_fresh(bench, name);
	options.durability = bench->relaxed ? ROTA_DURABILITY_RELAXED : ROTA_DURABILITY_COMMIT;
	return bench_ok(rota_store_open(bench->path, &options, &store, &err), &err) ? store : NULL;
}

static struct rota_task plain(void)
{
	return ROTA_TASK(.type = "noop", .payload = { payload, sizeof(payload) });
}

/* ---- one by one ---- */

static bool insert_loop(struct rota_store *store, uint64_t total, double *took_us)
{
	struct rota_error err;
	struct rota_task task = plain();

	for (uint64_t i = 0; i < total; i++) {
		int64_t start = took_us ? bench_now_us() : 0;

		if (!bench_ok(rota_task_enqueue(store, &task, 1, NULL, &err), &err))
			return false;
		if (took_us)
			took_us[i] = (double)(bench_now_us() - start);
	}
	return true;
}

bool rota_insert_1(struct bench *bench, struct bench_result *ret)
{
	struct rota_store *store = bench_open(bench, "rota");
	uint64_t total = bench->tasks / 25;
	struct bench_counts before;
	int64_t start;
	bool ok = store && insert_loop(store, 10, NULL);

	count_vfs_read(&before);
	start = bench_now_us();
	ok = ok && insert_loop(store, total, NULL);
	ret->rate = (double)total * 1e6 / (double)(bench_now_us() - start);
	bench_counted(ret, &before, total);
	rota_store_close(store);
	return ok;
}

/* ---- many synchronous callers ---- */

enum { CALLERS = 32 };
struct caller {
	struct rota_store *store;
	pthread_t thread;
	uint64_t total;
	double *took_us;
	bool ok;
};

static void *caller_main(void *arg)
{
	struct caller *c = arg;

	c->ok = insert_loop(c->store, c->total, c->took_us);
	return NULL;
}

bool rota_insert_32(struct bench *bench, struct bench_result *ret)
{
	struct rota_store *store = bench_open(bench, "rota");
	struct caller callers[CALLERS];
	uint64_t each = bench->tasks / CALLERS;
	double *took = calloc(each * CALLERS, sizeof(*took));
	struct bench_counts before;
	int64_t start = bench_now_us();
	bool ok = store && took;

	count_vfs_read(&before);
	for (int i = 0; i < CALLERS && ok; i++) {
		callers[i] = (struct caller){ .store = store, .total = each, .took_us = took + (uint64_t)i * each };
		ok = pthread_create(&callers[i].thread, NULL, caller_main, &callers[i]) == 0;
	}
	for (int i = 0; i < CALLERS && ok; i++) {
		pthread_join(callers[i].thread, NULL);
		ok = callers[i].ok;
	}
	ret->rate = (double)(each * CALLERS) * 1e6 / (double)(bench_now_us() - start);
	bench_counted(ret, &before, each * CALLERS);
	if (ok) {
		ret->p50_us = bench_percentile(took, each * CALLERS, 0.5);
		ret->p99_us = bench_percentile(took, each * CALLERS, 0.99);
	}
	free(took);
	rota_store_close(store);
	return ok;
}

/* ---- asynchronous ---- */

static _Atomic uint64_t durable;

static void submitted(void *arg, const rota_id *ids, size_t n, const struct rota_error *err)
{
	(void)arg;
	(void)ids;
	if (!err)
		atomic_fetch_add(&durable, n);
}

/* Durable when it says so: counted in the callback, which comes after the commit. */
bool rota_submit(struct bench *bench, struct bench_result *ret)
{
	struct rota_store *store = bench_open(bench, "rota");
	struct rota_task task = plain();
	struct rota_error err;
	struct bench_counts before;
	int64_t start = bench_now_us();
	bool ok = store;

	atomic_store(&durable, 0);
	count_vfs_read(&before);
	for (uint64_t i = 0; i < bench->tasks && ok; i++) {
		enum rota_status status = rota_task_submit(store, &task, 1, submitted, NULL, &err);

		if (status == ROTA_BUSY)
			ok = bench_ok(rota_store_flush(store, ROTA_SECONDS(30), &err), &err) && i-- + 1;
		else
			ok = bench_ok(status, &err);
	}
	ok = ok && bench_ok(rota_store_flush(store, ROTA_SECONDS(30), &err), &err);
	ret->rate = (double)bench->tasks * 1e6 / (double)(bench_now_us() - start);
	bench_counted(ret, &before, bench->tasks);
	rota_store_close(store);
	if (ok && atomic_load(&durable) != bench->tasks)
		return fprintf(stderr, "rota: bench: %llu of %llu submitted tasks were accepted\n",
			(unsigned long long)atomic_load(&durable), (unsigned long long)bench->tasks), false;
	return ok;
}

/* ---- a thousand per call: plain, with keys, as a graph ---- */

enum shape { PLAIN, KEYED, GRAPH };
struct thousand {
	struct rota_task tasks[1000];
	char keys[1000][32];
	struct rota_dependency after[1000];
};

/* GRAPH: 100 chains of ten. */
static void thousand_fill(struct thousand *t, enum shape shape, uint64_t round)
{
	for (int i = 0; i < 1000; i++) {
		t->tasks[i] = plain();
		if (shape == KEYED) {
			snprintf(t->keys[i], sizeof(t->keys[i]), "order-%08llu-%d",
				(unsigned long long)(round * 7919 % 100000), i);
			t->tasks[i].key = t->keys[i];
		}
		if (shape == GRAPH && i % 10) {
			t->after[i] = (struct rota_dependency){ .nth = (uint64_t)i };
			t->tasks[i].after = &t->after[i];
			t->tasks[i].after_count = 1;
		}
	}
}

static bool thousands(struct bench *bench, struct bench_result *ret, enum shape shape)
{
	struct rota_store *store = bench_open(bench, "rota");
	struct thousand *t = calloc(1, sizeof(*t));
	uint64_t total = bench->tasks * 2;
	struct rota_error err;
	struct bench_counts before;
	int64_t took = 0;
	bool ok = store && t;

	count_vfs_read(&before);
	for (uint64_t i = 0; i < total && ok; i += 1000) {
		int64_t start;

		thousand_fill(t, shape, i / 1000);
		start = bench_now_us();
		ok = bench_ok(rota_task_enqueue(store, t->tasks, 1000, NULL, &err), &err);
		took += bench_now_us() - start;
	}
	ret->rate = (double)total * 1e6 / (double)took;
	bench_counted(ret, &before, total);
	free(t);
	rota_store_close(store);
	return ok;
}

bool rota_insert_1000(struct bench *bench, struct bench_result *ret)
{
	return thousands(bench, ret, PLAIN);
}

bool rota_keyed_1000(struct bench *bench, struct bench_result *ret)
{
	return thousands(bench, ret, KEYED);
}

bool rota_graph_1000(struct bench *bench, struct bench_result *ret)
{
	return thousands(bench, ret, GRAPH);
}
