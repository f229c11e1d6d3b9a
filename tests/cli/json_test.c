/* json_test.c: --json of every verb is JSON, one object a line, with names that can be relied on.
 */
#include "program.h"

static int64_t number(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	CHECK_MSG(json_is_integer(value), "no number \"%s\"", name);
	return json_integer_value(value);
}

static const char *text(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	CHECK_MSG(json_is_string(value), "no text \"%s\"", name);
	return json_string_value(value);
}

static void check_ok(const struct outcome *got)
{
	json_t *answer = object_of(got);

	CHECK(json_is_true(json_object_get(answer, "ok")));
	json_decref(answer);
}

TEST(enqueue_ls_and_show_print_objects)
{
	json_t *one = object_of(rota("enqueue kind body --key k --json"));

	CHECK_EQ(number(one, "id"), 1);
	json_decref(one);
	json_decref(object_of(rota("enqueue other --after k --json")));
	CHECK_EQ(objects_in(rota("ls --json")), 2);
	one = object_of(rota("show k --json"));
	CHECK_STR(text(one, "type"), "kind");
	CHECK_STR(text(one, "payload"), "body");
	CHECK_STR(text(one, "state"), "ready");
	CHECK_EQ(json_array_size(json_object_get(one, "successors")), 1);
	CHECK_EQ(number(json_array_get(json_object_get(one, "successors"), 0), "id"), 2);
	CHECK_EQ(json_array_size(json_object_get(one, "depends_on")), 0);
	json_decref(one);
}

TEST(every_character_survives)
{
	json_t *one;
	static const char payload[] = "quote \" backslash \\ newline \n tab \t ü 😀 \x01";

	setenv("PAYLOAD", payload, 1);
	CHECK_EQ(rota("enqueue kind \"$PAYLOAD\" --title \"$PAYLOAD\"")->code, 0);
	one = object_of(rota("show 1 --json"));
	CHECK_STR(text(one, "payload"), payload);
	CHECK_STR(text(one, "title"), payload);
	json_decref(one);
	CHECK_EQ(objects_in(rota("ls --json")), 1);
}

TEST(what_show_prints_can_be_enqueued_again)
{
	static const char *const same[] = {"type", "queue", "priority", "max_attempts", "backoff",
		"backoff_doublings", "jitter", "timeout", "stall", "payload", "title", "partition"};
	json_t *one, *two;

	CHECK_EQ(rota("enqueue kind body --queue q --priority 3 --max-attempts 7 --backoff "
		      "2s..1m30s "
		      "--backoff-doublings 2 --jitter 5 --timeout 90s --stall 1h --title T "
		      "--partition P")
			 ->code,
		0);
	one = object_of(rota("show 1 --json"));
	two = json_object();
	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++)
		CHECK_EQ(json_object_set(two, same[i], json_object_get(one, same[i])), 0);
	CHECK_EQ(json_dump_file(two, test_path("again"), JSON_COMPACT), 0);
	json_decref(two);
	CHECK_EQ(objects_in(rota("enqueue --from again --json")), 1);
	two = object_of(rota("show 2 --json"));
	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++)
		CHECK_MSG(json_equal(json_object_get(one, same[i]), json_object_get(two, same[i])),
			"%s differs", same[i]);
	json_decref(one);
	json_decref(two);
}

TEST(claim_extend_progress_and_finish_print_objects)
{
	json_t *claimed;

	CHECK_EQ(rota("enqueue kind")->code, 0);
	claimed = object_of(rota("claim"));
	CHECK_EQ(number(claimed, "token"), 1);
	CHECK(json_is_null(json_object_get(claimed, "payload")));
	json_decref(claimed);
	check_ok(rota("extend 1 --token 1 --json"));
	check_ok(rota("progress 1 --token 1 50 --json"));
	check_ok(rota("finish 1 --token 1 --outcome complete --result done --json"));
	claimed = object_of(rota("wait 1 --json"));
	CHECK_STR(text(claimed, "state"), "completed");
	CHECK_STR(text(claimed, "result"), "done");
	json_decref(claimed);
}

TEST(acts_print_an_object_for_each_task)
{
	for (int i = 0; i < 3; i++)
		CHECK_EQ(rota("enqueue kind --signals 1")->code, 0);
	check_ok(rota("signal 1 --json"));
	CHECK_EQ(objects_in(rota("cancel 2 3 --json")), 2);
	CHECK_EQ(objects_in(rota("retry 2 3 --json")), 2);
	CHECK_EQ(objects_in(rota("delete 2 3 --json")), 2);
	CHECK_EQ(objects_in(rota("delete 1 --cascade --json")), 1);
}

TEST(queues_and_counts_print_an_object_for_each_line)
{
	CHECK_EQ(rota("enqueue a --queue one")->code, 0);
	CHECK_EQ(rota("enqueue b --queue two")->code, 0);
	CHECK_EQ(objects_in(rota("stats --json")), 2);
	CHECK_EQ(objects_in(rota("types --json")), 2);
	CHECK_EQ(objects_in(rota("queue ls --json")), 2);
	check_ok(rota("queue pause one --json"));
	check_ok(rota("queue resume one --json"));
	check_ok(rota("queue set one --keep-failed 1h --json"));
	check_ok(rota("queue purge one --json"));
	CHECK_EQ(objects_in(rota("work --exec cat --drain --json --quiet")), 1);
}

TEST(help_and_version_print_objects)
{
	json_t *version = object_of(rota("--version --json"));

	CHECK_STR(text(version, "version"), ROTA_VERSION);
	json_decref(version);
	CHECK(objects_in(rota("help --json")) > 15);
	version = object_of(rota("help wait --json"));
	CHECK_STR(text(version, "verb"), "wait");
	CHECK(json_array_size(json_object_get(version, "options")) >= 2);
	json_decref(version);
}
