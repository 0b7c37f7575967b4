#include "app/policy_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/map.h"
#include "hub/command.h"
#include "hub/ephemera.h"
#include "hub/event.h"
#include "hub/manifest.h"
#include "hub/plan_layer.h"
#include "hub/value_type.h"

struct gw_policy_words {
    struct gw_map *by_label;
    struct gw_policy_word **items;
    size_t count, capacity;
    bool is_sorted;
    struct gw_json *kinds; /* canvas type → what is declared of its kinds: by its last CANVAS_READY, else by its manifest */
};

/* value: where something is met; "" and 0: what any run may hold */
struct met {
    const char *run;
    uint64_t seq;
};

static const struct met anywhere = {"", 0};

static void put_text(char *to, size_t size, const char *text) { snprintf(to, size, "%s", text ? text : ""); }

/* ---- the list --------------------------------------------------------------------------------------------------------------------------- */

/* What the parts of a copied question are about is the copy's. */
static void own_texts(struct gw_policy_word *word, const struct gw_policy_word *from)
{
    for (size_t i = 0; i < word->asks.count; i++)
        if (word->asks.parts[i].name == from->name)
            word->asks.parts[i].name = word->name;
    word->asks.thing =
        (struct gw_plan_thing){.kind = word->kind, .vis = word->vis, .author_kind = word->author, .canvas_type = word->canvas_type};
}

static void grow(struct gw_policy_words *words)
{
    words->capacity = words->capacity ? words->capacity * 2 : 64;
    struct gw_policy_word **grown = gw_alloc_array(words->capacity, sizeof *grown);
    for (size_t i = 0; i < words->count; i++)
        grown[i] = words->items[i];
    gw_free(words->items);
    words->items = grown;
}

/* What any run may hold is shown by where it is met. */
static void meet_again(struct gw_policy_word *word, const struct met *at)
{
    bool is_first = word->seq == 0 && at->seq != 0;
    word->count = is_first ? 1 : word->count + 1;
    if (!is_first)
        return;
    word->seq = at->seq;
    put_text(word->run, sizeof word->run, at->run);
}

/* The word of that label, counted; a new one takes the template. Whether it is new. */
static bool add(struct gw_policy_words *words, const struct gw_policy_word *template, const struct met *at)
{
    struct gw_policy_word *word = gw_map_get(words->by_label, template->label, strlen(template->label));
    if (word)
        meet_again(word, at);
    if (word || words->count == GW_POLICY_WORDS_MAX)
        return false;
    if (words->count == words->capacity)
        grow(words);
    word = gw_alloc(sizeof *word);
    *word = *template;
    own_texts(word, template);
    put_text(word->run, sizeof word->run, at->run);
    word->seq = at->seq;
    word->count = 1;
    if (gw_map_put(words->by_label, word->label, strlen(word->label), word, NULL)) {
        gw_free(word);
        return false;
    }
    words->items[words->count++] = word;
    words->is_sorted = false;
    return true;
}

void gw_policy_words_note(struct gw_policy_words *words, const struct gw_policy_word *word, const char *run, uint64_t seq)
{
    (void)add(words, word, &(struct met){run, seq});
}

/* ---- what has a name -------------------------------------------------------------------------------------------------------------------- */

static void label(struct gw_policy_word *word, const char *what)
{
    snprintf(word->label, sizeof word->label, "%s%s%.255s", what, word->name[0] ? " " : "", word->name);
}

static void add_flag(struct gw_policy_words *words, enum gw_plan_ask ask, const char *what)
{
    struct gw_policy_word word = {0};
    gw_policy_question_add(&word.asks, ask, NULL);
    label(&word, what);
    add(words, &word, &anywhere);
}

static void add_command(struct gw_policy_words *words, const char *type, bool has_sidecars)
{
    struct gw_policy_word word = {0};
    put_text(word.name, sizeof word.name, type);
    gw_policy_question_add_command(&word.asks, word.name, has_sidecars);
    label(&word, "command");
    add(words, &word, &anywhere);
}

static void add_event(struct gw_policy_words *words, const char *type, const struct met *at)
{
    struct gw_policy_word word = {0};
    put_text(word.name, sizeof word.name, type);
    gw_policy_question_add_event(&word.asks, word.name);
    label(&word, "event");
    add(words, &word, at);
}

static void add_token(struct gw_policy_words *words, const char *key, bool is_sidecar, const struct met *at)
{
    static const struct {
        enum gw_plan_ask ask;
        const char *what;
    } asks[] = {{GW_PLAN_READ_TOKEN, "read token"}, {GW_PLAN_WRITE_TOKEN, "write token"}};
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        struct gw_policy_word word = {0};
        put_text(word.name, sizeof word.name, key);
        gw_policy_question_add(&word.asks, asks[i].ask, word.name);
        if (is_sidecar)
            gw_policy_question_add(&word.asks, GW_PLAN_VISION, NULL);
        label(&word, asks[i].what);
        add(words, &word, at);
    }
}

/* ---- Tokens ----------------------------------------------------------------------------------------------------------------------------- */

