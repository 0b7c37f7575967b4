#include "app/cmd_explain.h"

#include <stdio.h>
#include <string.h>

#include "app/explain.h"
#include "app/script_tool.h"
#include "app/usage.h"
#include "base/error.h"
#include "base/metrics.h"
#include "hub/manifest.h"
#include "hub/plan.h"
#include "hub/ports.h"
#include "script/script_origin.h"

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

static int fill_subject(const struct gw_explain_ask *a, struct gw_actor *actor, struct gw_scope *scope, struct gw_error *err)
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

static const struct gw_plan_reason nobody = {.is_admitted = false, .layer = "lens"};

/* value: the question on its way to its answer */
struct work {
    const struct gw_explain_ask *ask;
    struct gw_explain_question question;
    struct gw_scripts *scripts;
    const char *folder;
    struct gw_error *err;
};

/* What the gateway's own rules say comes after the lens. */
static void decide(struct work *w, const struct gw_plan *plan, struct gw_plan_reason *reason)
{
    *reason = nobody;
    if (plan)
        gw_policy_question_answer(&w->question.asks, plan, reason);
    if (reason->is_admitted && w->question.refusal)
        *reason = (struct gw_plan_reason){.is_admitted = false, .layer = "gateway"};
}

static int answer(struct work *w, const struct gw_policy_subject *subject, const struct gw_plan *plan)
{
    struct gw_script_question question = {.subject = subject, .answer = gw_policy_question_answer, .arg = &w->question.asks};
    struct gw_script_origin origin;
    struct gw_plan_reason reason;
    int status = gw_scripts_find_origin(w->scripts, &question, &origin, w->err);
    if (status)
        return status;
    decide(w, plan, &reason);
    if (strcmp(reason.layer, "gateway") == 0 || strcmp(reason.layer, "bearer") == 0)
        origin.where[0] = '\0';
    bool is_by_defaults = gw_scripts_standing(w->scripts, w->ask->tenant).number == 0;
    gw_explain_print(&(struct gw_explain_answer){w->ask, &w->question, plan, &reason, &origin, w->folder, is_by_defaults});
    return reason.is_admitted ? 0 : 1;
}

static int ask_lens(struct work *w)
{
    const struct gw_explain_ask *a = w->ask;
    const char *const globs[] = {a->tokens};
    struct gw_actor actor = {0};
    struct gw_scope scope = {0};
    struct gw_plan *plan = NULL;
    struct gw_policy_subject subject = {
        .actor = &actor, .role = a->role, .scope = &scope, .token_globs = a->tokens ? globs : NULL, .token_glob_count = a->tokens ? 1 : 0};
    int code = fill_subject(a, &actor, &scope, w->err);
    if (!code)
        code = gw_scripts_ask_lens(w->scripts, &subject, &plan, w->err);
    if (!code)
        code = answer(w, &subject, plan);
    gw_plan_unref(plan);
    return code;
}

static int explain(struct work *w)
{
    struct gw_manifests *manifests = gw_scripts_manifests(w->scripts);
    int code = gw_explain_make(w->ask, manifests, &w->question, w->err);
    if (!code)
        code = ask_lens(w);
    gw_manifests_unref(manifests);
    return code;
}

static int run(const struct gw_explain_ask *a, const char *file, const char *folder)
{
    struct gw_script_tool tool;
    struct gw_error err;
    struct work w = {.ask = a, .err = &err};
    struct gw_metrics *metrics = gw_metrics_create();
    int code = gw_script_tool_open(file, folder, &tool, &err);
    bool is_open = !code;
    if (is_open) {
        tool.opts.metrics = metrics;
        w.folder = tool.opts.policies_dir;
        code = gw_scripts_create(&tool.opts, &w.scripts, &err);
    }
    if (!code)
        code = explain(&w);
    if (code < 0)
        gw_explain_print_error(&err, a->wants_json);
    gw_scripts_destroy(w.scripts);
    gw_metrics_destroy(metrics);
    if (is_open)
        gw_script_tool_close(&tool);
    return code < 0 ? 2 : code;
}

/* Also when the line could not be read as far as that. */
static bool wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

int gw_explain_main(int argc, char **argv)
{
    struct gw_explain_ask a = {
        .actor = "ann", .kind = "user", .role = "editor", .mode = "dev", .project = "p1", .surface = "web", .app = "demo"};
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
        {"--logs", GW_OPTION_FLAG, &a.is_logs, "       may it see log lines (--write: write them)"},
        {"--history", GW_OPTION_FLAG, &a.is_history, "       may it read the past"},
        {"--vision", GW_OPTION_FLAG, &a.is_vision, "       does it know of sidecars"},
        {"--presence", GW_OPTION_FLAG, &a.is_presence, "       does it see who is there"},
        {"--prop", GW_OPTION_TEXT, &a.prop, "NAME   of the block: this property"},
        {"--text", GW_OPTION_FLAG, &a.is_text, "       of the block: its text"},
        {"--vis", GW_OPTION_TEXT, &a.vis, "LABEL  of the block, node or message: its label; none"},
        {"--author", GW_OPTION_TEXT, &a.author, "KIND   its author's kind; user"},
        {"--author-id", GW_OPTION_TEXT, &a.author_id, "A      its author's id"},
        {"--canvas", GW_OPTION_TEXT, &a.canvas, "TYPE   its canvas's type; the one that has the kind"},
        {"--write", GW_OPTION_FLAG, &a.is_write, "       may it change rather than see it"},
        {"--policies", GW_OPTION_TEXT, &folder, "DIR    by these policies; those that `atoms serve` would use"},
        {"--config", GW_OPTION_TEXT, &file, "FILE   the configuration that says where they are"},
        {"--json", GW_OPTION_FLAG, &a.wants_json, "       as JSON"},
        {0}};
    const struct gw_usage usage = {
        .name = "explain",
        .synopsis = "WHO WHAT [--write] [--json]",
        .about = "Says whether an actor may see or do something, and which line of which policy decides: what the gateway would do\n"
                 "with these files. `near` stands before a line that is a guess. One question at a time. Exits with 0 when it may,\n"
                 "with 1 when it may not, and with 2 when that cannot be told.\n",
        .options = options,
        .example = "  atoms explain --role viewer --token internal.cost\n  atoms explain --role viewer --block task --vis internal\n"};
    enum gw_usage_answer read = gw_usage_read(&usage, argc, argv);
    if (read == GW_USAGE_WRONG && wants_json(argc, argv))
        puts("{\"code\":\"bad_usage\",\"where\":\"\",\"message\":\"the command line is wrong: stderr says how\"}");
    if (read != GW_USAGE_GO)
        return read == GW_USAGE_HELP ? 0 : 2;
    a.names_tenant = a.tenant != NULL;
    a.tenant = a.tenant ? a.tenant : "acme";
    return run(&a, file, folder);
}
