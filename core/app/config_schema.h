/* config_schema.h — every setting as data: name, type, range, default, the variable that the shipped configuration reads, what it is for.
 * The one source for reading, checking, printing and the shipped configuration itself. Constant; any thread. */
#ifndef GW_APP_CONFIG_SCHEMA_H
#define GW_APP_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gw_setting_kind {
    GW_SETTING_TEXT,    /* char * */
    GW_SETTING_CHOICE,  /* char *, one of `choices` */
    GW_SETTING_INTEGER, /* int64_t within min and max */
    GW_SETTING_ADDRESS, /* struct gw_address */
    GW_SETTING_LIST     /* struct gw_text_list; in Lua a list of texts, or one text with commas */
};

/* value */
struct gw_setting {
    const char *name;     /* "workers", "limits.heartbeat_ms": at most one section; those of a section stand together */
    const char *variable; /* NULL: none */
    const char *preset;   /* the default as Lua; NULL: the number of processors */
    const char *choices;  /* CHOICE: "a|b" */
    const char *description;
    size_t offset;    /* in struct gw_config */
    int64_t min, max; /* INTEGER */
    enum gw_setting_kind kind;
    bool is_secret;
};

size_t gw_setting_count(void);
const struct gw_setting *gw_setting_at(size_t index);
/* The setting of that full name, or NULL. */
const struct gw_setting *gw_setting_find(const char *name, size_t length);
bool gw_setting_is_section(const char *name, size_t length);

#endif
