#include "suite.h"

struct rota_world *world;
struct rota_store *store;
struct rota_error err;

static struct rota_store *handles[16];
static size_t handle_count;
static struct rota_store *theirs;
static char *their_picture;
static struct rota_world *own_world;

/* ---- what lives until the end of the test ---- */

static void **kept;
static void (**kept_free)(void *);
static size_t kept_count;

static void keep_until_end(void *what, void (*how)(void *))
{
	kept = realloc(kept, (kept_count + 1) * sizeof(*kept));
	kept_free = realloc(kept_free, (kept_count + 1) * sizeof(*kept_free));
	CHECK(kept && kept_free);
	kept[kept_count] = what;
	kept_free[kept_count++] = how;
}

static void free_info(void *info)
{
	rota_task_info_free(info);
}

static void free_claims(void *claims)
{
	rota_claims_free(claims);
}

static void kept_end(void)
{
	while (kept_count) {
		kept_count--;
		kept_free[kept_count](kept[kept_count]);
	}
	free(kept);
	free(kept_free);
}

/* ---- decoys: one in each state, that time alone does not change ---- */

static void decoy_end(const char *key, enum rota_outcome outcome)
{
	rota_id id = 0;
	struct rota_claim_options o = ROTA_INIT(rota_claim_options);
	struct rota_claims *claims = NULL;
	struct rota_verdict v = ROTA_INIT(rota_verdict);

	CHECK_OK(rota_task_find(theirs, key, &id, &err), &err);
	o.ids = &id;
	o.id_count = 1;
	o.lease = ROTA_FOREVER;
	CHECK_OK(rota_task_claim(theirs, &o, &claims, NULL, &err), &err);
	CHECK_EQ(claims->count, 1);
	v.id = id;
	v.token = claims->tasks[0]->token;
	v.outcome = outcome;
	rota_claims_free(claims);
	if (outcome != ROTA_OUTCOME_LATER)
		CHECK_OK(rota_task_finish(theirs, &v, 1, NULL, &err), &err);
}

static void decoys_make(void)
{
	struct rota_dependency after = { .nth = 1 };
	struct rota_task tasks[] = {
		ROTA_TASK(.type = TYPE, .key = "a", .payload = TEXT("theirs")),
		ROTA_TASK(.type = TYPE, .key = "b", .after = &after, .after_count = 1, .signals = 2),
		ROTA_TASK(.type = TYPE, .key = "k", .delay = ROTA_SECONDS(3600) * 24 * 365 * 500),
		ROTA_TASK(.type = TYPE, .key = "x", .priority = -1000),
		ROTA_TASK(.type = TYPE, .key = "y"),
		ROTA_TASK(.type = TYPE, .key = "z"),
		ROTA_TASK(.type = "other", .key = "c", .queue = "q"),
		ROTA_TASK(.type = TYPE, .key = "held"),
	};
	struct rota_queue_settings settings = ROTA_QUEUE_SETTINGS_INIT;

	settings.keep_completed = settings.keep_failed = ROTA_FOREVER;
	CHECK_OK(rota_queue_set(theirs, "default", &settings, &err), &err);
	CHECK_OK(rota_task_enqueue(theirs, tasks, sizeof(tasks) / sizeof(*tasks), NULL, &err), &err);
	decoy_end("x", ROTA_OUTCOME_COMPLETE);
	decoy_end("y", ROTA_OUTCOME_FAIL);
	decoy_end("z", ROTA_OUTCOME_CANCEL);
	decoy_end("held", ROTA_OUTCOME_LATER);
	their_picture = test_show_store(theirs);
}

static void decoys_check(void)
{
	char *picture_now = test_show_store(theirs);
	char *difference = test_show_difference(their_picture, picture_now);

	CHECK_MSG(!strcmp(their_picture, picture_now), "the other namespace was touched:\n%s", difference);
	free(picture_now);
	free(difference);
	free(their_picture);
}

/* ---- a test's life ---- */

struct rota_store *another(const char *name_space)
{
	struct rota_store_options options = ROTA_INIT(rota_store_options);
	struct rota_store *handle = NULL;

	options.name_space = name_space ? name_space : "ours";
	CHECK(handle_count < sizeof(handles) / sizeof(*handles));
	CHECK_OK(rota_store_open_in(world, test_store_url("store"), &options, &handle, &err), &err);
	handles[handle_count++] = handle;
	return handle;
}

void suite_start(bool real)
{
	if (!real)
		own_world = test_world_new(test_seed());
	world = real ? rota_world_real() : own_world;
	theirs = another("theirs");
	decoys_make();
	store = another(NULL);
}

void suite_end(void)
{
	decoys_check();
	while (handle_count)
		rota_store_close(handles[--handle_count]);
	kept_end();
	if (own_world)
		test_world_free(own_world);
}

void advance(rota_duration by)
{
	test_world_advance(world, by);
}

rota_time now(void)
{
	return world->date(world);
}

