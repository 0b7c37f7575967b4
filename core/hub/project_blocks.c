/* state_patch of a canvas. A lens decides by the event's facets alone; see state_internal.h. */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/event.h"
#include "hub/project_internal.h"

/* value: one event on its way */
struct patch {
    const struct gw_event *event;
    const struct gw_lens *lens;
    const struct gw_json *blocks; /* facets by id */
    struct gw_seen_list ops;
};

/* ---- who is seen ---- */

static const struct gw_json *facets_of(const struct patch *p, const char *id) { return id ? gw_json_get(p->blocks, id) : NULL; }

static struct gw_plan_thing thing_of(const struct patch *p, const struct gw_json *entry, bool is_before)
{
    struct gw_plan_thing thing = gw_project_thing(p->event, entry, is_before);
    thing.canvas_type = gw_project_text(p->event->facets, "canvas_type");
    const struct gw_json *sidecars = gw_json_get(p->event->facets, "sidecars");
    thing.sidecars = sidecars && thing.kind ? gw_json_get(sidecars, thing.kind) : NULL;
    return thing;
}

/* What is not in the facets cannot be judged, and so is not seen. */
static bool is_seen(const struct patch *p, const char *id, bool is_before)
{
    const struct gw_json *entry = facets_of(p, id);
    if (!entry)
        return false;
    struct gw_plan_thing thing = thing_of(p, entry, is_before);
    return gw_plan_reads_block(p->lens->plan, &thing);
}

static bool is_parent_seen(const struct patch *p, const struct gw_json *parent)
{
    return !gw_json_is_string(parent) || is_seen(p, gw_json_text(parent, NULL), false);
}

/* ---- making ops ---- */

static struct gw_json *text_json(const char *text) { return gw_json_new_text(text, strlen(text)); }

static struct gw_json *new_op(const char *name, const char *id)
{
    struct gw_json *op = gw_json_new_object();
    if (!op || (!gw_json_set(op, "op", text_json(name)) && !gw_json_set(op, "id", text_json(id))))
        return op;
    gw_json_unref(op);
    return NULL;
}

/* `parent` as it is seen: at the root, and an orphan, when it is not. */
static int set_parent(const struct patch *p, struct gw_json *op, struct gw_json *parent)
{
    if (is_parent_seen(p, parent))
        return gw_json_set(op, "parent", gw_json_ref(parent));
    int status = gw_json_set(op, "parent", gw_json_new_null());
    return status ? status : gw_json_set(op, "orphan", gw_json_new_bool(true));
}

/* A finished op, or NULL with what it was made of gone. */
static struct gw_json *close_op(struct gw_json *op, int status)
{
    if (!status)
        return op;
    gw_json_unref(op);
    return NULL;
}

static bool shows_whole(const struct patch *p, const struct gw_plan_thing *thing)
{
    return !p->lens->plan->transform && gw_plan_shows_text(p->lens->plan, thing);
}

/* An insert of `block` as it now is. Its members stand as in one that is seen as it was made (resolve_insert.c): their order may not tell that something was
 * left out. */
static struct gw_json *make_insert(const struct patch *p, const char *id, const struct gw_plan_thing *thing, const struct gw_json *block)
{
    struct gw_seen_block given = {gw_json_get(block, "props"), gw_json_get(block, "text")}, seen;
    if (gw_lens_block(p->lens, id, thing, &given, &seen))
        return NULL;
    struct gw_json *op = new_op("insert", id), *vis = gw_json_get(block, "vis");
    int status = op ? gw_json_set(op, "text", gw_json_ref(seen.text)) : GW_ENOMEM;
    if (!status)
        status = gw_json_set(op, "kind", gw_json_ref(gw_json_get(block, "kind")));
    if (!status)
        status = set_parent(p, op, gw_json_get(block, "parent"));
    if (!status)
        status = gw_json_set(op, "pos", gw_json_ref(gw_json_get(block, "pos")));
    if (!status)
        status = gw_json_set(op, "props", gw_json_ref(seen.props));
    if (!status && gw_json_is_string(vis))
        status = gw_json_set(op, "vis", gw_json_ref(vis));
    gw_seen_block_fini(&seen);
    return close_op(op, status);
}

