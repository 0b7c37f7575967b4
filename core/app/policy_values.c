#include "app/policy_values.h"

#include <stdio.h>
#include <string.h>

#include "app/policy_words.h"
#include "base/json.h"
#include "hub/event.h"

static const char *text_of(const struct gw_json *object, const char *name)
{
    const struct gw_json *value = object ? gw_json_get(object, name) : NULL;
    return gw_json_is_string(value) ? gw_json_text(value, NULL) : "";
}

/* value: one value, as it is and as both show it; NULL: not at all */
struct shown {
    const struct gw_json *is, *before, *after;
};

static bool is_same(const struct gw_json *a, const struct gw_json *b) { return a && b ? gw_json_equal(a, b) : a == b; }

static void note(const struct gw_policy_values *v, struct gw_policy_word *word, const struct shown *shown)
{
    bool was = is_same(shown->is, shown->before), is = is_same(shown->is, shown->after);
    if (was != is)
        gw_policy_words_note(is ? v->gained : v->lost, word, v->run, v->event->seq);
}

/* ---- Tokens ---------------------------------------------------------------------------------------------------------------------------- */

static void compare_tokens(const struct gw_policy_values *v, const char *member)
{
    const struct gw_json *is = gw_json_get(v->event->data, member), *before = gw_json_get(v->before, member),
                         *after = gw_json_get(v->after, member);
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    while (gw_json_is_object(is) && gw_json_next(is, &iterator, &key, &value)) {
        struct gw_policy_word word = {0};
        struct shown shown = {value, before ? gw_json_get(before, key) : NULL, after ? gw_json_get(after, key) : NULL};
        snprintf(word.name, sizeof word.name, "%s", key);
        snprintf(word.label, sizeof word.label, "value of token %.255s", key);
        if (shown.before && shown.after) /* else a question to the plan tells */
            note(v, &word, &shown);
    }
}

/* ---- blocks ---------------------------------------------------------------------------------------------------------------------------- */

/* The op that tells of the block's content. */
static const struct gw_json *find_op(const struct gw_json *data, const char *id)
{
    const struct gw_json *ops = gw_json_get(data, "ops");
    for (size_t i = 0; i < gw_json_count(ops); i++) {
        const struct gw_json *op = gw_json_at(ops, i);
        if (strcmp(text_of(op, "id"), id) == 0 && (gw_json_get(op, "props") || gw_json_get(op, "set")))
            return op;
    }
    return NULL;
}

static const struct gw_json *props_of(const struct gw_json *op)
{
    const struct gw_json *props = op ? gw_json_get(op, "props") : NULL;
    return props ? props : op ? gw_json_get(op, "set") : NULL;
}

static void name_content(struct gw_policy_word *word, const struct gw_json *facet, const char *prop)
{
    snprintf(word->kind, sizeof word->kind, "%s", text_of(facet, "kind"));
    snprintf(word->vis, sizeof word->vis, "%s", text_of(facet, "vis"));
    snprintf(word->name, sizeof word->name, "%s", prop ? prop : "");
    snprintf(word->content, sizeof word->content, "%.64s.%.255s", word->kind, prop ? prop : "text");
    snprintf(word->label, sizeof word->label, "value of %s %s%s%s", prop ? "property" : "text", word->content, word->vis[0] ? " vis=" : "",
             word->vis);
}

static void compare_block(const struct gw_policy_values *v, const char *id, const struct gw_json *facet)
{
    const struct gw_json *block = gw_json_get(facet, "block"), *own = block ? block : find_op(v->event->data, id);
    const struct gw_json *before = find_op(v->before, id), *after = find_op(v->after, id);
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    if (!own || !before || !after)
        return;
    while (props_of(own) && gw_json_next(props_of(own), &iterator, &name, &value)) {
        struct gw_policy_word word = {0};
        struct shown shown = {value, gw_json_get(props_of(before), name), gw_json_get(props_of(after), name)};
        name_content(&word, facet, name);
        if (shown.before && shown.after)
            note(v, &word, &shown);
    }
    struct shown shown = {gw_json_get(own, "text"), gw_json_get(before, "text"), gw_json_get(after, "text")};
    struct gw_policy_word word = {0};
    name_content(&word, facet, NULL);
    if (shown.is && shown.before && shown.after)
        note(v, &word, &shown);
}

static void compare_blocks(const struct gw_policy_values *v)
{
    const struct gw_json *blocks = v->event->facets ? gw_json_get(v->event->facets, "blocks") : NULL;
    void *iterator = NULL;
    const char *id;
    struct gw_json *facet;
    while (gw_json_is_object(blocks) && gw_json_next(blocks, &iterator, &id, &facet))
        compare_block(v, id, facet);
}

/* ---- messages -------------------------------------------------------------------------------------------------------------------------- */

static void compare_messages(const struct gw_policy_values *v)
{
    const char *member = v->event->type == GW_EVENT_CHAT_MESSAGE ? "text" : "parts";
    struct shown shown = {gw_json_get(v->event->data, member), gw_json_get(v->before, member), gw_json_get(v->after, member)};
    struct gw_policy_word word = {.content = "message.text", .label = "value of text message.text"};
    note(v, &word, &shown);
}

void gw_policy_values_compare(const struct gw_policy_values *values)
{
    switch (values->event->type) {
    case GW_EVENT_CANVAS_READY:
        compare_tokens(values, "tokens");
        break;
    case GW_EVENT_TOKEN_PATCH:
        compare_tokens(values, "set");
        break;
    case GW_EVENT_STATE_PATCH:
        compare_blocks(values);
        break;
    case GW_EVENT_CHAT_MESSAGE:
    case GW_EVENT_CHAT_TOKEN:
        compare_messages(values);
        break;
    default:
        break;
    }
}
