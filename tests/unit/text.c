/* text.c: numbers, lengths and dates, in and out. */
#include "test.h"
#include "base/limits.h"
#include "base/macros.h"
#include "base/text.h"

TEST(whole_numbers_are_read_within_their_bounds)
{
	static const struct {
		const char *text;
		int64_t min, max, want; /* want INT64_MIN + 1: refused */
	} cases[] = {{"0", 0, 9, 0}, {"-0", 0, 9, 0}, {"007", 0, 9, 7}, {"-5", -5, 9, -5},
		{"9223372036854775807", 0, INT64_MAX, INT64_MAX},
		{"-9223372036854775808", INT64_MIN, 0, INT64_MIN},
		{"9223372036854775808", INT64_MIN, INT64_MAX, INT64_MIN + 1},
		{"-9223372036854775809", INT64_MIN, INT64_MAX, INT64_MIN + 1},
		{"99999999999999999999999", INT64_MIN, INT64_MAX, INT64_MIN + 1},
		{"10", 0, 9, INT64_MIN + 1}, {"-1", 0, 9, INT64_MIN + 1}, {"", 0, 9, INT64_MIN + 1},
		{"-", -9, 9, INT64_MIN + 1}, {"+5", 0, 9, INT64_MIN + 1},
		{" 5", 0, 9, INT64_MIN + 1}, {"5 ", 0, 9, INT64_MIN + 1},
		{"5x", 0, 9, INT64_MIN + 1}, {"0x5", 0, 9, INT64_MIN + 1},
		{"1e3", 0, 9999, INT64_MIN + 1}, {"--5", -9, 9, INT64_MIN + 1}};

	for (size_t i = 0; i < ROTA_COUNT(cases); i++) {
		int64_t got = INT64_MIN + 1;
		bool ok = rota_int_parse(cases[i].text, cases[i].min, cases[i].max, &got);

		CHECK_MSG(got == cases[i].want, "\"%s\" is %" PRId64, cases[i].text, got);
		CHECK_EQ(ok, cases[i].want != INT64_MIN + 1);
	}
}

TEST(durations_are_read)
{
	static const struct {
		const char *text;
		rota_duration want; /* -1: refused */
	} cases[] = {{"10s", 10000000}, {"5m", 300000000}, {"100ms", 100000}, {"250us", 250},
		{"2h", INT64_C(7200000000)}, {"1d", INT64_C(86400000000)},
		{"1w", INT64_C(604800000000)}, {"1m30s", 90000000}, {"1.5s", 1500000}, {"0", 0},
		{"0s", 0}, {"1h0m0.000001s", INT64_C(3600000001)}, {"1.25h", INT64_C(4500000000)},
		{"0.00000025m", 15}, {"1.500000000000000000000s", 1500000},
		{"90m", INT64_C(5400000000)}, {"366000d", ROTA_DURATION_MAX}, {"366000d1us", -1},
		{"366001d", -1}, {"99999999999999999999s", -1}, {"9223372036854775807us", -1},
		{"15250284452472w", -1}, {"", -1}, {"10", -1}, {"00", -1}, {"s", -1}, {"-5s", -1},
		{"+5s", -1}, {" 5s", -1}, {"5s ", -1}, {"5 s", -1}, {"5S", -1}, {"1s1s", -1},
		{"30s1m", -1}, {"1.5m30s", -1}, {".5s", -1}, {"1.s", -1}, {"1..5s", -1},
		{"1.5", -1}, {"0.0000001s", -1}, {"1.5us", -1}, {"0.333333333m", -1}, {"5x", -1},
		{"5sm", -1}, {"forever", -1}, {"1e3s", -1}, {"0x10s", -1}};

	for (size_t i = 0; i < ROTA_COUNT(cases); i++) {
		rota_duration got = -1;
		bool ok = rota_duration_parse(cases[i].text, &got);

		CHECK_MSG(got == cases[i].want, "\"%s\" is %" PRId64, cases[i].text, got);
		CHECK_EQ(ok, cases[i].want >= 0);
	}
}

