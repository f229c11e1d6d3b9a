#include <stdlib.h>
#include <string.h>
#include "store/memory/journal.h"

enum entry_kind { ADDED, REMOVED, CHANGED, BROUGHT, REPLACED };
struct rota_mem_entry {
	struct rota_mem_entry *before;
	enum entry_kind kind;
	struct rota_mem_row *row; /* ADDED, REMOVED, CHANGED */
	void *memory;             /* CHANGED: the old data, in the arena; BROUGHT, REPLACED: malloc's */
};

static struct rota_mem_entry *entry_new(struct rota_mem_journal *journal, enum entry_kind kind,
	struct rota_mem_row *row, void *memory)
{
	struct rota_mem_entry *entry = rota_arena_alloc(&journal->arena, sizeof(*entry));

	if (!entry)
		return NULL;
	*entry = (struct rota_mem_entry){ journal->last, kind, row, memory };
	journal->last = entry;
	return entry;
}

static void *data_of(struct rota_mem_row *row)
{
	return (char *)row + row->kind->data_at;
}

static void place(struct rota_mem_row *row)
{
	if (row->kind->place)
		row->kind->place(row);
}

static void unplace(struct rota_mem_row *row)
{
	if (row->kind->unplace)
		row->kind->unplace(row);
}

static void row_in(struct rota_mem_row *row)
{
	row->kind->link(row);
	place(row);
}

static void row_out(struct rota_mem_row *row)
{
	unplace(row);
	row->kind->unlink(row);
}

bool rota_mem_add(struct rota_mem_journal *journal, struct rota_mem_row *row)
{
	if (!entry_new(journal, ADDED, row, NULL)) {
		row->kind->free(row);
		return false;
	}
	row_in(row);
	return true;
}

bool rota_mem_remove(struct rota_mem_journal *journal, struct rota_mem_row *row)
{
	if (!entry_new(journal, REMOVED, row, NULL))
		return false;
	row_out(row);
	return true;
}

bool rota_mem_change(struct rota_mem_journal *journal, struct rota_mem_row *row)
{
	void *copy = rota_arena_alloc(&journal->arena, row->kind->data_size);

	if (!copy || !entry_new(journal, CHANGED, row, copy))
		return false;
	memcpy(copy, data_of(row), row->kind->data_size);
	unplace(row);
	return true;
}

void rota_mem_changed(struct rota_mem_row *row)
{
	place(row);
}

bool rota_mem_own(struct rota_mem_journal *journal, char **at, char *memory)
{
	if (memory && !entry_new(journal, BROUGHT, NULL, memory)) {
		free(memory);
		return false;
	}
	if (*at && !entry_new(journal, REPLACED, NULL, *at))
		return false;
	*at = memory;
	return true;
}

bool rota_mem_set(struct rota_mem_journal *journal, char **at, const void *from, size_t size)
{
	char *memory = NULL;

	if (!from && !*at)
		return true;
	if (from) {
		memory = size < SIZE_MAX ? malloc(size + 1) : NULL;
		if (!memory)
			return false;
		memcpy(memory, from, size);
		memory[size] = 0;
	}
	return rota_mem_own(journal, at, memory);
}

static void entry_undo(struct rota_mem_entry *entry)
{
	switch (entry->kind) {
	case ADDED:
		row_out(entry->row);
		entry->row->kind->free(entry->row);
		break;
	case REMOVED:
		row_in(entry->row);
		break;
	case CHANGED:
		unplace(entry->row);
		memcpy(data_of(entry->row), entry->memory, entry->row->kind->data_size);
		place(entry->row);
		break;
	case BROUGHT:
		free(entry->memory);
		break;
	case REPLACED:
		break;
	}
}

void rota_mem_undo(struct rota_mem_journal *journal, struct rota_mem_entry *savepoint)
{
	while (journal->last != savepoint) {
		struct rota_mem_entry *entry = journal->last;

		journal->last = entry->before;
		entry_undo(entry);
	}
	if (!savepoint)
		rota_arena_reset(&journal->arena);
}

void rota_mem_commit(struct rota_mem_journal *journal)
{
	for (struct rota_mem_entry *entry = journal->last; entry; entry = entry->before) {
		if (entry->kind == REMOVED)
			entry->row->kind->free(entry->row);
		else if (entry->kind == REPLACED)
			free(entry->memory);
	}
	journal->last = NULL;
	rota_arena_reset(&journal->arena);
}
