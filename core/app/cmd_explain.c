#include "app/cmd_explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/paint.h"
#include "app/script_tool.h"
#include "app/usage.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/metrics.h"
#include "hub/plan.h"
#include "hub/pointer.h"
#include "hub/ports.h"

/* value: who asks about what, as given */
struct ask {
    const char *tenant, *actor, *kind, *role, *mode, *project, *surface, *app, *tokens;
    const char *token, *event, *command, *block, *node, *prop, *vis, *author, *author_id, *canvas;
    bool is_message, is_text, is_write, is_history, is_vision, wants_json;
};

/* value: the question in the plan's words */
struct question {
    enum gw_plan_ask ask;
    const char *name;
    struct gw_plan_thing thing;
    char text[200]; /* "read the Token plan.title" */
};

/* ---- the question --------------------------------------------------------------------------------------------------------------------------- */

static void ask_block(const struct ask *a, struct question *q)
{
    if (a->prop) {
        q->ask = GW_PLAN_SHOW_PROP;
        q->name = a->prop;
        snprintf(q->text, sizeof q->text, "see the property %s of a block of kind %s", a->prop, a->block);
        return;
    }
    q->ask = a->is_text ? GW_PLAN_SHOW_TEXT : a->is_write ? GW_PLAN_WRITE_BLOCK : GW_PLAN_READ_BLOCK;
    snprintf(q->text, sizeof q->text, "%s a block of kind %s", a->is_text ? "see the text of" : a->is_write ? "change" : "see", a->block);
}

static bool make_question(const struct ask *a, struct question *q)
{
    *q = (struct question){.thing = {.kind = a->block ? a->block : a->node,
                                     .vis = a->vis,
                                     .author_kind = a->author ? a->author : "user",
                                     .author_id = a->author_id,
                                     .canvas_type = a->canvas ? a->canvas : "planning"}};
    if (a->token) {
        q->ask = a->is_write ? GW_PLAN_WRITE_TOKEN : GW_PLAN_READ_TOKEN;
        q->name = a->token;
        snprintf(q->text, sizeof q->text, "%s the Token %s", a->is_write ? "set" : "see", a->token);
    } else if (a->event) {
        q->ask = GW_PLAN_EVENT;
        q->name = a->event;
        snprintf(q->text, sizeof q->text, "get events of type %s", a->event);
    } else if (a->command) {
        q->ask = GW_PLAN_COMMAND;
        q->name = a->command;
        snprintf(q->text, sizeof q->text, "send commands of type %s", a->command);
    } else if (a->block) {
        ask_block(a, q);
    } else if (a->node) {
        q->ask = a->is_write ? GW_PLAN_WRITE_GRAPH : GW_PLAN_READ_NODE;
        snprintf(q->text, sizeof q->text, "%s a node of kind %s", a->is_write ? "change" : "see", a->node);
    } else if (a->is_message) {
        q->ask = a->is_write ? GW_PLAN_WRITE_CHAT : GW_PLAN_READ_MESSAGE;
        snprintf(q->text, sizeof q->text, "%s a chat message", a->is_write ? "send" : "see");
    } else if (a->is_history || a->is_vision) {
        q->ask = a->is_history ? GW_PLAN_HISTORY : GW_PLAN_VISION;
        snprintf(q->text, sizeof q->text, "%s", a->is_history ? "read the past of a run" : "know of media sidecars");
    } else {
        return false;
    }
    return true;
}

/* ---- the answer ----------------------------------------------------------------------------------------------------------------------------- */

static const struct gw_json *follow(const struct gw_json *value, const char *pointer)
{
    char step[128];
    while (value && gw_pointer_next(&pointer, step, sizeof step))
        value = gw_json_is_array(value) ? gw_json_at(value, strtoul(step, NULL, 10)) : gw_json_get(value, step);
    return value;
}

/* What decides, as its author wrote it: a glob, or the member's name. */
static const char *deciding_text(const struct gw_plan *plan, const struct gw_plan_reason *reason)
{
    const struct gw_plan *layer = strcmp(reason->layer, "ceiling") == 0 ? plan->ceiling : plan;
    const struct gw_json *source = gw_plan_source(layer), *value = source ? follow(source, reason->pointer) : NULL;
    if (gw_json_is_string(value))
        return gw_json_text(value, NULL);
    return strlen(reason->pointer) > 1 && strchr(reason->pointer + 1, '/') == NULL ? reason->pointer + 1 : NULL;
}

