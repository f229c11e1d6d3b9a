/* bare.c: the least that a C program can do on SQLite for the same durability. The yardstick. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sqlite3.h>
#include "bench.h"

struct bare {
	sqlite3 *db;
	sqlite3_stmt *begin, *commit, *insert, *claim, *lease, *delete;
	char payload[BENCH_PAYLOAD];
};

static const char schema[] =
	"PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=1000; PRAGMA cache_size=-65536;"
	"CREATE TABLE t(id INTEGER PRIMARY KEY, queue INT, type INT, priority INT, run_at INT, state INT,"
	" token INT, worker INT, lease_until INT, payload BLOB);"
	"CREATE INDEX t_ready ON t(queue, priority, run_at, id) WHERE state=0;";

static bool prepare(struct bare *b, const char *sql, sqlite3_stmt **ret)
{
	if (sqlite3_prepare_v3(b->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL) == SQLITE_OK)
		return true;
	fprintf(stderr, "rota: bare driver: %s\n", sqlite3_errmsg(b->db));
	return false;
}

static bool bare_open(struct bare *b, struct bench *bench)
{
	memset(b, 0, sizeof(*b));
	memset(b->payload, 'x', sizeof(b->payload));
	bench_fresh(bench, "bare");
	if (sqlite3_open_v2(bench->path, &b->db,
			SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
	    sqlite3_exec(b->db, schema, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_exec(b->db, bench->relaxed ? "PRAGMA synchronous=NORMAL" : "PRAGMA synchronous=FULL",
		    NULL, NULL, NULL) != SQLITE_OK) {
		fprintf(stderr, "rota: bare driver: %s\n", sqlite3_errmsg(b->db));
		return false;
	}
	return prepare(b, "BEGIN IMMEDIATE", &b->begin) && prepare(b, "COMMIT", &b->commit) &&
		prepare(b, "INSERT INTO t(queue,type,priority,run_at,state,token,worker,lease_until,payload)"
			" VALUES(1,1,0,?1,0,0,NULL,NULL,?2)", &b->insert) &&
		prepare(b, "SELECT id, payload FROM t WHERE state=0 AND queue=1 ORDER BY priority, run_at, id"
			" LIMIT ?1", &b->claim) &&
		prepare(b, "UPDATE t SET state=1, token=token+1, worker=1, lease_until=?2 WHERE id=?1", &b->lease) &&
		prepare(b, "DELETE FROM t WHERE id=?1 AND state=1 AND token=1", &b->delete);
}

static void bare_close(struct bare *b)
{
	sqlite3_stmt *all[] = { b->begin, b->commit, b->insert, b->claim, b->lease, b->delete };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		sqlite3_finalize(all[i]);
	sqlite3_close(b->db);
}

static bool step(struct bare *b, sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);

	sqlite3_reset(stmt);
	if (rc == SQLITE_DONE || rc == SQLITE_ROW)
		return true;
	fprintf(stderr, "rota: bare driver: %s\n", sqlite3_errmsg(b->db));
	return false;
}

static bool insert(struct bare *b, int64_t at)
{
	sqlite3_bind_int64(b->insert, 1, at);
	sqlite3_bind_blob(b->insert, 2, b->payload, BENCH_PAYLOAD, SQLITE_STATIC);
	return step(b, b->insert);
}

static bool insert_n(struct bare *b, uint64_t total, uint64_t per_tx)
{
	for (uint64_t i = 0; i < total; i += per_tx) {
		if (!step(b, b->begin))
			return false;
		for (uint64_t k = 0; k < per_tx; k++) {
			if (!insert(b, bench_now_us()))
				return false;
		}
		if (!step(b, b->commit))
			return false;
	}
	return true;
}

static bool insert_run(struct bench *bench, struct bench_result *ret, uint64_t total, uint64_t per_tx)
{
	struct bare b;
	struct bench_counts before;
	int64_t start;
	bool ok = bare_open(&b, bench);

	count_vfs_read(&before);
	start = bench_now_us();
	ok = ok && insert_n(&b, total, per_tx);
	ret->rate = (double)total * 1e6 / (double)(bench_now_us() - start);
	bench_counted(ret, &before, total);
	bare_close(&b);
	return ok;
}

bool bare_insert_1(struct bench *bench, struct bench_result *ret)
{
	return insert_run(bench, ret, bench->tasks / 25, 1);
}

bool bare_insert_1000(struct bench *bench, struct bench_result *ret)
{
	return insert_run(bench, ret, bench->tasks * 2, 1000);
}

/* Takes up to n: ids into out, payloads looked at as a worker would. */
static bool claim(struct bare *b, int n, int64_t *out, int *ret_n)
{
	int count = 0;
	unsigned seen = 0;

	sqlite3_bind_int(b->claim, 1, n);
	while (sqlite3_step(b->claim) == SQLITE_ROW) {
		const unsigned char *payload = sqlite3_column_blob(b->claim, 1);

		out[count++] = sqlite3_column_int64(b->claim, 0);
		seen += payload ? payload[0] : 0;
	}
	sqlite3_reset(b->claim);
	for (int i = 0; i < count; i++) {
		sqlite3_bind_int64(b->lease, 1, out[i]);
		sqlite3_bind_int64(b->lease, 2, bench_now_us() + seen);
		if (!step(b, b->lease))
			return false;
	}
	*ret_n = count;
	return true;
}

