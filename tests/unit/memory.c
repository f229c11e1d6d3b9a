/* memory.c: arenas, buffers and maps, also when memory runs out. */
#include "test.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/macros.h"
#include "base/map.h"

TEST(arenas_give_aligned_pieces_that_do_not_overlap)
{
	uint64_t seed = test_seed();
	struct rota_arena arena;
	char *pieces[500];
	size_t sizes[500];

	rota_arena_init(&arena, 0);
	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < 500; i++) {
			sizes[i] = test_random(&seed) % (i % 50 ? 300 : 100000);
			pieces[i] = rota_arena_alloc(&arena, sizes[i]);
			CHECK(pieces[i] && (uintptr_t)pieces[i] % 16 == 0);
			memset(pieces[i], (int)(i % 251), sizes[i]);
		}
		for (size_t i = 0; i < 500; i++)
			for (size_t b = 0; b < sizes[i]; b++)
				CHECK_EQ((unsigned char)pieces[i][b], i % 251);
		rota_arena_reset(&arena);
		CHECK_EQ(arena.used_bytes, 0);
	}
	rota_arena_deinit(&arena);
}

TEST(arenas_reuse_their_memory_after_a_reset)
{
	struct rota_arena arena;
	void *first;

	rota_arena_init(&arena, 0);
	first = rota_arena_alloc(&arena, 100);
	rota_arena_reset(&arena);
	CHECK(rota_arena_alloc(&arena, 100) == first);
	rota_arena_deinit(&arena);
	CHECK(rota_arena_alloc(&arena, 1)); /* stays usable */
	rota_arena_deinit(&arena);
}

TEST(arenas_keep_to_their_maximum_and_stay_usable)
{
	struct rota_arena arena;

	rota_arena_init(&arena, 1000);
	CHECK(rota_arena_alloc(&arena, 500));
	CHECK(!rota_arena_alloc(&arena, 500));
	CHECK(rota_arena_alloc(&arena, 400));
	CHECK(!rota_arena_alloc(&arena, 1 << 20));
	rota_arena_reset(&arena);
	CHECK(rota_arena_alloc(&arena, 900));
	rota_arena_deinit(&arena);
}

TEST(arenas_refuse_absurd_sizes)
{
	struct rota_arena arena;

	rota_arena_init(&arena, 0);
	for (size_t size = SIZE_MAX; size > SIZE_MAX - 40; size--)
		CHECK(!rota_arena_alloc(&arena, size));
	CHECK(!rota_arena_array(&arena, SIZE_MAX / 8, 16));
	CHECK(!rota_arena_strndup(&arena, "x", SIZE_MAX));
	CHECK(rota_arena_alloc(&arena, 0));
	rota_arena_deinit(&arena);
}

TEST(arenas_copy_texts_and_tell_absent_bytes_from_empty_ones)
{
	struct rota_bytes got = {"old", 3};
	struct rota_arena arena;
	char *zeros;

	rota_arena_init(&arena, 0);
	CHECK_STR(rota_arena_strdup(&arena, "text"), "text");
	CHECK(!rota_arena_strdup(&arena, NULL));
	CHECK_STR(rota_arena_strndup(&arena, "text", 2), "te");
	CHECK(rota_arena_bytes(&arena, (struct rota_bytes){NULL, 0}, &got));
	CHECK(!got.data && !got.size);
	CHECK(rota_arena_bytes(&arena, (struct rota_bytes){"", 0}, &got));
	CHECK(got.data && !got.size);
	CHECK(rota_arena_bytes(&arena, (struct rota_bytes){"a\0b", 3}, &got));
	CHECK(!memcmp(got.data, "a\0b", 4) && got.size == 3);
	zeros = rota_arena_array(&arena, 10, 10);
	for (int i = 0; i < 100; i++)
		CHECK(!zeros[i]);
	rota_arena_deinit(&arena);
}

