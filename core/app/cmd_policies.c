#include "app/cmd_policies.h"

#include <stdio.h>
#include <string.h>

#include "app/admin_call.h"
#include "app/cmd_policies_put.h"
#include "app/paint.h"
#include "app/usage.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/printable.h"

#define SHORT_DIGEST 12

/* value: what all three take */
struct ask {
    const char *admin, *tenant;
    unsigned long generation;
    bool wants_json;
};

static const char *text_of(const struct gw_json *object, const char *name)
{
    const struct gw_json *value = gw_json_get(object, name);
    return gw_json_is_string(value) ? gw_json_text(value, NULL) : "";
}

static const char *who(const struct gw_json *entry)
{
    const char *tenant = text_of(entry, "tenant_id");
    return tenant[0] ? tenant : "(defaults)";
}

static int report(const struct gw_error *err)
{
    struct gw_paint paint = gw_paint_for(stderr);
    fprintf(stderr, "%satoms: %s%s%s%s\n", paint.bad, gw_printable(err->path).text, err->path[0] ? ": " : "",
            gw_printable(err->message).text, paint.plain);
    if (strcmp(err->id, "admin_unreachable") == 0)
        fputs("Is the gateway running? --admin URL or ATOMS_ADMIN_LISTEN say where its admin listener is.\n", stderr);
    return 1;
}

static void print_json(const struct gw_json *value)
{
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_json_write(value, &text);
    printf("%.*s\n", (int)text.length, text.data ? text.data : "");
    gw_buffer_fini(&text);
}

/* ---- reload, rollback ----------------------------------------------------------------------------------------------------------------------- */

static bool is_true(const struct gw_json *object, const char *name)
{
    const struct gw_json *value = gw_json_get(object, name);
    return gw_json_is_bool(value) && gw_json_bool(value);
}

static void print_fault(const struct gw_json *fault)
{
    printf("  %s%s%s%s%s (%s)\n", text_of(fault, "at"), text_of(fault, "at")[0] ? " " : "", gw_printable(text_of(fault, "where")).text,
           text_of(fault, "where")[0] ? ": " : "", gw_printable(text_of(fault, "message")).text, gw_printable(text_of(fault, "code")).text);
}

/* False when it failed. */
static bool print_change(const struct gw_json *change)
{
    struct gw_paint paint = gw_paint_for(stdout);
    const struct gw_json *back_to = gw_json_get(change, "back_to");
    const char *status = text_of(change, "status");
    bool has_failed = strcmp(status, "failed") == 0;
    const char *colour = has_failed ? paint.bad : strcmp(status, "switched") == 0 ? paint.good : paint.dim;
    printf("%-24s %s%s%s", who(change), colour, status, paint.plain);
    if (gw_json_is_int(back_to))
        printf(" back to what %lld was", (long long)gw_json_int(back_to));
    putchar('\n');
    if (has_failed)
        print_fault(change);
    if (has_failed)
        puts(is_true(change, "is_denied") ? "  nothing is allowed to this tenant until that is well"
                                          : "  what was in force before still is");
    return !has_failed;
}

static int print_changes(const struct gw_json *answer, bool wants_json)
{
    const struct gw_json *changes = gw_json_get(answer, "changes");
    bool is_good = true;
    if (wants_json)
        print_json(answer);
    for (size_t i = 0; i < gw_json_count(changes); i++) {
        const struct gw_json *change = gw_json_at(changes, i);
        is_good &= wants_json ? strcmp(text_of(change, "status"), "failed") != 0 : print_change(change);
    }
    return is_good ? 0 : 1;
}

static struct gw_json *body_of(const struct ask *ask)
{
    struct gw_json *body = gw_json_new_object();
    int status = body ? GW_OK : GW_ENOMEM;
    if (!status && ask->tenant)
        status = gw_json_set(body, "tenant_id", gw_json_new_text(ask->tenant, strlen(ask->tenant)));
    if (!status && ask->generation)
        status = gw_json_set(body, "generation", gw_json_new_int((int64_t)ask->generation));
    if (!status)
        return body;
    gw_json_unref(body);
    return NULL;
}

static int change(const struct ask *ask, const char *path)
{
    struct gw_json *body = body_of(ask), *answer;
    struct gw_error err;
    struct gw_admin_call call = {.base = ask->admin, .method = "POST", .path = path, .body = body};
    int status = body ? gw_admin_request(&call, &answer, &err) : gw_error_set(&err, GW_EINVAL, "bad_id", "no tenant has such an id");
    gw_json_unref(body);
    if (status)
        return report(&err);
    int code = print_changes(answer, ask->wants_json);
    gw_json_unref(answer);
    return code;
}

