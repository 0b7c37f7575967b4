#include "hub/plan.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "hub/plan_layer.h"

struct gw_plan *gw_plan_ref(struct gw_plan *plan)
{
    gw_refs_add(&plan->refs);
    return plan;
}

void gw_plan_unref(struct gw_plan *plan)
{
    if (!plan || !gw_refs_drop(&plan->refs))
        return;
    gw_plan_layer_destroy(plan->layer);
    gw_plan_unref(plan->ceiling);
    if (plan->token_globs) {
        for (size_t i = 0; i < plan->token_globs->count; i++)
            gw_free((char *)plan->token_globs->globs[i].text - plan->token_globs->globs[i].is_excluded);
        gw_plan_list_fini(plan->token_globs);
        gw_free(plan->token_globs);
    }
    gw_free(plan);
}

/* ---- one layer's answer, and where in it that stands ---- */

/* value */
struct decision {
    bool is_admitted;
    const char *where;
    int index; /* of the entry; -1: the whole of `where` */
};

static struct decision by_flag(bool flag, const char *where) { return (struct decision){flag, where, -1}; }

static struct decision by_list(const struct gw_plan_list *list, const char *text, const char *where)
{
    struct decision d = {.where = where};
    d.index = gw_plan_list_find(list, text ? text : "", &d.is_admitted);
    return d;
}

static struct decision by_rules(const struct gw_plan_rules *rules, const struct gw_plan *plan, const struct gw_plan_thing *thing,
                                const char *where)
{
    int index = gw_plan_rules_find(rules, plan, thing);
    return (struct decision){index >= 0, where, index};
}

static bool is_sidecar(const struct gw_plan_thing *thing, const char *prop)
{
    for (size_t i = 0; prop && i < gw_json_count(thing->sidecars); i++)
        if (strcmp(gw_json_text(gw_json_at(thing->sidecars, i), NULL), prop) == 0)
            return true;
    return false;
}

static struct decision by_redaction(const struct gw_plan_layer *layer, const struct gw_plan_thing *thing, const char *prop)
{
    if (!layer->vision && is_sidecar(thing, prop))
        return by_flag(false, "/vision");
    int index = gw_plan_redaction_find(layer, thing, prop);
    return (struct decision){index < 0, "/blocks/redact", index};
}

static struct decision decide_write(const struct gw_plan_layer *layer, const struct gw_plan *plan, enum gw_plan_ask ask, const char *name,
                                    const struct gw_plan_thing *thing)
{
    struct decision read = ask == GW_PLAN_WRITE_TOKEN ? by_list(&layer->tokens_read, name, "/tokens/read")
                                                      : by_rules(&layer->blocks_read, plan, thing, "/blocks/read");
    if (!read.is_admitted)
        return read;
    return ask == GW_PLAN_WRITE_TOKEN ? by_list(&layer->tokens_write, name, "/tokens/write")
                                      : by_rules(&layer->blocks_write, plan, thing, "/blocks/write");
}

/* A part of the run that is written as a whole, by whoever reads some of it. */
static struct decision by_part(const struct gw_plan_rules *read, const char *where_read, bool write, const char *where_write)
{
    return read->count > 0 ? by_flag(write, where_write) : by_flag(false, where_read);
}

static struct decision decide(const struct gw_plan_layer *layer, const struct gw_plan *plan, enum gw_plan_ask ask, const char *name,
                              const struct gw_plan_thing *thing)
{
    switch (ask) {
    case GW_PLAN_READ_TOKEN:
        return by_list(&layer->tokens_read, name, "/tokens/read");
    case GW_PLAN_WRITE_TOKEN:
    case GW_PLAN_WRITE_BLOCK:
        return decide_write(layer, plan, ask, name, thing);
    case GW_PLAN_READ_BLOCK:
        return by_rules(&layer->blocks_read, plan, thing, "/blocks/read");
    case GW_PLAN_SHOW_PROP:
        return by_redaction(layer, thing, name ? name : "");
    case GW_PLAN_SHOW_TEXT:
        return by_redaction(layer, thing, NULL);
    case GW_PLAN_READ_NODE:
        return by_rules(&layer->graph_read, plan, thing, "/graph/read");
    case GW_PLAN_WRITE_GRAPH:
        return by_part(&layer->graph_read, "/graph/read", layer->graph_write, "/graph/write");
    case GW_PLAN_READ_MESSAGE:
        return by_rules(&layer->chat_read, plan, thing, "/chat/read");
    case GW_PLAN_READ_CHAT:
        return by_flag(layer->chat_read.count > 0, "/chat/read");
    case GW_PLAN_WRITE_CHAT:
        return by_part(&layer->chat_read, "/chat/read", layer->chat_write, "/chat/write");
    case GW_PLAN_READ_LOGS:
        return by_flag(layer->logs_read, "/logs/read");
    case GW_PLAN_WRITE_LOGS:
        return by_flag(layer->logs_write, "/logs/write");
    case GW_PLAN_EVENT:
        return by_list(&layer->events, name, "/events");
    case GW_PLAN_COMMAND:
        return by_list(&layer->commands, name, "/commands");
    case GW_PLAN_HISTORY:
        return by_flag(layer->history, "/history");
    case GW_PLAN_VISION:
        return by_flag(layer->vision, "/vision");
    case GW_PLAN_PRESENCE:
        return by_flag(layer->presence, "/presence");
    }
    return by_flag(false, "");
}

