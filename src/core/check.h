/* check.h: what a valid input looks like. The one place: store.c calls these before an op is
 * submitted, so backends need not check again. Messages say which field, what is wrong, and what
 * would be right. */
#ifndef ROTA_CORE_CHECK_H
#define ROTA_CORE_CHECK_H
#include <stdbool.h>
#include <rota/task.h>

/* A copy of a caller's struct with every field this library knows: what lies beyond the caller's
 * size is zero, what we do not know must be zero (else INVALID: newer headers than the library). */
enum rota_status rota_task_adopt(const struct rota_task *task, struct rota_task *ret, struct rota_error *err);
enum rota_status rota_verdict_adopt(const struct rota_verdict *verdict, struct rota_verdict *ret, struct rota_error *err);
/* Generic for structs that begin with ROTA_SIZE: ours has want bytes. theirs must not be NULL. */
enum rota_status rota_struct_adopt(void *ours, size_t want, const void *theirs, const char *name, struct rota_error *err);
/* The nth (from 0) element of a caller's array, walked by the first one's size. */
static inline const struct rota_task *rota_task_at(const struct rota_task *tasks, size_t nth)
{
	return (const struct rota_task *)(const void *)((const char *)tasks + nth * tasks->size);
}
static inline const struct rota_verdict *rota_verdict_at(const struct rota_verdict *verdicts, size_t nth)
{
	return (const struct rota_verdict *)(const void *)((const char *)verdicts + nth * verdicts->size);
}

/* Every field of a task, of this library's size. position: its place in its call, counted from 1;
 * count: how many there are (UINT64_MAX while unknown): nth must be within and not itself. */
enum rota_status rota_check_task(const struct rota_task *task, uint64_t position, uint64_t count,
	struct rota_error *err);
enum rota_status rota_check_verdict(const struct rota_verdict *verdict, struct rota_error *err);
/* what: "queue", "type", "key", …; blank is refused with a text of its own. */
enum rota_status rota_check_name(const char *name, const char *what, size_t max, struct rota_error *err);
enum rota_status rota_check_text(const char *text, const char *what, size_t max, struct rota_error *err);
enum rota_status rota_check_bytes(struct rota_bytes bytes, const char *what, size_t max, struct rota_error *err);
enum rota_status rota_check_duration(rota_duration length, const char *what, bool forever_ok, struct rota_error *err);
enum rota_status rota_check_id(rota_id id, struct rota_error *err);
#endif
