#include "hub/turn.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "base/map.h"
#include "hub/event.h"
#include "hub/lens.h"
#include "hub/project.h"
#include "hub/runs.h"
#include "hub/state_internal.h"
#include "hub/transform.h"
#include "hub/turn_items.h"

/* value: one op of one event, and whose it is */
struct feeding {
    struct gw_turn *turn;
    const struct gw_event *event;
    const struct gw_json *op;
    bool is_own;
    size_t op_index;
    bool is_projected;    /* `seen` is known */
    struct gw_json *seen; /* what the asker sees of the event; owned, NULL: nothing */
};

/* ---- items ---- */

struct gw_turn *gw_turn_create(const uint8_t seed[16], const struct gw_turn_key *key)
{
    struct gw_turn *turn = gw_try_alloc(sizeof *turn);
    if (!turn)
        return NULL;
    *turn = (struct gw_turn){.key = *key, .by_path = gw_map_create(seed), .by_block = gw_map_create(seed)};
    turn->last = &turn->first;
    return turn;
}

static void free_item(struct gw_turn_item *item)
{
    gw_json_unref(item->before);
    gw_json_unref(item->content);
    gw_runs_destroy(item->runs);
    gw_free(item->name);
    gw_free(item);
}

void gw_turn_destroy(struct gw_turn *turn)
{
    if (!turn)
        return;
    while (turn->first) {
        struct gw_turn_item *item = turn->first;
        turn->first = item->next;
        free_item(item);
    }
    gw_map_destroy(turn->by_path);
    gw_map_destroy(turn->by_block);
    gw_free(turn);
}

size_t gw_turn_count(const struct gw_turn *turn) { return turn->event_count; }
bool gw_turn_is_undone(const struct gw_turn *turn) { return turn->is_undone; }

/* The name under which an item is kept; ids hold no '/', so it is nobody else's. Freed by the caller; NULL when memory is gone. */
static char *path_of(enum gw_turn_kind kind, const char *canvas_id, const char *block_id, const char *name, size_t *length)
{
    bool has_name = kind == GW_TURN_TOKEN || kind == GW_TURN_PROP;
    size_t size = 2 * GW_ID_MAX + 8 + (has_name ? strlen(name) : 0);
    char *path = gw_try_alloc(size);
    if (path)
        *length = (size_t)snprintf(path, size, "%d/%s/%s/%s", (int)kind, canvas_id, block_id, has_name ? name : "");
    return path;
}

struct gw_turn_item *gw_turn_find(const struct gw_turn *turn, enum gw_turn_kind kind, const char *canvas_id, const char *block_id,
                                  const char *name)
{
    size_t length;
    char *path = path_of(kind, canvas_id, block_id, name, &length);
    struct gw_turn_item *item = path ? gw_map_get(turn->by_path, path, length) : NULL;
    gw_free(path);
    return item;
}

static struct gw_turn_item *new_item(const struct feeding *f, enum gw_turn_kind kind, const char *block_id, const char *name)
{
    struct gw_turn_item *item = gw_try_alloc(sizeof *item);
    char *copy = name ? gw_try_strndup(name, strlen(name)) : NULL;
    if (!item || (name && !copy)) {
        gw_free(item);
        gw_free(copy);
        return NULL;
    }
    *item = (struct gw_turn_item){.kind = kind, .name = copy};
    if (kind != GW_TURN_TOKEN)
        memcpy(item->canvas_id, f->event->canvas_id, sizeof item->canvas_id);
    memcpy(item->block_id, block_id, strlen(block_id) + 1);
    return item;
}

static size_t block_name(const char *canvas_id, const char *block_id, char out[2 * GW_ID_MAX + 2])
{
    return (size_t)snprintf(out, 2 * GW_ID_MAX + 2, "%s/%s", canvas_id, block_id);
}

struct gw_turn_item *gw_turn_block_items(const struct gw_turn *turn, const char *canvas_id, const char *block_id)
{
    char name[2 * GW_ID_MAX + 2];
    return gw_map_get(turn->by_block, name, block_name(canvas_id, block_id, name));
}

