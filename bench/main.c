/* main.c: rounds of all cases, interleaved, and a table of medians. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "bench.h"

enum { ROUNDS_MAX = BENCH_ROUNDS_MAX };

/* goal_ratio: of the bare side's rate in the same run. goal_rate: tasks per second on a machine whose
 * 4 KiB fdatasync takes 100 us; only shown. gate_ratio: --gate fails below it. */
struct bench_case {
	const char *name, *text;
	bench_fn *bare, *rota;
	double goal_ratio, goal_rate, gate_ratio, gate_syncs_per_1000;
	bool latency;
};
static const struct bench_case cases[] = {
	{ "sync", "overwrite 4 KiB, fdatasync (the disk itself)", bare_sync_4k, NULL, 0, 0, 0, 0, true },
	{ "S1", "enqueue one by one, one caller", bare_insert_1, rota_insert_1, 0.9, 0, 0.6, 1100, false },
	{ "S3", "enqueue one by one, 32 callers", NULL, rota_insert_32, 0, 60000, 0, 300, false },
	{ "S3+", "enqueue asynchronously", NULL, rota_submit, 0, 200000, 0, 30, false },
	{ "S4", "enqueue 1,000 per call", bare_insert_1000, rota_insert_1000, 0, 450000, 0.4, 4, false },
	{ "S4k", "the same, with keys", bare_insert_1000, rota_keyed_1000, 0, 0, 0.2, 6, false },
	{ "S4g", "the same, chains of ten", bare_insert_1000, rota_graph_1000, 0, 0, 0.2, 6, false },
	{ "S5", "work off a backlog, C handlers, keep 0", bare_drain_100, rota_drain, 0, 180000, 0.35, 12, false },
	{ "S5r", "the same, completed tasks retained", bare_drain_100, rota_drain_kept, 0, 0, 0.2, 16, false },
	{ "S6", "enqueue by 100, claim, complete at once", bare_cycle_100, rota_cycle, 0, 150000, 0.25, 40, false },
	{ "S7", "work off a backlog one task at a time", bare_drain_1, rota_drain_1, 0, 4500, 0.5, 1300, false },
	{ "S8", "enqueue to handler start, idle worker", NULL, rota_latency, 0, 0, 0, 0, true },
	{ "FI", "fan-in 100,000 > 400 > 1, claims of 2,000", NULL, rota_fan_in, 0, 50000, 0, 12, false },
	{ "GB", "1 MiB payloads through a worker", NULL, rota_big_payloads, 0, 0, 0, 0, false },
};
enum { CASE_COUNT = sizeof(cases) / sizeof(cases[0]) };

struct options {
	struct bench bench;
	int rounds;
	bool json, gate;
	char *const *only;
	int only_count;
};
static struct bench_result results[CASE_COUNT][2][ROUNDS_MAX];
static char run_dir[4000];

int64_t bench_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_percentile(double *values, size_t n, double p)
{
	qsort(values, n, sizeof(*values), by_value);
	return n ? values[(size_t)(p * (double)(n - 1) + 0.5)] : 0;
}

/* Removes every file of the run's directory: stores leave side files. */
static void dir_clear(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		if (e->d_name[0] != '.')
			(void)unlinkat(dirfd(d), e->d_name, 0);
	}
	if (d)
		closedir(d);
}

void bench_fresh(struct bench *bench, const char *name)
{
	dir_clear(bench->dir);
	snprintf(bench->path, sizeof(bench->path), "%s/%s.db", bench->dir, name);
}

void bench_counted(struct bench_result *ret, const struct bench_counts *before, uint64_t tasks)
{
	struct bench_counts now;

	count_vfs_read(&now);
	ret->syncs_per_1000 = (double)(now.syncs - before->syncs) * 1000 / (double)tasks;
	ret->wal_bytes_per_task = (double)(now.wal_bytes - before->wal_bytes) / (double)tasks;
}

