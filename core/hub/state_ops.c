#include "hub/state_ops.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/state_internal.h"

/* value: one event being folded */
struct folding {
    struct gw_canvas *canvas;
    const struct gw_event *event;
    const struct gw_json *op;
    struct gw_error *err;
};

static int damaged(const struct folding *f, const char *what)
{
    return gw_error_set(f->err, GW_EINVAL, "bad_event", "event %llu does not fit: %s", (unsigned long long)f->event->seq, what);
}

static int out_of_memory(const struct folding *f) { return gw_error_set(f->err, GW_ENOMEM, "out_of_memory", "no memory to fold an event"); }

/* The block that member `name` of the op names. */
static struct gw_block *find(const struct folding *f, const char *name)
{
    const char *id = gw_state_text_member(f->op, name);
    return id ? gw_blocks_find(f->canvas->blocks, id) : NULL;
}

/* *parent: NULL for the root. False when it names no block. */
static bool find_parent(const struct folding *f, struct gw_block **parent)
{
    const struct gw_json *value = gw_json_get(f->op, "parent");
    *parent = gw_json_is_string(value) ? find(f, "parent") : NULL;
    return *parent || gw_json_is_null(value);
}

/* ---- insert, update, move, remove, relabel ----------------------------------------------------------------------------------------------
 */

static int fold_insert(const struct folding *f)
{
    struct gw_block_insert insert = {.id = gw_state_text_member(f->op, "id"),
                                     .kind = gw_state_text_member(f->op, "kind"),
                                     .vis = gw_state_text_member(f->op, "vis"),
                                     .author = gw_actor_kind_name(f->event->actor.kind),
                                     .by = f->event->actor.id,
                                     .label = gw_state_text_member(f->op, "pos"),
                                     .props = gw_json_get(f->op, "props"),
                                     .seq = f->event->seq};
    const struct gw_json *text = gw_json_get(f->op, "text");
    const char *author = gw_state_text_member(f->event->context, "author"), *by = gw_state_text_member(f->event->context, "by");
    struct gw_block *block;
    if (author)
        insert.author = author;
    if (by)
        insert.by = by;
    if (!insert.id || !insert.kind || !insert.label || !gw_json_is_object(insert.props) || !gw_json_is_string(text) ||
        !find_parent(f, &insert.parent))
        return damaged(f, "an insert lacks a member or its parent");
    insert.text = gw_json_text(text, &insert.text_bytes);
    return gw_blocks_insert(f->canvas->blocks, &insert, &block, f->err);
}

static int fold_update(const struct folding *f)
{
    const struct gw_json *vis = gw_json_get(f->op, "vis");
    struct gw_block_update update = {.block = find(f, "id"), .set = gw_json_get(f->op, "set"), .unset = gw_json_get(f->op, "unset")};
    if (vis)
        update.vis = gw_json_is_string(vis) ? gw_json_text(vis, NULL) : "";
    if (!update.block || !gw_json_is_object(update.set) || !gw_json_is_array(update.unset))
        return damaged(f, "an update lacks a member or its block");
    return gw_blocks_update(f->canvas->blocks, &update, f->err);
}

static int fold_move(const struct folding *f)
{
    struct gw_block *block = find(f, "id"), *parent;
    const char *label = gw_state_text_member(f->op, "pos");
    if (!block || !label || !find_parent(f, &parent))
        return damaged(f, "a move lacks a member, its block or its parent");
    return gw_blocks_move(f->canvas->blocks, block, parent, label, f->err);
}

static int fold_remove(const struct folding *f)
{
    struct gw_block *block = find(f, "id");
    return block ? gw_blocks_remove(f->canvas->blocks, block, f->event->seq, f->err) : damaged(f, "a remove has no block");
}

static int fold_relabel(const struct folding *f)
{
    const struct gw_json *labels = gw_json_get(f->op, "pos");
    struct gw_relabel relabels[GW_ORDER_RELABEL_MAX];
    size_t count = 0;
    void *iterator = NULL;
    const char *id;
    struct gw_json *label;
    if (!gw_json_is_object(labels) || gw_json_count(labels) > GW_ORDER_RELABEL_MAX)
        return damaged(f, "a relabel has no labels");
    while (gw_json_next(labels, &iterator, &id, &label)) {
        struct gw_relabel *relabel = &relabels[count++];
        size_t length = 0;
        const char *text = gw_json_is_string(label) ? gw_json_text(label, &length) : "";
        relabel->block = gw_blocks_find(f->canvas->blocks, id);
        if (!relabel->block || !gw_order_is_valid(text, length))
            return damaged(f, "a relabel names no block or no label");
        memcpy(relabel->label.text, text, length + 1);
    }
    return gw_blocks_relabel(f->canvas->blocks, relabels, count, f->err);
}

/* ---- splice
 * ------------------------------------------------------------------------------------------------------------------------------- */

#define SPLICES_MAX 16

static bool read_count(const struct gw_json *value, uint32_t *out)
{
    if (!gw_json_is_int(value) || gw_json_int(value) < 0 || gw_json_int(value) > UINT32_MAX)
        return false;
    *out = (uint32_t)gw_json_int(value);
    return true;
}

