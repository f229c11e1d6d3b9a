/* check.c: what a test says and asks while it runs. */
#include "harness.h"
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct test_case *current;
static char current_dir[4200];

void test_enter(const struct test_case *test, const char *dir)
{
	current = test;
	snprintf(current_dir, sizeof(current_dir), "%s", dir);
	if (mkdir(dir, 0700))
		test_fail(__FILE__, __LINE__, "cannot make the directory %s", dir);
}

/* _exit: other threads may be anywhere, and destructors must not run under them. */
void test_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	test_alloc_recover();
	fflush(stdout);
	fprintf(stderr, "%s:%d: ", file, line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	fflush(stderr);
	_exit(1);
}

void test_skip(const char *why)
{
	fprintf(stderr, "%s\n", why);
	fflush(NULL);
	_exit(TEST_EXIT_SKIP);
}

void test_check_eq(const char *file, int line, const char *a, int64_t va, const char *b, int64_t vb)
{
	if (va != vb)
		test_fail(file, line, "%s is %" PRId64 ", want %s = %" PRId64, a, va, b, vb);
}

void test_check_str(const char *file, int line, const char *a, const char *va, const char *vb)
{
	if (va == vb || (va && vb && !strcmp(va, vb)))
		return;
	test_fail(
		file, line, "%s is \"%s\", want \"%s\"", a, va ? va : "(null)", vb ? vb : "(null)");
}

void test_check_has(const char *file, int line, const char *a, const char *text, const char *part)
{
	if (!text || !strstr(text, part))
		test_fail(file, line, "%s is \"%s\", which lacks \"%s\"", a, text ? text : "(null)",
			part);
}

/* err is meaningful only after a failure, and then must agree with what was returned. */
void test_check_status(const char *file, int line, const char *call, enum rota_status got,
	enum rota_status want, const struct rota_error *err)
{
	if (got == want && (got == ROTA_OK || !err || err->status == got))
		return;
	if (got == want)
		test_fail(file, line, "%s answered \"%s\", but its error says \"%s\" (%s)", call,
			rota_status_name(got), rota_status_name(err->status), err->message);
	test_fail(file, line, "%s answered \"%s\" (%s), want \"%s\"", call, rota_status_name(got),
		err && got != ROTA_OK ? err->message : "", rota_status_name(want));
}

const char *test_dir(void)
{
	return current_dir;
}

/* Kept until the process ends; the list keeps leak checkers calm. */
static const char *keep(char *text)
{
	struct kept {
		struct kept *next;
		char *text;
	};
	static struct kept *list;
	struct kept *kept = malloc(sizeof(*kept));

	CHECK(kept && text);
	*kept = (struct kept){list, text};
	list = kept;
	return text;
}

const char *test_path(const char *name)
{
	char *path;

	CHECK(asprintf(&path, "%s/%s", current_dir, name) > 0);
	return keep(path);
}

const char *test_store_kind(void)
{
	return test_options.store;
}

const char *test_store_url(const char *name)
{
	char *url;

	if (!strcmp(test_options.store, "memory"))
		CHECK(asprintf(&url, "memory:%s.%s", current->name, name) > 0);
	else
		CHECK(asprintf(&url, "%s/%s.db", current_dir, name) > 0);
	return keep(url);
}

uint64_t test_seed(void)
{
	return test_options.seed;
}

uint64_t test_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}