#define ASK_ADMIN                                                                                                                          \
    {                                                                                                                                      \
        "--admin", GW_OPTION_TEXT, &ask.admin, "URL    the admin listener; ATOMS_ADMIN_LISTEN, else http://127.0.0.1:8081"                 \
    }
#define ASK_TENANT                                                                                                                         \
    {                                                                                                                                      \
        "--tenant", GW_OPTION_TEXT, &ask.tenant, "T      of this tenant alone"                                                             \
    }
#define ASK_JSON                                                                                                                           \
    {                                                                                                                                      \
        "--json", GW_OPTION_FLAG, &ask.wants_json, "       print the gateway's answer as it is"                                            \
    }

int gw_reload_main(int argc, char **argv)
{
    struct ask ask = {0};
    const struct gw_client_option options[] = {ASK_TENANT, ASK_ADMIN, ASK_JSON, {0}};
    const struct gw_usage usage = {
        .name = "reload",
        .synopsis = "[--tenant T] [--admin URL] [--json]",
        .about = "Makes a running gateway read its policies and canvases again and switch to them. What fails stays as it was,\n"
                 "and is told with file and line; the exit code is then 1. Streams go on; those that see something else now are\n"
                 "told so.\n",
        .options = options,
        .example = "  atoms check && atoms reload\n"};
    enum gw_usage_answer answer = gw_usage_read(&usage, argc, argv);
    return answer == GW_USAGE_GO ? change(&ask, "/admin/policies/reload") : answer == GW_USAGE_HELP ? 0 : 2;
}

int gw_rollback_main(int argc, char **argv)
{
    struct ask ask = {0};
    const struct gw_client_option options[] = {
        {"--generation", GW_OPTION_COUNT, &ask.generation, "N      to this one, as `atoms policies` lists them"},
        ASK_TENANT,
        ASK_ADMIN,
        ASK_JSON,
        {0}};
    const struct gw_usage usage = {
        .name = "rollback",
        .synopsis = "[--tenant T] [--generation N] [--admin URL] [--json]",
        .about = "Switches a running gateway back to policies that were in force before: the last ones, or those named; given again,\n"
                 "to those before them. It holds until the files are read again, which `atoms reload` and a restart do. Policies of\n"
                 "a tenant that do not work over today's defaults are not switched to; defaults over which a tenant's do not work\n"
                 "deny that tenant, which is told, and the exit code is then 1.\n",
        .options = options,
        .example = "  atoms rollback\n  atoms rollback --tenant acme --generation 12\n"};
    enum gw_usage_answer answer = gw_usage_read(&usage, argc, argv);
    return answer == GW_USAGE_GO ? change(&ask, "/admin/policies/rollback") : answer == GW_USAGE_HELP ? 0 : 2;
}

static int release_main(int argc, char **argv)
{
    struct ask ask = {0};
    const struct gw_client_option options[] = {
        {"--tenant", GW_OPTION_TEXT, &ask.tenant, "T      whose scripts are to be asked again"}, ASK_ADMIN, ASK_JSON, {0}};
    const struct gw_usage usage = {.name = "policies release",
                                   .synopsis = "--tenant T [--admin URL] [--json]",
                                   .about = "Ends the quarantine of a tenant whose scripts kept failing.\n",
                                   .options = options};
    enum gw_usage_answer answer = gw_usage_read(&usage, argc, argv);
    if (answer == GW_USAGE_GO && !ask.tenant) {
        fputs("atoms: policies release needs --tenant\n", stderr);
        return 2;
    }
    return answer == GW_USAGE_GO ? change(&ask, "/admin/policies/release") : answer == GW_USAGE_HELP ? 0 : 2;
}

/* ---- policies ------------------------------------------------------------------------------------------------------------------------------- */

static void print_generation(const char *label, const char *colour, const char *status, const struct gw_json *entry)
{
    const struct gw_json *number = gw_json_get(entry, "number"), *version = gw_json_get(entry, "version");
    struct gw_paint paint = gw_paint_for(stdout);
    printf("%-24s %s%-12s%s", label, colour, status, paint.plain);
    if (gw_json_is_int(number))
        printf(" %10lld  %-24s  %.*s  %s", (long long)gw_json_int(number), text_of(entry, "loaded_at"), SHORT_DIGEST,
               text_of(entry, "digest"), text_of(entry, "source"));
    if (gw_json_is_int(version))
        printf(" %lld", (long long)gw_json_int(version));
    putchar('\n');
}

