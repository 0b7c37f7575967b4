#include "app/cmd_check.h"

#include <stdbool.h>
#include <stdio.h>

#include "app/check_runs.h"
#include "app/findings.h"
#include "app/paint.h"
#include "app/script_tool.h"
#include "app/usage.h"
#include "base/error.h"
#include "base/printable.h"
#include "script/script_check.h"

/* value: the answers of a look */
struct totals {
    struct gw_script_check scripts;
    struct gw_check_runs runs;
    bool has_runs;
};

static const char *plural(size_t count) { return count == 1 ? "" : "s"; }

static void print_totals(const struct totals *totals, bool wants_json)
{
    struct gw_paint paint = gw_paint_for(stdout);
    const struct gw_script_check *scripts = &totals->scripts;
    size_t errors = scripts->error_count + totals->runs.damaged_count, warnings = scripts->warning_count + totals->runs.misfit_count;
    char runs[64] = "";
    if (totals->has_runs)
        snprintf(runs, sizeof runs,
                 wants_json                    ? "\"runs\":%zu,"
                 : totals->runs.run_count == 1 ? ", %zu run"
                                               : ", %zu runs",
                 totals->runs.run_count);
    if (wants_json)
        printf("],\"files\":%zu,\"tenants\":%zu,%s\"errors\":%zu,\"warnings\":%zu}\n", scripts->file_count, scripts->tenant_count, runs,
               errors, warnings);
    else
        printf("%s%zu file%s, %zu tenant%s%s: %zu error%s, %zu warning%s%s\n", errors ? paint.bad : paint.good, scripts->file_count,
               plural(scripts->file_count), scripts->tenant_count, plural(scripts->tenant_count), runs, errors, plural(errors), warnings,
               plural(warnings), paint.plain);
}

/* Faulty policies say nothing about runs: the canvases might be what is wrong. */
static int check(const struct gw_script_tool *tool, bool wants_json, bool wants_runs)
{
    struct gw_findings output = {.wants_json = wants_json};
    struct totals totals = {.scripts = {.found = gw_findings_print, .arg = &output}};
    struct gw_error err;
    int status = GW_OK;
    if (wants_json)
        fputs("{\"findings\":[", stdout);
    gw_scripts_check(&tool->opts, &totals.scripts);
    totals.has_runs = wants_runs && totals.scripts.error_count == 0;
    if (totals.has_runs)
        status = gw_check_runs_print(tool, &output, &totals.runs, &err);
    print_totals(&totals, wants_json);
    if (status)
        fprintf(stderr, "atoms: %s%s%s (%s)\n", gw_printable(err.path).text, err.path[0] ? ": " : "", gw_printable(err.message).text,
                err.id);
    return status || totals.scripts.error_count || totals.runs.damaged_count ? 1 : 0;
}

int gw_check_main(int argc, char **argv)
{
    const char *file = NULL, *folder = NULL;
    bool wants_json = false, wants_runs = false;
    const struct gw_client_option options[] = {
        {"--policies", GW_OPTION_TEXT, &folder, "DIR    a folder of policies; without it the one that `atoms serve` would use"},
        {"--config", GW_OPTION_TEXT, &file, "FILE   the configuration that says where the others are"},
        {"--runs", GW_OPTION_FLAG, &wants_runs,
         "       also the runs that the embedded spine has recorded: what the canvases would not take now"},
        {"--json", GW_OPTION_FLAG, &wants_json, "       findings as one JSON document"},
        {0}};
    const struct gw_usage usage = {
        .name = "check",
        .synopsis = "[DIR | --policies DIR] [--config FILE] [--runs] [--json]",
        .about = "Looks through policies, overlays of tenants and canvases without a gateway: what would stop a reload, of each file the\n"
                 "first fault and of each role's plan, with file, line and a hint, and what is lawful but unwise. With --runs also what "
                 "recorded runs hold that the canvases\n"
                 "no longer admit: these keep it, so such things are warnings. Exits with 1 when there is an error.\n",
        .options = options,
        .example = "  atoms check\n  atoms check policies.new && atoms reload\n  atoms check --runs\n"};
    enum gw_usage_answer answer = gw_usage_read_word(&usage, argc, argv, &folder);
    if (answer != GW_USAGE_GO)
        return answer == GW_USAGE_HELP ? 0 : 2;
    struct gw_script_tool tool;
    if (!gw_script_tool_opens(file, folder, &tool))
        return 1;
    int code = check(&tool, wants_json, wants_runs);
    gw_script_tool_close(&tool);
    return code;
}
