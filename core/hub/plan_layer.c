#include "hub/plan_layer.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"

/* ---- lists ---- */

static struct gw_glob compile_glob(const char *text)
{
    struct gw_glob glob = {.is_excluded = text[0] == '!'};
    glob.text = text + glob.is_excluded;
    size_t length = strlen(glob.text);
    const char *star = strchr(glob.text, '*');
    glob.length = (uint32_t)length;
    if (!star)
        glob.shape = GW_GLOB_EXACT;
    else if (star[1] != '\0')
        glob.shape = GW_GLOB_FREE;
    else
        glob.shape = length == 1 ? GW_GLOB_ANY : GW_GLOB_PREFIX;
    if (star && star[1] == '\0')
        glob.length--;
    return glob;
}

int gw_plan_list_init(struct gw_plan_list *list, const char *const *texts, size_t count)
{
    *list = (struct gw_plan_list){0};
    list->globs = count ? gw_try_grow(NULL, count, sizeof *list->globs) : NULL;
    if (count && !list->globs)
        return GW_ENOMEM;
    for (; list->count < count; list->count++)
        list->globs[list->count] = compile_glob(texts[list->count]);
    if (count) {
        const struct gw_glob *last = &list->globs[count - 1];
        list->admits_all = last->shape == GW_GLOB_ANY && !last->is_excluded;
    }
    return GW_OK;
}

void gw_plan_list_fini(struct gw_plan_list *list)
{
    gw_free(list->globs);
    *list = (struct gw_plan_list){0};
}

/* Each piece between two stars is looked for once, from where the one before ended: the leftmost place leaves the most for the rest. So the cost is the length of the
 * text and of the glob, whatever they are. */
static bool free_glob_matches(const char *glob, const char *text)
{
    const char *star = strchr(glob, '*');
    size_t length = (size_t)(star - glob), left = strlen(text);
    if (left < length || memcmp(text, glob, length) != 0)
        return false;
    text += length;
    left -= length;
    for (glob = star + 1; (star = strchr(glob, '*')); glob = star + 1) {
        length = (size_t)(star - glob);
        const char *found = memmem(text, left, glob, length);
        if (!found)
            return false;
        left -= (size_t)(found - text) + length;
        text = found + length;
    }
    length = strlen(glob);
    return left >= length && memcmp(text + left - length, glob, length) == 0;
}

static bool glob_matches(const struct gw_glob *glob, const char *text)
{
    switch (glob->shape) {
    case GW_GLOB_ANY:
        return true;
    case GW_GLOB_EXACT:
        return strcmp(glob->text, text) == 0;
    case GW_GLOB_PREFIX:
        return strncmp(glob->text, text, glob->length) == 0;
    case GW_GLOB_FREE:
        return free_glob_matches(glob->text, text);
    }
    return false;
}

int gw_plan_list_find(const struct gw_plan_list *list, const char *text, bool *admits)
{
    for (size_t i = list->count; i-- > 0;) {
        if (!glob_matches(&list->globs[i], text))
            continue;
        *admits = !list->globs[i].is_excluded;
        return (int)i;
    }
    *admits = false;
    return -1;
}

bool gw_plan_list_admits(const struct gw_plan_list *list, const char *text)
{
    bool admits = list->admits_all;
    if (!admits)
        gw_plan_list_find(list, text, &admits);
    return admits;
}

/* ---- rules ---- */

static bool fits(bool is_asked, const struct gw_plan_list *list, const char *text)
{
    return !is_asked || gw_plan_list_admits(list, text ? text : "");
}

static unsigned author_bit(const char *kind)
{
    if (!kind)
        return 0;
    if (strcmp(kind, "user") == 0)
        return GW_AUTHOR_USER;
    return strcmp(kind, "agent") == 0 ? GW_AUTHOR_AGENT : strcmp(kind, "service") == 0 ? GW_AUTHOR_SERVICE : 0;
}

static bool is_self(const struct gw_plan *plan, const char *author_id)
{
    return author_id && author_id[0] && strcmp(author_id, plan->actor_id) == 0;
}

static bool author_fits(unsigned authors, const struct gw_plan *plan, const struct gw_plan_thing *thing)
{
    if (authors & (GW_AUTHOR_ANY | author_bit(thing->author_kind)))
        return true;
    return (authors & GW_AUTHOR_SELF) && is_self(plan, thing->author_id);
}

