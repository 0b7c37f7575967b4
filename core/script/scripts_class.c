/* Which generation holds the transform of a class: asked on any worker. */
#include <stdio.h>

#include "base/alloc.h"
#include "base/map.h"
#include "script/scripts_internal.h"

struct transformed {
    uint64_t class_id, order;
    char tenant_id[GW_ID_MAX + 1];
    struct gw_generation *generation; /* owned */
    bool is_old;                      /* a sweep has found it neither in force nor kept */
};

static void drop(struct gw_scripts *scripts, struct transformed *entry)
{
    gw_map_remove(scripts->classes, &entry->class_id, sizeof entry->class_id);
    gw_generation_unref(entry->generation);
    gw_free(entry);
}

static void drop_oldest(struct gw_scripts *scripts)
{
    struct transformed *oldest = NULL;
    size_t cursor = 0, length;
    const void *key;
    void *value;
    while (gw_map_next(scripts->classes, &cursor, &key, &length, &value)) {
        struct transformed *entry = value;
        if (!oldest || entry->order < oldest->order)
            oldest = entry;
    }
    if (oldest)
        drop(scripts, oldest);
}

static void make(struct gw_scripts *scripts, uint64_t class_id, const char *tenant_id, struct gw_generation *generation)
{
    if (gw_map_count(scripts->classes) >= GW_SCRIPTS_CLASSES_MAX)
        drop_oldest(scripts);
    struct transformed *entry = gw_alloc(sizeof *entry);
    entry->class_id = class_id;
    entry->order = ++scripts->class_count;
    snprintf(entry->tenant_id, sizeof entry->tenant_id, "%s", tenant_id);
    entry->generation = gw_generation_ref(generation);
    if (!gw_map_put(scripts->classes, &entry->class_id, sizeof entry->class_id, entry, NULL))
        return;
    gw_generation_unref(entry->generation); /* the class is shown nothing of what its transform would make */
    gw_free(entry);
}

void gw_scripts_put_class(struct gw_scripts *scripts, uint64_t class_id, const char *tenant_id, struct gw_generation *generation)
{
    pthread_mutex_lock(&scripts->lock);
    struct transformed *entry = gw_map_get(scripts->classes, &class_id, sizeof class_id);
    if (entry)
        entry->order = ++scripts->class_count;
    else
        make(scripts, class_id, tenant_id, generation);
    pthread_mutex_unlock(&scripts->lock);
}

bool gw_scripts_find_class(struct gw_scripts *scripts, uint64_t class_id, char tenant_id[GW_ID_MAX + 1], struct gw_generation **generation)
{
    pthread_mutex_lock(&scripts->lock);
    const struct transformed *entry = gw_map_get(scripts->classes, &class_id, sizeof class_id);
    if (entry) {
        snprintf(tenant_id, GW_ID_MAX + 1, "%s", entry->tenant_id);
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
