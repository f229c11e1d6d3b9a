#include <stdlib.h>
#include <string.h>
#include "base/error.h"
#include "base/macros.h"
#include "store/memory/memory.h"

/* The stores that have a name, for the handles of this process. */
static pthread_mutex_t named_lock = PTHREAD_MUTEX_INITIALIZER;
static struct rota_mem_store *named;

/* ---- opening and closing ---- */

static void spaces_free(struct rota_mem_store *store)
{
	while (store->spaces) {
		struct rota_mem_space *space = store->spaces;

		store->spaces = space->next;
		free(space->name);
		free(space);
	}
}

static void store_free(struct rota_mem_store *store)
{
	if (!store)
		return;
	rota_mem_store_empty(store);
	spaces_free(store);
	rota_arena_deinit(&store->journal.arena);
	pthread_mutex_destroy(&store->lock);
	free(store->name);
	free(store);
}

static struct rota_mem_store *store_new(const char *name)
{
	struct rota_mem_store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	pthread_mutex_init(&store->lock, NULL);
	rota_arena_init(&store->journal.arena, 0);
	store->id_next = store->worker_next = 1;
	store->name = strdup(name);
	if (store->name)
		return store;
	store_free(store);
	return NULL;
}

/* Under named_lock. */
static struct rota_mem_store *named_find(const char *name)
{
	for (struct rota_mem_store *store = *name ? named : NULL; store; store = store->next) {
		if (!strcmp(store->name, name))
			return store;
	}
	return NULL;
}

/* Under named_lock: the one with this name, or a new one; another handle holds it. */
static enum rota_status store_have(const char *name, bool no_create, struct rota_mem_store **ret,
	struct rota_error *err)
{
	struct rota_mem_store *store = named_find(name);

	if (!store && no_create)
		return rota_err(err, ROTA_NOT_FOUND, "there is no store \"memory:%s\" in this process", name);
	if (!store) {
		store = store_new(name);
		if (!store)
			return rota_err_memory(err);
		store->next = named;
		if (*name)
			named = store;
	}
	store->handles++;
	*ret = store;
	return ROTA_OK;
}

static void store_drop(struct rota_mem_store *store)
{
	pthread_mutex_lock(&named_lock);
	if (--store->handles) {
		pthread_mutex_unlock(&named_lock);
		return;
	}
	for (struct rota_mem_store **at = &named; *at; at = &(*at)->next) {
		if (*at == store) {
			*at = store->next;
			break;
		}
	}
	pthread_mutex_unlock(&named_lock);
	store_free(store);
}

static struct rota_mem_space *space_new(const char *name)
{
	struct rota_mem_space *space = calloc(1, sizeof(*space));

	if (!space)
		return NULL;
	space->name = strdup(name);
	if (space->name)
		return space;
	free(space);
	return NULL;
}

static struct rota_mem_space *space_have(struct rota_mem_store *store, const char *name)
{
	struct rota_mem_space *space;

	pthread_mutex_lock(&store->lock);
	for (space = store->spaces; space && strcmp(space->name, name) != 0; space = space->next)
		;
	if (!space) {
		space = space_new(name);
		if (space) {
			space->next = store->spaces;
			store->spaces = space;
		}
	}
	pthread_mutex_unlock(&store->lock);
	return space;
}

static void memory_close(struct rota_backend *backend)
{
	store_drop(backend->store);
	free(backend);
}

static enum rota_status memory_open(const char *place, const struct rota_store_options *options,
	struct rota_world *world, struct rota_backend **ret_backend, struct rota_error *err)
{
	struct rota_backend *backend = calloc(1, sizeof(*backend));
	enum rota_status status;

	if (!backend)
		return rota_err_memory(err);
	pthread_mutex_lock(&named_lock);
	status = store_have(place, options->no_create, &backend->store, err);
	pthread_mutex_unlock(&named_lock);
	if (status) {
		free(backend);
		return status;
	}
	backend->world = world;
	backend->space = space_have(backend->store, options->name_space);
	if (!backend->space) {
		memory_close(backend);
		return rota_err_memory(err);
	}
	*ret_backend = backend;
	return ROTA_OK;
}

/* ---- sessions and transactions ---- */

static enum rota_status memory_session_open(struct rota_backend *backend, enum rota_session_role role,
	void *handle, struct rota_session **ret_session, struct rota_error *err)
{
	struct rota_session *session;

	if (role == ROTA_SESSION_ATTACHED || handle)
		return rota_err(err, ROTA_UNSUPPORTED, "a store in memory has no connection to attach to");
	session = calloc(1, sizeof(*session));
	if (!session)
		return rota_err_memory(err);
	session->backend = backend;
	session->store = backend->store;
	session->space = backend->space;
	session->foreign_seen = atomic_load(&backend->store->commits);
	rota_arena_init(&session->scratch, 0);
	*ret_session = session;
	return ROTA_OK;
}

