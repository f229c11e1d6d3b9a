#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>
#include <sqlite3.h>
#include "test.h"
#include "vfs.h"

struct fault_file {
	sqlite3_file base;
	char *name; /* without directory; NULL: a temporary one */
	bool wal, db, writer;
	/* the real file follows */
};

struct fault_counts fault_counts;
static sqlite3_vfs *real_vfs;
static _Atomic int writers;  /* connections that hold the log's write lock */
static _Atomic int64_t left; /* operations until the fault; 0: none is planned */
static _Atomic bool met, for_ever;
static enum fault_kind planned;

static sqlite3_file *real(sqlite3_file *file)
{
	return (sqlite3_file *)((struct fault_file *)file + 1);
}
static struct fault_file *ours(sqlite3_file *file)
{
	return (struct fault_file *)file;
}
#define CALL(file, fn, ...) real(file)->pMethods->fn(real(file), __VA_ARGS__)

void fault_plan(uint64_t nth, enum fault_kind kind, bool for_good)
{
	planned = kind;
	for_ever = for_good;
	met = false;
	left = (int64_t)nth;
}

bool fault_met(void)
{
	return met;
}

static bool fails(bool writes)
{
	if (!left || (planned == FAULT_FULL && !writes))
		return false;
	if (met)
		return for_ever;
	if (atomic_fetch_sub(&left, 1) > 1)
		return false;
	left = 1;
	met = true;
	return true;
}

/* ---- what was written, for power cuts ---- */

enum event_kind { EVENT_WRITE, EVENT_TRUNCATE, EVENT_SYNC, EVENT_DELETE };
struct event {
	enum event_kind kind;
	char name[64];
	int64_t at;
	size_t size;
	char *data;
};
static struct event *events;
static size_t event_count, event_room;
static bool recording;
static pthread_mutex_t event_lock = PTHREAD_MUTEX_INITIALIZER;

void fault_record(bool on)
{
	recording = on;
}
size_t fault_events(void)
{
	return event_count;
}

static void event_add(
	enum event_kind kind, const char *name, int64_t at, const void *data, size_t size)
{
	struct event *e;

	if (!recording || !name)
		return;
	pthread_mutex_lock(&event_lock);
	if (event_count == event_room) {
		event_room = event_room ? event_room * 2 : 1024;
		events = realloc(events, event_room * sizeof(*events));
		CHECK(events);
	}
	e = &events[event_count++];
	memset(e, 0, sizeof(*e));
	e->kind = kind;
	e->at = at;
	e->size = size;
	snprintf(e->name, sizeof(e->name), "%s", name);
	if (data) {
		e->data = malloc(size);
		CHECK(e->data);
		memcpy(e->data, data, size);
	}
	pthread_mutex_unlock(&event_lock);
}

#define DISK_MAX (16 << 20)
struct disk_file {
	char name[64];
	char *data;
	int64_t size;
	bool there;
};
static struct disk_file disk[8];

static struct disk_file *disk_find(const char *name)
{
	size_t i = 0;

	while (i < 8 && disk[i].data && strcmp(disk[i].name, name))
		i++;
	CHECK(i < 8);
	if (!disk[i].data) {
		disk[i].data = calloc(1, DISK_MAX);
		CHECK(disk[i].data);
		snprintf(disk[i].name, sizeof(disk[i].name), "%s", name);
	}
	return &disk[i];
}

static void disk_write(const struct event *e, uint64_t *seed)
{
	struct disk_file *f = disk_find(e->name);

	CHECK(e->at + (int64_t)e->size <= DISK_MAX);
	f->there = true;
	for (size_t at = 0; at < e->size; at += 512) {
		size_t n = e->size - at < 512 ? e->size - at : 512;

		if (seed && test_random(seed) % 2)
			continue;
		memcpy(f->data + e->at + at, e->data + at, n);
		if (e->at + (int64_t)(at + n) > f->size)
			f->size = e->at + (int64_t)(at + n);
	}
}

static void disk_apply(const struct event *e, uint64_t *seed)
{
	struct disk_file *f = disk_find(e->name);

	switch (e->kind) {
	case EVENT_WRITE:
		disk_write(e, seed);
		break;
	case EVENT_TRUNCATE:
		if (e->at < f->size)
			memset(f->data + e->at, 0, (size_t)(f->size - e->at));
		f->size = e->at;
		break;
	case EVENT_DELETE:
		memset(f->data, 0, (size_t)f->size);
		f->there = false;
		f->size = 0;
		break;
	case EVENT_SYNC:
		break;
	}
}

/* Whether the nth event reached the disk for certain: its file was synced after it, or is never
 * asked. */
static bool durable(size_t nth, size_t count)
{
	if (events[nth].kind != EVENT_WRITE)
		return true;
	for (size_t i = nth + 1; i < count; i++) {
		if (events[i].kind == EVENT_SYNC && !strcmp(events[i].name, events[nth].name))
			return true;
	}
	return false;
}

void fault_cut(size_t count, uint64_t seed, const char *directory)
{
	char path[4096];

	for (size_t i = 0; i < 8 && disk[i].data; i++) {
		memset(disk[i].data, 0, (size_t)disk[i].size);
		disk[i].size = 0;
		disk[i].there = false;
	}
	for (size_t i = 0; i < count; i++)
		disk_apply(&events[i], durable(i, count) ? NULL : &seed);
	for (size_t i = 0; i < 8 && disk[i].data; i++) {
		FILE *out;

		if (!disk[i].there)
			continue;
		snprintf(path, sizeof(path), "%.3000s/%s", directory, disk[i].name);
		out = fopen(path, "w");
		CHECK(out);
		CHECK_EQ(fwrite(disk[i].data, 1, (size_t)disk[i].size, out), disk[i].size);
		CHECK_EQ(fclose(out), 0);
	}
}

