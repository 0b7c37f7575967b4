#include "app/config_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/config.h"
#include "app/config_list.h"
#include "app/config_schema.h"
#include "app/suggest.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "script/data_file.h"

#define NAME_MAX_BYTES 80

struct layer {
    const struct gw_data_file *file;
    struct gw_config *config;
    struct gw_error *err;
};

/* Puts file:line of "section.name" into the error that was just set. */
static int place(const struct layer *layer, const char *name)
{
    char pointer[NAME_MAX_BYTES + 2];
    snprintf(pointer, sizeof pointer, "/%s", name);
    for (char *p = pointer; *p != '\0'; p++)
        if (*p == '.')
            *p = '/';
    gw_data_file_where(layer->file, pointer, layer->err->path, sizeof layer->err->path);
    return layer->err->code;
}

#define REFUSE(layer, name, id, ...) (gw_error_set((layer)->err, GW_EINVAL, id, __VA_ARGS__), place(layer, name))

static const char *type_name(const struct gw_json *value)
{
    switch (gw_json_type(value)) {
    case GW_JSON_BOOL:
        return "a boolean";
    case GW_JSON_INT:
        return "a whole number";
    case GW_JSON_REAL:
        return "a fraction";
    case GW_JSON_STRING:
        return "text";
    default:
        return "a table";
    }
}

static int refuse_type(const struct layer *layer, const struct gw_setting *s, const char *wanted, const struct gw_json *value)
{
    const char *hint = "";
    if (s->kind == GW_SETTING_INTEGER && gw_json_is_string(value))
        hint = "; write it without quotes, or env(\"NAME\", 1) to read a number from the environment";
    return REFUSE(layer, s->name, "config_type", "%s must be %s, not %s%s", s->name, wanted, type_name(value), hint);
}

/* Printable and without NUL: it ends up in paths, headers and logs. */
static bool is_plain(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return true;
}

static void replace_text(char **slot, const char *text, size_t length)
{
    char *copy = gw_alloc(length + 1);
    memcpy(copy, text, length);
    gw_free(*slot);
    *slot = copy;
}

static int read_text(const struct layer *layer, const struct gw_setting *s, const struct gw_json *value, char **slot)
{
    if (!gw_json_is_string(value))
        return refuse_type(layer, s, "text", value);
    size_t length;
    const char *text = gw_json_text(value, &length);
    if (!is_plain(text, length))
        return REFUSE(layer, s->name, "config_value", "%s holds a control character", s->name);
    replace_text(slot, text, length);
    return 0;
}

static bool is_choice(const char *choices, const char *text)
{
    size_t length = strlen(text);
    for (const char *p = choices; *p != '\0';) {
        size_t width = strcspn(p, "|");
        if (width == length && memcmp(p, text, length) == 0)
            return true;
        p += width + (p[width] == '|');
    }
    return false;
}

static int read_choice(const struct layer *layer, const struct gw_setting *s, const struct gw_json *value, char **slot)
{
    int rc = read_text(layer, s, value, slot);
    if (rc == 0 && !is_choice(s->choices, *slot))
        rc = REFUSE(layer, s->name, "config_value", "%s cannot be \"%.40s\"; it is one of %s", s->name, *slot, s->choices);
    return rc;
}

static int read_integer(const struct layer *layer, const struct gw_setting *s, const struct gw_json *value, int64_t *slot)
{
    if (!gw_json_is_int(value))
        return refuse_type(layer, s, "a whole number", value);
    int64_t number = gw_json_int(value);
    if (number < s->min || number > s->max)
        return REFUSE(layer, s->name, "config_value", "%s cannot be %" PRId64 "; it lies within %" PRId64 " and %" PRId64, s->name, number,
                      s->min, s->max);
    *slot = number;
    return 0;
}

static int read_address(const struct layer *layer, const struct gw_setting *s, const struct gw_json *value, struct gw_address *slot)
{
    if (!gw_json_is_string(value))
        return refuse_type(layer, s, "text like \"127.0.0.1:8080\"", value);
    struct gw_error inner;
    if (gw_address_parse(gw_json_text(value, &(size_t){0}), slot, &inner) != 0)
        return REFUSE(layer, s->name, "config_value", "%s: %s; write \"127.0.0.1:8080\" or \"[::1]:8080\"", s->name, inner.message);
    return 0;
}

static int read_list_items(const struct layer *layer, const struct gw_setting *s, const struct gw_json *array, struct gw_text_list *list)
{
    for (size_t i = 0; i < gw_json_count(array); i++) {
        const struct gw_json *item = gw_json_at(array, i);
        if (!gw_json_is_string(item))
            return refuse_type(layer, s, "a list of texts", item);
        size_t length;
        const char *text = gw_json_text(item, &length);
        if (length == 0 || !is_plain(text, length))
            return REFUSE(layer, s->name, "config_value", "%s[%zu] is empty or holds a control character", s->name, i + 1);
        gw_text_list_add(list, text, length);
    }
    return 0;
}

