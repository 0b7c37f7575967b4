#include "app/cmd_diff.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "app/paint.h"
#include "app/policy_diff.h"
#include "app/policy_words.h"
#include "app/script_tool.h"
#include "app/usage.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/metrics.h"

#define SHOWN 20

/* value */
struct output {
    const struct gw_client_list *forbidden;
    bool wants_json, has_printed;
    size_t class_count, other_count, forbidden_count;
};

/* By the word's name, or its kind, or the whole label. */
static bool is_forbidden(const struct output *output, const struct gw_policy_word *word)
{
    for (size_t i = 0; i < output->forbidden->count; i++) {
        const char *glob = output->forbidden->items[i];
        if (fnmatch(glob, word->label, 0) == 0 || (word->name[0] && fnmatch(glob, word->name, 0) == 0) ||
            (word->kind[0] && fnmatch(glob, word->kind, 0) == 0) || (word->vis[0] && fnmatch(glob, word->vis, 0) == 0))
            return true;
    }
    return false;
}

/* ---- for people ----------------------------------------------------------------------------------------------------------------------------- */

static void print_words(const struct output *output, const struct gw_class_diff *diff, bool are_gains)
{
    struct gw_paint paint = gw_paint_for(stdout);
    const struct gw_policy_word *const *words = are_gains ? diff->gains : diff->losses;
    size_t count = are_gains ? diff->gain_count : diff->loss_count;
    for (size_t i = 0; i < count && i < SHOWN; i++) {
        bool is_bad = are_gains && is_forbidden(output, words[i]);
        printf("    %s%s%s %s",
               is_bad      ? paint.bad
               : are_gains ? paint.good
                           : paint.dim,
               are_gains ? "gains" : "loses", paint.plain, words[i]->label);
        if (words[i]->seq)
            printf("   %s%llu times, first in %s at %llu%s", paint.dim, (unsigned long long)words[i]->count, words[i]->run,
                   (unsigned long long)words[i]->seq, paint.plain);
        printf("%s\n", is_bad ? "   FORBIDDEN" : "");
    }
    if (count > SHOWN)
        printf("    … and %zu more\n", count - SHOWN);
}

