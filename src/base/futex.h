/* futex.h: the kernel's waiting, on a word of this process or of a shared mapping. */
#ifndef ROTA_BASE_FUTEX_H
#define ROTA_BASE_FUTEX_H
#include <stdint.h>
#include <stdbool.h>
#include "base/world.h"
/* Sleeps while *word == seen, at most until tick deadline (ROTA_TICK_NEVER: for ever). Early returns
 * happen. shared: the word is in memory that other processes map. */
void rota_futex_wait(const uint32_t *word, uint32_t seen, rota_tick deadline, bool shared);
void rota_futex_wake(const uint32_t *word, int count, bool shared);
#endif
