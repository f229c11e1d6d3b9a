/* side.c: DB-rota, a small file beside the database. It holds nothing that lasts.
 *
 * Its first bytes are mapped (struct side_page): a word that changes with every commit others may
 * wait for, and how many threads sleep on it, so that a commit pays for a system call only when
 * somebody does; and the same for those that wait for the write lock.
 *
 * From byte 4096 on, a byte each for worker processes that live: a process holds an OFD lock on its
 * byte, which the kernel drops when it ends, however it ends.
 *
 * Closing a descriptor of this file harms nobody: OFD locks belong to the open file, not the
 * process. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/futex.h"
#include "store/sqlite/sqlite.h"

#define SIDE_SLOTS_AT 4096

struct side_page {
	_Atomic uint32_t commits, sleepers;
	_Atomic uint32_t waiting; /* connections that wait for the write lock */
	_Atomic uint32_t offers;  /* changes when somebody steps back from it */
	_Atomic uint32_t turns;   /* changes when one that waited has got it */
	_Atomic rota_tick hard_at; /* when somebody last had to wait long for it */
};
struct rota_side {
	int fd;
	char *path;
	struct side_page *page;
	_Atomic uint32_t sleeping, stopped, own; /* of this handle: sleepers, told commits */
	uint32_t foreign; /* the sleeper's: commits of others, when it last looked */
};

static int side_file_open(const char *path, int flags)
{
	return open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
}

/* Whoever may write the database may write this. */
static void side_mode(int fd, const char *database)
{
	struct stat st;

	if (stat(database, &st))
		return;
	(void)!fchmod(fd, st.st_mode & 0666);
	if (!geteuid())
		(void)!fchown(fd, st.st_uid, st.st_gid);
}

static bool side_map(struct rota_side *side)
{
	struct stat st;

	if (fstat(side->fd, &st) || !S_ISREG(st.st_mode))
		return false;
	if (st.st_size < SIDE_SLOTS_AT && ftruncate(side->fd, SIDE_SLOTS_AT))
		return false;
	side->page =
		mmap(NULL, sizeof(*side->page), PROT_READ | PROT_WRITE, MAP_SHARED, side->fd, 0);
	return side->page != MAP_FAILED;
}

/* Somebody may have cut it short: what is mapped cannot be touched then. */
bool rota_side_there(const struct rota_side *side)
{
	struct stat st;

	return !fstat(side->fd, &st) && st.st_size >= (off_t)sizeof(*side->page);
}

struct rota_side *rota_side_open(const char *database)
{
	struct rota_side *side = calloc(1, sizeof(*side));

	if (!side)
		return NULL;
	side->fd = -1;
	side->page = MAP_FAILED;
	if (asprintf(&side->path, "%s-rota", database) < 0)
		side->path = NULL;
	if (side->path)
		side->fd = side_file_open(side->path, 0);
	if (side->path && side->fd < 0 && errno == ENOENT) {
		side->fd = side_file_open(side->path, O_CREAT);
		if (side->fd >= 0)
			side_mode(side->fd, database);
	}
	if (side->fd >= 0 && side_map(side)) {
		side->foreign = atomic_load(&side->page->commits);
		return side;
	}
	rota_side_close(side);
	return NULL;
}

void rota_side_close(struct rota_side *side)
{
	if (!side)
		return;
	if (side->page != MAP_FAILED)
		munmap(side->page, sizeof(*side->page));
	if (side->fd >= 0)
		close(side->fd);
	free(side->path);
	free(side);
}

/* ---- who is alive ---- */

static struct flock slot_lock(int64_t slot)
{
	return (struct flock){.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = SIDE_SLOTS_AT + slot % ROTA_WORKER_SLOTS_MAX,
		.l_len = 1};
}

/* The first slot of this very file: when somebody has removed it and another was made in its place,
 * a byte of the new one says nothing of those that hold one in the old. */
static bool slot_first(int fd, int64_t *ret)
{
	struct stat st;

	if (fstat(fd, &st))
		return false;
	*ret = (int64_t)(st.st_ino & 0xffffffffffff) * ROTA_WORKER_SLOTS_MAX;
	return true;
}

/* A descriptor of its own, so that other handles of this process see the lock as well. */
bool rota_side_join(struct rota_side *side, int64_t *ret_slot, int *ret_fd)
{
	int fd = side_file_open(side->path, 0);
	int64_t first = 0, ours = 0;
	bool same;

	if (fd < 0)
		return false;
	same = slot_first(fd, &first) && slot_first(side->fd, &ours) && first == ours;
	for (int64_t slot = first; same && slot < first + ROTA_WORKER_SLOTS_MAX; slot++) {
		struct flock lock = slot_lock(slot);

		if (fcntl(fd, F_OFD_SETLK, &lock))
			continue;
		*ret_slot = slot;
		*ret_fd = fd;
		return true;
	}
	close(fd);
	return false;
}

