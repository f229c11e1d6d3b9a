/* retry.c: backoff, jitter, and when it is enough. */
#include "test.h"
#include "base/limits.h"
#include "base/macros.h"
#include "core/facts.h"

static struct rota_retry policy(rota_duration min, rota_duration max, int32_t doublings)
{
	struct rota_retry r = ROTA_INIT(rota_retry);

	r.backoff_min = min;
	r.backoff_max = max;
	r.doublings = doublings;
	return rota_retry_resolve(&r);
}

static void check_backoffs(const struct rota_retry *r, const int *seconds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		CHECK_EQ(rota_retry_backoff(r, (int32_t)i + 1), ROTA_SECONDS(seconds[i]));
}

TEST(backoff_doubles_then_grows_linearly_up_to_the_maximum)
{
	static const int cloud_tasks[] = {10, 20, 40, 80, 160, 240, 300, 300, 300};
	struct rota_retry r = policy(ROTA_SECONDS(10), ROTA_SECONDS(300), 3);

	check_backoffs(&r, cloud_tasks, ROTA_COUNT(cloud_tasks));
}

TEST(backoff_without_doublings_is_linear_from_the_start)
{
	static const int linear[] = {10, 20, 30, 40, 50, 55, 55};
	struct rota_retry r = policy(ROTA_SECONDS(10), ROTA_SECONDS(55), -1);

	check_backoffs(&r, linear, ROTA_COUNT(linear));
}

TEST(backoff_by_default_doubles_to_an_hour)
{
	static const int seconds[] = {
		1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600};
	struct rota_retry r = rota_retry_resolve(NULL);

	check_backoffs(&r, seconds, ROTA_COUNT(seconds));
}

TEST(backoff_never_overflows_and_never_shrinks)
{
	static const rota_duration mins[] = {1, ROTA_SECONDS(1), ROTA_DURATION_MAX};
	static const int32_t doublings[] = {-1, 0, 1, 61, 62, 63, 64, 1000, INT32_MAX};

	for (size_t m = 0; m < ROTA_COUNT(mins); m++) {
		for (size_t d = 0; d < ROTA_COUNT(doublings); d++) {
			struct rota_retry r = policy(mins[m], ROTA_DURATION_MAX, doublings[d]);
			rota_duration last = 0;

			for (int64_t n = 0; n <= INT32_MAX; n = n < 200 ? n + 1 : n * 2 + 1) {
				rota_duration now = rota_retry_backoff(&r, (int32_t)n);

				CHECK(now >= last && now >= mins[m] && now <= ROTA_DURATION_MAX);
				last = now;
			}
			CHECK_EQ(rota_retry_backoff(&r, INT32_MIN), mins[m]);
		}
	}
}

TEST(jitter_takes_off_at_most_its_share_and_spreads)
{
	static const rota_duration backoffs[] = {1, 99, 1000, ROTA_SECONDS(10), ROTA_DURATION_MAX};

	for (size_t b = 0; b < ROTA_COUNT(backoffs); b++) {
		for (int32_t percent = 1; percent <= 100; percent++) {
			for (rota_id id = 1; id < 100; id++) {
				rota_duration got = rota_retry_jitter(backoffs[b], percent, id, 1);

				CHECK(got > 0 && got <= backoffs[b]);
				CHECK((double)got >=
					(double)backoffs[b] * (100 - percent) / 100 - 1);
			}
		}
	}
}

TEST(jitter_repeats_exactly_and_differs_between_neighbours)
{
	rota_duration backoff = ROTA_SECONDS(100), off;
	unsigned bucket[10] = {0};

	for (rota_id id = 1; id <= 10000; id++) {
		off = backoff - rota_retry_jitter(backoff, 10, id, 1);
		CHECK_EQ(off, backoff - rota_retry_jitter(backoff, 10, id, 1));
		CHECK(off != backoff - rota_retry_jitter(backoff, 10, id + 1, 1));
		CHECK(off != backoff - rota_retry_jitter(backoff, 10, id, 2));
		bucket[off / ROTA_SECONDS(1)]++;
	}
	for (size_t i = 0; i < ROTA_COUNT(bucket); i++)
		CHECK(bucket[i] > 900 && bucket[i] < 1100);
}

