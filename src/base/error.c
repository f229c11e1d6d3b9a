/* error.c: the one table of statuses, and errors in words. */
#include "base/error.h"
#include "base/macros.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(struct rota_error) == 512, "a public struct of fixed size");

/* X(status, text, HTTP code, gRPC code, exit code, retryable). UNCERTAIN is not retryable: sent
 * again it might happen twice, which only the caller can judge. */
#define ROTA_STATUSES(X)                                                                           \
	X(ROTA_OK, "ok", 200, 0, 0, 0)                                                             \
	X(ROTA_INVALID, "invalid", 400, 3, 64, 0)                                                  \
	X(ROTA_NOT_FOUND, "not found", 404, 5, 66, 0)                                              \
	X(ROTA_EXISTS, "exists", 409, 6, 73, 0)                                                    \
	X(ROTA_WRONG_STATE, "wrong state", 409, 9, 1, 0)                                           \
	X(ROTA_STALE_LEASE, "stale lease", 409, 10, 1, 0)                                          \
	X(ROTA_COMPLETED, "completed", 409, 9, 1, 0)                                               \
	X(ROTA_FAILED, "failed", 409, 9, 1, 0)                                                     \
	X(ROTA_CANCELLED, "cancelled", 409, 1, 1, 0)                                               \
	X(ROTA_LIMIT, "limit", 413, 3, 65, 0)                                                      \
	X(ROTA_TIMED_OUT, "timed out", 504, 4, 75, 1)                                              \
	X(ROTA_BUSY, "busy", 429, 8, 75, 1)                                                        \
	X(ROTA_UNAVAILABLE, "unavailable", 503, 14, 69, 1)                                         \
	X(ROTA_UNCERTAIN, "uncertain", 500, 2, 75, 0)                                              \
	X(ROTA_UNSUPPORTED, "unsupported", 501, 12, 64, 0)                                         \
	X(ROTA_CORRUPT, "corrupt", 500, 15, 65, 0)                                                 \
	X(ROTA_NO_MEMORY, "out of memory", 503, 8, 71, 1)                                          \
	X(ROTA_FORKED, "forked", 500, 13, 1, 0)

struct status_row {
	const char *text;
	int16_t http, grpc, exit_code, retryable;
};
#define STATUS_ROW(status, text, http, grpc, exit_code, retryable)                                 \
	[status] = {text, http, grpc, exit_code, retryable},
static const struct status_row status_rows[] = {ROTA_STATUSES(STATUS_ROW)};
_Static_assert(ROTA_COUNT(status_rows) == ROTA_FORKED + 1, "a row per status");

static const struct status_row *status_row(enum rota_status status)
{
	static const struct status_row unknown = {"unknown status", 500, 2, 1, 0};

	if ((unsigned)status >= ROTA_COUNT(status_rows))
		return &unknown;
	return &status_rows[status];
}

const char *rota_status_name(enum rota_status status)
{
	return status_row(status)->text;
}

int rota_status_exit_code(enum rota_status status)
{
	return status_row(status)->exit_code;
}

int rota_status_http_code(enum rota_status status)
{
	return status_row(status)->http;
}

int rota_status_grpc_code(enum rota_status status)
{
	return status_row(status)->grpc;
}

int rota_status_retryable(enum rota_status status)
{
	return status_row(status)->retryable;
}

/* One line whatever the inputs held. */
static void flatten(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = ' ';
}

static void set(struct rota_error *err, enum rota_status status, int os_code, char *text)
{
	size_t size = rota_utf8_prefix(text, strlen(text), sizeof(err->message) - 1);

	*err = (struct rota_error){.status = status, .os_code = os_code};
	err->retryable = rota_status_retryable(status);
	memcpy(err->message, text, size);
	rota_utf8_mend(err->message, size);
	flatten(err->message);
}

/* Room for one character more than a message, so that the cut is seen; apart from *err, which the
 * arguments may point into. */
struct draft {
	char text[sizeof(((struct rota_error *)0)->message) + 4];
};

static void draft(struct draft *d, enum rota_status status, const char *format, va_list args)
{
	if (vsnprintf(d->text, sizeof(d->text), format, args) < 0)
		snprintf(d->text, sizeof(d->text), "%s", rota_status_name(status));
}

enum rota_status rota_err_va(
	struct rota_error *err, enum rota_status status, const char *text, va_list args)
{
	struct draft d;

	if (!err)
		return status;
	draft(&d, status, text, args);
	set(err, status, 0, d.text);
	return status;
}

enum rota_status rota_err(struct rota_error *err, enum rota_status status, const char *text, ...)
{
	va_list args;

	va_start(args, text);
	rota_err_va(err, status, text, args);
	va_end(args);
	return status;
}

enum rota_status rota_err_os(
	struct rota_error *err, enum rota_status status, int os_code, const char *text, ...)
{
	char reason[128], whole[sizeof(struct draft) + sizeof(reason)];
	struct draft d;
	va_list args;

	if (!err)
		return status;
	va_start(args, text);
	draft(&d, status, text, args);
	va_end(args);
	/* GNU strerror_r: thread-safe, and may answer a constant instead of filling reason. */
	snprintf(whole, sizeof(whole), "%s: %s", d.text,
		strerror_r(os_code, reason, sizeof(reason)));
	set(err, status, os_code, whole);
	return status;
}

enum rota_status rota_err_item(struct rota_error *err, size_t nth)
{
	if (!err)
		return ROTA_INVALID;
	err->item = nth > UINT32_MAX ? UINT32_MAX : (uint32_t)nth;
	return err->status;
}

enum rota_status rota_err_memory(struct rota_error *err)
{
	return rota_err(err, ROTA_NO_MEMORY, "out of memory");
}

_Noreturn void rota_assert_failed(const char *cond, const char *file, int line)
{
	fprintf(stderr, "rota: %s:%d: this cannot be: %s\n", file, line, cond);
	abort();
}