static bool rule_admits(const struct gw_plan_rule *rule, const struct gw_plan *plan, const struct gw_plan_thing *thing)
{
    return fits(rule->has_kinds, &rule->kinds, thing->kind) && fits(rule->has_vis, &rule->vis, thing->vis) &&
           fits(rule->has_canvases, &rule->canvases, thing->canvas_type) && author_fits(rule->authors, plan, thing);
}

int gw_plan_rules_find(const struct gw_plan_rules *rules, const struct gw_plan *plan, const struct gw_plan_thing *thing)
{
    for (size_t i = 0; i < rules->count; i++)
        if (rule_admits(&rules->rules[i], plan, thing))
            return (int)i;
    return -1;
}

static bool redaction_hides(const struct gw_plan_redaction *r, const struct gw_plan_thing *thing, const char *prop)
{
    /* What is not known might be meant, so an unknown kind or canvas is hidden rather than shown. */
    if (r->has_kinds && thing->kind && !gw_plan_list_admits(&r->kinds, thing->kind))
        return false;
    if (r->has_canvases && thing->canvas_type && !gw_plan_list_admits(&r->canvases, thing->canvas_type))
        return false;
    return prop ? gw_plan_list_admits(&r->props, prop) : r->hides_text;
}

int gw_plan_redaction_find(const struct gw_plan_layer *layer, const struct gw_plan_thing *thing, const char *prop)
{
    for (size_t i = 0; i < layer->redaction_count; i++)
        if (redaction_hides(&layer->redactions[i], thing, prop))
            return (int)i;
    return -1;
}

/* ---- making a layer of a checked tree ---- */

static int load_list(struct gw_plan_list *list, const struct gw_json *texts)
{
    const char *borrowed[64]; /* as many as GW_PLAN_LIST_MAX, which the shape has checked */
    size_t count = gw_json_count(texts);
    for (size_t i = 0; i < count; i++)
        borrowed[i] = gw_json_text(gw_json_at(texts, i), NULL);
    return gw_plan_list_init(list, borrowed, count);
}

static int load_member(struct gw_plan_list *list, bool *is_there, const struct gw_json *object, const char *name)
{
    const struct gw_json *texts = gw_json_get(object, name);
    *is_there = texts != NULL;
    return texts ? load_list(list, texts) : GW_OK;
}

static unsigned load_authors(const struct gw_json *words)
{
    unsigned authors = words ? 0 : GW_AUTHOR_ANY;
    for (size_t i = 0; i < gw_json_count(words); i++) {
        const char *word = gw_json_text(gw_json_at(words, i), NULL);
        authors |= strcmp(word, "self") == 0 ? GW_AUTHOR_SELF : author_bit(word);
    }
    return authors;
}

static int load_rule(struct gw_plan_layer *layer, struct gw_plan_rule *rule, const struct gw_json *source)
{
    rule->authors = load_authors(gw_json_get(source, "authors"));
    layer->says_self |= (rule->authors & GW_AUTHOR_SELF) != 0;
    if (load_member(&rule->kinds, &rule->has_kinds, source, "kinds") || load_member(&rule->vis, &rule->has_vis, source, "vis"))
        return GW_ENOMEM;
    return load_member(&rule->canvases, &rule->has_canvases, source, "canvases");
}

static bool is_unconditional(const struct gw_plan_rule *rule)
{
    bool asks = (rule->has_kinds && !rule->kinds.admits_all) || (rule->has_vis && !rule->vis.admits_all) ||
                (rule->has_canvases && !rule->canvases.admits_all);
    return !asks && (rule->authors & GW_AUTHOR_ANY);
}

static int load_rules(struct gw_plan_layer *layer, struct gw_plan_rules *rules, const struct gw_json *source)
{
    size_t count = gw_json_count(source);
    int status = GW_OK;
    rules->rules = count ? gw_try_grow(NULL, count, sizeof *rules->rules) : NULL;
    if (count && !rules->rules)
        return GW_ENOMEM;
    for (; !status && rules->count < count; rules->count++) {
        struct gw_plan_rule *rule = &rules->rules[rules->count];
        *rule = (struct gw_plan_rule){0};
        status = load_rule(layer, rule, gw_json_at(source, rules->count));
        rules->admits_all |= !status && is_unconditional(rule);
    }
    return status;
}

