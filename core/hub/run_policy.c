#include "hub/run_policy.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/event.h"
#include "hub/reduce.h"
#include "hub/run.h"
#include "hub/state_internal.h"
#include "hub/text.h"
#include "hub/tokens.h"

/* A script that needs more should be given a better question. */
#define CHILDREN_MAX 4096

/* ---- looks, through the author's lens ------------------------------------------------------------------------------------------------------- */

/* value: a transform is not applied, since it would be a call of scripts within one: what it would show is shown empty */
struct looks {
    const struct gw_state *state;
    const struct gw_canvas *canvas; /* or NULL */
    struct gw_lens lens;
};

static struct gw_json *text(const char *value) { return gw_json_new_text(value, strlen(value)); }

static int no_memory(struct gw_error *err) { return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a look"); }

static const struct gw_block *find(const struct looks *looks, const char *id)
{
    const struct gw_block *block = looks->canvas ? gw_blocks_find(looks->canvas->blocks, id) : NULL;
    return block && gw_canvas_shows(looks->canvas, looks->lens.plan, block) ? block : NULL;
}

static struct gw_json *whole_text(const struct gw_block *block)
{
    struct gw_buffer buffer;
    gw_buffer_init(&buffer, 0);
    gw_text_write(gw_block_text(block), &buffer);
    struct gw_json *out = buffer.has_failed ? NULL : gw_json_new_text(buffer.data ? buffer.data : "", buffer.length);
    gw_buffer_fini(&buffer);
    return out;
}

static int add_content(const struct looks *looks, const struct gw_block *block, struct gw_json *out)
{
    struct gw_plan_thing thing = gw_canvas_thing(looks->canvas, block);
    struct gw_seen_block given = {gw_block_props(block), whole_text(block)}, seen = {0};
    int status = given.text ? gw_lens_block(&looks->lens, gw_block_id(block), &thing, &given, &seen) : GW_ENOMEM;
    if (!status)
        status = gw_json_set(out, "props", gw_json_ref(seen.props));
    if (!status)
        status = gw_json_set(out, "text", gw_json_ref(seen.text));
    gw_json_unref(given.text);
    gw_seen_block_fini(&seen);
    return status;
}

static struct gw_json *describe(const struct looks *looks, const struct gw_block *block)
{
    const struct gw_block *parent = gw_block_parent(block);
    bool is_below = parent && gw_canvas_shows(looks->canvas, looks->lens.plan, parent);
    struct gw_json *out = gw_json_new_object();
    int status = out ? gw_json_set(out, "id", text(gw_block_id(block))) : GW_ENOMEM;
    if (!status)
        status = gw_json_set(out, "kind", text(gw_block_kind(block)));
    if (!status && is_below)
        status = gw_json_set(out, "parent", text(gw_block_id(parent)));
    if (!status)
        status = gw_json_set(out, "pos", text(gw_block_label(block)));
    if (!status && gw_block_vis(block)[0])
        status = gw_json_set(out, "vis", text(gw_block_vis(block)));
    if (!status)
        status = add_content(looks, block, out);
    if (!status)
        return out;
    gw_json_unref(out);
    return NULL;
}

static int look_block(void *self, const char *id, struct gw_json **out, struct gw_error *err)
{
    const struct looks *looks = self;
    const struct gw_block *block = find(looks, id);
    *out = block ? describe(looks, block) : NULL;
    return block && !*out ? no_memory(err) : GW_OK;
}

static int look_children(void *self, const char *id, struct gw_json **out, struct gw_error *err)
{
    const struct looks *looks = self;
    const struct gw_block *parent = id ? find(looks, id) : NULL;
    size_t looked_at = 0;
    bool is_there = looks->canvas && (!id || parent);
    *out = gw_json_new_array();
    int status = *out ? GW_OK : no_memory(err);
    for (const struct gw_block *block = is_there ? gw_blocks_first_child(looks->canvas->blocks, parent) : NULL; !status && block;
         block = gw_block_next_sibling(block)) {
        if (++looked_at > CHILDREN_MAX)
            status = gw_error_set(err, GW_ELIMIT, "too_many_children", "more than %d children", CHILDREN_MAX);
        else if (gw_canvas_shows(looks->canvas, looks->lens.plan, block) && gw_json_append(*out, text(gw_block_id(block))))
            status = no_memory(err);
    }
    if (!status)
        return GW_OK;
    gw_json_unref(*out);
    *out = NULL;
    return status;
}

static int look_token(void *self, const char *key, struct gw_json **out, struct gw_error *err)
{
    const struct looks *looks = self;
    const struct gw_json *declaration = gw_tokens_declaration(looks->state->tokens, key);
    struct gw_json *value = gw_tokens_value(looks->state->tokens, key);
    *out = NULL;
    if (!value || !gw_tokens_shows(looks->lens.plan, key, declaration))
        return GW_OK;
    *out = looks->lens.plan->transform ? gw_json_new_null() : gw_json_ref(value);
    return *out ? GW_OK : no_memory(err);
}

/* ---- asking --------------------------------------------------------------------------------------------------------------------------------- */

static const struct gw_command *command_of(const struct gw_decision *d) { return &d->submission->commands[d->index]; }

static struct looks make_looks(const struct gw_decision *d)
{
    const char *canvas_id = command_of(d)->canvas_id;
    return (struct looks){.state = d->run->state,
                          .canvas = canvas_id[0] ? gw_state_canvas(d->run->state, canvas_id) : NULL,
                          .lens = {.plan = d->submission->plan}};
}

static struct gw_policy_command describe_command(const struct gw_decision *d, struct looks *looks)
{
    return (struct gw_policy_command){.command = command_of(d),
                                      .actor = &d->submission->actor,
                                      .role = d->submission->role,
                                      .canvas_type = looks->canvas ? looks->canvas->type : NULL,
                                      .view = {looks, look_block, look_children, look_token},
                                      .is_counted = &d->submission->outcomes[d->index].is_counted};
}

int gw_run_validate(const struct gw_decision *d, struct gw_error *err)
{
    const struct gw_policy *policy = d->run->hub->opts.policy;
    /* Who may not send it at all is told so first, whatever validators would say. */
    if (!policy || !policy->validate || !gw_plan_admits_command(d->submission->plan, command_of(d)->type))
        return GW_OK;
    struct looks looks = make_looks(d);
    struct gw_policy_command asked = describe_command(d, &looks);
    return policy->validate(policy->self, &asked, err);
}

bool gw_run_has_validators(const struct gw_run *run, const char *type)
{
    const struct gw_policy *policy = run->hub->opts.policy;
    if (!policy || !policy->validate)
        return false;
    return !policy->has_validators || policy->has_validators(policy->self, run->scope.tenant_id, type);
}

/* ---- canvases' own commands ----------------------------------------------------------------------------------------------------------------- */

/* Its frame first: what the manifest does not admit no script is asked about. */
static int check_frame(const struct gw_decision *d, struct gw_error *err)
{
    struct gw_event_list scratch = {0};
    int status = gw_state_resolve(d->run->state, command_of(d), d->context, &scratch, err);
    gw_event_list_fini(&scratch);
    return status;
}

static int reduce(const struct gw_decision *d, struct gw_event_list *events, struct gw_error *err)
{
    const struct gw_policy *policy = d->run->hub->opts.policy;
    struct looks looks = make_looks(d);
    struct gw_policy_command asked = describe_command(d, &looks);
    struct gw_json *operations = NULL;
    int status = check_frame(d, err);
    if (!status)
        status = gw_run_validate(d, err);
    if (!status)
        status = policy->reduce(policy->self, &asked, &operations, err);
    if (status)
        return status;
    struct gw_reduced reduced = {operations, events};
    status = gw_state_reduce(d->run->state, command_of(d), d->context, &reduced, err);
    gw_json_unref(operations);
    return status;
}

/* ---- log lines ------------------------------------------------------------------------------------------------------------------------------ */

static int sanitize_lines(const struct gw_decision *d, const struct gw_json *given, struct gw_json *kept, struct gw_error *err)
{
    const struct gw_policy *policy = d->run->hub->opts.policy;
    int status = GW_OK;
    for (size_t i = 0; !status && i < gw_json_count(given); i++) {
        struct gw_json *line = NULL;
        status = policy->sanitize(policy->self, &command_of(d)->scope, gw_json_at(given, i), &line, err);
        if (!status && line && gw_json_append(kept, line))
            status = no_memory(err);
    }
    return status;
}

/* What scripts leave is judged like what came: they may not make what could not be sent. */
static int resolve_kept(const struct gw_decision *d, struct gw_json *kept, struct gw_event_list *events, struct gw_error *err)
{
    struct gw_command command = *command_of(d);
    command.args = gw_json_new_object();
    int status = command.args && !gw_json_set(command.args, "lines", gw_json_ref(kept)) ? GW_OK : no_memory(err);
    if (!status && gw_json_count(kept) > 0)
        status = gw_state_resolve(d->run->state, &command, d->context, events, err);
    gw_json_unref(command.args);
    return status;
}

static int write_log(const struct gw_decision *d, struct gw_event_list *events, struct gw_error *err)
{
    struct gw_json *kept = gw_json_new_array();
    int status = check_frame(d, err);
    if (!status && !kept)
        status = no_memory(err);
    if (!status)
        status = sanitize_lines(d, gw_json_get(command_of(d)->args, "lines"), kept, err);
    if (!status)
        status = resolve_kept(d, kept, events, err);
    gw_json_unref(kept);
    return status;
}

/* ---- one command ---------------------------------------------------------------------------------------------------------------------------- */

static bool is_builtin(const char *type)
{
    const char *name;
    for (size_t i = 0; (name = gw_command_builtin(i)); i++)
        if (strcmp(name, type) == 0)
            return true;
    return false;
}

int gw_run_decide(const struct gw_decision *d, struct gw_event_list *events, struct gw_error *err)
{
    const struct gw_policy *policy = d->run->hub->opts.policy;
    const struct gw_command *command = command_of(d);
    if (policy && policy->reduce && !is_builtin(command->type) && gw_reduce_handles(d->context->manifests, command->type))
        return reduce(d, events, err);
    int status = gw_run_validate(d, err);
    if (status)
        return status;
    if (policy && policy->sanitize && strcmp(command->type, "log.write") == 0)
        return write_log(d, events, err);
    return gw_state_resolve(d->run->state, command, d->context, events, err);
}
