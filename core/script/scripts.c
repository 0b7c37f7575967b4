/* Which generation is in force for whom. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/metrics.h"
#include "hub/manifest.h"
#include "script/script_rates.h"
#include "script/scripts_internal.h"

/* ---- slots ------------------------------------------------------------------------------------------------------------------------------ */

struct gw_script_slot *gw_scripts_slot(struct gw_scripts *scripts, const char *tenant_id)
{
    return tenant_id[0] ? gw_map_get(scripts->slots, tenant_id, strlen(tenant_id)) : &scripts->defaults;
}

void gw_scripts_set_stale(struct gw_scripts *scripts, struct gw_script_slot *slot, bool is_stale)
{
    gw_metric_add(scripts->stale, (int64_t)is_stale - (int64_t)slot->is_stale);
    slot->is_stale = is_stale;
}

static void empty_slot(struct gw_script_slot *slot)
{
    gw_generation_unref(slot->current);
    for (size_t i = 0; i < slot->kept_count; i++)
        gw_generation_unref(slot->kept[i].generation);
}

static void drop_slot(struct gw_scripts *scripts, struct gw_script_slot *slot)
{
    scripts->overlay_count -= slot->current != NULL;
    gw_scripts_set_stale(scripts, slot, false);
    gw_map_remove(scripts->slots, slot->tenant_id, strlen(slot->tenant_id));
    empty_slot(slot);
    gw_free(slot);
}

/* In use by a host, put there by hand, or in trouble that somebody may want to look at. */
static bool is_needed(const struct gw_script_slot *slot)
{
    if (slot->is_pinned || slot->trouble.is_there)
        return true;
    return slot->current && atomic_load_explicit(&slot->current->refs.count, memory_order_acquire) > 1;
}

/* The least recently used with (or without) an overlay. Hosts hold what they run, so there is one to be found unless all are in use. */
static void drop_oldest(struct gw_scripts *scripts, bool has_overlay)
{
    struct gw_script_slot *oldest = NULL;
    size_t cursor = 0, length;
    const void *key;
    void *value;
    while (gw_map_next(scripts->slots, &cursor, &key, &length, &value)) {
        struct gw_script_slot *slot = value;
        if ((slot->current != NULL) == has_overlay && !is_needed(slot) && (!oldest || slot->used < oldest->used))
            oldest = slot;
    }
    if (oldest)
        drop_slot(scripts, oldest);
}

struct gw_script_slot *gw_scripts_make_slot(struct gw_scripts *scripts, const char *tenant_id)
{
    struct gw_script_slot *slot = gw_scripts_slot(scripts, tenant_id);
    if (slot)
        return slot;
    if (scripts->overlay_count >= scripts->opts.limits.max_overlays)
        drop_oldest(scripts, true);
    if (gw_map_count(scripts->slots) - scripts->overlay_count >= GW_SCRIPTS_ABSENT_MAX)
        drop_oldest(scripts, false);
    slot = gw_alloc(sizeof *slot);
    snprintf(slot->tenant_id, sizeof slot->tenant_id, "%s", tenant_id);
    if (gw_map_put(scripts->slots, tenant_id, strlen(tenant_id), slot, NULL)) {
        gw_free(slot);
        return NULL;
    }
    return slot;
}

static void keep(struct gw_scripts *scripts, struct gw_script_slot *slot, struct gw_generation *generation)
{
    if (slot->kept_count == GW_SCRIPTS_KEPT)
        gw_generation_unref(slot->kept[--slot->kept_count].generation);
    memmove(slot->kept + 1, slot->kept, slot->kept_count * sizeof *slot->kept);
    slot->kept[0] = (struct gw_script_kept){generation, generation ? generation->number : ++scripts->next_number};
    slot->kept_count++;
}

void gw_script_slot_swap(struct gw_scripts *scripts, struct gw_script_slot *slot, struct gw_generation *generation)
{
    if (slot != &scripts->defaults) {
        scripts->overlay_count -= slot->current != NULL;
        scripts->overlay_count += generation != NULL;
    }
    bool had_none = slot->is_known && !slot->is_broken && generation;
    if (slot->current || had_none)
        keep(scripts, slot, slot->current);
    if (generation && generation->number == 0)
        generation->number = ++scripts->next_number;
    slot->current = generation;
    slot->is_known = true;
    slot->is_broken = false;
    slot->broken_by = 0;
    slot->swaps++;
    slot->trouble = (struct gw_script_trouble){0};
    gw_scripts_set_stale(scripts, slot, false);
}

/* ---- who decides for a tenant -------------------------------------------------------------------------------------------------------------- */

