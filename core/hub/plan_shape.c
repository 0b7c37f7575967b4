#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/plan_compile.h"
#include "hub/plan_layer.h"
#include "hub/pointer.h"

enum shape { FLAG, LIST, WORDS, RULES, REDACTIONS, PART, NAME };

/* value: a member of an object and what it must be */
struct member {
    const char *name;
    enum shape shape;
    const struct member *members; /* of a PART, of each rule of RULES, of each entry of REDACTIONS */
    bool stays_absent;            /* else the result has it, empty */
};

static const struct member block_rule[] = {
    {"kinds", LIST, NULL, true}, {"vis", LIST, NULL, true}, {"authors", WORDS, NULL, true}, {"canvases", LIST, NULL, true}, {0}};
static const struct member node_rule[] = {{"kinds", LIST, NULL, true}, {"vis", LIST, NULL, true}, {"authors", WORDS, NULL, true}, {0}};
static const struct member message_rule[] = {{"vis", LIST, NULL, true}, {"authors", WORDS, NULL, true}, {0}};
static const struct member redaction[] = {
    {"kinds", LIST, NULL, true}, {"canvases", LIST, NULL, true}, {"props", LIST, NULL, false}, {"text", FLAG, NULL, false}, {0}};

static const struct member tokens[] = {{"read", LIST, NULL, false}, {"write", LIST, NULL, false}, {0}};
static const struct member blocks[] = {
    {"read", RULES, block_rule, false}, {"write", RULES, block_rule, false}, {"redact", REDACTIONS, redaction, false}, {0}};
static const struct member graph[] = {{"read", RULES, node_rule, false}, {"write", FLAG, NULL, false}, {0}};
static const struct member chat[] = {{"read", RULES, message_rule, false}, {"write", FLAG, NULL, false}, {0}};
static const struct member logs[] = {{"read", FLAG, NULL, false}, {"write", FLAG, NULL, false}, {0}};

static const struct member plan[] = {{"history", FLAG, NULL, false},  {"vision", FLAG, NULL, false},   {"presence", FLAG, NULL, false},
                                     {"tokens", PART, tokens, false}, {"blocks", PART, blocks, false}, {"graph", PART, graph, false},
                                     {"chat", PART, chat, false},     {"logs", PART, logs, false},     {"events", LIST, NULL, false},
                                     {"commands", LIST, NULL, false}, {"transform", NAME, NULL, true}, {0}};

static int refuse(struct gw_error *err, const char *hint) { return gw_error_set(err, GW_EINVAL, "plan_bad_shape", "%s", hint); }

