/* Swapping: build aside, check, put in force. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/map.h"
#include "base/metrics.h"
#include "hub/overlay_port.h"
#include "script/scripts_internal.h"

/* value: an overlay that goes over to new defaults */
struct move {
    struct gw_generation *old, *next; /* owned; next NULL: it could not even be laid over them */
    bool has_failed;
    struct gw_error err;
};

struct gw_script_stage {
    struct gw_scripts *scripts;
    char tenant_id[GW_ID_MAX + 1];
    struct gw_generation *next; /* owned; NULL: the tenant returns to the defaults */
    uint64_t swaps;             /* of its slot, when it was made */
    bool is_same, is_old;
    uint64_t kept_number; /* of one that is_old */
    struct move *moves;   /* of the defaults: the overlays in memory */
    size_t move_count;
};

static void log_swap(const struct gw_scripts *scripts, const char *tenant_id, const struct gw_generation *generation)
{
    char digest[2 * GW_SHA256_BYTES + 1] = "";
    if (!scripts->opts.log)
        return;
    if (generation)
        gw_hex_encode(generation->digest, GW_SHA256_BYTES, digest);
    gw_log_write(scripts->opts.log, GW_LOG_INFO, "scripts_swapped",
                 (struct gw_log_field[]){GW_F_TEXT("tenant", tenant_id), GW_F_UINT("generation", generation ? generation->number : 0),
                                         GW_F_TEXT("digest", digest), GW_F_END});
}

/* Whoever had the files read may have had something else in mind: a certificate. */
static void log_end_of_rollback(const struct gw_scripts *scripts, const char *tenant_id)
{
    if (scripts->opts.log)
        gw_log_write(scripts->opts.log, GW_LOG_WARN, "rollback_ended", (struct gw_log_field[]){GW_F_TEXT("tenant", tenant_id), GW_F_END});
}

static int64_t wall_ms(const struct gw_scripts *scripts) { return scripts->opts.clock->wall_ms(scripts->opts.clock->self); }

/* What was in force stays so; the list tells why. */
static void note_failure(struct gw_scripts *scripts, const char *tenant_id, const struct gw_error *err)
{
    gw_metric_add(scripts->swap_failures, 1);
    gw_scripts_log_failure(scripts, "scripts_refused", tenant_id, err);
    pthread_mutex_lock(&scripts->lock);
    struct gw_script_slot *slot = gw_scripts_make_slot(scripts, tenant_id);
    if (slot) {
        slot->trouble = (struct gw_script_trouble){
            .is_there = true, .err = *err, .at_ms = wall_ms(scripts), .denied_until_ms = slot->trouble.denied_until_ms};
        gw_scripts_set_stale(scripts, slot, true);
    }
    pthread_mutex_unlock(&scripts->lock);
}

void gw_script_stage_drop(struct gw_script_stage *stage)
{
    if (!stage)
        return;
    for (size_t i = 0; i < stage->move_count; i++) {
        gw_generation_unref(stage->moves[i].old);
        gw_generation_unref(stage->moves[i].next);
    }
    gw_generation_unref(stage->next);
    gw_free(stage->moves);
    gw_free(stage);
}

bool gw_script_stage_is_same(const struct gw_script_stage *stage) { return stage->is_same; }

uint64_t gw_script_stage_back_to(const struct gw_script_stage *stage) { return stage->kept_number; }

/* ---- the defaults ----------------------------------------------------------------------------------------------------------------------- */

/* Each overlay in memory, with a reference. */
static void collect_overlays(struct gw_scripts *scripts, struct gw_script_stage *stage)
{
    size_t cursor = 0, length;
    const void *key;
    void *value;
    pthread_mutex_lock(&scripts->lock);
    stage->moves = gw_alloc_array(scripts->overlay_count + 1, sizeof *stage->moves);
    while (gw_map_next(scripts->slots, &cursor, &key, &length, &value)) {
        const struct gw_script_slot *slot = value;
        if (slot->current)
            stage->moves[stage->move_count++].old = gw_generation_ref(slot->current);
    }
    pthread_mutex_unlock(&scripts->lock);
}