const char *rota_bench_cases(void)
{
	static char text[256];

	text[0] = 0;
	for (int i = 0; i < CASE_COUNT; i++) {
		strcat(text, " ");
		strcat(text, cases[i].name);
	}
	return text;
}

static bool case_known(const char *name)
{
	for (int i = 0; i < CASE_COUNT; i++) {
		if (!strcmp(name, cases[i].name))
			return true;
	}
	return false;
}

/* ---- running ---- */

static bool wanted(const struct options *o, const struct bench_case *c)
{
	for (int i = 0; i < o->only_count; i++) {
		if (!strcmp(o->only[i], c->name))
			return true;
	}
	return !o->only_count;
}

static bool case_run(struct options *o, int which, int round)
{
	const struct bench_case *c = &cases[which];

	if (!wanted(o, c))
		return true;
	if (!o->json && isatty(2))
		fprintf(stderr, "\r\033[Kround %d of %d: %s %s", round + 1, o->rounds, c->name, c->text);
	return (!c->bare || c->bare(&o->bench, &results[which][0][round])) &&
		(!c->rota || c->rota(&o->bench, &results[which][1][round]));
}

static bool rounds_run(struct options *o)
{
	for (int round = 0; round < o->rounds; round++) {
		for (int i = 0; i < CASE_COUNT; i++) {
			if (!case_run(o, i, round))
				return false;
		}
	}
	if (!o->json && isatty(2))
		fprintf(stderr, "\r\033[K");
	return true;
}

/* ---- reporting ---- */

typedef double pick_fn(const struct bench_result *bare, const struct bench_result *rota);
static double pick_bare(const struct bench_result *b, const struct bench_result *r) { (void)r; return b->rate; }
static double pick_rota(const struct bench_result *b, const struct bench_result *r) { (void)b; return r->rate; }
static double pick_ratio(const struct bench_result *b, const struct bench_result *r)
{
	return b->rate > 0 ? r->rate / b->rate : 0;
}
static double pick_p50(const struct bench_result *b, const struct bench_result *r)
{
	return r->p50_us > 0 ? r->p50_us : b->p50_us;
}
static double pick_p99(const struct bench_result *b, const struct bench_result *r)
{
	return r->p99_us > 0 ? r->p99_us : b->p99_us;
}
static double pick_syncs(const struct bench_result *b, const struct bench_result *r) { (void)b; return r->syncs_per_1000; }
static double pick_wal(const struct bench_result *b, const struct bench_result *r) { (void)b; return r->wal_bytes_per_task; }
static double pick_rss(const struct bench_result *b, const struct bench_result *r) { (void)b; return (double)r->rss_kib; }

static double at(const struct options *o, int which, pick_fn *pick, double p)
{
	double values[ROUNDS_MAX];

	for (int i = 0; i < o->rounds; i++)
		values[i] = pick(&results[which][0][i], &results[which][1][i]);
	return bench_percentile(values, (size_t)o->rounds, p);
}

static void print_text(const struct options *o, int i)
{
	const struct bench_case *c = &cases[i];

	printf("%-5s%-44s", c->name, c->text);
	if (c->latency) {
		printf(" p50 %7.0f us  p99 %7.0f us  (p50 %.0f - %.0f)\n", at(o, i, pick_p50, 0.5),
			at(o, i, pick_p99, 0.5), at(o, i, pick_p50, 0), at(o, i, pick_p50, 1));
		return;
	}
	printf("%9.0f/s (%.0f - %.0f)", at(o, i, pick_rota, 0.5), at(o, i, pick_rota, 0), at(o, i, pick_rota, 1));
	if (c->bare)
		printf("  bare %.0f/s  ratio %.2f", at(o, i, pick_bare, 0.5), at(o, i, pick_ratio, 0.5));
	if (at(o, i, pick_syncs, 0.5) > 0)
		printf("  %.1f syncs/1000  %.0f WAL B/task", at(o, i, pick_syncs, 0.5), at(o, i, pick_wal, 0.5));
	if (at(o, i, pick_p99, 0.5) > 0)
		printf("  p99 %.0f us", at(o, i, pick_p99, 0.5));
	if (at(o, i, pick_rss, 0.5) > 0)
		printf("  peak memory %.0f MiB", at(o, i, pick_rss, 1) / 1024);
	putchar('\n');
}

