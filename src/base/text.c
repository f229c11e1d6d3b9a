/* text.c: whole numbers and lengths of time, in and out. */
#include "base/text.h"
#include "base/limits.h"
#include "base/macros.h"
#include <stdio.h>
#include <string.h>

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

bool rota_int_parse(const char *text, int64_t min, int64_t max, int64_t *ret)
{
	const char *at = text + (*text == '-');
	int64_t value = 0;

	if (!digit(*at))
		return false;
	for (; digit(*at); at++) {
		int64_t step = *text == '-' ? -(*at - '0') : *at - '0';

		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, step, &value))
			return false;
	}
	if (*at || value < min || value > max)
		return false;
	*ret = value;
	return true;
}

struct unit {
	const char *name;
	int64_t us;
};
/* Largest first: a length names each unit at most once, in this order. */
static const struct unit units[] = {{"w", 7 * INT64_C(86400000000)}, {"d", INT64_C(86400000000)},
	{"h", INT64_C(3600000000)}, {"m", 60000000}, {"s", 1000000}, {"ms", 1000}, {"us", 1}};

/* The unit named by the letters at *at, which it steps over; -1: none. */
static int take_unit(const char **at)
{
	size_t length = strspn(*at, "abcdefghijklmnopqrstuvwxyz");

	for (size_t i = 0; i < ROTA_COUNT(units); i++) {
		if (strlen(units[i].name) == length && !memcmp(units[i].name, *at, length)) {
			*at += length;
			return (int)i;
		}
	}
	return -1;
}

static bool take_whole(const char **at, int64_t *ret)
{
	int64_t value = 0;

	if (!digit(**at))
		return false;
	for (; digit(**at); ++*at) {
		value = value * 10 + (**at - '0');
		if (value > ROTA_DURATION_MAX)
			return false;
	}
	*ret = value;
	return true;
}

/* Digits after a point, times unit; false when microseconds cannot say it exactly. */
static bool fraction_us(const char *digits, size_t count, int64_t unit_us, int64_t *ret)
{
	__extension__ __int128 parts = 0, whole = 1;

	while (count && digits[count - 1] == '0')
		count--;
	if (count > 18)
		return false;
	for (size_t i = 0; i < count; i++) {
		parts = parts * 10 + (digits[i] - '0');
		whole *= 10;
	}
	parts *= unit_us;
	if (parts % whole)
		return false;
	*ret = (int64_t)(parts / whole);
	return true;
}

/* One "30s" or "1.5s" at *at; *last is the unit before it. */
static bool take_part(const char **at, int *last, int64_t *sum)
{
	int64_t whole, part = 0;
	const char *digits = NULL;
	size_t count = 0;
	int unit;

	if (!take_whole(at, &whole))
		return false;
	if (**at == '.') {
		digits = ++*at;
		count = strspn(digits, "0123456789");
		*at += count;
		if (!count)
			return false;
	}
	unit = take_unit(at);
	if (unit <= *last || (digits && **at))
		return false;
	*last = unit;
	return (!digits || fraction_us(digits, count, units[unit].us, &part)) &&
	       !__builtin_mul_overflow(whole, units[unit].us, &whole) &&
	       !__builtin_add_overflow(*sum, whole, sum) &&
	       !__builtin_add_overflow(*sum, part, sum) && *sum <= ROTA_DURATION_MAX;
}

bool rota_duration_parse(const char *text, rota_duration *ret)
{
	int64_t sum = 0;
	int last = -1;

	if (strcmp(text, "0")) {
		do {
			if (!take_part(&text, &last, &sum))
				return false;
		} while (*text);
	}
	*ret = sum;
	return true;
}

/* us of a unit with the digits after the point that are needed: "1.5s". */
static void format_fraction(
	char *out, size_t size, int64_t us, int64_t unit_us, int places, const char *name)
{
	int64_t rest = us % unit_us;

	while (places && rest % 10 == 0) {
		rest /= 10;
		places--;
	}
	if (places)
		snprintf(out, size, "%lld.%0*lld%s", (long long)(us / unit_us), places,
			(long long)rest, name);
	else
		snprintf(out, size, "%lld%s", (long long)(us / unit_us), name);
}

/* What is below a minute. */
static void format_small(char *out, size_t size, int64_t us)
{
	if (us >= 1000000 || !us)
		format_fraction(out, size, us, 1000000, 6, "s");
	else if (us >= 1000)
		format_fraction(out, size, us, 1000, 3, "ms");
	else
		snprintf(out, size, "%lldus", (long long)us);
}

char *rota_duration_format(rota_duration length, char *out, size_t size)
{
	uint64_t us = length < 0 ? 0 - (uint64_t)length : (uint64_t)length;
	size_t at = 0;

	if (length == ROTA_FOREVER) {
		snprintf(out, size, "forever");
		return out;
	}
	if (length < 0)
		at += (size_t)snprintf(out, size, "-");
	for (size_t i = 1; i < 4; i++) { /* days, hours, minutes: weeks are for input only */
		uint64_t unit = (uint64_t)units[i].us;

		if (us >= unit && at < size) {
			at += (size_t)snprintf(out + at, size - at, "%llu%s",
				(unsigned long long)(us / unit), units[i].name);
			us %= unit;
		}
	}
	if (at < size && (us || at <= (length < 0)))
		format_small(out + at, size - at, (int64_t)us);
	return out;
}
