#include "script/sources.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/refs.h"

/* What is in a file, shared by all the modules that it is. */
struct content {
    struct gw_refs refs;
    char *path, *text;
};

/* One module, shared by the sets that hold it; its source borrows from both. */
struct module {
    struct gw_refs refs;
    struct gw_source source;
    char *name;
    struct content *content;
};

struct gw_sources {
    struct gw_refs refs;
    struct module **items; /* in byte order of module */
    size_t count;
    size_t file_count, bytes; /* each content once */
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

static void content_unref(struct content *content)
{
    if (content == NULL || !gw_refs_drop(&content->refs))
        return;
    gw_free(content->path);
    gw_free(content->text);
    gw_free(content);
}

static void module_unref(struct module *module)
{
    if (module == NULL || !gw_refs_drop(&module->refs))
        return;
    content_unref(module->content);
    gw_free(module->name);
    gw_free(module);
}

void gw_sources_unref(struct gw_sources *sources)
{
    if (sources == NULL || !gw_refs_drop(&sources->refs))
        return;
    for (size_t i = 0; i < sources->count; i++)
        module_unref(sources->items[i]);
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

static bool holds(const struct gw_sources *sources, const struct content *content)
{
    for (size_t i = 0; content != NULL && i < sources->count; i++)
        if (sources->items[i]->content == content)
            return true;
    return false;
}

static int check_name(const char *module, struct gw_error *err)
{
    size_t length = strlen(module);
    if (length > 0 && length <= GW_MODULE_NAME_MAX)
        return 0;
    return gw_error_set(err, GW_EINVAL, "source_bad_name", "a module's name has 1 to %d bytes", GW_MODULE_NAME_MAX);
}

static int check_room(const struct gw_sources *sources, const struct gw_source *source, struct gw_error *err)
{
    if (sources->file_count == GW_SOURCES_MAX_FILES)
        return gw_error_limit(err, "sources_too_many", "max_files", GW_SOURCES_MAX_FILES, "more than %d script files",
                              GW_SOURCES_MAX_FILES);
    if (source->length > GW_SOURCES_MAX_FILE_BYTES)
        return gw_error_limit(err, "source_too_large", "max_file_bytes", GW_SOURCES_MAX_FILE_BYTES, "a script file of %zu bytes",
                              source->length);
    if (source->length > GW_SOURCES_MAX_BYTES - sources->bytes)
        return gw_error_limit(err, "sources_too_large", "max_bytes", GW_SOURCES_MAX_BYTES, "script files of together more than %u bytes",
                              GW_SOURCES_MAX_BYTES);
    return 0;
}

static int no_memory(struct gw_error *err) { return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a script file"); }

/* NULL: no memory. */
static struct content *content_create(const struct gw_source *source)
{
    struct content *content = gw_try_alloc(sizeof *content);
    if (content == NULL)
        return NULL;
    gw_refs_init(&content->refs);
    content->path = gw_try_strndup(source->path, strlen(source->path));
    content->text = gw_try_strndup(source->text, source->length);
    if (content->path != NULL && content->text != NULL)
        return content;
    content_unref(content);
    return NULL;
}

/* NULL: no memory. */
static struct module *module_create(const char *name, struct content *content /* taken; NULL: no memory */, size_t length)
{
    struct module *module = content != NULL ? gw_try_alloc(sizeof *module) : NULL;
    if (module == NULL) {
        content_unref(content);
        return NULL;
    }
    gw_refs_init(&module->refs);
    module->content = content;
    module->name = gw_try_strndup(name, strlen(name));
    module->source = (struct gw_source){.module = module->name, .path = content->path, .text = content->text, .length = length};
    if (module->name != NULL)
        return module;
    module_unref(module);
    return NULL;
}

static int insert(struct gw_sources *sources, struct module *module /* taken; NULL: no memory */, struct gw_error *err)
{
    bool is_there;
    struct module **grown = module != NULL ? gw_try_grow(sources->items, sources->count + 1, sizeof(struct module *)) : NULL;
    if (grown == NULL) {
        module_unref(module);
        return no_memory(err);
    }
    sources->items = grown;
    if (!holds(sources, module->content)) {
        sources->file_count++;
        sources->bytes += module->source.length;
    }
    size_t place = place_of(sources, module->source.module, &is_there);
    memmove(grown + place + 1, grown + place, (sources->count - place) * sizeof *grown);
    grown[place] = module;
    sources->count++;
    return 0;
}

/* `content` is what is there of it already, or NULL. */
static int check(const struct gw_sources *sources, const struct gw_source *source, const struct content *content, struct gw_error *err)
{
    bool is_there;
    (void)place_of(sources, source->module, &is_there);
    int rc = check_name(source->module, err);
    if (rc == 0 && !holds(sources, content))
        rc = check_room(sources, source, err);
    if (rc == 0 && is_there)
        rc = gw_error_set(err, GW_ECONFLICT, "source_exists", "two files of the module %s", source->module);
    if (rc != 0)
        gw_error_prefix(err, source->path);
    return rc;
}

int gw_sources_add(struct gw_sources *sources, const struct gw_source *source, struct gw_error *err)
{
    int rc = check(sources, source, NULL, err);
    return rc != 0 ? rc : insert(sources, module_create(source->module, content_create(source), source->length), err);
}

int gw_sources_alias(struct gw_sources *sources, const char *module, const char *alias, struct gw_error *err)
{
    bool is_there;
    struct module *given = sources->items[place_of(sources, module, &is_there)];
    struct gw_source source = given->source;
    source.module = alias;
    int rc = check(sources, &source, given->content, err);
    if (rc != 0)
        return rc;
    gw_refs_add(&given->content->refs);
    return insert(sources, module_create(alias, given->content, source.length), err);
}

int gw_sources_share(struct gw_sources *sources, const struct gw_sources *from, size_t index, struct gw_error *err)
{
    struct module *module = from->items[index];
    int rc = check(sources, &module->source, module->content, err);
    if (rc != 0)
        return rc;
    gw_refs_add(&module->refs);
    return insert(sources, module, err);
}

const struct gw_source *gw_sources_find(const struct gw_sources *sources, const char *module)
{
    bool is_there;
    size_t place = place_of(sources, module, &is_there);
    return is_there ? &sources->items[place]->source : NULL;
}

size_t gw_sources_index(const struct gw_sources *sources, const char *module)
{
    bool is_there;
    size_t place = place_of(sources, module, &is_there);
    return is_there ? place : sources->count;
}

size_t gw_sources_count(const struct gw_sources *sources) { return sources->count; }

size_t gw_sources_file_count(const struct gw_sources *sources) { return sources->file_count; }

const struct gw_source *gw_sources_at(const struct gw_sources *sources, size_t index)
{
    return index < sources->count ? &sources->items[index]->source : NULL;
}

/* The digest of the modules' digests: each one's name is set off from its text by its length. */
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