static void print_text(const struct ask *a, const struct question *q, const struct gw_plan *plan, const struct gw_plan_reason *reason,
                       const struct gw_script_place *place)
{
    struct gw_paint paint = gw_paint_for(stdout);
    const char *decides = deciding_text(plan, reason);
    printf("%s (%s, %s) of %s %s%s%s %s\n", a->actor, a->kind, a->role, a->tenant, reason->is_admitted ? paint.good : paint.bad,
           reason->is_admitted ? "may" : "may not", paint.plain, q->text);
    if (strcmp(reason->layer, "bearer") == 0)
        printf("  because of the bearer's Tokens %s\n", a->tokens ? a->tokens : "");
    else
        printf("  because of %s %s%s%s%s, %s\n", reason->layer, reason->pointer, decides ? " \"" : "", decides ? decides : "",
               decides ? "\"" : "", place->where);
    printf("  %sgeneration %llu (%.12s), class %016llx%s\n", paint.dim, (unsigned long long)place->generation, place->digest,
           (unsigned long long)plan->class_id, paint.plain);
}

static void put(struct gw_buffer *out, const char *name, const char *value)
{
    gw_buffer_appendf(out, ",\"%s\":", name);
    gw_buffer_append_json_string(out, value, strlen(value));
}

static void print_json(const struct question *q, const struct gw_plan *plan, const struct gw_plan_reason *reason,
                       const struct gw_script_place *place)
{
    struct gw_buffer out;
    char class_id[20];
    const char *decides = deciding_text(plan, reason);
    gw_buffer_init(&out, 0);
    snprintf(class_id, sizeof class_id, "%016llx", (unsigned long long)plan->class_id);
    gw_buffer_appendf(&out, "{\"is_admitted\":%s", reason->is_admitted ? "true" : "false");
    put(&out, "question", q->text);
    put(&out, "layer", reason->layer);
    put(&out, "pointer", reason->pointer);
    if (decides)
        put(&out, "decides", decides);
    put(&out, "where", place->where);
    gw_buffer_appendf(&out, ",\"generation\":%llu", (unsigned long long)place->generation);
    put(&out, "digest", place->digest);
    put(&out, "class", class_id);
    printf("%.*s}\n", (int)out.length, out.data);
    gw_buffer_fini(&out);
}

static int answer(const struct ask *a, const struct question *q, struct gw_scripts *scripts, const struct gw_plan *plan,
                  struct gw_error *err)
{
    struct gw_plan_reason reason;
    struct gw_script_place place;
    gw_plan_explain(plan, q->ask, q->name, &q->thing, &reason);
    const char *decides = deciding_text(plan, &reason);
    struct gw_script_wanted wanted = {.is_ceiling = strcmp(reason.layer, "ceiling") == 0, .near = a->role};
    wanted.texts[0] = decides;
    wanted.texts[1] = decides && decides[0] == '!' ? decides + 1 : NULL; /* as the library takes it */
    wanted.texts[2] = reason.is_admitted ? NULL : a->vis;
    int status = gw_scripts_place(scripts, a->tenant, &wanted, &place, err);
    if (status)
        return status;
    if (a->wants_json)
        print_json(q, plan, &reason, &place);
    else
        print_text(a, q, plan, &reason, &place);
    return reason.is_admitted ? 0 : 1;
}

/* ---- asking --------------------------------------------------------------------------------------------------------------------------------- */

static int set_id(char to[GW_ID_MAX + 1], const char *value, const char *option, struct gw_error *err)
{
    size_t length = strlen(value);
    if (!gw_id_is_valid_actor(value, length)) {
        gw_error_set(err, GW_EINVAL, "bad_id", "not an id");
        gw_error_prefix(err, option);
        return GW_EINVAL;
    }
    memcpy(to, value, length + 1);
    return GW_OK;
}

static int fill_subject(const struct ask *a, struct gw_actor *actor, struct gw_scope *scope, struct gw_error *err)
{
    int status = set_id(actor->id, a->actor, "--actor", err);
    status = status ? status : set_id(scope->tenant_id, a->tenant, "--tenant", err);
    status = status ? status : set_id(scope->mode, a->mode, "--mode", err);
    status = status ? status : set_id(scope->project_id, a->project, "--project", err);
    status = status ? status : set_id(scope->surface_id, a->surface, "--surface", err);
    status = status ? status : set_id(scope->app_id, a->app, "--app", err);
    if (!status && gw_actor_kind_parse(a->kind, &actor->kind)) {
        status = gw_error_set(err, GW_EINVAL, "bad_kind", "a kind is user, agent or service");
        gw_error_prefix(err, "--kind");
    }
    return status;
}

static int explain(const struct ask *a, const struct question *q, struct gw_scripts *scripts, struct gw_error *err)
{
    struct gw_script_host *host = gw_script_host_create(scripts);
    const struct gw_policy *policy = gw_script_host_port(host);
    const char *const globs[] = {a->tokens};
    struct gw_actor actor = {0};
    struct gw_scope scope = {0};
    struct gw_plan *plan = NULL;
    struct gw_policy_subject subject = {
        .actor = &actor, .role = a->role, .scope = &scope, .token_globs = a->tokens ? globs : NULL, .token_glob_count = a->tokens ? 1 : 0};
    int code = fill_subject(a, &actor, &scope, err);
    if (!code)
        code = policy->lens(policy->self, &subject, &plan, err);
    if (!code)
        code = answer(a, q, scripts, plan, err);
    gw_plan_unref(plan);
    gw_script_host_destroy(host);
    return code;
}

