/* Opening, options, limits; and operations that the public API does not show. */
#include <sys/wait.h>
#include <unistd.h>
#include "suite.h"
#include "base/limits.h"

/* ---- opening ---- */

static enum rota_status open_url(const char *url, const struct rota_store_options *options)
{
	struct rota_store *handle = NULL;
	enum rota_status status = rota_store_open_in(world, url, options, &handle, &err);

	if (!status)
		rota_store_close(handle);
	CHECK(status == ROTA_OK || !handle);
	return status;
}

CASE(url_that_names_no_store_is_refused_with_what_would_be_right)
{
	CHECK_STATUS(open_url("", NULL), ROTA_INVALID, &err);
	CHECK_STATUS(open_url(NULL, NULL), ROTA_INVALID, &err);
	CHECK_STATUS(open_url("nosuch:thing", NULL), ROTA_INVALID, &err);
	CHECK_HAS(err.message, "nosuch");
	CHECK_HAS(err.message, "sqlite:");
}

CASE(store_that_is_not_there_is_not_made_when_asked_not_to)
{
	struct rota_store_options options = ROTA_INIT(rota_store_options);

	options.no_create = 1;
	CHECK_STATUS(open_url(test_store_url("missing"), &options), ROTA_NOT_FOUND, &err);
	CHECK_STATUS(open_url(test_store_url("missing"), &options), ROTA_NOT_FOUND, &err);
	CHECK_OK(open_url(test_store_url("store"), &options), &err);
}

CASE(options_that_make_no_sense_are_refused)
{
	struct rota_store_options options = ROTA_INIT(rota_store_options);

	options.name_space = " ";
	CHECK_STATUS(open_url(test_store_url("new"), &options), ROTA_INVALID, &err);
	options.name_space = NULL;
	options.durability = 9;
	CHECK_STATUS(open_url(test_store_url("new"), &options), ROTA_INVALID, &err);
	options.durability = 0;
	options.lock_timeout = -1;
	CHECK_STATUS(open_url(test_store_url("new"), &options), ROTA_INVALID, &err);
	options.lock_timeout = 0;
	options.size = 1;
	CHECK_STATUS(open_url(test_store_url("new"), &options), ROTA_INVALID, &err);
}

CASE(everything_is_there_again_when_a_store_is_opened_again)
{
	struct rota_store_options options = ROTA_INIT(rota_store_options);
	struct rota_store *handle = NULL;
	struct rota_task tasks[] = { ROTA_TASK(.type = "t", .key = "a", .payload = TEXT("p")),
		ROTA_TASK(.type = "t", AFTER(ON_NTH(1))), ROTA_TASK(.type = "t", .signals = 2, .delay = 7) };
	char *before, *after;

	if (!on_sqlite())
		test_skip("a store in memory is gone with its last handle");
	options.name_space = "kept";
	CHECK_OK(rota_store_open_in(world, test_store_url("kept"), &options, &handle, &err), &err);
	CHECK_OK(rota_task_enqueue(handle, tasks, 3, NULL, &err), &err);
	CHECK_OK(rota_queue_pause(handle, "q", &err), &err);
	before = test_show_store(handle);
	rota_store_close(handle);
	CHECK_OK(rota_store_open_in(world, test_store_url("kept"), &options, &handle, &err), &err);
	after = test_show_store(handle);
	CHECK_STR(after, before);
	free(before);
	free(after);
	rota_store_close(handle);
}

CASE(private_stores_in_memory_share_nothing)
{
	struct rota_store *a = NULL, *b = NULL;
	struct rota_task task = ROTA_TASK(.type = "t", .key = "a");

	CHECK_OK(rota_store_open_in(world, "memory:", NULL, &a, &err), &err);
	CHECK_OK(rota_store_open_in(world, "memory:", NULL, &b, &err), &err);
	CHECK_OK(rota_task_enqueue(a, &task, 1, NULL, &err), &err);
	CHECK_OK(rota_task_enqueue(b, &task, 1, NULL, &err), &err);
	rota_store_close(a);
	rota_store_close(b);
}

