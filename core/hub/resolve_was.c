#include "hub/resolve_was.h"

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/tokens.h"

/* {was: value}; `was` is taken, NULL means that memory ran out. */
static struct gw_json *wrap(struct gw_json *was)
{
    struct gw_json *context = gw_json_new_object();
    if (!context) {
        gw_json_unref(was);
        return NULL;
    }
    if (!gw_json_set(context, "was", was))
        return context;
    gw_json_unref(context);
    return NULL;
}

static struct gw_json *former_prop(const void *from, const char *name) { return gw_json_get(gw_block_props(from), name); }
static struct gw_json *former_token(const void *from, const char *key) { return gw_tokens_value(from, key); }

static int add_former(struct gw_json *set, struct gw_json *unset, const char *name, struct gw_json *former)
{
    return former ? gw_json_set(set, name, gw_json_ref(former)) : gw_json_append(unset, gw_resolve_text(name));
}

/* What takes `set` and `unset` back, given what `former` finds under each name. */
static struct gw_json *invert(const struct gw_json *set, const struct gw_json *unset,
                              struct gw_json *(*former)(const void *from, const char *name), const void *from)
{
    struct gw_json *was = gw_json_new_object();
    int status = was ? gw_json_set(was, "set", gw_json_new_object()) : GW_ENOMEM;
    if (!status)
        status = gw_json_set(was, "unset", gw_json_new_array());
    struct gw_json *was_set = status ? NULL : gw_json_get(was, "set"), *was_unset = status ? NULL : gw_json_get(was, "unset");
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    while (!status && gw_json_next(set, &iterator, &name, &value))
        status = add_former(was_set, was_unset, name, former(from, name));
    for (size_t i = 0; !status && i < gw_json_count(unset); i++) {
        name = gw_json_text(gw_json_at(unset, i), NULL);
        status = add_former(was_set, was_unset, name, former(from, name));
    }
    if (!status)
        return was;
    gw_json_unref(was);
    return NULL;
}

static struct gw_json *text_or_null(const char *text) { return text[0] ? gw_resolve_text(text) : gw_json_new_null(); }

struct gw_json *gw_was_update(const struct gw_block *block, const struct gw_json *set, const struct gw_json *unset, bool changes_vis)
{
    struct gw_json *was = invert(set, unset, former_prop, block);
    if (was && changes_vis && gw_json_set(was, "vis", text_or_null(gw_block_vis(block)))) {
        gw_json_unref(was);
        was = NULL;
    }
    return wrap(was);
}

struct gw_json *gw_was_tokens(const struct gw_tokens *tokens, const struct gw_json *set, const struct gw_json *unset)
{
    return wrap(invert(set, unset, former_token, tokens));
}

static int add_place(struct gw_json *object, const struct gw_block *block)
{
    const struct gw_block *after = gw_block_previous_sibling(block);
    int status = gw_json_set(object, "parent", gw_resolve_parent(gw_block_parent(block)));
    return status ? status : gw_json_set(object, "after", gw_resolve_parent(after));
}

struct gw_json *gw_was_place(const struct gw_block *block)
{
    struct gw_json *was = gw_json_new_object();
    if (was && add_place(was, block)) {
        gw_json_unref(was);
        was = NULL;
    }
    return wrap(was);
}

struct gw_json *gw_was_text(const struct gw_block *block)
{
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_text_write(gw_block_text(block), &text);
    struct gw_json *out = text.has_failed ? NULL : gw_json_new_text(text.data ? text.data : "", text.length);
    gw_buffer_fini(&text);
    return out;
}

struct gw_json *gw_was_block(const struct gw_block *block)
{
    struct gw_json *out = gw_json_new_object();
    int status = out ? gw_json_set(out, "id", gw_resolve_text(gw_block_id(block))) : GW_ENOMEM;
    if (!status)
        status = gw_json_set(out, "kind", gw_resolve_text(gw_block_kind(block)));
    if (!status)
        status = add_place(out, block);
    if (!status)
        status = gw_json_set(out, "props", gw_json_ref(gw_block_props(block)));
    if (!status)
        status = gw_json_set(out, "text", gw_was_text(block));
    if (!status)
        status = gw_json_set(out, "author", gw_resolve_text(gw_block_author(block)));
    if (!status)
        status = gw_json_set(out, "by", gw_resolve_text(gw_block_by(block)));
    if (!status && gw_block_vis(block)[0])
        status = gw_json_set(out, "vis", gw_resolve_text(gw_block_vis(block)));
    if (!status)
        return out;
    gw_json_unref(out);
    return NULL;
}

static size_t written_bytes(const struct gw_json *value)
{
    struct gw_buffer text;
    gw_buffer_init(&text, GW_WAS_MAX_BYTES);
    gw_json_write(value, &text);
    size_t bytes = text.has_failed ? GW_WAS_MAX_BYTES + 1 : text.length;
    gw_buffer_fini(&text);
    return bytes;
}

struct gw_json *gw_was_removed(const struct gw_blocks *blocks, const struct gw_block *top)
{
    struct gw_json *was = gw_json_new_array();
    size_t bytes = 0;
    for (const struct gw_block *block = NULL; was && (block = gw_blocks_next(blocks, top, block));) {
        struct gw_json *entry = gw_block_text(block)->bytes <= GW_WAS_MAX_BYTES - bytes ? gw_was_block(block) : gw_json_new_null();
        if (entry)
            bytes += gw_json_is_null(entry) ? GW_WAS_MAX_BYTES + 1 : written_bytes(entry);
        if (gw_json_append(was, entry)) {
            gw_json_unref(was);
            return NULL;
        }
        if (bytes > GW_WAS_MAX_BYTES) {
            gw_json_unref(was);
            return gw_json_new_object();
        }
    }
    return wrap(was);
}

/* What op `index` removes, read from the text as it stands before all of them. */
static struct gw_json *cut_of(const struct gw_text *text, const struct gw_text_op *op, uint32_t index)
{
    uint32_t apart = gw_text_op_splice_count(op) - op->span_count;
    const struct gw_text_span *spans = op->span_count == 1 ? &op->one : op->many;
    struct gw_buffer cut;
    if (index < apart)
        return gw_resolve_text("");
    gw_buffer_init(&cut, 0);
    gw_text_read(text, spans[index - apart].start, spans[index - apart].length, &cut);
    struct gw_json *out = cut.has_failed ? NULL : gw_json_new_text(cut.data ? cut.data : "", cut.length);
    gw_buffer_fini(&cut);
    return out;
}

int gw_was_cut(struct gw_json *context, const struct gw_text *text, const struct gw_text_op *op)
{
    struct gw_json *was = gw_json_new_array();
    int status = was ? GW_OK : GW_ENOMEM;
    for (uint32_t i = 0; !status && op->span_count && i < gw_text_op_splice_count(op); i++)
        status = gw_json_append(was, cut_of(text, op, i));
    if (!status && op->span_count)
        return gw_json_set(context, "was", was);
    gw_json_unref(was);
    return status;
}