static void move_overlay(struct gw_scripts *scripts, struct move *move, struct gw_generation *defaults)
{
    struct gw_error ignored; /* without the old ones too it is denied, for the first reason */
    move->next = gw_generation_rebase(&scripts->opts, move->old, defaults, false, &move->err);
    move->has_failed = !move->next || gw_generation_check(move->next, scripts->opts.budget_clock, &move->err);
    if (!move->has_failed || !scripts->opts.keeps_failed)
        return;
    gw_generation_unref(move->next);
    move->next = gw_generation_rebase(&scripts->opts, move->old, defaults, true, &ignored);
}

static void move_overlays(struct gw_scripts *scripts, struct gw_script_stage *stage)
{
    collect_overlays(scripts, stage);
    for (size_t i = 0; i < stage->move_count; i++)
        move_overlay(scripts, &stage->moves[i], stage->next);
}

static struct move *find_move(const struct gw_script_stage *stage, const struct gw_generation *old)
{
    for (size_t i = 0; i < stage->move_count; i++)
        if (stage->moves[i].old == old)
            return &stage->moves[i];
    return NULL;
}

struct gw_generation *gw_script_stage_next(const struct gw_script_stage *stage, const struct gw_generation *current)
{
    if (stage->tenant_id[0])
        return stage->next ? stage->next : current->defaults;
    if (!current->defaults)
        return stage->next;
    const struct move *move = find_move(stage, current);
    return move && (!move->has_failed || stage->scripts->opts.keeps_failed) ? move->next : NULL;
}

static void set_broken(const struct gw_scripts *scripts, struct gw_script_slot *slot, bool is_broken)
{
    slot->is_broken = is_broken;
    slot->broken_by = is_broken ? scripts->defaults.current->number : 0;
}

/* An overlay that came while the stage was being made. */
static void move_late(struct gw_scripts *scripts, struct gw_script_slot *slot)
{
    struct gw_error err;
    struct gw_generation *next = gw_generation_rebase(&scripts->opts, slot->current, scripts->defaults.current, false, &err);
    if (next) {
        next->number = ++scripts->next_number;
        gw_generation_unref(slot->current);
        slot->current = next;
    } else {
        gw_scripts_log_failure(scripts, "overlay_failed", slot->tenant_id, &err);
    }
    set_broken(scripts, slot, !next);
    gw_scripts_set_stale(scripts, slot, !next);
    slot->swaps++;
}

static void apply_move(struct gw_scripts *scripts, struct gw_script_slot *slot, struct move *move)
{
    if (move->next) {
        move->next->number = ++scripts->next_number;
        gw_generation_unref(slot->current);
        slot->current = move->next;
    }
    set_broken(scripts, slot, move->has_failed && !(scripts->opts.keeps_failed && move->next));
    slot->swaps++;
    gw_scripts_set_stale(scripts, slot, move->has_failed);
    slot->trouble = (struct gw_script_trouble){.is_there = move->has_failed, .err = move->err, .at_ms = wall_ms(scripts)};
    if (move->has_failed)
        gw_scripts_log_failure(scripts, "overlay_failed", slot->tenant_id, &move->err);
    move->next = NULL;
}

static void apply_moves(struct gw_scripts *scripts, struct gw_script_stage *stage)
{
    size_t cursor = 0, length;
    const void *key;
    void *value;
    while (gw_map_next(scripts->slots, &cursor, &key, &length, &value)) {
        struct gw_script_slot *slot = value;
        struct move *move = slot->current ? find_move(stage, slot->current) : NULL;
        if (move)
            apply_move(scripts, slot, move);
        else if (slot->current)
            move_late(scripts, slot);
        else if (!slot->is_broken)
            slot->trouble = (struct gw_script_trouble){0}; /* the scripts that failed for it are gone */
    }
}

/* ---- staging ---------------------------------------------------------------------------------------------------------------------------- */

static struct gw_script_stage *stage_create(struct gw_scripts *scripts, const char *tenant_id)
{
    struct gw_script_stage *stage = gw_alloc(sizeof *stage);
    stage->scripts = scripts;
    snprintf(stage->tenant_id, sizeof stage->tenant_id, "%s", tenant_id);
    pthread_mutex_lock(&scripts->lock);
    const struct gw_script_slot *slot = gw_scripts_slot(scripts, tenant_id);
    stage->swaps = slot ? slot->swaps : 0;
    pthread_mutex_unlock(&scripts->lock);
    return stage;
}