TEST(jitter_keeps_to_its_formula)
{
	/* SQL computes the same; these figures must not change */
	CHECK_EQ(rota_retry_jitter(ROTA_SECONDS(100), 10, 1, 1), 99984891);
	CHECK_EQ(rota_retry_jitter(ROTA_SECONDS(100), 10, INT64_MAX, INT64_MAX), 92551854);
	CHECK_EQ(rota_retry_jitter(ROTA_SECONDS(100), 0, 1, 1), ROTA_SECONDS(100));
	CHECK_EQ(rota_retry_jitter(ROTA_SECONDS(100), -1, 1, 1), ROTA_SECONDS(100));
	CHECK_EQ(rota_retry_jitter(0, 10, 1, 1), 0);
}

TEST(used_up_means_that_every_limit_there_is_has_been_passed)
{
	static const struct {
		int32_t attempt, max;
		int duration_s, since_s;
		bool want;
	} cases[] = {
		{2, 3, 0, 0, false}, {3, 3, 0, 0, true}, {4, 3, 0, 0, true}, /* attempts alone */
		{3, 3, 60, 59, false}, {2, 3, 60, 60, false}, {3, 3, 60, 60, true}, /* both */
		{1, 0, 60, 59, false},
		{1, 0, 60, 60, true},              /* no limit of attempts: time decides */
		{INT32_MAX, 0, 0, 1000000, false}, /* no limit at all */
	};

	for (size_t i = 0; i < ROTA_COUNT(cases); i++)
		CHECK_MSG(rota_retry_used_up(cases[i].attempt, cases[i].max,
				  ROTA_SECONDS(cases[i].duration_s), ROTA_SECONDS(1000),
				  ROTA_SECONDS(1000 + cases[i].since_s)) == cases[i].want,
			"case %zu", i);
}

TEST(resolving_fills_in_defaults_and_keeps_what_was_said)
{
	struct rota_retry r = rota_retry_resolve(NULL), twice = rota_retry_resolve(&r);

	CHECK_EQ(r.attempts_max, ROTA_DEFAULT_ATTEMPTS);
	CHECK_EQ(r.doublings, ROTA_DEFAULT_DOUBLINGS);
	CHECK_EQ(r.backoff_min, ROTA_DEFAULT_BACKOFF_MIN);
	CHECK_EQ(r.backoff_max, ROTA_DEFAULT_BACKOFF_MAX);
	CHECK_EQ(r.jitter_percent, ROTA_DEFAULT_JITTER_PERCENT);
	CHECK_EQ(r.duration_max, 0);
	CHECK(!memcmp(&r, &twice, sizeof(r)));
	r.attempts_max = r.doublings = r.jitter_percent = -1;
	twice = rota_retry_resolve(&r);
	CHECK_EQ(twice.attempts_max, -1);
	CHECK_EQ(twice.doublings, -1);
	CHECK_EQ(twice.jitter_percent, -1);
}

TEST(resolving_moves_a_default_bound_that_the_other_one_passes)
{
	struct rota_retry r = policy(ROTA_SECONDS(7200), 0, 0);

	CHECK_EQ(r.backoff_max, ROTA_SECONDS(7200));
	r = policy(0, ROTA_MS(5), 0);
	CHECK_EQ(r.backoff_min, ROTA_MS(5));
	CHECK_EQ(r.backoff_max, ROTA_MS(5));
}

TEST(resolving_reads_no_more_than_an_older_callers_struct)
{
	struct rota_retry r = ROTA_INIT(rota_retry);

	r.attempts_max = 7;
	r.jitter_percent = 50;
	r.size = offsetof(struct rota_retry, doublings);
	r.doublings = 99;
	r = rota_retry_resolve(&r);
	CHECK_EQ(r.attempts_max, 7);
	CHECK_EQ(r.doublings, ROTA_DEFAULT_DOUBLINGS);
	CHECK_EQ(r.jitter_percent, ROTA_DEFAULT_JITTER_PERCENT);
	CHECK_EQ(r.size, sizeof(r));
}
