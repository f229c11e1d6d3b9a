/* alloc.c: memory that runs out on command. This program's malloc stands in front of libc's. */
#include "test.h"
#include <errno.h>

static _Thread_local uint64_t fail_in; /* allocations until it fails; 0: never */
static _Thread_local bool fail_for_good, failed;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
void test_alloc_fail(uint64_t nth, bool for_good)
{
	(void)nth;
	(void)for_good;
	(void)fail_in;
	test_skip("sanitizers keep malloc to themselves");
}
#else
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static bool fails(void)
{
	if (!fail_in || --fail_in)
		return false;
	fail_in = fail_for_good;
	failed = true;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}

void test_alloc_fail(uint64_t nth, bool for_good)
{
	fail_in = nth;
	fail_for_good = for_good;
	failed = false;
}
#endif

bool test_alloc_failed(void)
{
	return failed;
}

void test_alloc_recover(void)
{
	fail_in = 0;
	fail_for_good = false;
}