static int read_files(struct gw_script_stage *stage, struct gw_error *err)
{
    struct gw_scripts *scripts = stage->scripts;
    if (!stage->tenant_id[0])
        return gw_generation_read(&scripts->opts, &stage->next, err);
    pthread_mutex_lock(&scripts->lock);
    struct gw_generation *defaults = gw_generation_ref(scripts->defaults.current);
    const struct gw_script_slot *slot = gw_scripts_slot(scripts, stage->tenant_id);
    bool had_one = slot && (slot->current || slot->is_broken);
    pthread_mutex_unlock(&scripts->lock);
    int status = gw_generation_read_overlay(&scripts->opts, stage->tenant_id, defaults, &stage->next, err);
    gw_generation_unref(defaults);
    if (!status && !stage->next && !had_one)
        status = gw_error_set(err, GW_ENOTFOUND, "no_overlay", "neither policies_dir/tenants nor the registry has policies of this tenant");
    return status;
}

static void compare(struct gw_script_stage *stage)
{
    struct gw_scripts *scripts = stage->scripts;
    pthread_mutex_lock(&scripts->lock);
    struct gw_script_slot *slot = gw_scripts_slot(scripts, stage->tenant_id);
    const struct gw_generation *current = slot && !slot->is_broken ? slot->current : NULL;
    if (stage->next)
        stage->is_same = current && current->version == stage->next->version &&
                         memcmp(current->digest, stage->next->digest, sizeof current->digest) == 0;
    else
        stage->is_same = stage->is_old && !current && !slot->is_broken;
    if (stage->is_same) { /* what was wrong with the files is so no more */
        slot->trouble.is_there = slot->trouble.denied_until_ms > wall_ms(scripts);
        gw_scripts_set_stale(scripts, slot, false);
        slot->is_pinned &= stage->is_old; /* they are what was gone back to */
    }
    pthread_mutex_unlock(&scripts->lock);
}

static int finish(struct gw_script_stage *stage, int status, struct gw_script_stage **out, struct gw_error *err)
{
    struct gw_scripts *scripts = stage->scripts;
    if (!status && stage->next && (!stage->is_old || stage->tenant_id[0])) /* old policies of a tenant stand on other defaults now */
        status = gw_generation_check(stage->next, scripts->opts.budget_clock, err);
    if (status) {
        if (!stage->is_old && strcmp(err->id, "no_overlay") != 0)
            note_failure(scripts, stage->tenant_id, err);
        gw_script_stage_drop(stage);
        return status;
    }
    compare(stage);
    if (!stage->tenant_id[0])
        move_overlays(scripts, stage);
    *out = stage;
    return GW_OK;
}

int gw_scripts_stage(struct gw_scripts *scripts, const char *tenant_id, struct gw_script_stage **out, struct gw_error *err)
{
    struct gw_script_stage *stage = stage_create(scripts, tenant_id);
    return finish(stage, read_files(stage, err), out, err);
}

/* Further back each time: what was left by going back is none of before. */
static bool is_wanted(const struct gw_script_slot *slot, const struct gw_script_kept *kept, uint64_t number)
{
    return number != 0 ? kept->number == number : !slot->is_pinned || kept->number < slot->pinned;
}

/* Its generation is a new reference. False: there is no such one. */
static bool find_kept(const struct gw_script_slot *slot, uint64_t number, struct gw_script_kept *out)
{
    *out = (struct gw_script_kept){0};
    for (size_t i = 0; slot && i < slot->kept_count; i++) {
        if (!is_wanted(slot, &slot->kept[i], number))
            continue;
        *out = slot->kept[i];
        if (out->generation)
            gw_generation_ref(out->generation);
        return true;
    }
    return false;
}

