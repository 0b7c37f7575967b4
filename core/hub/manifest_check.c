#include "hub/manifest_check.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "hub/pointer.h"
#include "hub/value_type.h"

#define TITLE_MAX   200
#define VERSION_MAX 64

typedef int (*check_fn)(const struct gw_json *value, const struct gw_json *document, struct gw_error *err);

/* value: one row of an object's schema */
struct rule {
    const char *name;
    bool is_required;
    check_fn check;
};

static int refuse(struct gw_error *err, const char *id, const char *why) { return gw_error_set(err, GW_EINVAL, id, "%s", why); }

static int refuse_name(struct gw_error *err, const char *id, const struct gw_json *name, const char *why)
{
    return gw_error_set(err, GW_EINVAL, id, "%.64s %s", gw_json_is_string(name) ? gw_json_text(name, NULL) : "this", why);
}

static int at_key(int status, const char *key, struct gw_error *err)
{
    if (status)
        gw_pointer_prefix(err, key);
    return status;
}

static bool is_id(const char *text) { return gw_id_is_valid(text, strlen(text)); }

static bool is_list(const struct gw_json *value)
{
    return gw_json_is_array(value) || (gw_json_is_object(value) && gw_json_count(value) == 0);
}

static const struct rule *find_rule(const struct rule *rules, const char *name)
{
    while (rules->name && strcmp(rules->name, name) != 0)
        rules++;
    return rules->name ? rules : NULL;
}

/* Every member has a rule, every required rule a member, and each member passes. */
static int check_object(const struct gw_json *value, const struct rule *rules, const struct gw_json *document, struct gw_error *err)
{
    void *iterator = NULL;
    const char *key;
    struct gw_json *member;
    if (!gw_json_is_object(value))
        return refuse(err, "wrong_type", "must be an object");
    while (gw_json_next(value, &iterator, &key, &member)) /* first: a slip is why another one is missing */
        if (!find_rule(rules, key))
            return at_key(refuse(err, "unknown_member", "is no member of this object"), key, err);
    for (const struct rule *rule = rules; rule->name; rule++)
        if (rule->is_required && !gw_json_get(value, rule->name))
            return at_key(refuse(err, "missing_member", "is required"), rule->name, err);
    iterator = NULL;
    while (gw_json_next(value, &iterator, &key, &member)) {
        int status = find_rule(rules, key)->check(member, document, err);
        if (status)
            return at_key(status, key, err);
    }
    return GW_OK;
}

/* Every key is an id and every member passes. */
static int check_by_id(const struct gw_json *value, const struct gw_json *document, check_fn check, struct gw_error *err)
{
    void *iterator = NULL;
    const char *key;
    struct gw_json *member;
    if (!gw_json_is_object(value))
        return refuse(err, "wrong_type", "must be an object");
    while (gw_json_next(value, &iterator, &key, &member)) {
        int status = is_id(key) ? check(member, document, err) : refuse(err, "bad_id", "must be named by an id");
        if (status)
            return at_key(status, key, err);
    }
    return GW_OK;
}

static int check_list(const struct gw_json *value, const struct gw_json *document, check_fn check, struct gw_error *err)
{
    if (!is_list(value))
        return refuse(err, "wrong_type", "must be a list");
    for (size_t i = 0; i < gw_json_count(value); i++) {
        int status = check(gw_json_at(value, i), document, err);
        if (status) {
            gw_pointer_prefix_index(err, i);
            return status;
        }
    }
    return GW_OK;
}

/* ---- scalars ----------------------------------------------------------------------------------------------------------------------------
 */

static int check_id(const struct gw_json *value, const struct gw_json *document, struct gw_error *err)
{
    (void)document;
    size_t length = 0;
    const char *text = gw_json_is_string(value) ? gw_json_text(value, &length) : "";
    return gw_id_is_valid(text, length) ? GW_OK : refuse(err, "bad_id", "must be an id");
}

static int check_text(const struct gw_json *value, size_t max_count, struct gw_error *err)
{
    if (!gw_json_is_string(value))
        return refuse(err, "wrong_type", "must be a string");
    size_t length;
    const char *text = gw_json_text(value, &length);
    ptrdiff_t count = gw_utf8_count(text, length, NULL);
    return count >= 1 && (size_t)count <= max_count ? GW_OK : refuse(err, "out_of_range", "is empty or too long");
}

