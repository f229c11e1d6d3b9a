/* map.h: hash maps over uthash, which is kept away from everybody else (it exits when memory runs
 * out by default; here it answers). Keys are 64-bit numbers or texts, values are pointers or
 * numbers. Not thread-safe. */
#ifndef ROTA_BASE_MAP_H
#define ROTA_BASE_MAP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rota_map; /* opaque: NULL is an empty map */

/* A map is `struct rota_map *map = NULL;`. put returns false when out of memory. */
bool rota_map_put(struct rota_map **map, int64_t key, void *value);
void *rota_map_get(const struct rota_map *map, int64_t key); /* NULL: absent */
void *rota_map_remove(struct rota_map **map, int64_t key);   /* the value, NULL: absent */
size_t rota_map_count(const struct rota_map *map);
/* Any order; fn must not change the map. Stops when fn returns false. */
void rota_map_each(const struct rota_map *map, bool (*fn)(void *arg, int64_t key, void *value), void *arg);
void rota_map_free(struct rota_map **map);

struct rota_names; /* texts to numbers; NULL is empty */
bool rota_names_put(struct rota_names **names, const char *text, int64_t value);
/* True and *ret_value when there. */
bool rota_names_get(const struct rota_names *names, const char *text, int64_t *ret_value);
void rota_names_free(struct rota_names **names);
#endif
