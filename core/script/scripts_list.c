/* The list of generations, for people and for tools. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/map.h"
#include "script/script_tenants.h"
#include "script/scripts_internal.h"

static struct gw_json *text(const char *value) { return gw_json_new_text(value, strlen(value)); }

static struct gw_json *time_of(int64_t wall_ms)
{
    char out[25];
    gw_clock_format_rfc3339(wall_ms, out);
    return text(out);
}

/* A tenant that has none of its own, by an order to go back to that. */
static int describe_none(struct gw_json *out) { return gw_json_set(out, "source", text("defaults")); }

static int describe_generation(struct gw_json *out, const struct gw_generation *generation)
{
    char digest[2 * GW_SHA256_BYTES + 1];
    gw_hex_encode(generation->digest, GW_SHA256_BYTES, digest);
    int status = gw_json_set(out, "digest", text(digest));
    if (generation->tenant_id[0])
        status |= gw_json_set(out, "source", text(generation->version ? "registry" : "folder"));
    if (generation->version)
        status |= gw_json_set(out, "version", gw_json_new_int((int64_t)generation->version));
    return status | gw_json_set(out, "loaded_at", time_of(generation->loaded_at_ms));
}

static struct gw_json *describe_trouble(const struct gw_script_trouble *trouble)
{
    struct gw_json *out = gw_json_new_object();
    if (!out)
        return NULL;
    int status = gw_json_set(out, "code", text(trouble->err.id));
    status |= gw_json_set(out, "message", text(trouble->err.message));
    status |= gw_json_set(out, "where", text(trouble->err.path));
    status |= gw_json_set(out, "at", time_of(trouble->at_ms));
    if (!status)
        return out;
    gw_json_unref(out);
    return NULL;
}

/* Those in which calls have failed, and how often. */
static struct gw_json *describe_hooks(const struct gw_script_trouble *trouble)
{
    struct gw_json *out = gw_json_new_object();
    int status = out ? 0 : -1;
    for (size_t i = 0; !status && i < GW_HOOK_COUNT; i++)
        if (trouble->by_hook[i])
            status = gw_json_set(out, gw_hook_name((enum gw_hook)i), gw_json_new_int((int64_t)trouble->by_hook[i]));
    if (!status)
        return out;
    gw_json_unref(out);
    return NULL;
}

static bool is_quarantined(const struct gw_scripts *scripts, const struct gw_script_slot *slot)
{
    return slot->trouble.denied_until_ms > scripts->opts.clock->wall_ms(scripts->opts.clock->self);
}

static const char *status_of(const struct gw_scripts *scripts, const struct gw_script_slot *slot)
{
    if (slot->is_broken)
        return "denied";
    if (is_quarantined(scripts, slot))
        return "quarantined";
    return slot->trouble.is_there ? "failed" : "active";
}

static struct gw_json *describe_kept(const struct gw_script_slot *slot)
{
    struct gw_json *out = gw_json_new_array();
    int status = out ? 0 : -1;
    for (size_t i = 0; !status && i < slot->kept_count; i++) {
        struct gw_json *entry = gw_json_new_object();
        status = entry ? gw_json_set(entry, "number", gw_json_new_int((int64_t)slot->kept[i].number)) : -1;
        if (!status)
            status = slot->kept[i].generation ? describe_generation(entry, slot->kept[i].generation) : describe_none(entry);
        status |= gw_json_append(out, entry);
    }
    if (!status)
        return out;
    gw_json_unref(out);
    return NULL;
}

static struct gw_json *describe_slot(const struct gw_scripts *scripts, const struct gw_script_slot *slot)
{
    struct gw_json *out = gw_json_new_object();
    int status = out ? 0 : -1;
    if (!status && slot->tenant_id[0])
        status |= gw_json_set(out, "tenant_id", text(slot->tenant_id));
    if (!status) {
        status |= gw_json_set(out, "is_rolled_back", gw_json_new_bool(slot->is_pinned));
        status |= gw_json_set(out, "is_stale", gw_json_new_bool(slot->is_stale));
    }
    if (!status && slot->current)
        status = gw_json_set(out, "number", gw_json_new_int((int64_t)slot->current->number)) | describe_generation(out, slot->current);
    else if (!status && slot->is_pinned)
        status = describe_none(out);
    if (!status)
        status |= gw_json_set(out, "status", text(status_of(scripts, slot)));
    if (!status && is_quarantined(scripts, slot))
        status = gw_json_set(out, "quarantined_until", time_of(slot->trouble.denied_until_ms));
    if (!status && slot->trouble.is_there) {
        status |= gw_json_set(out, "error", describe_trouble(&slot->trouble));
        status |= gw_json_set(out, "failed_calls", gw_json_new_int((int64_t)slot->trouble.failure_count));
        status |= gw_json_set(out, "failed_hooks", describe_hooks(&slot->trouble));
    }
    if (!status)
        status |= gw_json_set(out, "kept", describe_kept(slot));
    if (!status)
        return out;
    gw_json_unref(out);
    return NULL;
}