static void session_end(struct rota_session *session)
{
	session->open = false;
	session->ended = NULL;
	pthread_mutex_unlock(&session->store->lock);
}

static void memory_rollback(struct rota_session *session)
{
	if (!session->open)
		return;
	rota_mem_back_to(session, &session->start);
	session_end(session);
}

static void memory_session_close(struct rota_session *session)
{
	memory_rollback(session);
	rota_arena_deinit(&session->scratch);
	free(session);
}

static enum rota_status memory_begin(struct rota_session *session, const struct rota_begin *begin,
	struct rota_error *err)
{
	(void)err; /* nobody holds the lock for long */
	pthread_mutex_lock(&session->store->lock);
	ROTA_ASSERT(!session->open && !session->store->journal.last);
	session->open = true;
	session->write = begin->write;
	session->no_news = (struct rota_news){ .due_in = ROTA_FOREVER };
	session->news = begin->news ? begin->news : &session->no_news;
	session->start = rota_mem_savepoint(session);
	return ROTA_OK;
}

static enum rota_status memory_commit(struct rota_session *session, struct rota_error *err)
{
	(void)err;
	ROTA_ASSERT(session->open && !session->ended);
	ROTA_ASSERT(session->write || !session->store->journal.last);
	if (session->store->journal.last) {
		atomic_fetch_add(&session->store->commits, 1);
		session->own_commits++;
	}
	rota_mem_commit(&session->store->journal);
	session_end(session);
	return ROTA_OK;
}

static bool memory_changed(struct rota_session *session)
{
	uint64_t foreign = atomic_load(&session->store->commits) - session->own_commits;
	bool changed = foreign != session->foreign_seen;

	session->foreign_seen = foreign;
	return changed;
}

/* ---- operations ---- */

void rota_mem_op_start(struct rota_session *session)
{
	struct rota_world *world = session->backend->world;

	rota_arena_reset(&session->scratch);
	session->date = world->date(world);
	session->tick = world->now(world);
	session->mark = ++session->store->mark;
	session->ended = NULL;
}

struct rota_mem_savepoint rota_mem_savepoint(const struct rota_session *session)
{
	const struct rota_mem_store *store = session->store;

	ROTA_ASSERT(!session->ended);
	return (struct rota_mem_savepoint){ store->journal.last, store->id_next, store->worker_next,
		*session->news };
}

void rota_mem_back_to(struct rota_session *session, const struct rota_mem_savepoint *savepoint)
{
	struct rota_mem_store *store = session->store;

	rota_mem_undo(&store->journal, savepoint->entry);
	store->id_next = savepoint->id_next;
	store->worker_next = savepoint->worker_next;
	*session->news = savepoint->news;
	session->ended = NULL;
}

const struct rota_backend_vtable rota_memory_backend = {
	.version = ROTA_BACKEND_VERSION,
	.lanes_max = 1,
	.name = "memory",
	.open = memory_open,
	.close = memory_close,
	.session_open = memory_session_open,
	.session_close = memory_session_close,
	.begin = memory_begin,
	.commit = memory_commit,
	.rollback = memory_rollback,
	.run = {
		[ROTA_OP_WORKER] = rota_mem_run_worker,
		[ROTA_OP_QUEUE] = rota_mem_run_queue,
		[ROTA_OP_ENQUEUE] = rota_mem_run_enqueue,
		[ROTA_OP_EXTEND] = rota_mem_run_extend,
		[ROTA_OP_FINISH] = rota_mem_run_finish,
		[ROTA_OP_SIGNAL] = rota_mem_run_signal,
		[ROTA_OP_CANCEL] = rota_mem_run_cancel,
		[ROTA_OP_RETRY] = rota_mem_run_retry,
		[ROTA_OP_DELETE] = rota_mem_run_delete,
		[ROTA_OP_PURGE] = rota_mem_run_purge,
		[ROTA_OP_MAINTAIN] = rota_mem_run_maintain,
		[ROTA_OP_CLAIM] = rota_mem_run_claim,
		[ROTA_OP_GUARD] = rota_mem_run_guard,
		[ROTA_OP_GET] = rota_mem_run_get,
		[ROTA_OP_STATES] = rota_mem_run_states,
		[ROTA_OP_LIST] = rota_mem_run_list,
		[ROTA_OP_STATS] = rota_mem_run_stats,
		[ROTA_OP_OPEN_WORK] = rota_mem_run_open_work,
	},
	.changed = memory_changed,
};
