#include "hub/revise.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/journal.h"
#include "hub/revise_steps.h"
#include "hub/state_internal.h"

bool gw_revise_handles(const char *type) { return strcmp(type, "undo") == 0 || strcmp(type, "canvas.restore") == 0; }

/* ---- what has to be fetched ---- */

static uint64_t read_rev(const struct gw_command *command)
{
    const struct gw_json *rev = gw_json_get(command->args, "rev");
    return gw_json_is_int(rev) && gw_json_int(rev) > 0 ? (uint64_t)gw_json_int(rev) : 0;
}

void gw_revise_find_need(const struct gw_state *state, const struct gw_command *command, const char *actor_id, struct gw_revise_need *need)
{
    *need = (struct gw_revise_need){.kind = GW_PAST_NONE};
    if (strcmp(command->type, "canvas.restore") == 0) {
        uint64_t seq = command->canvas_id[0] ? gw_state_commit_seq(state, command->canvas_id, read_rev(command)) : 0;
        need->at_seq = seq;
        need->kind = seq ? GW_PAST_STATE : GW_PAST_NONE;
    } else if (strcmp(command->type, "undo") == 0) {
        const char *of = gw_state_text_member(command->args, "of"), *origin = gw_state_text_member(command->args, "origin");
        need->turn = (struct gw_turn_key){.actor_id = actor_id, .command_id = of, .origin = origin};
        need->kind = !of != !origin ? GW_PAST_TURN : GW_PAST_NONE;
    }
}

/* ---- judging the command itself: the handlers of resolve.c ---- */

int gw_resolve_undo(const struct gw_resolve *r)
{
    static const char *const names[] = {"of", "origin", NULL};
    const char *of, *origin;
    int status = gw_resolve_members(r, gw_resolve_args(r), names);
    if (!status)
        status = gw_resolve_id(r, gw_resolve_args(r), "of", false, &of);
    if (!status)
        status = gw_resolve_id(r, gw_resolve_args(r), "origin", false, &origin);
    if (status)
        return status;
    if (!of == !origin) {
        gw_error_set(r->err, GW_EINVAL, "missing_arg", "an undo names either a command (of) or an origin");
        return gw_resolve_at(r, "/args");
    }
    return gw_resolve_emit_nothing(r, NULL);
}

int gw_resolve_restore(const struct gw_resolve *r)
{
    static const char *const names[] = {"rev", NULL};
    uint32_t rev;
    int status = gw_resolve_members(r, gw_resolve_args(r), names);
    if (!status)
        status = gw_resolve_count(r, "rev", &rev);
    if (status)
        return status;
    if (gw_state_commit_seq(r->state, r->command->canvas_id, rev))
        return gw_resolve_emit_nothing(r, NULL);
    gw_error_set(r->err, GW_ENOTFOUND, "unknown_commit", "the canvas has no revision %u", rev);
    return gw_resolve_at(r, "/args/rev");
}

/* ---- steps ---- */

static int no_memory(const struct gw_revise *v) { return gw_error_set(v->err, GW_ENOMEM, "out_of_memory", "no memory for the command"); }

int gw_revise_skip(struct gw_revise *v, const char *path, const char *reason)
{
    struct gw_json *entry = gw_json_new_object();
    if (gw_json_count(v->skipped) >= GW_REVISE_SKIPPED_MAX) {
        gw_json_unref(entry);
        return GW_OK;
    }
    if (entry && !gw_json_set(entry, "path", gw_resolve_text(path)) && !gw_json_set(entry, "reason", gw_resolve_text(reason)))
        return gw_json_append(v->skipped, entry) ? no_memory(v) : GW_OK;
    gw_json_unref(entry);
    return no_memory(v);
}

/* As the sequencer will: fold reads the seq and the actor. */
static int fold_from(struct gw_revise *v, size_t first)
{
    for (size_t i = first; i < v->out->count; i++) {
        struct gw_event *event = v->out->items[i];
        event->seq = gw_state_seq(v->state) + 1;
        snprintf(event->actor.id, sizeof event->actor.id, "%s", v->context.author_id ? v->context.author_id : "");
        (void)gw_actor_kind_parse(v->context.author_kind, &event->actor.kind); /* it was made from such a kind */
        int status = gw_state_fold(v->state, event, v->err);
        if (status)
            return status;
    }
    return GW_OK;
}

/* So that a later undo of the same turn can tell, and whoever asks who wrote what: what comes back is not its author's who brings it. */
static int mark_step(struct gw_event *event, const char *name, struct gw_json *args)
{
    if (!event->context && !(event->context = gw_json_new_object()))
        return GW_ENOMEM;
    return gw_json_set(event->context, name, gw_json_ref(args));
}

static int mark_from(struct gw_revise *v, size_t first)
{
    const char *name = strcmp(v->command->type, "undo") == 0 ? "undoes" : "restores";
    for (size_t i = first; i < v->out->count; i++)
        if (mark_step(v->out->items[i], name, v->command->args))
            return no_memory(v);
    return GW_OK;
}

static int judge_step(struct gw_revise *v, const struct gw_command *step, const char *path)
{
    struct gw_error refusal;
    size_t count = v->out->count;
    int status = gw_state_resolve(v->state, step, &v->context, v->out, &refusal);
    if (status == GW_ENOMEM)
        return no_memory(v);
    if (status)
        return gw_revise_skip(v, path, refusal.id);
    status = mark_from(v, count);
    return status ? status : fold_from(v, count);
}

