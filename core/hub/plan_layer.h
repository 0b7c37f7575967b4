/* plan_layer.h — the inside of a plan, for plan*.c, and for whoever reads lists of globs elsewhere: one layer, its lists and rules. Texts are borrowed from the layer's own source tree. */
#ifndef GW_HUB_PLAN_LAYER_H
#define GW_HUB_PLAN_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/plan.h"

struct gw_error;
struct gw_json;

enum gw_glob_shape { GW_GLOB_ANY, GW_GLOB_EXACT, GW_GLOB_PREFIX, GW_GLOB_FREE };

/* value */
struct gw_glob {
    const char *text;
    uint32_t length; /* of what is compared: without the star of a prefix */
    enum gw_glob_shape shape;
    bool is_excluded;
};

/* value: globs in order, the last that matches decides; none admits nothing */
struct gw_plan_list {
    struct gw_glob *globs;
    size_t count;
    bool admits_all;
};

enum {
    GW_AUTHOR_USER = 1,
    GW_AUTHOR_AGENT = 2,
    GW_AUTHOR_SERVICE = 4,
    GW_AUTHOR_SELF = 8,
    GW_AUTHOR_ANY = 16 /* the rule does not ask */
};

/* value: admits what fits each of its members */
struct gw_plan_rule {
    bool has_kinds, has_vis, has_canvases;
    struct gw_plan_list kinds, vis, canvases;
    unsigned authors; /* GW_AUTHOR_… */
};

/* value: admits what any rule admits */
struct gw_plan_rules {
    struct gw_plan_rule *rules;
    size_t count;
    bool admits_all;
};

/* value */
struct gw_plan_redaction {
    bool has_kinds, has_canvases;
    struct gw_plan_list kinds, canvases, props;
    bool hides_text;
};

struct gw_plan_layer {
    struct gw_json *source; /* owned: every member present */
    bool history, vision, presence;
    bool graph_write, chat_write, logs_read, logs_write;
    bool says_self;
    struct gw_plan_list tokens_read, tokens_write, events, commands;
    struct gw_plan_rules blocks_read, blocks_write, graph_read, chat_read;
    struct gw_plan_redaction *redactions;
    size_t redaction_count;
    const char *transform; /* or NULL */
};

/* Checks the shape and answers a new tree with every member present. plan_bad_shape, out_of_memory. (plan_shape.c) */
int gw_plan_shape(const struct gw_json *source, struct gw_json **out, struct gw_error *err);

/* `source` is a checked tree, taken also on failure. NULL when memory is gone. */
struct gw_plan_layer *gw_plan_layer_create(struct gw_json *source);
void gw_plan_layer_destroy(struct gw_plan_layer *layer);
/* Is it a list of globs as a plan may have one, with one at least? For lists that are no plan's. (plan_shape.c) */
bool gw_plan_is_list(const struct gw_json *value);
/* A list of texts that outlive it. GW_ENOMEM: it needs no fini. */
int gw_plan_list_init(struct gw_plan_list *list, const char *const *texts, size_t count);
void gw_plan_list_fini(struct gw_plan_list *list);

/* Index of the entry that decides about `text`, -1 when none matches; *admits gets the decision. */
int gw_plan_list_find(const struct gw_plan_list *list, const char *text, bool *admits);
bool gw_plan_list_admits(const struct gw_plan_list *list, const char *text);
/* Index of the first rule that admits it, -1 when none does. */
int gw_plan_rules_find(const struct gw_plan_rules *rules, const struct gw_plan *plan, const struct gw_plan_thing *thing);
/* Index of the redaction that hides the property (NULL = the text), -1 when none does. */
int gw_plan_redaction_find(const struct gw_plan_layer *layer, const struct gw_plan_thing *thing, const char *prop);

#endif