void gw_scripts_log_failure(const struct gw_scripts *scripts, const char *event, const char *tenant_id, const struct gw_error *err)
{
    if (scripts->opts.log)
        gw_log_write(scripts->opts.log, GW_LOG_ERROR, event,
                     (struct gw_log_field[]){GW_F_TEXT("tenant", tenant_id), GW_F_TEXT("code", err->id), GW_F_TEXT("where", err->path),
                                             GW_F_TEXT("message", err->message), GW_F_END});
}

static int say_failed(struct gw_error *err)
{
    return gw_error_set(err, GW_EDENIED, "policy_failed", "the policies of this tenant could not decide");
}

static int answer(struct gw_scripts *scripts, struct gw_script_slot *slot, struct gw_generation **out, struct gw_error *err)
{
    slot->used = ++scripts->asked;
    if (slot->is_broken)
        return say_failed(err);
    *out = gw_generation_ref(slot->current ? slot->current : scripts->defaults.current);
    return GW_OK;
}

static void mark_broken(struct gw_scripts *scripts, struct gw_script_slot *slot, const struct gw_error *err)
{
    slot->is_known = slot->is_broken = true;
    gw_scripts_set_stale(scripts, slot, true);
    slot->trouble = (struct gw_script_trouble){
        .is_there = true, .err = *err, .at_ms = scripts->opts.clock->wall_ms(scripts->opts.clock->self), .failure_count = 1};
    gw_scripts_log_failure(scripts, "overlay_failed", slot->tenant_id, err);
}

/* Defaults may have been swapped, and the slot made, while the files were read. */
static int install(struct gw_scripts *scripts, struct gw_script_slot *slot, struct gw_generation *overlay /* taken */, struct gw_error *err)
{
    struct gw_generation *defaults = scripts->defaults.current;
    if (overlay->defaults != defaults) {
        struct gw_generation *rebased = gw_generation_rebase(&scripts->opts, overlay, defaults, false, err);
        gw_generation_unref(overlay);
        overlay = rebased;
    }
    if (!overlay)
        return err->code;
    gw_script_slot_swap(scripts, slot, overlay);
    return GW_OK;
}

static int look_for_overlay(struct gw_scripts *scripts, const char *tenant_id, struct gw_generation **out, struct gw_error *err)
{
    struct gw_error failure;
    pthread_mutex_lock(&scripts->lock);
    struct gw_generation *defaults = gw_generation_ref(scripts->defaults.current), *overlay = NULL;
    pthread_mutex_unlock(&scripts->lock);
    int status = gw_generation_read_overlay(&scripts->opts, tenant_id, defaults, &overlay, &failure);
    gw_generation_unref(defaults);
    if (status == GW_EBUSY) { /* asked again by the next call */
        *err = failure;
        return status;
    }
    pthread_mutex_lock(&scripts->lock);
    struct gw_script_slot *slot = gw_scripts_make_slot(scripts, tenant_id);
    bool is_new = slot && !slot->is_known;
    if (!slot || !is_new)
        gw_generation_unref(overlay);
    else if (!status && overlay)
        status = install(scripts, slot, overlay, &failure);
    if (is_new && status)
        mark_broken(scripts, slot, &failure);
    else if (is_new)
        slot->is_known = true;
    status = slot ? answer(scripts, slot, out, err) : gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the tenant's policies");
    pthread_mutex_unlock(&scripts->lock);
    return status;
}

int gw_scripts_get(struct gw_scripts *scripts, const char *tenant_id, struct gw_generation **out, struct gw_error *err)
{
    pthread_mutex_lock(&scripts->lock);
    struct gw_script_slot *slot = gw_scripts_slot(scripts, tenant_id);
    bool is_known = slot && slot->is_known;
    int status = is_known ? answer(scripts, slot, out, err) : GW_OK;
    pthread_mutex_unlock(&scripts->lock);
    return is_known ? status : look_for_overlay(scripts, tenant_id, out, err);
}

void gw_scripts_note(struct gw_scripts *scripts, const char *tenant_id, const struct gw_script_failure *failure)
{
    pthread_mutex_lock(&scripts->lock);
    struct gw_script_slot *slot = gw_scripts_make_slot(scripts, tenant_id);
    if (slot) {
        struct gw_script_trouble *trouble = &slot->trouble;
        trouble->is_there = true;
        trouble->err = *failure->err;
        trouble->at_ms = scripts->opts.clock->wall_ms(scripts->opts.clock->self);
        trouble->failure_count++;
        trouble->by_hook[failure->hook]++;
        if (failure->denied_until_ms > trouble->denied_until_ms)
            trouble->denied_until_ms = failure->denied_until_ms;
    }
    pthread_mutex_unlock(&scripts->lock);
}