TEST(arenas_answer_when_memory_runs_out)
{
	struct rota_bytes got = {"old", 3};
	struct rota_arena arena;

	rota_arena_init(&arena, 0);
	test_alloc_fail(1, true);
	CHECK(!rota_arena_alloc(&arena, 10));
	CHECK(!rota_arena_zalloc(&arena, 100000));
	CHECK(!rota_arena_strdup(&arena, "x"));
	CHECK(!rota_arena_bytes(&arena, (struct rota_bytes){"x", 1}, &got));
	CHECK_EQ(got.size, 3);
	test_alloc_recover();
	CHECK_STR(rota_arena_strdup(&arena, "x"), "x");
	rota_arena_deinit(&arena);
}

TEST(buffers_grow_to_their_maximum_and_say_what_was_cut)
{
	struct rota_buf buf;

	rota_buf_init(&buf, 10);
	CHECK(rota_buf_text(&buf, "12345"));
	CHECK(rota_buf_printf(&buf, "%d", 678));
	CHECK(!buf.cut);
	CHECK(!rota_buf_text(&buf, "9abc"));
	CHECK_STR(buf.data, "123456789a");
	CHECK(buf.cut && !buf.failed);
	CHECK(!rota_buf_add(&buf, "x", 1));
	rota_buf_clear(&buf);
	CHECK_EQ(buf.size, 0);
	CHECK(!buf.cut);
	CHECK(rota_buf_add(&buf, "a\0b", 3));
	CHECK_EQ(buf.size, 3);
	rota_buf_deinit(&buf);
}

TEST(buffers_print_texts_of_any_length)
{
	char *large = malloc(5001);
	struct rota_buf buf;

	CHECK(large);
	memset(large, 'x', 5000);
	large[5000] = 0;
	rota_buf_init(&buf, 100000);
	CHECK(rota_buf_printf(&buf, "<%s>", large));
	CHECK_EQ(buf.size, 5002);
	CHECK_EQ(buf.data[5001], '>');
	rota_buf_deinit(&buf);
	free(large);
}

/* The last bytes of a stream, however it was cut into pieces. */
TEST(buffers_keep_the_tail)
{
	uint64_t seed = test_seed();
	char stream[200];
	struct rota_buf buf;

	for (size_t i = 0; i < sizeof(stream); i++)
		stream[i] = (char)('a' + i % 26);
	for (int round = 0; round < 2000; round++) {
		size_t at = 0, max = test_random(&seed) % 30, keep;

		rota_buf_init(&buf, max);
		while (at < sizeof(stream)) {
			size_t piece = test_random(&seed) % 40;

			piece = ROTA_MIN(piece, sizeof(stream) - at);
			CHECK(rota_buf_add_tail(&buf, stream + at, piece));
			at += piece;
			keep = ROTA_MIN(at, max);
			CHECK_EQ(buf.size, keep);
			CHECK(!memcmp(buf.data, stream + at - keep, keep) && !buf.data[keep]);
			CHECK_EQ(buf.cut, at > max);
		}
		rota_buf_deinit(&buf);
	}
}

TEST(buffers_answer_when_memory_runs_out)
{
	struct rota_buf buf;

	rota_buf_init(&buf, 1000000);
	CHECK(rota_buf_text(&buf, "kept"));
	test_alloc_fail(1, true);
	for (int i = 0; i < 20; i++)
		rota_buf_text(&buf, "0123456789");
	CHECK(!rota_buf_printf(&buf, "%0300d", 5));
	CHECK(!rota_buf_add_tail(&buf, "x", 1) || !buf.cut);
	test_alloc_recover();
	CHECK(buf.failed && !buf.cut);
	CHECK(!memcmp(buf.data, "kept0", 5));
	rota_buf_deinit(&buf);
}

/* ---- maps ---- */

#define KEYS 300

