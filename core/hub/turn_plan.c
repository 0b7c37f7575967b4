/* From what a turn touched to the steps that take it back. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/runs.h"
#include "hub/turn_items.h"

/* value: the two lists on their way */
struct plan {
    const struct gw_turn *turn;
    struct gw_json *steps, *skipped;
};

static struct gw_json *new_text(const char *text) { return gw_json_new_text(text, strlen(text)); }

/* ---- paths ---- */

static void append_escaped(struct gw_buffer *out, const char *name)
{
    for (; *name; name++) {
        if (*name == '~' || *name == '/')
            gw_buffer_append_text(out, *name == '~' ? "~0" : "~1");
        else
            gw_buffer_append_char(out, *name);
    }
}

static struct gw_json *path_of(const struct gw_turn_item *item)
{
    static const char *const members[] = {[GW_TURN_TOKEN] = "",        [GW_TURN_PROP] = "/props/", [GW_TURN_VIS] = "/vis",
                                          [GW_TURN_PLACE] = "/parent", [GW_TURN_TEXT] = "/text",   [GW_TURN_BLOCK] = ""};
    struct gw_buffer path;
    gw_buffer_init(&path, 0);
    if (item->kind == GW_TURN_TOKEN)
        gw_buffer_append_text(&path, "/tokens/");
    else
        gw_buffer_appendf(&path, "/canvases/%s/blocks/%s%s", item->canvas_id, item->block_id, members[item->kind]);
    append_escaped(&path, item->name ? item->name : "");
    struct gw_json *out = path.has_failed ? NULL : gw_json_new_text(path.data, path.length);
    gw_buffer_fini(&path);
    return out;
}

static int skip(struct plan *plan, const struct gw_turn_item *item, const char *reason)
{
    struct gw_json *entry = gw_json_new_object();
    if (entry && !gw_json_set(entry, "path", path_of(item)) && !gw_json_set(entry, "reason", new_text(reason)))
        return gw_json_append(plan->skipped, entry);
    gw_json_unref(entry);
    return GW_ENOMEM;
}

static int add_step(struct plan *plan, const char *type, const struct gw_turn_item *item, struct gw_json *args /* taken */)
{
    struct gw_json *step = gw_json_new_object();
    int status = step ? gw_json_set(step, "args", args) : GW_ENOMEM;
    if (!step)
        gw_json_unref(args);
    if (!status)
        status = gw_json_set(step, "type", new_text(type));
    if (!status)
        status = gw_json_set(step, "path", path_of(item));
    if (!status && item->canvas_id[0])
        status = gw_json_set(step, "canvas_id", new_text(item->canvas_id));
    if (!status)
        return gw_json_append(plan->steps, step);
    gw_json_unref(step);
    return status;
}

/* {id: block_id}, or NULL. */
static struct gw_json *new_args(const struct gw_turn_item *item)
{
    struct gw_json *args = gw_json_new_object();
    if (!args || !gw_json_set(args, "id", new_text(item->block_id)))
        return args;
    gw_json_unref(args);
    return NULL;
}

static const struct gw_turn_item *block_of(const struct plan *plan, const struct gw_turn_item *item)
{
    return gw_turn_find(plan->turn, GW_TURN_BLOCK, item->canvas_id, item->block_id, NULL);
}

/* ---- blocks that come back ---- */

static int set_or_remove(struct gw_json *object, const char *name, struct gw_json *value)
{
    if (value)
        return gw_json_set(object, name, gw_json_ref(value));
    gw_json_remove(object, name);
    return GW_OK;
}

static int apply_change(struct gw_buffer *text, const struct gw_json *change)
{
    size_t at = (size_t)gw_json_int(gw_json_get(change, "at")), del = (size_t)gw_json_int(gw_json_get(change, "del")), length;
    const char *ins = gw_json_text(gw_json_get(change, "ins"), &length);
    size_t from = gw_utf8_offset(text->data ? text->data : "", text->length, at);
    size_t to = gw_utf8_offset(text->data ? text->data : "", text->length, at + del);
    struct gw_buffer out;
    gw_buffer_init(&out, 0);
    gw_buffer_append(&out, text->data, from);
    gw_buffer_append(&out, ins, length);
    if (to < text->length)
        gw_buffer_append(&out, text->data + to, text->length - to);
    gw_buffer_fini(text);
    *text = out;
    return out.has_failed ? GW_ENOMEM : GW_OK;
}

