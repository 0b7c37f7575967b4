#include "app/cmd_policies_put.h"

#include <stdio.h>
#include <string.h>

#include "app/admin_call.h"
#include "app/findings.h"
#include "app/paint.h"
#include "app/script_tool.h"
#include "app/usage.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/printable.h"
#include "script/script_check.h"

/* value */
struct ask {
    const char *tenant, *admin, *file;
    bool wants_json;
};

/* value: what came of it */
struct outcome {
    uint64_t version;    /* 0: nothing was written */
    const char *gateway; /* "switched", "unchanged", "failed", "unreachable"; NULL: not asked */
    bool is_refused;     /* by the gateway, for what is in the files */
    struct gw_error err; /* of whichever failed */
};

/* ---- the gateway -------------------------------------------------------------------------------------------------------------------------- */

static const char *text_of(const struct gw_json *object, const char *name)
{
    const struct gw_json *value = gw_json_get(object, name);
    return gw_json_is_string(value) ? gw_json_text(value, NULL) : "";
}

/* Not for what is in the files: the gateway may take them yet. */
static bool is_undecided(const char *code)
{
    static const char *const codes[] = {"swapped_meanwhile",    "no_overlay",    "overlay_io",
                                        "registry_unavailable", "out_of_memory", "draining"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcmp(code, codes[i]) == 0)
            return true;
    return false;
}

/* As it lies in the folder that was given: "overlays/acme/3/a.lua:2" is "DIR/a.lua:2". */
static void set_place(const char *where, const char *folder, struct gw_error *err)
{
    const char *name = where;
    if (strncmp(where, "overlays/", 9) == 0)
        for (int i = 0; i < 3 && name; i++)
            name = (name = strchr(name, '/')) ? name + 1 : NULL;
    snprintf(err->path, sizeof err->path, "%s%s%s", name && name != where ? folder : "", name && name != where ? "/" : "",
             name ? name : where);
}

static const char *read_change(const struct gw_json *answer, const char *folder, struct outcome *outcome)
{
    struct gw_error *err = &outcome->err;
    const struct gw_json *changes = gw_json_get(answer, "changes"), *change = gw_json_is_array(changes) ? gw_json_at(changes, 0) : NULL;
    if (!change) {
        gw_error_set(err, GW_EIO, "admin_malformed", "this is no answer of a gateway");
        return "failed";
    }
    if (strcmp(text_of(change, "status"), "switched") == 0)
        return "switched";
    if (strcmp(text_of(change, "status"), "unchanged") == 0)
        return "unchanged";
    gw_error_set(err, GW_EINVAL, "not_switched", "%.200s", text_of(change, "message"));
    set_place(text_of(change, "where"), folder, err);
    outcome->is_refused = !is_undecided(text_of(change, "code"));
    return "failed";
}

static const char *tell_gateway(const struct ask *ask, const char *folder, struct outcome *outcome)
{
    struct gw_error *err = &outcome->err;
    struct gw_json *body = gw_json_new_object(), *answer = NULL;
    struct gw_admin_call call = {.base = ask->admin, .method = "POST", .path = "/admin/policies/reload", .body = body};
    int status = body ? gw_json_set(body, "tenant_id", gw_json_new_text(ask->tenant, strlen(ask->tenant))) : GW_ENOMEM;
    if (status)
        gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the request");
    else
        status = gw_admin_request(&call, &answer, err);
    const char *word = status ? "failed" : read_change(answer, folder, outcome);
    if (status && strcmp(err->id, "admin_unreachable") == 0)
        word = "unreachable";
    gw_json_unref(answer);
    gw_json_unref(body);
    return word;
}

/* ---- printing ----------------------------------------------------------------------------------------------------------------------------- */

static void print_error(const struct gw_error *err)
{
    struct gw_paint paint = gw_paint_for(stderr);
    fprintf(stderr, "%satoms: %s%s%s (%s)%s\n", paint.bad, gw_printable(err->path).text, err->path[0] ? ": " : "",
            gw_printable(err->message).text, err->id, paint.plain);
}

static void print_json(const struct ask *ask, const struct outcome *outcome)
{
    struct gw_buffer out;
    gw_buffer_init(&out, 0);
    gw_buffer_append_text(&out, "],");
    gw_buffer_append_text(&out, "\"tenant_id\":");
    gw_buffer_append_json_string(&out, ask->tenant, strlen(ask->tenant));
    if (outcome->version)
        gw_buffer_appendf(&out, ",\"version\":%llu", (unsigned long long)outcome->version);
    if (outcome->gateway)
        gw_findings_put(&out, "gateway", outcome->gateway);
    if (outcome->err.id[0]) {
        gw_findings_put(&out, "code", outcome->err.id);
        gw_findings_put(&out, "where", outcome->err.path);
        gw_findings_put(&out, "message", outcome->err.message);
    }
    printf("%.*s}\n", (int)out.length, out.data);
    gw_buffer_fini(&out);
}