TEST(durations_are_written_shortly)
{
	static const struct {
		rota_duration length;
		const char *want;
	} cases[] = {{0, "0s"}, {1, "1us"}, {999, "999us"}, {1000, "1ms"}, {1500, "1.5ms"},
		{100000, "100ms"}, {1000000, "1s"}, {1500000, "1.5s"}, {90000000, "1m30s"},
		{60000000, "1m"}, {60000001, "1m1us"}, {INT64_C(3600000000), "1h"},
		{INT64_C(90061000000), "1d1h1m1s"}, {INT64_C(604800000000), "7d"},
		{ROTA_FOREVER, "forever"}, {-5000000, "-5s"},
		{INT64_MIN, "-106751991d4h54.775808s"}};
	char out[40];

	for (size_t i = 0; i < ROTA_COUNT(cases); i++)
		CHECK_STR(rota_duration_format(cases[i].length, out, sizeof(out)), cases[i].want);
}

TEST(random_durations_come_back_from_text)
{
	uint64_t seed = test_seed();
	char out[40];

	for (int i = 0; i < 200000; i++) {
		rota_duration length =
			(rota_duration)(test_random(&seed) >> test_random(&seed) % 63 >> 1) %
			(ROTA_DURATION_MAX + 1);
		rota_duration back = -1;

		rota_duration_format(length, out, sizeof(out));
		CHECK_MSG(rota_duration_parse(out, &back) && back == length, "%s", out);
	}
}

TEST(dates_are_read)
{
	static const struct {
		const char *text;
		rota_time want; /* -1: refused */
	} cases[] = {{"1970-01-01T00:00:00Z", 0}, {"2026-11-20T10:11:12.123456Z", 1795169472123456},
		{"2026-11-20T10:11:12.1Z", 1795169472100000},
		{"2026-11-20T10:11:12.123456999Z", 1795169472123456},
		{"2026-11-20t10:11:12z", 1795169472000000},
		{"2026-11-20 10:11:12Z", 1795169472000000},
		{"2026-11-20T10:11:12+00:00", 1795169472000000},
		{"2026-11-20T10:11:12-00:00", 1795169472000000},
		{"2026-11-20T12:41:12+02:30", 1795169472000000},
		{"2026-11-19T23:11:12-11:00", 1795169472000000}, {"1970-01-01T23:59:00+23:59", 0},
		{"2000-02-29T00:00:00Z", 951782400000000},
		{"2024-02-29T00:00:00Z", 1709164800000000},
		{"2016-12-31T23:59:60Z", 1483228800000000},
		{"2016-12-31T23:59:60.5Z", 1483228800500000},
		{"2017-01-01T00:59:60+01:00", 1483228800000000},
		{"2016-12-31T15:59:60-08:00", 1483228800000000},
		{"9998-12-31T23:59:59.999999Z", ROTA_TIME_MAX - 1},
		{"9999-01-01T01:00:00+02:00", ROTA_TIME_MAX - 3600000000},
		/* what is no date */
		{"", -1}, {"2026-11-20", -1}, {"2026-11-20T10:11Z", -1},
		{"2026-11-20T10:11:12", -1}, {"2026-11-20T10:11:12.Z", -1},
		{"2026-11-20T10:11:12,5Z", -1}, {"2026-11-20T10:11:12ZZ", -1},
		{"2026-11-20T10:11:12Z ", -1}, {" 2026-11-20T10:11:12Z", -1},
		{"2026-11-20T10:11:12+0000", -1}, {"2026-11-20T10:11:12+24:00", -1},
		{"2026-11-20T10:11:12+01:60", -1}, {"2026-11-20T10:11:12+1:00", -1},
		{"2026-11-20T24:00:00Z", -1}, {"2026-11-20T10:60:00Z", -1},
		{"2026-11-20T10:11:61Z", -1}, {"2026-11-20T10:11:60Z", -1},
		{"2017-01-01T00:59:60Z", -1}, {"2026-00-20T10:11:12Z", -1},
		{"2026-13-20T10:11:12Z", -1}, {"2026-11-00T10:11:12Z", -1},
		{"2026-11-31T10:11:12Z", -1}, {"2023-02-29T00:00:00Z", -1},
		{"2100-02-29T00:00:00Z", -1}, {"2026-2-02T00:00:00Z", -1},
		{"-026-11-20T10:11:12Z", -1}, {"02026-11-20T10:11:12Z", -1},
		{"1969-12-31T23:59:59Z", -1}, {"1970-01-01T00:00:00+00:01", -1},
		{"9999-01-01T00:00:00Z", -1}, {"9998-12-31T23:59:60Z", -1},
		{"0000-01-01T00:00:00Z", -1}, {"now", -1}, {"1795169472", -1}};

	for (size_t i = 0; i < ROTA_COUNT(cases); i++) {
		rota_time got = -1;
		bool ok = rota_time_parse(cases[i].text, &got);

		CHECK_MSG(got == cases[i].want, "\"%s\" is %" PRId64, cases[i].text, got);
		CHECK_EQ(ok, cases[i].want >= 0);
	}
}