static int run(const struct ask *a, const struct question *q, const char *file, const char *folder)
{
    struct gw_script_tool tool;
    struct gw_scripts *scripts = NULL;
    struct gw_error err;
    int code = gw_script_tool_open(file, folder, &tool, &err);
    bool is_open = !code;
    struct gw_metrics *metrics = tool.opts.metrics = gw_metrics_create();
    if (!code)
        code = gw_scripts_create(&tool.opts, &scripts, &err);
    if (!code)
        code = explain(a, q, scripts, &err);
    if (code < 0)
        fprintf(stderr, "atoms: %s%s%s (%s)\n", err.path, err.path[0] ? ": " : "", err.message, err.id);
    gw_scripts_destroy(scripts);
    gw_metrics_destroy(metrics);
    if (is_open)
        gw_script_tool_close(&tool);
    return code < 0 ? 1 : code;
}

int gw_explain_main(int argc, char **argv)
{
    struct ask a = {.tenant = "acme",
                    .actor = "ann",
                    .kind = "user",
                    .role = "editor",
                    .mode = "dev",
                    .project = "p1",
                    .surface = "web",
                    .app = "demo"};
    const char *file = NULL, *folder = NULL;
    const struct gw_client_option options[] = {
        {"--role", GW_OPTION_TEXT, &a.role, "R      who asks: the role; editor"},
        {"--kind", GW_OPTION_TEXT, &a.kind, "K      user, agent or service; user"},
        {"--actor", GW_OPTION_TEXT, &a.actor, "A      the actor's id; ann"},
        {"--tenant", GW_OPTION_TEXT, &a.tenant, "T      of which tenant; acme"},
        {"--mode", GW_OPTION_TEXT, &a.mode, "M      and from where: mode, --project, --surface, --app"},
        {"--project", GW_OPTION_TEXT, &a.project, "P"},
        {"--surface", GW_OPTION_TEXT, &a.surface, "S"},
        {"--app", GW_OPTION_TEXT, &a.app, "A"},
        {"--tokens", GW_OPTION_TEXT, &a.tokens, "GLOB   what the bearer narrows the Tokens to"},
        {"--token", GW_OPTION_TEXT, &a.token, "KEY    may it see this Token (--write: set it)"},
        {"--event", GW_OPTION_TEXT, &a.event, "TYPE   may events of this type reach it"},
        {"--command", GW_OPTION_TEXT, &a.command, "TYPE   may it send this command"},
        {"--block", GW_OPTION_TEXT, &a.block, "KIND   may it see such a block (--write: change it)"},
        {"--node", GW_OPTION_TEXT, &a.node, "KIND   may it see such a node (--write: change it)"},
        {"--message", GW_OPTION_FLAG, &a.is_message, "       may it see a message (--write: send one)"},
        {"--history", GW_OPTION_FLAG, &a.is_history, "       may it read the past"},
        {"--vision", GW_OPTION_FLAG, &a.is_vision, "       does it know of sidecars"},
        {"--prop", GW_OPTION_TEXT, &a.prop, "NAME   of the block: this property"},
        {"--text", GW_OPTION_FLAG, &a.is_text, "       of the block: its text"},
        {"--vis", GW_OPTION_TEXT, &a.vis, "LABEL  of the block, node or message: its label; none"},
        {"--author", GW_OPTION_TEXT, &a.author, "KIND   its author's kind; user"},
        {"--author-id", GW_OPTION_TEXT, &a.author_id, "A      its author's id"},
        {"--canvas", GW_OPTION_TEXT, &a.canvas, "TYPE   its canvas's type; planning"},
        {"--write", GW_OPTION_FLAG, &a.is_write, "       may it change rather than see it"},
        {"--policies", GW_OPTION_TEXT, &folder, "DIR    by these policies; those that `atoms serve` would use"},
        {"--config", GW_OPTION_TEXT, &file, "FILE   the configuration that says where they are"},
        {"--json", GW_OPTION_FLAG, &a.wants_json, "       as JSON"},
        {0}};
    const struct gw_usage usage = {
        .name = "explain",
        .synopsis = "WHO WHAT [--write] [--json]",
        .about = "Says whether an actor may see or do something, and which line of which policy decides. Exits with 0 when it may,\n"
                 "with 1 when it may not or the policies admit it to nothing.\n",
        .options = options,
        .example = "  atoms explain --role viewer --token internal.cost\n  atoms explain --role viewer --block task --vis internal\n"};
    struct question question;
    enum gw_usage_answer read = gw_usage_read(&usage, argc, argv);
    if (read != GW_USAGE_GO)
        return read == GW_USAGE_HELP ? 0 : 2;
    if (!make_question(&a, &question))
        return gw_usage_refuse(&usage,
                               "say what to ask about: --token, --event, --command, --block, --node, --message, --history or --vision");
    return run(&a, &question, file, folder);
}