/* ---- insert, move, relabel ---- */

static void on_insert(struct patch *p, struct gw_json *op, const char *id, const struct gw_json *entry)
{
    struct gw_plan_thing thing = thing_of(p, entry, false);
    struct gw_json *props = gw_lens_props(p->lens, &thing, gw_json_get(op, "props"));
    bool is_whole = props && props == gw_json_get(op, "props") && shows_whole(p, &thing) && is_parent_seen(p, gw_json_get(op, "parent"));
    gw_json_unref(props);
    if (is_whole)
        gw_seen_list_keep(&p->ops, op);
    else
        gw_seen_list_make(&p->ops, make_insert(p, id, &thing, op));
}

static struct gw_json *make_move(const struct patch *p, const char *id, struct gw_json *parent, struct gw_json *pos)
{
    struct gw_json *op = new_op("move", id);
    int status = op ? set_parent(p, op, parent) : GW_ENOMEM;
    return close_op(op, status ? status : gw_json_set(op, "pos", gw_json_ref(pos)));
}

static void on_move(struct patch *p, struct gw_json *op, const char *id)
{
    struct gw_json *parent = gw_json_get(op, "parent");
    if (is_parent_seen(p, parent))
        gw_seen_list_keep(&p->ops, op);
    else
        gw_seen_list_make(&p->ops, make_move(p, id, parent, gw_json_get(op, "pos")));
}

static void on_relabel(struct patch *p, struct gw_json *op)
{
    struct gw_json *labels = gw_json_get(op, "pos"), *seen = gw_json_new_object(), *made = NULL;
    void *iterator = NULL;
    const char *id;
    struct gw_json *label;
    int status = seen ? GW_OK : GW_ENOMEM;
    while (!status && gw_json_next(labels, &iterator, &id, &label))
        if (is_seen(p, id, false))
            status = gw_json_set(seen, id, gw_json_ref(label));
    size_t count = gw_json_count(seen);
    if (!status && count == gw_json_count(labels)) {
        gw_seen_list_keep(&p->ops, op);
    } else if (status || count) {
        made = status ? NULL : gw_json_new_object();
        status = made && !gw_json_set(made, "op", text_json("relabel")) ? gw_json_set(made, "pos", gw_json_ref(seen)) : GW_ENOMEM;
        gw_seen_list_make(&p->ops, close_op(made, status));
    } else {
        gw_seen_list_drop(&p->ops);
    }
    gw_json_unref(seen);
}

/* ---- update ---- */

static struct gw_json *seen_names(const struct patch *p, const struct gw_plan_thing *thing, struct gw_json *names)
{
    struct gw_json *out = gw_json_new_array();
    for (size_t i = 0; out && i < gw_json_count(names); i++) {
        struct gw_json *name = gw_json_at(names, i);
        if (gw_plan_shows_prop(p->lens->plan, thing, gw_json_text(name, NULL)) && gw_json_append(out, gw_json_ref(name))) {
            gw_json_unref(out);
            out = NULL;
        }
    }
    return out;
}

static struct gw_json *make_update(const char *id, struct gw_json *set, struct gw_json *unset, struct gw_json *text, struct gw_json *vis)
{
    struct gw_json *op = new_op("update", id);
    int status = op && set && unset ? gw_json_set(op, "set", gw_json_ref(set)) : GW_ENOMEM;
    if (!status)
        status = gw_json_set(op, "unset", gw_json_ref(unset));
    if (!status && text)
        status = gw_json_set(op, "text", gw_json_ref(text));
    if (!status && vis)
        status = gw_json_set(op, "vis", gw_json_ref(vis));
    return close_op(op, status);
}

