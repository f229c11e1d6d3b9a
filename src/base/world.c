/* world.c: the real one. */
#include "base/world.h"
#include "base/futex.h"
#include "base/limits.h"
#include "base/macros.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static rota_tick real_now(struct rota_world *world)
{
	(void)world;
	return clock_us(CLOCK_BOOTTIME);
}

static rota_time real_date(struct rota_world *world)
{
	(void)world;
	return clock_us(CLOCK_REALTIME);
}

/* Parent and child of a fork must not roll the same dice: the child seeds again. */
static _Atomic uint32_t forks = 1;
static pthread_once_t forks_once = PTHREAD_ONCE_INIT;
static _Thread_local uint64_t dice;
static _Thread_local uint32_t dice_forks;

static void forked(void)
{
	atomic_fetch_add_explicit(&forks, 1, memory_order_relaxed);
}

static void forks_watch(void)
{
	pthread_atfork(NULL, NULL, forked);
}

static void dice_seed(void)
{
	pthread_once(&forks_once, forks_watch);
	dice_forks = atomic_load_explicit(&forks, memory_order_relaxed);
	/* a kernel that gives none still gives every thread of every process something else */
	if (getrandom(&dice, sizeof(dice), 0) != sizeof(dice))
		dice = (uint64_t)clock_us(CLOCK_BOOTTIME) * 0x9e3779b97f4a7c15 ^
		       (uint64_t)getpid() << 32 ^ (uint64_t)(uintptr_t)&dice;
}

/* splitmix64 */
static uint64_t real_random(struct rota_world *world)
{
	uint64_t z;

	(void)world;
	if (dice_forks != atomic_load_explicit(&forks, memory_order_relaxed))
		dice_seed();
	z = dice += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static void real_wake(struct rota_world *world, const uint32_t *word, int all)
{
	(void)world;
	rota_futex_wake(word, all ? INT32_MAX : 1, false);
}

static void real_park(
	struct rota_world *world, const uint32_t *word, uint32_t seen, rota_tick deadline)
{
	(void)world;
	rota_futex_wait(word, seen, deadline, false);
}

struct rota_world *rota_world_real(void)
{
	static struct rota_world real = {.now = real_now,
		.date = real_date,
		.random = real_random,
		.wake = real_wake,
		.park = real_park,
		.threads = 1};

	return &real;
}

rota_tick rota_tick_add(rota_tick tick, rota_duration length)
{
	rota_tick sum;

	if (length == ROTA_FOREVER || __builtin_add_overflow(tick, length, &sum))
		return ROTA_TICK_NEVER;
	return sum;
}

rota_time rota_time_add(rota_time time, rota_duration length)
{
	rota_time sum;

	if (__builtin_add_overflow(time, length, &sum))
		return length < 0 ? INT64_MIN : ROTA_TIME_MAX;
	return ROTA_MIN(sum, ROTA_TIME_MAX);
}

/* Without /proc a reboot cannot be told: the same for ever, so that leases of live workers hold. */
static char boot_id[37] = "00000000-0000-0000-0000-000000000000";
static pthread_once_t boot_once = PTHREAD_ONCE_INIT;

static void boot_read(void)
{
	char text[36];
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (read(fd, text, sizeof(text)) == sizeof(text))
		memcpy(boot_id, text, sizeof(text));
	close(fd);
}

const char *rota_world_boot_id(void)
{
	pthread_once(&boot_once, boot_read);
	return boot_id;
}
