#include "script/script_eval.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "script/generation.h"
#include "script/global_names.h"
#include "script/sandbox.h"
#include "script/sources.h"

#define MODULE "repl.line"

/* On one line with the expression, so that its errors say line 1. Functions are shown by their type, since they are no data. */
static const char opening[] =
    "local lens, policy = require(\"atoms.lens\"), require(\"policy.token_lens\") "
    "local function has(v) if type(v) == \"function\" then return true end if type(v) ~= \"table\" then return false end "
    "for _, m in pairs(v) do if has(m) then return true end end return false end "
    "local function show(v) if not has(v) then return v end if type(v) == \"function\" then return \"function\" end "
    "local out = {} for k, m in pairs(v) do out[k] = show(m) end return out end "
    "return { value = function(actor, scope) local plan = policy.lens(actor, scope) return show(";
static const char closing[] = "\n) end }\n";

struct gw_script_eval {
    const struct gw_scripts_opts *opts;
    struct gw_generation *generation;
};

int gw_script_eval_create(const struct gw_scripts_opts *opts, const char *tenant_id, struct gw_script_eval **out, struct gw_error *err)
{
    struct gw_generation *defaults, *overlay = NULL;
    int status = gw_generation_read(opts, &defaults, err);
    if (status)
        return status;
    if (tenant_id[0])
        status = gw_generation_read_overlay(opts, tenant_id, defaults, &overlay, err);
    if (!status)
        status = gw_generation_check(overlay ? overlay : defaults, opts->budget_clock, err);
    if (!status) {
        *out = gw_alloc(sizeof **out);
        **out = (struct gw_script_eval){opts, gw_generation_ref(overlay ? overlay : defaults)};
    }
    gw_generation_unref(overlay);
    gw_generation_unref(defaults);
    return status;
}

void gw_script_eval_destroy(struct gw_script_eval *eval)
{
    if (!eval)
        return;
    gw_generation_unref(eval->generation);
    gw_free(eval);
}

/* Alone, so that what is wrong is told of it and not of what stands around it. */
static int check_expression(const char *expression, struct gw_error *err)
{
    static const char before[] = "return ";
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_buffer_append_text(&text, before);
    gw_buffer_append_text(&text, expression);
    int status = text.has_failed ? gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the expression")
                                 : gw_global_names(&(struct gw_source){MODULE, "repl", text.data, text.length}, NULL, NULL, err);
    gw_buffer_fini(&text);
    return status;
}

/* The policies, and the expression as a file beside them. */
static int make_sources(const struct gw_script_eval *eval, const char *expression, struct gw_sources *sources, struct gw_error *err)
{
    struct gw_buffer text;
    int status = GW_OK;
    for (size_t i = 0; !status && i < gw_sources_count(eval->generation->sources); i++)
        status = gw_sources_share(sources, eval->generation->sources, i, err);
    gw_buffer_init(&text, 0);
    gw_buffer_append_text(&text, opening);
    gw_buffer_append_text(&text, expression);
    gw_buffer_append_text(&text, closing);
    if (!status && text.has_failed)
        status = gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the expression");
    if (!status)
        status = gw_sources_add(sources, &(struct gw_source){MODULE, "repl", text.data, text.length}, err);
    gw_buffer_fini(&text);
    return status;
}

int gw_script_eval_run(struct gw_script_eval *eval, const char *expression, struct gw_json *actor, struct gw_json *scope,
                       struct gw_json **out, struct gw_error *err)
{
    static const char *const lists[] = {"read",     "write", "redact", "kinds",    "vis", "authors",
                                        "canvases", "props", "events", "commands", NULL};
    struct gw_json *args[2] = {actor, scope};
    struct gw_sources *sources = gw_sources_create();
    struct gw_sandbox_opts opts = {.sources = sources, .clock = eval->opts->budget_clock, .limits = eval->generation->limits.call};
    struct gw_sandbox_call call = {
        .module = MODULE, .function = "value", .args = args, .arg_count = 2, .result_count = 1, .list_names = lists};
    struct gw_sandbox *sandbox = NULL;
    struct gw_sandbox_cost cost;
    int status = check_expression(expression, err);
    if (!status)
        status = make_sources(eval, expression, sources, err);
    if (!status)
        status = gw_sandbox_create(&opts, &sandbox, err);
    if (!status)
        status = gw_sandbox_call(sandbox, &call, out, &cost, err);
    gw_sandbox_destroy(sandbox);
    gw_sources_unref(sources);
    return status;
}