static int by_tenant(const void *a, const void *b)
{
    const struct gw_script_slot *const *x = a, *const *y = b;
    return strcmp((*x)->tenant_id, (*y)->tenant_id);
}

/* Those worth telling, in order of their tenants. */
static struct gw_script_slot **collect(const struct gw_scripts *scripts, size_t *count)
{
    struct gw_script_slot **slots = gw_alloc_array(gw_map_count(scripts->slots) + 1, sizeof *slots);
    size_t cursor = 0, length;
    const void *key;
    void *value;
    *count = 0;
    while (gw_map_next(scripts->slots, &cursor, &key, &length, &value)) {
        struct gw_script_slot *slot = value;
        if (slot->current || slot->is_pinned || slot->trouble.is_there)
            slots[(*count)++] = slot;
    }
    qsort(slots, *count, sizeof *slots, by_tenant);
    return slots;
}

static struct gw_json *describe_tenants(const struct gw_scripts *scripts)
{
    size_t count;
    struct gw_script_slot **slots = collect(scripts, &count);
    struct gw_json *out = gw_json_new_array();
    int status = out ? 0 : -1;
    for (size_t i = 0; !status && i < count; i++)
        status = gw_json_append(out, describe_slot(scripts, slots[i]));
    gw_free(slots);
    if (!status)
        return out;
    gw_json_unref(out);
    return NULL;
}

struct gw_json *gw_scripts_list(struct gw_scripts *scripts)
{
    struct gw_json *out = gw_json_new_object();
    if (!out)
        return NULL;
    pthread_mutex_lock(&scripts->lock);
    int status = gw_json_set(out, "epoch", gw_json_new_int((int64_t)gw_scripts_epoch(scripts)));
    status |= gw_json_set(out, "defaults", describe_slot(scripts, &scripts->defaults));
    status |= gw_json_set(out, "tenants", describe_tenants(scripts));
    pthread_mutex_unlock(&scripts->lock);
    if (!status)
        return out;
    gw_json_unref(out);
    return NULL;
}

bool gw_scripts_next_tenant(struct gw_scripts *scripts, char tenant_id[65])
{
    const struct gw_script_slot *next = NULL;
    size_t cursor = 0, length;
    const void *key;
    void *value;
    pthread_mutex_lock(&scripts->lock);
    while (gw_map_next(scripts->slots, &cursor, &key, &length, &value)) {
        const struct gw_script_slot *slot = value;
        if ((slot->current || slot->is_broken) && strcmp(slot->tenant_id, tenant_id) > 0 &&
            (!next || strcmp(slot->tenant_id, next->tenant_id) < 0))
            next = slot;
    }
    if (next)
        memcpy(tenant_id, next->tenant_id, sizeof next->tenant_id);
    pthread_mutex_unlock(&scripts->lock);
    return next != NULL;
}

bool gw_scripts_next_denied(struct gw_scripts *scripts, char tenant_id[65], struct gw_error *why)
{
    bool is_found = false;
    pthread_mutex_lock(&scripts->lock);
    const struct gw_script_slot *next = NULL;
    size_t cursor = 0, length;
    const void *key;
    void *value;
    while (gw_map_next(scripts->slots, &cursor, &key, &length, &value)) {
        const struct gw_script_slot *slot = value;
        if (slot->broken_by == scripts->defaults.current->number && strcmp(slot->tenant_id, tenant_id) > 0 &&
            (!next || strcmp(slot->tenant_id, next->tenant_id) < 0))
            next = slot;
    }
    if ((is_found = next != NULL)) {
        memcpy(tenant_id, next->tenant_id, sizeof next->tenant_id);
        *why = next->trouble.err;
    }
    pthread_mutex_unlock(&scripts->lock);
    return is_found;
}

struct gw_script_standing gw_scripts_standing(struct gw_scripts *scripts, const char *tenant_id)
{
    pthread_mutex_lock(&scripts->lock);
    const struct gw_script_slot *slot = gw_scripts_slot(scripts, tenant_id);
    struct gw_script_standing out = {.number = slot && slot->current ? slot->current->number : 0, .is_denied = slot && slot->is_broken};
    pthread_mutex_unlock(&scripts->lock);
    return out;
}

size_t gw_scripts_newcomers(struct gw_scripts *scripts, char ***out)
{
    size_t count = gw_script_tenants(scripts->opts.policies_dir, scripts->opts.overlays, out), kept = 0;
    pthread_mutex_lock(&scripts->lock);
    for (size_t i = 0; i < count; i++) {
        const struct gw_script_slot *slot = gw_scripts_slot(scripts, (*out)[i]);
        if (slot && !slot->current && !slot->is_broken)
            (*out)[kept++] = (*out)[i];
        else
            gw_free((*out)[i]);
    }
    pthread_mutex_unlock(&scripts->lock);
    return kept;
}
