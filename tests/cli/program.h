/* program.h: running build/rota from a test. */
#ifndef TESTS_CLI_PROGRAM_H
#define TESTS_CLI_PROGRAM_H
#include <jansson.h>
#include "test.h"

#define OUTPUT_BYTES_MAX (1 << 20)
struct outcome {
	int code;
	char out[OUTPUT_BYTES_MAX], err[8192];
};
/* `rota --store DIR/test.db WORDS`, by sh; the outcome is one of a few static ones. */
const struct outcome *rota(const char *words, ...) ROTA_TEXT(1);
/* Exit code, and one line on stderr with text in it, and nothing on stdout. */
void refuses(const struct outcome *got, int code, const char *text);
/* The output's only line, which must be an object; the caller's. */
json_t *object_of(const struct outcome *got);
/* How many lines; each must be an object. */
size_t objects_in(const struct outcome *got);
const char *store_path(void);
const char *program_path(void);
#endif
