#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/block.h"
#include "hub/blocks.h"
#include "hub/removed.h"
#include "hub/splice_log.h"

static void write_text_member(const char *name, const char *text, struct gw_buffer *out)
{
    gw_buffer_appendf(out, ",\"%s\":", name);
    gw_buffer_append_json_string(out, text, strlen(text));
}

/* Escapes chunk by chunk: chunks end between code points. */
static int append_escaped(void *arg, const char *bytes, size_t length)
{
    struct gw_buffer *out = arg;
    size_t start = out->length;
    gw_buffer_append_json_string(out, bytes, length);
    if (out->has_failed)
        return GW_ENOMEM;
    /* Drops the two quotes of the literal. */
    memmove(out->data + start, out->data + start + 1, out->length - start - 1);
    out->length -= 2;
    return 0;
}

void gw_blocks_write_text(const struct gw_block *block, struct gw_buffer *out)
{
    gw_buffer_append_text(out, ",\"text\":\"");
    if (!gw_text_each(&block->text, append_escaped, out))
        gw_buffer_append_char(out, '"');
}

void gw_blocks_write_block(const struct gw_blocks *blocks, const struct gw_block *block, uint64_t head_seq, struct gw_buffer *out)
{
    gw_buffer_append_text(out, "{\"id\":");
    gw_buffer_append_json_string(out, block->id, strlen(block->id));
    write_text_member("kind", block->kind, out);
    if (block->parent)
        write_text_member("parent", block->parent->id, out);
    write_text_member("pos", block->label.text, out);
    gw_buffer_append_text(out, ",\"born\":");
    gw_buffer_append_u64(out, block->born_seq);
    if (block->author[0])
        write_text_member("author", block->author, out);
    if (block->by[0])
        write_text_member("by", block->by, out);
    if (block->vis)
        write_text_member("vis", block->vis, out);
    if (gw_json_count(block->props)) {
        gw_buffer_append_text(out, ",\"props\":");
        gw_json_write_canonical(block->props, out);
    }
    if (block->text.bytes)
        gw_blocks_write_text(block, out);
    if (block->edits && gw_splice_log_last_seq(block->edits) > gw_splice_floor(&blocks->limits, head_seq)) {
        gw_buffer_append_text(out, ",\"edits\":");
        gw_splice_log_write(block->edits, &blocks->limits, head_seq, out);
    }
    gw_buffer_append_char(out, '}');
}

static int bad(struct gw_error *err, const char *what)
{
    return gw_error_set(err, GW_EINVAL, "bad_checkpoint", "a saved block has a bad %s", what);
}

/* The text of a member without NULs; "" when it is absent, NULL when it is something else. */
static const char *text_member(const struct gw_json *object, const char *name)
{
    const struct gw_json *value = gw_json_get(object, name);
    size_t length;
    if (!value)
        return "";
    if (!gw_json_is_string(value))
        return NULL;
    const char *text = gw_json_text(value, &length);
    return strlen(text) == length ? text : NULL;
}

static int read_block(struct gw_blocks *blocks, const struct gw_json *saved, struct gw_block_insert *insert, struct gw_error *err)
{
    const struct gw_json *born = gw_json_get(saved, "born"), *text = gw_json_get(saved, "text");
    const char *parent = text_member(saved, "parent");
    *insert = (struct gw_block_insert){.id = text_member(saved, "id"),
                                       .kind = text_member(saved, "kind"),
                                       .vis = text_member(saved, "vis"),
                                       .author = text_member(saved, "author"),
                                       .by = text_member(saved, "by"),
                                       .label = text_member(saved, "pos"),
                                       .props = gw_json_get(saved, "props")};
    if (!insert->id || !*insert->id || !insert->kind || !insert->vis || !insert->author || !insert->by || !insert->label || !parent)
        return bad(err, "id, kind, author, vis, pos or parent");
    if (*parent && !(insert->parent = gw_blocks_find(blocks, parent)))
        return bad(err, "parent");
    if ((insert->props && !gw_json_is_object(insert->props)) || (text && !gw_json_is_string(text)))
        return bad(err, "props or text");
    if (!gw_json_is_int(born) || gw_json_int(born) < 0)
        return bad(err, "born");
    insert->seq = (uint64_t)gw_json_int(born);
    if (text)
        insert->text = gw_json_text(text, &insert->text_bytes);
    return 0;
}

int gw_blocks_load_block(struct gw_blocks *blocks, const struct gw_json *saved, struct gw_error *err)
{
    struct gw_block_insert insert;
    struct gw_block *block;
    if (!gw_json_is_object(saved))
        return bad(err, "form");
    int code = read_block(blocks, saved, &insert, err);
    if (!code)
        code = gw_blocks_insert(blocks, &insert, &block, err);
    const struct gw_json *edits = gw_json_get(saved, "edits");
    if (code || !edits)
        return code;
    if (gw_blocks_open_edits(blocks, block))
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a saved block");
    return gw_splice_log_load(block->edits, edits, err);
}

const struct gw_removed_block *gw_blocks_next_removed(const struct gw_blocks *blocks, uint64_t head_seq, const void **cursor)
{
    return gw_removed_next(blocks->removed, gw_splice_floor(&blocks->limits, head_seq), cursor);
}

int gw_blocks_load_removed(struct gw_blocks *blocks, const struct gw_removed_block *removed, struct gw_error *err)
{
    struct gw_removed_block own = *removed;
    own.kind = gw_blocks_intern(blocks, removed->kind);
    own.author = gw_blocks_intern(blocks, removed->author);
    own.by = gw_blocks_intern(blocks, removed->by);
    if (own.kind && own.author && own.by && !gw_removed_add(blocks->removed, &own))
        return GW_OK;
    return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for removed ids");
}
