#include "hub/graph_schema.h"

#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "hub/pointer.h"

static int refuse(struct gw_error *err, const char *id, const char *why) { return gw_error_set(err, GW_EINVAL, id, "%s", why); }

static int read_id(struct gw_json *value, struct gw_json **out, struct gw_error *err)
{
    size_t length = 0;
    const char *text = gw_json_is_string(value) ? gw_json_text(value, &length) : "";
    if (!gw_id_is_valid(text, length))
        return refuse(err, "bad_id", "must be an id: a letter, digit, _ or -, then up to 63 of those or dots");
    *out = gw_json_ref(value);
    return GW_OK;
}

int gw_graph_text_check(const struct gw_json *value, int max, struct gw_error *err)
{
    if (!gw_json_is_string(value))
        return refuse(err, "bad_shape", "must be text");
    size_t length;
    const char *text = gw_json_text(value, &length);
    if (gw_utf8_count(text, length, NULL) <= max)
        return GW_OK;
    return gw_error_set(err, GW_EINVAL, "too_long", "may hold %d code points", max);
}

static int read_label(struct gw_json *value, struct gw_json **out, struct gw_error *err)
{
    int status = gw_graph_text_check(value, GW_LABEL_MAX, err);
    if (!status)
        *out = gw_json_ref(value);
    return status;
}