static bool delete_n(struct bare *b, const int64_t *ids, int n)
{
	for (int i = 0; i < n; i++) {
		sqlite3_bind_int64(b->delete, 1, ids[i]);
		if (!step(b, b->delete))
			return false;
	}
	return true;
}

/* Complete the previous batch and claim the next in one transaction. */
static bool drain(struct bare *b, int batch)
{
	int64_t ids[1000];
	int n = 0;

	do {
		if (!step(b, b->begin) || !delete_n(b, ids, n) || !claim(b, batch, ids, &n) || !step(b, b->commit))
			return false;
	} while (n);
	return true;
}

static bool drain_run(struct bench *bench, struct bench_result *ret, uint64_t total, int batch)
{
	struct bare b;
	struct bench_counts before;
	int64_t start;
	bool ok = bare_open(&b, bench) && insert_n(&b, total, 1000);

	count_vfs_read(&before);
	start = bench_now_us();
	ok = ok && drain(&b, batch);
	ret->rate = (double)total * 1e6 / (double)(bench_now_us() - start);
	bench_counted(ret, &before, total);
	bare_close(&b);
	return ok;
}

bool bare_drain_100(struct bench *bench, struct bench_result *ret)
{
	return drain_run(bench, ret, bench->tasks, 100);
}

bool bare_drain_1(struct bench *bench, struct bench_result *ret)
{
	return drain_run(bench, ret, bench->tasks / 20 / 1000 * 1000 + 1000, 1);
}

/* Enqueue, claim and complete 100 in one group commit. */
bool bare_cycle_100(struct bench *bench, struct bench_result *ret)
{
	struct bare b;
	struct bench_counts before;
	int64_t start, ids[1000];
	uint64_t total = bench->tasks;
	int n = 0;
	bool ok = bare_open(&b, bench);

	count_vfs_read(&before);
	start = bench_now_us();
	for (uint64_t i = 0; i < total && ok; i += 100) {
		ok = step(&b, b.begin);
		for (int k = 0; k < 100 && ok; k++)
			ok = insert(&b, bench_now_us());
		ok = ok && claim(&b, 100, ids, &n) && delete_n(&b, ids, n) && step(&b, b.commit);
	}
	ret->rate = (double)total * 1e6 / (double)(bench_now_us() - start);
	bench_counted(ret, &before, total);
	bare_close(&b);
	return ok;
}

/* The disk itself: overwrite 4 KiB of a written file, fdatasync. */
bool bare_sync_4k(struct bench *bench, struct bench_result *ret)
{
	enum { N = 500, SIZE = 4096 };
	static char block[SIZE];
	double took[N];
	int fd;
	bool ok = true;

	bench_fresh(bench, "sync");
	fd = open(bench->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	for (int i = 0; i < 64 && ok; i++)
		ok = fd >= 0 && write(fd, block, SIZE) == SIZE;
	ok = ok && fsync(fd) == 0;
	for (int i = 0; i < N && ok; i++) {
		int64_t start = bench_now_us();

		ok = pwrite(fd, block, SIZE, (i % 64) * SIZE) == SIZE && fdatasync(fd) == 0;
		took[i] = (double)(bench_now_us() - start);
	}
	if (fd >= 0)
		close(fd);
	if (!ok)
		return fprintf(stderr, "rota: cannot write in %s\n", bench->dir), false;
	ret->p50_us = bench_percentile(took, N, 0.5);
	ret->p99_us = bench_percentile(took, N, 0.99);
	ret->rate = 1e6 / ret->p50_us;
	return true;
}
