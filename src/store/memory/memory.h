/* memory.h: the tables of the memory store and what its operations share.
 *
 * One struct rota_mem_store per name (or per private handle), shared by handles, in which everything
 * is a row of journal.h. One transaction at a time: the store's lock is held from begin to commit or
 * rollback, by readers too. Nothing is clever here: what an operation does should be read off its
 * code, because the other stores are compared with it. */
#ifndef ROTA_STORE_MEMORY_MEMORY_H
#define ROTA_STORE_MEMORY_MEMORY_H
#include <pthread.h>
#include <stdatomic.h>
#include "base/world.h"
#include "core/facts.h"
#include "store/memory/journal.h"
#include "store/memory/tree.h"
#include "store/store.h"

/* ---- rows ---- */

/* A namespace: made by the first handle that opens in it, never removed. */
struct rota_mem_space {
	struct rota_mem_space *next;
	char *name;
	struct rota_mem_tree queues, types, keys;
};

struct rota_mem_queue {
	struct rota_mem_row row;
	struct rota_mem_node node; /* space->queues, by name */
	struct rota_mem_space *space;
	char *name;
	struct rota_mem_tree tasks;   /* by id */
	struct rota_mem_tree done[2]; /* final tasks by (finished_at, id): completed; the others */
	struct rota_mem_tree lanes;   /* by type */
	struct rota_mem_queue_data {
		bool paused;
		rota_duration keep[2]; /* as done; -1: the default */
	} d;
};

struct rota_mem_type {
	struct rota_mem_row row;
	struct rota_mem_node node; /* space->types, by name */
	struct rota_mem_space *space;
	char *name;
	uint64_t count[ROTA_STATE_COUNT];
	char d; /* no data */
};

/* The tasks of one type in one queue. */
struct rota_mem_lane {
	struct rota_mem_row row;
	struct rota_mem_node node; /* queue->lanes */
	struct rota_mem_queue *queue;
	struct rota_mem_type *type;
	uint64_t count[ROTA_STATE_COUNT];
	struct rota_mem_tree ready;     /* by (priority, run_at, id) */
	struct rota_mem_node candidate; /* a claim's: by first ready task */
	char d;                         /* no data */
};

struct rota_mem_task_data {
	struct rota_facts facts;
	struct rota_mem_lane *lane;
	int32_t priority;
	rota_duration timeout, stall, dedup_for;
	rota_time created_at, updated_at, heartbeat_at;
	rota_tick lease_tick; /* while RUNNING */
	int64_t worker_id;    /* 0: the holder is just a name */
	char *fixed;          /* one piece of memory for the texts up to payload */
	const char *key, *title, *partition, *content_type, *traceparent, *notify_channel;
	struct rota_bytes payload;
	char *worker, *status_text, *last_error, *result, *progress;
	size_t result_size, progress_size;
};
struct rota_mem_task {
	struct rota_mem_row row;
	struct rota_mem_node by_id;    /* store->tasks */
	struct rota_mem_node in_queue; /* queue->tasks */
	struct rota_mem_node place;    /* lane->ready, store->scheduled or leased, queue->done */
	struct rota_mem_node expiry;   /* store->expiring */
	struct rota_mem_node holding;  /* worker->leases, or store->orphans */
	struct rota_mem_tree *queued, *placed, *expires, *held; /* in which of them it is; NULL: none */
	struct rota_mem_lane *counted; /* whose counters have it */
	enum rota_state counted_as;
	struct rota_mem_store *store;
	struct rota_mem_space *space;
	struct rota_mem_tree in, out, attempts, signals;
	struct rota_mem_task *next_ended; /* session->ended */
	uint64_t mark;                    /* an operation's: equal to session->mark when it met this task */
	int64_t hits;                     /* and what it noted */
	struct rota_mem_task_data d;
};

/* from must end before to may run. */
struct rota_mem_edge {
	struct rota_mem_row row;
	struct rota_mem_node out, in; /* from->out by to's id; to->in by from's id */
	struct rota_mem_task *from, *to;
	struct rota_mem_edge_data {
		int settled; /* as in rota_edge_info */
		enum rota_after_failed failed;
	} d;
};

struct rota_mem_attempt {
	struct rota_mem_row row;
	struct rota_mem_node node; /* task->attempts, by token */
	struct rota_mem_task *task;
	struct rota_mem_attempt_data {
		int32_t attempt;
		int64_t token;
		char *worker, *error;
		const char *outcome; /* static */
		rota_time started_at, finished_at;
	} d;
};

/* A named signal that has arrived. */
struct rota_mem_signal {
	struct rota_mem_row row;
	struct rota_mem_node node; /* task->signals, by name */
	struct rota_mem_task *task;
	char *name;
	char d; /* no data */
};

