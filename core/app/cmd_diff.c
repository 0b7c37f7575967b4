#include "app/cmd_diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/admin_call.h"
#include "app/paint.h"
#include "app/policy_diff.h"
#include "app/policy_words.h"
#include "app/script_tool.h"
#include "app/usage.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/metrics.h"
#include "base/printable.h"
#include "hub/plan_compile.h"

#define SHOWN 20

/* value */
struct output {
    const struct gw_client_list *forbidden;
    bool wants_json, has_printed;
    size_t class_count, other_count, forbidden_count, failed_count, file_count;
    char tenant_id[GW_ID_MAX + 1]; /* whose unchanged classes are being put together */
    struct gw_buffer same, files;  /* for people: their names; for programs: the list of other files */
};

static bool is_forbidden(const struct output *output, const struct gw_policy_word *word)
{
    for (size_t i = 0; i < output->forbidden->count; i++)
        if (gw_policy_word_matches(word, output->forbidden->items[i]))
            return true;
    return false;
}

static const char *role_of(const struct gw_class_diff *diff) { return diff->role[0] ? diff->role : "(any other role)"; }

static bool is_changed(const struct gw_class_diff *diff) { return diff->class_before != diff->class_after; }

/* ---- for people ----------------------------------------------------------------------------------------------------------------------------- */

static int by_label(const void *key, const void *item)
{
    const struct gw_policy_word *const *word = item;
    return strcmp(key, (*word)->label);
}

/* Of a block that is in the list itself: that says enough. */
static bool is_implied(const struct gw_policy_word *word, const struct gw_policy_word *const *words, size_t count)
{
    char block[GW_POLICY_LABEL];
    const char *of = word->content[0] ? strstr(word->label, word->content) : NULL;
    if (!of || strncmp(word->label, "read ", 5) != 0)
        return false;
    snprintf(block, sizeof block, "read block %s%s", word->kind, of + strlen(word->content));
    return bsearch(block, words, count, sizeof *words, by_label) != NULL;
}

static void print_word(const struct output *output, const struct gw_policy_word *word, bool is_gain)
{
    struct gw_paint paint = gw_paint_for(stdout);
    bool is_bad = is_gain && is_forbidden(output, word);
    const char *colour = is_bad ? paint.bad : is_gain ? paint.good : paint.dim;
    printf("    %s%s%s %s", colour, is_gain ? "gains" : "loses", paint.plain, gw_printable(word->label).text);
    if (word->seq)
        printf("   %s%llu times, first in %s at %llu%s", paint.dim, (unsigned long long)word->count, word->run,
               (unsigned long long)word->seq, paint.plain);
    printf("%s\n", is_bad ? "   FORBIDDEN" : "");
}

/* What is forbidden is always shown. */
static void print_words(const struct output *output, const struct gw_class_diff *diff, bool are_gains)
{
    const struct gw_policy_word *const *words = are_gains ? diff->gains : diff->losses;
    size_t count = are_gains ? diff->gain_count : diff->loss_count, shown = 0, more = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_bad = are_gains && is_forbidden(output, words[i]);
        if (!is_bad && is_implied(words[i], words, count))
            continue;
        if (!is_bad && shown == SHOWN) {
            more++;
            continue;
        }
        print_word(output, words[i], are_gains);
        shown += !is_bad;
    }
    if (more)
        printf("    … and %zu more\n", more);
}

static void print_same(struct output *output)
{
    struct gw_paint paint = gw_paint_for(stdout);
    if (output->same.length)
        printf("%s%s: unchanged: %.*s%s\n", paint.dim, output->tenant_id, (int)output->same.length, output->same.data, paint.plain);
    output->same.length = 0;
}

static void print_failures(const struct gw_class_diff *diff)
{
    static const char *const sides[] = {"now", "then"};
    struct gw_paint paint = gw_paint_for(stdout);
    for (size_t i = 0; i < 2; i++)
        if (diff->failures[i])
            printf("    %s%s it fails%s: %s: %s (%s)\n", paint.bad, sides[i], paint.plain, gw_printable(diff->failures[i]->path).text,
                   gw_printable(diff->failures[i]->message).text, diff->failures[i]->id);
}

static void print_class(struct output *output, const struct gw_class_diff *diff)
{
    struct gw_paint paint = gw_paint_for(stdout);
    bool has_failed = diff->failures[0] || diff->failures[1], is_nobody = !diff->class_before && !diff->class_after;
    if (strcmp(output->tenant_id, diff->tenant_id) != 0)
        print_same(output);
    snprintf(output->tenant_id, sizeof output->tenant_id, "%s", diff->tenant_id);
    if (!is_changed(diff) && !has_failed) {
        gw_buffer_appendf(&output->same, "%s%s (%s%s)", output->same.length ? ", " : "", role_of(diff), diff->kind,
                          is_nobody ? ", admitted to nothing" : "");
        return;
    }
    printf("%s%s %s (%s)%s: of %llu events %llu newly seen, %llu no longer, %llu otherwise%s\n", paint.bold, diff->tenant_id, role_of(diff),
           diff->kind, paint.plain, (unsigned long long)diff->event_count, (unsigned long long)diff->gained, (unsigned long long)diff->lost,
           (unsigned long long)diff->changed, !diff->class_after ? "; admitted to nothing" : "");
    print_failures(diff);
    print_words(output, diff, true);
    print_words(output, diff, false);
}

