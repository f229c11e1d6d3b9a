/* tree.h: ordered sets whose nodes sit inside their owners, so that nothing here allocates and a
 * rollback cannot fail. A treap: its shape follows from the nodes' addresses, not from the order
 * in which they came. */
#ifndef ROTA_STORE_MEMORY_TREE_H
#define ROTA_STORE_MEMORY_TREE_H
#include <stdbool.h>
#include <stddef.h>

struct rota_mem_node {
	struct rota_mem_node *parent, *left, *right;
};
/* Which of two nodes is first: <0, 0 (never both in one tree), >0. */
typedef int rota_mem_order_fn(const struct rota_mem_node *a, const struct rota_mem_node *b);
/* Where a node stands seen from a key: <0 before it, 0 it is the one, >0 after it. */
typedef int rota_mem_place_fn(const struct rota_mem_node *node, const void *key);

struct rota_mem_tree {
	struct rota_mem_node *root;
};
void rota_mem_tree_add(struct rota_mem_tree *tree, struct rota_mem_node *node, rota_mem_order_fn *order);
void rota_mem_tree_remove(struct rota_mem_tree *tree, struct rota_mem_node *node);
struct rota_mem_node *rota_mem_tree_first(const struct rota_mem_tree *tree);
struct rota_mem_node *rota_mem_tree_last(const struct rota_mem_tree *tree);
struct rota_mem_node *rota_mem_tree_next(const struct rota_mem_node *node);
struct rota_mem_node *rota_mem_tree_prev(const struct rota_mem_node *node);
/* The node at the key; NULL: none. */
struct rota_mem_node *rota_mem_tree_find(const struct rota_mem_tree *tree, rota_mem_place_fn *place,
	const void *key);
/* The last node before the key; NULL: none. */
struct rota_mem_node *rota_mem_tree_before(const struct rota_mem_tree *tree,
	rota_mem_place_fn *place, const void *key);
#endif
