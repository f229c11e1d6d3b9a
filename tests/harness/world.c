/* world.c: a world that a test moves by hand. */
#include "test.h"
#include "base/macros.h"
#include <stdatomic.h>

#define START_TICK ROTA_SECONDS(1000)
#define START_DATE INT64_C(1767225600000000) /* 2026-01-01T00:00:00Z */

struct test_world {
	struct rota_world world;
	_Atomic int64_t tick, date;
	_Atomic uint64_t dice;
};

static struct test_world *of(struct rota_world *world)
{
	return ROTA_CONTAINER(world, struct test_world, world);
}

static rota_tick world_now(struct rota_world *world)
{
	return atomic_load(&of(world)->tick);
}

static rota_time world_date(struct rota_world *world)
{
	return atomic_load(&of(world)->date);
}

static uint64_t world_random(struct rota_world *world)
{
	uint64_t state = atomic_fetch_add(&of(world)->dice, 0x9e3779b97f4a7c15);

	return test_random(&state);
}

static void world_wake(struct rota_world *world, const uint32_t *word, int all)
{
	(void)world;
	(void)word;
	(void)all;
}

static void world_park(
	struct rota_world *world, const uint32_t *word, uint32_t seen, rota_tick deadline)
{
	rota_duration left = deadline - world_now(world);

	if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != seen)
		return;
	CHECK_MSG(deadline != ROTA_TICK_NEVER, "parked for ever in a world without threads");
	if (left > 0)
		test_world_advance(world, left);
}

struct rota_world *test_world_new(uint64_t seed)
{
	struct test_world *w = calloc(1, sizeof(*w));

	CHECK(w);
	w->world = (struct rota_world){.now = world_now,
		.date = world_date,
		.random = world_random,
		.wake = world_wake,
		.park = world_park};
	atomic_store(&w->tick, START_TICK);
	atomic_store(&w->date, START_DATE);
	atomic_store(&w->dice, seed);
	return &w->world;
}

void test_world_advance(struct rota_world *world, rota_duration by)
{
	atomic_fetch_add(&of(world)->tick, by);
	atomic_fetch_add(&of(world)->date, by);
}

void test_world_set_date(struct rota_world *world, rota_time date)
{
	atomic_store(&of(world)->date, date);
}

void test_world_free(struct rota_world *world)
{
	if (world)
		free(of(world));
}