static void print_class(struct output *output, const struct gw_class_diff *diff)
{
    struct gw_paint paint = gw_paint_for(stdout);
    if (diff->class_before == diff->class_after) {
        printf("%s%s %s (%s): unchanged%s\n", paint.dim, diff->tenant_id, diff->role, diff->kind, paint.plain);
        return;
    }
    printf("%s%s %s (%s)%s: of %llu events %llu newly seen, %llu no longer, %llu otherwise%s\n", paint.bold, diff->tenant_id, diff->role,
           diff->kind, paint.plain, (unsigned long long)diff->event_count, (unsigned long long)diff->gained, (unsigned long long)diff->lost,
           (unsigned long long)diff->changed, !diff->class_after ? "; admitted to nothing" : "");
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

static void print_json(const struct output *output, const struct gw_class_diff *diff)
{
    struct gw_buffer out;
    gw_buffer_init(&out, 0);
    put(&out, "{\"tenant_id\":", diff->tenant_id);
    put(&out, ",\"role\":", diff->role);
    put(&out, ",\"kind\":", diff->kind);
    gw_buffer_appendf(&out, ",\"is_changed\":%s,\"events\":%llu,\"gained\":%llu,\"lost\":%llu,\"changed\":%llu",
                      diff->class_before == diff->class_after ? "false" : "true", (unsigned long long)diff->event_count,
                      (unsigned long long)diff->gained, (unsigned long long)diff->lost, (unsigned long long)diff->changed);
    put_words(&out, "gains", diff->gains, diff->gain_count);
    put_words(&out, "losses", diff->losses, diff->loss_count);
    printf("%s%.*s}", output->has_printed ? ",\n" : "", (int)out.length, out.data);
    gw_buffer_fini(&out);
}

static void on_told(void *arg, const struct gw_class_diff *diff)
{
    struct output *output = arg;
    output->class_count++;
    output->other_count += diff->class_before != diff->class_after;
    for (size_t i = 0; i < diff->gain_count; i++)
        output->forbidden_count += is_forbidden(output, diff->gains[i]);
    if (output->wants_json)
        print_json(output, diff);
    else
        print_class(output, diff);
    output->has_printed = true;
}

/* ---- the subcommand ------------------------------------------------------------------------------------------------------------------------- */

static int finish(const struct output *output, bool wants_exit_code)
{
    if (output->wants_json)
        printf("],\"classes\":%zu,\"changed\":%zu,\"forbidden\":%zu}\n", output->class_count, output->other_count, output->forbidden_count);
    else
        printf("%zu of %zu classes changed%s\n", output->other_count, output->class_count,
               output->class_count ? "" : ": the spine holds no run");
    if (output->forbidden_count && !output->wants_json)
        fprintf(stderr, "atoms: %zu gains are forbidden\n", output->forbidden_count);
    return output->forbidden_count || (wants_exit_code && output->other_count) ? 1 : 0;
}

static int run(const char *folder, const char *file, const struct gw_client_list *roles, struct output *output, struct gw_error *err)
{
    static const char *const usual[] = {"owner", "editor", "viewer", "planner", "director", "service", NULL};
    const char *asked[GW_CLIENT_LIST_MAX + 1] = {NULL};
    char spine[4096];
    struct gw_script_tool tools[2];
    struct gw_metrics *metrics = gw_metrics_create();
    int opened = 0, status = gw_script_tool_open(file, NULL, &tools[0], err);
    opened += !status;
    if (!status)
        status = gw_script_tool_open(file, folder, &tools[1], err);
    opened += !status && opened == 1;
    for (size_t i = 0; i < roles->count; i++)
        asked[i] = roles->items[i];
    if (!status) {
        snprintf(spine, sizeof spine, "%s/spine.db", tools[0].config.data_dir);
        tools[0].opts.metrics = tools[1].opts.metrics = metrics;
        struct gw_policy_diff diff = {.before = &tools[0].opts,
                                      .after = &tools[1].opts,
                                      .spine = spine,
                                      .roles = roles->count ? asked : usual,
                                      .told = on_told,
                                      .arg = output};
        status = gw_policy_diff_run(&diff, err);
    }
    for (int i = 0; i < opened; i++)
        gw_script_tool_close(&tools[i]);
    gw_metrics_destroy(metrics);
    return status;
}

int gw_diff_main(int argc, char **argv)
{
    const char *file = NULL, *folder = NULL;
    struct gw_client_list roles = {0}, forbidden = {0};
    struct output output = {.forbidden = &forbidden};
    bool wants_exit_code = false;
    const struct gw_client_option options[] = {
        {"--to", GW_OPTION_TEXT, &folder, "DIR       the other policies"},
        {"--role", GW_OPTION_LIST, &roles, "R[:KIND]  a role to ask for; the six that ship"},
        {"--forbid-gain", GW_OPTION_LIST, &forbidden,
         "GLOB      exit with 1 when a class gains a Token, kind, label, event or command like this"},
        {"--exit-code", GW_OPTION_FLAG, &wants_exit_code, "          exit with 1 when anything differs"},
        {"--config", GW_OPTION_TEXT, &file, "FILE      the configuration that says where spine and policies are"},
        {"--json", GW_OPTION_FLAG, &output.wants_json, "          as one JSON document"},
        {0}};
    const struct gw_usage usage = {
        .name = "diff",
        .synopsis = "DIR [--role R] [--forbid-gain GLOB] [--exit-code] [--json]",
        .about = "Looks at the recorded events of the embedded spine through the policies in use and through those in DIR: which class\n"
                 "would see or may do what it could not before, and what it loses, with where it first occurs. Reads only; a gateway\n"
                 "may be running.\n",
        .options = options,
        .example = "  atoms diff policies.new\n  atoms diff policies.new --forbid-gain 'secret.*' && atoms reload\n"};
    folder = gw_usage_take_word(&argc, &argv);
    enum gw_usage_answer answer = gw_usage_read(&usage, argc, argv);
    if (answer != GW_USAGE_GO)
        return answer == GW_USAGE_HELP ? 0 : 2;
    if (!folder)
        return gw_usage_refuse(&usage, "say which policies to compare with");
    struct gw_error err;
    if (output.wants_json)
        fputs("{\"diffs\":[", stdout);
    if (run(folder, file, &roles, &output, &err)) {
        fprintf(stderr, "atoms: %s%s%s (%s)\n", err.path, err.path[0] ? ": " : "", err.message, err.id);
        return 2;
    }
    return finish(&output, wants_exit_code);
}