int gw_revise_step(struct gw_revise *v, const char *type, const char *canvas_id, struct gw_json *args, const char *path)
{
    struct gw_command step = {.scope = v->command->scope, .args = args, .has_base = true, .base_seq = gw_state_seq(v->state)};
    if (!args)
        return no_memory(v);
    snprintf(step.command_id, sizeof step.command_id, "%s", v->command->command_id);
    snprintf(step.type, sizeof step.type, "%s", type);
    snprintf(step.canvas_id, sizeof step.canvas_id, "%s", canvas_id);
    int status = GW_OK;
    if (++v->step_count > GW_REVISE_STEPS_MAX)
        status = gw_error_limit(v->err, "limit_steps", "max_revise_steps", GW_REVISE_STEPS_MAX, "one command may take %d steps back",
                                GW_REVISE_STEPS_MAX);
    if (!status)
        status = judge_step(v, &step, path);
    gw_json_unref(args);
    return status;
}

/* ---- undo ---- */

static const struct gw_block *find_block(const struct gw_revise *v, const char *canvas_id, const char *id)
{
    const struct gw_canvas *canvas = id ? gw_state_canvas(v->state, canvas_id) : NULL;
    return canvas ? gw_blocks_find(canvas->blocks, id) : NULL;
}

/* A left neighbour that stands no longer beside the place is none: the block comes first. */
static void mend_place(const struct gw_revise *v, const char *canvas_id, struct gw_json *object)
{
    const char *parent = gw_state_text_member(object, "parent");
    const struct gw_block *after = find_block(v, canvas_id, gw_state_text_member(object, "after"));
    const struct gw_block *above = after ? gw_block_parent(after) : NULL;
    bool is_beside = after && (above ? parent && strcmp(gw_block_id(above), parent) == 0 : !parent);
    if (!is_beside)
        gw_json_remove(object, "after");
}

static int undo_step(struct gw_revise *v, const struct gw_json *step)
{
    const char *type = gw_state_text_member(step, "type"), *canvas_id = gw_state_text_member(step, "canvas_id");
    const char *path = gw_state_text_member(step, "path");
    struct gw_json *args = gw_json_get(step, "args");
    if (strcmp(type, "block.insert") == 0)
        mend_place(v, canvas_id, gw_json_get(args, "block"));
    if (strcmp(type, "block.move") == 0)
        mend_place(v, canvas_id, args);
    if (strcmp(type, "block.remove") == 0) {
        const struct gw_block *block = find_block(v, canvas_id, gw_state_text_member(args, "id"));
        if (block && gw_block_height(block) > 1)
            return gw_revise_skip(v, path, "has_children");
    }
    return gw_revise_step(v, type, canvas_id ? canvas_id : "", gw_json_ref(args), path);
}

static int undo(struct gw_revise *v, const struct gw_turn *turn)
{
    struct gw_json *steps, *skipped;
    if (gw_turn_count(turn) == 0) {
        gw_error_set(v->err, GW_ENOTFOUND, "unknown_turn", "no change of yours of that name lies within reach");
        gw_error_prefix(v->err, gw_json_get(v->command->args, "of") ? "/args/of" : "/args/origin");
        return GW_ENOTFOUND;
    }
    if (gw_turn_is_undone(turn)) {
        gw_error_set(v->err, GW_ECONFLICT, "already_undone", "this was undone already: to bring it back, undo that undo");
        gw_error_prefix(v->err, gw_json_get(v->command->args, "of") ? "/args/of" : "/args/origin");
        return GW_ECONFLICT;
    }
    if (gw_turn_plan(turn, &steps, &skipped))
        return no_memory(v);
    int status = GW_OK;
    for (size_t i = 0; !status && i < gw_json_count(skipped); i++) {
        const struct gw_json *entry = gw_json_at(skipped, i);
        status = gw_revise_skip(v, gw_state_text_member(entry, "path"), gw_state_text_member(entry, "reason"));
    }
    for (size_t i = 0; !status && i < gw_json_count(steps); i++)
        status = undo_step(v, gw_json_at(steps, i));
    gw_json_unref(steps);
    gw_json_unref(skipped);
    return status;
}

/* ---- the command ---- */

static int carry_out(struct gw_revise *v, const struct gw_resolve_context *context, const struct gw_past *past)
{
    size_t count = v->out->count;
    int status = gw_state_resolve(v->state, v->command, context, v->out, v->err);
    if (!status)
        status = fold_from(v, count);
    if (status)
        return status;
    if (past->turn)
        return undo(v, past->turn);
    if (past->state)
        return gw_revise_restore(v, past->state);
    return gw_error_set(v->err, GW_ECONFLICT, "not_fetched", "what stood before could not be read");
}

int gw_state_revise(struct gw_state *state, const struct gw_command *command, const struct gw_resolve_context *context,
                    const struct gw_past *past, struct gw_revised *out, struct gw_error *err)
{
    struct gw_revise v = {
        .state = state, .command = command, .context = *context, .out = out->events, .skipped = gw_json_new_array(), .err = err};
    bool was_open = state->journal.is_open;
    const struct gw_undo *mark = state->journal.newest;
    uint64_t seq = state->seq;
    size_t count = v.out->count;
    v.context.is_revision = v.context.is_step = true;
    v.context.batch = NULL;
    if (!was_open)
        gw_state_begin(state);
    int status = v.skipped ? carry_out(&v, context, past) : no_memory(&v);
    if (!was_open)
        gw_state_revert(state);
    else
        gw_journal_rewind(&state->journal, mark);
    state->seq = seq;
    if (status) {
        gw_event_list_truncate(v.out, count);
        gw_json_unref(v.skipped);
        v.skipped = NULL;
    }
    out->skipped = v.skipped;
    return status;
}
