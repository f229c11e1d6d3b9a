/* utf8.c: RFC 3629, strictly. */
#include "base/text.h"

static bool continuation(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

/* The bytes of the valid character at s (size of them are there); 0: there is none. The second
 * byte's range rules out overlong forms, surrogates and what lies above U+10FFFF. */
static size_t character(const unsigned char *s, size_t size)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t length, i;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	length = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (length > size)
		return 0;
	low = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : low;
	high = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : high;
	if (s[1] < low || s[1] > high)
		return 0;
	for (i = 2; i < length; i++)
		if (!continuation(s[i]))
			return 0;
	return length;
}

bool rota_utf8_valid(const void *data, size_t size)
{
	const unsigned char *s = data;
	size_t at, step;

	for (at = 0; at < size; at += step) {
		step = character(s + at, size - at);
		if (!step)
			return false;
	}
	return true;
}

size_t rota_utf8_prefix(const char *data, size_t size, size_t max)
{
	const unsigned char *s = (const unsigned char *)data;
	size_t at = max, back;

	if (size <= max)
		return size;
	/* Only a valid character that lies across the edge moves it. */
	for (back = 0; back < 3 && at > 0 && continuation(s[at]); back++)
		at--;
	if (character(s + at, size - at) > back && back > 0)
		return at;
	return max;
}

void rota_utf8_mend(char *data, size_t size)
{
	unsigned char *s = (unsigned char *)data;
	size_t at, step;

	for (at = 0; at < size; at += step) {
		step = character(s + at, size - at);
		if (!step) {
			s[at] = '?';
			step = 1;
		}
	}
}
