/* world.h: everything that is not decided by the inputs. Engines get one; nobody else looks at a
 * clock, rolls dice, or sleeps. Production has one implementation, the simulator another. */
#ifndef ROTA_BASE_WORLD_H
#define ROTA_BASE_WORLD_H
#include <stdint.h>
#include <rota/status.h>

/* Monotonic microseconds on this machine since it booted (CLOCK_BOOTTIME): leases, timeouts,
 * backoffs. Never compared with a rota_time, which is the store's clock; the one is a length of
 * time, the other a date. Processes of one boot agree on it. */
typedef int64_t rota_tick;
#define ROTA_TICK_NEVER INT64_MAX

struct rota_world {
	rota_tick (*now)(struct rota_world *world);
	/* The calendar, for backends without a server that has one (memory, SQLite). */
	rota_time (*date)(struct rota_world *world);
	uint64_t (*random)(struct rota_world *world);
	/* *word changed: whoever parks on it looks again. Any thread. The caller stores into *word
	 * (atomically) before. all: everyone, else one. */
	void (*wake)(struct rota_world *world, const uint32_t *word, int all);
	/* Parks the caller while *word == seen, until woken or deadline. May return early for no
	 * reason. A thread sleeps (futex); the simulator steps the others. */
	void (*park)(struct rota_world *world, const uint32_t *word, uint32_t seen, rota_tick deadline);
	/* False: nobody may make threads, whoever owns this world steps everything (simulator, tests). */
	int threads;
};
/* The real one; never freed. */
struct rota_world *rota_world_real(void);
/* tick + length without overflow; ROTA_FOREVER or a huge sum: ROTA_TICK_NEVER. */
rota_tick rota_tick_add(rota_tick tick, rota_duration length);
/* The same for dates: clamped to ROTA_TIME_MAX of limits.h. */
rota_time rota_time_add(rota_time time, rota_duration length);
/* Identifies this boot of the machine (boot_id); 36 characters. */
const char *rota_world_boot_id(void);
#endif
