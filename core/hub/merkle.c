#include "hub/merkle.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

enum { FAN_OUT = 16, DIGITS = 2 * GW_SHA256_BYTES };

/* A leaf or an inner node; which of the two stands in the first byte of both. */
struct node {
    bool is_inner;
};

struct leaf {
    struct node node;
    uint8_t key[GW_SHA256_BYTES];
    uint8_t digest[GW_SHA256_BYTES];
};

struct inner {
    struct node node;
    bool is_stale; /* then so is every inner node above */
    uint8_t digest[GW_SHA256_BYTES];
    struct node *children[FAN_OUT];
};

struct gw_merkle {
    struct node *root;
    size_t count;
};

static struct inner *as_inner(struct node *node) { return node && node->is_inner ? (struct inner *)(void *)node : NULL; }
static struct leaf *as_leaf(struct node *node) { return (struct leaf *)(void *)node; }

static unsigned digit(const uint8_t key[GW_SHA256_BYTES], unsigned depth)
{
    return depth % 2 ? key[depth / 2] & 15u : (unsigned)key[depth / 2] >> 4;
}

struct gw_merkle *gw_merkle_create(void)
{
    struct gw_merkle *merkle = gw_try_alloc(sizeof *merkle);
    if (merkle)
        *merkle = (struct gw_merkle){0};
    return merkle;
}

/* Recurses as deep as the trie is: at most DIGITS, some log16(count) of them in practice. */
static void free_node(struct node *node)
{
    struct inner *inner = as_inner(node);
    for (size_t i = 0; inner && i < FAN_OUT; i++)
        free_node(inner->children[i]);
    gw_free(node);
}

void gw_merkle_destroy(struct gw_merkle *merkle)
{
    if (!merkle)
        return;
    free_node(merkle->root);
    gw_free(merkle);
}

size_t gw_merkle_count(const struct gw_merkle *merkle) { return merkle->count; }

/* ---- changing ---- */

static int add_leaf(struct gw_merkle *merkle, struct node **place, const uint8_t key[GW_SHA256_BYTES],
                    const uint8_t digest[GW_SHA256_BYTES])
{
    struct leaf *leaf = gw_try_alloc(sizeof *leaf);
    if (!leaf)
        return GW_ENOMEM;
    leaf->node.is_inner = false;
    memcpy(leaf->key, key, sizeof leaf->key);
    memcpy(leaf->digest, digest, sizeof leaf->digest);
    *place = &leaf->node;
    merkle->count++;
    return GW_OK;
}

/* Puts an inner node above the leaf at *place. */
static int push_down(struct node **place, unsigned depth)
{
    assert(depth < DIGITS); /* two keys of the same digits are one key */
    struct inner *inner = gw_try_alloc(sizeof *inner);
    if (!inner)
        return GW_ENOMEM;
    memset(inner, 0, sizeof *inner);
    inner->node.is_inner = inner->is_stale = true;
    inner->children[digit(as_leaf(*place)->key, depth)] = *place;
    *place = &inner->node;
    return GW_OK;
}

int gw_merkle_put(struct gw_merkle *merkle, const uint8_t key[GW_SHA256_BYTES], const uint8_t leaf[GW_SHA256_BYTES])
{
    struct node **place = &merkle->root;
    for (unsigned depth = 0;; depth++) {
        if (!*place)
            return add_leaf(merkle, place, key, leaf);
        struct inner *inner = as_inner(*place);
        if (!inner && memcmp(as_leaf(*place)->key, key, GW_SHA256_BYTES) == 0) {
            memcpy(as_leaf(*place)->digest, leaf, GW_SHA256_BYTES);
            return GW_OK;
        }
        if (!inner && push_down(place, depth))
            return GW_ENOMEM;
        inner = as_inner(*place);
        inner->is_stale = true;
        place = &inner->children[digit(key, depth)];
    }
}

static size_t child_count(const struct inner *inner, struct node **last)
{
    size_t count = 0;
    for (size_t i = 0; i < FAN_OUT; i++) {
        if (!inner->children[i])
            continue;
        *last = inner->children[i];
        count++;
    }
    return count;
}

/* A set of one leaf has no inner node: takes away those on the path that hold no more, from the bottom up. */
static void pull_up(struct node **path[DIGITS], unsigned depth)
{
    while (depth-- > 0) {
        struct node *last = NULL;
        struct inner *inner = as_inner(*path[depth]);
        size_t count = child_count(inner, &last);
        if (count > 1 || (count == 1 && last->is_inner))
            return;
        gw_free(inner);
        *path[depth] = last;
    }
}

void gw_merkle_remove(struct gw_merkle *merkle, const uint8_t key[GW_SHA256_BYTES])
{
    struct node **path[DIGITS], **place = &merkle->root;
    unsigned depth = 0;
    for (struct inner *inner; (inner = as_inner(*place)); depth++) {
        path[depth] = place;
        place = &inner->children[digit(key, depth)];
    }
    if (!*place || memcmp(as_leaf(*place)->key, key, GW_SHA256_BYTES) != 0)
        return;
    gw_free(*place);
    *place = NULL;
    merkle->count--;
    for (unsigned i = 0; i < depth; i++)
        as_inner(*path[i])->is_stale = true;
    pull_up(path, depth);
}

/* ---- the digest ---- */

static const uint8_t *digest_of(struct node *node)
{
    static const uint8_t nothing[GW_SHA256_BYTES];
    struct inner *inner = as_inner(node);
    if (!node)
        return nothing;
    if (!inner)
        return as_leaf(node)->digest;
    if (!inner->is_stale)
        return inner->digest;
    uint8_t bytes[1 + FAN_OUT * GW_SHA256_BYTES] = {0x01};
    for (size_t i = 0; i < FAN_OUT; i++)
        memcpy(bytes + 1 + i * GW_SHA256_BYTES, digest_of(inner->children[i]), GW_SHA256_BYTES);
    gw_sha256(bytes, sizeof bytes, inner->digest);
    inner->is_stale = false;
    return inner->digest;
}

void gw_merkle_root(struct gw_merkle *merkle, uint8_t out[GW_SHA256_BYTES]) { memcpy(out, digest_of(merkle->root), GW_SHA256_BYTES); }
