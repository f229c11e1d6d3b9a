/* base64.c */
#include "cli/base64.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/macros.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit_value(char c)
{
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Four characters of which the last `pads` are '='. */
static bool decode_four(const char *text, size_t pads, char *out)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < 4; i++) {
		int value = i < 4 - pads ? digit_value(text[i]) : 0;

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
	}
	/* Bits that nobody would read must be zero, so that one value has one form. */
	if (bits & ((1u << 8 * pads) - 1))
		return false;
	out[0] = (char)(bits >> 16);
	out[1] = (char)(bits >> 8);
	out[2] = (char)bits;
	return true;
}

bool cli_base64_decode(const char *text, size_t size, char *out, size_t *ret_size)
{
	size_t pads = 0, at = 0;

	if (size % 4)
		return false;
	while (size && pads < 2 && text[size - 1 - pads] == '=')
		pads++;
	for (size_t i = 0; i < size; i += 4, at += 3)
		if (!decode_four(text + i, i + 4 == size ? pads : 0, out + at))
			return false;
	*ret_size = at - pads;
	return true;
}

json_t *cli_base64_json(struct rota_bytes bytes)
{
	const unsigned char *from = bytes.data;
	size_t size = (bytes.size + 2) / 3 * 4;
	char *text ROTA_AUTO_FREE = malloc(size + 1), *to = text;

	if (!text)
		return NULL;
	for (size_t i = 0; i < bytes.size; i += 3) {
		size_t left = bytes.size - i;
		uint32_t bits = (uint32_t)from[i] << 16 |
				(left > 1 ? (uint32_t)from[i + 1] << 8 : 0) |
				(left > 2 ? from[i + 2] : 0u);

		*to++ = digits[bits >> 18];
		*to++ = digits[bits >> 12 & 63];
		*to++ = left > 1 ? digits[bits >> 6 & 63] : '=';
		*to++ = left > 2 ? digits[bits & 63] : '=';
	}
	return json_stringn(text, size);
}
