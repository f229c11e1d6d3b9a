/* program.c */
#include "program.h"
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

const char *store_path(void)
{
	return test_path("test.db");
}

/* Beside this program's directory: build/tests/cli, build/rota. */
const char *program_path(void)
{
	static char path[PATH_MAX + 8];
	char self[PATH_MAX] = "";

	CHECK(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	snprintf(path, sizeof(path), "%s/rota", dirname(dirname(self)));
	return path;
}

static void slurp(const char *name, char *to, size_t size)
{
	FILE *file = fopen(test_path(name), "r");
	size_t n;

	CHECK(file != NULL);
	n = fread(to, 1, size - 1, file);
	to[n] = '\0';
	fclose(file);
}

const struct outcome *rota(const char *words, ...)
{
	static struct outcome outcomes[4];
	static unsigned next;
	struct outcome *got = &outcomes[next++ % 4];
	char command[16384];
	int n = snprintf(command, sizeof(command),
		"cd '%s' && exec >out 2>err </dev/null && %s --store '%s' ", test_dir(),
		program_path(), store_path());
	va_list args;

	va_start(args, words);
	vsnprintf(command + n, sizeof(command) - (size_t)n, words, args);
	va_end(args);
	got->code = WEXITSTATUS(system(command));
	slurp("out", got->out, sizeof(got->out));
	slurp("err", got->err, sizeof(got->err));
	return got;
}

void refuses(const struct outcome *got, int code, const char *text)
{
	CHECK_MSG(got->code == code, "exit %d instead of %d: %s", got->code, code, got->err);
	CHECK_STR(got->out, "");
	CHECK_HAS(got->err, text);
	CHECK(strncmp(got->err, "rota: ", 6) == 0);
	CHECK(strchr(got->err, '\n') == got->err + strlen(got->err) - 1);
}

static json_t *parse(const char *line, size_t size)
{
	json_error_t why;
	json_t *object = json_loadb(line, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);

	CHECK_MSG(object != NULL, "%s in: %.*s", why.text, (int)size, line);
	CHECK(json_is_object(object));
	return object;
}

size_t objects_in(const struct outcome *got)
{
	const char *at = got->out;
	size_t n = 0;

	CHECK_MSG(got->code == 0, "exit %d: %s", got->code, got->err);
	for (; *at; n++) {
		const char *end = strchr(at, '\n');

		CHECK_MSG(end != NULL, "no newline after: %s", at);
		json_decref(parse(at, (size_t)(end - at)));
		at = end + 1;
	}
	return n;
}

json_t *object_of(const struct outcome *got)
{
	CHECK_EQ(objects_in(got), 1);
	return parse(got->out, strlen(got->out));
}