static int no_memory(struct gw_error *err) { return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a lens plan"); }

/* An empty table of a script is neither a list nor an object yet. */
static bool is_list(const struct gw_json *value)
{
    return gw_json_is_array(value) || (gw_json_is_object(value) && gw_json_count(value) == 0);
}

static bool is_object(const struct gw_json *value)
{
    return gw_json_is_object(value) || (gw_json_is_array(value) && gw_json_count(value) == 0);
}

static int refuse_unknown(const struct member *members, const char *name, struct gw_error *err)
{
    char names[160] = "";
    size_t length = 0;
    for (const struct member *m = members; m->name && length < sizeof names; m++)
        length += (size_t)snprintf(names + length, sizeof names - length, "%s%s", m == members ? "" : ", ", m->name);
    gw_error_set(err, GW_EINVAL, "plan_bad_shape", "there is no such member; there are %s", names);
    gw_pointer_prefix(err, name);
    return GW_EINVAL;
}

static bool is_word(const char *text)
{
    return !strcmp(text, "user") || !strcmp(text, "agent") || !strcmp(text, "service") || !strcmp(text, "self");
}

static int check_text(const struct gw_json *value, enum shape shape, struct gw_error *err)
{
    size_t length = 0;
    const char *text = gw_json_is_string(value) ? gw_json_text(value, &length) : NULL;
    if (!text)
        return refuse(err, "must be a text");
    if (shape == WORDS)
        return is_word(text) ? GW_OK : refuse(err, "must be one of user, agent, service, self");
    return length - (text[0] == '!') <= GW_PLAN_GLOB_MAX ? GW_OK : refuse(err, "a glob has at most 128 bytes");
}

static int shape_list(const struct gw_json *given, enum shape shape, struct gw_json *out, struct gw_error *err)
{
    if (!is_list(given))
        return refuse(err, shape == WORDS ? "must be a list of user, agent, service, self"
                                          : "must be a list of globs, of which the last that matches decides: { \"*\", \"!secret.*\" }");
    if (gw_json_count(given) > GW_PLAN_LIST_MAX)
        return refuse(err, "a list has at most 64 entries");
    for (size_t i = 0; i < gw_json_count(given); i++) {
        struct gw_json *value = gw_json_at(given, i);
        if (check_text(value, shape, err)) {
            gw_pointer_prefix_index(err, i);
            return GW_EINVAL;
        }
        if (gw_json_append(out, gw_json_new_text(gw_json_text(value, NULL), strlen(gw_json_text(value, NULL)))))
            return no_memory(err);
    }
    return GW_OK;
}

static int shape_members(const struct gw_json *given, const struct member *members, struct gw_json *out, struct gw_error *err);

/* `true` for rules is the one rule that asks nothing. */
static int shape_rules(const struct gw_json *given, const struct member *m, struct gw_json *out, struct gw_error *err)
{
    if (m->shape == RULES && gw_json_is_bool(given))
        return gw_json_bool(given) && gw_json_append(out, gw_json_new_object()) ? no_memory(err) : GW_OK;
    if (!is_list(given))
        return refuse(err,
                      m->shape == RULES ? "must be true, false or a list of rules" : "must be a list of { kinds, canvases, props, text }");
    if (gw_json_count(given) > GW_PLAN_RULES_MAX)
        return refuse(err, "there may be 32 entries at most");
    for (size_t i = 0; i < gw_json_count(given); i++) {
        if (gw_json_append(out, gw_json_new_object()))
            return no_memory(err);
        int status = shape_members(gw_json_at(given, i), m->members, gw_json_at(out, i), err);
        if (status)
            gw_pointer_prefix_index(err, i);
        if (status)
            return status;
    }
    return GW_OK;
}

static int shape_flag(const struct gw_json *given, const char *name, struct gw_json *out, struct gw_error *err)
{
    if (given && !gw_json_is_bool(given))
        return refuse(err, "must be true or false");
    return gw_json_set(out, name, gw_json_new_bool(given && gw_json_bool(given))) ? no_memory(err) : GW_OK;
}

static int shape_name(const struct gw_json *given, const char *name, struct gw_json *out, struct gw_error *err)
{
    size_t length = 0;
    const char *text = gw_json_is_string(given) ? gw_json_text(given, &length) : "";
    if (!gw_id_is_valid(text, length))
        return refuse(err, "must be the name of a transform");
    return gw_json_set(out, name, gw_json_new_text(text, length)) ? no_memory(err) : GW_OK;
}

static int shape_member(const struct gw_json *given, const struct member *m, struct gw_json *out, struct gw_error *err)
{
    if (m->shape == FLAG)
        return shape_flag(given, m->name, out, err);
    if (m->shape == NAME)
        return shape_name(given, m->name, out, err);
    if (gw_json_set(out, m->name, m->shape == PART ? gw_json_new_object() : gw_json_new_array()))
        return no_memory(err);
    struct gw_json *made = gw_json_get(out, m->name);
    if (m->shape == PART)
        return shape_members(given, m->members, made, err);
    if (!given)
        return GW_OK;
    bool is_plain = m->shape == LIST || m->shape == WORDS;
    return is_plain ? shape_list(given, m->shape, made, err) : shape_rules(given, m, made, err);
}

static const struct member *find_member(const struct member *members, const char *name)
{
    while (members->name && strcmp(members->name, name) != 0)
        members++;
    return members->name ? members : NULL;
}

static int shape_members(const struct gw_json *given, const struct member *members, struct gw_json *out, struct gw_error *err)
{
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    if (given && !is_object(given))
        return refuse(err, "must be an object");
    while (gw_json_is_object(given) && gw_json_next(given, &iterator, &name, &value))
        if (!find_member(members, name))
            return refuse_unknown(members, name, err);
    for (const struct member *m = members; m->name; m++) {
        value = gw_json_is_object(given) ? gw_json_get(given, m->name) : NULL;
        if (!value && m->stays_absent)
            continue;
        int status = shape_member(value, m, out, err);
        if (status)
            gw_pointer_prefix(err, m->name);
        if (status)
            return status;
    }
    return GW_OK;
}

bool gw_plan_is_list(const struct gw_json *value)
{
    size_t count = gw_json_is_array(value) ? gw_json_count(value) : 0;
    struct gw_error ignored;
    for (size_t i = 0; i < count; i++)
        if (check_text(gw_json_at(value, i), LIST, &ignored))
            return false;
    return count > 0 && count <= GW_PLAN_LIST_MAX;
}

/* As deep as the shape is. */
static size_t count_texts(const struct gw_json *value)
{
    size_t count = gw_json_is_string(value);
    void *iterator = NULL;
    const char *name;
    struct gw_json *member;
    for (size_t i = 0; gw_json_is_array(value) && i < gw_json_count(value); i++)
        count += count_texts(gw_json_at(value, i));
    while (gw_json_is_object(value) && gw_json_next(value, &iterator, &name, &member))
        count += count_texts(member);
    return count;
}

int gw_plan_shape(const struct gw_json *source, struct gw_json **out, struct gw_error *err)
{
    struct gw_json *made = gw_json_new_object();
    int status = made ? GW_OK : no_memory(err);
    if (!status && !source)
        status = refuse(err, "must be an object");
    if (!status)
        status = shape_members(source, plan, made, err);
    if (!status && count_texts(made) > GW_PLAN_TEXTS_MAX)
        status = refuse(err, "must have at most 256 globs in all its lists together");
    if (status)
        gw_json_unref(made);
    else
        *out = made;
    return status;
}