static int keep_item(struct gw_turn *turn, const char *path, size_t length, struct gw_turn_item *item)
{
    char name[2 * GW_ID_MAX + 2];
    void *older = NULL;
    if (gw_map_put(turn->by_path, path, length, item, NULL))
        return GW_ENOMEM;
    if (gw_map_put(turn->by_block, name, block_name(item->canvas_id, item->block_id, name), item, &older)) {
        gw_map_remove(turn->by_path, path, length);
        return GW_ENOMEM;
    }
    item->neighbour = older;
    item->number = turn->item_count++;
    *turn->last = item;
    turn->last = &item->next;
    return GW_OK;
}

/* The item; one that the turn touches is made. *item NULL: another's, and none of the turn. */
static int touch(const struct feeding *f, enum gw_turn_kind kind, const char *block_id, const char *name, struct gw_turn_item **item)
{
    const char *canvas_id = kind == GW_TURN_TOKEN ? "" : f->event->canvas_id;
    size_t length;
    char *path = strlen(block_id) <= GW_ID_MAX ? path_of(kind, canvas_id, block_id, name, &length) : NULL;
    *item = path ? gw_map_get(f->turn->by_path, path, length) : NULL;
    int status = path ? GW_OK : GW_ENOMEM;
    if (!status && !*item && f->is_own) {
        *item = new_item(f, kind, block_id, name);
        status = *item ? keep_item(f->turn, path, length, *item) : GW_ENOMEM;
        if (status && *item)
            free_item(*item);
    }
    gw_free(path);
    return status;
}

/* ---- fields ---- */

/* Somebody has written the field; `before` is what stood then, NULL when nothing did or when it is another who writes. */
static int write_field(const struct feeding *f, enum gw_turn_kind kind, const char *block_id, const char *name, struct gw_json *before)
{
    struct gw_turn_item *item;
    int status = touch(f, kind, block_id, name, &item);
    if (status || !item)
        return status;
    if (f->is_own && !item->is_own) {
        gw_json_unref(item->before);
        item->before = before ? gw_json_ref(before) : NULL;
    }
    item->is_own = f->is_own;
    return GW_OK;
}

static int write_fields(const struct feeding *f, enum gw_turn_kind kind, const char *block_id, const struct gw_json *patch)
{
    const struct gw_json *was = gw_json_get(f->event->context, "was"), *was_set = gw_json_is_object(was) ? gw_json_get(was, "set") : NULL;
    const struct gw_json *set = gw_json_get(patch, "set"), *unset = gw_json_get(patch, "unset");
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    int status = GW_OK;
    while (!status && gw_json_is_object(set) && gw_json_next(set, &iterator, &name, &value))
        status = write_field(f, kind, block_id, name, gw_json_is_object(was_set) ? gw_json_get(was_set, name) : NULL);
    for (size_t i = 0; !status && i < gw_json_count(unset); i++) {
        name = gw_json_text(gw_json_at(unset, i), NULL);
        status = write_field(f, kind, block_id, name, gw_json_is_object(was_set) ? gw_json_get(was_set, name) : NULL);
    }
    return status;
}

/* ---- blocks ---- */

static struct gw_turn_item *find_block(const struct feeding *f, const char *id)
{
    return gw_turn_find(f->turn, GW_TURN_BLOCK, f->event->canvas_id, id, NULL);
}

static bool names_block(const struct gw_json *op, const char *id)
{
    const char *own = gw_state_text_member(op, "id"), *parent = gw_state_text_member(op, "parent");
    return (own && strcmp(own, id) == 0) || (parent && strcmp(parent, id) == 0);
}

/* Does the asker see that the event is about the block? Else an undo that leaves the block alone would tell. */
static int is_seen(struct feeding *f, const char *id, bool *out)
{
    const struct gw_lens lens = {f->turn->key.plan, NULL};
    *out = gw_lens_is_clear(lens.plan ? &lens : NULL);
    if (*out)
        return GW_OK;
    int visible = f->is_projected ? GW_OK : gw_project_change(f->event, &lens, &f->seen);
    if (visible < 0)
        return visible;
    f->is_projected = true;
    const struct gw_json *ops = f->seen ? gw_json_get(f->seen, "ops") : NULL;
    for (size_t i = 0; ops && !*out && i < gw_json_count(ops); i++)
        *out = names_block(gw_json_at(ops, i), id);
    return GW_OK;
}