static const char *text_of(const struct gw_json *object, const char *name)
{
    const struct gw_json *value = gw_json_get(object, name);
    return gw_json_is_string(value) ? gw_json_text(value, NULL) : "";
}

static bool is_listed(const struct gw_json *names, const char *name)
{
    for (size_t i = 0; gw_json_is_array(names) && i < gw_json_count(names); i++)
        if (strcmp(gw_json_text(gw_json_at(names, i), NULL), name) == 0)
            return true;
    return false;
}

static void add_catalog(struct gw_policy_words *words, const struct gw_json *catalog, const struct met *at)
{
    void *iterator = NULL;
    const char *key;
    struct gw_json *declaration;
    while (gw_json_is_object(catalog) && gw_json_next(catalog, &iterator, &key, &declaration))
        add_token(words, key, gw_value_type_is_sidecar(declaration), at);
}

static void add_patch(struct gw_policy_words *words, const struct gw_event *event, const struct met *at)
{
    const struct gw_json *set = gw_json_get(event->data, "set"), *unset = gw_json_get(event->data, "unset");
    const struct gw_json *sidecars = event->facets ? gw_json_get(event->facets, "sidecars") : NULL;
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    while (gw_json_is_object(set) && gw_json_next(set, &iterator, &key, &value))
        add_token(words, key, is_listed(sidecars, key), at);
    for (size_t i = 0; gw_json_is_array(unset) && i < gw_json_count(unset); i++) {
        key = gw_json_text(gw_json_at(unset, i), NULL);
        add_token(words, key, is_listed(sidecars, key), at);
    }
}

/* ---- blocks, nodes, messages ------------------------------------------------------------------------------------------------------------ */

static bool add_thing(struct gw_policy_words *words, struct gw_policy_word *word, const char *what, const struct met *at)
{
    const char *of = word->content[0] ? word->content : word->kind;
    snprintf(word->label, sizeof word->label, "%s%s%s%s%s by %s%s%s", what, of[0] ? " " : "", of, word->vis[0] ? " vis=" : "", word->vis,
             word->author[0] ? word->author : "anybody", word->canvas_type[0] ? " on " : "", word->canvas_type);
    return add(words, word, at);
}

static void add_content(struct gw_policy_words *words, const struct gw_policy_word *block, const char *prop, bool is_sidecar,
                        const struct met *at)
{
    struct gw_policy_word word = *block;
    put_text(word.name, sizeof word.name, prop);
    snprintf(word.content, sizeof word.content, "%.64s.%.255s", word.kind, prop ? prop : "text");
    word.asks.count = 0;
    gw_policy_question_add(&word.asks, GW_PLAN_READ_BLOCK, NULL);
    gw_policy_question_add(&word.asks, prop ? GW_PLAN_SHOW_PROP : GW_PLAN_SHOW_TEXT, prop ? word.name : NULL);
    if (is_sidecar)
        gw_policy_question_add(&word.asks, GW_PLAN_VISION, NULL);
    add_thing(words, &word, prop ? "read property" : "read text", at);
}

/* Of a block that is met for the first time: what its kind declares. */
static void add_contents(struct gw_policy_words *words, const struct gw_policy_word *block, const struct met *at)
{
    const struct gw_json *kinds = gw_json_get(words->kinds, block->canvas_type), *kind = kinds ? gw_json_get(kinds, block->kind) : NULL;
    const struct gw_json *props = kind ? gw_json_get(kind, "props") : NULL, *text = kind ? gw_json_get(kind, "text") : NULL;
    void *iterator = NULL;
    const char *name;
    struct gw_json *declaration;
    while (gw_json_is_object(props) && gw_json_next(props, &iterator, &name, &declaration))
        add_content(words, block, name, gw_value_type_is_sidecar(declaration), at);
    if (gw_json_is_bool(text) && gw_json_bool(text))
        add_content(words, block, NULL, false, at);
}

static void add_block(struct gw_policy_words *words, struct gw_policy_word *word, const struct met *at)
{
    gw_policy_question_add(&word->asks, GW_PLAN_READ_BLOCK, NULL);
    if (add_thing(words, word, "read block", at))
        add_contents(words, word, at);
    word->asks.count = 0;
    gw_policy_question_add(&word->asks, GW_PLAN_WRITE_BLOCK, NULL);
    add_thing(words, word, "write block", at);
}

/* What a facet entry says of its thing. */
static struct gw_policy_word read_thing(const struct gw_json *entry)
{
    struct gw_policy_word word = {0};
    put_text(word.kind, sizeof word.kind, text_of(entry, "kind"));
    put_text(word.vis, sizeof word.vis, text_of(entry, "vis"));
    put_text(word.author, sizeof word.author, text_of(entry, "author"));
    return word;
}

