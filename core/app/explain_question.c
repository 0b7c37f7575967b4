/* What `atoms explain` was asked, in the plan's words. Only of what there is: a lens answers yes to names that nobody will ever send. */
#include <stdio.h>
#include <string.h>

#include "app/explain.h"
#include "app/suggest.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/command.h"
#include "hub/ephemera.h"
#include "hub/event.h"
#include "hub/manifest.h"
#include "hub/value_type.h"

#define LIST_BYTES 150

/* value: the question being made */
struct making {
    const struct gw_explain_ask *ask;
    const struct gw_manifests *manifests;
    struct gw_explain_question *out;
    struct gw_error *err;
};

/* ---- what there is --------------------------------------------------------------------------------------------------------------------- */

/* value: names, for a message */
struct names {
    const char *wanted, *closest;
    size_t distance;
    char list[LIST_BYTES];
    bool is_cut, is_there;
};

static void look_at(struct names *names, const char *name)
{
    size_t used = strlen(names->list), distance = gw_suggest_distance(names->wanted, strlen(names->wanted), name, strlen(name));
    names->is_there |= strcmp(names->wanted, name) == 0;
    if (!names->closest || distance < names->distance) {
        names->closest = name;
        names->distance = distance;
    }
    if (names->is_cut || used + strlen(name) + 8 > sizeof names->list)
        names->is_cut = true;
    else
        snprintf(names->list + used, sizeof names->list - used, "%s%s", used ? ", " : "", name);
}

static void look_at_members(struct names *names, const struct gw_json *object)
{
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    while (gw_json_is_object(object) && gw_json_next(object, &iterator, &name, &value))
        look_at(names, name);
}

static int refuse(const struct making *m, const char *option, const char *id, const char *message)
{
    gw_error_set(m->err, GW_EINVAL, id, "%s", message);
    gw_error_prefix(m->err, option);
    return GW_EINVAL;
}

static int refuse_unknown(const struct making *m, const char *option, const char *id, const struct names *names)
{
    bool is_slip = names->closest && names->distance <= gw_suggest_limit(strlen(names->wanted));
    gw_error_set(m->err, GW_EINVAL, id, "there is no %.40s%s%.40s%s; there are %s%s", names->wanted, is_slip ? "; did you mean " : "",
                 is_slip ? names->closest : "", is_slip ? "?" : "", names->list[0] ? names->list : "none", names->is_cut ? ", …" : "");
    gw_error_prefix(m->err, option);
    return GW_EINVAL;
}

static const struct gw_json *find_member(const struct gw_manifests *manifests, const char *member, const char *name)
{
    const struct gw_json *found = NULL;
    for (size_t i = 0; !found && i < gw_manifests_count(manifests); i++)
        found = gw_json_get(gw_manifest_member(gw_manifests_at(manifests, i), member), name);
    return found;
}

/* ---- events, commands, Tokens ---------------------------------------------------------------------------------------------------------- */

static int ask_event(struct making *m)
{
    struct names names = {.wanted = m->ask->event};
    for (int type = 0; type < GW_EVENT_VOID; type++)
        look_at(&names, gw_event_type_name((enum gw_event_type)type));
    look_at(&names, gw_ephemeral_name(GW_EPHEMERAL_GESTURE));
    look_at(&names, gw_ephemeral_name(GW_EPHEMERAL_PRESENCE));
    if (!names.is_there)
        return refuse_unknown(m, "--event", "unknown_event", &names);
    gw_policy_question_add_event(&m->out->asks, m->ask->event);
    snprintf(m->out->text, sizeof m->out->text, "get events of type %.100s", m->ask->event);
    return GW_OK;
}

static int ask_command(struct making *m)
{
    const struct gw_json *own = find_member(m->manifests, "commands", m->ask->command);
    struct names names = {.wanted = m->ask->command};
    const char *type;
    for (size_t i = 0; (type = gw_command_builtin(i)); i++)
        look_at(&names, type);
    for (size_t i = 0; i < gw_manifests_count(m->manifests); i++)
        look_at_members(&names, gw_manifest_member(gw_manifests_at(m->manifests, i), "commands"));
    if (!names.is_there)
        return refuse_unknown(m, "--command", "unknown_command", &names);
    gw_policy_question_add_command(&m->out->asks, m->ask->command, own && gw_value_type_has_sidecar(gw_json_get(own, "args")));
    if (!gw_command_is_for(m->ask->command, m->ask->kind))
        m->out->refusal = "the graph is written by agents and services";
    snprintf(m->out->text, sizeof m->out->text, "send commands of type %.100s", m->ask->command);
    return GW_OK;
}