static int check_title(const struct gw_json *value, const struct gw_json *document, struct gw_error *err)
{
    (void)document;
    return check_text(value, TITLE_MAX, err);
}

static int check_version(const struct gw_json *value, const struct gw_json *document, struct gw_error *err)
{
    (void)document;
    return check_text(value, VERSION_MAX, err);
}

static int check_api(const struct gw_json *value, const struct gw_json *document, struct gw_error *err)
{
    (void)document;
    return gw_json_is_int(value) && gw_json_int(value) == 1 ? GW_OK : refuse(err, "out_of_range", "the api level is 1");
}

static int check_boolean(const struct gw_json *value, const struct gw_json *document, struct gw_error *err)
{
    (void)document;
    return gw_json_is_bool(value) ? GW_OK : refuse(err, "wrong_type", "must be a boolean");
}

static int check_integer(const struct gw_json *value, const struct gw_json *document, struct gw_error *err)
{
    (void)document;
    return gw_json_is_int(value) ? GW_OK : refuse(err, "wrong_type", "must be an integer");
}

static int check_scalar(const struct gw_json *value, const struct gw_json *document, struct gw_error *err)
{
    (void)document;
    return gw_json_is_object(value) || gw_json_is_array(value) ? refuse(err, "wrong_type", "must be a scalar") : GW_OK;
}

/* ---- tools ------------------------------------------------------------------------------------------------------------------------------
 */

static int check_surface(const struct gw_json *value, const struct gw_json *document, struct gw_error *err)
{
    static const char *const surfaces[] = {"ChatRail", "TopPill", "ToolPop", "TokenPanel", "ContextPanel"};
    (void)document;
    for (size_t i = 0; gw_json_is_string(value) && i < sizeof surfaces / sizeof surfaces[0]; i++)
        if (strcmp(gw_json_text(value, NULL), surfaces[i]) == 0)
            return GW_OK;
    return refuse(err, "unknown_surface", "must be ChatRail, TopPill, ToolPop, TokenPanel or ContextPanel");
}

static int check_tool_command(const struct gw_json *value, const struct gw_json *document, struct gw_error *err)
{
    static const char *const built_in[] = {"run.start",      "canvas.mount",  "token.set",    "block.insert",  "block.update",
                                           "block.move",     "block.remove",  "block.splice", "canvas.commit", "graph.node.set",
                                           "graph.edge.set", "run.set_state", "chat.cancel",  "chat_send"};
    const char *type = gw_json_is_string(value) ? gw_json_text(value, NULL) : "";
    const struct gw_json *commands = gw_json_get(document, "commands");
    for (size_t i = 0; i < sizeof built_in / sizeof built_in[0]; i++)
        if (strcmp(type, built_in[i]) == 0)
            return GW_OK;
    bool is_declared = gw_json_is_object(commands) && gw_json_get(commands, type);
    return is_declared ? GW_OK : refuse_name(err, "bad_command", value, "is neither a built-in command nor one of this manifest");
}

static int check_tool(const struct gw_json *value, const struct gw_json *document, struct gw_error *err)
{
    static const struct rule rules[] = {{"name", true, check_id},
                                        {"title", true, check_title},
                                        {"surface", true, check_surface},
                                        {"command", false, check_tool_command},
                                        {NULL, false, NULL}};
    return check_object(value, rules, document, err);
}

static int check_tools(const struct gw_json *value, const struct gw_json *document, struct gw_error *err)
{
    return check_list(value, document, check_tool, err);
}

/* ---- Tokens, kinds, commands
 * ------------------------------------------------------------------------------------------------------------- */

static int check_token(const struct gw_json *value, const struct gw_json *document, struct gw_error *err)
{
    (void)document;
    return gw_value_type_check(value, false, err);
}

static int check_property(const struct gw_json *value, const struct gw_json *document, struct gw_error *err)
{
    (void)document;
    return gw_value_type_check(value, true, err);
}

