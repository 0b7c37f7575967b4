#include "script/script_tenants.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/id.h"

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

size_t gw_script_tenants(const char *policies_dir, char ***out)
{
    char path[4096];
    const struct dirent *entry;
    size_t count = 0, capacity = 0;
    char **names = NULL;
    DIR *folder = snprintf(path, sizeof path, "%s/tenants", policies_dir) < (int)sizeof path ? opendir(path) : NULL;
    while (folder && count < GW_SCRIPT_TENANTS_MAX && (entry = readdir(folder))) {
        if (!gw_id_is_valid(entry->d_name, strlen(entry->d_name)))
            continue;
        if (count == capacity) {
            capacity = capacity ? capacity * 2 : 64;
            char **grown = gw_alloc_array(capacity, sizeof *grown);
            for (size_t i = 0; i < count; i++)
                grown[i] = names[i];
            gw_free(names);
            names = grown;
        }
        names[count++] = gw_strdup(entry->d_name);
    }
    if (folder)
        closedir(folder);
    if (count)
        qsort(names, count, sizeof *names, by_name);
    *out = names;
    return count;
}

void gw_script_tenants_free(char **tenants, size_t count)
{
    for (size_t i = 0; i < count; i++)
        gw_free(tenants[i]);
    gw_free(tenants);
}