TEST(dates_are_written)
{
	char out[40];

	CHECK_STR(rota_time_format(0, out, sizeof(out)), "1970-01-01T00:00:00Z");
	CHECK_STR(rota_time_format(-1, out, sizeof(out)), "1969-12-31T23:59:59.999999Z");
	CHECK_STR(rota_time_format(-1000000, out, sizeof(out)), "1969-12-31T23:59:59Z");
	CHECK_STR(rota_time_format(1795169472000001, out, sizeof(out)),
		"2026-11-20T10:11:12.000001Z");
	CHECK_STR(rota_time_format(ROTA_TIME_MAX, out, sizeof(out)), "9999-01-01T00:00:00Z");
	CHECK_STR(rota_time_format(INT64_MAX, out, sizeof(out)), "294247-01-10T04:00:54.775807Z");
	CHECK_STR(rota_time_format(INT64_MIN, out, sizeof(out)), "-290308-12-21T19:59:05.224192Z");
}

/* Every day from 1970 to 9998 is the day after the one before. */
TEST(calendars_have_no_holes)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year = 1970, month = 1, day = 1;
	char out[40], want[60];

	for (rota_time t = 0; t < ROTA_TIME_MAX; t += ROTA_SECONDS(86400)) {
		bool leap = year % 4 == 0 && (year % 100 || year % 400 == 0);

		snprintf(want, sizeof(want), "%04d-%02d-%02dT00:00:00Z", year, month, day);
		rota_time_format(t, out, sizeof(out));
		if (strcmp(out, want))
			CHECK_STR(out, want);
		if (++day > lengths[month - 1] + (month == 2 && leap)) {
			day = 1;
			month = month % 12 + 1;
			year += month == 1;
		}
	}
	CHECK_EQ(year, 9999);
}

TEST(random_dates_come_back_from_text)
{
	uint64_t seed = test_seed();
	char out[40];

	for (int i = 0; i < 200000; i++) {
		rota_time time = (rota_time)(test_random(&seed) % (uint64_t)ROTA_TIME_MAX),
			  back = -1;

		if (i % 2)
			time -= time % 1000000;
		rota_time_format(time, out, sizeof(out));
		CHECK_MSG(rota_time_parse(out, &back) && back == time, "%s", out);
	}
}

/* ---- UTF-8 ---- */

