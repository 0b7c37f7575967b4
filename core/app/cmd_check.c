#include "app/cmd_check.h"

#include <stdio.h>
#include <string.h>

#include "app/config.h"
#include "app/paint.h"
#include "app/script_tool.h"
#include "app/usage.h"
#include "base/buffer.h"
#include "script/script_check.h"

/* value */
struct output {
    bool wants_json, has_printed;
};

static void put(struct gw_buffer *out, const char *name, const char *value)
{
    gw_buffer_appendf(out, "%s\"%s\":", out->length > 1 ? "," : "", name);
    gw_buffer_append_json_string(out, value, strlen(value));
}

static void print_json(struct output *output, const struct gw_script_finding *finding)
{
    struct gw_buffer line;
    gw_buffer_init(&line, 0);
    gw_buffer_append_char(&line, '{');
    put(&line, "severity", finding->is_warning ? "warning" : "error");
    put(&line, "code", finding->err->id);
    put(&line, "where", finding->err->path);
    put(&line, "message", finding->err->message);
    if (finding->hint[0])
        put(&line, "hint", finding->hint);
    if (finding->tenant_id[0])
        put(&line, "tenant_id", finding->tenant_id);
    gw_buffer_append_char(&line, '}');
    printf("%s%.*s", output->has_printed ? ",\n" : "", (int)line.length, line.data);
    gw_buffer_fini(&line);
}

static void on_found(void *arg, const struct gw_script_finding *finding)
{
    struct output *output = arg;
    struct gw_paint paint = gw_paint_for(stdout);
    const char *where = finding->err->path[0] ? finding->err->path : "policies";
    if (output->wants_json) {
        print_json(output, finding);
    } else {
        printf("%s%s%s: %s%s%s: %s (%s)\n", paint.bold, where, paint.plain, finding->is_warning ? paint.dim : paint.bad,
               finding->is_warning ? "warning" : "error", paint.plain, finding->err->message, finding->err->id);
        if (finding->hint[0])
            printf("    %shint:%s %s\n", paint.dim, paint.plain, finding->hint);
    }
    output->has_printed = true;
}

static int check(const struct gw_scripts_opts *opts, bool wants_json)
{
    struct output output = {.wants_json = wants_json};
    struct gw_script_check found = {.found = on_found, .arg = &output};
    struct gw_paint paint = gw_paint_for(stdout);
    if (wants_json)
        fputs("{\"findings\":[", stdout);
    gw_scripts_check(opts, &found);
    if (wants_json)
        printf("],\"files\":%zu,\"tenants\":%zu,\"errors\":%zu,\"warnings\":%zu}\n", found.file_count, found.tenant_count,
               found.error_count, found.warning_count);
    else
        printf("%s%zu files, %zu tenants: %zu errors, %zu warnings%s\n", found.error_count ? paint.bad : paint.good, found.file_count,
               found.tenant_count, found.error_count, found.warning_count, paint.plain);
    return found.error_count ? 1 : 0;
}

int gw_check_main(int argc, char **argv)
{
    const char *file = NULL, *folder = NULL;
    bool wants_json = false;
    const struct gw_client_option options[] = {
        {"--policies", GW_OPTION_TEXT, &folder, "DIR  a folder of policies; without it the one that `atoms serve` would use"},
        {"--config", GW_OPTION_TEXT, &file, "FILE   the configuration that says where the others are"},
        {"--json", GW_OPTION_FLAG, &wants_json, "        findings as one JSON document"},
        {0}};
    const struct gw_usage usage = {
        .name = "check",
        .synopsis = "[DIR | --policies DIR] [--config FILE] [--json]",
        .about = "Looks through policies, overlays of tenants and canvases without a gateway: everything that would stop a reload,\n"
                 "with file, line and a hint, and what is lawful but unwise. Exits with 1 when there is an error.\n",
        .options = options,
        .example = "  atoms check\n  atoms check policies.new && atoms reload\n"};
    if (argc > 1 && argv[1][0] != '-') {
        folder = argv[1];
        argv++;
        argc--;
    }
    enum gw_usage_answer answer = gw_usage_read(&usage, argc, argv);
    if (answer != GW_USAGE_GO)
        return answer == GW_USAGE_HELP ? 0 : 2;
    struct gw_scripts_opts opts;
    struct gw_config config;
    struct gw_error err;
    if (gw_script_tool_open(file, folder, &config, &opts, &err)) {
        fprintf(stderr, "atoms: %s: %s (%s)\n", err.path, err.message, err.id);
        return 1;
    }
    int code = check(&opts, wants_json);
    gw_config_fini(&config);
    return code;
}
