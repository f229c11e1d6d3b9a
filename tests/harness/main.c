/* main.c: a suite's command line. */
#include "harness.h"
#include "base/macros.h"
#include "base/text.h"
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

struct test_options test_options = {.store = "memory", .jobs = 2};
static struct test_case *first, **last = &first;

void test_register(struct test_case *test)
{
	*last = test;
	last = &test->next;
}

_Noreturn static void usage(const char *program, const char *what)
{
	fprintf(stderr,
		"%s: %s\nusage: %s [--list] [--store KIND] [--seed N] [--no-fork] [--jobs N] "
		"[NAME-PART]...\n",
		program, what, program);
	exit(64);
}

static int64_t number(char **argv, const char *text, int64_t min)
{
	int64_t value;

	if (!text || !rota_int_parse(text, min, INT64_MAX, &value))
		usage(argv[0], "a number is missing or wrong");
	return value;
}

static void parse(int argc, char **argv)
{
	struct rota_world *world = rota_world_real();
	int i;

	test_options.seed = world->random(world) >> 1;
	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--list"))
			test_options.list = true;
		else if (!strcmp(argv[i], "--no-fork"))
			test_options.no_fork = true;
		else if (!strcmp(argv[i], "--store") && argv[i + 1])
			test_options.store = argv[++i];
		else if (!strcmp(argv[i], "--seed"))
			test_options.seed = (uint64_t)number(argv, argv[++i], 0);
		else if (!strcmp(argv[i], "--jobs"))
			test_options.jobs = number(argv, argv[++i], 1);
		else
			usage(argv[0], "no such option");
	}
	test_options.names = (const char *const *)(argv + i);
	test_options.name_count = (size_t)(argc - i);
}

static bool wanted(const struct test_case *test)
{
	if (!test_options.name_count)
		return true;
	for (size_t i = 0; i < test_options.name_count; i++)
		if (strstr(test->name, test_options.names[i]))
			return true;
	return false;
}

static size_t choose(struct test_case ***ret_tests)
{
	size_t count = 0, at = 0;
	struct test_case *test, **tests;

	for (test = first; test; test = test->next)
		count += wanted(test);
	tests = calloc(count + 1, sizeof(*tests));
	for (test = first; tests && test; test = test->next)
		if (wanted(test))
			tests[at++] = test;
	*ret_tests = tests;
	return at;
}

static char *make_root(void)
{
	const char *tmp = getenv("TMPDIR");
	static char root[4096];

	snprintf(root, sizeof(root), "%s/rota-test.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(root)) {
		fprintf(stderr, "cannot make %s: %s\n", root, strerror(errno));
		exit(1);
	}
	return root;
}

/* In one process, without limits: for debuggers. A failure ends it. */
static int run_here(struct test_case **tests, size_t count, const char *root)
{
	char dir[4200];

	for (size_t i = 0; i < count; i++) {
		printf("# %s\n", tests[i]->name);
		fflush(stdout);
		snprintf(dir, sizeof(dir), "%s/%zu", root, i + 1);
		test_enter(tests[i], dir);
		tests[i]->run();
		test_remove_dir(dir);
	}
	rmdir(root);
	printf("%zu passed, 0 failed\n", count);
	return 0;
}

static int run(struct test_case **tests, size_t count)
{
	const char *root = make_root();
	struct test_sum sum;

	if (test_options.no_fork)
		return run_here(tests, count, root);
	sum = test_run_all(tests, count, root);
	rmdir(root); /* stays when something failed */
	printf("%zu passed, %zu failed", sum.passed, sum.failed);
	if (sum.skipped)
		printf(", %zu skipped", sum.skipped);
	printf("\n");
	return sum.failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct test_case **tests ROTA_AUTO_FREE = NULL;
	size_t count;

	parse(argc, argv);
	count = choose(&tests);
	if (!tests)
		return 1;
	if (!count && test_options.name_count)
		usage(argv[0], "no test has a name like that");
	if (!test_options.list)
		return run(tests, count);
	for (size_t i = 0; i < count; i++)
		printf("%s\n", tests[i]->name);
	return 0;
}
