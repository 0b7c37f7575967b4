/* Which generation holds the transform of a class: asked on any worker. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "script/scripts_internal.h"

struct transformed {
    uint64_t class_id;
    struct class_owner *owner;
    struct transformed *older, *newer; /* of its owner, as they were asked for */
    struct gw_generation *generation;  /* owned */
    bool is_old;                       /* a sweep has found it neither in force nor kept */
};

/* A tenant that has some. */
struct class_owner {
    char tenant_id[GW_ID_MAX + 1];
    struct transformed *oldest, *newest;
    size_t count;
};

static void unlink_class(struct transformed *entry)
{
    struct class_owner *owner = entry->owner;
    *(entry->older ? &entry->older->newer : &owner->oldest) = entry->newer;
    *(entry->newer ? &entry->newer->older : &owner->newest) = entry->older;
}

static void link_newest(struct transformed *entry)
{
    struct class_owner *owner = entry->owner;
    entry->older = owner->newest;
    entry->newer = NULL;
    *(owner->newest ? &owner->newest->newer : &owner->oldest) = entry;
    owner->newest = entry;
}

static void touch(struct transformed *entry)
{
    unlink_class(entry);
    link_newest(entry);
}

static void drop_if_empty(struct gw_scripts *scripts, struct class_owner *owner)
{
    if (owner->count > 0)
        return;
    gw_map_remove(scripts->class_owners, owner->tenant_id, strlen(owner->tenant_id));
    gw_free(owner);
}

static void drop(struct gw_scripts *scripts, struct transformed *entry)
{
    struct class_owner *owner = entry->owner;
    unlink_class(entry);
    owner->count--;
    drop_if_empty(scripts, owner);
    gw_map_remove(scripts->classes, &entry->class_id, sizeof entry->class_id);
    gw_generation_unref(entry->generation);
    gw_free(entry);
}

/* Who has the most gives way, so that a tenant with a class for every asker pushes out its own. */
static void make_room(struct gw_scripts *scripts)
{
    const struct class_owner *largest = NULL;
    size_t cursor = 0, length;
    const void *key;
    void *value;
    while (gw_map_next(scripts->class_owners, &cursor, &key, &length, &value)) {
        const struct class_owner *owner = value;
        if (!largest || owner->count > largest->count)
            largest = owner;
    }
    if (largest)
        drop(scripts, largest->oldest);
}

/* NULL: no memory. */
static struct class_owner *find_or_make_owner(struct gw_scripts *scripts, const char *tenant_id)
{
    struct class_owner *owner = gw_map_get(scripts->class_owners, tenant_id, strlen(tenant_id));
    if (owner)
        return owner;
    owner = gw_alloc(sizeof *owner);
    snprintf(owner->tenant_id, sizeof owner->tenant_id, "%s", tenant_id);
    if (!gw_map_put(scripts->class_owners, owner->tenant_id, strlen(owner->tenant_id), owner, NULL))
        return owner;
    gw_free(owner);
    return NULL;
}

/* Without memory the class is shown nothing of what its transform would make. */
static void make(struct gw_scripts *scripts, uint64_t class_id, const char *tenant_id, struct gw_generation *generation)
{
    if (gw_map_count(scripts->classes) >= GW_SCRIPTS_CLASSES_MAX)
        make_room(scripts);
    struct class_owner *owner = find_or_make_owner(scripts, tenant_id);
    if (!owner)
        return;
    struct transformed *entry = gw_alloc(sizeof *entry);
    *entry = (struct transformed){.class_id = class_id, .owner = owner};
    if (gw_map_put(scripts->classes, &entry->class_id, sizeof entry->class_id, entry, NULL)) {
        gw_free(entry);
        drop_if_empty(scripts, owner);
        return;
    }
    entry->generation = gw_generation_ref(generation);
    link_newest(entry);
    owner->count++;
}

void gw_scripts_put_class(struct gw_scripts *scripts, uint64_t class_id, const char *tenant_id, struct gw_generation *generation)
{
    pthread_mutex_lock(&scripts->lock);
    struct transformed *entry = gw_map_get(scripts->classes, &class_id, sizeof class_id);
    if (entry)
        touch(entry);
    else
        make(scripts, class_id, tenant_id, generation);
    pthread_mutex_unlock(&scripts->lock);
}

bool gw_scripts_find_class(struct gw_scripts *scripts, uint64_t class_id, char tenant_id[GW_ID_MAX + 1], struct gw_generation **generation)
{
    pthread_mutex_lock(&scripts->lock);
    struct transformed *entry = gw_map_get(scripts->classes, &class_id, sizeof class_id);
    if (entry) {
        touch(entry);
        snprintf(tenant_id, GW_ID_MAX + 1, "%s", entry->owner->tenant_id);
        *generation = gw_generation_ref(entry->generation);
    }
    pthread_mutex_unlock(&scripts->lock);
    return entry != NULL;
}

static bool is_kept(struct gw_scripts *scripts, const struct gw_generation *generation)
{
    const struct gw_script_slot *slot = gw_scripts_slot(scripts, generation->tenant_id);
    bool answer = slot && slot->current == generation;
    for (size_t i = 0; slot && i < slot->kept_count; i++)
        answer |= slot->kept[i].generation == generation;
    return answer;
}

/* What goes out of force now, streams are shown until their workers have heard of it: it goes with the sweep after this one. */
static void sweep(struct gw_scripts *scripts, bool drops_all)
{
    size_t cursor = 0, length;
    const void *key;
    void *value;
    while (gw_map_next(scripts->classes, &cursor, &key, &length, &value)) {
        struct transformed *entry = value;
        bool was_old = entry->is_old;
        entry->is_old = !is_kept(scripts, entry->generation);
        if (drops_all || (was_old && entry->is_old))
            drop(scripts, entry);
    }
}

void gw_scripts_sweep_classes(struct gw_scripts *scripts) { sweep(scripts, false); }

void gw_scripts_drop_classes(struct gw_scripts *scripts) { sweep(scripts, true); }