CASE(handle_used_after_fork_says_so)
{
	rota_id id = PUT();
	int status = 0;
	pid_t child = fork();

	CHECK(child >= 0);
	if (!child) {
		struct rota_task_info *info = NULL;
		struct rota_task task = ROTA_TASK(.type = "t");
		bool right = rota_task_get(store, id, &info, NULL) == ROTA_FORKED &&
			rota_task_enqueue(store, &task, 1, NULL, NULL) == ROTA_FORKED;

		rota_store_close(store);
		_exit(right ? 0 : 1);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	run(id);
}

/* ---- limits ---- */

static const char *word(size_t size)
{
	static char text[ROTA_TEXT_BYTES_MAX + 2];

	memset(text, 'w', size);
	text[size] = 0;
	return text;
}

CASE(names_and_texts_at_their_limits_are_kept_and_above_them_refused)
{
	struct rota_task tasks[] = {
		ROTA_TASK(.type = "t", .title = word(ROTA_TITLE_BYTES_MAX + 1)),
		ROTA_TASK(.type = word(ROTA_NAME_BYTES_MAX + 1)),
	};
	const char *before;

	CHECK_STR(get(PUT(.title = word(ROTA_TITLE_BYTES_MAX)))->title, word(ROTA_TITLE_BYTES_MAX));
	CHECK_STR(get(PUT(.type = word(ROTA_NAME_BYTES_MAX)))->type, word(ROTA_NAME_BYTES_MAX));
	CHECK_STR(get(PUT(.queue = word(ROTA_NAME_BYTES_MAX)))->queue, word(ROTA_NAME_BYTES_MAX));
	before = picture();
	word(ROTA_TITLE_BYTES_MAX + 1);
	CHECK_STATUS(try_put(&tasks[0], 1), ROTA_LIMIT, &err);
	word(ROTA_NAME_BYTES_MAX + 1);
	CHECK_STATUS(try_put(&tasks[1], 1), ROTA_LIMIT, &err);
	CHECK_UNCHANGED(before);
}

CASE(reasons_and_status_texts_at_their_limit_are_kept)
{
	struct rota_verdict v = verdict(take_id(PUT()), ROTA_OUTCOME_FAIL);

	v.error = v.status_text = word(ROTA_TEXT_BYTES_MAX);
	finish(v);
	CHECK_STR(get(v.id)->last_error, word(ROTA_TEXT_BYTES_MAX));
	CHECK_STR(get(v.id)->status_text, word(ROTA_TEXT_BYTES_MAX));
	CHECK_STR(get(v.id)->attempts[0]->error, word(ROTA_TEXT_BYTES_MAX));
	v = verdict(take_id(PUT()), ROTA_OUTCOME_FAIL);
	v.error = word(ROTA_TEXT_BYTES_MAX + 1);
	CHECK_STATUS(try_finish(v), ROTA_LIMIT, &err);
}

CASE(long_tail_of_tasks_is_listed_up_to_the_limit)
{
	static struct rota_task tasks[150];
	struct rota_task_filter f = ROTA_INIT(rota_task_filter);
	struct rota_task_list *list = NULL;

	for (size_t i = 0; i < 150; i++)
		tasks[i] = ROTA_TASK(.type = "t");
	put_all(tasks, 150, NULL);
	CHECK_OK(rota_task_list(store, NULL, &list, &err), &err);
	CHECK_EQ(list->count, 100);
	rota_task_list_free(list);
	f.limit = 1000;
	CHECK_OK(rota_task_list(store, &f, &list, &err), &err);
	CHECK_EQ(list->count, 150);
	rota_task_list_free(list);
	f.limit = ROTA_LIST_MAX + 1;
	CHECK_STATUS(rota_task_list(store, &f, &list, &err), ROTA_LIMIT, &err);
	f.limit = 1;
	f.states = 1u << 20;
	CHECK_STATUS(rota_task_list(store, &f, &list, &err), ROTA_INVALID, &err);
}

/* ---- maintenance, as an operation ---- */

static struct rota_op_maintain maintenance(size_t slice)
{
	struct rota_op op = { .kind = ROTA_OP_MAINTAIN, .u.maintain = { .slice = slice } };
	struct rota_arena arena;

	rota_arena_init(&arena, 0);
	op.arena = &arena;
	CHECK_OK(rota_store_run(store, &op, &err), &err);
	rota_arena_deinit(&arena);
	return op.u.maintain;
}

/* Not later than what is due, and not for nothing. */
#define CHECK_NEXT(due) check_next(__LINE__, due)
static void check_next(int line, rota_duration due)
{
	rota_duration next = maintenance(100).ret_next;

	CHECK_MSG(next > 0 && next <= due, "line %d: next in %" PRId64 ", due in %" PRId64, line, next, due);
}

CASE(maintenance_says_when_it_is_wanted_next)
{
	rota_id id;

	PUT(.signals = 1, .expires_in = ROTA_SECONDS(5000));
	CHECK_NEXT(ROTA_SECONDS(5000));
	PUT(.delay = ROTA_SECONDS(900));
	CHECK_NEXT(ROTA_SECONDS(900));
	id = PUT();
	take_for(id, ROTA_SECONDS(30));
	CHECK_NEXT(ROTA_SECONDS(30));
	advance(ROTA_SECONDS(10));
	CHECK_NEXT(ROTA_SECONDS(20));
}

CASE(maintenance_is_done_a_slice_at_a_time)
{
	static rota_id ids[10];
	struct rota_op_maintain m;
	size_t ready = 0;

	for (size_t i = 0; i < 10; i++)
		ids[i] = PUT(.delay = ROTA_SECONDS(1));
	advance(ROTA_SECONDS(1));
	m = maintenance(4);
	CHECK(m.ret_more);
	for (size_t i = 0; i < 10; i++)
		ready += state_of(ids[i]) == ROTA_STATE_READY;
	CHECK_EQ(ready, 4);
	CHECK(maintenance(4).ret_more);
	CHECK(!maintenance(4).ret_more);
	for (size_t i = 0; i < 10; i++)
		CHECK_STATE(ids[i], ROTA_STATE_READY);
}

CASE(maintenance_by_one_namespace_serves_all)
{
	struct rota_store *other = another("elsewhere");
	struct rota_task task = ROTA_TASK(.type = TYPE, .delay = ROTA_SECONDS(5));
	struct rota_task_info *info = NULL;
	rota_id id = 0;

	CHECK_OK(rota_task_enqueue(other, &task, 1, &id, &err), &err);
	advance(ROTA_SECONDS(5));
	(void)maintenance(100);
	CHECK_OK(rota_task_get(other, id, &info, &err), &err);
	CHECK_EQ(info->state, ROTA_STATE_READY);
	rota_task_info_free(info);
}

/* ---- is anything left to do? ---- */

static bool work_left(const char *queue, const char *type)
{
	struct rota_op op = { .kind = ROTA_OP_OPEN_WORK };
	struct rota_arena arena;

	rota_arena_init(&arena, 0);
	op.arena = &arena;
	op.u.open_work = (struct rota_op_open_work){ .queues = &queue, .queue_count = queue != NULL,
		.types = &type, .type_count = type != NULL };
	CHECK_OK(rota_store_run(store, &op, &err), &err);
	rota_arena_deinit(&arena);
	return op.u.open_work.ret_open;
}

CASE(open_work_is_what_is_ready_scheduled_or_running)
{
	rota_id id;

	CHECK(!work_left(NULL, NULL));
	PUT(.signals = 1);
	CHECK(!work_left(NULL, NULL));
	id = PUT(.queue = "q", .type = "t", .delay = ROTA_SECONDS(5));
	CHECK(work_left(NULL, NULL));
	CHECK(work_left("q", NULL));
	CHECK(work_left("q", "t"));
	CHECK(!work_left("q", TYPE));
	CHECK(!work_left("default", NULL));
	CHECK(!work_left("no such queue", NULL));
	CHECK(!work_left(NULL, "no such type"));
	advance(ROTA_SECONDS(5));
	(void)maintenance(10);
	CHECK(work_left("q", "t"));
	take_id(id);
	CHECK(work_left("q", "t"));
	delete_tasks(&id, 1, ROTA_DELETE_FORCE);
	CHECK(!work_left(NULL, NULL));
}

CASE(operations_to_come_are_answered_unsupported)
{
	static const enum rota_op_kind kinds[] = { ROTA_OP_BATCH, ROTA_OP_SCHEDULE, ROTA_OP_TICK,
		ROTA_OP_PERMIT, ROTA_OP_REFERENCE, ROTA_OP_REMIND, ROTA_OP_SWEEP, ROTA_OP_RANGE_LEASE };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct rota_op op = { .kind = kinds[i] };

		CHECK_STATUS(rota_store_run(store, &op, &err), ROTA_UNSUPPORTED, &err);
		CHECK_HAS(err.message, rota_op_names[kinds[i]]);
	}
}
