#include <stdint.h>
#include "store/memory/tree.h"

/* splitmix64's finish: neighbours in memory must not be neighbours in weight. */
static uint64_t weight(const struct rota_mem_node *node)
{
	uint64_t x = (uint64_t)(uintptr_t)node;

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static struct rota_mem_node **link_of(struct rota_mem_tree *tree, const struct rota_mem_node *node)
{
	struct rota_mem_node *parent = node->parent;

	if (!parent)
		return &tree->root;
	return parent->left == node ? &parent->left : &parent->right;
}

/* node, a child, takes its parent's place; the order stays. */
static void rotate_up(struct rota_mem_tree *tree, struct rota_mem_node *node)
{
	struct rota_mem_node *parent = node->parent, *inner;

	*link_of(tree, parent) = node;
	node->parent = parent->parent;
	parent->parent = node;
	if (parent->left == node) {
		inner = node->right;
		node->right = parent;
		parent->left = inner;
	} else {
		inner = node->left;
		node->left = parent;
		parent->right = inner;
	}
	if (inner)
		inner->parent = parent;
}

void rota_mem_tree_add(struct rota_mem_tree *tree, struct rota_mem_node *node, rota_mem_order_fn *order)
{
	struct rota_mem_node **at = &tree->root, *parent = NULL;

	while (*at) {
		parent = *at;
		at = order(node, parent) < 0 ? &parent->left : &parent->right;
	}
	*node = (struct rota_mem_node){ .parent = parent };
	*at = node;
	while (node->parent && weight(node) > weight(node->parent))
		rotate_up(tree, node);
}

void rota_mem_tree_remove(struct rota_mem_tree *tree, struct rota_mem_node *node)
{
	struct rota_mem_node *child;

	while (node->left && node->right)
		rotate_up(tree, weight(node->left) > weight(node->right) ? node->left : node->right);
	child = node->left ? node->left : node->right;
	*link_of(tree, node) = child;
	if (child)
		child->parent = node->parent;
	*node = (struct rota_mem_node){ .parent = NULL };
}

struct rota_mem_node *rota_mem_tree_first(const struct rota_mem_tree *tree)
{
	struct rota_mem_node *node = tree->root;

	while (node && node->left)
		node = node->left;
	return node;
}

struct rota_mem_node *rota_mem_tree_last(const struct rota_mem_tree *tree)
{
	struct rota_mem_node *node = tree->root;

	while (node && node->right)
		node = node->right;
	return node;
}

struct rota_mem_node *rota_mem_tree_next(const struct rota_mem_node *node)
{
	if (node->right)
		return rota_mem_tree_first(&(struct rota_mem_tree){ .root = node->right });
	while (node->parent && node->parent->right == node)
		node = node->parent;
	return node->parent;
}

struct rota_mem_node *rota_mem_tree_prev(const struct rota_mem_node *node)
{
	if (node->left)
		return rota_mem_tree_last(&(struct rota_mem_tree){ .root = node->left });
	while (node->parent && node->parent->left == node)
		node = node->parent;
	return node->parent;
}

struct rota_mem_node *rota_mem_tree_find(const struct rota_mem_tree *tree, rota_mem_place_fn *place,
	const void *key)
{
	struct rota_mem_node *node = tree->root;

	while (node) {
		int side = place(node, key);

		if (!side)
			return node;
		node = side < 0 ? node->right : node->left;
	}
	return NULL;
}

struct rota_mem_node *rota_mem_tree_before(const struct rota_mem_tree *tree,
	rota_mem_place_fn *place, const void *key)
{
	struct rota_mem_node *node = tree->root, *best = NULL;

	while (node) {
		if (place(node, key) < 0) {
			best = node;
			node = node->right;
		} else {
			node = node->left;
		}
	}
	return best;
}