static int check_tokens(const struct gw_json *value, const struct gw_json *document, struct gw_error *err)
{
    return check_by_id(value, document, check_token, err);
}

static int check_properties(const struct gw_json *value, const struct gw_json *document, struct gw_error *err)
{
    return check_by_id(value, document, check_property, err);
}

static int check_child(const struct gw_json *value, const struct gw_json *document, struct gw_error *err)
{
    const struct gw_json *kinds = gw_json_get(document, "kinds");
    bool is_known = gw_json_is_string(value) && gw_json_is_object(kinds) && gw_json_get(kinds, gw_json_text(value, NULL));
    return is_known ? GW_OK : refuse_name(err, "unknown_kind", value, "is no kind of this manifest");
}

static int check_children(const struct gw_json *value, const struct gw_json *document, struct gw_error *err)
{
    return check_list(value, document, check_child, err);
}

static int check_kind(const struct gw_json *value, const struct gw_json *document, struct gw_error *err)
{
    static const struct rule rules[] = {
        {"text", true, check_boolean}, {"props", false, check_properties}, {"children", false, check_children}, {NULL, false, NULL}};
    return check_object(value, rules, document, err);
}

static int check_kinds(const struct gw_json *value, const struct gw_json *document, struct gw_error *err)
{
    return check_by_id(value, document, check_kind, err);
}

static int check_command(const struct gw_json *value, const struct gw_json *document, struct gw_error *err)
{
    static const struct rule rules[] = {{"title", false, check_title}, {"args", false, check_properties}, {NULL, false, NULL}};
    return check_object(value, rules, document, err);
}

/* A canvas's commands carry its name, so that two canvases never mean different things by one type. */
static int check_command_names(const struct gw_json *value, const struct gw_json *document, struct gw_error *err)
{
    const struct gw_json *name = gw_json_get(document, "name");
    const char *prefix = gw_json_is_string(name) ? gw_json_text(name, NULL) : "";
    size_t length = strlen(prefix);
    void *iterator = NULL;
    const char *key;
    struct gw_json *member;
    while (gw_json_next(value, &iterator, &key, &member))
        if (strncmp(key, prefix, length) != 0 || key[length] != '.')
            return at_key(refuse(err, "bad_command", "must start with the manifest's name and a dot"), key, err);
    return GW_OK;
}

static int check_commands(const struct gw_json *value, const struct gw_json *document, struct gw_error *err)
{
    int status = check_by_id(value, document, check_command, err);
    return status ? status : check_command_names(value, document, err);
}

/* ---- the CanvasLens rule
 * ------------------------------------------------------------------------------------------------------------------- */

static int check_condition(const struct gw_json *value, const struct gw_json *document, struct gw_error *err)
{
    static const struct rule rules[] = {
        {"state", false, check_id}, {"token", false, check_id}, {"equals", false, check_scalar}, {NULL, false, NULL}};
    int status = check_object(value, rules, document, err);
    if (status)
        return status;
    bool has_state = gw_json_get(value, "state"), has_token = gw_json_get(value, "token"), has_equals = gw_json_get(value, "equals");
    if (has_state == has_token || has_token != has_equals)
        return refuse(err, "missing_member", "must hold either state, or token and equals");
    return GW_OK;
}

static int check_when(const struct gw_json *value, const struct gw_json *document, struct gw_error *err)
{
    return check_list(value, document, check_condition, err);
}

static int check_lens(const struct gw_json *value, const struct gw_json *document, struct gw_error *err)
{
    static const struct rule rules[] = {{"when", true, check_when}, {"priority", false, check_integer}, {NULL, false, NULL}};
    return check_object(value, rules, document, err);
}

int gw_manifest_check(const struct gw_json *document, struct gw_error *err)
{
    static const struct rule rules[] = {{"name", true, check_id},
                                        {"version", true, check_version},
                                        {"api", true, check_api},
                                        {"title", true, check_title},
                                        {"harness", true, check_id},
                                        {"tools", false, check_tools},
                                        {"tokens", false, check_tokens},
                                        {"kinds", true, check_kinds},
                                        {"commands", false, check_commands},
                                        {"lens", false, check_lens},
                                        {NULL, false, NULL}};
    return check_object(document, rules, document, err);
}
