/* arena.h: memory that is freed all at once. Not thread-safe. NULL means out of memory (or above
 * the arena's maximum); an arena stays usable after that. */
#ifndef ROTA_BASE_ARENA_H
#define ROTA_BASE_ARENA_H
#include <stddef.h>
#include <rota/status.h>

struct rota_arena_chunk;
struct rota_arena {
	struct rota_arena_chunk *chunks; /* newest first */
	char *at, *end;                  /* free part of the newest */
	size_t used_bytes, bytes_max;    /* handed out (rounded up); bytes_max 0: no maximum */
};
void rota_arena_init(struct rota_arena *arena, size_t bytes_max);
/* Frees everything but keeps one chunk of moderate size for the next round. */
void rota_arena_reset(struct rota_arena *arena);
void rota_arena_deinit(struct rota_arena *arena);
void *rota_arena_alloc_slow(struct rota_arena *arena, size_t size);
static inline size_t rota_arena_round(size_t size)
{
	return size ? (size + 15) & ~(size_t)15 : 16;
}
/* 16-byte aligned, not zeroed; size 0 gives a valid pointer. */
static inline void *rota_arena_alloc(struct rota_arena *arena, size_t size)
{
	size_t room = (size_t)(arena->end - arena->at), rounded = rota_arena_round(size);
	void *at = arena->at;

	/* a maximum of 0 wraps around to the largest; rounded is 0 when size is near SIZE_MAX */
	if (rounded > room || rounded < size ||
		arena->used_bytes + rounded - 1 > arena->bytes_max - 1)
		return rota_arena_alloc_slow(arena, size);
	arena->at += rounded;
	arena->used_bytes += rounded;
	return at;
}
void *rota_arena_zalloc(struct rota_arena *arena, size_t size);
/* count elements, checked for overflow, zeroed. */
void *rota_arena_array(struct rota_arena *arena, size_t count, size_t size);
/* NULL in, NULL out: look at the input to tell that from out of memory. */
char *rota_arena_strdup(struct rota_arena *arena, const char *text);
/* text has size bytes at least; NULs among them are copied. */
char *rota_arena_strndup(struct rota_arena *arena, const char *text, size_t size);
/* A copy (terminated by a NUL that is not counted). 1: done, 0: out of memory. */
int rota_arena_bytes(struct rota_arena *arena, struct rota_bytes from, struct rota_bytes *ret);
#endif