int gw_scripts_stage_old(struct gw_scripts *scripts, const char *tenant_id, uint64_t number, struct gw_script_stage **out,
                         struct gw_error *err)
{
    struct gw_script_stage *stage = stage_create(scripts, tenant_id);
    struct gw_script_kept old;
    pthread_mutex_lock(&scripts->lock);
    bool is_kept = find_kept(gw_scripts_slot(scripts, tenant_id), number, &old);
    struct gw_generation *defaults = gw_generation_ref(scripts->defaults.current);
    pthread_mutex_unlock(&scripts->lock);
    int status = GW_OK;
    stage->is_old = true;
    stage->kept_number = old.number;
    if (!is_kept)
        status =
            gw_error_set(err, GW_ENOTFOUND, "no_generation", number ? "no such generation is kept" : "no generation of before is kept");
    else if (old.generation && !tenant_id[0])
        stage->next = gw_generation_ref(old.generation);
    else if (old.generation && !(stage->next = gw_generation_rebase(&scripts->opts, old.generation, defaults, false, err)))
        status = err->code;
    gw_generation_unref(old.generation);
    gw_generation_unref(defaults);
    return finish(stage, status, out, err);
}

/* ---- committing ------------------------------------------------------------------------------------------------------------------------- */

/* What is in force again leaves the kept ones. */
static void take_from_kept(struct gw_script_slot *slot, uint64_t number)
{
    for (size_t i = 0; i < slot->kept_count; i++) {
        if (slot->kept[i].number != number)
            continue;
        gw_generation_unref(slot->kept[i].generation);
        slot->kept_count--;
        memmove(slot->kept + i, slot->kept + i + 1, (slot->kept_count - i) * sizeof *slot->kept);
        return;
    }
}

static int commit(struct gw_scripts *scripts, struct gw_script_stage *stage, struct gw_error *err)
{
    bool is_for_all = !stage->tenant_id[0];
    struct gw_script_slot *slot = gw_scripts_make_slot(scripts, stage->tenant_id);
    if (!slot)
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the swap");
    bool is_late = stage->next && !is_for_all && stage->next->defaults != scripts->defaults.current;
    if (slot->swaps != stage->swaps || is_late)
        return gw_error_set(err, GW_ECONFLICT, "swapped_meanwhile", "another swap came between; do it again");
    if (stage->is_old)
        take_from_kept(slot, stage->kept_number);
    else if (stage->next && stage->next->version == 1) /* the first there is: whoever comes now had none before */
        slot->is_known = true;
    if (slot->is_pinned && !stage->is_old)
        log_end_of_rollback(scripts, stage->tenant_id);
    gw_script_slot_swap(scripts, slot, stage->next);
    slot->is_pinned = stage->is_old;
    slot->pinned = stage->kept_number;
    if (is_for_all)
        apply_moves(scripts, stage);
    gw_scripts_sweep_classes(scripts);
    log_swap(scripts, stage->tenant_id, stage->next);
    stage->next = NULL;
    atomic_fetch_add_explicit(&scripts->epoch, 1, memory_order_release);
    gw_metric_add(scripts->swaps, 1);
    return GW_OK;
}

int gw_scripts_commit(struct gw_scripts *scripts, struct gw_script_stage *stage, struct gw_error *err)
{
    pthread_mutex_lock(&scripts->lock);
    int status = commit(scripts, stage, err);
    pthread_mutex_unlock(&scripts->lock);
    gw_script_stage_drop(stage);
    return status;
}

/* ---- the registry ------------------------------------------------------------------------------------------------------------------------ */

int gw_scripts_prune(struct gw_scripts *scripts, const char *tenant_id, size_t *removed, struct gw_error *err)
{
    const struct gw_overlays *overlays = scripts->opts.overlays;
    struct gw_overlay_prune prune = {.tenant_id = tenant_id, .keep = scripts->opts.limits.keep_versions};
    *removed = 0;
    pthread_mutex_lock(&scripts->lock);
    const struct gw_script_slot *slot = gw_scripts_slot(scripts, tenant_id);
    prune.in_force = slot && slot->current ? slot->current->version : 0;
    pthread_mutex_unlock(&scripts->lock);
    if (!overlays || !tenant_id[0] || !prune.in_force)
        return GW_OK;
    int status = overlays->prune(overlays->self, &prune, err);
    *removed = prune.removed;
    return status;
}