/* ---- for programs --------------------------------------------------------------------------------------------------------------------------- */

static void put(struct gw_buffer *out, const char *before, const char *value)
{
    gw_buffer_append_text(out, before);
    gw_buffer_append_json_string(out, value, strlen(value));
}

static void put_words(struct gw_buffer *out, const char *name, const struct gw_policy_word *const *words, size_t count)
{
    gw_buffer_appendf(out, ",\"%s\":[", name);
    for (size_t i = 0; i < count; i++) {
        put(out, i ? ",{\"what\":" : "{\"what\":", words[i]->label);
        if (words[i]->seq) {
            put(out, ",\"run\":", words[i]->run);
            gw_buffer_appendf(out, ",\"seq\":%llu,\"count\":%llu", (unsigned long long)words[i]->seq, (unsigned long long)words[i]->count);
        }
        gw_buffer_append_char(out, '}');
    }
    gw_buffer_append_char(out, ']');
}

static void put_failure(struct gw_buffer *out, const char *name, const struct gw_error *failure)
{
    if (!failure)
        return;
    gw_buffer_appendf(out, ",\"%s\":", name);
    put(out, "{\"code\":", failure->id);
    put(out, ",\"where\":", failure->path);
    put(out, ",\"message\":", failure->message);
    gw_buffer_append_char(out, '}');
}

static void print_json(const struct output *output, const struct gw_class_diff *diff)
{
    struct gw_buffer out;
    gw_buffer_init(&out, 0);
    put(&out, "{\"tenant_id\":", diff->tenant_id);
    put(&out, ",\"role\":", diff->role);
    put(&out, ",\"kind\":", diff->kind);
    gw_buffer_appendf(&out, ",\"is_changed\":%s,\"events\":%llu,\"gained\":%llu,\"lost\":%llu,\"changed\":%llu",
                      is_changed(diff) ? "true" : "false", (unsigned long long)diff->event_count, (unsigned long long)diff->gained,
                      (unsigned long long)diff->lost, (unsigned long long)diff->changed);
    put_words(&out, "gains", diff->gains, diff->gain_count);
    put_words(&out, "losses", diff->losses, diff->loss_count);
    put_failure(&out, "failed_before", diff->failures[0]);
    put_failure(&out, "failed_after", diff->failures[1]);
    printf("%s%.*s}", output->has_printed ? ",\n" : "", (int)out.length, out.data);
    gw_buffer_fini(&out);
}

static void on_told(void *arg, const struct gw_class_diff *diff)
{
    struct output *output = arg;
    output->class_count++;
    output->other_count += is_changed(diff);
    output->failed_count += diff->failures[0] || diff->failures[1];
    for (size_t i = 0; i < diff->gain_count; i++)
        output->forbidden_count += is_forbidden(output, diff->gains[i]);
    if (output->wants_json)
        print_json(output, diff);
    else
        print_class(output, diff);
    output->has_printed = true;
}

static void on_other_file(void *arg, const char *tenant_id, const char *path)
{
    struct output *output = arg;
    output->file_count++;
    if (!output->wants_json) {
        print_same(output);
        printf("%s: %s is another one: what comes of that is not compared, since commands are not recorded\n", tenant_id,
               gw_printable(path).text);
        return;
    }
    gw_buffer_append_text(&output->files, output->files.length ? ",{" : "{");
    put(&output->files, "\"tenant_id\":", tenant_id);
    put(&output->files, ",\"path\":", path);
    gw_buffer_append_char(&output->files, '}');
}

/* ---- what is compared with -------------------------------------------------------------------------------------------------------------- */

static const char *digest_of(const struct gw_json *list)
{
    const struct gw_json *defaults = gw_json_get(list, "defaults"), *digest = defaults ? gw_json_get(defaults, "digest") : NULL;
    return gw_json_is_string(digest) ? gw_json_text(digest, NULL) : "";
}

