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
	size_t used_bytes, bytes_max;    /* bytes_max 0: no maximum */
};
void rota_arena_init(struct rota_arena *arena, size_t bytes_max);
/* Frees everything but keeps one chunk of moderate size for the next round. */
void rota_arena_reset(struct rota_arena *arena);
void rota_arena_deinit(struct rota_arena *arena);
/* 16-byte aligned, not zeroed; size 0 gives a valid pointer. */
void *rota_arena_alloc(struct rota_arena *arena, size_t size);
void *rota_arena_zalloc(struct rota_arena *arena, size_t size);
/* count elements, checked for overflow, zeroed. */
void *rota_arena_array(struct rota_arena *arena, size_t count, size_t size);
/* NULL in, NULL out: look at the input to tell that from out of memory. */
char *rota_arena_strdup(struct rota_arena *arena, const char *text);
char *rota_arena_strndup(struct rota_arena *arena, const char *text, size_t size);
/* A copy (terminated by a NUL that is not counted). 1: done, 0: out of memory. */
int rota_arena_bytes(struct rota_arena *arena, struct rota_bytes from, struct rota_bytes *ret);
#endif
