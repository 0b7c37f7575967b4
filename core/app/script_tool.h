/* script_tool.h — what the subcommands that work on policies without a gateway share: where these are, and under which limits they run. */
#ifndef GW_APP_SCRIPT_TOOL_H
#define GW_APP_SCRIPT_TOOL_H

#include "app/config.h"
#include "script/script.h"

struct gw_error;
struct gw_files_overlays;

/* value: what `atoms serve` would run */
struct gw_script_tool {
    struct gw_config config;
    struct gw_files_overlays *overlays; /* the registry's */
    struct gw_scripts_opts opts;
    char policies_shown[4096], canvases_shown[4096]; /* in messages: as given, what lies below the working directory from there on */
};

/* By the shipped configuration or `file` and this environment; `policies_dir` takes the place of the configured one unless it is NULL. On failure there is
 * nothing to close. Errors as gw_config_load. */
int gw_script_tool_open(const char *file, const char *policies_dir, struct gw_script_tool *tool, struct gw_error *err);
void gw_script_tool_close(struct gw_script_tool *tool);
/* As open; prints what failed on stderr. */
bool gw_script_tool_opens(const char *file, const char *policies_dir, struct gw_script_tool *tool);

#endif
