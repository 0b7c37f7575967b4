#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/refuse_bytes.h"
#include "hub/resolve.h"
#include "hub/resolve_was.h"

/* value: one splice on its way */
struct splice {
    struct gw_block *block;
    struct gw_splice_edit edit;
    struct gw_text_op op;     /* resolved */
    struct gw_json *ins_json; /* borrowed */
    const char *ins;
    size_t ins_bytes;
    char origin[GW_ORIGIN_NAME_MAX + 1];
    bool has_batch; /* `origin` is its batch's name */
};

static const struct gw_text_span *spans_of(const struct gw_text_op *op) { return op->span_count == 1 ? &op->one : op->many; }

/* ---- reading
 * ------------------------------------------------------------------------------------------------------------------------------ */

static int read_ins(const struct gw_resolve *r, struct splice *s)
{
    int status = gw_resolve_typed(r, gw_resolve_args(r), "ins", gw_json_is_string, &s->ins_json);
    if (status)
        return status;
    if (!s->ins_json) {
        gw_error_set(r->err, GW_EINVAL, "missing_arg", "ins is required");
        return gw_resolve_at(r, "/args/ins");
    }
    s->ins = gw_json_text(s->ins_json, &s->ins_bytes);
    s->edit.written.ins = (uint32_t)gw_text_piece(s->ins, s->ins_bytes).points;
    return GW_OK;
}

static int read_args(const struct gw_resolve *r, struct splice *s)
{
    static const char *const names[] = {"id", "at", "del", "ins", NULL};
    int status = gw_resolve_members(r, gw_resolve_args(r), names);
    if (!status)
        status = gw_resolve_block(r, gw_resolve_args(r), "id", &s->block);
    if (!status)
        status = gw_resolve_count(r, "at", &s->edit.written.at);
    if (!status)
        status = gw_resolve_count(r, "del", &s->edit.written.del);
    return status ? status : read_ins(r, s);
}

static int read_context(const struct gw_resolve *r, struct splice *s)
{
    const char *author = r->context->author_id ? r->context->author_id : "";
    if (!r->command->has_base) {
        gw_error_set(r->err, GW_EINVAL, "base_required", "a splice needs base: the cursor up to which its author has seen the run");
        return gw_resolve_at(r, "/base");
    }
    s->edit.base_seq = r->command->base_seq;
    s->edit.seq = r->state->seq + 1;
    s->has_batch = !gw_resolve_origin(r, s->origin) && r->context->batch && r->context->batch[0];
    if (s->has_batch)
        snprintf(s->origin, sizeof s->origin, "%s batch %s", author, r->context->batch);
    s->edit.origin = s->origin;
    return GW_OK;
}

static int resolve_edit(const struct gw_resolve *r, struct splice *s)
{
    int status = gw_blocks_resolve_splice(r->canvas->blocks, s->block, &s->edit, &s->op, r->err);
    if (!status || status == GW_ENOMEM)
        return status;
    if (strcmp(r->err->id, "splice_out_of_range") == 0) {
        memcpy(r->err->id, "out_of_range", sizeof "out_of_range");
        return gw_resolve_at(r, "/args/at");
    }
    if (strcmp(r->err->id, "base_too_old") == 0)
        r->err->code = GW_ECONFLICT; /* the remedy is not a smaller command but a newer base */
    return gw_resolve_at(r, "/base");
}

/* ---- judging the text afterwards
 * ---------------------------------------------------------------------------------------------------------- */

static int check_size(const struct gw_resolve *r, const struct splice *s)
{
    const struct gw_text *text = gw_block_text(s->block);
    size_t max_bytes = r->state->limits.max_text_bytes, removed = 0;
    if (text->bytes + s->ins_bytes <= max_bytes)
        return GW_OK;
    struct gw_buffer cut;
    gw_buffer_init(&cut, 0);
    for (uint32_t i = 0; i < s->op.span_count; i++)
        gw_text_read(text, spans_of(&s->op)[i].start, spans_of(&s->op)[i].length, &cut);
    bool has_failed = cut.has_failed;
    removed = cut.length;
    gw_buffer_fini(&cut);
    if (has_failed)
        return gw_resolve_no_memory(r);
    if (text->bytes - removed + s->ins_bytes <= max_bytes)
        return GW_OK;
    gw_error_limit(r->err, "limit_text_bytes", "max_text_bytes", (int64_t)max_bytes, "the text of a block may hold %zu bytes", max_bytes);
    return gw_resolve_at(r, "/args/ins");
}