static void update_plainly(struct patch *p, struct gw_json *op, const char *id, const struct gw_plan_thing *thing)
{
    struct gw_json *given_set = gw_json_get(op, "set"), *given_unset = gw_json_get(op, "unset"), *vis = gw_json_get(op, "vis");
    struct gw_json *set = gw_lens_props(p->lens, thing, given_set), *unset = seen_names(p, thing, given_unset);
    bool is_whole = set == given_set && gw_json_count(unset) == gw_json_count(given_unset);
    if (set && unset && is_whole)
        gw_seen_list_keep(&p->ops, op);
    else if (set && unset && !vis && gw_json_count(set) + gw_json_count(unset) == 0)
        gw_seen_list_drop(&p->ops);
    else
        gw_seen_list_make(&p->ops, make_update(id, set, unset, NULL, vis));
    gw_json_unref(set);
    gw_json_unref(unset);
}

/* Properties that stand, or were just taken away, and that the transform does not show. */
static struct gw_json *names_not_in(const struct gw_json *seen, const struct gw_json *all, struct gw_json *unset)
{
    struct gw_json *out = unset ? gw_json_copy_deep(unset) : gw_json_new_array();
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    while (out && gw_json_next(all, &iterator, &name, &value)) {
        if (!gw_json_get(seen, name) && gw_json_append(out, text_json(name))) {
            gw_json_unref(out);
            out = NULL;
        }
    }
    return out;
}

/* Of what a transform gets, nothing has changed. */
static bool changes_nothing_seen(const struct patch *p, const struct gw_plan_thing *thing, const struct gw_json *op)
{
    void *iterator = NULL;
    const char *name;
    struct gw_json *value, *unset = gw_json_get(op, "unset");
    if (!gw_json_get(op, "set") || gw_json_get(op, "vis"))
        return false; /* a splice, or a label */
    while (gw_json_next(gw_json_get(op, "set"), &iterator, &name, &value))
        if (gw_plan_shows_prop(p->lens->plan, thing, name))
            return false;
    for (size_t i = 0; i < gw_json_count(unset); i++)
        if (gw_plan_shows_prop(p->lens->plan, thing, gw_json_text(gw_json_at(unset, i), NULL)))
            return false;
    return true;
}

/* A transform may make anything of any change, so the whole of what it makes goes out. */
static void update_transformed(struct patch *p, const char *id, const struct gw_plan_thing *thing, const struct gw_json *op)
{
    const struct gw_json *block = gw_json_get(facets_of(p, id), "block");
    struct gw_json *unset = gw_json_get(op, "unset"), *vis = gw_json_get(op, "vis");
    if (!block || changes_nothing_seen(p, thing, op)) {
        gw_seen_list_drop(&p->ops); /* or it is from before its tenant had a transform */
        return;
    }
    struct gw_seen_block given = {gw_json_get(block, "props"), gw_json_get(block, "text")}, seen;
    if (gw_lens_block(p->lens, id, thing, &given, &seen)) {
        gw_seen_list_make(&p->ops, NULL);
        return;
    }
    struct gw_json *shown = gw_lens_props(p->lens, thing, given.props), *cut = unset ? seen_names(p, thing, unset) : NULL;
    struct gw_json *gone = shown ? names_not_in(seen.props, shown, cut) : NULL;
    gw_seen_list_make(&p->ops, make_update(id, seen.props, gone, seen.text, vis));
    gw_json_unref(shown);
    gw_json_unref(cut);
    gw_json_unref(gone);
    gw_seen_block_fini(&seen);
}

/* The children of a block that appears or goes, those that are seen: `parent` is where they hang from now on. */
static void move_children(struct patch *p, const struct gw_json *entry, const char *parent)
{
    const struct gw_json *children = gw_json_get(entry, "children");
    void *iterator = NULL;
    const char *id;
    struct gw_json *pos;
    while (children && gw_json_next(children, &iterator, &id, &pos)) {
        if (!is_seen(p, id, false))
            continue;
        struct gw_json *above = text_json(parent);
        gw_seen_list_make(&p->ops, above ? make_move(p, id, above, pos) : NULL);
        gw_json_unref(above);
    }
}

