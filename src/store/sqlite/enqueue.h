/* enqueue.h (internal): tasks on their way in. A call (array or stream) first gives each of its
 * tasks an id, with keys and conflicts, and writes the rows, a thousand by one statement; then its
 * edges are looked up, checked and written (enqueue_edges.c), and the few rows that came out
 * otherwise than they were written are put right. */
#ifndef ROTA_STORE_SQLITE_ENQUEUE_H
#define ROTA_STORE_SQLITE_ENQUEUE_H
#include "store/sqlite/row.h"

/* A row to be inserted. Texts and bytes are the caller's, or in the session's reads. */
struct rota_new {
	rota_id id;
	int64_t queue, type, pending, signals;
	rota_time run_at, expires_at;
	int32_t state, priority, attempts_max;
	uint32_t flags;
	const char *key;
	struct rota_bytes payload; /* data NULL: none, or a part */
	const struct rota_task *task;
};

/* An edge of the call: first as it was named, later resolved. */
struct rota_new_edge {
	union {
		int64_t target; /* id or nth */
		const char *key;
		rota_id from;
	};
	rota_id to;
	uint32_t owner; /* position of the task that named it, counted from 1 */
	uint8_t kind;   /* enum rota_new_edge_kind */
	uint8_t policy, settled;
	bool before; /* the task is the predecessor */
};
enum rota_new_edge_kind {
	ROTA_EDGE_ID,
	ROTA_EDGE_KEY,
	ROTA_EDGE_NTH,
	ROTA_EDGE_GONE,
	ROTA_EDGE_TASK
};

/* The nth task was there before: its key was taken. */
struct rota_known {
	uint64_t nth;
	rota_id id;
};

struct rota_call {
	struct rota_session *session;
	struct rota_op_enqueue *op;
	struct rota_error *refusal; /* status not OK: refused */
	rota_id first_id, next_id;
	uint64_t count;           /* tasks so far */
	struct rota_known *known; /* in the order of nth */
	size_t known_count, known_room;
	struct rota_new_edge *edges; /* in the heap: there may be millions */
	size_t edge_count, edge_room;
	bool onto_existing;
};

/* enqueue.c */
/* All or nothing: refused means *refusal is set and the transaction is as before. */
enum rota_status rota_enqueue_call(
	struct rota_session *session, struct rota_op_enqueue *op, struct rota_error *refusal);
/* The id of the nth task of the call; nth at most count. *ret_known: it was there before. */
rota_id rota_call_id(const struct rota_call *call, uint64_t nth, bool *ret_known);
bool rota_call_grow(void **list, size_t count, size_t *room, size_t size);

/* enqueue_row.c: what a task is in the file. */
void rota_new_fill(
	struct rota_session *session, const struct rota_task *task, struct rota_new *row);
/* The rows collected in session->fresh; none are left there. */
enum rota_status rota_new_flush(struct rota_session *session);
/* Room for one more, after a flush if need be. */
enum rota_status rota_new_add(struct rota_session *session, struct rota_new **ret);
enum rota_status rota_task_replace(struct rota_session *session, rota_id id,
	const struct rota_task *task, struct rota_error *refusal);

/* enqueue_edges.c */
enum rota_status rota_call_edges(struct rota_call *call);
#endif