/* Points [from, to) of the text: near the change, or more where the near part does not break a run. */
static void read_side(const struct gw_resolve *r, const struct gw_text *text, size_t edge, bool is_left, struct gw_buffer *out)
{
    size_t room = is_left ? edge : text->points - edge, near = GW_REFUSE_HEADER_MAX + 8;
    size_t far = r->state->limits.max_base64_run + 1 > near ? r->state->limits.max_base64_run + 1 : near;
    size_t count = room < near ? room : near;
    gw_text_read(text, is_left ? edge - count : edge, count, out);
    if (count == room || gw_refuse_bytes_has_break(out->data, out->length))
        return;
    count = room < far ? room : far;
    gw_buffer_reset(out);
    gw_text_read(text, is_left ? edge - count : edge, count, out);
}

/* What stands between the text before the insert and the text behind the last removed span: the insert, and what others put between the
 * spans. */
static void read_middle(const struct splice *s, const struct gw_text *text, struct gw_buffer *out)
{
    size_t from = s->op.at;
    gw_buffer_append(out, s->ins, s->ins_bytes);
    for (uint32_t i = 0; i < s->op.span_count; i++) {
        const struct gw_text_span *span = &spans_of(&s->op)[i];
        gw_text_read(text, from, span->start - from, out);
        from = (size_t)span->start + span->length;
    }
}

static int judge_bytes(const struct gw_resolve *r, const struct splice *s)
{
    const struct gw_text *text = gw_block_text(s->block);
    struct gw_buffer left, middle, right;
    uint32_t last = s->op.span_count;
    size_t right_edge = last ? (size_t)spans_of(&s->op)[last - 1].start + spans_of(&s->op)[last - 1].length : s->op.at;
    bool is_plain = last == 0 || (last == 1 && s->op.one.start == s->op.at);
    gw_buffer_init(&left, 0);
    gw_buffer_init(&middle, 0);
    gw_buffer_init(&right, 0);
    read_side(r, text, s->op.at, true, &left);
    read_side(r, text, right_edge, false, &right);
    if (!is_plain)
        read_middle(s, text, &middle);
    struct gw_refuse_change change = {.left = left.data,
                                      .left_length = left.length,
                                      .ins = is_plain ? s->ins : middle.data,
                                      .ins_length = is_plain ? s->ins_bytes : middle.length,
                                      .right = right.data,
                                      .right_length = right.length};
    int status = GW_ENOMEM;
    if (!left.has_failed && !middle.has_failed && !right.has_failed)
        status = gw_refuse_bytes_change(&change, r->state->limits.max_base64_run, r->err);
    gw_buffer_fini(&left);
    gw_buffer_fini(&middle);
    gw_buffer_fini(&right);
    if (status == GW_ENOMEM)
        return gw_resolve_no_memory(r);
    return status ? gw_resolve_at(r, "/args/ins") : GW_OK;
}

/* ---- the event
 * ------------------------------------------------------------------------------------------------------------------------------ */

static struct gw_json *make_op(const struct splice *s, uint32_t index)
{
    struct gw_splice piece = gw_text_op_splice(&s->op, index);
    struct gw_json *op = gw_resolve_op("splice", gw_block_id(s->block));
    struct gw_json *ins = piece.ins ? gw_json_ref(s->ins_json) : gw_resolve_text("");
    if (!op) {
        gw_json_unref(ins);
        return NULL;
    }
    int status = gw_json_set(op, "ins", ins);
    if (!status)
        status = gw_json_set(op, "at", gw_json_new_int(piece.at));
    if (!status)
        status = gw_json_set(op, "del", gw_json_new_int(piece.del));
    if (!status)
        return op;
    gw_json_unref(op);
    return NULL;
}

static struct gw_json *make_written(const struct gw_splice *written)
{
    struct gw_json *out = gw_json_new_array();
    if (!out || (!gw_json_append(out, gw_json_new_int(written->at)) && !gw_json_append(out, gw_json_new_int(written->del)) &&
                 !gw_json_append(out, gw_json_new_int(written->ins))))
        return out;
    gw_json_unref(out);
    return NULL;
}

static struct gw_json *make_context(const struct splice *s)
{
    struct gw_json *out = gw_json_new_object();
    if (!out)
        return NULL;
    int status = gw_json_set(out, "block", gw_resolve_text(gw_block_id(s->block)));
    if (!status)
        status = gw_json_set(out, "base", gw_json_new_int((int64_t)s->edit.base_seq));
    if (!status)
        status = gw_json_set(out, "written", make_written(&s->edit.written));
    if (!status && s->has_batch)
        status = gw_json_set(out, "by", gw_resolve_text(s->origin));
    if (!status)
        status = gw_was_cut(out, gw_block_text(s->block), &s->op);
    if (!status)
        return out;
    gw_json_unref(out);
    return NULL;
}

/* One piece of the edit, as a reader would apply it. */
static void apply_piece(const struct gw_splice *piece, const char *ins, size_t ins_bytes, struct gw_buffer *text)
{
    struct gw_buffer out;
    size_t start = gw_utf8_offset(text->data, text->length, piece->at);
    size_t end = start + gw_utf8_offset(text->data + start, text->length - start, piece->del);
    gw_buffer_init(&out, 0);
    gw_buffer_append(&out, text->data, start);
    if (piece->ins)
        gw_buffer_append(&out, ins, ins_bytes);
    gw_buffer_append(&out, text->data + end, text->length - end);
    out.has_failed |= text->has_failed;
    gw_buffer_fini(text);
    *text = out;
}

