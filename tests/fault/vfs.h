/* vfs.h: a VFS over the real one that counts, that fails when told to, and that remembers every
 * write so that a power cut can be played back. Installed as the process's default before a store
 * is opened. */
#ifndef TESTS_FAULT_VFS_H
#define TESTS_FAULT_VFS_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault_counts {
	_Atomic uint64_t wal_syncs, wal_bytes, wal_writes, db_syncs, db_writes;
	_Atomic uint64_t unprotected;   /* writes to the database file while nobody held the log's
					   write lock */
	_Atomic uint64_t wal_bytes_max; /* the size that a log file reached */
};
extern struct fault_counts fault_counts;

enum fault_kind { FAULT_IOERR = 10, FAULT_FULL = 13 };
void fault_install(void);
/* The nth operation from now on (1: the next) that writes, syncs, truncates, opens or reads fails;
 * with for_good those after it too. FULL fails only writes. 0: none. */
void fault_plan(uint64_t nth, enum fault_kind kind, bool for_good);
/* Whether it has come to that. */
bool fault_met(void);

/* ---- power cuts ---- */
void fault_record(bool on);
size_t fault_events(void);
/* Puts into directory what a disk may hold when the power went away after that many events: all
 * that was synced, and of the rest what seed says, by sectors. */
void fault_cut(size_t events, uint64_t seed, const char *directory);
#endif
