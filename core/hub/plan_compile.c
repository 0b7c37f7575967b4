#include "hub/plan_compile.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/plan_layer.h"

#define BYTES_A_TEXT 3 /* of memory for each byte of a plan that is written out: its tree, and what is made of that */

static int no_memory(struct gw_error *err) { return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a lens plan"); }

/* ---- class id ---- */

/* Everything that decides what the class reads and writes, each part with its length so that no two descriptions read alike. */
static void describe_part(struct gw_buffer *out, const char *name, const void *bytes, size_t length)
{
    gw_buffer_appendf(out, "\n%s %zu ", name, length);
    gw_buffer_append(out, bytes, length);
}

static void describe_source(struct gw_buffer *out, const char *name, const struct gw_json *source)
{
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_json_write_canonical(source, &text);
    describe_part(out, name, text.data, text.length);
    out->has_failed |= text.has_failed;
    gw_buffer_fini(&text);
}

static void describe(const struct gw_plan_opts *opts, const struct gw_plan *plan, struct gw_buffer *out)
{
    gw_buffer_appendf(out, "%d", GW_PLAN_ENCODER_VERSION);
    describe_part(out, "tenant", opts->tenant_id, strlen(opts->tenant_id));
    describe_source(out, "plan", plan->layer->source);
    if (plan->ceiling && plan->ceiling->layer)
        describe_source(out, "ceiling", plan->ceiling->layer->source);
    if (plan->actor_id[0])
        describe_part(out, "self", plan->actor_id, strlen(plan->actor_id));
    if (plan->transform)
        describe_part(out, "transform", opts->transform_hash, GW_SHA256_BYTES);
    for (size_t i = 0; opts->token_globs && i < opts->token_glob_count; i++)
        describe_part(out, "token", opts->token_globs[i], strlen(opts->token_globs[i]));
    if (opts->token_globs)
        gw_buffer_append_text(out, "\nnarrowed");
}

static int set_class(const struct gw_plan_opts *opts, struct gw_plan *plan)
{
    struct gw_buffer text;
    uint8_t digest[GW_SHA256_BYTES];
    gw_buffer_init(&text, 0);
    describe(opts, plan, &text);
    int status = text.has_failed ? GW_ENOMEM : GW_OK;
    plan->bytes = sizeof *plan + text.length * BYTES_A_TEXT;
    if (!status) {
        gw_sha256(text.data, text.length, digest);
        memcpy(&plan->class_id, digest, sizeof plan->class_id);
        plan->class_id = plan->class_id ? plan->class_id : 1;
    }
    gw_buffer_fini(&text);
    return status;
}

/* ---- flags that hold for all layers ---- */

static bool reads_all(const struct gw_plan_layer *layer)
{
    return layer->tokens_read.admits_all && layer->events.admits_all && layer->blocks_read.admits_all && layer->graph_read.admits_all &&
           layer->chat_read.admits_all && layer->logs_read && layer->vision && layer->redaction_count == 0 && !layer->transform;
}

static bool writes_all(const struct gw_plan_layer *layer)
{
    return layer->tokens_write.admits_all && layer->commands.admits_all && layer->blocks_write.admits_all && layer->graph_write &&
           layer->chat_write && layer->logs_write;
}

static void set_flags(struct gw_plan *plan)
{
    const struct gw_plan_layer *own = plan->layer, *top = plan->ceiling ? plan->ceiling->layer : plan->layer;
    bool has_all_tokens = !plan->token_globs || plan->token_globs->admits_all;
    plan->transform = own->transform;
    plan->sees_history = own->history && top && top->history;
    plan->sees_sidecars = own->vision && top && top->vision;
    plan->sees_presence = own->presence && top && top->presence;
    plan->sees_all = has_all_tokens && reads_all(own) && top && reads_all(top);
    plan->writes_all = plan->sees_all && writes_all(own) && top && writes_all(top);
}

static int copy_token_globs(const struct gw_plan_opts *opts, struct gw_plan *plan)
{
    const char **texts = gw_try_grow(NULL, opts->token_glob_count + 1, sizeof *texts);
    int status = texts ? GW_OK : GW_ENOMEM;
    size_t count = 0;
    for (; !status && count < opts->token_glob_count; count++) {
        texts[count] = gw_try_strndup(opts->token_globs[count], strlen(opts->token_globs[count]));
        if (!texts[count])
            status = GW_ENOMEM;
        if (status)
            break;
    }
    plan->token_globs = status ? NULL : gw_alloc(sizeof *plan->token_globs);
    if (!status && (status = gw_plan_list_init(plan->token_globs, texts, count))) {
        gw_free(plan->token_globs);
        plan->token_globs = NULL;
    }
    for (size_t i = 0; status && i < count; i++)
        gw_free((char *)texts[i]);
    gw_free(texts);
    return status;
}

static int fill(const struct gw_plan_opts *opts, struct gw_plan *plan, struct gw_error *err)
{
    struct gw_json *source;
    int status = gw_plan_shape(opts->source, &source, err);
    if (status)
        return status;
    plan->layer = gw_plan_layer_create(source);
    if (!plan->layer || (opts->token_globs && copy_token_globs(opts, plan)))
        return no_memory(err);
    if (opts->ceiling)
        plan->ceiling = gw_plan_ref(opts->ceiling);
    if (plan->layer->transform && !opts->transform_hash) {
        gw_error_set(err, GW_EINVAL, "plan_bad_shape", "there is no transform of that name");
        snprintf(err->path, sizeof err->path, "/transform");
        return err->code;
    }
    if (plan->layer->says_self || (plan->ceiling && plan->ceiling->layer->says_self))
        snprintf(plan->actor_id, sizeof plan->actor_id, "%s", opts->actor_id ? opts->actor_id : "");
    set_flags(plan);
    return set_class(opts, plan) ? no_memory(err) : GW_OK;
}

int gw_plan_compile(const struct gw_plan_opts *opts, struct gw_plan **out, struct gw_error *err)
{
    struct gw_plan *plan = gw_alloc(sizeof *plan);
    gw_refs_init(&plan->refs);
    int status = fill(opts, plan, err);
    if (status)
        gw_plan_unref(plan);
    else
        *out = plan;
    return status;
}
