/* graph.c: cycles among edges. Edges are sorted by their start, starts are numbered, and a
 * depth-first search walks them without recursion. Ends that nothing starts from cannot be on a
 * cycle. */
#include "core/graph.h"
#include "base/error.h"
#include "base/macros.h"
#include <stdbool.h>
#include <string.h>

#define NONE UINT32_MAX

struct graph {
	struct rota_graph_edge *edges; /* sorted by from, then to */
	size_t n, node_count;
	uint32_t *first;  /* node → its first edge; node_count + 1 of them */
	uint32_t *target; /* edge → node, or NONE */
	uint32_t *cursor; /* node → its next edge to look at */
	uint32_t *stack;  /* nodes on the current path */
	uint8_t *seen;    /* 0: not yet, 1: on the path, 2: no cycle from here */
	uint32_t *table;  /* hash: node + 1 */
	size_t table_mask;
};

static uint64_t sort_key(const struct rota_graph_edge *edge, bool by_from)
{
	int64_t id = by_from ? edge->from : edge->to;

	return (uint64_t)id ^ (uint64_t)1 << 63;
}

/* One stable pass of a radix sort over a byte of the key; false when all have the same byte. */
static bool sort_byte(const struct rota_graph_edge *from, struct rota_graph_edge *to, size_t n,
	bool by_from, unsigned shift)
{
	size_t count[256] = {0}, at = 0;

	for (size_t i = 0; i < n; i++)
		count[sort_key(&from[i], by_from) >> shift & 255]++;
	if (count[sort_key(&from[0], by_from) >> shift & 255] == n)
		return false;
	for (size_t b = 0; b < 256; b++) {
		size_t here = count[b];

		count[b] = at;
		at += here;
	}
	for (size_t i = 0; i < n; i++)
		to[count[sort_key(&from[i], by_from) >> shift & 255]++] = from[i];
	return true;
}

/* By from, then to, so that the answer does not depend on the order of the question. */
static void sort(struct rota_graph_edge *edges, struct rota_graph_edge *spare, size_t n)
{
	struct rota_graph_edge *from = edges, *to = spare, *swap;

	for (unsigned pass = 0; pass < 16; pass++) {
		if (sort_byte(from, to, n, pass >= 8, pass % 8 * 8)) {
			swap = from;
			from = to;
			to = swap;
		}
	}
	if (from != edges)
		memcpy(edges, from, n * sizeof(*edges));
}

static size_t slot_of(const struct graph *g, int64_t id)
{
	return (size_t)((uint64_t)id * 0x9e3779b97f4a7c15 >> 20) & g->table_mask;
}

static int64_t node_id(const struct graph *g, uint32_t node)
{
	return g->edges[g->first[node]].from;
}

static void number_nodes(struct graph *g)
{
	for (size_t i = 0; i < g->n; i++) {
		if (i && g->edges[i].from == g->edges[i - 1].from)
			continue;
		g->first[g->node_count] = (uint32_t)i;
		g->cursor[g->node_count++] = (uint32_t)i;
	}
	g->first[g->node_count] = (uint32_t)g->n;
}

static void table_fill(struct graph *g)
{
	for (size_t node = 0; node < g->node_count; node++) {
		size_t slot = slot_of(g, node_id(g, (uint32_t)node));

		while (g->table[slot])
			slot = (slot + 1) & g->table_mask;
		g->table[slot] = (uint32_t)node + 1;
	}
}

static uint32_t find(const struct graph *g, int64_t id)
{
	size_t slot = slot_of(g, id);

	for (; g->table[slot]; slot = (slot + 1) & g->table_mask)
		if (node_id(g, g->table[slot] - 1) == id)
			return g->table[slot] - 1;
	return NONE;
}

static bool prepare(
	struct graph *g, struct rota_graph_edge *edges, size_t n, struct rota_arena *arena)
{
	struct rota_graph_edge *spare = rota_arena_alloc(arena, n * sizeof(*edges));
	uint32_t *words = (uint32_t *)(void *)spare; /* four a piece, free again after the sort */
	size_t slots = 4;

	*g = (struct graph){.edges = edges, .n = n};
	while (slots < n * 2)
		slots *= 2;
	g->table = rota_arena_array(arena, slots, sizeof(*g->table));
	g->table_mask = slots - 1;
	g->seen = rota_arena_array(arena, n, 1);
	g->first = rota_arena_alloc(arena, (n + 1) * sizeof(*g->first));
	if (!spare || !g->table || !g->seen || !g->first)
		return false;
	sort(edges, spare, n);
	g->target = words;
	g->cursor = words + n;
	g->stack = words + 2 * n;
	number_nodes(g);
	table_fill(g);
	for (size_t i = 0; i < n; i++)
		g->target[i] = find(g, edges[i].to);
	return true;
}

/* Follows edges from root; the depth at which a cycle closes, with *ret_start the depth where it
 * begins; 0: no cycle. */
static size_t search(struct graph *g, uint32_t root, size_t *ret_start)
{
	size_t depth = 1;

	g->stack[0] = root;
	g->seen[root] = 1;
	while (depth) {
		uint32_t node = g->stack[depth - 1], next;

		if (g->cursor[node] == g->first[node + 1]) {
			g->seen[node] = 2;
			depth--;
			continue;
		}
		next = g->target[g->cursor[node]++];
		if (next == NONE || g->seen[next] == 2)
			continue;
		if (g->seen[next] == 1) {
			for (*ret_start = depth - 1; g->stack[*ret_start] != next;)
				--*ret_start;
			return depth;
		}
		g->seen[next] = 1;
		g->stack[depth++] = next;
	}
	return 0;
}

static enum rota_status answer(const struct graph *g, size_t start, size_t end,
	struct rota_arena *arena, int64_t **ret_cycle, size_t *ret_count, struct rota_error *err)
{
	int64_t *cycle = rota_arena_array(arena, end - start, sizeof(*cycle));

	if (!cycle)
		return rota_err_memory(err);
	for (size_t i = start; i < end; i++)
		cycle[i - start] = node_id(g, g->stack[i]);
	*ret_cycle = cycle;
	*ret_count = end - start;
	return ROTA_OK;
}

enum rota_status rota_graph_cycle(struct rota_graph_edge *edges, size_t n, struct rota_arena *arena,
	int64_t **ret_cycle, size_t *ret_count, struct rota_error *err)
{
	struct graph g;
	size_t start, end;

	if (n >= UINT32_MAX / 2)
		return rota_err(err, ROTA_LIMIT, "%zu edges in one graph; at most %u", n,
			UINT32_MAX / 2 - 1);
	if (n && !prepare(&g, edges, n, arena))
		return rota_err_memory(err);
	for (uint32_t root = 0; n && root < g.node_count; root++) {
		if (g.seen[root])
			continue;
		end = search(&g, root, &start);
		if (end)
			return answer(&g, start, end, arena, ret_cycle, ret_count, err);
	}
	*ret_cycle = NULL;
	*ret_count = 0;
	return ROTA_OK;
}
