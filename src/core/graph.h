/* graph.h: does a set of edges have a cycle? Pure but for memory, which comes from an arena. */
#ifndef ROTA_CORE_GRAPH_H
#define ROTA_CORE_GRAPH_H
#include <stddef.h>
#include <stdint.h>
#include <rota/status.h>
#include "base/arena.h"

struct rota_graph_edge {
	int64_t from, to; /* predecessor, successor: ids */
};
/* Linear in the edges, and needs about 40 bytes of arena for each. *ret_cycle: the nodes of one cycle in
 * order (each a predecessor of the next, the last of the first), *ret_count of them; 0: none. The same
 * for the same edges in any order.
 * ROTA_NO_MEMORY, or ROTA_LIMIT above 2^31 edges. Edges are reordered. */
enum rota_status rota_graph_cycle(struct rota_graph_edge *edges, size_t n, struct rota_arena *arena,
	int64_t **ret_cycle, size_t *ret_count, struct rota_error *err);
#endif
