#include <string.h>

#include "app/config.h"
#include "app/config_schema.h"
#include "base/buffer.h"

static size_t section_width(const char *name)
{
    size_t width = strcspn(name, ".");
    return name[width] == '.' ? width : 0;
}

static void write_preset(const struct gw_setting *s, int64_t cpu_count, struct gw_buffer *out)
{
    if (s->variable != NULL)
        gw_buffer_appendf(out, "env(\"%s\", ", s->variable);
    if (s->preset != NULL)
        gw_buffer_append_text(out, s->preset);
    else
        gw_buffer_append_i64(out, cpu_count);
    if (s->variable != NULL)
        gw_buffer_append_char(out, ')');
}

static void write_comment(const struct gw_setting *s, struct gw_buffer *out)
{
    gw_buffer_appendf(out, " -- %s", s->description);
    if (s->kind == GW_SETTING_INTEGER)
        gw_buffer_appendf(out, " (%lld to %lld)", (long long)s->min, (long long)s->max);
    if (s->kind == GW_SETTING_CHOICE)
        gw_buffer_appendf(out, " (%s)", s->choices);
    gw_buffer_append_char(out, '\n');
}

void gw_config_write_shipped(int64_t cpu_count, struct gw_buffer *out)
{
    gw_buffer_append_text(
        out, "-- The configuration of atoms: settings of the process only. What is left out of a file keeps the value shown here.\n"
             "-- env(NAME, default) reads an environment variable as the type of the default.\n"
             "return {\n");
    const char *section = "";
    size_t width = 0;
    for (size_t i = 0; i < gw_setting_count(); i++) {
        const struct gw_setting *s = gw_setting_at(i);
        size_t own = section_width(s->name);
        if (own != width || memcmp(section, s->name, own) != 0) {
            gw_buffer_appendf(out, "%s\n  %.*s = {\n", width ? "  }," : "", (int)own, s->name);
            section = s->name;
            width = own;
        }
        gw_buffer_appendf(out, "%s%s = ", width ? "    " : "  ", s->name + (width ? width + 1 : 0));
        write_preset(s, cpu_count, out);
        gw_buffer_append_char(out, ',');
        write_comment(s, out);
    }
    gw_buffer_append_text(out, width ? "  },\n}\n" : "}\n");
}

static void write_list(const struct gw_text_list *list, bool is_secret, struct gw_buffer *out)
{
    if (is_secret && list->count > 0) {
        gw_buffer_appendf(out, "(%zu set)", list->count);
        return;
    }
    gw_buffer_append_char(out, '{');
    for (size_t i = 0; i < list->count; i++) {
        gw_buffer_append_text(out, i ? ", " : "");
        gw_buffer_append_json_string(out, list->items[i], strlen(list->items[i]));
    }
    gw_buffer_append_char(out, '}');
}

static void write_value(const struct gw_setting *s, const void *slot, struct gw_buffer *out)
{
    char address[GW_ADDRESS_TEXT_MAX];
    const char *text;
    switch (s->kind) {
    case GW_SETTING_TEXT:
    case GW_SETTING_CHOICE:
        text = *(char *const *)slot;
        if (s->is_secret && text[0] != '\0')
            gw_buffer_append_text(out, "(set)");
        else
            gw_buffer_append_json_string(out, text, strlen(text));
        break;
    case GW_SETTING_INTEGER:
        gw_buffer_append_i64(out, *(const int64_t *)slot);
        break;
    case GW_SETTING_ADDRESS:
        gw_address_format(slot, address);
        gw_buffer_append_json_string(out, address, strlen(address));
        break;
    case GW_SETTING_LIST:
        write_list(slot, s->is_secret, out);
        break;
    }
}

void gw_config_write_effective(const struct gw_config *config, struct gw_buffer *out)
{
    for (size_t i = 0; i < gw_setting_count(); i++) {
        const struct gw_setting *s = gw_setting_at(i);
        gw_buffer_appendf(out, "%s = ", s->name);
        write_value(s, (const char *)config + s->offset, out);
        gw_buffer_append_char(out, '\n');
    }
}