/* Own commands of canvases may stand for what their sender may not send itself. */
static void add_own_ways(const struct making *m, const struct gw_manifest *manifest)
{
    const struct gw_json *commands = gw_manifest_member(manifest, "commands");
    void *iterator = NULL;
    const char *type;
    struct gw_json *value;
    while (gw_json_is_object(commands) && gw_json_next(commands, &iterator, &type, &value))
        gw_policy_question_add_way(&m->out->asks, type);
}

static void add_ways(const struct making *m, const char *const *types)
{
    for (m->out->direct_ways = 0; types[m->out->direct_ways]; m->out->direct_ways++)
        gw_policy_question_add_way(&m->out->asks, types[m->out->direct_ways]);
}

static void add_ways_to_token(const struct making *m)
{
    add_ways(m, (const char *const[]){"token.set", NULL});
    for (size_t i = 0; i < gw_manifests_count(m->manifests); i++)
        if (gw_json_get(gw_manifest_member(gw_manifests_at(m->manifests, i), "tokens"), m->ask->token))
            add_own_ways(m, gw_manifests_at(m->manifests, i));
}

static void add_ways_to_block(const struct making *m, const struct gw_manifest *manifest)
{
    static const char *const direct[] = {"block.update", "block.insert", "block.move", "block.remove", "block.splice", NULL};
    static const char *const of_text[] = {"block.splice", "block.insert", NULL};
    add_ways(m, m->ask->is_text ? of_text : direct);
    gw_policy_question_add_way(&m->out->asks, "canvas.restore");
    add_own_ways(m, manifest);
}

static int ask_token(struct making *m)
{
    const struct gw_json *declaration = find_member(m->manifests, "tokens", m->ask->token);
    gw_policy_question_add(&m->out->asks, m->ask->is_write ? GW_PLAN_WRITE_TOKEN : GW_PLAN_READ_TOKEN, m->ask->token);
    if (declaration && gw_value_type_is_sidecar(declaration))
        gw_policy_question_add(&m->out->asks, GW_PLAN_VISION, NULL);
    if (m->ask->is_write)
        add_ways_to_token(m);
    m->out->is_undeclared = !declaration;
    m->out->is_shown = !m->ask->is_write;
    snprintf(m->out->text, sizeof m->out->text, "%s the Token %.200s", m->ask->is_write ? "set" : "see", m->ask->token);
    return GW_OK;
}

/* ---- blocks ---------------------------------------------------------------------------------------------------------------------------- */

/* The canvas that was named, else the only one that has the kind. */
static int find_canvas(const struct making *m, const struct gw_manifest **out)
{
    struct names canvases = {.wanted = m->ask->canvas ? m->ask->canvas : ""}, having = {.wanted = ""}, kinds = {.wanted = m->ask->block};
    size_t count = 0;
    for (size_t i = 0; i < gw_manifests_count(m->manifests); i++) {
        const struct gw_manifest *manifest = gw_manifests_at(m->manifests, i);
        look_at(&canvases, gw_manifest_type(manifest));
        look_at_members(&kinds, gw_manifest_member(manifest, "kinds"));
        if (!gw_json_get(gw_manifest_member(manifest, "kinds"), m->ask->block))
            continue;
        look_at(&having, gw_manifest_type(manifest));
        *out = manifest;
        count++;
    }
    if (m->ask->canvas && !canvases.is_there)
        return refuse_unknown(m, "--canvas", "unknown_canvas", &canvases);
    if (m->ask->canvas)
        *out = gw_manifests_get(m->manifests, m->ask->canvas);
    else if (count == 0)
        return refuse_unknown(m, "--block", "unknown_kind", &kinds);
    else if (count > 1) {
        gw_error_set(m->err, GW_EINVAL, "ambiguous_kind", "say on which canvas: --canvas; of this kind are blocks of %.150s", having.list);
        gw_error_prefix(m->err, "--block");
        return GW_EINVAL;
    }
    return GW_OK;
}

