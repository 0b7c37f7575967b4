#include "script/sources.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/refs.h"

/* One file, shared by the sets that hold it. */
struct file {
    struct gw_refs refs;
    struct gw_source source;
};

struct gw_sources {
    struct gw_refs refs;
    struct file **items; /* in byte order of module */
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

static void file_unref(struct file *file)
{
    if (file == NULL || !gw_refs_drop(&file->refs))
        return;
    gw_free((void *)(uintptr_t)file->source.module);
    gw_free((void *)(uintptr_t)file->source.path);
    gw_free((void *)(uintptr_t)file->source.text);
    gw_free(file);
}

void gw_sources_unref(struct gw_sources *sources)
{
    if (sources == NULL || !gw_refs_drop(&sources->refs))
        return;
    for (size_t i = 0; i < sources->count; i++)
        file_unref(sources->items[i]);
    gw_free(sources->items);
    gw_free(sources);
}

/* Where `module` is, or belongs. */
static size_t place_of(const struct gw_sources *sources, const char *module, bool *is_there)
{
    size_t low = 0, high = sources->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(sources->items[middle]->source.module, module);
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

static int no_memory(struct gw_error *err) { return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a script file"); }

/* NULL: no memory. */
static struct file *file_create(const struct gw_source *source)
{
    struct file *file = gw_try_alloc(sizeof *file);
    if (file == NULL)
        return NULL;
    gw_refs_init(&file->refs);
    file->source = (struct gw_source){
        .module = gw_try_strndup(source->module, strlen(source->module)),
        .path = gw_try_strndup(source->path, strlen(source->path)),
        .text = gw_try_strndup(source->text, source->length),
        .length = source->length,
    };
    if (file->source.module != NULL && file->source.path != NULL && file->source.text != NULL)
        return file;
    file_unref(file);
    return NULL;
}

static int insert(struct gw_sources *sources, size_t place, struct file *file /* taken; NULL: no memory */, struct gw_error *err)
{
    struct file **grown = file != NULL ? gw_try_grow(sources->items, sources->count + 1, sizeof(struct file *)) : NULL;
    if (grown == NULL) {
        file_unref(file);
        return no_memory(err);
    }
    memmove(grown + place + 1, grown + place, (sources->count - place) * sizeof *grown);
    grown[place] = file;
    sources->items = grown;
    sources->count++;
    sources->bytes += file->source.length;
    return 0;
}

static int find_place(const struct gw_sources *sources, const struct gw_source *source, size_t *place, struct gw_error *err)
{
    bool is_there;
    *place = place_of(sources, source->module, &is_there);
    int rc = check_room(sources, source, err);
    if (rc == 0 && is_there)
        rc = gw_error_set(err, GW_ECONFLICT, "source_exists", "two files of the module %s", source->module);
    if (rc != 0)
        gw_error_prefix(err, source->path);
    return rc;
}

int gw_sources_add(struct gw_sources *sources, const struct gw_source *source, struct gw_error *err)
{
    size_t place;
    int rc = find_place(sources, source, &place, err);
    return rc != 0 ? rc : insert(sources, place, file_create(source), err);
}

int gw_sources_share(struct gw_sources *sources, const struct gw_sources *from, size_t index, struct gw_error *err)
{
    struct file *file = from->items[index];
    size_t place;
    int rc = find_place(sources, &file->source, &place, err);
    if (rc != 0)
        return rc;
    gw_refs_add(&file->refs);
    return insert(sources, place, file, err);
}

const struct gw_source *gw_sources_find(const struct gw_sources *sources, const char *module)
{
    bool is_there;
    size_t place = place_of(sources, module, &is_there);
    return is_there ? &sources->items[place]->source : NULL;
}

size_t gw_sources_count(const struct gw_sources *sources) { return sources->count; }

const struct gw_source *gw_sources_at(const struct gw_sources *sources, size_t index)
{
    return index < sources->count ? &sources->items[index]->source : NULL;
}

/* The digest of the files' digests: each file's name is set off from its text by its length. */
void gw_sources_digest(const struct gw_sources *sources, uint8_t out[32])
{
    uint8_t chain[3 * GW_SHA256_BYTES] = {0};
    for (size_t i = 0; i < sources->count; i++) {
        const struct gw_source *item = &sources->items[i]->source;
        gw_sha256(item->module, strlen(item->module), chain + GW_SHA256_BYTES);
        gw_sha256(item->text, item->length, chain + (size_t)2 * GW_SHA256_BYTES);
        gw_sha256(chain, sizeof chain, chain);
    }
    memcpy(out, chain, GW_SHA256_BYTES);
}