/* Another has touched a block: what the turn made stays, what it took away may have come back. */
static int touch_block(struct feeding *f, const char *id)
{
    struct gw_turn_item *item = id && !f->is_own ? find_block(f, id) : NULL;
    bool counts;
    if (!item || item->is_foreign)
        return GW_OK;
    int status = is_seen(f, id, &counts);
    if (!status)
        item->is_foreign = counts;
    return status;
}

static int feed_insert(struct feeding *f, const char *id)
{
    struct gw_turn_item *item;
    int status = touch_block(f, gw_state_text_member(f->op, "parent"));
    if (!status)
        status = touch_block(f, id);
    if (!status && f->is_own)
        status = touch(f, GW_TURN_BLOCK, id, NULL, &item);
    if (status || !f->is_own)
        return status;
    /* Taken away and brought back in one turn: nothing that could be said in one step. */
    item->is_foreign |= item->is_taken;
    item->is_made = true;
    return GW_OK;
}

static int feed_update(struct feeding *f, const char *id)
{
    const struct gw_json *was = gw_json_get(f->event->context, "was");
    struct gw_json *former_vis = gw_json_is_object(was) ? gw_json_get(was, "vis") : NULL;
    int status = touch_block(f, id);
    if (!status)
        status = write_fields(f, GW_TURN_PROP, id, f->op);
    if (!status && gw_json_get(f->op, "vis"))
        status = write_field(f, GW_TURN_VIS, id, NULL, gw_json_is_string(former_vis) ? former_vis : NULL);
    return status;
}

static int feed_move(struct feeding *f, const char *id)
{
    int status = touch_block(f, id);
    if (!status)
        status = touch_block(f, gw_state_text_member(f->op, "parent"));
    return status ? status : write_field(f, GW_TURN_PLACE, id, NULL, gw_json_get(f->event->context, "was"));
}

static int take_block(const struct feeding *f, const char *id, struct gw_json *content)
{
    struct gw_turn_item *item;
    int status = touch(f, GW_TURN_BLOCK, id, NULL, &item);
    if (status)
        return status;
    gw_json_unref(item->content);
    item->content = content ? gw_json_ref(content) : NULL;
    item->is_taken = true;
    item->taken_at = f->turn->event_count;
    return GW_OK;
}

static int feed_remove(struct feeding *f, const char *id)
{
    const struct gw_json *was = gw_json_get(f->event->context, "was");
    int status = touch_block(f, id);
    if (status || !f->is_own)
        return status;
    if (!gw_json_is_array(was))
        return take_block(f, id, NULL);
    for (size_t i = 0; !status && i < gw_json_count(was); i++) {
        const char *block = gw_state_text_member(gw_json_at(was, i), "id");
        status = block ? take_block(f, block, gw_json_at(was, i)) : GW_OK;
    }
    return status;
}

/* ---- texts ---- */

static uint32_t read_points(const struct gw_json *value)
{
    return gw_json_is_int(value) && gw_json_int(value) >= 0 && gw_json_int(value) <= INT32_MAX ? (uint32_t)gw_json_int(value) : 0;
}

