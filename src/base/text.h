/* text.h: text in and out at the edges. Nothing here allocates or keeps state. */
#ifndef ROTA_BASE_TEXT_H
#define ROTA_BASE_TEXT_H
#include <stdbool.h>
#include <stddef.h>
#include <rota/status.h>

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
bool rota_utf8_valid(const void *data, size_t size);
/* The longest prefix of at most max bytes that does not cut a character. */
size_t rota_utf8_prefix(const char *data, size_t size, size_t max);
/* Replaces what is invalid by '?', in place. */
void rota_utf8_mend(char *data, size_t size);

/* "10s" "5m" "100ms" "250us" "2h" "1d" "1w" "1m30s" "1.5s" "0"; no sign. False: not a duration, or above
 * ROTA_DURATION_MAX. */
bool rota_duration_parse(const char *text, rota_duration *ret);
/* "1m30s"; "forever" for ROTA_FOREVER. size >= 40. */
char *rota_duration_format(rota_duration length, char *out, size_t size);
/* RFC 3339 with any offset and up to 6 digits of fraction (more are cut); years 1970 to 9998.
 * A leap second (:60) is the next minute's first. */
bool rota_time_parse(const char *text, rota_time *ret);
/* "2026-11-20T10:11:12.123456Z", fraction left out when zero. size >= 40. */
char *rota_time_format(rota_time time, char *out, size_t size);
/* Whole decimal numbers within [min, max]: no spaces, no plus, all of text. */
bool rota_int_parse(const char *text, int64_t min, int64_t max, int64_t *ret);
#endif