static void on_update(struct patch *p, struct gw_json *op, const char *id, const struct gw_json *entry)
{
    bool was_seen = is_seen(p, id, true), now_seen = is_seen(p, id, false);
    struct gw_plan_thing thing = thing_of(p, entry, false);
    const struct gw_json *block = gw_json_get(entry, "block");
    if (was_seen && now_seen && p->lens->plan->transform) {
        update_transformed(p, id, &thing, op);
    } else if (was_seen && now_seen) {
        update_plainly(p, op, id, &thing);
    } else if (now_seen && block) {
        gw_seen_list_make(&p->ops, make_insert(p, id, &thing, block));
        move_children(p, entry, id);
    } else if (was_seen) {
        move_children(p, entry, id); /* first, or they would go with it */
        gw_seen_list_make(&p->ops, new_op("remove", id));
    } else {
        gw_seen_list_drop(&p->ops);
    }
}

/* ---- remove, splice ---- */

/* The blocks that go are all in the facets; each of them that hangs at the root for this class goes by an op of its own. */
static void on_remove(struct patch *p, struct gw_json *op, const char *top)
{
    void *iterator = NULL;
    const char *id;
    struct gw_json *entry;
    while (gw_json_next(p->blocks, &iterator, &id, &entry)) {
        bool is_top = strcmp(id, top) == 0;
        const struct gw_json *parent = gw_json_get(entry, "parent");
        if (!gw_json_get(entry, "is") || !is_seen(p, id, false))
            continue;
        if (is_top)
            gw_seen_list_keep(&p->ops, op);
        else if (!is_parent_seen(p, parent))
            gw_seen_list_make(&p->ops, new_op("remove", id));
    }
    if (!is_seen(p, top, false))
        gw_seen_list_drop(&p->ops);
}

static void on_splice(struct patch *p, struct gw_json *op, const char *id, const struct gw_json *entry, bool is_first)
{
    struct gw_plan_thing thing = thing_of(p, entry, false);
    if (p->lens->plan->transform && is_first)
        update_transformed(p, id, &thing, op);
    else if (!p->lens->plan->transform && gw_plan_shows_text(p->lens->plan, &thing))
        gw_seen_list_keep(&p->ops, op);
    else
        gw_seen_list_drop(&p->ops);
}

/* ---- all ---- */

static void project_op(struct patch *p, struct gw_json *op, bool is_first)
{
    const char *name = gw_project_text(op, "op"), *id = gw_project_text(op, "id");
    const struct gw_json *entry = facets_of(p, id);
    if (name && strcmp(name, "relabel") == 0)
        on_relabel(p, op);
    else if (!name || !entry)
        gw_seen_list_drop(&p->ops);
    else if (strcmp(name, "remove") == 0)
        on_remove(p, op, id);
    else if (strcmp(name, "update") == 0)
        on_update(p, op, id, entry);
    else if (!is_seen(p, id, false))
        gw_seen_list_drop(&p->ops);
    else if (strcmp(name, "insert") == 0)
        on_insert(p, op, id, entry);
    else if (strcmp(name, "move") == 0)
        on_move(p, op, id);
    else if (strcmp(name, "splice") == 0)
        on_splice(p, op, id, entry, is_first);
    else
        gw_seen_list_drop(&p->ops);
}

int gw_project_blocks(const struct gw_event *event, const struct gw_lens *lens, struct gw_json **data)
{
    const struct gw_json *ops = gw_json_get(event->data, "ops"), *blocks = event->facets ? gw_json_get(event->facets, "blocks") : NULL;
    struct patch patch = {.event = event, .lens = lens, .blocks = blocks, .ops = {.given = ops}};
    if (!blocks)
        return 0;
    for (size_t i = 0; i < gw_json_count(ops); i++)
        project_op(&patch, gw_json_at(ops, i), i == 0);
    return gw_seen_list_finish(&patch.ops, "ops", event->data, data);
}