/* ---- the VFS ---- */

static int f_close(sqlite3_file *f)
{
	int rc = real(f)->pMethods ? real(f)->pMethods->xClose(real(f)) : SQLITE_OK;

	free(ours(f)->name);
	return rc;
}

static int f_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	return fails(false) ? SQLITE_IOERR_READ : CALL(f, xRead, p, n, at);
}

static void write_count(struct fault_file *f, int n, sqlite3_int64 at)
{
	uint64_t end = (uint64_t)(at + n);

	if (f->wal) {
		fault_counts.wal_writes++;
		fault_counts.wal_bytes += (uint64_t)n;
		if (end > fault_counts.wal_bytes_max)
			fault_counts.wal_bytes_max = end;
	} else if (f->db) {
		fault_counts.db_writes++;
		if (!writers)
			fault_counts.unprotected++;
	}
}

static int f_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	if (fails(true))
		return planned == FAULT_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
	write_count(ours(f), n, at);
	event_add(EVENT_WRITE, ours(f)->name, at, p, (size_t)n);
	return CALL(f, xWrite, p, n, at);
}

static int f_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	if (fails(false))
		return SQLITE_IOERR_TRUNCATE;
	event_add(EVENT_TRUNCATE, ours(f)->name, size, NULL, 0);
	return CALL(f, xTruncate, size);
}

static int f_sync(sqlite3_file *f, int flags)
{
	if (fails(false))
		return SQLITE_IOERR_FSYNC;
	if (ours(f)->wal)
		fault_counts.wal_syncs++;
	else if (ours(f)->db)
		fault_counts.db_syncs++;
	event_add(EVENT_SYNC, ours(f)->name, 0, NULL, 0);
	(void)flags; /* the real disk need not turn: power cuts are played back from what is
			remembered */
	return SQLITE_OK;
}

static int f_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return CALL(f, xFileSize, size);
}
static int f_lock(sqlite3_file *f, int how)
{
	return CALL(f, xLock, how);
}
static int f_unlock(sqlite3_file *f, int how)
{
	return CALL(f, xUnlock, how);
}
static int f_reserved(sqlite3_file *f, int *out)
{
	return CALL(f, xCheckReservedLock, out);
}
static int f_control(sqlite3_file *f, int op, void *arg)
{
	return CALL(f, xFileControl, op, arg);
}
static int f_sector(sqlite3_file *f)
{
	return real(f)->pMethods->xSectorSize(real(f));
}
static int f_device(sqlite3_file *f)
{
	return real(f)->pMethods->xDeviceCharacteristics(real(f));
}
static int f_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
	return CALL(f, xShmMap, page, size, extend, out);
}

/* Slot 0 of the shared memory's locks is the log's write lock. */
static int f_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	int rc = CALL(f, xShmLock, at, n, flags);

	if (rc || at != 0 || !(flags & SQLITE_SHM_EXCLUSIVE))
		return rc;
	if ((flags & SQLITE_SHM_LOCK) && !ours(f)->writer)
		writers++;
	if ((flags & SQLITE_SHM_UNLOCK) && ours(f)->writer)
		writers--;
	ours(f)->writer = (flags & SQLITE_SHM_LOCK) != 0;
	return rc;
}

static void f_shm_barrier(sqlite3_file *f)
{
	real(f)->pMethods->xShmBarrier(real(f));
}
static int f_shm_unmap(sqlite3_file *f, int delete)
{
	return CALL(f, xShmUnmap, delete);
}
static int f_fetch(sqlite3_file *f, sqlite3_int64 at, int n, void **out)
{
	return CALL(f, xFetch, at, n, out);
}
static int f_unfetch(sqlite3_file *f, sqlite3_int64 at, void *p)
{
	return CALL(f, xUnfetch, at, p);
}

static const sqlite3_io_methods f_methods = {3, f_close, f_read, f_write, f_truncate, f_sync,
	f_size, f_lock, f_unlock, f_reserved, f_control, f_sector, f_device, f_shm_map, f_shm_lock,
	f_shm_barrier, f_shm_unmap, f_fetch, f_unfetch};

static const char *base_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path;
}

static int f_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
	struct fault_file *f = ours(file);
	int rc;

	(void)vfs;
	memset(f, 0, sizeof(*f));
	if (fails(false))
		return SQLITE_CANTOPEN;
	rc = real_vfs->xOpen(real_vfs, name, real(file), flags, out);
	if (rc)
		return rc;
	f->wal = (flags & SQLITE_OPEN_WAL) != 0;
	f->db = (flags & SQLITE_OPEN_MAIN_DB) != 0;
	f->name = name ? strdup(base_name(name)) : NULL;
	f->base.pMethods = &f_methods;
	return SQLITE_OK;
}

static int f_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	(void)vfs;
	event_add(EVENT_DELETE, base_name(name), 0, NULL, 0);
	return real_vfs->xDelete(real_vfs, name, sync);
}

void fault_install(void)
{
	static sqlite3_vfs vfs;

	if (real_vfs)
		return;
	real_vfs = sqlite3_vfs_find(NULL);
	CHECK(real_vfs);
	vfs = *real_vfs;
	vfs.zName = "rota-fault";
	vfs.szOsFile = real_vfs->szOsFile + (int)sizeof(struct fault_file);
	vfs.xOpen = f_open;
	vfs.xDelete = f_delete;
	vfs.pNext = NULL;
	CHECK_EQ(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
}