/* A key, taken by a task or, until free_at, by the memory of one that is gone. */
struct rota_mem_key {
	struct rota_mem_row row;
	struct rota_mem_node node;  /* space->keys, by name */
	struct rota_mem_node grave; /* store->graves, by free_at; when the task is gone */
	struct rota_mem_tree *buried;
	struct rota_mem_store *store;
	struct rota_mem_space *space;
	char *name;
	struct rota_mem_key_data {
		rota_id id;
		struct rota_mem_task *task; /* NULL: gone */
		int state;                  /* of a gone one: final, or -1 when it was deleted */
		rota_time free_at;          /* of a gone one */
	} d;
};

/* An id that is gone and did not simply complete. */
struct rota_mem_gone {
	struct rota_mem_row row;
	struct rota_mem_node node; /* store->gone, by id */
	struct rota_mem_store *store;
	rota_id id;
	int state; /* FAILED, CANCELLED; -1: deleted */
	char d;    /* no data */
};

struct rota_mem_worker {
	struct rota_mem_row row;
	struct rota_mem_node node; /* store->workers, by id */
	struct rota_mem_store *store;
	int64_t id;
	struct rota_mem_tree leases; /* by task */
	struct rota_mem_worker_data {
		bool left;
		char *metrics;
		size_t metrics_size;
	} d;
};

struct rota_mem_store {
	struct rota_mem_store *next; /* of the named ones */
	char *name;                  /* "": private */
	uint32_t handles;
	pthread_mutex_t lock;
	struct rota_mem_journal journal;
	struct rota_mem_space *spaces;
	struct rota_mem_tree tasks, scheduled, leased, expiring, gone, graves, workers;
	struct rota_mem_tree orphans; /* running tasks whose worker is not there any more */
	rota_id id_next;
	int64_t worker_next;
	uint64_t mark;            /* rises: see task->mark */
	_Atomic uint64_t commits; /* that wrote */
};

struct rota_backend {
	struct rota_mem_store *store;
	struct rota_mem_space *space;
	struct rota_world *world;
};

/* To take back a part of a transaction, and what it told. Nothing is left to settle at either. */
struct rota_mem_savepoint {
	struct rota_mem_entry *entry;
	rota_id id_next;
	int64_t worker_next;
	struct rota_news news;
};

struct rota_session {
	struct rota_backend *backend;
	struct rota_mem_store *store;
	struct rota_mem_space *space;
	bool open, write;
	uint64_t own_commits, foreign_seen;
	struct rota_news *news;
	struct rota_news no_news;   /* when nobody wants them */
	struct rota_mem_savepoint start; /* of the transaction */
	struct rota_arena scratch;  /* one operation's */
	rota_time date;             /* read once per operation */
	rota_tick tick;
	uint64_t mark;
	struct rota_mem_task *ended; /* became final, to be settled before the operation ends */
};

/* ---- rows.c: finding and making ---- */

struct rota_mem_task *rota_mem_task_find(const struct rota_session *session, rota_id id); /* in the namespace */
struct rota_mem_task *rota_mem_task_any(const struct rota_mem_store *store, rota_id id);
/* The newest with a lower id, of any namespace. */
struct rota_mem_task *rota_mem_task_before(const struct rota_mem_store *store, rota_id id);
/* NOT_FOUND in words. */
enum rota_status rota_mem_task_need(const struct rota_session *session, rota_id id,
	struct rota_mem_task **ret, struct rota_error *err);
struct rota_mem_queue *rota_mem_queue_find(const struct rota_session *session, const char *name);
struct rota_mem_type *rota_mem_type_find(const struct rota_session *session, const char *name);
struct rota_mem_lane *rota_mem_lane_find(const struct rota_mem_queue *queue, const char *type);
/* One that is in force: a grave whose time is over is none. */
struct rota_mem_key *rota_mem_key_find(const struct rota_session *session, const char *name);
struct rota_mem_gone *rota_mem_gone_find(const struct rota_session *session, rota_id id);
struct rota_mem_worker *rota_mem_worker_find(const struct rota_mem_store *store, int64_t id);
struct rota_mem_edge *rota_mem_edge_find(const struct rota_mem_task *from, const struct rota_mem_task *to);
struct rota_mem_signal *rota_mem_signal_find(const struct rota_mem_task *task, const char *name);
/* Found, or made. */
enum rota_status rota_mem_queue_have(struct rota_session *session, const char *name,
	struct rota_mem_queue **ret, struct rota_error *err);
enum rota_status rota_mem_lane_have(struct rota_session *session, const char *queue, const char *type,
	struct rota_mem_lane **ret, struct rota_error *err);
