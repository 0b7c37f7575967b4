#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/splice_context.h"
#include "hub/splice_log.h"

static const struct gw_text_span *spans_of(const struct gw_text_op *op) { return op->span_count > 1 ? op->many : &op->one; }

static void write_list(const struct gw_splice_list *list, uint64_t floor, struct gw_buffer *out)
{
    gw_buffer_append_char(out, '[');
    size_t first = gw_splice_list_after(list, floor);
    for (size_t i = first; i < list->count; i++) {
        const struct gw_text_op *op = &list->items[i].op;
        gw_buffer_append_text(out, i > first ? ",[" : "[");
        gw_buffer_append_u64(out, list->items[i].seq);
        gw_buffer_appendf(out, ",%u,%u", (unsigned)op->at, (unsigned)op->ins);
        for (uint32_t k = 0; k < op->span_count; k++)
            gw_buffer_appendf(out, ",%u,%u", (unsigned)spans_of(op)[k].start, (unsigned)spans_of(op)[k].length);
        gw_buffer_append_char(out, ']');
    }
    gw_buffer_append_char(out, ']');
}

void gw_splice_log_write(const struct gw_splice_log *log, const struct gw_splice_limits *limits, uint64_t head_seq, struct gw_buffer *out)
{
    uint64_t floor = gw_splice_floor(limits, head_seq);
    gw_buffer_append_text(out, "{\"ops\":");
    write_list(&log->ops, floor, out);
    gw_buffer_append_text(out, ",\"open\":[");
    const char *comma = "";
    for (size_t i = 0; i < log->origin_count; i++) {
        const struct gw_splice_origin *origin = log->origins[i];
        if (origin->last_seq <= floor)
            continue;
        gw_buffer_appendf(out, "%s{\"origin\":", comma);
        comma = ",";
        gw_buffer_append_json_string(out, origin->name, strlen(origin->name));
        gw_buffer_append_text(out, ",\"base\":");
        gw_buffer_append_u64(out, origin->base_seq);
        gw_buffer_append_text(out, ",\"last\":");
        gw_buffer_append_u64(out, origin->last_seq);
        gw_buffer_append_text(out, ",\"unseen\":");
        write_list(&origin->unseen, origin->base_seq > floor ? origin->base_seq : floor, out);
        gw_buffer_append_char(out, '}');
    }
    gw_buffer_append_text(out, "]}");
}

static int bad(struct gw_error *err, const char *what)
{
    return gw_error_set(err, GW_EINVAL, "bad_checkpoint", "a saved splice log has a bad %s", what);
}

/* A member that must be an integer of 0 or more; -1 otherwise. */
static int64_t natural(const struct gw_json *value) { return gw_json_is_int(value) && gw_json_int(value) >= 0 ? gw_json_int(value) : -1; }

/* The numbers after the first are at, ins and the spans: all naturals that a text's length can be. */
static bool is_op(const struct gw_json *saved)
{
    size_t numbers = gw_json_count(saved);
    if (!gw_json_is_array(saved) || numbers < 3 || numbers % 2 == 0)
        return false;
    for (size_t i = 0; i < numbers; i++)
        if (natural(gw_json_at(saved, i)) < 0 || (i && gw_json_int(gw_json_at(saved, i)) > INT32_MAX))
            return false;
    return true;
}

static uint32_t number_at(const struct gw_json *saved, size_t index) { return (uint32_t)gw_json_int(gw_json_at(saved, index)); }

/* Rebuilds an operation through the plain splices that it stands for, whose joining checks it. */
static int load_op(const struct gw_json *saved, struct gw_text_op *op, struct gw_error *err)
{
    if (!is_op(saved))
        return bad(err, "operation");
    size_t numbers = gw_json_count(saved);
    struct gw_splice *splices = gw_try_grow(NULL, numbers / 2, sizeof *splices);
    if (!splices)
        return GW_ENOMEM;
    uint32_t at = number_at(saved, 1), ins = number_at(saved, 2), count = 0, removed = 0;
    splices[count++] = (struct gw_splice){at, 0, ins};
    for (size_t i = 3; i < numbers; i += 2) {
        splices[count++] = (struct gw_splice){number_at(saved, i) + ins - removed, number_at(saved, i + 1), 0};
        removed += number_at(saved, i + 1);
    }
    int code = gw_text_op_join(splices, count, op);
    gw_free(splices);
    return code == GW_EINVAL ? bad(err, "operation") : code;
}

static int load_list(const struct gw_json *saved, struct gw_splice_list *list, struct gw_error *err)
{
    uint64_t previous = 0;
    if (!gw_json_is_array(saved))
        return bad(err, "list");
    for (size_t i = 0; i < gw_json_count(saved); i++) {
        const struct gw_json *item = gw_json_at(saved, i);
        struct gw_text_op op;
        int code = load_op(item, &op, err);
        if (code)
            return code;
        uint64_t seq = (uint64_t)gw_json_int(gw_json_at(item, 0));
        if (seq < previous || gw_splice_list_reserve(list)) {
            gw_text_op_fini(&op);
            return seq < previous ? bad(err, "seq") : GW_ENOMEM;
        }
        gw_splice_list_add(list, seq, &op);
        previous = seq;
    }
    return 0;
}

static int load_origin(struct gw_splice_log *log, const struct gw_json *saved, struct gw_error *err)
{
    const struct gw_json *name = gw_json_is_object(saved) ? gw_json_get(saved, "origin") : NULL;
    if (!gw_json_is_string(name) || natural(gw_json_get(saved, "base")) < 0 || natural(gw_json_get(saved, "last")) < 0)
        return bad(err, "origin");
    bool is_there;
    gw_splice_log_place(log, gw_json_text(name, NULL), &is_there);
    if (is_there)
        return bad(err, "origin");
    struct gw_splice_origin *origin = gw_splice_log_open(log, gw_json_text(name, NULL));
    if (!origin)
        return GW_ENOMEM;
    origin->base_seq = (uint64_t)gw_json_int(gw_json_get(saved, "base"));
    origin->last_seq = (uint64_t)gw_json_int(gw_json_get(saved, "last"));
    int code = load_list(gw_json_get(saved, "unseen"), &origin->unseen, err);
    *log->open_ops += gw_splice_list_length(&origin->unseen);
    return code;
}

int gw_splice_log_load(struct gw_splice_log *empty, const struct gw_json *saved, struct gw_error *err)
{
    assert(gw_splice_list_length(&empty->ops) == 0 && empty->origin_count == 0);
    if (!gw_json_is_object(saved))
        return bad(err, "form");
    int code = load_list(gw_json_get(saved, "ops"), &empty->ops, err);
    const struct gw_json *open = gw_json_get(saved, "open");
    if (!code && !gw_json_is_array(open))
        code = bad(err, "origins");
    for (size_t i = 0; !code && i < gw_json_count(open); i++)
        code = load_origin(empty, gw_json_at(open, i), err);
    return code == GW_ENOMEM ? gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a saved splice log") : code;
}
