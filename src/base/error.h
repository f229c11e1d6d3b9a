/* error.h: filling in a struct rota_error, which is always optional. */
#ifndef ROTA_BASE_ERROR_H
#define ROTA_BASE_ERROR_H
#include <stdarg.h>
#include <rota/status.h>

/* Sets *err (may be NULL) and returns status, so that `return rota_err(err, ROTA_INVALID, "…")` ends
 * a function. The text is cut at a character's edge and made valid UTF-8. err may already hold
 * something, which the arguments may point into; it is overwritten. Control characters become
 * spaces: a message is one line. retryable follows from the status' table. */
enum rota_status rota_err(struct rota_error *err, enum rota_status status, const char *text, ...)
	ROTA_TEXT(3);
enum rota_status rota_err_va(struct rota_error *err, enum rota_status status, const char *text,
	va_list args);
/* The same with an OS error number: its text is appended as ": No such file or directory". */
enum rota_status rota_err_os(struct rota_error *err, enum rota_status status, int os_code,
	const char *text, ...) ROTA_TEXT(4);
/* Says which element of the caller's array it was; returns err's status. Counted from 1.
 * With err NULL the status is not known here: ROTA_INVALID; callers of others' checks keep theirs. */
enum rota_status rota_err_item(struct rota_error *err, size_t nth);
/* Out of memory, in words. */
enum rota_status rota_err_memory(struct rota_error *err);

/* One line per status: see error.c. */
int rota_status_exit_code(enum rota_status status); /* sysexits.h, for the command line */
int rota_status_http_code(enum rota_status status);
int rota_status_grpc_code(enum rota_status status);
int rota_status_retryable(enum rota_status status);
#endif
