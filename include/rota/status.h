/* status.h: how every rota function answers.
 *
 * Fallible functions return enum rota_status (must be used) and take an optional
 * struct rota_error last. Outputs are called ret_*, come just before it, and are untouched
 * on failure. Nothing is thread-local, so nothing goes stale. ROTA_CALL marks such a function.
 * A struct that may grow begins with ROTA_SIZE: `struct rota_x o = ROTA_INIT(rota_x);`
 * Enumerators carry their enum's noun (ROTA_STATE_READY); only statuses go without. */
#ifndef ROTA_STATUS_H
#define ROTA_STATUS_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define ROTA_BEGIN extern "C" {
#define ROTA_END }
#define ROTA_SIZE size_t size = sizeof(*this)
#define ROTA_INIT(type) {}
#else
#define ROTA_BEGIN
#define ROTA_END
#define ROTA_SIZE size_t size
#define ROTA_INIT(type) { .size = sizeof(struct type) }
#endif
#if defined(__GNUC__)
#define ROTA_API __attribute__((visibility("default")))
#define ROTA_CALL ROTA_API __attribute__((warn_unused_result)) enum rota_status
#define ROTA_TEXT(at) __attribute__((format(printf, at, at + 1)))
#else
#define ROTA_API
#define ROTA_CALL enum rota_status
#define ROTA_TEXT(at)
#endif
ROTA_BEGIN

typedef int64_t rota_id;       /* a task; 0 is no task */
typedef int64_t rota_time;     /* microseconds since 1970, UTC, on the store's clock */
typedef int64_t rota_duration; /* microseconds; 0 in an options struct means "the default" */
#define ROTA_MS(n) ((rota_duration)(n) * 1000)
#define ROTA_SECONDS(n) ((rota_duration)(n) * 1000000)
#define ROTA_FOREVER INT64_MAX

/* Bytes somebody else owns. data NULL means none at all; an empty value has data and size 0. */
struct rota_bytes {
	const void *data;
	size_t size;
};

enum rota_status {
	ROTA_OK = 0,
	ROTA_INVALID,     /* the call is wrong; nothing was tried */
	ROTA_NOT_FOUND,   /* no such task, queue, schedule */
	ROTA_EXISTS,      /* the key is taken */
	ROTA_WRONG_STATE, /* the task's state does not allow it; for a lease: it is not running */
	ROTA_STALE_LEASE, /* another lease owns the task now; nothing changed */
	ROTA_COMPLETED,   /* nothing changed: the task is completed already */
	ROTA_FAILED,      /* nothing changed: the task has failed for good */
	ROTA_CANCELLED,   /* nothing changed: the task, or the wait, was cancelled */
	ROTA_LIMIT,       /* a documented ceiling */
	ROTA_TIMED_OUT,
	ROTA_BUSY,        /* try again: a queue in memory is full, a lock is held */
	ROTA_UNAVAILABLE, /* the database does not answer; nothing was committed */
	ROTA_UNCERTAIN,   /* the answer to a commit was lost: it may or may not have happened */
	ROTA_UNSUPPORTED, /* not by this store, or not inside the caller's transaction */
	ROTA_CORRUPT,     /* not a rota store, a newer schema, or a damaged file */
	ROTA_NO_MEMORY,
	ROTA_FORKED       /* the handle was made before fork(); only the parent may use it */
};

/* Lives on the caller's stack, needs no init and no free. 512 bytes for ever: new fields come
 * out of reserved. */
struct rota_error {
	enum rota_status status;
	int32_t retryable; /* the same call may succeed later */
	int32_t os_code;   /* errno or SQLite's extended code, else 0 */
	char sqlstate[8];
	uint32_t item;     /* which element of an array was refused, counted from 1; 0: none */
	char reserved[40];
	char message[448]; /* one line for a person; valid UTF-8, always terminated */
};

/* "stale lease"; never NULL, static. */
ROTA_API const char *rota_status_name(enum rota_status status);
ROTA_END
#endif
