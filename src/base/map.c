/* map.c: the one place that knows uthash. */
#include "base/map.h"
#include "base/macros.h"
#include <string.h>
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(entry) ((entry)->lost = true)
#include <uthash.h>

struct map_entry {
	int64_t key;
	void *value;
	bool lost; /* uthash had no memory for it */
	UT_hash_handle hh;
};
struct rota_map {
	struct map_entry *head;
};

/* Ids are consecutive; uthash takes the low bits for the bucket. */
static unsigned hash_key(int64_t key)
{
	return (unsigned)((uint64_t)key * 0x9e3779b97f4a7c15 >> 32);
}

static struct map_entry *map_find(const struct rota_map *map, int64_t key)
{
	struct map_entry *found = NULL;

	if (map)
		HASH_FIND_BYHASHVALUE(hh, map->head, &key, sizeof(key), hash_key(key), found);
	return found;
}

static bool map_add(struct rota_map *map, int64_t key, void *value)
{
	struct map_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return false;
	entry->key = key;
	entry->value = value;
	HASH_ADD_KEYPTR_BYHASHVALUE(
		hh, map->head, &entry->key, sizeof(entry->key), hash_key(key), entry);
	if (!entry->lost)
		return true;
	free(entry);
	return false;
}

bool rota_map_put(struct rota_map **map, int64_t key, void *value)
{
	struct map_entry *entry = map_find(*map, key);

	if (entry) {
		entry->value = value;
		return true;
	}
	if (!*map)
		*map = calloc(1, sizeof(**map));
	return *map && map_add(*map, key, value);
}

void *rota_map_get(const struct rota_map *map, int64_t key)
{
	struct map_entry *entry = map_find(map, key);

	return entry ? entry->value : NULL;
}

void *rota_map_remove(struct rota_map **map, int64_t key)
{
	struct map_entry *entry = map_find(*map, key);
	void *value;

	if (!entry)
		return NULL;
	value = entry->value;
	HASH_DELETE(hh, (*map)->head, entry);
	free(entry);
	return value;
}

size_t rota_map_count(const struct rota_map *map)
{
	return map ? HASH_COUNT(map->head) : 0;
}

void rota_map_each(
	const struct rota_map *map, bool (*fn)(void *arg, int64_t key, void *value), void *arg)
{
	struct map_entry *entry;

	for (entry = map ? map->head : NULL; entry; entry = entry->hh.next)
		if (!fn(arg, entry->key, entry->value))
			return;
}

void rota_map_free(struct rota_map **map)
{
	struct map_entry *entry, *next;

	if (!*map)
		return;
	entry = (*map)->head;
	HASH_CLEAR(hh, (*map)->head);
	for (; entry; entry = next) {
		next = entry->hh.next;
		free(entry);
	}
	free(*map);
	*map = NULL;
}

struct name_entry {
	int64_t value;
	bool lost;
	UT_hash_handle hh;
	char text[];
};
struct rota_names {
	struct name_entry *head;
};

static struct name_entry *names_find(const struct rota_names *names, const char *text)
{
	struct name_entry *found = NULL;

	if (names)
		HASH_FIND(hh, names->head, text, strlen(text), found);
	return found;
}

static bool names_add(struct rota_names *names, const char *text, int64_t value)
{
	size_t size = strlen(text);
	struct name_entry *entry = calloc(1, sizeof(*entry) + size + 1);

	if (!entry)
		return false;
	entry->value = value;
	memcpy(entry->text, text, size + 1);
	HASH_ADD_KEYPTR(hh, names->head, entry->text, size, entry);
	if (!entry->lost)
		return true;
	free(entry);
	return false;
}

bool rota_names_put(struct rota_names **names, const char *text, int64_t value)
{
	struct name_entry *entry = names_find(*names, text);

	if (entry) {
		entry->value = value;
		return true;
	}
	if (!*names)
		*names = calloc(1, sizeof(**names));
	return *names && names_add(*names, text, value);
}

bool rota_names_get(const struct rota_names *names, const char *text, int64_t *ret_value)
{
	struct name_entry *entry = names_find(names, text);

	if (entry)
		*ret_value = entry->value;
	return entry;
}

void rota_names_free(struct rota_names **names)
{
	struct name_entry *entry, *next;

	if (!*names)
		return;
	entry = (*names)->head;
	HASH_CLEAR(hh, (*names)->head);
	for (; entry; entry = next) {
		next = entry->hh.next;
		free(entry);
	}
	free(*names);
	*names = NULL;
}
