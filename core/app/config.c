#include "app/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/config_list.h"
#include "app/config_read.h"
#include "app/config_schema.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"
#include "script/data_file.h"

#define SHIPPED_NAME      "shipped configuration"
#define ROOT_SEARCH_DEPTH 4

static const char *read_environment(void *self, const char *name)
{
    (void)self;
    return getenv(name);
}

/* Cuts the last name off a path; false at the top. */
static bool go_up(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path)
        return false;
    *slash = '\0';
    return true;
}

static bool holds_canvases(char *root, size_t size, const char *below)
{
    size_t length = strlen(root);
    int wanted = snprintf(root + length, size - length, "%s/canvases", below);
    bool answer = wanted > 0 && (size_t)wanted < size - length && gw_file_is_folder(root);
    root[length + (answer ? strlen(below) : 0)] = '\0';
    return answer;
}

/* A source tree holds canvases/ some folders above the program; an installation holds share/atoms/canvases beside bin/. */
static void find_shipped_root(char *root, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", root, size - 1);
    root[length > 0 ? length : 0] = '\0';
    for (int i = 0; i < ROOT_SEARCH_DEPTH && go_up(root); i++)
        if (holds_canvases(root, size, "/share/atoms") || holds_canvases(root, size, ""))
            return;
    root[0] = '\0';
}

struct gw_config_world gw_config_world_system(char *root, size_t size)
{
    find_shipped_root(root, size);
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    return (struct gw_config_world){.env = read_environment, .shipped_root = root, .cpu_count = cpus < 1 ? 1 : cpus > 256 ? 256 : cpus};
}

/* Names the variable behind a refused value of the shipped configuration: nobody has that file to look into. */
static void name_variable(const char *text, const struct gw_config_world *world, struct gw_error *err)
{
    const char *colon = strrchr(err->path, ':');
    unsigned long line = colon ? strtoul(colon + 1, NULL, 10) : 0;
    for (; line > 1 && text != NULL; line--)
        if ((text = strchr(text, '\n')) != NULL)
            text++;
    size_t width = text ? strcspn(text, "\n") : 0;
    for (size_t i = 0; i < gw_setting_count(); i++) {
        const char *variable = gw_setting_at(i)->variable;
        char quoted[80];
        snprintf(quoted, sizeof quoted, "\"%s\"", variable ? variable : "");
        if (variable != NULL && world->env(world->self, variable) != NULL &&
            memmem(text ? text : "", width, quoted, strlen(quoted)) != NULL)
            snprintf(err->path, sizeof err->path, "environment variable %s", variable);
    }
}

static int load_shipped(const struct gw_config_world *world, struct gw_config *config, struct gw_error *err)
{
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_config_write_shipped(world->cpu_count, &text);
    gw_buffer_append_char(&text, '\0');
    int rc = text.has_failed ? gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the configuration") : 0;
    struct gw_data_opts opts = {.self = world->self, .env = world->env, .name = SHIPPED_NAME};
    struct gw_data_file *file = NULL;
    if (rc == 0)
        rc = gw_data_file_parse(text.data, text.length - 1, &opts, &file, err);
    if (rc == 0)
        rc = gw_config_read_layer(file, config, err);
    if (rc != 0 && !text.has_failed)
        name_variable(text.data, world, err);
    gw_data_file_destroy(file);
    gw_buffer_fini(&text);
    return rc;
}

static int load_file(const char *path, const struct gw_config_world *world, struct gw_config *config, struct gw_error *err)
{
    struct gw_data_opts opts = {.self = world->self, .env = world->env};
    int rc = gw_data_file_load(path, &opts, &config->source, err);
    return rc != 0 ? rc : gw_config_read_layer(config->source, config, err);
}

/* Gives an empty folder setting the folder of that name in the shipped root, where there is one. */
static void use_shipped_folder(char **slot, const struct gw_config_world *world, const char *name)
{
    char path[4096];
    if ((*slot)[0] != '\0' || world->shipped_root[0] == '\0')
        return;
    int length = snprintf(path, sizeof path, "%s/%s", world->shipped_root, name);
    if (length < 0 || (size_t)length >= sizeof path || !gw_file_is_folder(path))
        return;
    gw_free(*slot);
    *slot = gw_strdup(path);
}

/* Likewise for a file. */
static void use_shipped_file(char **slot, const struct gw_config_world *world, const char *name)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s", world->shipped_root, name);
    if ((*slot)[0] != '\0' || world->shipped_root[0] == '\0' || length < 0 || (size_t)length >= sizeof path || access(path, R_OK) != 0)
        return;
    gw_free(*slot);
    *slot = gw_strdup(path);
}

int gw_config_load(const char *file, const struct gw_config_world *world, struct gw_config *config, struct gw_error *err)
{
    *config = (struct gw_config){.workers = 0};
    int rc = load_shipped(world, config, err);
    if (rc == 0 && file != NULL)
        rc = load_file(file, world, config, err);
    if (rc != 0) {
        gw_config_fini(config);
        return rc;
    }
    use_shipped_folder(&config->policies_dir, world, "policies");
    use_shipped_folder(&config->canvases_dir, world, "canvases");
    use_shipped_folder(&config->lua_dir, world, "lua");
    use_shipped_file(&config->registry_file, world, "registry.lua");
    return 0;
}

void gw_config_fini(struct gw_config *config)
{
    for (size_t i = 0; i < gw_setting_count(); i++) {
        const struct gw_setting *s = gw_setting_at(i);
        void *slot = (char *)config + s->offset;
        char **text = slot;
        if (s->kind == GW_SETTING_LIST)
            gw_text_list_fini(slot);
        if (s->kind != GW_SETTING_TEXT && s->kind != GW_SETTING_CHOICE)
            continue;
        if (*text != NULL)
            gw_zero_secret(*text, strlen(*text));
        gw_free(*text);
        *text = NULL;
    }
    gw_data_file_destroy(config->source);
    config->source = NULL;
}
