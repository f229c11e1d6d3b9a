/* count_vfs.c: a VFS over the default one that counts syncs and bytes written, by kind of file. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>
#include "bench.h"

struct counted_file {
	sqlite3_file base;
	bool wal;
	/* the real file follows */
};

static sqlite3_vfs *real_vfs;
static sqlite3_io_methods methods[3]; /* by iVersion - 1 */
static _Atomic uint64_t syncs, wal_syncs, wal_bytes, db_bytes;

static sqlite3_file *real(sqlite3_file *file)
{
	return (sqlite3_file *)((struct counted_file *)file + 1);
}
#define CALL(file, fn, ...) real(file)->pMethods->fn(real(file), __VA_ARGS__)

static int c_close(sqlite3_file *f)
{
	return real(f)->pMethods ? real(f)->pMethods->xClose(real(f)) : SQLITE_OK;
}
static int c_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at) { return CALL(f, xRead, p, n, at); }
static int c_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	atomic_fetch_add_explicit(((struct counted_file *)f)->wal ? &wal_bytes : &db_bytes, (uint64_t)n,
		memory_order_relaxed);
	return CALL(f, xWrite, p, n, at);
}
static int c_truncate(sqlite3_file *f, sqlite3_int64 size) { return CALL(f, xTruncate, size); }
static int c_sync(sqlite3_file *f, int flags)
{
	atomic_fetch_add(&syncs, 1);
	if (((struct counted_file *)f)->wal)
		atomic_fetch_add(&wal_syncs, 1);
	return CALL(f, xSync, flags);
}
static int c_size(sqlite3_file *f, sqlite3_int64 *size) { return CALL(f, xFileSize, size); }
static int c_lock(sqlite3_file *f, int how) { return CALL(f, xLock, how); }
static int c_unlock(sqlite3_file *f, int how) { return CALL(f, xUnlock, how); }
static int c_reserved(sqlite3_file *f, int *out) { return CALL(f, xCheckReservedLock, out); }
static int c_control(sqlite3_file *f, int op, void *arg) { return CALL(f, xFileControl, op, arg); }
static int c_sector(sqlite3_file *f) { return real(f)->pMethods->xSectorSize(real(f)); }
static int c_device(sqlite3_file *f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); }
static int c_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
	return CALL(f, xShmMap, page, size, extend, out);
}
static int c_shm_lock(sqlite3_file *f, int at, int n, int flags) { return CALL(f, xShmLock, at, n, flags); }
static void c_shm_barrier(sqlite3_file *f) { real(f)->pMethods->xShmBarrier(real(f)); }
static int c_shm_unmap(sqlite3_file *f, int delete) { return CALL(f, xShmUnmap, delete); }
static int c_fetch(sqlite3_file *f, sqlite3_int64 at, int n, void **out) { return CALL(f, xFetch, at, n, out); }
static int c_unfetch(sqlite3_file *f, sqlite3_int64 at, void *p) { return CALL(f, xUnfetch, at, p); }

static int c_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
	struct counted_file *f = (struct counted_file *)file;
	int rc;

	(void)vfs;
	memset(f, 0, sizeof(*f) + (size_t)real_vfs->szOsFile);
	f->wal = (flags & SQLITE_OPEN_WAL) != 0;
	rc = real_vfs->xOpen(real_vfs, name, real(file), flags, out);
	if (rc == SQLITE_OK)
		f->base.pMethods = &methods[real(file)->pMethods->iVersion - 1];
	return rc;
}

bool count_vfs_install(void)
{
	static const sqlite3_io_methods all = { 3, c_close, c_read, c_write, c_truncate, c_sync, c_size, c_lock,
		c_unlock, c_reserved, c_control, c_sector, c_device, c_shm_map, c_shm_lock, c_shm_barrier,
		c_shm_unmap, c_fetch, c_unfetch };
	static sqlite3_vfs vfs;

	if (real_vfs)
		return true;
	if (sqlite3_initialize() != SQLITE_OK || !(real_vfs = sqlite3_vfs_find(NULL)))
		return false;
	for (int i = 0; i < 3; i++) {
		methods[i] = all;
		methods[i].iVersion = i + 1;
	}
	vfs = *real_vfs;
	vfs.zName = "rota-count";
	vfs.szOsFile = (int)sizeof(struct counted_file) + real_vfs->szOsFile;
	vfs.xOpen = c_open;
	return sqlite3_vfs_register(&vfs, 1) == SQLITE_OK;
}

void count_vfs_read(struct bench_counts *ret)
{
	*ret = (struct bench_counts){ atomic_load(&syncs), atomic_load(&wal_syncs), atomic_load(&wal_bytes),
		atomic_load(&db_bytes) };
}
