#include "app/policy_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/map.h"
#include "hub/event.h"

struct gw_policy_words {
    struct gw_map *by_label;
    struct gw_policy_word **items;
    size_t count, capacity;
    bool is_sorted;
};

/* value: where something is met; "" and 0: what any run may hold */
struct met {
    const char *run;
    uint64_t seq;
};

/* What any run may hold: asked of every pair of plans. */
static const struct {
    enum gw_plan_ask ask;
    const char *name, *label;
} always[] = {
    {GW_PLAN_HISTORY, NULL, "history"},
    {GW_PLAN_VISION, NULL, "vision"},
    {GW_PLAN_PRESENCE, NULL, "presence"},
    {GW_PLAN_WRITE_GRAPH, NULL, "write graph"},
    {GW_PLAN_WRITE_CHAT, NULL, "write chat"},
    {GW_PLAN_READ_LOGS, NULL, "read logs"},
    {GW_PLAN_WRITE_LOGS, NULL, "write logs"},
    {GW_PLAN_COMMAND, "run.start", "command run.start"},
    {GW_PLAN_COMMAND, "canvas.mount", "command canvas.mount"},
    {GW_PLAN_COMMAND, "canvas.commit", "command canvas.commit"},
    {GW_PLAN_COMMAND, "canvas.restore", "command canvas.restore"},
    {GW_PLAN_COMMAND, "undo", "command undo"},
    {GW_PLAN_COMMAND, "token.set", "command token.set"},
    {GW_PLAN_COMMAND, "block.insert", "command block.insert"},
    {GW_PLAN_COMMAND, "block.update", "command block.update"},
    {GW_PLAN_COMMAND, "block.move", "command block.move"},
    {GW_PLAN_COMMAND, "block.remove", "command block.remove"},
    {GW_PLAN_COMMAND, "block.splice", "command block.splice"},
    {GW_PLAN_COMMAND, "chat_send", "command chat_send"},
    {GW_PLAN_COMMAND, "chat.cancel", "command chat.cancel"},
    {GW_PLAN_COMMAND, "log.write", "command log.write"},
    {GW_PLAN_COMMAND, "graph.node.set", "command graph.node.set"},
    {GW_PLAN_COMMAND, "graph.edge.set", "command graph.edge.set"},
    {GW_PLAN_COMMAND, "run.set_state", "command run.set_state"},
};

static void put_text(char *to, size_t size, const char *text) { snprintf(to, size, "%s", text ? text : ""); }

/* The word of that label, counted; a new one takes the template. */
static void add(struct gw_policy_words *words, const struct gw_policy_word *template, const struct met *at)
{
    struct gw_policy_word *word = gw_map_get(words->by_label, template->label, strlen(template->label));
    if (word) {
        word->count++;
        return;
    }
    if (words->count == GW_POLICY_WORDS_MAX)
        return;
    if (words->count == words->capacity) {
        words->capacity = words->capacity ? words->capacity * 2 : 64;
        struct gw_policy_word **grown = gw_alloc_array(words->capacity, sizeof *grown);
        for (size_t i = 0; i < words->count; i++)
            grown[i] = words->items[i];
        gw_free(words->items);
        words->items = grown;
    }
    word = gw_alloc(sizeof *word);
    *word = *template;
    put_text(word->run, sizeof word->run, at->run);
    word->seq = at->seq;
    word->count = 1;
    if (gw_map_put(words->by_label, word->label, strlen(word->label), word, NULL)) {
        gw_free(word);
        return;
    }
    words->items[words->count++] = word;
    words->is_sorted = false;
}

static void add_named(struct gw_policy_words *words, enum gw_plan_ask ask, const char *label, const char *name, const struct met *at)
{
    struct gw_policy_word word = {.ask = ask};
    put_text(word.name, sizeof word.name, name);
    snprintf(word.label, sizeof word.label, "%s%s%.255s", label, name ? " " : "", name ? name : "");
    add(words, &word, at);
}

/* ---- events --------------------------------------------------------------------------------------------------------------------------------- */

static const char *text_of(const struct gw_json *object, const char *name)
{
    const struct gw_json *value = gw_json_get(object, name);
    return gw_json_is_string(value) ? gw_json_text(value, NULL) : "";
}

static void add_token(struct gw_policy_words *words, const char *key, const struct met *at)
{
    add_named(words, GW_PLAN_READ_TOKEN, "read token", key, at);
    add_named(words, GW_PLAN_WRITE_TOKEN, "write token", key, at);
}

static void add_keys(struct gw_policy_words *words, const struct gw_json *by_key, const struct met *at)
{
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    while (gw_json_is_object(by_key) && gw_json_next(by_key, &iterator, &key, &value))
        add_token(words, key, at);
}

