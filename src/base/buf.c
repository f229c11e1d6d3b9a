/* buf.c: a growable byte buffer that never grows above its maximum. */
#include "base/buf.h"
#include "base/macros.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define ROOM_MIN ((size_t)64)

void rota_buf_init(struct rota_buf *buf, size_t max)
{
	*buf = (struct rota_buf){.max = ROTA_MIN(max, SIZE_MAX / 4)};
}

void rota_buf_deinit(struct rota_buf *buf)
{
	free(buf->data);
	rota_buf_init(buf, buf->max);
}

void rota_buf_clear(struct rota_buf *buf)
{
	buf->size = 0;
	buf->cut = buf->failed = false;
	if (buf->data)
		buf->data[0] = 0;
}

/* Room for size more and a NUL; size is within max. */
static bool reserve(struct rota_buf *buf, size_t size)
{
	size_t need = buf->size + size + 1, room;
	char *data;

	if (need <= buf->room)
		return true;
	room = ROTA_MIN(ROTA_MAX(ROTA_MAX(buf->room * 2, need), ROOM_MIN), buf->max + 1);
	data = realloc(buf->data, room);
	if (!data) {
		buf->failed = true;
		return false;
	}
	buf->data = data;
	buf->room = room;
	return true;
}

static void append(struct rota_buf *buf, const void *data, size_t size)
{
	if (size)
		memcpy(buf->data + buf->size, data, size);
	buf->size += size;
	buf->data[buf->size] = 0;
}

bool rota_buf_add(struct rota_buf *buf, const void *data, size_t size)
{
	size_t fits = ROTA_MIN(size, buf->max - buf->size);

	if (!reserve(buf, fits))
		return false;
	append(buf, data, fits);
	buf->cut |= fits < size;
	return fits == size;
}

bool rota_buf_text(struct rota_buf *buf, const char *text)
{
	return rota_buf_add(buf, text, strlen(text));
}

bool rota_buf_printf(struct rota_buf *buf, const char *format, ...)
{
	char small[256], *large ROTA_AUTO_FREE = NULL;
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(small, sizeof(small), format, args);
	va_end(args);
	if (size >= 0 && (size_t)size < sizeof(small))
		return rota_buf_add(buf, small, (size_t)size);
	va_start(args, format);
	size = vasprintf(&large, format, args);
	va_end(args);
	if (size < 0) {
		large = NULL;
		buf->failed = true;
		return false;
	}
	return rota_buf_add(buf, large, (size_t)size);
}

bool rota_buf_add_tail(struct rota_buf *buf, const void *data, size_t size)
{
	const char *from = data;
	size_t drop;

	if (size > buf->max) {
		from += size - buf->max;
		size = buf->max;
		buf->size = 0;
		buf->cut = true;
	}
	if (size > buf->max - buf->size) {
		drop = size - (buf->max - buf->size);
		memmove(buf->data, buf->data + drop, buf->size - drop);
		buf->size -= drop;
		buf->cut = true;
	}
	return rota_buf_add(buf, from, size);
}