bool gw_scripts_release(struct gw_scripts *scripts, const char *tenant_id)
{
    pthread_mutex_lock(&scripts->lock);
    struct gw_script_slot *slot = gw_scripts_slot(scripts, tenant_id);
    bool is_denied = slot && tenant_id[0] && slot->trouble.denied_until_ms > scripts->opts.clock->wall_ms(scripts->opts.clock->self);
    if (is_denied) {
        slot->releases++;
        slot->trouble.denied_until_ms = 0;
        atomic_fetch_add_explicit(&scripts->epoch, 1, memory_order_release);
    }
    pthread_mutex_unlock(&scripts->lock);
    return is_denied;
}

uint64_t gw_scripts_releases(struct gw_scripts *scripts, const char *tenant_id)
{
    pthread_mutex_lock(&scripts->lock);
    const struct gw_script_slot *slot = gw_scripts_slot(scripts, tenant_id);
    uint64_t releases = slot ? slot->releases : 0;
    pthread_mutex_unlock(&scripts->lock);
    return releases;
}

uint64_t gw_scripts_epoch(const struct gw_scripts *scripts) { return atomic_load_explicit(&scripts->epoch, memory_order_acquire); }

struct gw_manifests *gw_scripts_manifests(struct gw_scripts *scripts)
{
    pthread_mutex_lock(&scripts->lock);
    struct gw_manifests *manifests = gw_manifests_ref(scripts->defaults.current->manifests);
    pthread_mutex_unlock(&scripts->lock);
    return manifests;
}

/* ---- life -------------------------------------------------------------------------------------------------------------------------------- */

static struct gw_scripts *create(const struct gw_scripts_opts *opts)
{
    struct gw_scripts *scripts = gw_alloc(sizeof *scripts);
    struct gw_metrics *m = opts->metrics;
    uint8_t seed[16];
    scripts->opts = *opts;
    scripts->opts.policies_dir = gw_strdup(opts->policies_dir);
    scripts->opts.canvases_dir = gw_strdup(opts->canvases_dir);
    scripts->opts.lua_dir = gw_strdup(opts->lua_dir);
    opts->clock->random(opts->clock->self, seed, sizeof seed);
    scripts->slots = gw_map_create(seed);
    scripts->classes = gw_map_create(seed);
    scripts->class_owners = gw_map_create(seed);
    scripts->rates = gw_rates_create(seed, opts->limits.max_rates);
    pthread_mutex_init(&scripts->lock, NULL);
    atomic_init(&scripts->epoch, 1);
    scripts->swaps = gw_metrics_counter(m, "atoms_script_swaps_total", "", "Generations of scripts put in force after the start.");
    scripts->swap_failures = gw_metrics_counter(m, "atoms_script_swap_failures_total", "", "Generations that failed their check.");
    scripts->stale = gw_metrics_gauge(m, "atoms_stale", "what=\"policies\"",
                                      "Above 0: what was read last is faulty or not to be had, and what was read before is in use");
    return scripts;
}

int gw_scripts_create(const struct gw_scripts_opts *opts, struct gw_scripts **out, struct gw_error *err)
{
    struct gw_scripts *scripts = create(opts);
    struct gw_generation *defaults = NULL;
    int status = gw_generation_read(&scripts->opts, &defaults, err);
    if (!status)
        status = gw_generation_check(defaults, opts->budget_clock, err);
    if (status) {
        gw_generation_unref(defaults);
        gw_scripts_destroy(scripts);
        return status;
    }
    gw_script_slot_swap(scripts, &scripts->defaults, defaults);
    *out = scripts;
    return GW_OK;
}

void gw_scripts_destroy(struct gw_scripts *scripts)
{
    if (!scripts)
        return;
    size_t cursor = 0, length;
    const void *key;
    void *slot;
    gw_scripts_drop_classes(scripts);
    gw_map_destroy(scripts->classes);
    gw_map_destroy(scripts->class_owners);
    while (gw_map_next(scripts->slots, &cursor, &key, &length, &slot))
        drop_slot(scripts, slot);
    empty_slot(&scripts->defaults);
    gw_map_destroy(scripts->slots);
    gw_rates_destroy(scripts->rates);
    pthread_mutex_destroy(&scripts->lock);
    gw_free((char *)(uintptr_t)scripts->opts.policies_dir);
    gw_free((char *)(uintptr_t)scripts->opts.canvases_dir);
    gw_free((char *)(uintptr_t)scripts->opts.lua_dir);
    gw_free(scripts);
}