static void print_json(const struct options *o, int i)
{
	const struct bench_case *c = &cases[i];

	printf("{\"case\":\"%s\",\"text\":\"%s\",\"durability\":\"%s\",\"rounds\":%d,\"rate\":%.1f,\"rate_min\":%.1f,"
		"\"rate_max\":%.1f,\"bare\":%.1f,\"ratio\":%.3f,\"p50_us\":%.1f,\"p99_us\":%.1f,"
		"\"syncs_per_1000\":%.2f,\"wal_bytes_per_task\":%.1f,\"peak_kib\":%.0f}\n",
		c->name, c->text, o->bench.relaxed ? "relaxed" : "commit", o->rounds, at(o, i, pick_rota, 0.5),
		at(o, i, pick_rota, 0), at(o, i, pick_rota, 1), at(o, i, pick_bare, 0.5), at(o, i, pick_ratio, 0.5),
		at(o, i, pick_p50, 0.5), at(o, i, pick_p99, 0.5), at(o, i, pick_syncs, 0.5), at(o, i, pick_wal, 0.5),
		at(o, i, pick_rss, 1));
}

/* Only what does not vary, and ratios to the bare driver with a wide margin. */
static bool gate(const struct options *o, int i)
{
	const struct bench_case *c = &cases[i];
	double ratio = at(o, i, pick_ratio, 0.5), syncs = at(o, i, pick_syncs, 0.5);
	bool ok = true;

	if (c->gate_ratio > 0 && ratio < c->gate_ratio) {
		fprintf(stderr, "rota: bench %s: ratio %.2f is below %.2f\n", c->name, ratio, c->gate_ratio);
		ok = false;
	}
	if (c->gate_syncs_per_1000 > 0 && syncs > c->gate_syncs_per_1000) {
		fprintf(stderr, "rota: bench %s: %.1f syncs per 1,000 tasks, at most %.1f\n", c->name, syncs,
			c->gate_syncs_per_1000);
		ok = false;
	}
	return ok;
}

static bool report(const struct options *o)
{
	bool ok = true;

	if (!o->json)
		printf("medians of %d rounds (min - max); %s; payload %d bytes; bare: a C loop on SQLite, same fsyncs\n",
			o->rounds, o->bench.relaxed ? "relaxed: no fsync per commit" : "every commit fsynced (synchronous=FULL)",
			BENCH_PAYLOAD);
	for (int i = 0; i < CASE_COUNT; i++) {
		if (!wanted(o, &cases[i]))
			continue;
		if (o->json)
			print_json(o, i);
		else
			print_text(o, i);
		ok = (!o->gate || gate(o, i)) && ok;
	}
	return ok;
}

int rota_bench_run(const struct bench_options *asked)
{
	static struct options o;
	bool ok;

	o = (struct options){ .rounds = asked->rounds, .json = asked->json, .gate = asked->gate,
		.only = asked->only, .only_count = asked->only_count };
	o.bench = (struct bench){ .tasks = asked->tasks / 1000 * 1000, .relaxed = asked->relaxed };
	snprintf(run_dir, sizeof(run_dir), "%s/rota-bench-XXXXXX", asked->dir);
	for (int i = 0; i < o.only_count; i++) {
		if (!case_known(o.only[i]))
			return fprintf(stderr, "rota: no case \"%s\"; there are:%s\n", o.only[i], rota_bench_cases()), 64;
	}
	if (!mkdtemp(run_dir) || !count_vfs_install())
		return fprintf(stderr, "rota: cannot make a directory in %s: %s\n", asked->dir, strerror(errno)), 73;
	o.bench.dir = run_dir;
	ok = rounds_run(&o) && report(&o);
	dir_clear(run_dir);
	(void)rmdir(run_dir);
	return ok ? 0 : 1;
}