/* What stands under its status: `failed` says that something has, and not yet what. */
static const char *word_of(const struct gw_json *slot)
{
    const char *status = text_of(slot, "status");
    if (strcmp(status, "active") == 0 && is_true(slot, "is_rolled_back"))
        return "rolled back";
    if (strcmp(status, "failed") == 0)
        return is_true(slot, "is_stale") ? "stale" : "failing";
    return status;
}

static void explain_status(const struct gw_json *slot, const char *word)
{
    if (is_true(slot, "is_rolled_back"))
        printf("  rolled back%s: what is stored of it counts again from the next reload, or start, on\n",
               strcmp(text_of(slot, "source"), "defaults") == 0 ? " to the defaults" : "");
    if (strcmp(word, "quarantined") == 0)
        printf("  its scripts kept failing and are not asked until %s; `atoms policies release --tenant %s` asks them again\n",
               text_of(slot, "quarantined_until"), who(slot));
    else if (strcmp(word, "stale") == 0)
        puts("  in force is this one; what is stored has a fault:");
    else if (strcmp(word, "failing") == 0)
        puts("  it is in force, but calls of it fail and so deny; the last:");
    else if (strcmp(word, "denied") == 0)
        puts("  nothing is in force and nothing allowed: what is stored has a fault, or fails over the defaults:");
}

static void print_slot(const struct gw_json *slot)
{
    struct gw_paint paint = gw_paint_for(stdout);
    const struct gw_json *error = gw_json_get(slot, "error"), *kept = gw_json_get(slot, "kept");
    const char *word = word_of(slot);
    print_generation(who(slot), strcmp(word, "active") == 0 ? paint.good : paint.bad, word, slot);
    explain_status(slot, word);
    if (error)
        print_fault(error);
    for (size_t i = 0; i < gw_json_count(kept); i++)
        print_generation("", paint.dim, "kept", gw_json_at(kept, i));
}

static void print_list(const struct gw_json *list)
{
    const struct gw_json *tenants = gw_json_get(list, "tenants");
    struct gw_paint paint = gw_paint_for(stdout);
    printf("%s%-24s %-12s %10s  %-24s  %-*s  %s%s\n", paint.bold, "WHOSE", "STATUS", "GENERATION", "SINCE", SHORT_DIGEST, "DIGEST", "FROM",
           paint.plain);
    print_slot(gw_json_get(list, "defaults"));
    for (size_t i = 0; i < gw_json_count(tenants); i++)
        print_slot(gw_json_at(tenants, i));
}

static int list(const struct ask *ask)
{
    struct gw_json *answer;
    struct gw_error err;
    struct gw_admin_call call = {.base = ask->admin, .method = "GET", .path = "/admin/policies"};
    if (gw_admin_request(&call, &answer, &err))
        return report(&err);
    if (ask->wants_json)
        print_json(answer);
    else
        print_list(answer);
    gw_json_unref(answer);
    return 0;
}

int gw_policies_main(int argc, char **argv)
{
    struct ask ask = {0};
    const struct gw_client_option options[] = {ASK_ADMIN, ASK_JSON, {0}};
    const struct gw_usage usage = {
        .name = "policies",
        .synopsis = "[put --tenant T DIR | release --tenant T] [--admin URL] [--json]",
        .about = "Lists the policies that a running gateway decides by: of all, and of each tenant that has its own and uses them\n"
                 "or is in trouble, and whether these come from a folder or from which version in the registry; and the generations\n"
                 "that `atoms rollback` can go back to. `atoms policies put --help` tells how policies get into the registry,\n"
                 "`atoms policies release --help` how a tenant leaves quarantine before its time.\n",
        .options = options};
    if (argc > 1 && strcmp(argv[1], "put") == 0)
        return gw_policies_put_main(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "release") == 0)
        return release_main(argc - 1, argv + 1);
    enum gw_usage_answer answer = gw_usage_read(&usage, argc, argv);
    return answer == GW_USAGE_GO ? list(&ask) : answer == GW_USAGE_HELP ? 0 : 2;
}
