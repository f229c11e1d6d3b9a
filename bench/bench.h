/* bench.h: one measurement is a case; a case has a bare side, a rota side, or both. */
#ifndef ROTA_BENCH_H
#define ROTA_BENCH_H
#include <stdbool.h>
#include <stdint.h>
#include <rota/rota.h>

#define BENCH_PAYLOAD 100

struct bench {
	const char *dir;
	uint64_t tasks;    /* scale: 100,000 is full size */
	bool relaxed;
	char path[4096];   /* of the store of this run */
};

/* What one run of one side gave. rate in tasks per second, or p50/p99 in microseconds. */
struct bench_result {
	double rate, p50_us, p99_us;
	double syncs_per_1000, wal_bytes_per_task;
	uint64_t rss_kib;
};
typedef bool bench_fn(struct bench *bench, struct bench_result *ret);

/* bare.c: false after printing what went wrong */
bench_fn bare_insert_1, bare_insert_1000, bare_drain_100, bare_drain_1, bare_cycle_100, bare_sync_4k;
/* cases.c, cases_work.c */
bench_fn rota_insert_1, rota_insert_32, rota_submit, rota_insert_1000, rota_keyed_1000, rota_graph_1000;
bench_fn rota_drain, rota_drain_kept, rota_drain_1, rota_cycle, rota_latency, rota_fan_in, rota_big_payloads;

/* count_vfs.c: before any file is opened. */
struct bench_counts {
	uint64_t syncs, wal_syncs, wal_bytes, db_bytes;
};
bool count_vfs_install(void);
void count_vfs_read(struct bench_counts *ret);

bool bench_ok(enum rota_status status, const struct rota_error *err); /* prints what went wrong */
struct rota_store *bench_open(struct bench *bench, const char *name); /* NULL: said why */
int64_t bench_now_us(void);
/* Sorts. p in 0..1. */
double bench_percentile(double *values, size_t n, double p);
/* A fresh path in bench->path; removes what a former run left there. */
void bench_fresh(struct bench *bench, const char *name);
void bench_counted(struct bench_result *ret, const struct bench_counts *before, uint64_t tasks);

#define BENCH_ROUNDS_MAX 99
struct bench_options {
	int rounds;           /* 1 to BENCH_ROUNDS_MAX */
	uint64_t tasks;       /* the scale; 2,000 or more */
	const char *dir;      /* a directory of the run's own is made there, and removed */
	bool relaxed, json, gate;
	char *const *only;    /* names of cases; none: all */
	int only_count;
};
/* Runs, prints, returns an exit code: 1 when something failed or a gate did not hold. */
int rota_bench_run(const struct bench_options *options);
const char *rota_bench_cases(void); /* " S1 S3 …" */
#endif
