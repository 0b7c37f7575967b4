#include "hub/siblings.h"

#include <string.h>

#include "hub/block.h"
#include "hub/blocks.h"

struct gw_block *gw_siblings_first(const struct gw_block *root)
{
    while (root && root->left)
        root = root->left;
    return (struct gw_block *)(uintptr_t)root;
}

struct gw_block *gw_siblings_last(const struct gw_block *root)
{
    while (root && root->right)
        root = root->right;
    return (struct gw_block *)(uintptr_t)root;
}

struct gw_block *gw_siblings_next(const struct gw_block *node)
{
    if (node->right)
        return gw_siblings_first(node->right);
    while (node->up && node->up->right == node)
        node = node->up;
    return node->up;
}

struct gw_block *gw_siblings_previous(const struct gw_block *node)
{
    if (node->left)
        return gw_siblings_last(node->left);
    while (node->up && node->up->left == node)
        node = node->up;
    return node->up;
}

struct gw_block *gw_siblings_before(const struct gw_block *root, const char *label)
{
    const struct gw_block *found = NULL;
    while (root) {
        if (strcmp(root->label.text, label) < 0) {
            found = root;
            root = root->right;
        } else {
            root = root->left;
        }
    }
    return (struct gw_block *)(uintptr_t)found;
}

static void recount_one(struct gw_block *node)
{
    node->sibling_count = 1;
    node->tallest = (uint32_t)gw_block_height(node);
    const struct gw_block *below[2] = {node->left, node->right};
    for (int i = 0; i < 2; i++) {
        if (!below[i])
            continue;
        node->sibling_count += below[i]->sibling_count;
        if (below[i]->tallest > node->tallest)
            node->tallest = below[i]->tallest;
    }
}

void gw_siblings_recount(struct gw_block *node)
{
    for (; node; node = node->up)
        recount_one(node);
}

/* Puts `with` (may be NULL) where `node` hangs. */
static void replace(struct gw_block **root, const struct gw_block *node, struct gw_block *with)
{
    if (!node->up)
        *root = with;
    else if (node->up->left == node)
        node->up->left = with;
    else
        node->up->right = with;
    if (with)
        with->up = node->up;
}

/* Lifts `node` over its parent, keeping the order. */
static void rotate_up(struct gw_block **root, struct gw_block *node)
{
    struct gw_block *above = node->up;
    replace(root, above, node);
    if (above->left == node) {
        above->left = node->right;
        if (node->right)
            node->right->up = above;
        node->right = above;
    } else {
        above->right = node->left;
        if (node->left)
            node->left->up = above;
        node->left = above;
    }
    above->up = node;
    recount_one(above);
    recount_one(node);
}

void gw_siblings_insert(struct gw_block **root, struct gw_block *previous, struct gw_block *node)
{
    node->left = node->right = node->up = NULL;
    struct gw_block *above = previous && !previous->right ? previous : gw_siblings_first(previous ? previous->right : *root);
    if (!above)
        *root = node;
    else if (above == previous)
        above->right = node;
    else
        above->left = node;
    node->up = above;
    recount_one(node);
    while (node->up && node->up->priority < node->priority)
        rotate_up(root, node);
    gw_siblings_recount(node);
}

void gw_siblings_remove(struct gw_block **root, struct gw_block *node)
{
    while (node->left && node->right)
        rotate_up(root, node->left->priority > node->right->priority ? node->left : node->right);
    replace(root, node, node->left ? node->left : node->right);
    gw_siblings_recount(node->up);
    node->left = node->right = node->up = NULL;
}
