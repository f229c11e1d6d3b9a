/* buf.h: a growable byte buffer with a mandatory maximum. Always NUL-terminated once not empty. */
#ifndef ROTA_BASE_BUF_H
#define ROTA_BASE_BUF_H
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <rota/status.h>

struct rota_buf {
	char *data;
	size_t size, room, max;
	bool cut;    /* something did not fit under max and was dropped */
	bool failed; /* out of memory */
};
void rota_buf_init(struct rota_buf *buf, size_t max);
void rota_buf_deinit(struct rota_buf *buf);
void rota_buf_clear(struct rota_buf *buf);
/* True when all of it is in. Otherwise as much as fits is in, and cut or failed is set. */
bool rota_buf_add(struct rota_buf *buf, const void *data, size_t size);
bool rota_buf_text(struct rota_buf *buf, const char *text);
bool rota_buf_printf(struct rota_buf *buf, const char *format, ...) ROTA_TEXT(2);
/* Keeps the last `max` bytes instead of the first: for the tail of a log. */
bool rota_buf_add_tail(struct rota_buf *buf, const void *data, size_t size);
#endif