/* ---- all layers ---- */

static bool is_about_tokens(enum gw_plan_ask ask) { return ask == GW_PLAN_READ_TOKEN || ask == GW_PLAN_WRITE_TOKEN; }

static bool admits(const struct gw_plan *plan, enum gw_plan_ask ask, const char *name, const struct gw_plan_thing *thing)
{
    if (!plan->layer || !decide(plan->layer, plan, ask, name, thing).is_admitted)
        return false;
    if (plan->ceiling && !(plan->ceiling->layer && decide(plan->ceiling->layer, plan, ask, name, thing).is_admitted))
        return false;
    return !is_about_tokens(ask) || !plan->token_globs || gw_plan_list_admits(plan->token_globs, name);
}

static void tell(struct gw_plan_reason *out, const char *layer, const struct decision *d)
{
    out->layer = layer;
    out->is_admitted = d->is_admitted;
    if (d->index >= 0)
        snprintf(out->pointer, sizeof out->pointer, "%s/%d", d->where, d->index);
    else
        snprintf(out->pointer, sizeof out->pointer, "%s", d->where);
}

void gw_plan_explain(const struct gw_plan *plan, enum gw_plan_ask ask, const char *name, const struct gw_plan_thing *thing,
                     struct gw_plan_reason *out)
{
    static const struct gw_plan_thing nothing = {0};
    const struct gw_plan_layer *ceiling = plan->ceiling ? plan->ceiling->layer : NULL;
    thing = thing ? thing : &nothing;
    *out = (struct gw_plan_reason){.is_admitted = plan->sees_all && plan->writes_all, .layer = "plan"};
    if (!plan->layer)
        return;
    struct decision d = decide(plan->layer, plan, ask, name, thing);
    tell(out, "plan", &d);
    if (!d.is_admitted)
        return;
    if (ceiling && !(d = decide(ceiling, plan, ask, name, thing)).is_admitted) {
        tell(out, "ceiling", &d);
    } else if (is_about_tokens(ask) && plan->token_globs) {
        d = by_list(plan->token_globs, name, "/tokens");
        if (!d.is_admitted)
            tell(out, "bearer", &d);
    }
}

/* ---- queries ---- */

bool gw_plan_admits_event(const struct gw_plan *plan, const char *type)
{
    return plan->sees_all || admits(plan, GW_PLAN_EVENT, type, NULL);
}

bool gw_plan_reads_token(const struct gw_plan *plan, const char *key)
{
    return plan->sees_all || admits(plan, GW_PLAN_READ_TOKEN, key, NULL);
}

bool gw_plan_reads_block(const struct gw_plan *plan, const struct gw_plan_thing *block)
{
    return plan->sees_all || admits(plan, GW_PLAN_READ_BLOCK, NULL, block);
}

bool gw_plan_shows_prop(const struct gw_plan *plan, const struct gw_plan_thing *block, const char *name)
{
    return plan->sees_all || admits(plan, GW_PLAN_SHOW_PROP, name, block);
}

bool gw_plan_shows_text(const struct gw_plan *plan, const struct gw_plan_thing *block)
{
    return plan->sees_all || admits(plan, GW_PLAN_SHOW_TEXT, NULL, block);
}

bool gw_plan_reads_node(const struct gw_plan *plan, const struct gw_plan_thing *node)
{
    return plan->sees_all || admits(plan, GW_PLAN_READ_NODE, NULL, node);
}

bool gw_plan_reads_message(const struct gw_plan *plan, const struct gw_plan_thing *message)
{
    return plan->sees_all || admits(plan, GW_PLAN_READ_MESSAGE, NULL, message);
}

