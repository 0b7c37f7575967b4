#include "app/client_options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static const struct gw_client_option *find(const struct gw_client_option *table, const char *name)
{
    for (; table->name != NULL; table++) {
        if (strcmp(table->name, name) == 0) {
            return table;
        }
    }
    return NULL;
}

static bool read_count(const char *text, unsigned long *out)
{
    char *end = NULL;
    errno = 0;
    *out = strtoul(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && text[0] != '-';
}

static bool read_real(const char *text, double *out)
{
    char *end = NULL;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*out) && *out >= 0;
}

static bool add(struct gw_client_list *list, const char *text)
{
    if (list->count == GW_CLIENT_LIST_MAX) {
        return false;
    }
    list->items[list->count++] = text;
    return true;
}

static bool store(const struct gw_client_option *option, const char *text)
{
    switch (option->kind) {
    case GW_OPTION_FLAG:
        *(bool *)option->target = true;
        return true;
    case GW_OPTION_COUNT:
        return read_count(text, option->target);
    case GW_OPTION_REAL:
        return read_real(text, option->target);
    case GW_OPTION_TEXT:
        *(const char **)option->target = text;
        return true;
    case GW_OPTION_LIST:
        return add(option->target, text);
    }
    return false;
}

static int refuse(struct gw_error *err, const char *id, const char *name, const char *what)
{
    int rc = gw_error_set(err, GW_EINVAL, id, "%s: %s", name, what);
    gw_error_prefix(err, name);
    return rc;
}

int gw_client_options_parse(const struct gw_client_option *table, int argc, char **argv, struct gw_client_list *rest, struct gw_error *err)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            return gw_error_set(err, GW_ECLOSED, "help", "help was asked for");
        }
        if (strncmp(argv[i], "--", 2) != 0 && rest != NULL && add(rest, argv[i])) {
            continue;
        }
        const struct gw_client_option *option = find(table, argv[i]);
        if (option == NULL) {
            return refuse(err, "option_unknown", argv[i], "unknown; --help lists what there is");
        }
        bool wants_value = option->kind != GW_OPTION_FLAG;
        if (wants_value && i + 1 == argc) {
            return refuse(err, "option_value", argv[i], "wants a value");
        }
        i += wants_value ? 1 : 0;
        if (!store(option, argv[i])) {
            return refuse(err, "option_value", option->name, "that value cannot be used");
        }
    }
    return GW_OK;
}

void gw_client_options_help(const struct gw_client_option *table)
{
    for (; table->name != NULL; table++) {
        printf("  %-18s %s\n", table->name, table->help);
    }
}