static int load_redactions(struct gw_plan_layer *layer, const struct gw_json *source)
{
    size_t count = gw_json_count(source);
    int status = GW_OK;
    layer->redactions = count ? gw_try_grow(NULL, count, sizeof *layer->redactions) : NULL;
    if (count && !layer->redactions)
        return GW_ENOMEM;
    for (; !status && layer->redaction_count < count; layer->redaction_count++) {
        struct gw_plan_redaction *r = &layer->redactions[layer->redaction_count];
        const struct gw_json *entry = gw_json_at(source, layer->redaction_count);
        *r = (struct gw_plan_redaction){.hides_text = gw_json_bool(gw_json_get(entry, "text"))};
        status = load_list(&r->props, gw_json_get(entry, "props"));
        status = status ? status : load_member(&r->kinds, &r->has_kinds, entry, "kinds");
        status = status ? status : load_member(&r->canvases, &r->has_canvases, entry, "canvases");
    }
    return status;
}

static const struct gw_json *part(const struct gw_json *source, const char *name, const char *member)
{
    return gw_json_get(gw_json_get(source, name), member);
}

static void load_flags(struct gw_plan_layer *layer, const struct gw_json *source)
{
    const struct gw_json *transform = gw_json_get(source, "transform");
    layer->history = gw_json_bool(gw_json_get(source, "history"));
    layer->vision = gw_json_bool(gw_json_get(source, "vision"));
    layer->presence = gw_json_bool(gw_json_get(source, "presence"));
    layer->graph_write = gw_json_bool(part(source, "graph", "write"));
    layer->chat_write = gw_json_bool(part(source, "chat", "write"));
    layer->logs_read = gw_json_bool(part(source, "logs", "read"));
    layer->logs_write = gw_json_bool(part(source, "logs", "write"));
    layer->transform = transform ? gw_json_text(transform, NULL) : NULL;
}

static int load(struct gw_plan_layer *layer, const struct gw_json *source)
{
    load_flags(layer, source);
    bool has_failed =
        load_list(&layer->tokens_read, part(source, "tokens", "read")) ||
        load_list(&layer->tokens_write, part(source, "tokens", "write")) || load_list(&layer->events, gw_json_get(source, "events")) ||
        load_list(&layer->commands, gw_json_get(source, "commands")) ||
        load_rules(layer, &layer->blocks_read, part(source, "blocks", "read")) ||
        load_rules(layer, &layer->blocks_write, part(source, "blocks", "write")) ||
        load_rules(layer, &layer->graph_read, part(source, "graph", "read")) ||
        load_rules(layer, &layer->chat_read, part(source, "chat", "read")) || load_redactions(layer, part(source, "blocks", "redact"));
    return has_failed ? GW_ENOMEM : GW_OK;
}

struct gw_plan_layer *gw_plan_layer_create(struct gw_json *source)
{
    struct gw_plan_layer *layer = gw_alloc(sizeof *layer);
    layer->source = source;
    if (!load(layer, source))
        return layer;
    gw_plan_layer_destroy(layer);
    return NULL;
}

static void fini_rules(struct gw_plan_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++) {
        gw_plan_list_fini(&rules->rules[i].kinds);
        gw_plan_list_fini(&rules->rules[i].vis);
        gw_plan_list_fini(&rules->rules[i].canvases);
    }
    gw_free(rules->rules);
}

void gw_plan_layer_destroy(struct gw_plan_layer *layer)
{
    if (!layer)
        return;
    for (size_t i = 0; i < layer->redaction_count; i++) {
        gw_plan_list_fini(&layer->redactions[i].kinds);
        gw_plan_list_fini(&layer->redactions[i].canvases);
        gw_plan_list_fini(&layer->redactions[i].props);
    }
    gw_free(layer->redactions);
    gw_plan_list_fini(&layer->tokens_read);
    gw_plan_list_fini(&layer->tokens_write);
    gw_plan_list_fini(&layer->events);
    gw_plan_list_fini(&layer->commands);
    fini_rules(&layer->blocks_read);
    fini_rules(&layer->blocks_write);
    fini_rules(&layer->graph_read);
    fini_rules(&layer->chat_read);
    gw_json_unref(layer->source);
    gw_free(layer);
}