static int restore_text(struct gw_json *content, const struct gw_runs *runs)
{
    struct gw_json *changes = gw_runs_invert(runs), *text = gw_json_get(content, "text");
    struct gw_buffer out;
    size_t length;
    const char *stood = gw_json_is_string(text) ? gw_json_text(text, &length) : NULL;
    int status = changes ? GW_OK : GW_ENOMEM;
    gw_buffer_init(&out, 0);
    if (stood)
        gw_buffer_append(&out, stood, length);
    for (size_t i = 0; !status && i < gw_json_count(changes); i++)
        status = apply_change(&out, gw_json_at(changes, i));
    if (!status)
        status = gw_json_set(content, "text", gw_json_new_text(out.data ? out.data : "", out.length));
    gw_buffer_fini(&out);
    gw_json_unref(changes);
    return status;
}

static int restore_field(struct gw_json *content, const struct gw_turn_item *field)
{
    if (!field->is_own || field->kind == GW_TURN_BLOCK)
        return GW_OK;
    if (field->kind == GW_TURN_PROP)
        return set_or_remove(gw_json_get(content, "props"), field->name, field->before);
    if (field->kind == GW_TURN_VIS)
        return set_or_remove(content, "vis", field->before);
    if (field->kind == GW_TURN_TEXT)
        return field->runs ? restore_text(content, field->runs) : GW_OK;
    if (!gw_json_is_object(field->before))
        return GW_OK;
    int status = set_or_remove(content, "parent", gw_json_get(field->before, "parent"));
    return status ? status : set_or_remove(content, "after", gw_json_get(field->before, "after"));
}

/* As it stood before the turn: what the turn wrote before it took the block away is taken back in the copy. */
static int add_return(struct plan *plan, const struct gw_turn_item *item)
{
    struct gw_json *content = gw_json_copy_deep(item->content), *args = gw_json_new_object();
    int status = content && args ? GW_OK : GW_ENOMEM;
    const struct gw_turn_item *field = gw_turn_block_items(plan->turn, item->canvas_id, item->block_id);
    for (; !status && field; field = field->neighbour)
        status = restore_field(content, field);
    if (!status)
        status = gw_json_set(args, "block", gw_json_ref(content));
    gw_json_unref(content);
    if (!status)
        return add_step(plan, "block.insert", item, args);
    gw_json_unref(args);
    return status;
}

static int plan_taken(struct plan *plan, const struct gw_turn_item *item)
{
    if (item->is_made)
        return GW_OK;
    if (item->is_foreign)
        return skip(plan, item, "changed_since");
    return item->content ? add_return(plan, item) : skip(plan, item, "too_large");
}

static int compare_taken(const void *a, const void *b)
{
    const struct gw_turn_item *left = *(const struct gw_turn_item *const *)a, *right = *(const struct gw_turn_item *const *)b;
    if (left->taken_at != right->taken_at)
        return left->taken_at > right->taken_at ? -1 : 1;
    return left->number < right->number ? -1 : left->number > right->number;
}

/* The last event first: what stood to the left then is back by the time that it is asked for. Parents come first within an event. */
static int plan_returns(struct plan *plan, const struct gw_turn_item **blocks, size_t count)
{
    int status = GW_OK;
    if (count > 1)
        qsort(blocks, count, sizeof *blocks, compare_taken);
    for (size_t i = 0; !status && i < count; i++)
        if (blocks[i]->is_taken)
            status = plan_taken(plan, blocks[i]);
    return status;
}

/* ---- places, fields, texts ---- */

static int plan_place(struct plan *plan, const struct gw_turn_item *item)
{
    if (!gw_json_is_object(item->before))
        return skip(plan, item, "not_kept");
    struct gw_json *args = new_args(item);
    if (args && !set_or_remove(args, "parent", gw_json_get(item->before, "parent")) &&
        !set_or_remove(args, "after", gw_json_get(item->before, "after")))
        return add_step(plan, "block.move", item, args);
    gw_json_unref(args);
    return GW_ENOMEM;
}

static int add_members(struct gw_json *args)
{
    int status = args ? gw_json_set(args, "set", gw_json_new_object()) : GW_ENOMEM;
    return status ? status : gw_json_set(args, "unset", gw_json_new_array());
}

static int put_member(struct gw_json *args, const struct gw_turn_item *item)
{
    if (item->kind == GW_TURN_VIS)
        return gw_json_set(args, "vis", item->before ? gw_json_ref(item->before) : gw_json_new_null());
    if (item->before)
        return gw_json_set(gw_json_get(args, "set"), item->name, gw_json_ref(item->before));
    return gw_json_append(gw_json_get(args, "unset"), new_text(item->name));
}

