/* date.c: RFC 3339, in and out. */
#include "base/limits.h"
#include "base/text.h"
#include <stdio.h>

struct date {
	int year, month, day, hour, minute, second, us, offset_s;
};

/* Days since 1970-01-01 of a date of the Gregorian calendar (Howard Hinnant's formula: years begin
 * in March, so that the leap day is the last). */
static int64_t days_of(int64_t year, int month, int day)
{
	int64_t era, year_of_era, day_of_year;

	year -= month <= 2;
	era = (year >= 0 ? year : year - 399) / 400;
	year_of_era = year - era * 400;
	day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - 719468;
}

static void date_of(int64_t days, int64_t *year, int *month, int *day)
{
	int64_t era, day_of_era, year_of_era, day_of_year, m;

	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	day_of_era = days - era * 146097;
	year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	m = (5 * day_of_year + 2) / 153;
	*day = (int)(day_of_year - (153 * m + 2) / 5 + 1);
	*month = (int)(m < 10 ? m + 3 : m - 9);
	*year = year_of_era + era * 400 + (*month <= 2);
}

static int days_in(int year, int month)
{
	static const signed char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* Exactly count digits, within [min, max], then the character `then` (0: any). */
static bool take(const char **at, int count, int min, int max, char then, int *ret)
{
	int value = 0;

	for (; count; count--, ++*at) {
		if (**at < '0' || **at > '9')
			return false;
		value = value * 10 + (**at - '0');
	}
	if (value < min || value > max || (then && *(*at)++ != then))
		return false;
	*ret = value;
	return true;
}

static bool take_fraction(const char **at, int *ret)
{
	int place = 100000;

	*ret = 0;
	if (**at != '.')
		return true;
	for (++*at; **at >= '0' && **at <= '9'; ++*at, place /= 10)
		*ret += place * (**at - '0');
	return (*at)[-1] != '.';
}

static bool take_offset(const char **at, int *ret)
{
	char sign = *(*at)++;
	int hours, minutes;

	*ret = 0;
	if (sign == 'Z' || sign == 'z')
		return true;
	if (sign != '+' && sign != '-')
		return false;
	if (!take(at, 2, 0, 23, ':', &hours) || !take(at, 2, 0, 59, 0, &minutes))
		return false;
	*ret = (hours * 60 + minutes) * (sign == '-' ? -60 : 60);
	return true;
}

static bool take_date(const char **at, struct date *d)
{
	char between;

	if (!take(at, 4, 0, 9999, '-', &d->year) || !take(at, 2, 1, 12, '-', &d->month) ||
		!take(at, 2, 1, days_in(d->year, d->month), 0, &d->day))
		return false;
	between = *(*at)++;
	if (between != 'T' && between != 't' && between != ' ')
		return false;
	return take(at, 2, 0, 23, ':', &d->hour) && take(at, 2, 0, 59, ':', &d->minute) &&
	       take(at, 2, 0, 60, 0, &d->second) && take_fraction(at, &d->us) &&
	       take_offset(at, &d->offset_s) && !**at;
}

bool rota_time_parse(const char *text, rota_time *ret)
{
	struct date d;
	int64_t second;

	if (!take_date(&text, &d))
		return false;
	second = days_of(d.year, d.month, d.day) * 86400 + d.hour * 3600 + d.minute * 60 +
		 d.second - d.offset_s;
	/* Leap seconds are inserted at the end of a UTC day, so this is a day's first second now.
	 */
	if (second < 0 || second >= ROTA_TIME_MAX / 1000000 || (d.second == 60 && second % 86400))
		return false;
	*ret = second * 1000000 + d.us;
	return true;
}

char *rota_time_format(rota_time time, char *out, size_t size)
{
	int us = (int)(time % 1000000 + 1000000) % 1000000;
	int64_t second = time / 1000000 - (time % 1000000 < 0), year;
	int64_t day = second / 86400 - (second % 86400 < 0);
	int month, day_of_month;
	int of_day = (int)(second - day * 86400);
	char fraction[16] = "";

	date_of(day, &year, &month, &day_of_month);
	if (us)
		snprintf(fraction, sizeof(fraction), ".%06d", us);
	snprintf(out, size, "%04lld-%02d-%02dT%02d:%02d:%02d%sZ", (long long)year, month,
		day_of_month, of_day / 3600, of_day / 60 % 60, of_day % 60, fraction);
	return out;
}
