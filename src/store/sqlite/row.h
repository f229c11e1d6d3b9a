/* row.h (internal): many tasks at once. Operations load rows, let a rule change each one's facts,
 * note the changed ones, and flush: one statement stores them all, then what follows is carried out
 * (edges, retention, attempts, news). A row that the note of another may have changed is loaded
 * after a flush. */
#ifndef ROTA_STORE_SQLITE_ROW_H
#define ROTA_STORE_SQLITE_ROW_H
#include "store/sqlite/sqlite.h"

/* facts.flags above the rules' own: what there is beside the row. Successors have no flag: it would
 * have to be written into rows that are there already. See rota_edges_any. */
#define ROTA_ROW_KEYED (1u << 8)
#define ROTA_ROW_EXTRA (1u << 9)
#define ROTA_ROW_PREDECESSORS (1u << 10)
#define ROTA_ROW_ATTEMPTS (1u << 12)
#define ROTA_ROW_SIGNALS (1u << 13)
#define ROTA_ROW_BIG (1u << 14)      /* the payload is a part */
#define ROTA_ROW_PARTS (1u << 15)    /* there are other parts */
#define ROTA_ROW_PROGRESS (1u << 16) /* one of them is its progress */
#define ROTA_ROW_EXPIRES (1u << 17)

enum rota_part {
	ROTA_PART_PAYLOAD,
	ROTA_PART_RESULT,
	ROTA_PART_PROGRESS,
	ROTA_PART_STATUS,
	ROTA_PART_ERROR
};
static inline int64_t rota_part_id(rota_id task, enum rota_part part)
{
	return task * 16 + (int64_t)part;
}

struct rota_row {
	struct rota_facts facts; /* id 0: there is no such task */
	int64_t queue, type, holder;
	int32_t priority;
	rota_tick lease_until; /* 0: none */
	rota_time created_at, updated_at, heartbeat_at;
	/* of rota_extra */
	rota_duration timeout, stall, dedup_for;
	rota_time expire_check;
	/* what a rule did */
	struct rota_effect effect;
	const char *error;          /* the caller's reason, borrowed until the flush */
	int64_t arrivals, failures; /* what settling counted */
	bool cancel, remove, extra_changed;
	bool completes; /* and nothing else: see rota_row_completes */
	int8_t gone;    /* what a removed one leaves behind: its final state, or -1 */
};

struct rota_work {
	size_t count, changed_count;
	bool settles; /* a changed one has ended and may have successors */
	struct rota_row rows[ROTA_SQLITE_ROWS];
	struct rota_row *changed[ROTA_SQLITE_ROWS];
	struct rota_row more[ROTA_SQLITE_ROWS]; /* settle.c's */
	struct rota_row *list[ROTA_SQLITE_ROWS];
};

/* The task's row into *row, in any namespace; what it held before is lost. */
enum rota_status rota_rows_load(
	struct rota_session *session, struct rota_row *rows, const rota_id *ids, size_t n);
/* Into work->rows, in order; a task of another namespace is none. Flushes what was changed before.
 * n at most ROTA_SQLITE_ROWS; ids must differ. */
enum rota_status rota_work_load(struct rota_session *session, const rota_id *ids, size_t n);
/* Whether the file has any edges: no task's end needs to look for its own then. */
enum rota_status rota_edges_any(struct rota_session *session, bool *ret);
/* The same with less of each row: enough for the rule of completing, if its row is to be removed.
 */
enum rota_status rota_work_load_brief(struct rota_session *session, const rota_id *ids, size_t n);
/* Whether the row, after the rule, only differs from before as all do that complete. */
bool rota_row_completes(const struct rota_facts *before, const struct rota_row *row, rota_time now);
/* How many from the front of ids can be loaded at once: no id twice. */
size_t rota_work_slice(struct rota_session *session, const rota_id *ids, size_t n);
/* row->effect says what became of it. before: the facts as they were. */
enum rota_status rota_work_changed(
	struct rota_session *session, struct rota_row *row, const struct rota_facts *before);
/* True when row may look different once the others are flushed: then flush, load, look again. */
static inline bool rota_work_affects(const struct rota_session *session, const struct rota_row *row)
{
	return session->work->settles && row->facts.pending > 0;
}
enum rota_status rota_work_flush(struct rota_session *session);
/* Stores these rows, and nothing else. */
enum rota_status rota_rows_store(struct rota_session *session, struct rota_row **list, size_t n);
void rota_row_tell(struct rota_session *session, const struct rota_row *row);

/* settle.c: the out-edges of rows that have ended (or are removed: then those count as failed), and
 * of what ends by that. */
enum rota_status rota_rows_settle(
	struct rota_session *session, struct rota_row *const *rows, size_t n);
/* remove.c: rows go, and all that is known of them but gone. Their edges have been settled. */
enum rota_status rota_rows_remove(
	struct rota_session *session, struct rota_row *const *rows, size_t n);

/* part.c */
enum rota_status rota_part_set(struct rota_session *session, struct rota_row *row,
	enum rota_part part, struct rota_bytes data);
enum rota_status rota_part_set_text(
	struct rota_session *session, struct rota_row *row, enum rota_part part, const char *text);
enum rota_status rota_part_get(struct rota_session *session, rota_id task, enum rota_part part,
	struct rota_arena *arena, struct rota_bytes *ret);

/* How long a task that ended like this is kept. */
enum rota_status rota_row_keep(
	struct rota_session *session, const struct rota_row *row, rota_duration *ret);
/* This namespace's? */
enum rota_status rota_row_ours(struct rota_session *session, const struct rota_row *row, bool *ret);
#endif
