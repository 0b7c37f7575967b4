/* removed.h — the ids that were removed lately, oldest first: what tells "removed under you" from "never there". Bounded by the edit
 * window; the owner cuts it. One thread. */
#ifndef GW_HUB_REMOVED_H
#define GW_HUB_REMOVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_removed;

struct gw_removed *gw_removed_create(const uint8_t seed[16]); /* NULL when memory is gone */
void gw_removed_destroy(struct gw_removed *removed);

/* value: a block that went. What a rule may ask about it outlives the removal (interned texts), but for `vis`, which is copied. */
struct gw_removed_block {
    const char *id;
    uint64_t seq;
    const char *kind, *author, *by;
    const char *vis; /* "": none */
};
/* The newest removal of `id`, borrowed until the next change; NULL when none is remembered. */
const struct gw_removed_block *gw_removed_find(const struct gw_removed *removed, const char *id);
/* Remembers; seqs come in ascending order. GW_ENOMEM. */
int gw_removed_add(struct gw_removed *removed, const struct gw_removed_block *block);
/* Forgets the newest `count` additions, as if they had never been. Needs no memory. Only while nothing was cut since. */
void gw_removed_undo(struct gw_removed *removed, size_t count);
/* Forgets removals with a seq up to `floor`, at most `most` of them. */
void gw_removed_cut(struct gw_removed *removed, uint64_t floor, size_t most);

/* Removals behind `floor` that are their id's newest, oldest first; start with *cursor = NULL; NULL at the end. */
const struct gw_removed_block *gw_removed_next(const struct gw_removed *removed, uint64_t floor, const void **cursor);

#endif
