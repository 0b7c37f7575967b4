#include "hub/manifest.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "base/refs.h"
#include "hub/manifest_check.h"
#include "hub/refuse_bytes.h"

#define MANIFEST_BYTES_MAX (256u * 1024)
#define BASE64_RUN_MAX     1024

struct gw_manifest {
    struct gw_refs refs;
    struct gw_json *document;
    struct gw_json *no_members; /* stands for an absent object */
    struct gw_json *no_items;   /* stands for an absent list */
    char hash[2 * GW_SHA256_BYTES + 1];
};

static int out_of_memory(struct gw_error *err) { return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a manifest"); }

static int hash_document(struct gw_manifest *manifest, struct gw_error *err)
{
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_json_write_canonical(manifest->document, &text);
    uint8_t digest[GW_SHA256_BYTES];
    int status = GW_OK;
    if (text.has_failed)
        status = out_of_memory(err);
    else if (text.length > MANIFEST_BYTES_MAX)
        status = gw_error_limit(err, "limit_manifest_bytes", "max_manifest_bytes", MANIFEST_BYTES_MAX, "a manifest may hold %u bytes",
                                MANIFEST_BYTES_MAX);
    else
        gw_sha256(text.data, text.length, digest);
    gw_buffer_fini(&text);
    if (!status)
        gw_hex_encode(digest, sizeof digest, manifest->hash);
    return status;
}

static int build(struct gw_manifest *manifest, struct gw_error *err)
{
    manifest->no_members = gw_json_new_object();
    manifest->no_items = gw_json_new_array();
    return manifest->no_members && manifest->no_items ? hash_document(manifest, err) : out_of_memory(err);
}

int gw_manifest_parse(struct gw_json *document, struct gw_manifest **out, struct gw_error *err)
{
    int status = gw_manifest_check(document, err);
    if (!status)
        status = gw_refuse_bytes_json(document, BASE64_RUN_MAX, err);
    if (status)
        return status;
    struct gw_manifest *manifest = gw_try_alloc(sizeof *manifest);
    if (!manifest)
        return out_of_memory(err);
    memset(manifest, 0, sizeof *manifest);
    gw_refs_init(&manifest->refs);
    manifest->document = gw_json_ref(document);
    status = build(manifest, err);
    if (status)
        gw_manifest_unref(manifest);
    else
        *out = manifest;
    return status;
}

struct gw_manifest *gw_manifest_ref(struct gw_manifest *manifest)
{
    gw_refs_add(&manifest->refs);
    return manifest;
}

void gw_manifest_unref(struct gw_manifest *manifest)
{
    if (!manifest || !gw_refs_drop(&manifest->refs))
        return;
    gw_json_unref(manifest->document);
    gw_json_unref(manifest->no_members);
    gw_json_unref(manifest->no_items);
    gw_free(manifest);
}

const char *gw_manifest_type(const struct gw_manifest *manifest) { return gw_json_text(gw_json_get(manifest->document, "name"), NULL); }

const char *gw_manifest_hash(const struct gw_manifest *manifest) { return manifest->hash; }

const struct gw_json *gw_manifest_document(const struct gw_manifest *manifest) { return manifest->document; }

struct gw_json *gw_manifest_member(const struct gw_manifest *manifest, const char *name)
{
    struct gw_json *value = gw_json_get(manifest->document, name);
    if (gw_json_is_string(value) || gw_json_is_number(value) || gw_json_count(value) > 0)
        return value;
    return strcmp(name, "tools") == 0 ? manifest->no_items : manifest->no_members;
}

struct gw_json *gw_manifest_travels(const struct gw_manifest *manifest)
{
    static const char *const names[] = {"version", "title", "harness", "tools", "kinds", "commands", "lens"};
    struct gw_json *out = gw_json_new_object();
    for (size_t i = 0; out && i < sizeof names / sizeof names[0]; i++) {
        if (gw_json_set(out, names[i], gw_json_ref(gw_manifest_member(manifest, names[i])))) {
            gw_json_unref(out);
            out = NULL;
        }
    }
    return out;
}

/* ---- the set ----------------------------------------------------------------------------------------------------------------------------
 */

struct gw_manifests {
    struct gw_refs refs;
    struct gw_manifest **items; /* sorted by type */
    size_t count;
};

struct gw_manifests *gw_manifests_create(void)
{
    struct gw_manifests *set = gw_alloc(sizeof *set);
    gw_refs_init(&set->refs);
    return set;
}

/* Where `type` stands, or would stand. */
static size_t find(const struct gw_manifests *set, const char *type, bool *is_found)
{
    size_t low = 0, high = set->count;
    *is_found = false;
    while (low < high && !*is_found) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(type, gw_manifest_type(set->items[middle]));
        if (order == 0) {
            *is_found = true;
            low = middle;
        } else if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

int gw_manifests_add(struct gw_manifests *set, struct gw_manifest *manifest, struct gw_error *err)
{
    bool is_found;
    size_t at = find(set, gw_manifest_type(manifest), &is_found);
    if (is_found)
        return gw_error_set(err, GW_ECONFLICT, "canvas_type_exists", "two manifests are named %s", gw_manifest_type(manifest));
    struct gw_manifest **items = gw_try_grow(set->items, set->count + 1, sizeof(struct gw_manifest *));
    if (!items)
        return out_of_memory(err);
    memmove(items + at + 1, items + at, (set->count - at) * sizeof *items);
    items[at] = gw_manifest_ref(manifest);
    set->items = items;
    set->count++;
    return GW_OK;
}

struct gw_manifests *gw_manifests_ref(struct gw_manifests *set)
{
    gw_refs_add(&set->refs);
    return set;
}

void gw_manifests_unref(struct gw_manifests *set)
{
    if (!set || !gw_refs_drop(&set->refs))
        return;
    for (size_t i = 0; i < set->count; i++)
        gw_manifest_unref(set->items[i]);
    gw_free(set->items);
    gw_free(set);
}

const struct gw_manifest *gw_manifests_get(const struct gw_manifests *set, const char *type)
{
    bool is_found;
    size_t at = find(set, type, &is_found);
    return is_found ? set->items[at] : NULL;
}

size_t gw_manifests_count(const struct gw_manifests *set) { return set->count; }

const struct gw_manifest *gw_manifests_at(const struct gw_manifests *set, size_t index)
{
    return index < set->count ? set->items[index] : NULL;
}