static void add_things(struct gw_policy_words *words, const struct gw_event *event, const char *member, const struct met *at)
{
    const struct gw_json *things = gw_json_get(event->facets, member);
    bool is_blocks = strcmp(member, "blocks") == 0, is_nodes = strcmp(member, "nodes") == 0;
    void *iterator = NULL;
    const char *id;
    struct gw_json *entry;
    while (gw_json_is_object(things) && gw_json_next(things, &iterator, &id, &entry)) {
        struct gw_policy_word word = read_thing(entry);
        if (is_blocks) {
            put_text(word.canvas_type, sizeof word.canvas_type, text_of(event->facets, "canvas_type"));
            add_block(words, &word, at);
            continue;
        }
        gw_policy_question_add(&word.asks, is_nodes ? GW_PLAN_READ_NODE : GW_PLAN_READ_MESSAGE, NULL);
        add_thing(words, &word, is_nodes ? "read node" : "read message", at);
    }
}

/* What the canvas may hold, before it does: blocks without a label, by a user. */
static void add_canvas(struct gw_policy_words *words, const struct gw_event *event, const struct met *at)
{
    const char *type = text_of(event->data, "canvas_type"), *kind;
    struct gw_json *kinds = gw_json_get(gw_json_get(event->data, "manifest"), "kinds"), *declared;
    void *iterator = NULL;
    add_catalog(words, gw_json_get(event->data, "TokenCatalog"), at);
    if (!gw_json_is_object(kinds) || gw_json_set(words->kinds, type, gw_json_ref(kinds)))
        return;
    while (gw_json_next(kinds, &iterator, &kind, &declared)) {
        struct gw_policy_word word = {.author = "user"};
        put_text(word.kind, sizeof word.kind, kind);
        put_text(word.canvas_type, sizeof word.canvas_type, type);
        add_block(words, &word, at);
    }
}

void gw_policy_words_add(struct gw_policy_words *words, const char *run, const struct gw_event *event)
{
    const struct met at = {run, event->seq};
    if (event->type == GW_EVENT_VOID)
        return;
    add_event(words, gw_event_type_name(event->type), &at);
    if (event->type == GW_EVENT_CANVAS_READY)
        add_canvas(words, event, &at);
    if (event->type == GW_EVENT_TOKEN_PATCH)
        add_patch(words, event, &at);
    if (!event->facets)
        return;
    add_things(words, event, "blocks", &at);
    add_things(words, event, "nodes", &at);
    add_things(words, event, "messages", &at);
}

/* ---- making and asking ------------------------------------------------------------------------------------------------------------------ */

struct gw_policy_words *gw_policy_words_create_empty(void)
{
    static const uint8_t seed[16] = "words of the log"; /* the log's own, and bounded */
    struct gw_policy_words *words = gw_alloc(sizeof *words);
    words->by_label = gw_map_create(seed);
    words->kinds = gw_json_new_object();
    return words;
}

static void add_own_commands(struct gw_policy_words *words, const struct gw_manifest *manifest)
{
    void *iterator = NULL;
    const char *type;
    struct gw_json *command;
    while (gw_json_next(gw_manifest_member(manifest, "commands"), &iterator, &type, &command))
        add_command(words, type, gw_value_type_has_sidecar(gw_json_get(command, "args")));
}

struct gw_policy_words *gw_policy_words_create(const struct gw_manifests *manifests)
{
    static const struct {
        enum gw_plan_ask ask;
        const char *what;
    } flags[] = {{GW_PLAN_HISTORY, "history"},         {GW_PLAN_VISION, "vision"},         {GW_PLAN_PRESENCE, "presence"},
                 {GW_PLAN_WRITE_GRAPH, "write graph"}, {GW_PLAN_WRITE_CHAT, "write chat"}, {GW_PLAN_READ_LOGS, "read logs"},
                 {GW_PLAN_WRITE_LOGS, "write logs"}};
    struct gw_policy_words *words = gw_policy_words_create_empty();
    const char *type;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        add_flag(words, flags[i].ask, flags[i].what);
    for (size_t i = 0; (type = gw_command_builtin(i)); i++)
        add_command(words, type, false);
    for (size_t i = 0; i < gw_manifests_count(manifests); i++) {
        const struct gw_manifest *manifest = gw_manifests_at(manifests, i);
        add_own_commands(words, manifest);
        (void)gw_json_set(words->kinds, gw_manifest_type(manifest), gw_json_ref(gw_manifest_member(manifest, "kinds")));
    }
    for (int event = 0; event < GW_EVENT_VOID; event++)
        add_event(words, gw_event_type_name((enum gw_event_type)event), &anywhere);
    add_event(words, gw_ephemeral_name(GW_EPHEMERAL_GESTURE), &anywhere);
    add_event(words, gw_ephemeral_name(GW_EPHEMERAL_PRESENCE), &anywhere);
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
    gw_json_unref(words->kinds);
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
    if (!plan)
        return false;
    gw_policy_question_answer((void *)(uintptr_t)&word->asks, plan, &reason);
    return reason.is_admitted;
}

bool gw_policy_word_matches(const struct gw_policy_word *word, const char *glob)
{
    const char *const texts[] = {word->label, word->name, word->kind, word->vis, word->content};
    struct gw_plan_list list;
    bool matches = false;
    if (gw_plan_list_init(&list, &glob, 1))
        return false;
    for (size_t i = 0; !matches && i < sizeof texts / sizeof *texts; i++)
        matches = texts[i][0] && gw_plan_list_admits(&list, texts[i]);
    gw_plan_list_fini(&list);
    return matches;
}