static int find_kind(const struct making *m, const struct gw_manifest *manifest, const struct gw_json **out)
{
    const struct gw_json *kinds = gw_manifest_member(manifest, "kinds"), *text, *props;
    struct names names = {.wanted = m->ask->block}, prop_names = {.wanted = m->ask->prop ? m->ask->prop : ""};
    look_at_members(&names, kinds);
    if (!(*out = gw_json_get(kinds, m->ask->block)))
        return refuse_unknown(m, "--block", "unknown_kind", &names);
    text = gw_json_get(*out, "text");
    props = gw_json_get(*out, "props");
    if (m->ask->is_text && !(gw_json_is_bool(text) && gw_json_bool(text)))
        return refuse(m, "--text", "no_text", "blocks of this kind have no text");
    look_at_members(&prop_names, props);
    return m->ask->prop && !prop_names.is_there ? refuse_unknown(m, "--prop", "unknown_prop", &prop_names) : GW_OK;
}

static void ask_content(const struct making *m, const struct gw_json *kind)
{
    struct gw_policy_question *asks = &m->out->asks;
    const struct gw_json *props = gw_json_get(kind, "props"), *prop = m->ask->prop ? gw_json_get(props, m->ask->prop) : NULL;
    const char *verb = m->ask->is_write ? "change" : "see", *of = m->ask->block;
    gw_policy_question_add(asks, m->ask->is_write ? GW_PLAN_WRITE_BLOCK : GW_PLAN_READ_BLOCK, NULL);
    m->out->is_shown = !m->ask->is_write && (prop || m->ask->is_text);
    asks->is_splice = m->ask->is_text && m->ask->is_write;
    if (prop && gw_value_type_is_sidecar(prop))
        gw_policy_question_add(asks, GW_PLAN_VISION, NULL);
    if (prop)
        gw_policy_question_add(asks, GW_PLAN_SHOW_PROP, m->ask->prop);
    if (m->ask->is_text)
        gw_policy_question_add(asks, GW_PLAN_SHOW_TEXT, NULL);
    if (prop)
        snprintf(m->out->text, sizeof m->out->text, "%s the property %.80s of a block of kind %.80s", verb, m->ask->prop, of);
    else
        snprintf(m->out->text, sizeof m->out->text, "%s %sa block of kind %.80s", verb, m->ask->is_text ? "the text of " : "", of);
}

static int ask_block(struct making *m)
{
    const struct gw_manifest *manifest = NULL;
    const struct gw_json *kind = NULL;
    int status = find_canvas(m, &manifest);
    if (!status)
        status = find_kind(m, manifest, &kind);
    if (status)
        return status;
    m->out->asks.thing.canvas_type = gw_manifest_type(manifest);
    ask_content(m, kind);
    if (m->ask->is_write)
        add_ways_to_block(m, manifest);
    return GW_OK;
}

/* ---- the rest -------------------------------------------------------------------------------------------------------------------------- */

static int ask_node(struct making *m)
{
    gw_policy_question_add(&m->out->asks, m->ask->is_write ? GW_PLAN_WRITE_GRAPH : GW_PLAN_READ_NODE, NULL);
    if (m->ask->is_write) {
        gw_policy_question_add(&m->out->asks, GW_PLAN_READ_NODE, NULL);
        add_ways(m, (const char *const[]){"graph.node.set", NULL});
    }
    if (m->ask->is_write && !gw_command_is_for("graph.node.set", m->ask->kind))
        m->out->refusal = "the graph is written by agents and services";
    snprintf(m->out->text, sizeof m->out->text, "%s a node of kind %.80s", m->ask->is_write ? "change" : "see", m->ask->node);
    return GW_OK;
}

