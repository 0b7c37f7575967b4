#include "hub/reduce.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/journal.h"
#include "hub/manifest.h"
#include "hub/plan.h"
#include "hub/pointer.h"
#include "hub/resolve.h"
#include "hub/value_type.h"

/* ---- the command itself ------------------------------------------------------------------------------------------------------------------- */

bool gw_reduce_handles(const struct gw_manifests *manifests, const char *command_type)
{
    for (size_t i = 0; manifests && i < gw_manifests_count(manifests); i++)
        if (gw_json_get(gw_manifest_member(gw_manifests_at(manifests, i), "commands"), command_type))
            return true;
    return false;
}

static bool names_sidecar(const struct gw_json *args)
{
    void *iterator = NULL;
    const char *name;
    struct gw_json *declaration;
    while (args && gw_json_next(args, &iterator, &name, &declaration))
        if (gw_value_type_is_sidecar(declaration))
            return true;
    return false;
}

/* What the canvas as it was mounted declares of the command; NULL where it does not, or the author cannot know. */
static const struct gw_json *find_declaration(const struct gw_resolve *r)
{
    const struct gw_json *commands = gw_json_get(r->canvas->manifest, "commands");
    const struct gw_json *declared = commands ? gw_json_get(commands, r->command->type) : NULL;
    if (declared && !r->context->plan->sees_sidecars && names_sidecar(gw_json_get(declared, "args")))
        return NULL;
    return declared;
}

static int refuse_arg(const struct gw_resolve *r, const char *name)
{
    gw_pointer_prefix(r->err, name);
    return gw_resolve_at(r, "/args");
}

static int check_given(const struct gw_resolve *r, const struct gw_json *declared)
{
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    while (gw_json_next(r->command->args, &iterator, &name, &value)) {
        const struct gw_json *declaration = declared ? gw_json_get(declared, name) : NULL;
        if (!declaration)
            gw_error_set(r->err, GW_EINVAL, "unknown_member", "%s is no argument of this command", name);
        if (!declaration || gw_value_fits(declaration, value, r->err))
            return refuse_arg(r, name);
    }
    return GW_OK;
}

static int check_required(const struct gw_resolve *r, const struct gw_json *declared)
{
    void *iterator = NULL;
    const char *name;
    struct gw_json *declaration;
    while (declared && gw_json_next(declared, &iterator, &name, &declaration)) {
        const struct gw_json *required = gw_json_get(declaration, "required");
        if (!gw_json_is_bool(required) || !gw_json_bool(required) || gw_json_get(r->command->args, name))
            continue;
        gw_error_set(r->err, GW_EINVAL, "missing_arg", "%s is required", name);
        return refuse_arg(r, name);
    }
    return GW_OK;
}

int gw_resolve_own(const struct gw_resolve *r)
{
    const struct gw_json *declared = find_declaration(r);
    if (!declared) {
        gw_error_set(r->err, GW_EINVAL, "unknown_command", "%s is no command", r->command->type);
        return gw_resolve_at(r, "/type");
    }
    int status = check_given(r, gw_json_get(declared, "args"));
    if (!status)
        status = check_required(r, gw_json_get(declared, "args"));
    return status ? status : gw_resolve_emit_nothing(r, NULL);
}

/* ---- what it stands for ----------------------------------------------------------------------------------------------------------------------- */

/* value */
struct reduction {
    struct gw_state *state;
    const struct gw_command *command;
    struct gw_resolve_context context;
    struct gw_event_list *out;
    struct gw_error *err;
};

/* As the sequencer will: fold reads the seq and the kind of the actor. */
static int fold_from(const struct reduction *d, size_t first)
{
    for (size_t i = first; i < d->out->count; i++) {
        struct gw_event *event = d->out->items[i];
        event->seq = gw_state_seq(d->state) + 1;
        (void)gw_actor_kind_parse(d->context.author_kind, &event->actor.kind); /* it was made from such a kind */
        int status = gw_state_fold(d->state, event, d->err);
        if (status)
            return status;
    }
    return GW_OK;
}

static int judge(const struct reduction *d, const struct gw_command *command)
{
    size_t count = d->out->count;
    int status = gw_state_resolve(d->state, command, &d->context, d->out, d->err);
    return status ? status : fold_from(d, count);
}

static int judge_operation(const struct reduction *d, size_t index, const struct gw_json *operation)
{
    struct gw_command step = {
        .scope = d->command->scope, .args = gw_json_get(operation, "args"), .has_base = true, .base_seq = gw_state_seq(d->state)};
    char path[40];
    snprintf(step.command_id, sizeof step.command_id, "%s", d->command->command_id);
    snprintf(step.type, sizeof step.type, "%s", gw_json_text(gw_json_get(operation, "type"), NULL));
    if (strcmp(step.type, "token.set") != 0)
        snprintf(step.canvas_id, sizeof step.canvas_id, "%s", d->command->canvas_id);
    int status = judge(d, &step);
    snprintf(path, sizeof path, "/operations/%zu", index);
    if (status)
        gw_error_prefix(d->err, path);
    return status;
}

static int carry_out(struct reduction *d, const struct gw_json *operations)
{
    int status = judge(d, d->command);
    d->context.is_step = true;
    d->context.batch = NULL;
    for (size_t i = 0; !status && i < gw_json_count(operations); i++)
        status = judge_operation(d, i, gw_json_at(operations, i));
    return status;
}

int gw_state_reduce(struct gw_state *state, const struct gw_command *command, const struct gw_resolve_context *context,
                    struct gw_reduced *out, struct gw_error *err)
{
    struct reduction d = {.state = state, .command = command, .context = *context, .out = out->events, .err = err};
    bool was_open = state->journal.is_open;
    const struct gw_undo *mark = state->journal.newest;
    uint64_t seq = state->seq;
    size_t count = d.out->count;
    if (!was_open)
        gw_state_begin(state);
    int status = carry_out(&d, out->operations);
    if (!was_open)
        gw_state_revert(state);
    else
        gw_journal_rewind(&state->journal, mark);
    state->seq = seq;
    if (status)
        gw_event_list_truncate(d.out, count);
    return status;
}
