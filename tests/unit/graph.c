/* graph.c: cycles, against a search that is slow and obviously right. */
#include "test.h"
#include "base/macros.h"
#include "core/graph.h"

#define NODES 12

static bool reach[NODES][NODES];

/* Warshall: whoever reaches himself is on a cycle. */
static bool has_cycle(const struct rota_graph_edge *edges, size_t n, const int64_t *ids)
{
	memset(reach, 0, sizeof(reach));
	for (size_t e = 0; e < n; e++)
		for (int a = 0; a < NODES; a++)
			for (int b = 0; b < NODES; b++)
				if (edges[e].from == ids[a] && edges[e].to == ids[b])
					reach[a][b] = true;
	for (int k = 0; k < NODES; k++)
		for (int a = 0; a < NODES; a++)
			for (int b = 0; b < NODES; b++)
				reach[a][b] |= reach[a][k] && reach[k][b];
	for (int a = 0; a < NODES; a++)
		if (reach[a][a])
			return true;
	return false;
}

static bool is_edge(const struct rota_graph_edge *edges, size_t n, int64_t from, int64_t to)
{
	for (size_t i = 0; i < n; i++)
		if (edges[i].from == from && edges[i].to == to)
			return true;
	return false;
}

/* A real cycle of these edges that names no node twice. */
static void check_cycle(
	const struct rota_graph_edge *edges, size_t n, const int64_t *cycle, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		CHECK(is_edge(edges, n, cycle[i], cycle[(i + 1) % count]));
		for (size_t j = 0; j < i; j++)
			CHECK(cycle[i] != cycle[j]);
	}
}

static void shuffle(struct rota_graph_edge *edges, size_t n, uint64_t *seed)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = test_random(seed) % i;
		struct rota_graph_edge swap = edges[i - 1];

		edges[i - 1] = edges[j];
		edges[j] = swap;
	}
}

static void one_random_graph(uint64_t *seed)
{
	struct rota_graph_edge edges[NODES * 2], again[NODES * 2];
	size_t n = test_random(seed) % ROTA_COUNT(edges), count, count_again;
	int64_t ids[NODES], *cycle, *cycle_again;
	struct rota_arena arena;

	for (int i = 0; i < NODES; i++)
		ids[i] = test_random(seed) % 2 ? (int64_t)test_random(seed) : i - 3;
	for (size_t i = 0; i < n; i++)
		edges[i] = (struct rota_graph_edge){
			ids[test_random(seed) % NODES], ids[test_random(seed) % NODES]};
	memcpy(again, edges, sizeof(edges));
	shuffle(again, n, seed);
	rota_arena_init(&arena, 0);
	CHECK_OK(rota_graph_cycle(edges, n, &arena, &cycle, &count, NULL), NULL);
	CHECK_EQ(count > 0, has_cycle(edges, n, ids));
	check_cycle(edges, n, cycle, count);
	CHECK_OK(rota_graph_cycle(again, n, &arena, &cycle_again, &count_again, NULL), NULL);
	CHECK_EQ(count, count_again);
	CHECK(!count || !memcmp(cycle, cycle_again, count * sizeof(*cycle)));
	rota_arena_deinit(&arena);
}

TEST(random_graphs_have_a_cycle_exactly_when_a_slow_search_finds_one)
{
	uint64_t seed = test_seed();

	for (int i = 0; i < 20000; i++)
		one_random_graph(&seed);
}

static size_t cycle_of(
	struct rota_graph_edge *edges, size_t n, struct rota_arena *arena, int64_t **ret)
{
	size_t count = 99;

	rota_arena_reset(arena);
	CHECK_OK(rota_graph_cycle(edges, n, arena, ret, &count, NULL), NULL);
	return count;
}

TEST(small_graphs_are_answered_in_words_order)
{
	struct rota_graph_edge self[] = {{5, 5}}, two[] = {{3, 5}, {5, 3}, {1, 3}};
	struct rota_graph_edge twice[] = {{1, 2}, {1, 2}},
			       diamond[] = {{1, 2}, {1, 3}, {2, 4}, {3, 4}};
	struct rota_arena arena;
	int64_t *cycle;

	rota_arena_init(&arena, 0);
	CHECK_EQ(cycle_of(NULL, 0, &arena, &cycle), 0);
	CHECK_EQ(cycle_of(twice, 2, &arena, &cycle), 0);
	CHECK_EQ(cycle_of(diamond, 4, &arena, &cycle), 0);
	CHECK_EQ(cycle_of(self, 1, &arena, &cycle), 1);
	CHECK_EQ(cycle[0], 5);
	CHECK_EQ(cycle_of(two, 3, &arena, &cycle), 2);
	CHECK_EQ(cycle[0], 3);
	CHECK_EQ(cycle[1], 5);
	rota_arena_deinit(&arena);
}

TEST(no_memory_is_an_answer)
{
	struct rota_graph_edge edges[] = {{1, 2}, {2, 1}};
	int64_t *cycle = NULL;
	struct rota_arena arena;
	struct rota_error err;
	size_t count = 99;

	rota_arena_init(&arena, 40);
	CHECK_STATUS(
		rota_graph_cycle(edges, 2, &arena, &cycle, &count, &err), ROTA_NO_MEMORY, &err);
	CHECK_EQ(count, 99);
	CHECK(!cycle);
	rota_arena_deinit(&arena);
}

#define LARGE 1000000

static struct rota_graph_edge *large(void)
{
	struct rota_graph_edge *edges = calloc(LARGE, sizeof(*edges));

	CHECK(edges);
	return edges;
}

static void check_large(struct rota_graph_edge *edges, size_t n, size_t want)
{
	struct rota_arena arena;
	int64_t *cycle;

	rota_arena_init(&arena, 0);
	CHECK_EQ(cycle_of(edges, n, &arena, &cycle), want);
	CHECK(arena.used_bytes < 48 * LARGE + want * 8);
	rota_arena_deinit(&arena);
	free(edges);
}

/* A chain is the deepest search: no recursion may be in it. */
TEST_LIMIT(a_million_edges_in_a_chain_and_in_a_ring, 20)
{
	struct rota_graph_edge *chain = large(), *ring = large();

	for (int64_t i = 0; i < LARGE; i++) {
		chain[i] = (struct rota_graph_edge){LARGE - i, LARGE - i + 1};
		ring[i] = (struct rota_graph_edge){i, (i + 1) % LARGE};
	}
	check_large(chain, LARGE, 0);
	check_large(ring, LARGE, LARGE);
}

TEST_LIMIT(a_million_edges_in_layers_between_few_nodes_and_out_of_one, 20)
{
	struct rota_graph_edge *layers = large(), *dense = large(), *star = large();
	uint64_t seed = test_seed();

	for (int64_t i = 0; i < LARGE; i++) {
		/* every node of a layer of ten before every one of the next */
		layers[i] = (struct rota_graph_edge){
			i / 100 * 10 + i % 10, i / 100 * 10 + 10 + i / 10 % 10};
		dense[i].from = (int64_t)(test_random(&seed) % 1000);
		dense[i].to = dense[i].from + 1 + (int64_t)(test_random(&seed) % 1000);
		star[i] = (struct rota_graph_edge){0, (int64_t)(test_random(&seed) >> 1) + 1};
	}
	check_large(layers, LARGE, 0);
	check_large(dense, LARGE, 0);
	check_large(star, LARGE, 0);
}
