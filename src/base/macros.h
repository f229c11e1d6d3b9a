/* macros.h: the few words of C that the compiler lacks. */
#ifndef ROTA_BASE_MACROS_H
#define ROTA_BASE_MACROS_H
#include <stddef.h>
#include <stdlib.h>

#define ROTA_CLEANUP(fn) __attribute__((cleanup(fn)))
#define ROTA_MUST_USE __attribute__((warn_unused_result)) /* ROTA_CALL, but not exported */
#define ROTA_UNUSED __attribute__((unused))
#define ROTA_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ROTA_MIN(a, b) ((a) < (b) ? (a) : (b))
#define ROTA_MAX(a, b) ((a) > (b) ? (a) : (b))
#define ROTA_CONTAINER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
/* Hands a pointer on and forgets it. */
#define ROTA_TAKE(ptr)                                                                             \
	__extension__({                                                                            \
		__typeof__(ptr) rota_taken_ = (ptr);                                               \
		(ptr) = NULL;                                                                      \
		rota_taken_;                                                                       \
	})

/* Stays on in release: a queue that has lost its mind must stop, not acknowledge. */
#define ROTA_ASSERT(cond) ((cond) ? (void)0 : rota_assert_failed(#cond, __FILE__, __LINE__))
_Noreturn void rota_assert_failed(const char *cond, const char *file, int line);

static inline void rota_free_ptr(void *p)
{
	free(*(void **)p);
}
/* char *text ROTA_AUTO_FREE = …; */
#define ROTA_AUTO_FREE ROTA_CLEANUP(rota_free_ptr)
#endif