TEST(utf8_is_told_from_what_only_looks_like_it)
{
	static const struct {
		const char *text;
		bool want;
	} cases[] = {{"", true}, {"ascii", true}, {"\x7f", true}, {"\xc2\x80", true},
		{"\xdf\xbf", true}, {"\xe0\xa0\x80", true}, {"\xed\x9f\xbf", true},
		{"\xee\x80\x80", true}, {"\xef\xbf\xbf", true}, {"\xf0\x90\x80\x80", true},
		{"\xf4\x8f\xbf\xbf", true}, {"grün → 🚀", true}, {"\x80", false}, {"\xbf", false},
		{"\xc0\x80", false}, {"\xc1\xbf", false}, /* overlong */
		{"\xe0\x80\x80", false}, {"\xe0\x9f\xbf", false}, {"\xf0\x80\x80\x80", false},
		{"\xf0\x8f\xbf\xbf", false}, {"\xed\xa0\x80", false},
		{"\xed\xbf\xbf", false}, /* surrogates */
		{"\xf4\x90\x80\x80", false}, {"\xf5\x80\x80\x80", false}, {"\xfe", false},
		{"\xff", false}, {"\xc2", false}, {"\xe2\x82", false},
		{"\xf0\x9f\x9a", false}, /* cut */
		{"\xc2 ", false}, {"\xe2\x82 ", false}, {"\xe2 \x82", false},
		{"\xf0\x9f\x9a ", false}, {"a\xc2", false}, {"\xc2\x80\x80", false}};

	for (size_t i = 0; i < ROTA_COUNT(cases); i++)
		CHECK_MSG(rota_utf8_valid(cases[i].text, strlen(cases[i].text)) == cases[i].want,
			"case %zu", i);
	CHECK(rota_utf8_valid("a\0b", 3));
}

TEST(every_code_point_is_valid_exactly_in_its_shortest_form)
{
	for (uint32_t c = 0; c < 0x120000; c++) {
		unsigned char four[4] = {(unsigned char)(0xf0 | c >> 18),
			(unsigned char)(0x80 | (c >> 12 & 63)),
			(unsigned char)(0x80 | (c >> 6 & 63)), (unsigned char)(0x80 | (c & 63))};
		unsigned char three[3] = {(unsigned char)(0xe0 | (c >> 12 & 15)), four[2], four[3]};

		CHECK_EQ(rota_utf8_valid(four, 4), c >= 0x10000 && c < 0x110000);
		if (c < 0x10000)
			CHECK_EQ(rota_utf8_valid(three, 3),
				c >= 0x800 && (c < 0xd800 || c > 0xdfff));
	}
}

TEST(prefixes_do_not_cut_characters)
{
	const char *text = "a\xc3\xbc\xe2\x82\xac\xf0\x9f\x9a\x80z"; /* a ü € 🚀 z */
	static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};

	for (size_t max = 0; max < ROTA_COUNT(want); max++)
		CHECK_EQ(rota_utf8_prefix(text, 11, max), want[max]);
	CHECK_EQ(rota_utf8_prefix("\x80\x80\x80\x80\x80\x80", 6, 5), 5); /* nothing to save */
	CHECK_EQ(rota_utf8_prefix("\xf0\x9f\x9a", 3, 2), 2);
}

TEST(mending_makes_valid_text_of_anything_and_leaves_the_rest)
{
	char mixed[] = "a\xff\xe2\x82z\xc3\xbc";
	uint64_t seed = test_seed();

	rota_utf8_mend(mixed, strlen(mixed));
	CHECK_STR(mixed, "a???z\xc3\xbc");
	for (int round = 0; round < 20000; round++) {
		char data[40], before[40];
		size_t size = test_random(&seed) % sizeof(data);

		for (size_t i = 0; i < size; i++)
			data[i] = (char)(test_random(&seed) >> 13 | (test_random(&seed) & 0xe0));
		memcpy(before, data, sizeof(data));
		rota_utf8_mend(data, size);
		CHECK(rota_utf8_valid(data, size));
		CHECK(!rota_utf8_valid(before, size) || !memcmp(before, data, size));
	}
}