/* Of the tenants that both name. */
static bool has_other_tenant(const struct gw_json *running, const struct gw_json *stored)
{
    const struct gw_json *tenants = gw_json_get(running, "tenants"), *ours = gw_json_get(stored, "tenants");
    for (size_t i = 0; i < gw_json_count(tenants); i++)
        for (size_t k = 0; k < gw_json_count(ours); k++) {
            const struct gw_json *a = gw_json_at(tenants, i), *b = gw_json_at(ours, k);
            if (gw_json_equal(gw_json_get(a, "tenant_id"), gw_json_get(b, "tenant_id")) && gw_json_get(a, "digest") &&
                gw_json_get(b, "digest") && !gw_json_equal(gw_json_get(a, "digest"), gw_json_get(b, "digest")))
                return true;
        }
    return false;
}

/* Are the files that were compared with what a gateway decides by? "yes", "no", "unknown". */
static const char *ask_gateway(const char *admin, const struct gw_json *stored)
{
    struct gw_admin_call call = {.base = admin, .method = "GET", .path = "/admin/policies"};
    struct gw_json *running;
    struct gw_error ignored; /* without a gateway there is none to ask */
    if (!stored || gw_admin_request(&call, &running, &ignored))
        return "unknown";
    bool is_same = strcmp(digest_of(running), digest_of(stored)) == 0 && !has_other_tenant(running, stored);
    gw_json_unref(running);
    return is_same ? "yes" : "no";
}

/* ---- the subcommand ------------------------------------------------------------------------------------------------------------------------- */

static void print_totals(const struct output *output, const char *folder, const char *in_force)
{
    const char *whether = strcmp(in_force, "yes") == 0  ? "which the gateway runs"
                          : strcmp(in_force, "no") == 0 ? "but the gateway RUNS OTHER ONES: rolled back, or not reloaded"
                                                        : "whether a gateway runs these is not known: none answers";
    printf("%zu of %zu classes changed%s\n", output->other_count, output->class_count,
           output->class_count ? "" : ": the spine holds no run");
    printf("compared with the files in %s; %s\n", gw_printable(folder).text, whether);
    if (output->forbidden_count)
        fprintf(stderr, "atoms: %zu %s forbidden\n", output->forbidden_count, output->forbidden_count == 1 ? "gain is" : "gains are");
}

static void print_totals_json(const struct output *output, const char *folder, const char *in_force)
{
    struct gw_buffer out;
    gw_buffer_init(&out, 0);
    gw_buffer_appendf(&out, "],\"other_files\":[%.*s],\"classes\":%zu,\"changed\":%zu,\"forbidden\":%zu,\"failed\":%zu",
                      (int)output->files.length, output->files.length ? output->files.data : "", output->class_count, output->other_count,
                      output->forbidden_count, output->failed_count);
    put(&out, ",\"before\":", folder);
    put(&out, ",\"is_in_force\":", in_force);
    printf("%.*s}\n", (int)out.length, out.data);
    gw_buffer_fini(&out);
}

static int finish(struct output *output, const struct gw_policy_diff *diff, const char *in_force, bool wants_exit_code)
{
    if (!output->wants_json)
        print_same(output);
    if (output->wants_json)
        print_totals_json(output, diff->before->policies_dir, in_force);
    else
        print_totals(output, diff->before->policies_dir, in_force);
    if (output->failed_count)
        return 2;
    return output->forbidden_count || (wants_exit_code && (output->other_count || output->file_count)) ? 1 : 0;
}

/* value: what was asked */
struct ask {
    const char *file, *folder, *admin;
    struct gw_client_list roles;
    bool wants_exit_code;
};

/* Nothing in a tool competes for the time of a worker. */
static void open_up(struct gw_scripts_opts *opts, struct gw_metrics *metrics)
{
    opts->metrics = metrics;
    opts->limits.tenant_ms_per_s = UINT32_MAX;
}

static int compare(const struct ask *ask, struct gw_script_tool tools[2], struct output *output, struct gw_error *err)
{
    const char *roles[GW_CLIENT_LIST_MAX + 1] = {NULL};
    char spine[4096];
    struct gw_metrics *metrics = gw_metrics_create();
    struct gw_json *stored = NULL;
    for (size_t i = 0; i < ask->roles.count; i++)
        roles[i] = ask->roles.items[i];
    snprintf(spine, sizeof spine, "%s/spine.db", tools[0].config.data_dir);
    open_up(&tools[0].opts, metrics);
    open_up(&tools[1].opts, metrics);
    struct gw_policy_diff diff = {.before = &tools[0].opts,
                                  .after = &tools[1].opts,
                                  .spine = spine,
                                  .roles = roles,
                                  .told = on_told,
                                  .other_file = on_other_file,
                                  .arg = output,
                                  .stored = &stored};
    int status = gw_policy_diff_run(&diff, err);
    int code = status ? 2 : finish(output, &diff, ask_gateway(ask->admin, stored), ask->wants_exit_code);
    gw_json_unref(stored);
    gw_metrics_destroy(metrics);
    return status ? status : code;
}

