/* store.h: where tasks live. */
#ifndef ROTA_STORE_H
#define ROTA_STORE_H
#include <rota/status.h>
ROTA_BEGIN
struct rota_store;

enum rota_durability {
	ROTA_DURABILITY_DEFAULT, /* the store's; a store's default is COMMIT */
	ROTA_DURABILITY_COMMIT,  /* an OK answer survives a power cut */
	ROTA_DURABILITY_RELAXED  /* it survives the death of every process, not a power cut */
};

struct rota_store_options {
	ROTA_SIZE;
	const char *name_space;          /* NULL: "" ; copied */
	enum rota_durability durability; /* of calls that do not say */
	int no_create;                   /* a missing store is ROTA_NOT_FOUND */
	size_t in_flight_bytes_max;      /* rota_task_submit's ceiling; 0: 64 MiB */
	rota_duration lock_timeout;      /* how long another program may hold the write lock; 0: 10 s */
	rota_duration poll_interval;     /* how often foreign commits are looked for; 0: 100 ms */
};

/* "app.db", "sqlite:app.db", "memory:" (private), "memory:NAME" (shared within the process).
 * Creates and migrates. Any thread may use the store; after fork() only the parent may.
 * options may be NULL. ROTA_UNAVAILABLE when the place cannot be reached, ROTA_CORRUPT for a file
 * that is no store or a newer one's. */
ROTA_CALL rota_store_open(const char *url,
	const struct rota_store_options *options, struct rota_store **ret_store, struct rota_error *err);
/* Waits until everything submitted before the call is durable or refused. */
ROTA_CALL rota_store_flush(struct rota_store *store,
	rota_duration timeout, struct rota_error *err);
/* Flushes, cancels waits. No other call may be running or follow. NULL is fine. */
ROTA_API void rota_store_close(struct rota_store *store);

/* ---- queues ---- */

/* Fields only grow at the end; the library allocates it. */
struct rota_queue_info {
	const char *name;
	int paused;
	rota_duration keep_completed, keep_failed; /* ROTA_FOREVER: never pruned; 0: deleted at finish */
	uint64_t count[7];                         /* by enum rota_state */
	rota_time oldest_ready;                    /* run_at of the first ready task; 0: none */
};
struct rota_queue_list {
	size_t count;
	const struct rota_queue_info *const *queues; /* by name */
};
/* Every queue of the namespace, with its tasks counted: reads the indexes, so its time grows with
 * the number of tasks. */
ROTA_CALL rota_queue_list(struct rota_store *store,
	struct rota_queue_list **ret_list, struct rota_error *err);
ROTA_API void rota_queue_list_free(struct rota_queue_list *list);

struct rota_type_info {
	const char *name;
	uint64_t count[7]; /* by enum rota_state */
};
struct rota_type_list {
	size_t count;
	const struct rota_type_info *const *types; /* by name */
};
ROTA_CALL rota_type_list(struct rota_store *store,
	struct rota_type_list **ret_list, struct rota_error *err);
ROTA_API void rota_type_list_free(struct rota_type_list *list);

/* Paused: nothing of the queue is claimed; what runs goes on. The queue need not exist yet. */
ROTA_CALL rota_queue_pause(struct rota_store *store, const char *queue, struct rota_error *err);
ROTA_CALL rota_queue_resume(struct rota_store *store, const char *queue, struct rota_error *err);

/* How long final tasks are kept. -1 leaves a setting alone; 0 deletes at finish. */
struct rota_queue_settings {
	ROTA_SIZE;
	rota_duration keep_completed, keep_failed; /* failed: cancelled ones too */
};
#define ROTA_QUEUE_SETTINGS_INIT { sizeof(struct rota_queue_settings), -1, -1 }
ROTA_CALL rota_queue_set(struct rota_store *store, const char *queue,
	const struct rota_queue_settings *settings, struct rota_error *err);
/* Deletes every task of the queue that is not running, as rota_task_delete does without cascade. */
ROTA_CALL rota_queue_purge(struct rota_store *store, const char *queue,
	uint64_t *ret_deleted, struct rota_error *err);
ROTA_END
#endif
