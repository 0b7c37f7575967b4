#include "hub/origins.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/map.h"
#include "hub/journal.h"

struct gw_origin {
    struct gw_origin *older, *newer; /* a ring through origins->ring, whose newer is the oldest */
    char *name;
    int64_t n;
};

struct gw_origins {
    struct gw_map *by_name;
    struct gw_journal *journal;
    struct gw_origin ring;
};

/* Undoes one note. The list stands as it stood right after the change when this runs, since later changes are undone first. */
struct origin_undo {
    struct gw_undo undo;
    struct gw_origins *origins;
    struct gw_origin *origin;
    struct gw_origin *was_behind; /* the next older one before the change; NULL when the origin is new */
    int64_t n;
};

struct gw_origins *gw_origins_create(const uint8_t seed[16], struct gw_journal *journal)
{
    struct gw_origins *origins = gw_alloc(sizeof *origins);
    origins->by_name = gw_map_create(seed);
    origins->journal = journal;
    origins->ring.older = origins->ring.newer = &origins->ring;
    return origins;
}

static void free_origin(struct gw_origin *origin)
{
    if (!origin)
        return;
    gw_free(origin->name);
    gw_free(origin);
}

void gw_origins_destroy(struct gw_origins *origins)
{
    if (!origins)
        return;
    for (struct gw_origin *origin = origins->ring.newer, *newer; origin != &origins->ring; origin = newer) {
        newer = origin->newer;
        free_origin(origin);
    }
    gw_map_destroy(origins->by_name);
    gw_free(origins);
}

static void unlink_origin(struct gw_origin *origin)
{
    origin->older->newer = origin->newer;
    origin->newer->older = origin->older;
}

static void link_behind(struct gw_origin *older, struct gw_origin *origin)
{
    origin->older = older;
    origin->newer = older->newer;
    older->newer->older = origin;
    older->newer = origin;
}

static struct gw_origin *find(const struct gw_origins *origins, const char *name)
{
    return gw_map_get(origins->by_name, name, strlen(name));
}

int64_t gw_origins_last(const struct gw_origins *origins, const char *name)
{
    const struct gw_origin *origin = find(origins, name);
    return origin ? origin->n : 0;
}

static void revert(struct gw_undo *step)
{
    struct origin_undo *undo = (struct origin_undo *)step;
    struct gw_origin *origin = undo->origin;
    unlink_origin(origin);
    if (undo->was_behind) {
        origin->n = undo->n;
        link_behind(undo->was_behind, origin);
    } else {
        gw_map_remove(undo->origins->by_name, origin->name, strlen(origin->name));
        free_origin(origin);
    }
    gw_free(undo);
}

static void forget(struct gw_undo *step) { gw_free(step); }

static struct gw_origin *create(const char *name)
{
    struct gw_origin *origin = gw_try_alloc(sizeof *origin);
    if (!origin)
        return NULL;
    *origin = (struct gw_origin){.name = gw_try_strndup(name, strlen(name))};
    if (origin->name)
        return origin;
    free_origin(origin);
    return NULL;
}

int gw_origins_note(struct gw_origins *origins, const char *name, int64_t n)
{
    struct gw_origin *known = find(origins, name), *origin = known ? known : create(name);
    struct origin_undo *undo = gw_try_alloc(sizeof *undo);
    if (!origin || !undo || (!known && gw_map_put(origins->by_name, name, strlen(name), origin, NULL))) {
        if (!known)
            free_origin(origin);
        gw_free(undo);
        return GW_ENOMEM;
    }
    *undo = (struct origin_undo){{NULL, revert, forget}, origins, origin, known ? known->older : NULL, origin->n};
    if (known)
        unlink_origin(origin);
    link_behind(origins->ring.older, origin);
    origin->n = n;
    gw_journal_push(origins->journal, &undo->undo);
    gw_origins_trim(origins);
    return GW_OK;
}

/* Late or early, the same ones go: those left are the most recent names, whatever the moment. */
void gw_origins_trim(struct gw_origins *origins)
{
    while (!origins->journal->is_open && gw_map_count(origins->by_name) > GW_ORIGINS_MAX) {
        struct gw_origin *oldest = origins->ring.newer;
        unlink_origin(oldest);
        gw_map_remove(origins->by_name, oldest->name, strlen(oldest->name));
        free_origin(oldest);
    }
}

const struct gw_origin *gw_origins_next(const struct gw_origins *origins, const struct gw_origin *after)
{
    const struct gw_origin *next = after ? after->newer : origins->ring.newer;
    return next == &origins->ring ? NULL : next;
}

const char *gw_origin_name(const struct gw_origin *origin) { return origin->name; }

int64_t gw_origin_n(const struct gw_origin *origin) { return origin->n; }