void maintain(void)
{
	static const char *const nobody[] = { "a type that nobody has" };

	CHECK_EQ(CLAIM(.types = nobody, .type_count = 1)->count, 0);
}

/* ---- putting ---- */

enum rota_status try_put(struct rota_task *tasks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		tasks[i].type = tasks[i].type ? tasks[i].type : TYPE;
	return rota_task_enqueue(store, tasks, n, NULL, &err);
}

void put_all(struct rota_task *tasks, size_t n, rota_id *ret_ids)
{
	for (size_t i = 0; i < n; i++)
		tasks[i].type = tasks[i].type ? tasks[i].type : TYPE;
	CHECK_OK(rota_task_enqueue(store, tasks, n, ret_ids, &err), &err);
}

rota_id put(struct rota_task task)
{
	rota_id id = 0;

	put_all(&task, 1, &id);
	CHECK(id > 0);
	return id;
}

/* ---- working ---- */

struct rota_claims *claim(struct rota_claim_options options)
{
	struct rota_claims *claims = NULL;

	CHECK_OK(rota_task_claim(store, &options, &claims, NULL, &err), &err);
	keep_until_end(claims, free_claims);
	return claims;
}

static struct lease only(const struct rota_claims *claims)
{
	CHECK_EQ(claims->count, 1);
	return (struct lease){ claims->tasks[0]->id, claims->tasks[0]->token, claims->tasks[0] };
}

struct lease take(void)
{
	return only(CLAIM(.worker = "somebody"));
}

struct lease take_for(rota_id id, rota_duration lease)
{
	return only(CLAIM(.worker = "somebody", .ids = &id, .id_count = 1, .lease = lease));
}

struct lease take_id(rota_id id)
{
	return take_for(id, 0);
}

void take_none(void)
{
	CHECK_EQ(CLAIM(.tasks_max = 10)->count, 0);
}

struct rota_verdict verdict(struct lease lease, enum rota_outcome outcome)
{
	struct rota_verdict v = ROTA_INIT(rota_verdict);

	v.id = lease.id;
	v.token = lease.token;
	v.outcome = outcome;
	return v;
}

enum rota_status try_finish(struct rota_verdict v)
{
	return rota_task_finish(store, &v, 1, NULL, &err);
}

void finish(struct rota_verdict v)
{
	CHECK_OK(try_finish(v), &err);
}

void complete(struct lease lease)
{
	finish(verdict(lease, ROTA_OUTCOME_COMPLETE));
}

void fail(struct lease lease)
{
	finish(verdict(lease, ROTA_OUTCOME_FAIL));
}

void retry_at_once(struct lease lease)
{
	struct rota_verdict v = verdict(lease, ROTA_OUTCOME_RETRY);

	v.has_delay = 1;
	finish(v);
}

void run(rota_id id)
{
	complete(take_id(id));
}

/* ---- looking ---- */

const struct rota_task_info *get(rota_id id)
{
	struct rota_task_info *info = NULL;

	CHECK_OK(rota_task_get(store, id, &info, &err), &err);
	keep_until_end(info, free_info);
	return info;
}

enum rota_state state_of(rota_id id)
{
	return get(id)->state;
}

bool gone(rota_id id)
{
	struct rota_task_info *info = NULL;
	enum rota_status status = rota_task_get(store, id, &info, &err);

	if (status == ROTA_NOT_FOUND)
		return true;
	CHECK_OK(status, &err);
	rota_task_info_free(info);
	return false;
}

const char *picture(void)
{
	char *text = test_show_store(store);

	keep_until_end(text, free);
	return text;
}

void check_unchanged(const char *file, int line, const char *before)
{
	const char *after = picture();
	char *difference;

	if (!strcmp(before, after))
		return;
	difference = test_show_difference(before, after);
	test_fail(file, line, "something changed:\n%s", difference);
}

bool on_sqlite(void)
{
	return !strcmp(test_store_kind(), "sqlite");
}

/* ---- acting ---- */

void cancel(rota_id id)
{
	CHECK_OK(rota_task_cancel(store, &id, 1, NULL, NULL, &err), &err);
}

void operator_retry(rota_id id)
{
	CHECK_OK(rota_task_retry(store, &id, 1, NULL, &err), &err);
}

uint64_t delete_tasks(const rota_id *ids, size_t n, uint32_t flags)
{
	uint64_t deleted = 0;

	CHECK_OK(rota_task_delete(store, ids, n, flags, &deleted, NULL, &err), &err);
	return deleted;
}

void delete_one(rota_id id)
{
	CHECK_EQ(delete_tasks(&id, 1, 0), 1);
}

void keep(rota_duration completed, rota_duration failed)
{
	struct rota_queue_settings settings = ROTA_QUEUE_SETTINGS_INIT;

	settings.keep_completed = completed;
	settings.keep_failed = failed;
	CHECK_OK(rota_queue_set(store, "default", &settings, &err), &err);
}
