#include "hub/transform.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

static const struct gw_text_span *spans_of(const struct gw_text_op *op) { return op->span_count > 1 ? op->many : &op->one; }

void gw_text_op_init(struct gw_text_op *op, const struct gw_splice *splice)
{
    *op = (struct gw_text_op){.ins = splice->ins};
    if (splice->ins || splice->del)
        op->at = splice->at;
    if (splice->del) {
        op->span_count = 1;
        op->one = (struct gw_text_span){splice->at, splice->del};
    }
}

void gw_text_op_fini(struct gw_text_op *op)
{
    gw_free(op->many);
    *op = (struct gw_text_op){0};
}

int gw_text_op_copy(const struct gw_text_op *op, struct gw_text_op *out)
{
    *out = *op;
    if (!op->many)
        return 0;
    out->many = gw_try_grow(NULL, op->span_count, sizeof *out->many);
    if (!out->many)
        return GW_ENOMEM;
    memcpy(out->many, op->many, op->span_count * sizeof *out->many);
    return 0;
}

bool gw_text_op_is_empty(const struct gw_text_op *op) { return op->ins == 0 && op->span_count == 0; }

/* Where the gap before point `p` is after `over`: before or behind an insert at the same place. */
static uint32_t map_point(uint32_t p, const struct gw_text_op *over, bool is_behind)
{
    const struct gw_text_span *spans = spans_of(over);
    uint32_t mapped = p;
    for (uint32_t i = 0; i < over->span_count && spans[i].start < p; i++)
        mapped -= p - spans[i].start < spans[i].length ? p - spans[i].start : spans[i].length;
    return over->at < p || (over->at == p && is_behind) ? mapped + over->ins : mapped;
}

/* value: spans being gathered in ascending order; `items` has room for all that can come */
struct span_list {
    struct gw_text_span *items;
    uint32_t count;
};

static void add_span(struct span_list *list, uint32_t start, uint32_t length)
{
    struct gw_text_span *last = list->count ? &list->items[list->count - 1] : NULL;
    if (length == 0)
        return;
    if (last && last->start + last->length == start)
        last->length += length;
    else
        list->items[list->count++] = (struct gw_text_span){start, length};
}

/* Points [from, to) that `over` leaves standing, in its coordinates; an insert of `over` inside them splits them. */
static void add_mapped(struct span_list *list, uint32_t from, uint32_t to, const struct gw_text_op *over)
{
    if (over->ins && from < over->at && over->at < to) {
        add_span(list, map_point(from, over, true), over->at - from);
        from = over->at;
    }
    if (from < to)
        add_span(list, map_point(from, over, true), to - from);
}

static void add_survivors(struct span_list *list, struct gw_text_span span, const struct gw_text_op *over)
{
    const struct gw_text_span *gone = spans_of(over);
    uint32_t from = span.start, to = span.start + span.length;
    for (uint32_t i = 0; i < over->span_count && gone[i].start < to; i++) {
        uint32_t gone_end = gone[i].start + gone[i].length;
        if (gone_end <= from)
            continue;
        if (gone[i].start > from)
            add_mapped(list, from, gone[i].start, over);
        from = gone_end;
    }
    if (from < to)
        add_mapped(list, from, to, over);
}

/* Takes the spans into `op`. An op without an insert lies where its first span does. */
static int set_spans(struct gw_text_op *op, const struct span_list *list)
{
    op->span_count = list->count;
    if (list->count)
        op->one = list->items[0];
    if (op->ins == 0)
        op->at = op->one.start;
    if (list->count < 2)
        return 0;
    op->many = gw_try_grow(NULL, list->count, sizeof *op->many);
    if (!op->many)
        return GW_ENOMEM;
    memcpy(op->many, list->items, list->count * sizeof *op->many);
    op->one = (struct gw_text_span){0};
    return 0;
}

int gw_text_op_transform(const struct gw_text_op *a, const struct gw_text_op *b, bool a_is_later, struct gw_text_op *out)
{
    struct gw_text_span few[8];
    struct span_list list = {few, 0};
    size_t capacity = (size_t)a->span_count + b->span_count + 1;
    *out = (struct gw_text_op){.ins = a->ins};
    if (a->ins)
        out->at = map_point(a->at, b, b->ins && !a_is_later);
    if (a->span_count == 0)
        return 0;
    if (capacity > sizeof few / sizeof *few && !(list.items = gw_try_grow(NULL, capacity, sizeof *list.items)))
        return GW_ENOMEM;
    for (uint32_t i = 0; i < a->span_count; i++)
        add_survivors(&list, spans_of(a)[i], b);
    int code = set_spans(out, &list);
    if (list.items != few)
        gw_free(list.items);
    return code;
}

/* The insert is a splice of its own when nothing is removed right behind it. */
static bool is_insert_apart(const struct gw_text_op *op) { return op->ins > 0 && (op->span_count == 0 || spans_of(op)[0].start != op->at); }

uint32_t gw_text_op_splice_count(const struct gw_text_op *op) { return op->span_count + (is_insert_apart(op) ? 1 : 0); }

struct gw_splice gw_text_op_splice(const struct gw_text_op *op, uint32_t index)
{
    assert(index < gw_text_op_splice_count(op));
    bool is_apart = is_insert_apart(op);
    if (index == 0 && is_apart)
        return (struct gw_splice){op->at, 0, op->ins};
    const struct gw_text_span *spans = spans_of(op);
    uint32_t span = is_apart ? index - 1 : index;
    uint32_t at = spans[span].start + (index ? op->ins : 0);
    for (uint32_t i = 0; i < span; i++)
        at -= spans[i].length;
    return (struct gw_splice){at, spans[span].length, index ? 0 : op->ins};
}

/* Adds splice `index` of a joined op. All sums are bounded here: the splices may come from a damaged store. */
static int join_splice(const struct gw_splice *splices, uint32_t index, uint64_t *removed, struct span_list *list)
{
    const struct gw_splice *first = splices, *splice = &splices[index];
    uint64_t ins = index ? first->ins : 0;
    uint64_t start = splice->at + *removed - ins;
    if (index && (splice->ins || splice->at < splices[index - 1].at || splice->at < first->at + ins))
        return GW_EINVAL;
    *removed += splice->del;
    if (start + splice->del > INT32_MAX || first->ins > INT32_MAX)
        return GW_EINVAL;
    add_span(list, (uint32_t)start, splice->del);
    return 0;
}

int gw_text_op_join(const struct gw_splice *splices, uint32_t count, struct gw_text_op *out)
{
    *out = (struct gw_text_op){0};
    if (count == 0)
        return 0;
    struct span_list list = {gw_try_grow(NULL, count, sizeof(struct gw_text_span)), 0};
    if (!list.items)
        return GW_ENOMEM;
    struct gw_text_op op = {.at = splices[0].at, .ins = splices[0].ins};
    uint64_t removed = 0;
    int code = 0;
    for (uint32_t i = 0; i < count && !code; i++)
        code = join_splice(splices, i, &removed, &list);
    if (!code && !(code = set_spans(&op, &list)))
        *out = op;
    gw_free(list.items);
    return code;
}