static int no_memory(struct gw_error *err) { return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the graph"); }

static int read_time(struct gw_json *value, struct gw_json **out, struct gw_error *err)
{
    int64_t ms;
    char text[25];
    size_t length = 0;
    const char *given = gw_json_is_string(value) ? gw_json_text(value, &length) : "";
    if (gw_clock_parse_rfc3339(given, length, &ms))
        return refuse(err, "bad_time", "must be a time as in 2026-01-27T10:00:00.123Z");
    gw_clock_format_rfc3339(ms, text);
    *out = gw_json_new_text(text, strlen(text));
    return *out ? GW_OK : no_memory(err);
}

/* value: what may not be larger, and how its refusal is called */
struct size_rule {
    size_t max;
    const char *id, *limit_name;
};

static int check_size(const struct gw_json *value, const struct size_rule *rule, struct gw_error *err)
{
    ptrdiff_t length = gw_json_canonical_length(value);
    if (length < 0)
        return no_memory(err);
    if ((size_t)length <= rule->max)
        return GW_OK;
    return gw_error_limit(err, rule->id, rule->limit_name, (int64_t)rule->max, "may hold %zu bytes", rule->max);
}

static int read_props(struct gw_json *value, struct gw_json **out, struct gw_error *err)
{
    if (!gw_json_is_object(value))
        return refuse(err, "bad_shape", "must be an object");
    static const struct size_rule size = {GW_NODE_BYTES_MAX, "limit_node_bytes", "max_node_bytes"};
    int status = check_size(value, &size, err);
    if (!status)
        *out = gw_json_ref(value);
    return status;
}

static const struct node_member {
    const char *name;
    int (*read)(struct gw_json *value, struct gw_json **out, struct gw_error *err);
} node_members[GW_NODE_MEMBERS] = {
    [GW_NODE_KIND] = {"kind", read_id},
    [GW_NODE_LABEL] = {"label", read_label},
    [GW_NODE_STATE] = {"state", read_id},
    [GW_NODE_STARTED_AT] = {"started_at", read_time},
    [GW_NODE_ENDED_AT] = {"ended_at", read_time},
    [GW_NODE_PROPS] = {"props", read_props},
    [GW_NODE_VIS] = {"vis", read_id},
};

const char *gw_node_member_name(enum gw_node_member member) { return node_members[member].name; }

int gw_node_member_read(enum gw_node_member member, struct gw_json *value, struct gw_json **out, struct gw_error *err)
{
    return node_members[member].read(value, out, err);
}

/* ---- flows --------------------------------------------------------------------------------------------------------------------------- */

/* value: one row of an object's schema */
struct rule {
    const char *name;
    bool is_required;
    int (*read)(struct gw_json *value, struct gw_json **out, struct gw_error *err); /* NULL: checked elsewhere */
};

static int at_key(int status, const char *key, struct gw_error *err)
{
    if (status)
        gw_pointer_prefix(err, key);
    return status;
}

static int check_member(const struct rule *rules, const char *key, struct gw_json *value, struct gw_error *err)
{
    struct gw_json *read = NULL;
    while (rules->name && strcmp(rules->name, key) != 0)
        rules++;
    if (!rules->name)
        return refuse(err, "unknown_member", "is no member of this object");
    int status = rules->read ? rules->read(value, &read, err) : GW_OK;
    gw_json_unref(read);
    return status;
}

static int check_object(const struct gw_json *value, const struct rule *rules, struct gw_error *err)
{
    void *iterator = NULL;
    const char *key;
    struct gw_json *member;
    if (!gw_json_is_object(value))
        return refuse(err, "bad_shape", "must be an object");
    for (const struct rule *rule = rules; rule->name; rule++)
        if (rule->is_required && !gw_json_get(value, rule->name))
            return at_key(refuse(err, "missing_member", "is required"), rule->name, err);
    while (gw_json_next(value, &iterator, &key, &member)) {
        int status = check_member(rules, key, member, err);
        if (status)
            return at_key(status, key, err);
    }
    return GW_OK;
}

/* value: a list of objects, each named by one of its members, all names different */
struct list_rule {
    const char *name, *id;
    const struct rule *rules;
    size_t max;
    const char *limit_name;
};

/* *seen: an object whose keys are the names so far. */
static int check_name(const struct gw_json *item, const char *member, struct gw_json *seen, struct gw_error *err)
{
    const char *id = gw_json_text(gw_json_get(item, member), NULL);
    if (gw_json_get(seen, id))
        return at_key(gw_error_set(err, GW_EINVAL, "named_twice", "%s is named twice", id), member, err);
    return gw_json_set(seen, id, gw_json_new_null()) ? no_memory(err) : GW_OK;
}

static int check_items(const struct gw_json *list, const struct list_rule *rule, struct gw_json *seen, struct gw_error *err)
{
    bool is_list = gw_json_is_array(list) || (gw_json_is_object(list) && gw_json_count(list) == 0);
    if (!is_list)
        return refuse(err, "bad_shape", "must be a list");
    if (gw_json_count(list) > rule->max)
        return gw_error_limit(err, "limit_flow", rule->limit_name, (int64_t)rule->max, "may hold %zu items", rule->max);
    for (size_t i = 0; i < gw_json_count(list); i++) {
        const struct gw_json *item = gw_json_at(list, i);
        int status = check_object(item, rule->rules, err);
        if (!status)
            status = check_name(item, rule->id, seen, err);
        if (!status)
            continue;
        gw_pointer_prefix_index(err, i);
        return status;
    }
    return GW_OK;
}

static int check_list(const struct gw_json *document, const struct list_rule *rule, struct gw_json *seen, struct gw_error *err)
{
    const struct gw_json *list = gw_json_get(document, rule->name);
    return list ? at_key(check_items(list, rule, seen, err), rule->name, err) : GW_OK;
}

static int check_ends(const struct gw_json *edges, const struct gw_json *nodes, struct gw_error *err)
{
    static const char *const ends[] = {"from", "to"};
    for (size_t i = 0; i < 2 * gw_json_count(edges); i++) {
        const char *end = ends[i % 2], *id = gw_json_text(gw_json_get(gw_json_at(edges, i / 2), end), NULL);
        if (gw_json_get(nodes, id))
            continue;
        gw_error_set(err, GW_EINVAL, "unknown_node", "no node %s is in this flow", id);
        gw_pointer_prefix(err, end);
        gw_pointer_prefix_index(err, i / 2);
        return at_key(err->code, "edges", err);
    }
    return GW_OK;
}

static const struct rule node_rules[] = {{"id", true, read_id},     {"kind", false, read_id},     {"label", false, read_label},
                                         {"state", false, read_id}, {"props", false, read_props}, {"vis", false, read_id},
                                         {NULL, false, NULL}};
static const struct rule edge_rules[] = {{"id", true, read_id},        {"from", true, read_id},   {"to", true, read_id},
                                         {"label", false, read_label}, {"state", false, read_id}, {NULL, false, NULL}};
static const struct rule canvas_rules[] = {{"canvas_id", true, read_id}, {"canvas_type", true, read_id}, {NULL, false, NULL}};
static const struct rule flow_rules[] = {{"flow_id", true, read_id}, {"title", false, read_label}, {"nodes", false, NULL},
                                         {"edges", false, NULL},     {"canvases", false, NULL},    {NULL, false, NULL}};

static int check_lists(const struct gw_json *document, struct gw_json *const seen[3], struct gw_error *err)
{
    static const struct list_rule lists[] = {{"nodes", "id", node_rules, GW_FLOW_NODES_MAX, "max_flow_nodes"},
                                             {"edges", "id", edge_rules, GW_FLOW_EDGES_MAX, "max_flow_edges"},
                                             {"canvases", "canvas_id", canvas_rules, GW_FLOW_CANVASES_MAX, "max_flow_canvases"}};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        int status = seen[i] ? check_list(document, &lists[i], seen[i], err) : no_memory(err);
        if (status)
            return status;
    }
    return check_ends(gw_json_get(document, "edges"), seen[0], err);
}

int gw_flow_check(const struct gw_json *document, struct gw_error *err)
{
    static const struct size_rule size = {GW_FLOW_BYTES_MAX, "limit_flow", "max_flow_bytes"};
    struct gw_json *seen[3] = {gw_json_new_object(), gw_json_new_object(), gw_json_new_object()};
    int status = check_object(document, flow_rules, err);
    if (!status)
        status = check_lists(document, seen, err);
    if (!status)
        status = check_size(document, &size, err);
    for (size_t i = 0; i < 3; i++)
        gw_json_unref(seen[i]);
    return status;
}