static int ask_message(struct making *m)
{
    gw_policy_question_add(&m->out->asks, m->ask->is_write ? GW_PLAN_WRITE_CHAT : GW_PLAN_READ_MESSAGE, NULL);
    m->out->is_shown = !m->ask->is_write;
    if (m->ask->is_write) {
        gw_policy_question_add(&m->out->asks, GW_PLAN_READ_MESSAGE, NULL);
        add_ways(m, (const char *const[]){"chat_send", NULL});
    }
    snprintf(m->out->text, sizeof m->out->text, "%s a chat message", m->ask->is_write ? "send" : "see");
    return GW_OK;
}

static int ask_flag(struct making *m, enum gw_plan_ask ask, const char *text)
{
    gw_policy_question_add(&m->out->asks, ask, NULL);
    snprintf(m->out->text, sizeof m->out->text, "%s", text);
    return GW_OK;
}

static int ask_what(struct making *m)
{
    const struct gw_explain_ask *a = m->ask;
    if (a->token)
        return ask_token(m);
    if (a->event)
        return ask_event(m);
    if (a->command)
        return ask_command(m);
    if (a->block)
        return ask_block(m);
    if (a->node)
        return ask_node(m);
    if (a->is_message)
        return ask_message(m);
    if (a->is_logs && a->is_write)
        add_ways(m, (const char *const[]){"log.write", NULL});
    if (a->is_logs)
        return ask_flag(m, a->is_write ? GW_PLAN_WRITE_LOGS : GW_PLAN_READ_LOGS, a->is_write ? "write log lines" : "see log lines");
    if (a->is_history)
        return ask_flag(m, GW_PLAN_HISTORY, "read the past of a run");
    if (a->is_presence)
        return ask_flag(m, GW_PLAN_PRESENCE, "see who is there, and be seen");
    return ask_flag(m, GW_PLAN_VISION, "know of media sidecars");
}

/* ---- one question ---------------------------------------------------------------------------------------------------------------------- */

static bool is_kind(const char *text)
{
    enum gw_actor_kind kind;
    return !text || gw_actor_kind_parse(text, &kind) == GW_OK;
}

static int check_place(const struct making *m)
{
    const struct gw_explain_ask *a = m->ask;
    bool is_labelled = a->block || a->node || a->is_message, can_write = is_labelled || a->token || a->is_logs;
    if (a->prop && a->is_text)
        return refuse(m, "--text", "many_questions", "ask about a property or about the text, not both");
    if ((a->prop || a->is_text || a->canvas) && !a->block)
        return refuse(m, a->prop ? "--prop" : a->is_text ? "--text" : "--canvas", "option_misplaced", "belongs to --block KIND");
    if ((a->vis || a->author || a->author_id) && !is_labelled)
        return refuse(m, a->vis ? "--vis" : "--author", "option_misplaced", "belongs to --block, --node or --message");
    if (a->is_write && !can_write)
        return refuse(m, "--write", "option_misplaced", "belongs to --token, --block, --node, --message or --logs");
    if (!is_kind(a->kind) || !is_kind(a->author))
        return refuse(m, is_kind(a->kind) ? "--author" : "--kind", "bad_kind", "a kind is user, agent or service");
    return GW_OK;
}

int gw_explain_make(const struct gw_explain_ask *ask, const struct gw_manifests *manifests, struct gw_explain_question *out,
                    struct gw_error *err)
{
    struct making m = {ask, manifests, out, err};
    int count = (ask->token != NULL) + (ask->event != NULL) + (ask->command != NULL) + (ask->block != NULL) + (ask->node != NULL) +
                ask->is_message + ask->is_history + ask->is_vision + ask->is_presence + ask->is_logs;
    *out = (struct gw_explain_question){.asks.thing = {.kind = ask->block ? ask->block : ask->node,
                                                       .vis = ask->vis,
                                                       .author_kind = ask->author ? ask->author : "user",
                                                       .author_id = ask->author_id}};
    if (count == 0)
        return refuse(&m, "", "no_question",
                      "say what to ask about: --token, --event, --command, --block, --node, --message, --logs, --history, --presence or "
                      "--vision");
    if (count > 1)
        return refuse(&m, "", "many_questions", "one question at a time: these are several");
    int status = check_place(&m);
    return status ? status : ask_what(&m);
}