/* The text as it will be. NULL: no memory. */
static struct gw_json *text_after(const struct splice *s)
{
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_text_write(gw_block_text(s->block), &text);
    for (uint32_t i = 0; !text.has_failed && i < gw_text_op_splice_count(&s->op); i++) {
        struct gw_splice piece = gw_text_op_splice(&s->op, i);
        apply_piece(&piece, s->ins, s->ins_bytes, &text);
    }
    struct gw_json *out = text.has_failed ? NULL : gw_json_new_text(text.data ? text.data : "", text.length);
    gw_buffer_fini(&text);
    return out;
}

/* For lenses that transform, which show a text whole or not at all. */
static int keep_whole(const struct splice *s, struct gw_json *own)
{
    struct gw_json *block = gw_json_new_object();
    int status = block ? gw_json_set(block, "props", gw_json_ref(gw_block_props(s->block))) : GW_ENOMEM;
    if (!status)
        status = gw_json_set(block, "text", text_after(s));
    if (!status)
        return gw_json_set(own, "block", block);
    gw_json_unref(block);
    return status;
}

static int emit_ops(const struct gw_resolve *r, const struct splice *s, struct gw_json *context)
{
    struct gw_json *facets = gw_facets_create(r), *ops = gw_json_new_array();
    uint32_t count = gw_text_op_splice_count(&s->op);
    struct gw_json *own = facets && ops ? gw_facets_touch(r, facets, s->block) : NULL;
    int status = own ? GW_OK : GW_ENOMEM;
    if (!status && r->context->keeps_whole)
        status = keep_whole(s, own);
    for (uint32_t i = 0; !status && i < count; i++)
        status = gw_json_append(ops, make_op(s, i));
    if (!status)
        return gw_resolve_emit(r, GW_EVENT_STATE_PATCH, gw_resolve_ops(ops), facets, context);
    gw_json_unref(facets);
    gw_json_unref(ops);
    gw_json_unref(context);
    return gw_resolve_no_memory(r);
}

/* What came to nothing is told to no reader, but the next edits of its author stand on it. */
static int emit(const struct gw_resolve *r, const struct splice *s)
{
    bool is_empty = gw_text_op_is_empty(&s->op);
    if (is_empty && !s->origin[0])
        return GW_OK;
    struct gw_json *context = make_context(s);
    if (!context)
        return gw_resolve_no_memory(r);
    return is_empty ? gw_resolve_emit_nothing(r, context) : emit_ops(r, s, context);
}

/* The edits of the block that went are no context of the one that came back. */
static int check_same_block(const struct gw_resolve *r, const struct splice *s)
{
    if (s->edit.base_seq >= gw_blocks_returned_seq(r->canvas->blocks, s->block, r->state->seq))
        return GW_OK;
    gw_error_set(r->err, GW_ECONFLICT, "block_removed", "the block %s was removed after this base, and brought back",
                 gw_block_id(s->block));
    return gw_resolve_at(r, "/args/id");
}

/* A splice counts the characters of a text, so it is for those who see that text as it is. */
static int check_reader(const struct gw_resolve *r, const struct splice *s)
{
    struct gw_plan_thing thing = gw_canvas_thing(r->canvas, s->block);
    int status = gw_resolve_writable(r, s->block, "/args/id");
    if (status || (!r->context->plan->transform && gw_plan_shows_text(r->context->plan, &thing)))
        return status;
    return gw_resolve_refuse_write(r, "/args/id");
}

static int judge(const struct gw_resolve *r, struct splice *s)
{
    const struct gw_json *schema = gw_canvas_kind(r->canvas, gw_block_kind(s->block));
    const struct gw_json *has_text = schema ? gw_json_get(schema, "text") : NULL;
    if (!gw_json_is_bool(has_text) || !gw_json_bool(has_text)) {
        gw_error_set(r->err, GW_EINVAL, "no_text", "this kind carries no text");
        return gw_resolve_at(r, "/args/id");
    }
    int status = check_reader(r, s);
    if (!status)
        status = read_context(r, s);
    if (!status)
        status = check_same_block(r, s);
    if (!status)
        status = resolve_edit(r, s);
    if (!status)
        status = check_size(r, s);
    if (!status)
        status = judge_bytes(r, s);
    return status ? status : emit(r, s);
}

int gw_resolve_block_splice(const struct gw_resolve *r)
{
    static const struct gw_splice nothing;
    struct splice s = {0};
    gw_text_op_init(&s.op, &nothing);
    int status = read_args(r, &s);
    if (!status)
        status = judge(r, &s);
    gw_text_op_fini(&s.op);
    return status;
}
