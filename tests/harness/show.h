/* show.h: what can be seen of a store through one handle, as text, so that two stores, or one before
 * and after, can be compared and the difference read. */
#ifndef ROTA_TEST_SHOW_H
#define ROTA_TEST_SHOW_H
#include "test.h"

/* Every task with all its fields, edges and attempts, then queues and types. The caller frees it. */
char *test_show_store(struct rota_store *store);
char *test_show_task(struct rota_store *store, rota_id id);
/* The first line in which two texts differ: "- old\n+ new\n"; the caller frees it. */
char *test_show_difference(const char *a, const char *b);
#endif