TEST(maps_agree_with_an_array_over_random_operations)
{
	static char values[100];
	void *model[KEYS] = {NULL}, *got;
	struct rota_map *map = NULL;
	uint64_t seed = test_seed();
	size_t count = 0;

	for (int round = 0; round < 100000; round++) {
		size_t key = test_random(&seed) % KEYS;

		if (test_random(&seed) % 3) {
			count += !model[key];
			model[key] = &values[test_random(&seed) % sizeof(values)];
			CHECK(rota_map_put(&map, (int64_t)key - 5, model[key]));
		} else {
			got = rota_map_remove(&map, (int64_t)key - 5);
			CHECK(got == model[key]);
			count -= got != NULL;
			model[key] = NULL;
		}
		key = test_random(&seed) % KEYS;
		CHECK(rota_map_get(map, (int64_t)key - 5) == model[key]);
		CHECK_EQ(rota_map_count(map), count);
	}
	rota_map_free(&map);
	CHECK(!map);
	rota_map_free(&map);
}

static bool add_up(void *arg, int64_t key, void *value)
{
	int64_t *left = arg;

	CHECK(value);
	left[0] += key;
	return --left[1] > 0;
}

TEST(maps_are_walked_until_told_to_stop)
{
	int64_t sum[2] = {0, 1000}, stopped[2] = {0, 3};
	struct rota_map *map = NULL;

	rota_map_each(map, add_up, sum);
	for (int64_t i = 1; i <= 100; i++)
		CHECK(rota_map_put(&map, i, &sum));
	rota_map_each(map, add_up, sum);
	CHECK_EQ(sum[0], 5050);
	rota_map_each(map, add_up, stopped);
	CHECK_EQ(stopped[1], 0);
	rota_map_free(&map);
}

TEST(names_lead_to_numbers)
{
	struct rota_names *names = NULL;
	char text[32];
	int64_t got = -7;

	CHECK(!rota_names_get(names, "x", &got));
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "name %d", i);
		CHECK(rota_names_put(&names, text, i));
	}
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "name %d", i);
		CHECK(rota_names_get(names, text, &got));
		CHECK_EQ(got, i);
	}
	CHECK(!rota_names_get(names, "name", &got));
	CHECK_EQ(got, 999);
	CHECK(rota_names_put(&names, "", 5) && rota_names_put(&names, "", 6));
	CHECK(rota_names_get(names, "", &got));
	CHECK_EQ(got, 6);
	rota_names_free(&names);
	CHECK(!names);
}

/* Every allocation fails once, in a map of its own; what was put before stays. */
TEST(maps_answer_when_memory_runs_out)
{
	int failures = 0;

	for (uint64_t nth = 1; nth < 700; nth++) {
		struct rota_map *map = NULL;
		int64_t put = 0;

		test_alloc_fail(nth, false);
		while (put < 600 && rota_map_put(&map, put + 1, &failures))
			put++;
		test_alloc_recover();
		failures += test_alloc_failed();
		CHECK_EQ(put < 600, test_alloc_failed());
		CHECK_EQ(rota_map_count(map), put);
		for (int64_t key = 1; key <= 600; key++)
			CHECK(rota_map_get(map, key) == (key <= put ? &failures : NULL));
		CHECK(rota_map_put(&map, 9999, &failures));
		CHECK_EQ(rota_map_count(map), put + 1);
		rota_map_free(&map);
	}
	CHECK(failures > 600);
}

TEST(names_answer_when_memory_runs_out)
{
	int failures = 0;

	for (uint64_t nth = 1; nth < 200; nth++) {
		struct rota_names *names = NULL;
		char text[32];
		int64_t put = 0, got;

		test_alloc_fail(nth, false);
		for (; put < 150; put++) {
			snprintf(text, sizeof(text), "name %" PRId64, put);
			if (!rota_names_put(&names, text, put))
				break;
		}
		test_alloc_recover();
		failures += test_alloc_failed();
		CHECK_EQ(put < 150, test_alloc_failed());
		CHECK(put < 150 || !rota_names_get(names, "name 150", &got));
		CHECK(!put || (rota_names_get(names, "name 0", &got) && got == 0));
		rota_names_free(&names);
	}
	CHECK(failures > 100);
}
