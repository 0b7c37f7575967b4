#include "app/cmd_check_config.h"

#include <limits.h>
#include <stdio.h>

#include "app/config.h"
#include "app/usage.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/printable.h"

static int print_buffer(struct gw_buffer *text)
{
    int rc = text->has_failed || fwrite(text->data, 1, text->length, stdout) != text->length ? 1 : 0;
    gw_buffer_fini(text);
    return rc;
}

static int print_shipped(const struct gw_config_world *world)
{
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_config_write_shipped(world->cpu_count, &text);
    return print_buffer(&text);
}

static int print_effective(const struct gw_config *config)
{
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_config_write_effective(config, &text);
    return print_buffer(&text);
}

static int check(const char *file, const struct gw_config_world *world, bool is_quiet)
{
    struct gw_config config;
    struct gw_error err;
    if (gw_config_load(file, world, &config, &err) != 0) {
        fprintf(stderr, "%s: %s\n", gw_printable(err.path).text, gw_printable(err.message).text);
        return 1;
    }
    int rc = 0;
    if (!is_quiet)
        rc = print_effective(&config);
    if (gw_config_check(&config, &err) != 0) {
        fprintf(stderr, "%s: %s\n", gw_printable(err.path).text, gw_printable(err.message).text);
        rc = 1;
    }
    gw_config_fini(&config);
    return rc;
}

int gw_check_config_main(int argc, char **argv)
{
    const char *file = NULL;
    bool wants_shipped = false, is_quiet = false;
    const struct gw_client_option options[] = {
        {"--config", GW_OPTION_TEXT, &file, "FILE  a Lua table; without it the shipped configuration is checked"},
        {"--quiet", GW_OPTION_FLAG, &is_quiet, "do not print the settings"},
        {"--shipped", GW_OPTION_FLAG, &wants_shipped, "print the shipped configuration, to start a file from"},
        {.name = NULL},
    };
    const struct gw_usage usage = {
        "check-config", "[--config FILE] [--quiet] [--shipped]",
        "Reads the configuration as `atoms serve` would, together with the ATOMS_ variables of this environment,\n"
        "and prints every setting (secrets only as \"(set)\"). What would stop the start is said with file and line.\n",
        options, "  atoms check-config --shipped > atoms.lua\n  atoms check-config --config atoms.lua\n"};
    enum gw_usage_answer answer = gw_usage_read(&usage, argc, argv);
    if (answer != GW_USAGE_GO)
        return answer == GW_USAGE_HELP ? 0 : 2;
    char root[PATH_MAX];
    struct gw_config_world world = gw_config_world_system(root, sizeof root);
    return wants_shipped ? print_shipped(&world) : check(file, &world, is_quiet);
}
