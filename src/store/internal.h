/* internal.h: what the files of src/store share with each other, and the one hook for src/run. */
#ifndef ROTA_STORE_INTERNAL_H
#define ROTA_STORE_INTERNAL_H
#include <pthread.h>
#include <stdatomic.h>
#include "store/store.h"

#define ROTA_READERS_KEPT 4 /* idle reading sessions; more are opened when more threads read at once */

struct rota_store {
	struct rota_world *world;
	const struct rota_backend_vtable *vt;
	struct rota_backend *backend;
	struct rota_store_options options; /* filled in */
	char *name_space;
	struct rota_lane *lane;
	uint32_t fork_generation;

	pthread_mutex_t read_lock; /* readers */
	struct rota_session *readers[ROTA_READERS_KEPT];
	size_t reader_count;

	pthread_mutex_t watch_lock; /* watches, and news() in flight */
	struct rota_watch *watches;
	_Atomic uint32_t watch_count;

	_Atomic size_t in_flight_bytes; /* rota_task_submit */

	/* src/run/waits.c keeps its table here; made at the first wait, freed by the store. */
	pthread_mutex_t waits_lock;
	void *waits;
	void (*waits_free)(void *waits);
};

/* open.c: the one place that names backends. *ret_place points into url. */
enum rota_status rota_backend_find(const char *url, const struct rota_backend_vtable **ret_vt,
	const char **ret_place, struct rota_error *err);

/* ROTA_FORKED in a child of the process that opened the store. */
enum rota_status rota_store_usable(const struct rota_store *store, struct rota_error *err);
bool rota_store_supports(const struct rota_store *store, enum rota_op_kind kind, struct rota_error *err);
/* Tells the watches; the lane calls it after a commit, and when others have committed. */
void rota_store_tell(struct rota_store *store, const struct rota_news *news);

enum rota_status rota_lane_new(struct rota_store *store, struct rota_lane **ret_lane, struct rota_error *err);
/* Answers what is pending, ends the threads. */
void rota_lane_free(struct rota_lane *lane);
/* Appends; somebody will step. */
void rota_lane_submit(struct rota_lane *lane, struct rota_op *op);
/* Appends and returns when done; op->done and op->owner are this call's. */
void rota_lane_run(struct rota_lane *lane, struct rota_op *op);
void rota_lane_recall(struct rota_lane *lane, struct rota_op *op);
bool rota_lane_flush(struct rota_lane *lane, rota_tick deadline); /* false: timed out */
/* Someone waits for foreign commits from now on: the lane must poll. */
void rota_lane_attend(struct rota_lane *lane);

/* Deep copy into the arena; false: out of memory. Also for follow-ups of jobs. */
bool rota_task_copy(struct rota_arena *arena, const struct rota_task *task, struct rota_task *ret);
/* Runs one op with an arena of its own for the answers; the caller deinits the arena. */
enum rota_status rota_store_call(struct rota_store *store, struct rota_op *op, enum rota_op_kind kind,
	struct rota_arena *arena, struct rota_error *err);
#endif