static void print(const struct ask *ask, const struct outcome *outcome)
{
    struct gw_paint paint = gw_paint_for(stdout);
    bool is_alone = outcome->gateway && strcmp(outcome->gateway, "unreachable") == 0;
    if (outcome->version)
        printf("%s: %sversion %llu%s\n", ask->tenant, paint.good, (unsigned long long)outcome->version, paint.plain);
    if (is_alone)
        printf("  no gateway answers at its admin listener: it counts from the next start or reload on\n");
    else if (outcome->is_refused)
        printf("  the gateway refuses it over the defaults that it has: %s\n", outcome->version ? "" : "nothing was written");
    else if (outcome->gateway)
        printf("  the gateway: %s\n", outcome->gateway);
    if (outcome->err.id[0] && (!is_alone || ask->admin))
        print_error(&outcome->err);
}

/* A gateway that was named must have switched; without a name there may be none. */
static int exit_code(const struct ask *ask, const struct outcome *outcome)
{
    if (!outcome->version || strcmp(outcome->gateway, "failed") == 0)
        return 1;
    return ask->admin && strcmp(outcome->gateway, "unreachable") == 0;
}

/* ---- the subcommand ----------------------------------------------------------------------------------------------------------------------- */

/* The gateway decides: what it refuses shall not count from its next start on. */
static void tell_and_settle(const struct ask *ask, const struct gw_script_tool *tool, const struct gw_script_put *put,
                            struct outcome *outcome)
{
    struct gw_error err;
    outcome->version = put->version;
    outcome->gateway = tell_gateway(ask, put->folder, outcome);
    if (!outcome->is_refused)
        return;
    if (gw_scripts_take_back(&tool->opts, put, &err))
        print_error(&err);
    else
        outcome->version = 0;
}

static int put(const struct ask *ask, const char *folder)
{
    struct gw_findings findings = {.wants_json = ask->wants_json};
    struct outcome outcome = {0};
    struct gw_script_tool tool;
    struct gw_script_put put = {.tenant_id = ask->tenant, .folder = folder, .check = {.found = gw_findings_print, .arg = &findings}};
    if (ask->wants_json)
        fputs("{\"findings\":[", stdout);
    int status = gw_script_tool_open(ask->file, NULL, &tool, &outcome.err);
    if (!status) {
        status = gw_scripts_put(&tool.opts, &put, &outcome.err);
        if (!status)
            tell_and_settle(ask, &tool, &put, &outcome);
        gw_script_tool_close(&tool);
    }
    if (ask->wants_json)
        print_json(ask, &outcome);
    else
        print(ask, &outcome);
    return exit_code(ask, &outcome);
}

int gw_policies_put_main(int argc, char **argv)
{
    struct ask ask = {0};
    struct gw_client_list words = {0};
    const struct gw_client_option options[] = {
        {"--tenant", GW_OPTION_TEXT, &ask.tenant, "T      whose policies these are"},
        {"--admin", GW_OPTION_TEXT, &ask.admin, "URL    the admin listener; ATOMS_ADMIN_LISTEN, else http://127.0.0.1:8081"},
        {"--config", GW_OPTION_TEXT, &ask.file, "FILE   the configuration that says where registry and policies are"},
        {"--json", GW_OPTION_FLAG, &ask.wants_json, "       as one JSON document"},
        {0}};
    const struct gw_usage usage = {
        .name = "policies put",
        .synopsis = "--tenant T DIR [--admin URL] [--config FILE] [--json]",
        .about =
            "Checks the policies in DIR as those that a tenant lays over the defaults on the disk, writes them to the registry as its\n"
            "newest version, and has a running gateway switch to them. With a fault, or when the gateway refuses them over the\n"
            "defaults that it has, nothing is left written, and the exit code is 1.\n",
        .options = options,
        .example = "  atoms policies put --tenant acme acme-policies\n  atoms rollback --tenant acme\n"};
    enum gw_usage_answer answer = gw_usage_read_words(&usage, argc, argv, &words);
    if (answer != GW_USAGE_GO)
        return answer == GW_USAGE_HELP ? 0 : 2;
    if (!ask.tenant)
        return gw_usage_refuse(&usage, "say whose policies these are: --tenant T");
    if (words.count != 1)
        return gw_usage_refuse(&usage, "say in which one folder they are");
    return put(&ask, words.items[0]);
}
