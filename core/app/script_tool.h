/* script_tool.h — what the subcommands that work on policies without a gateway share: where these are, and under which limits they run. */
#ifndef GW_APP_SCRIPT_TOOL_H
#define GW_APP_SCRIPT_TOOL_H

#include "script/script.h"

struct gw_config;
struct gw_error;

/* What `atoms serve` would run, by the shipped configuration or `file` and this environment; `policies_dir` takes the place of the configured one unless it is
 * NULL. The texts of *opts live as long as *config, which the caller frees by gw_config_fini. Errors as gw_config_load. */
int gw_script_tool_open(const char *file, const char *policies_dir, struct gw_config *config, struct gw_scripts_opts *opts,
                        struct gw_error *err);

#endif
