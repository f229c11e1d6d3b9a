/* futex.c: the kernel's waiting. Deadlines are ticks of the boot clock, which futex(2) does not
 * know, so the wait is relative; after a suspend it may end late, and callers look again anyway. */
#include "base/futex.h"
#include "base/macros.h"
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void rota_futex_wait(const uint32_t *word, uint32_t seen, rota_tick deadline, bool shared)
{
	int op = shared ? FUTEX_WAIT : FUTEX_WAIT_PRIVATE;
	struct timespec left, *timeout = NULL;
	int64_t us;

	if (deadline != ROTA_TICK_NEVER) {
		struct rota_world *world = rota_world_real();

		us = deadline - world->now(world);
		if (us <= 0)
			return;
		left = (struct timespec){us / 1000000, us % 1000000 * 1000};
		timeout = &left;
	}
	syscall(SYS_futex, word, op, seen, timeout, NULL, 0);
}

void rota_futex_wake(const uint32_t *word, int count, bool shared)
{
	syscall(SYS_futex, word, shared ? FUTEX_WAKE : FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}
