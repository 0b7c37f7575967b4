#include "script/sources.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/refs.h"

struct gw_sources {
    struct gw_refs refs;
    struct gw_source *items; /* in byte order of module */
    size_t count, bytes;
};

struct gw_sources *gw_sources_create(void)
{
    struct gw_sources *sources = gw_alloc(sizeof *sources);
    gw_refs_init(&sources->refs);
    return sources;
}

struct gw_sources *gw_sources_ref(struct gw_sources *sources)
{
    gw_refs_add(&sources->refs);
    return sources;
}

static void free_item(struct gw_source *item)
{
    gw_free((void *)(uintptr_t)item->module);
    gw_free((void *)(uintptr_t)item->path);
    gw_free((void *)(uintptr_t)item->text);
}

void gw_sources_unref(struct gw_sources *sources)
{
    if (sources == NULL || !gw_refs_drop(&sources->refs))
        return;
    for (size_t i = 0; i < sources->count; i++)
        free_item(&sources->items[i]);
    gw_free(sources->items);
    gw_free(sources);
}

/* Where `module` is, or belongs. */
static size_t place_of(const struct gw_sources *sources, const char *module, bool *is_there)
{
    size_t low = 0, high = sources->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(sources->items[middle].module, module);
        if (order == 0) {
            *is_there = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *is_there = false;
    return low;
}

static int check_room(const struct gw_sources *sources, const struct gw_source *source, struct gw_error *err)
{
    if (sources->count == GW_SOURCES_MAX_FILES)
        return gw_error_limit(err, "sources_too_many", "max_files", GW_SOURCES_MAX_FILES, "more than %d script files",
                              GW_SOURCES_MAX_FILES);
    if (source->length > GW_SOURCES_MAX_FILE_BYTES)
        return gw_error_limit(err, "source_too_large", "max_file_bytes", GW_SOURCES_MAX_FILE_BYTES, "a script file of %zu bytes",
                              source->length);
    if (source->length > GW_SOURCES_MAX_BYTES - sources->bytes)
        return gw_error_limit(err, "sources_too_large", "max_bytes", GW_SOURCES_MAX_BYTES, "script files of together more than %u bytes",
                              GW_SOURCES_MAX_BYTES);
    size_t name = strlen(source->module);
    if (name == 0 || name > GW_MODULE_NAME_MAX)
        return gw_error_set(err, GW_EINVAL, "source_bad_name", "a module's name has 1 to %d bytes", GW_MODULE_NAME_MAX);
    return 0;
}

int gw_sources_add(struct gw_sources *sources, const struct gw_source *source, struct gw_error *err)
{
    bool is_there;
    size_t place = place_of(sources, source->module, &is_there);
    int rc = check_room(sources, source, err);
    if (rc == 0 && is_there)
        rc = gw_error_set(err, GW_ECONFLICT, "source_exists", "two files of the module %s", source->module);
    if (rc != 0) {
        gw_error_prefix(err, source->path);
        return rc;
    }
    struct gw_source *grown = gw_try_grow(sources->items, sources->count + 1, sizeof *grown);
    if (grown != NULL)
        sources->items = grown;
    struct gw_source copy = {
        .module = gw_try_strndup(source->module, strlen(source->module)),
        .path = gw_try_strndup(source->path, strlen(source->path)),
        .text = gw_try_strndup(source->text, source->length),
        .length = source->length,
    };
    if (grown == NULL || copy.module == NULL || copy.path == NULL || copy.text == NULL) {
        free_item(&copy);
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a script file");
    }
    memmove(grown + place + 1, grown + place, (sources->count - place) * sizeof *grown);
    grown[place] = copy;
    sources->count++;
    sources->bytes += copy.length;
    return 0;
}

const struct gw_source *gw_sources_find(const struct gw_sources *sources, const char *module)
{
    bool is_there;
    size_t place = place_of(sources, module, &is_there);
    return is_there ? &sources->items[place] : NULL;
}

size_t gw_sources_count(const struct gw_sources *sources) { return sources->count; }

const struct gw_source *gw_sources_at(const struct gw_sources *sources, size_t index)
{
    return index < sources->count ? &sources->items[index] : NULL;
}

/* The digest of the files' digests: each file's name is set off from its text by its length. */
void gw_sources_digest(const struct gw_sources *sources, uint8_t out[32])
{
    uint8_t chain[3 * GW_SHA256_BYTES] = {0};
    for (size_t i = 0; i < sources->count; i++) {
        const struct gw_source *item = &sources->items[i];
        gw_sha256(item->module, strlen(item->module), chain + GW_SHA256_BYTES);
        gw_sha256(item->text, item->length, chain + (size_t)2 * GW_SHA256_BYTES);
        gw_sha256(chain, sizeof chain, chain);
    }
    memcpy(out, chain, GW_SHA256_BYTES);
}
