/* harness.h: between the files of the harness. */
#ifndef ROTA_TEST_HARNESS_H
#define ROTA_TEST_HARNESS_H
#include "test.h"

#define TEST_EXIT_SKIP 77

struct test_options {
	const char *store;
	uint64_t seed;
	long jobs;
	bool list, no_fork;
	const char *const *names; /* parts of them; count 0: every test */
	size_t name_count;
};
extern struct test_options test_options;

/* In the process of a test: makes its directory and goes on from there. */
void test_enter(const struct test_case *test, const char *dir);

/* Runs them all, prints TAP, removes the directories of those that passed. */
struct test_sum {
	size_t passed, failed, skipped;
};
struct test_sum test_run_all(struct test_case **tests, size_t count, const char *root);
void test_remove_dir(const char *dir);
#endif
