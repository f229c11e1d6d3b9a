/* retry.c: when the next attempt is due, and when there is none. */
#include "core/facts.h"
#include "base/limits.h"
#include "base/macros.h"
#include <string.h>

/* A caller's struct may be older and shorter; as stored (in facts) it is ours and says 0. */
static struct rota_retry whole(const struct rota_retry *retry)
{
	struct rota_retry ours = ROTA_INIT(rota_retry);
	size_t size = retry->size ? ROTA_MIN(retry->size, sizeof(ours)) : sizeof(ours);

	memcpy(&ours, retry, size);
	ours.size = sizeof(ours);
	return ours;
}

struct rota_retry rota_retry_resolve(const struct rota_retry *retry)
{
	struct rota_retry r = ROTA_INIT(rota_retry);

	if (retry)
		r = whole(retry);
	if (!r.attempts_max)
		r.attempts_max = ROTA_DEFAULT_ATTEMPTS;
	if (!r.doublings)
		r.doublings = ROTA_DEFAULT_DOUBLINGS;
	/* a bound beyond the other one's default was meant */
	if (!r.backoff_min)
		r.backoff_min = r.backoff_max ? ROTA_MIN(ROTA_DEFAULT_BACKOFF_MIN, r.backoff_max)
					      : ROTA_DEFAULT_BACKOFF_MIN;
	if (!r.backoff_max)
		r.backoff_max = ROTA_MAX(ROTA_DEFAULT_BACKOFF_MAX, r.backoff_min);
	if (!r.jitter_percent)
		r.jitter_percent = ROTA_DEFAULT_JITTER_PERCENT;
	return r;
}

rota_duration rota_retry_backoff(const struct rota_retry *retry, int32_t attempt)
{
	int64_t doublings = ROTA_MAX(retry->doublings, 0), nth = ROTA_MAX(attempt, 1);
	int64_t shift = ROTA_MIN(nth - 1, doublings);
	int64_t steps = ROTA_MAX(nth - doublings, 1), backoff;

	/* 2^47 microseconds are four years, and 2^62 still fits */
	if (shift > 61 || retry->backoff_min > (INT64_C(1) << 62) >> shift)
		return retry->backoff_max;
	if (__builtin_mul_overflow(retry->backoff_min << shift, steps, &backoff))
		return retry->backoff_max;
	return ROTA_MIN(backoff, retry->backoff_max);
}

rota_duration rota_retry_jitter(rota_duration backoff, int32_t percent, rota_id id, int64_t token)
{
	/* A multiplicative hash modulo a prime: SQL without unsigned numbers computes the same, and
	 * nothing overflows. */
	const int64_t prime = 65521;
	int64_t hash = (id % prime * 40503 + token % prime * 25117) % prime;
	int64_t most;

	if (percent <= 0 || backoff <= 0)
		return backoff;
	most = backoff / 100 * percent + backoff % 100 * percent / 100;
	return backoff - (most / prime * hash + most % prime * hash / prime);
}

bool rota_retry_used_up(int32_t attempt, int32_t attempts_max, rota_duration duration_max,
	rota_time first_started_at, rota_time now)
{
	bool attempts = attempt >= attempts_max;
	bool duration = now - first_started_at >= duration_max;

	if (!attempts_max && !duration_max)
		return false;
	return (!attempts_max || attempts) && (!duration_max || duration);
}