static int read_list(const struct layer *layer, const struct gw_setting *s, const struct gw_json *value, struct gw_text_list *slot)
{
    struct gw_text_list list = {NULL, 0};
    int rc = 0;
    bool is_empty_table = gw_json_is_object(value) && gw_json_count(value) == 0;
    size_t length = 0;
    const char *text = gw_json_is_string(value) ? gw_json_text(value, &length) : NULL;
    if (text != NULL && !is_plain(text, length))
        rc = REFUSE(layer, s->name, "config_value", "%s holds a control character", s->name);
    else if (text != NULL)
        gw_text_list_add_split(&list, text, length);
    else if (gw_json_is_array(value))
        rc = read_list_items(layer, s, value, &list);
    else if (!is_empty_table)
        rc = refuse_type(layer, s, "a list of texts, or one text with commas", value);
    if (rc != 0) {
        gw_text_list_fini(&list);
        return rc;
    }
    gw_text_list_fini(slot);
    *slot = list;
    return 0;
}

static int read_setting(const struct layer *layer, const struct gw_setting *s, const struct gw_json *value)
{
    void *slot = (char *)layer->config + s->offset;
    switch (s->kind) {
    case GW_SETTING_TEXT:
        return read_text(layer, s, value, slot);
    case GW_SETTING_CHOICE:
        return read_choice(layer, s, value, slot);
    case GW_SETTING_INTEGER:
        return read_integer(layer, s, value, slot);
    case GW_SETTING_ADDRESS:
        return read_address(layer, s, value, slot);
    case GW_SETTING_LIST:
        return read_list(layer, s, value, slot);
    }
    return 0;
}

/* What people look for here and find in the registry. */
static bool is_tenant_word(const char *name)
{
    static const char *const words[] = {"tenant", "tenants",  "tenant_id", "role",     "roles",    "quota",       "quotas", "retention",
                                        "lens",   "lenses",   "tokens",    "actors",   "users",    "rate_limits", "plans",  "budgets",
                                        "sinks",  "webhooks", "nexus",     "projects", "surfaces", "apps"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i], name) == 0)
            return true;
    return false;
}

/* The known setting or section that comes closest to `name`: as written, or by its last part alone ("max_connections" without "limits.").
 */
static const char *closest(const char *name)
{
    const char *best = NULL;
    size_t length = strlen(name), best_distance = gw_suggest_limit(length) + 1;
    for (size_t i = 0; i < gw_setting_count(); i++) {
        const char *known = gw_setting_at(i)->name;
        const char *dot = strchr(known, '.');
        size_t whole = gw_suggest_distance(name, length, known, strlen(known));
        size_t last = dot ? gw_suggest_distance(name, length, dot + 1, strlen(dot + 1)) : whole;
        size_t distance = whole < last ? whole : last;
        if (distance < best_distance) {
            best_distance = distance;
            best = known;
        }
    }
    return best;
}

/* "limit" for "limits", "loging" for "log": the section that comes closest. */
static const struct gw_setting *closest_section(const char *name)
{
    for (size_t i = 0; i < gw_setting_count(); i++) {
        const struct gw_setting *s = gw_setting_at(i);
        size_t width = strcspn(s->name, ".");
        if (s->name[width] == '.' && gw_suggest_distance(name, strlen(name), s->name, width) <= gw_suggest_limit(width))
            return s;
    }
    return NULL;
}

static int refuse_unknown(const struct layer *layer, const char *section, const char *name)
{
    char full[NAME_MAX_BYTES];
    snprintf(full, sizeof full, "%s%s%s", section, section[0] ? "." : "", name);
    if (is_tenant_word(name))
        return REFUSE(layer, full, "config_unknown", "\"%s\" is no setting of the process: what belongs to a tenant lives in the registry",
                      full);
    const char *near = closest(full);
    if (near == NULL && section[0] != '\0')
        near = closest(name);
    const struct gw_setting *near_section = section[0] == '\0' ? closest_section(name) : NULL;
    if (near != NULL)
        return REFUSE(layer, full, "config_unknown", "unknown setting \"%s\"; did you mean %s?", full, near);
    if (near_section != NULL)
        return REFUSE(layer, full, "config_unknown", "unknown section \"%s\"; did you mean %.*s?", full,
                      (int)strcspn(near_section->name, "."), near_section->name);
    return REFUSE(layer, full, "config_unknown", "unknown setting \"%s\"; `atoms check-config --shipped` lists all", full);
}

static int read_section(const struct layer *layer, const char *section, const struct gw_json *object)
{
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    while (gw_json_next(object, &iterator, &name, &value)) {
        char full[NAME_MAX_BYTES];
        int length = snprintf(full, sizeof full, "%s%s%s", section, section[0] ? "." : "", name);
        bool fits = length > 0 && (size_t)length < sizeof full;
        /* A dot inside a key would reach into a section from outside. */
        const struct gw_setting *s = fits && strchr(name, '.') == NULL ? gw_setting_find(full, (size_t)length) : NULL;
        int rc;
        if (s != NULL)
            rc = read_setting(layer, s, value);
        else if (section[0] != '\0' || !gw_setting_is_section(name, strlen(name)))
            rc = refuse_unknown(layer, section, name);
        else if (!gw_json_is_object(value))
            rc = REFUSE(layer, name, "config_type", "%s must be a table of settings, not %s", name, type_name(value));
        else
            rc = read_section(layer, name, value);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int gw_config_read_layer(const struct gw_data_file *file, struct gw_config *config, struct gw_error *err)
{
    struct layer layer = {file, config, err};
    const struct gw_json *root = gw_data_file_value(file);
    if (!gw_json_is_object(root))
        return REFUSE(&layer, "", "config_type", "the configuration must be a table of named settings");
    return read_section(&layer, "", root);
}
