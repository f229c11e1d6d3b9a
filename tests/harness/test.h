/* test.h: the harness. A suite is one program: main.c of the harness and every file of a directory.
 * Each test runs in a process of its own (fork), in a temporary directory of its own, under a time
 * limit; output is TAP, and the last line `N passed, N failed`. A test's name is a sentence.
 *
 *   TEST(expired_lease_returns_task_to_ready)
 *   {
 *           CHECK_OK(rota_store_open(…, &err), &err);
 *           CHECK_EQ(count, 3);
 *   }
 *
 * build/tests/SUITE [--list] [--store KIND] [--seed N] [--no-fork] [--jobs N] [NAME-PART]…
 * --no-fork is for debuggers: one process, no time limit. A helper process that a test leaves behind
 * is killed. */
#ifndef ROTA_TEST_H
#define ROTA_TEST_H
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <rota/rota.h>
#include "base/world.h"

typedef void test_fn(void);
struct test_case {
	const char *name, *file;
	test_fn *run;
	int timeout_s; /* 0: 60; more under sanitizers */
	struct test_case *next;
};
void test_register(struct test_case *test);
#define TEST_LIMIT(name_, seconds) \
	static void test_##name_(void); \
	static struct test_case case_##name_ = { #name_, __FILE__, test_##name_, seconds, NULL }; \
	__attribute__((constructor)) static void register_##name_(void) { test_register(&case_##name_); } \
	static void test_##name_(void)
#define TEST(name_) TEST_LIMIT(name_, 0)

/* A failed check prints file:line, what was compared, and ends the test. From any thread. */
_Noreturn void test_fail(const char *file, int line, const char *format, ...) ROTA_TEXT(3);
_Noreturn void test_skip(const char *why); /* ends the test as skipped; ends the process */
#define CHECK(cond) ((cond) ? (void)0 : test_fail(__FILE__, __LINE__, "%s", #cond))
#define CHECK_MSG(cond, ...) ((cond) ? (void)0 : test_fail(__FILE__, __LINE__, __VA_ARGS__))
#define CHECK_EQ(a, b) test_check_eq(__FILE__, __LINE__, #a, (int64_t)(a), #b, (int64_t)(b))
#define CHECK_STR(a, b) test_check_str(__FILE__, __LINE__, #a, (a), (b))
/* text contains part */
#define CHECK_HAS(text, part) test_check_has(__FILE__, __LINE__, #text, (text), (part))
/* call: enum rota_status; e: struct rota_error *, may be NULL */
#define CHECK_OK(call, e) test_check_status(__FILE__, __LINE__, #call, (call), ROTA_OK, (e))
#define CHECK_STATUS(call, want, e) test_check_status(__FILE__, __LINE__, #call, (call), (want), (e))
void test_check_eq(const char *file, int line, const char *a, int64_t va, const char *b, int64_t vb);
void test_check_str(const char *file, int line, const char *a, const char *va, const char *vb);
void test_check_has(const char *file, int line, const char *a, const char *text, const char *part);
void test_check_status(const char *file, int line, const char *call, enum rota_status got,
	enum rota_status want, const struct rota_error *err);

/* This test's directory (removed afterwards when it passed); absolute. */
const char *test_dir(void);
/* "DIR/name", valid until the process ends. */
const char *test_path(const char *name);
/* --store: "memory" (the default) or "sqlite"; URL of a store named `name` in this test: "memory:…"
 * or a path. */
const char *test_store_kind(void);
const char *test_store_url(const char *name);
/* --seed, else random and printed when the test fails. */
uint64_t test_seed(void);
/* splitmix64 */
uint64_t test_random(uint64_t *state);

/* A world whose clock stands still until told otherwise, without threads. now() and date() move
 * together by test_world_advance; test_world_set_date moves only the calendar (a clock step). park()
 * advances to the deadline at once (a park without deadline fails the test as a deadlock). */
struct rota_world *test_world_new(uint64_t seed);
void test_world_advance(struct rota_world *world, rota_duration by);
void test_world_set_date(struct rota_world *world, rota_time date);
void test_world_free(struct rota_world *world);

/* Memory that runs out: the nth allocation of this thread from now on (1: the next) fails, by
 * malloc, calloc, realloc and whoever uses them; with for_good those after it too. True when it has
 * come to that since. Skips the test where allocations cannot be caught (sanitizers). */
void test_alloc_fail(uint64_t nth, bool for_good);
bool test_alloc_failed(void);
void test_alloc_recover(void);
#endif