static int run(const struct ask *ask, struct output *output, struct gw_error *err)
{
    struct gw_script_tool tools[2];
    int status = gw_script_tool_open(ask->file, NULL, &tools[0], err);
    if (status)
        return status;
    status = gw_script_tool_open(ask->file, ask->folder, &tools[1], err);
    if (!status) {
        status = compare(ask, tools, output, err);
        gw_script_tool_close(&tools[1]);
    }
    gw_script_tool_close(&tools[0]);
    return status;
}

static int report(const struct output *output, const struct gw_error *err)
{
    struct gw_buffer out;
    fprintf(stderr, "atoms: %s%s%s (%s)\n", gw_printable(err->path).text, err->path[0] ? ": " : "", gw_printable(err->message).text,
            err->id);
    if (!output->wants_json)
        return 2;
    gw_buffer_init(&out, 0);
    put(&out, "],\"code\":", err->id);
    put(&out, ",\"where\":", err->path);
    put(&out, ",\"message\":", err->message);
    printf("%.*s}\n", (int)out.length, out.data);
    gw_buffer_fini(&out);
    return 2;
}

/* What a lens's globs are written with. */
static bool is_glob(const char *text)
{
    return text[0] && text[0] != '!' && !text[strcspn(text, "[]?\\{}!\"'")] && strlen(text) <= GW_PLAN_GLOB_MAX;
}

static int check(const struct gw_usage *usage, const struct ask *ask, const struct gw_client_list *forbidden)
{
    if (!ask->folder)
        return gw_usage_refuse(usage, "say which policies to compare with");
    for (size_t i = 0; i < ask->roles.count; i++)
        if (!gw_policy_diff_knows_role(ask->roles.items[i]))
            return gw_usage_refuse(usage, "--role %s: a role, and perhaps :user, :agent or :service",
                                   gw_printable(ask->roles.items[i]).text);
    for (size_t i = 0; i < forbidden->count; i++)
        if (!is_glob(forbidden->items[i]))
            return gw_usage_refuse(usage, "--forbid-gain %s: in a glob, * stands for any characters, and nothing else does",
                                   gw_printable(forbidden->items[i]).text);
    return 0;
}

int gw_diff_main(int argc, char **argv)
{
    struct ask ask = {0};
    struct gw_client_list forbidden = {0};
    struct output output = {.forbidden = &forbidden};
    const struct gw_client_option options[] = {
        {"--to", GW_OPTION_TEXT, &ask.folder, "DIR       the other policies"},
        {"--role", GW_OPTION_LIST, &ask.roles,
         "R[:KIND]  a role to ask for, again for more; the six that ship, and what the lenses speak of"},
        {"--forbid-gain", GW_OPTION_LIST, &forbidden,
         "GLOB      exit with 1 when a class gains a Token key, event, command, kind, KIND.PROP, KIND.text, label or flag like this"},
        {"--exit-code", GW_OPTION_FLAG, &ask.wants_exit_code, "          exit with 1 when anything differs"},
        {"--admin", GW_OPTION_TEXT, &ask.admin,
         "URL       of the gateway that is asked what it runs; ATOMS_ADMIN_LISTEN, else http://127.0.0.1:8081"},
        {"--config", GW_OPTION_TEXT, &ask.file, "FILE      the configuration that says where spine and policies are"},
        {"--json", GW_OPTION_FLAG, &output.wants_json, "          as one JSON document"},
        {0}};
    const struct gw_usage usage = {
        .name = "diff",
        .synopsis = "DIR [--role R] [--forbid-gain GLOB] [--exit-code] [--json]",
        .about = "Looks at the recorded events of the embedded spine through the policies on disk and through those in DIR: which class\n"
                 "would see or may do what it could not before, and what it loses, with where it first occurs; also values that a\n"
                 "transform showed otherwise. Commands are not recorded: files with rules for them are told when they differ, no more.\n"
                 "Reads only; a gateway may be running. Exits with 2 when a lens fails, or nothing could be compared.\n",
        .options = options,
        .example =
            "  atoms diff policies.new\n  atoms diff policies.new --forbid-gain 'secret.*' --forbid-gain task.budget && atoms reload\n"};
    enum gw_usage_answer answer = gw_usage_read_word(&usage, argc, argv, &ask.folder);
    if (answer != GW_USAGE_GO)
        return answer == GW_USAGE_HELP ? 0 : 2;
    int code = check(&usage, &ask, &forbidden);
    if (code)
        return code;
    struct gw_error err;
    gw_buffer_init(&output.same, 0);
    gw_buffer_init(&output.files, 0);
    if (output.wants_json)
        fputs("{\"diffs\":[", stdout);
    code = run(&ask, &output, &err);
    if (code < 0)
        code = report(&output, &err);
    gw_buffer_fini(&output.same);
    gw_buffer_fini(&output.files);
    return code;
}
