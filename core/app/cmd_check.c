#include "app/cmd_check.h"

#include <stdio.h>

#include "app/findings.h"
#include "app/paint.h"
#include "app/script_tool.h"
#include "app/usage.h"
#include "base/error.h"
#include "script/script_check.h"

static int check(const struct gw_scripts_opts *opts, bool wants_json)
{
    struct gw_findings output = {.wants_json = wants_json};
    struct gw_script_check found = {.found = gw_findings_print, .arg = &output};
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
    struct gw_script_tool tool;
    struct gw_error err;
    if (gw_script_tool_open(file, folder, &tool, &err)) {
        fprintf(stderr, "atoms: %s: %s (%s)\n", err.path, err.message, err.id);
        return 1;
    }
    int code = check(&tool.opts, wants_json);
    gw_script_tool_close(&tool);
    return code;
}