static void add_names(struct gw_policy_words *words, const struct gw_json *keys, const struct met *at)
{
    for (size_t i = 0; gw_json_is_array(keys) && i < gw_json_count(keys); i++)
        add_token(words, gw_json_text(gw_json_at(keys, i), NULL), at);
}

static void add_thing(struct gw_policy_words *words, struct gw_policy_word *word, const char *what, const struct met *at)
{
    snprintf(word->label, sizeof word->label, "%s%s%s%s%s by %s%s%s", what, word->kind[0] ? " " : "", word->kind,
             word->vis[0] ? " vis=" : "", word->vis, word->author[0] ? word->author : "anybody", word->canvas_type[0] ? " on " : "",
             word->canvas_type);
    add(words, word, at);
}

/* Blocks, nodes and messages, by what their facets say. */
static void add_things(struct gw_policy_words *words, const struct gw_event *event, const char *member, const struct met *at)
{
    const struct gw_json *things = gw_json_get(event->facets, member);
    bool is_blocks = strcmp(member, "blocks") == 0, is_nodes = strcmp(member, "nodes") == 0;
    void *iterator = NULL;
    const char *id;
    struct gw_json *thing;
    while (gw_json_is_object(things) && gw_json_next(things, &iterator, &id, &thing)) {
        struct gw_policy_word word = {.ask = is_blocks ? GW_PLAN_READ_BLOCK : is_nodes ? GW_PLAN_READ_NODE : GW_PLAN_READ_MESSAGE};
        put_text(word.kind, sizeof word.kind, text_of(thing, "kind"));
        put_text(word.vis, sizeof word.vis, text_of(thing, "vis"));
        put_text(word.author, sizeof word.author, text_of(thing, "author"));
        if (is_blocks)
            put_text(word.canvas_type, sizeof word.canvas_type, text_of(event->facets, "canvas_type"));
        add_thing(words, &word, is_blocks ? "read block" : is_nodes ? "read node" : "read message", at);
        word.ask = GW_PLAN_WRITE_BLOCK;
        if (is_blocks)
            add_thing(words, &word, "write block", at);
    }
}

void gw_policy_words_add(struct gw_policy_words *words, const char *run, const struct gw_event *event)
{
    const struct met at = {run, event->seq};
    if (event->type == GW_EVENT_VOID)
        return;
    add_named(words, GW_PLAN_EVENT, "event", gw_event_type_name(event->type), &at);
    add_keys(words, gw_json_get(event->data, "TokenCatalog"), &at);
    if (event->type == GW_EVENT_TOKEN_PATCH) {
        add_keys(words, gw_json_get(event->data, "set"), &at);
        add_names(words, gw_json_get(event->data, "unset"), &at);
    }
    if (!event->facets)
        return;
    add_things(words, event, "blocks", &at);
    add_things(words, event, "nodes", &at);
    add_things(words, event, "messages", &at);
}

/* ---- the list ------------------------------------------------------------------------------------------------------------------------------- */

struct gw_policy_words *gw_policy_words_create(void)
{
    static const uint8_t seed[16] = "words of the log"; /* the log's own, and bounded */
    struct gw_policy_words *words = gw_alloc(sizeof *words);
    words->by_label = gw_map_create(seed);
    for (size_t i = 0; i < sizeof always / sizeof *always; i++) {
        struct gw_policy_word word = {.ask = always[i].ask};
        put_text(word.name, sizeof word.name, always[i].name);
        put_text(word.label, sizeof word.label, always[i].label);
        add(words, &word, &(struct met){"", 0});
    }
    return words;
}

void gw_policy_words_destroy(struct gw_policy_words *words)
{
    if (!words)
        return;
    for (size_t i = 0; i < words->count; i++)
        gw_free(words->items[i]);
    gw_free(words->items);
    gw_map_destroy(words->by_label);
    gw_free(words);
}

size_t gw_policy_words_count(const struct gw_policy_words *words) { return words->count; }

static int by_label(const void *a, const void *b)
{
    const struct gw_policy_word *const *x = a, *const *y = b;
    return strcmp((*x)->label, (*y)->label);
}

const struct gw_policy_word *gw_policy_words_at(struct gw_policy_words *words, size_t index)
{
    if (!words->is_sorted)
        qsort(words->items, words->count, sizeof *words->items, by_label);
    words->is_sorted = true;
    return words->items[index];
}

bool gw_policy_word_is_admitted(const struct gw_policy_word *word, const struct gw_plan *plan)
{
    struct gw_plan_reason reason;
    struct gw_plan_thing thing = {.kind = word->kind, .vis = word->vis, .author_kind = word->author, .canvas_type = word->canvas_type};
    if (!plan)
        return false;
    gw_plan_explain(plan, word->ask, word->name[0] ? word->name : NULL, &thing, &reason);
    return reason.is_admitted;
}
