#include "app/script_tool.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/printable.h"
#include "registry/files/files_overlays.h"

/* A folder as somebody who stands here would name it. */
static void show(char *to, size_t size, const char *folder, bool is_given)
{
    char here[4096];
    size_t length = !is_given && getcwd(here, sizeof here) ? strlen(here) : 0;
    bool is_below = length > 1 && strncmp(folder, here, length) == 0 && folder[length] == '/';
    snprintf(to, size, "%s", is_below ? folder + length + 1 : folder);
    for (length = strlen(to); length > 1 && to[length - 1] == '/'; length--)
        to[length - 1] = '\0';
}

static void fill_opts(struct gw_script_tool *tool, const char *policies_dir)
{
    const struct gw_config *config = &tool->config;
    struct gw_scripts_opts *opts = &tool->opts;
    *opts = (struct gw_scripts_opts){.policies_dir = policies_dir ? policies_dir : config->policies_dir,
                                     .canvases_dir = config->canvases_dir,
                                     .lua_dir = config->lua_dir,
                                     .overlays = gw_files_overlays_port(tool->overlays),
                                     .clock = gw_clock_system(),
                                     .budget_clock = gw_clock_system(),
                                     .has_no_meter = true,
                                     .keeps_failed = strcmp(config->scripts.overlay_on_failure, "keep_old") == 0};
    show(tool->policies_shown, sizeof tool->policies_shown, opts->policies_dir, policies_dir != NULL);
    show(tool->canvases_shown, sizeof tool->canvases_shown, opts->canvases_dir, false);
    opts->policies_shown = tool->policies_shown;
    opts->canvases_shown = tool->canvases_shown;
    gw_script_limits_default(&opts->limits);
    opts->limits.call.call_instructions = (uint64_t)config->scripts.call_instructions;
    opts->limits.call.call_ms = (uint32_t)config->scripts.call_ms;
    opts->limits.call.memory_bytes = (size_t)config->scripts.memory_bytes;
    opts->limits.tenant_ms_per_s = (uint32_t)config->scripts.tenant_ms_per_s;
    opts->limits.max_states = (size_t)config->scripts.max_states;
    opts->limits.max_overlays = (size_t)config->scripts.max_overlays;
    opts->limits.keep_versions = (size_t)config->scripts.keep_versions;
}

int gw_script_tool_open(const char *file, const char *policies_dir, struct gw_script_tool *tool, struct gw_error *err)
{
    char root[4096];
    struct gw_config_world world = gw_config_world_system(root, sizeof root);
    int status = gw_config_load(file, &world, &tool->config, err);
    if (status)
        return status;
    status = gw_files_overlays_create(tool->config.data_dir, &tool->overlays, err);
    if (status)
        gw_config_fini(&tool->config);
    else
        fill_opts(tool, policies_dir);
    return status;
}

void gw_script_tool_close(struct gw_script_tool *tool)
{
    gw_files_overlays_destroy(tool->overlays);
    gw_config_fini(&tool->config);
}

bool gw_script_tool_opens(const char *file, const char *policies_dir, struct gw_script_tool *tool)
{
    struct gw_error err;
    if (!gw_script_tool_open(file, policies_dir, tool, &err))
        return true;
    fprintf(stderr, "atoms: %s%s%s (%s)\n", gw_printable(err.path).text, err.path[0] ? ": " : "", gw_printable(err.message).text, err.id);
    return false;
}
