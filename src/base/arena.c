/* arena.c: chunks that double in size; what is larger gets a chunk of its own. */
#include "base/arena.h"
#include "base/macros.h"
#include <stdint.h>
#include <string.h>

#define CHUNK_BYTES_MIN ((size_t)4 << 10)
#define CHUNK_BYTES_MAX ((size_t)1 << 20) /* also what reset keeps: a group's worth */

struct rota_arena_chunk {
	struct rota_arena_chunk *next;
	size_t size; /* of what follows */
	_Alignas(16) char data[];
};

void rota_arena_init(struct rota_arena *arena, size_t bytes_max)
{
	*arena = (struct rota_arena){.bytes_max = bytes_max};
}

static void use(struct rota_arena *arena, struct rota_arena_chunk *chunk)
{
	arena->at = chunk ? chunk->data : NULL;
	arena->end = chunk ? chunk->data + chunk->size : NULL;
}

void rota_arena_reset(struct rota_arena *arena)
{
	struct rota_arena_chunk *chunk, *next, *keep = NULL;

	for (chunk = arena->chunks; chunk; chunk = next) {
		next = chunk->next;
		if (chunk->size <= CHUNK_BYTES_MAX && (!keep || chunk->size > keep->size)) {
			free(keep);
			keep = chunk;
		} else {
			free(chunk);
		}
	}
	if (keep)
		keep->next = NULL;
	arena->chunks = keep;
	arena->used_bytes = 0;
	use(arena, keep);
}

void rota_arena_deinit(struct rota_arena *arena)
{
	struct rota_arena_chunk *chunk, *next;

	for (chunk = arena->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	rota_arena_init(arena, arena->bytes_max);
}

static struct rota_arena_chunk *chunk_new(size_t size)
{
	struct rota_arena_chunk *chunk = malloc(sizeof(*chunk) + size);

	if (chunk)
		*chunk = (struct rota_arena_chunk){.size = size};
	return chunk;
}

/* A chunk for this one allocation goes behind the newest, whose free part stays in use. */
static void *alloc_alone(struct rota_arena *arena, size_t size)
{
	struct rota_arena_chunk *chunk = chunk_new(size);

	if (!chunk)
		return NULL;
	if (arena->chunks) {
		chunk->next = arena->chunks->next;
		arena->chunks->next = chunk;
	} else {
		arena->chunks = chunk;
		arena->at = arena->end = chunk->data + size;
	}
	arena->used_bytes += size;
	return chunk->data;
}

static void *alloc_in_new(struct rota_arena *arena, size_t chunk_size, size_t size)
{
	struct rota_arena_chunk *chunk = chunk_new(chunk_size);

	if (!chunk)
		return NULL;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	use(arena, chunk);
	arena->at += size;
	arena->used_bytes += size;
	return chunk->data;
}

void *rota_arena_alloc_slow(struct rota_arena *arena, size_t size)
{
	size_t max = arena->bytes_max ? arena->bytes_max : SIZE_MAX / 2;
	size_t last = arena->chunks ? arena->chunks->size : 0;
	size_t want = ROTA_MIN(ROTA_MAX(last * 2, CHUNK_BYTES_MIN), CHUNK_BYTES_MAX);

	if (size > SIZE_MAX / 2)
		return NULL;
	size = rota_arena_round(size);
	if (arena->used_bytes > max || size > max - arena->used_bytes)
		return NULL;
	if (size > want / 4)
		return alloc_alone(arena, size);
	return alloc_in_new(arena, want, size);
}

void *rota_arena_zalloc(struct rota_arena *arena, size_t size)
{
	void *memory = rota_arena_alloc(arena, size);

	if (memory)
		memset(memory, 0, size);
	return memory;
}

void *rota_arena_array(struct rota_arena *arena, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		return NULL;
	return rota_arena_zalloc(arena, total);
}

char *rota_arena_strndup(struct rota_arena *arena, const char *text, size_t size)
{
	char *copy;

	if (!text || size == SIZE_MAX)
		return NULL;
	copy = rota_arena_alloc(arena, size + 1);
	if (!copy)
		return NULL;
	memcpy(copy, text, size);
	copy[size] = 0;
	return copy;
}

char *rota_arena_strdup(struct rota_arena *arena, const char *text)
{
	return text ? rota_arena_strndup(arena, text, strlen(text)) : NULL;
}

int rota_arena_bytes(struct rota_arena *arena, struct rota_bytes from, struct rota_bytes *ret)
{
	struct rota_bytes copy = {NULL, 0};

	if (from.data) {
		copy.data = rota_arena_strndup(arena, from.data, from.size);
		copy.size = from.size;
		if (!copy.data)
			return 0;
	}
	*ret = copy;
	return 1;
}
