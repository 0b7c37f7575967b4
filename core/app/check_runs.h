/* check_runs.h — the part of `atoms check` that looks at recorded runs: prints what these hold outside the canvases in force, as findings. */
#ifndef GW_APP_CHECK_RUNS_H
#define GW_APP_CHECK_RUNS_H

#include <stddef.h>

struct gw_error;
struct gw_findings;
struct gw_script_tool;

/* value: how many there were */
struct gw_check_runs {
    size_t run_count, misfit_count, damaged_count;
};

/* GW_EINVAL spine_memory: the configured spine records nothing; as gw_scripts_create of the canvases; as gw_log_visit. */
int gw_check_runs_print(const struct gw_script_tool *tool, struct gw_findings *findings, struct gw_check_runs *out, struct gw_error *err);

#endif