enum rota_status rota_mem_worker_add(struct rota_session *session, struct rota_mem_worker **ret,
	struct rota_error *err);
bool rota_mem_edge_add(struct rota_session *session, struct rota_mem_task *from,
	struct rota_mem_task *to, const struct rota_mem_edge_data *data);
bool rota_mem_signal_add(struct rota_session *session, struct rota_mem_task *task, const char *name);
bool rota_mem_gone_add(struct rota_session *session, rota_id id, int state);
/* The name stays taken by task. */
bool rota_mem_key_add(struct rota_session *session, const char *name, struct rota_mem_task *task);
bool rota_mem_attempt_add(struct rota_session *session, struct rota_mem_task *task,
	const struct rota_mem_attempt_data *data, const char *worker, const char *error);
extern const struct rota_mem_kind rota_mem_task_kind;
void rota_mem_store_empty(struct rota_mem_store *store); /* frees every row */

/* Their owners, in trees' order. */
#define ROTA_MEM_TASK(node, member) ROTA_CONTAINER(node, struct rota_mem_task, member)
struct rota_mem_task *rota_mem_first_ready(const struct rota_mem_lane *lane);
static inline bool rota_mem_final(const struct rota_mem_task *task)
{
	return rota_state_final(task->d.facts.state);
}
/* 0 for completed tasks, 1 for the other final ones: index of keep and done. */
static inline int rota_mem_class(enum rota_state state)
{
	return state != ROTA_STATE_COMPLETED;
}
rota_duration rota_mem_keep(const struct rota_mem_queue *queue, int class); /* defaults filled in */

/* ---- moves.c: what rules decided, carried out. False: out of memory; the operation gives up ---- */

/* Stores facts (a changed copy) and does what effect says, but for what follows from the end of
 * the task: that is noted, and rota_mem_settle does it. error: the caller's reason, may be NULL. */
bool rota_mem_store_facts(struct rota_session *session, struct rota_mem_task *task,
	const struct rota_facts *facts, const struct rota_effect *effect, const char *error);
bool rota_mem_arrive(struct rota_session *session, struct rota_mem_task *task, int64_t arrivals,
	int64_t failures, bool cancel);
/* Out-edges of everything that ended, and of what ends by that; then retention 0. */
bool rota_mem_settle(struct rota_session *session);
/* Row, edges, attempts, signals go; key and id are remembered as the state says (-1: deleted).
 * Unsettled out-edges count as failed, but not to tasks that carry the session's mark. */
bool rota_mem_task_remove(struct rota_session *session, struct rota_mem_task *task, int state);

/* ---- enqueue.c ---- */

/* Several tasks, all or none; undoes itself when refused. The stream form when op->next. */
enum rota_status rota_mem_enqueue(struct rota_session *session, struct rota_op_enqueue *op,
	struct rota_error *err);

/* ---- edges.c: the second half of an enqueue ---- */

/* What the nth task of the call came to. task NULL: a key's grave, or gone. */
struct rota_mem_item {
	rota_id id;
	struct rota_mem_task *task;
	bool fresh;
	int64_t edges, arrivals, failures; /* of a fresh one */
	bool cancel;
};
struct rota_mem_spec {
	size_t owner; /* index of its item */
	bool before;
	struct rota_dependency to;
};
struct rota_mem_call {
	struct rota_session *session;
	rota_id finishing; /* as in rota_op_enqueue */
	struct rota_mem_item *items;
	size_t item_count, item_room;
	struct rota_mem_spec *specs;
	size_t spec_count, spec_room;
	bool onto_existing; /* some edge ends in a task that was there before */
	struct rota_map *gone_seen; /* ids of predecessors that are gone: the task they were last named by */
};
enum rota_status rota_mem_edges(struct rota_mem_call *call, struct rota_error *err);

/* ---- memory.c ---- */

/* Every operation: reads the clocks, clears the scratch, takes a new mark. */
void rota_mem_op_start(struct rota_session *session);
struct rota_mem_savepoint rota_mem_savepoint(const struct rota_session *session);
void rota_mem_back_to(struct rota_session *session, const struct rota_mem_savepoint *savepoint);
rota_run_fn rota_mem_run_enqueue, rota_mem_run_claim, rota_mem_run_extend, rota_mem_run_finish,
	rota_mem_run_signal, rota_mem_run_cancel, rota_mem_run_retry, rota_mem_run_delete,
	rota_mem_run_purge, rota_mem_run_maintain, rota_mem_run_guard, rota_mem_run_get,
	rota_mem_run_states, rota_mem_run_list, rota_mem_run_stats, rota_mem_run_open_work,
	rota_mem_run_queue, rota_mem_run_worker;
#endif