static int plan_field(struct plan *plan, const struct gw_turn_item *item)
{
    bool is_token = item->kind == GW_TURN_TOKEN;
    struct gw_json *args = is_token ? gw_json_new_object() : new_args(item);
    if (args && !add_members(args) && !put_member(args, item))
        return add_step(plan, is_token ? "token.set" : "block.update", item, args);
    gw_json_unref(args);
    return GW_ENOMEM;
}

static int plan_text(struct plan *plan, const struct gw_turn_item *item)
{
    if (!item->runs)
        return skip(plan, item, "too_many_changes");
    struct gw_json *changes = gw_runs_invert(item->runs);
    int status = changes ? GW_OK : GW_ENOMEM;
    for (size_t i = 0; !status && i < gw_json_count(changes); i++) {
        struct gw_json *args = gw_json_at(changes, i);
        status = gw_json_set(args, "id", new_text(item->block_id));
        if (!status)
            status = add_step(plan, "block.splice", item, gw_json_ref(args));
    }
    gw_json_unref(changes);
    return status;
}

static int plan_one(struct plan *plan, const struct gw_turn_item *item)
{
    const struct gw_turn_item *block = item->kind == GW_TURN_TOKEN ? NULL : block_of(plan, item);
    if (block) /* it goes, comes back or stays, and is told, as a whole */
        return GW_OK;
    if (!item->is_own)
        return skip(plan, item, "changed_since");
    if (item->kind == GW_TURN_PLACE)
        return plan_place(plan, item);
    return item->kind == GW_TURN_TEXT ? plan_text(plan, item) : plan_field(plan, item);
}

static int plan_kind(struct plan *plan, enum gw_turn_kind kind)
{
    int status = GW_OK;
    for (const struct gw_turn_item *item = plan->turn->first; !status && item; item = item->next)
        if (item->kind == kind)
            status = plan_one(plan, item);
    return status;
}

/* ---- blocks that go ---- */

static int plan_gone(struct plan *plan, const struct gw_turn_item *item)
{
    if (!item->is_made || item->is_taken)
        return GW_OK;
    if (item->is_foreign)
        return skip(plan, item, "changed_since");
    struct gw_json *args = new_args(item);
    return args ? add_step(plan, "block.remove", item, args) : GW_ENOMEM;
}

static int compare_made(const void *a, const void *b)
{
    const struct gw_turn_item *left = *(const struct gw_turn_item *const *)a, *right = *(const struct gw_turn_item *const *)b;
    return left->number > right->number ? -1 : left->number < right->number;
}

/* The last one first: children before what they were put into. */
static int plan_departures(struct plan *plan, const struct gw_turn_item **blocks, size_t count)
{
    int status = GW_OK;
    if (count > 1)
        qsort(blocks, count, sizeof *blocks, compare_made);
    for (size_t i = 0; !status && i < count; i++)
        status = plan_gone(plan, blocks[i]);
    return status;
}

/* ---- all ---- */

static int list_blocks(const struct gw_turn *turn, const struct gw_turn_item ***out, size_t *count)
{
    *count = 0;
    for (const struct gw_turn_item *item = turn->first; item; item = item->next)
        *count += item->kind == GW_TURN_BLOCK;
    *out = gw_try_grow(NULL, *count + 1, sizeof(const struct gw_turn_item *));
    if (!*out)
        return GW_ENOMEM;
    size_t at = 0;
    for (const struct gw_turn_item *item = turn->first; item; item = item->next)
        if (item->kind == GW_TURN_BLOCK)
            (*out)[at++] = item;
    return GW_OK;
}

static int plan_all(struct plan *plan)
{
    static const enum gw_turn_kind kinds[] = {GW_TURN_PLACE, GW_TURN_PROP, GW_TURN_VIS, GW_TURN_TOKEN, GW_TURN_TEXT};
    const struct gw_turn_item **blocks = NULL;
    size_t count;
    int status = list_blocks(plan->turn, &blocks, &count);
    if (!status)
        status = plan_returns(plan, blocks, count);
    for (size_t i = 0; !status && i < sizeof kinds / sizeof kinds[0]; i++)
        status = plan_kind(plan, kinds[i]);
    if (!status)
        status = plan_departures(plan, blocks, count);
    gw_free(blocks);
    return status;
}

int gw_turn_plan(const struct gw_turn *turn, struct gw_json **steps, struct gw_json **skipped)
{
    struct plan plan = {turn, gw_json_new_array(), gw_json_new_array()};
    int status = plan.steps && plan.skipped ? plan_all(&plan) : GW_ENOMEM;
    *steps = status ? NULL : plan.steps;
    *skipped = status ? NULL : plan.skipped;
    if (status) {
        gw_json_unref(plan.steps);
        gw_json_unref(plan.skipped);
    }
    return status;
}