bool rota_side_knows(struct rota_side *side, int64_t slot)
{
	int64_t first;

	return slot_first(side->fd, &first) && slot >= first &&
	       slot < first + ROTA_WORKER_SLOTS_MAX;
}

bool rota_side_alive(struct rota_side *side, int64_t slot)
{
	struct flock lock = slot_lock(slot);

	/* When it cannot be asked, the lease's own end decides. */
	return fcntl(side->fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

/* ---- who waits ---- */

void rota_side_tell(struct rota_side *side)
{
	if (!rota_side_there(side))
		return;
	/* In this order: a look in between sees one foreign commit too many, never one too few. */
	atomic_fetch_add(&side->page->commits, 1);
	atomic_fetch_add(&side->own, 1);
	if (atomic_load(&side->page->sleepers) > atomic_load(&side->sleeping))
		rota_futex_wake((const uint32_t *)&side->page->commits, INT_MAX, true);
}

static bool foreign_commits(struct rota_side *side)
{
	uint32_t foreign = atomic_load(&side->page->commits) - atomic_load(&side->own);

	if (foreign == side->foreign)
		return false;
	side->foreign = foreign;
	return true;
}

/* Our own commits change the word, but neither wake this nor end it. */
static bool side_sleep(struct rota_side *side, rota_tick deadline)
{
	struct rota_world *world = rota_world_real();
	uint32_t seen = atomic_load(&side->page->commits);

	while (!foreign_commits(side)) {
		if (atomic_load(&side->stopped) || world->now(world) >= deadline)
			return false;
		rota_futex_wait((const uint32_t *)&side->page->commits, seen, deadline, true);
		if (!rota_side_there(side))
			return false;
		seen = atomic_load(&side->page->commits);
	}
	return !atomic_load(&side->stopped);
}

bool rota_side_wait(struct rota_side *side, rota_tick deadline)
{
	bool changed;

	if (!rota_side_there(side))
		return false;
	atomic_fetch_add(&side->sleeping, 1);
	atomic_fetch_add(&side->page->sleepers, 1);
	changed = side_sleep(side, deadline);
	if (rota_side_there(side))
		atomic_fetch_sub(&side->page->sleepers, 1);
	atomic_fetch_sub(&side->sleeping, 1);
	return changed;
}

/* ---- turns: SQLite's lock goes to whoever happens to ask in the right moment, and that is nearly
 * always the one that has just let it go ---- */

static const uint32_t *word(const _Atomic uint32_t *at)
{
	return (const uint32_t *)at;
}

void rota_side_queue(struct rota_side *side, bool enter)
{
	if (!rota_side_there(side))
		return;
	if (enter) {
		atomic_fetch_add(&side->page->waiting, 1);
		return;
	}
	atomic_fetch_sub(&side->page->waiting, 1);
	atomic_fetch_add(&side->page->turns, 1);
	rota_futex_wake(word(&side->page->turns), INT_MAX, true);
}

void rota_side_queue_sleep(struct rota_side *side, rota_tick deadline)
{
	rota_futex_wait(
		word(&side->page->offers), atomic_load(&side->page->offers), deadline, true);
}

bool rota_side_queued(const struct rota_side *side)
{
	return rota_side_there(side) && atomic_load(&side->page->waiting) > 0;
}

bool rota_side_offer(struct rota_side *side, rota_tick deadline)
{
	uint32_t turns = atomic_load(&side->page->turns);

	atomic_fetch_add(&side->page->offers, 1);
	rota_futex_wake(word(&side->page->offers), INT_MAX, true);
	rota_futex_wait(word(&side->page->turns), turns, deadline, true);
	return atomic_load(&side->page->turns) != turns;
}

void rota_side_hard(struct rota_side *side, rota_tick now)
{
	if (rota_side_there(side))
		atomic_store(&side->page->hard_at, now);
}

/* A time to come is of another boot. */
rota_tick rota_side_hard_at(const struct rota_side *side, rota_tick now)
{
	rota_tick at = rota_side_there(side) ? atomic_load(&side->page->hard_at) : 0;

	return at <= now ? at : 0;
}

/* The word changes so that a wait that is about to begin does not. */
void rota_side_stop(struct rota_side *side)
{
	atomic_store(&side->stopped, 1);
	if (!rota_side_there(side))
		return;
	atomic_fetch_add(&side->page->commits, 1);
	rota_futex_wake((const uint32_t *)&side->page->commits, INT_MAX, true);
}
