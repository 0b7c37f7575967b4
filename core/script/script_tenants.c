#include "script/script_tenants.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/id.h"
#include "hub/overlay_port.h"

/* value */
struct names {
    char **items;
    size_t count, capacity;
};

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static int add(void *arg, const char *name)
{
    struct names *names = arg;
    if (names->count >= GW_SCRIPT_TENANTS_MAX)
        return GW_ELIMIT;
    if (!gw_id_is_valid(name, strlen(name)))
        return GW_OK;
    if (names->count == names->capacity) {
        names->capacity = names->capacity ? names->capacity * 2 : 64;
        char **grown = gw_alloc_array(names->capacity, sizeof *grown);
        for (size_t i = 0; i < names->count; i++)
            grown[i] = names->items[i];
        gw_free(names->items);
        names->items = grown;
    }
    names->items[names->count++] = gw_strdup(name);
    return GW_OK;
}

static void add_folders(struct names *names, const char *policies_dir)
{
    char path[4096];
    const struct dirent *entry;
    DIR *folder = snprintf(path, sizeof path, "%s/tenants", policies_dir) < (int)sizeof path ? opendir(path) : NULL;
    while (folder && (entry = readdir(folder)) && !add(names, entry->d_name))
        ;
    if (folder)
        closedir(folder);
}

static void drop_doubles(struct names *names)
{
    size_t kept = 0;
    for (size_t i = 0; i < names->count; i++) {
        if (kept && strcmp(names->items[kept - 1], names->items[i]) == 0)
            gw_free(names->items[i]);
        else
            names->items[kept++] = names->items[i];
    }
    names->count = kept;
}

size_t gw_script_tenants(const char *policies_dir, const struct gw_overlays *overlays, char ***out)
{
    struct names names = {0};
    struct gw_error ignored; /* see the header */
    add_folders(&names, policies_dir);
    if (overlays)
        (void)overlays->tenants(overlays->self, add, &names, &ignored);
    if (names.count)
        qsort(names.items, names.count, sizeof *names.items, by_name);
    drop_doubles(&names);
    *out = names.items;
    return names.count;
}

void gw_script_tenants_free(char **tenants, size_t count)
{
    for (size_t i = 0; i < count; i++)
        gw_free(tenants[i]);
    gw_free(tenants);
}