static int feed_splice(struct feeding *f, const char *id)
{
    const struct gw_turn_item *block = find_block(f, id);
    const struct gw_json *ins = gw_json_get(f->op, "ins"), *cut = gw_json_at(gw_json_get(f->event->context, "was"), f->op_index);
    struct gw_turn_item *item;
    int status = touch_block(f, id);
    if (status || (block && block->is_made))
        return status;
    status = touch(f, GW_TURN_TEXT, id, NULL, &item);
    if (status || !item)
        return status;
    if (!item->is_own && !item->runs) {
        item->runs = gw_runs_create();
        item->is_own = true;
        if (!item->runs)
            return GW_ENOMEM;
    }
    if (!item->runs)
        return GW_OK;
    size_t length = 0;
    const char *text = gw_json_is_string(ins) ? gw_json_text(ins, &length) : "";
    struct gw_splice splice = {.at = read_points(gw_json_get(f->op, "at")), .del = read_points(gw_json_get(f->op, "del"))};
    splice.ins = (uint32_t)gw_utf8_count(text, length, NULL);
    status = gw_runs_splice(item->runs, &splice, f->is_own, gw_json_is_string(cut) ? gw_json_text(cut, NULL) : NULL);
    if (!status && gw_runs_count(item->runs) > GW_TURN_RUNS_MAX) {
        gw_runs_destroy(item->runs);
        item->runs = NULL;
    }
    return status;
}

/* ---- events ---- */

static int feed_op(struct feeding *f)
{
    static const struct {
        const char *name;
        int (*feed)(struct feeding *f, const char *id);
    } ops[] = {{"insert", feed_insert}, {"update", feed_update}, {"move", feed_move}, {"remove", feed_remove}, {"splice", feed_splice}};
    const char *name = gw_state_text_member(f->op, "op"), *id = gw_state_text_member(f->op, "id");
    for (size_t i = 0; name && id && i < sizeof ops / sizeof ops[0]; i++)
        if (strcmp(name, ops[i].name) == 0)
            return ops[i].feed(f, id);
    return GW_OK;
}

static int feed_ops(struct feeding *f)
{
    const struct gw_json *ops = gw_json_get(f->event->data, "ops");
    int status = GW_OK;
    for (f->op_index = 0; !status && f->op_index < gw_json_count(ops); f->op_index++) {
        f->op = gw_json_at(ops, f->op_index);
        status = feed_op(f);
    }
    gw_json_unref(f->seen);
    f->seen = NULL;
    return status;
}

bool gw_turn_owns(const struct gw_turn_key *key, const struct gw_event *event)
{
    char name[GW_ORIGIN_NAME_MAX + 1];
    if (strcmp(event->actor.id, key->actor_id) != 0)
        return false;
    if (key->command_id)
        return strcmp(event->cause, key->command_id) == 0;
    const char *origin = gw_state_text_member(event->context, "origin");
    snprintf(name, sizeof name, "%s %s", key->actor_id, key->origin);
    return origin && strcmp(origin, name) == 0;
}

bool gw_turn_begins(const struct gw_turn_key *key, const struct gw_event *event)
{
    const struct gw_json *n = gw_json_is_object(event->context) ? gw_json_get(event->context, "n") : NULL;
    return !key->command_id && gw_json_is_int(n) && gw_json_int(n) == 1 && gw_turn_owns(key, event);
}

static bool undoes(const struct gw_turn_key *key, const struct gw_event *event)
{
    const struct gw_json *named = gw_json_is_object(event->context) ? gw_json_get(event->context, "undoes") : NULL;
    const char *text = gw_state_text_member(named, key->command_id ? "of" : "origin");
    return text && strcmp(event->actor.id, key->actor_id) == 0 && strcmp(text, key->command_id ? key->command_id : key->origin) == 0;
}

int gw_turn_feed(struct gw_turn *turn, const struct gw_event *event, struct gw_error *err)
{
    struct feeding f = {.turn = turn, .event = event, .is_own = gw_turn_owns(&turn->key, event)};
    int status = GW_OK;
    turn->is_undone |= undoes(&turn->key, event);
    if (f.is_own && ++turn->event_count > GW_TURN_EVENTS_MAX)
        return gw_error_limit(err, "limit_undo", "max_undone_events", GW_TURN_EVENTS_MAX, "one undo may take back %d events",
                              GW_TURN_EVENTS_MAX);
    if (event->type == GW_EVENT_TOKEN_PATCH)
        status = write_fields(&f, GW_TURN_TOKEN, "", event->data);
    else if (event->type == GW_EVENT_STATE_PATCH && event->canvas_id[0])
        status = feed_ops(&f);
    return status ? gw_error_set(err, status, "out_of_memory", "no memory for what the turn changed") : GW_OK;
}
