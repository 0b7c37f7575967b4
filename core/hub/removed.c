#include "hub/removed.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/map.h"

struct removal {
    struct removal *older, *newer; /* of all */
    struct removal *former;        /* the same id's removal before this one; read only by undo, before anything was cut */
    struct gw_removed_block block;
    char id[]; /* and, behind its NUL, vis */
};

struct gw_removed {
    struct gw_map *by_id; /* the newest of each id */
    struct removal *oldest, *newest;
};

struct gw_removed *gw_removed_create(const uint8_t seed[16])
{
    struct gw_removed *removed = gw_try_alloc(sizeof *removed);
    if (removed)
        *removed = (struct gw_removed){.by_id = gw_map_create(seed)};
    return removed;
}

void gw_removed_destroy(struct gw_removed *removed)
{
    if (!removed)
        return;
    while (removed->oldest) {
        struct removal *removal = removed->oldest;
        removed->oldest = removal->newer;
        gw_free(removal);
    }
    gw_map_destroy(removed->by_id);
    gw_free(removed);
}

const struct gw_removed_block *gw_removed_find(const struct gw_removed *removed, const char *id)
{
    const struct removal *removal = gw_map_get(removed->by_id, id, strlen(id));
    return removal ? &removal->block : NULL;
}

int gw_removed_add(struct gw_removed *removed, const struct gw_removed_block *block)
{
    size_t length = strlen(block->id), vis_size = strlen(block->vis) + 1;
    struct removal *removal = gw_try_alloc(sizeof *removal + length + 1 + vis_size);
    if (!removal)
        return GW_ENOMEM;
    void *former;
    if (gw_map_put(removed->by_id, block->id, length, removal, &former)) {
        gw_free(removal);
        return GW_ENOMEM;
    }
    *removal = (struct removal){.older = removed->newest, .former = former, .block = *block};
    memcpy(removal->id, block->id, length + 1);
    memcpy(removal->id + length + 1, block->vis, vis_size);
    removal->block.id = removal->id;
    removal->block.vis = removal->id + length + 1;
    if (removed->newest)
        removed->newest->newer = removal;
    else
        removed->oldest = removal;
    removed->newest = removal;
    return 0;
}

void gw_removed_undo(struct gw_removed *removed, size_t count)
{
    while (count--) {
        struct removal *removal = removed->newest;
        assert(removal);
        int code = 0;
        if (!removal->former)
            gw_map_remove(removed->by_id, removal->id, strlen(removal->id));
        else
            code = gw_map_put(removed->by_id, removal->id, strlen(removal->id), removal->former, NULL);
        assert(code == 0); /* replacing a value needs no memory */
        (void)code;
        removed->newest = removal->older;
        if (removal->older)
            removal->older->newer = NULL;
        else
            removed->oldest = NULL;
        gw_free(removal);
    }
}

void gw_removed_cut(struct gw_removed *removed, uint64_t floor, size_t most)
{
    while (most-- && removed->oldest && removed->oldest->block.seq <= floor) {
        struct removal *removal = removed->oldest;
        if (gw_map_get(removed->by_id, removal->id, strlen(removal->id)) == removal)
            gw_map_remove(removed->by_id, removal->id, strlen(removal->id));
        removed->oldest = removal->newer;
        if (removal->newer)
            removal->newer->older = NULL;
        else
            removed->newest = NULL;
        gw_free(removal);
    }
}

const struct gw_removed_block *gw_removed_next(const struct gw_removed *removed, uint64_t floor, const void **cursor)
{
    const struct removal *removal = *cursor ? ((const struct removal *)*cursor)->newer : removed->oldest;
    while (removal && (removal->block.seq <= floor || gw_map_get(removed->by_id, removal->id, strlen(removal->id)) != removal))
        removal = removal->newer;
    *cursor = removal;
    return removal ? &removal->block : NULL;
}