bool gw_plan_reads_logs(const struct gw_plan *plan) { return plan->sees_all || admits(plan, GW_PLAN_READ_LOGS, NULL, NULL); }

bool gw_plan_admits_command(const struct gw_plan *plan, const char *type)
{
    return plan->writes_all || admits(plan, GW_PLAN_COMMAND, type, NULL);
}

bool gw_plan_writes_token(const struct gw_plan *plan, const char *key)
{
    return plan->writes_all || admits(plan, GW_PLAN_WRITE_TOKEN, key, NULL);
}

bool gw_plan_writes_block(const struct gw_plan *plan, const struct gw_plan_thing *block)
{
    return plan->writes_all || admits(plan, GW_PLAN_WRITE_BLOCK, NULL, block);
}

bool gw_plan_writes_graph(const struct gw_plan *plan) { return plan->writes_all || admits(plan, GW_PLAN_WRITE_GRAPH, NULL, NULL); }
bool gw_plan_writes_chat(const struct gw_plan *plan) { return plan->writes_all || admits(plan, GW_PLAN_WRITE_CHAT, NULL, NULL); }
bool gw_plan_writes_logs(const struct gw_plan *plan) { return plan->writes_all || admits(plan, GW_PLAN_WRITE_LOGS, NULL, NULL); }

/* ---- questions about many things at once ---- */

static bool any_rule(const struct gw_plan_rules *rules, const char *kind, const char *canvas_type)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct gw_plan_rule *rule = &rules->rules[i];
        if ((!rule->has_kinds || gw_plan_list_admits(&rule->kinds, kind)) &&
            (!rule->has_canvases || gw_plan_list_admits(&rule->canvases, canvas_type)))
            return true;
    }
    return false;
}

static bool layer_has_kind(const struct gw_plan_layer *layer, const char *kind, const char *canvas_type, bool is_written)
{
    return layer && any_rule(&layer->blocks_read, kind, canvas_type) && (!is_written || any_rule(&layer->blocks_write, kind, canvas_type));
}

static bool has_kind(const struct gw_plan *plan, const char *kind, const char *canvas_type, bool is_written)
{
    return layer_has_kind(plan->layer, kind, canvas_type, is_written) &&
           (!plan->ceiling || layer_has_kind(plan->ceiling->layer, kind, canvas_type, is_written));
}

bool gw_plan_reads_kind(const struct gw_plan *plan, const char *kind, const char *canvas_type)
{
    return plan->sees_all || has_kind(plan, kind, canvas_type, false);
}

bool gw_plan_writes_kind(const struct gw_plan *plan, const char *kind, const char *canvas_type)
{
    return plan->writes_all || has_kind(plan, kind, canvas_type, true);
}

static bool layer_reads_canvas(const struct gw_plan_layer *layer)
{
    return layer && layer->blocks_read.admits_all && layer->vision && layer->redaction_count == 0 && !layer->transform;
}

bool gw_plan_reads_whole_canvas(const struct gw_plan *plan)
{
    return plan->sees_all || (layer_reads_canvas(plan->layer) && (!plan->ceiling || layer_reads_canvas(plan->ceiling->layer)));
}

bool gw_plan_reads_all_tokens(const struct gw_plan *plan)
{
    bool is_under = !plan->ceiling || (plan->ceiling->layer && plan->ceiling->layer->tokens_read.admits_all);
    bool is_borne = !plan->token_globs || plan->token_globs->admits_all;
    return plan->sees_all || (is_under && is_borne && plan->layer && plan->layer->tokens_read.admits_all && !plan->transform);
}

bool gw_plan_reads_all_messages(const struct gw_plan *plan)
{
    bool is_under = !plan->ceiling || (plan->ceiling->layer && plan->ceiling->layer->chat_read.admits_all);
    return plan->sees_all || (is_under && plan->layer && plan->layer->chat_read.admits_all);
}

bool gw_plan_reads_graph(const struct gw_plan *plan)
{
    bool is_under = !plan->ceiling || (plan->ceiling->layer && plan->ceiling->layer->graph_read.count > 0);
    return plan->sees_all || (is_under && plan->layer && plan->layer->graph_read.count > 0);
}

bool gw_plan_reads_chat(const struct gw_plan *plan)
{
    bool is_under = !plan->ceiling || (plan->ceiling->layer && plan->ceiling->layer->chat_read.count > 0);
    return plan->sees_all || (is_under && plan->layer && plan->layer->chat_read.count > 0);
}

const struct gw_json *gw_plan_source(const struct gw_plan *plan) { return plan->layer ? plan->layer->source : NULL; }
