/* journal.h: rows, and taking their changes back.
 *
 * A row is a struct that begins with struct rota_mem_row. Part of it, its data, is what a
 * transaction changes; before each change a copy of the data goes into the journal. The rest (nodes
 * in trees, heads of lists) follows from the rows that exist and is kept by the row's kind. Undoing
 * runs backwards and never allocates. Memory that data points to is owned by the row; what a change
 * replaces is freed at the commit, what it brought is freed when it is taken back. */
#ifndef ROTA_STORE_MEMORY_JOURNAL_H
#define ROTA_STORE_MEMORY_JOURNAL_H
#include <stdbool.h>
#include <stddef.h>
#include <rota/status.h>
#include "base/arena.h"

struct rota_mem_row;
struct rota_mem_kind {
	size_t data_at, data_size;
	void (*link)(struct rota_mem_row *row);   /* it exists now: whatever its data, put it here */
	void (*unlink)(struct rota_mem_row *row);
	void (*place)(struct rota_mem_row *row);  /* where its data says it belongs; may be NULL */
	void (*unplace)(struct rota_mem_row *row);
	void (*free)(struct rota_mem_row *row);   /* what data owns, and itself */
};
struct rota_mem_row {
	const struct rota_mem_kind *kind;
};

struct rota_mem_entry;
struct rota_mem_journal {
	struct rota_mem_entry *last; /* newest */
	struct rota_arena arena;
};

/* False: out of memory, and nothing happened (add frees the row then). */
bool rota_mem_add(struct rota_mem_journal *journal, struct rota_mem_row *row);
bool rota_mem_remove(struct rota_mem_journal *journal, struct rota_mem_row *row);
/* Data may be written between the two, and nothing else may look at the row. */
bool rota_mem_change(struct rota_mem_journal *journal, struct rota_mem_row *row);
void rota_mem_changed(struct rota_mem_row *row);
/* In a change: *at (owned by data; NULL: nothing) becomes a NUL-terminated copy of size bytes, or
 * NULL when from is NULL. */
bool rota_mem_set(struct rota_mem_journal *journal, char **at, const void *from, size_t size);
/* In a change: memory (from malloc) replaces *at. Frees memory when it fails. */
bool rota_mem_own(struct rota_mem_journal *journal, char **at, char *memory);

/* A savepoint is the newest entry; NULL is the transaction's start. */
void rota_mem_undo(struct rota_mem_journal *journal, struct rota_mem_entry *savepoint);
void rota_mem_commit(struct rota_mem_journal *journal);
#endif
