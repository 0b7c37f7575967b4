#include "hub/erasure.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/authors.h"
#include "hub/chat.h"
#include "hub/state_internal.h"
#include "hub/tokens.h"
#include "hub/transform.h"

/* value: what is taken out, and where */
struct erasing {
    struct gw_state *state;
    uint32_t writer;
    size_t count;
    struct gw_error *err;
};

static int no_memory(const struct erasing *e) { return gw_error_set(e->err, GW_ENOMEM, "out_of_memory", "no memory for an erasure"); }

/* ---- fields ---------------------------------------------------------------------------------------------------------------------------- */

static struct gw_json *default_of(const struct gw_json *declaration)
{
    return gw_json_is_object(declaration) ? gw_json_get(declaration, "default") : NULL;
}

static int erase_token(struct erasing *e, const struct gw_authored *item)
{
    const struct gw_json *value = gw_tokens_value(e->state->tokens, item->name);
    struct gw_json *fresh = default_of(gw_tokens_declaration(e->state->tokens, item->name));
    if (!value || (fresh && gw_json_equal(value, fresh)))
        return GW_OK;
    e->count++;
    return gw_tokens_put(e->state->tokens, item->name, fresh) ? no_memory(e) : GW_OK;
}

static const struct gw_json *declared_prop(const struct gw_canvas *canvas, const struct gw_block *block, const char *name)
{
    const struct gw_json *kind = gw_canvas_kind(canvas, gw_block_kind(block));
    const struct gw_json *props = gw_json_is_object(kind) ? gw_json_get(kind, "props") : NULL;
    return gw_json_is_object(props) ? gw_json_get(props, name) : NULL;
}

static int put_prop(struct erasing *e, struct gw_canvas *canvas, struct gw_block *block, const char *name, struct gw_json *value)
{
    struct gw_json *set = gw_json_new_object(), *unset = gw_json_new_array();
    int status = set && unset ? GW_OK : GW_ENOMEM;
    if (!status && value)
        status = gw_json_set(set, name, gw_json_ref(value));
    else if (!status)
        status = gw_json_append(unset, gw_json_new_text(name, strlen(name)));
    if (status)
        status = no_memory(e);
    else
        status = gw_blocks_update(canvas->blocks, &(struct gw_block_update){.block = block, .set = set, .unset = unset}, e->err);
    gw_json_unref(set);
    gw_json_unref(unset);
    return status;
}

static int erase_prop(struct erasing *e, const struct gw_authored *item, struct gw_canvas *canvas, struct gw_block *block)
{
    const struct gw_json *value = gw_json_get(gw_block_props(block), item->name);
    struct gw_json *fresh = default_of(declared_prop(canvas, block, item->name));
    if (!value || (fresh && gw_json_equal(value, fresh)))
        return GW_OK;
    e->count++;
    return put_prop(e, canvas, block, item->name, fresh);
}

/* ---- texts ----------------------------------------------------------------------------------------------------------------------------- */

/* As an edit of somebody who sees everything: its log holds lengths alone. */
static int cut(struct erasing *e, struct gw_canvas *canvas, struct gw_block *block, struct gw_splice splice)
{
    struct gw_splice_edit edit = {.origin = "", .base_seq = e->state->seq, .seq = e->state->seq, .written = splice};
    struct gw_text_op op;
    gw_text_op_init(&op, &splice);
    struct gw_block_splice change = {.block = block, .edit = &edit, .resolved = &op, .ins = "", .ins_bytes = 0};
    int status = gw_blocks_splice(canvas->blocks, &change, e->err);
    gw_text_op_fini(&op);
    return status;
}

/* From the end, so that what is cut moves nothing that is to be cut yet. */
static int erase_text(struct erasing *e, const struct gw_authored *item, struct gw_canvas *canvas, struct gw_block *block)
{
    size_t points = gw_block_text(block)->points;
    uint64_t at = 0;
    bool is_changed = false;
    for (size_t i = 0; i < item->count; i++)
        at += item->stretches[i].points;
    for (size_t i = item->count; i-- > 0;) {
        uint64_t end = at;
        at -= item->stretches[i].points;
        if (!gw_authored_is_by(item, i, e->writer) || at >= points || end == at)
            continue;
        uint64_t del = (end < points ? end : points) - at;
        is_changed = true;
        int status = cut(e, canvas, block, (struct gw_splice){.at = (uint32_t)at, .del = (uint32_t)del});
        if (status)
            return status;
    }
    e->count += is_changed;
    return GW_OK;
}

/* ---- all of it ------------------------------------------------------------------------------------------------------------------------- */

static bool is_touched(const struct gw_authored *item, uint32_t writer)
{
    for (size_t i = 0; i < item->count; i++)
        if (gw_authored_is_by(item, i, writer))
            return true;
    return false;
}

static int erase_item(struct erasing *e, const struct gw_authored *item)
{
    if (!is_touched(item, e->writer))
        return GW_OK;
    if (item->kind == GW_AUTHORED_TOKEN)
        return erase_token(e, item);
    struct gw_canvas *canvas = gw_state_canvas(e->state, item->canvas_id);
    struct gw_block *block = canvas ? gw_blocks_find(canvas->blocks, item->block_id) : NULL;
    if (!block)
        return GW_OK;
    return item->kind == GW_AUTHORED_PROP ? erase_prop(e, item, canvas, block) : erase_text(e, item, canvas, block);
}

int gw_erasure_apply(struct gw_authors *authors, const char *actor_id, struct gw_state *state, size_t *count, struct gw_error *err)
{
    struct erasing e = {.state = state, .writer = gw_authors_find(authors, actor_id), .err = err};
    int status = GW_OK;
    bool is_known = e.writer != GW_WRITER_UNKNOWN;
    for (const struct gw_authored *item = NULL; is_known && !status && (item = gw_authors_next(authors, item));)
        status = erase_item(&e, item);
    if (!status && gw_chat_erase(state->chat, actor_id, &e.count))
        status = no_memory(&e);
    if (!status && is_known)
        gw_authors_forget(authors, e.writer);
    *count = e.count;
    return status;
}