/* The ops of the event as one operation: the insert stands in the first. */
static int join_splices(const struct folding *f, const struct gw_json *ops, struct gw_splice *splices, struct gw_text_op *out)
{
    uint32_t count = (uint32_t)gw_json_count(ops);
    for (uint32_t i = 0; i < count; i++) {
        const struct gw_json *op = gw_json_at(ops, i), *ins = gw_json_get(op, "ins");
        if (!read_count(gw_json_get(op, "at"), &splices[i].at) || !read_count(gw_json_get(op, "del"), &splices[i].del) ||
            !gw_json_is_string(ins))
            return damaged(f, "a splice lacks a member");
        size_t length;
        const char *text = gw_json_text(ins, &length);
        splices[i].ins = (uint32_t)gw_text_piece(text, length).points;
    }
    int status = gw_text_op_join(splices, count, out);
    if (status == GW_ENOMEM)
        return out_of_memory(f);
    return status ? damaged(f, "its splices are not one edit") : GW_OK;
}

static int join_ops(const struct folding *f, const struct gw_json *ops, struct gw_text_op *out)
{
    struct gw_splice few[SPLICES_MAX], *splices = few;
    size_t count = gw_json_count(ops);
    if (count > SPLICES_MAX)
        splices = gw_try_grow(NULL, count, sizeof *splices);
    if (!splices)
        return out_of_memory(f);
    int status = join_splices(f, ops, splices, out);
    if (splices != few)
        gw_free(splices);
    return status;
}

static int read_edit(const struct folding *f, struct gw_splice_edit *edit)
{
    const struct gw_json *context = f->event->context, *written = gw_json_get(context, "written"), *base = gw_json_get(context, "base");
    const char *by = gw_state_text_member(context, "by");
    *edit = (struct gw_splice_edit){.origin = by ? by : gw_state_text_member(context, "origin"), .seq = f->event->seq};
    if (!gw_json_is_int(base) || gw_json_int(base) < 0 || gw_json_count(written) != 3 || !gw_json_is_array(written))
        return damaged(f, "a splice lacks its context");
    edit->base_seq = (uint64_t)gw_json_int(base);
    if (!read_count(gw_json_at(written, 0), &edit->written.at) || !read_count(gw_json_at(written, 1), &edit->written.del) ||
        !read_count(gw_json_at(written, 2), &edit->written.ins))
        return damaged(f, "a splice's context is no splice");
    return GW_OK;
}

/* `ops` NULL: the edit came to nothing, but its author's next ones stand on it. */
static int fold_splice(const struct folding *f, const struct gw_json *ops)
{
    struct gw_splice_edit edit;
    static const struct gw_splice nothing;
    struct gw_text_op op;
    gw_text_op_init(&op, &nothing);
    const char *id = gw_state_text_member(f->event->context, "block");
    struct gw_block *block = id ? gw_blocks_find(f->canvas->blocks, id) : NULL;
    if (!block)
        return damaged(f, "a splice has no block");
    int status = read_edit(f, &edit);
    if (!status && ops)
        status = join_ops(f, ops, &op);
    if (!status) {
        struct gw_block_splice splice = {.block = block, .edit = &edit, .resolved = &op, .ins = ""};
        if (ops)
            splice.ins = gw_json_text(gw_json_get(gw_json_at(ops, 0), "ins"), &splice.ins_bytes);
        status = gw_blocks_splice(f->canvas->blocks, &splice, f->err);
    }
    gw_text_op_fini(&op);
    return status;
}

/* ---- all
 * ---------------------------------------------------------------------------------------------------------------------------------- */

static int fold_op(const struct folding *f)
{
    static const struct {
        const char *name;
        int (*fold)(const struct folding *f);
    } ops[] = {{"insert", fold_insert}, {"update", fold_update}, {"move", fold_move}, {"remove", fold_remove}, {"relabel", fold_relabel}};
    const char *name = gw_state_text_member(f->op, "op");
    for (size_t i = 0; name && i < sizeof ops / sizeof ops[0]; i++)
        if (strcmp(name, ops[i].name) == 0)
            return ops[i].fold(f);
    return damaged(f, "an unknown operation");
}

int gw_state_fold_ops(struct gw_state *state, const struct gw_event *event, struct gw_error *err)
{
    const struct gw_json *ops = event->data ? gw_json_get(event->data, "ops") : NULL;
    bool is_splice = event->context && gw_json_get(event->context, "written");
    struct folding f = {gw_state_canvas(state, event->canvas_id), event, NULL, err};
    if (event->type == GW_EVENT_VOID && !is_splice)
        return GW_OK;
    if (!f.canvas || (event->type == GW_EVENT_STATE_PATCH && !gw_json_is_array(ops)))
        return damaged(&f, "it names no canvas, or has no operations");
    if (is_splice)
        return fold_splice(&f, event->type == GW_EVENT_VOID ? NULL : ops);
    int status = GW_OK;
    for (size_t i = 0; !status && i < gw_json_count(ops); i++) {
        f.op = gw_json_at(ops, i);
        status = fold_op(&f);
    }
    return status;
}
