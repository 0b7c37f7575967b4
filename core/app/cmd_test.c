#include "app/cmd_test.h"

#include <stdio.h>
#include <string.h>

#include "app/paint.h"
#include "app/script_tool.h"
#include "app/usage.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/printable.h"
#include "script/script_specs.h"

/* value */
struct output {
    bool wants_json, has_printed;
};

static void print_json(struct output *output, const struct gw_script_test *test)
{
    struct gw_buffer line;
    gw_buffer_init(&line, 0);
    gw_buffer_append_text(&line, "{\"file\":");
    gw_buffer_append_json_string(&line, test->file, strlen(test->file));
    gw_buffer_append_text(&line, ",\"name\":");
    gw_buffer_append_json_string(&line, test->name, strlen(test->name));
    gw_buffer_appendf(&line, ",\"is_good\":%s,\"message\":", test->is_good ? "true" : "false");
    gw_buffer_append_json_string(&line, test->message, strlen(test->message));
    printf("%s%.*s}", output->has_printed ? ",\n" : "", (int)line.length, line.data);
    output->has_printed = true;
    gw_buffer_fini(&line);
}

/* What busted has and this does not, from `pending` to `spy`. */
static bool misses_global(const struct gw_script_test *test) { return strstr(test->message, "a nil value (global '") != NULL; }

static void on_ran(void *arg, const struct gw_script_test *test)
{
    struct output *output = arg;
    struct gw_paint paint = gw_paint_for(stdout);
    if (output->wants_json)
        print_json(output, test);
    else if (!test->is_good)
        printf("%sfailed%s %s%s%s\n    %s\n", paint.bad, paint.plain, gw_printable(test->file).text, test->name[0] ? ": " : "",
               gw_printable(test->name).text, gw_printable(test->message).text);
    if (!output->wants_json && !test->is_good && misses_global(test))
        printf("    %shint:%s of busted there are describe, it, before_each, after_each and assert; lua/sandbox.lua lists all else\n",
               paint.dim, paint.plain);
}

static int run(const struct gw_scripts_opts *opts, bool wants_json)
{
    struct output output = {.wants_json = wants_json};
    struct gw_script_specs specs = {.ran = on_ran, .arg = &output};
    struct gw_paint paint = gw_paint_for(stdout);
    struct gw_error err;
    if (wants_json)
        fputs("{\"tests\":[", stdout);
    if (gw_scripts_run_specs(opts, &specs, &err)) {
        fprintf(stderr, "atoms: %s%s%s (%s)\n", gw_printable(err.path).text, err.path[0] ? ": " : "", gw_printable(err.message).text,
                err.id);
        return 1;
    }
    if (wants_json)
        printf("],\"files\":%zu,\"passed\":%zu,\"failed\":%zu}\n", specs.file_count, specs.good_count, specs.failed_count);
    else
        printf("%s%zu file%s: %zu passed, %zu failed%s\n", specs.failed_count ? paint.bad : paint.good, specs.file_count,
               specs.file_count == 1 ? "" : "s", specs.good_count, specs.failed_count, paint.plain);
    return specs.failed_count || specs.good_count == 0 ? 1 : 0;
}

int gw_test_main(int argc, char **argv)
{
    const char *file = NULL, *folder = NULL;
    bool wants_json = false;
    const struct gw_client_option options[] = {
        {"--policies", GW_OPTION_TEXT, &folder, "DIR    a folder of policies; without it the one that `atoms serve` would use"},
        {"--config", GW_OPTION_TEXT, &file, "FILE   the configuration that says where the others are"},
        {"--json", GW_OPTION_FLAG, &wants_json, "       results as one JSON document"},
        {0}};
    const struct gw_usage usage = {
        .name = "test",
        .synopsis = "[DIR | --policies DIR] [--config FILE] [--json]",
        .about = "Runs the specs of policies and canvases (spec/*_spec.lua beside them) in the sandbox that serves: what passes under\n"
                 "busted and fails here does something that no script may. Exits with 1 when a test fails, or there is none.\n",
        .options = options,
        .example = "  atoms test\n  atoms check policies.new && atoms test policies.new && atoms reload\n"};
    enum gw_usage_answer answer = gw_usage_read_word(&usage, argc, argv, &folder);
    if (answer != GW_USAGE_GO)
        return answer == GW_USAGE_HELP ? 0 : 2;
    struct gw_script_tool tool;
    if (!gw_script_tool_opens(file, folder, &tool))
        return 1;
    int code = run(&tool.opts, wants_json);
    gw_script_tool_close(&tool);
    return code;
}
