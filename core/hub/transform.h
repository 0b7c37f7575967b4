/* transform.h — edits of one text, and what becomes of one when another came first. An operation is one splice as its author meant
 * it: an insert of `ins` points at `at`, and removed spans, all in the coordinates of the text before it. One splice starts with
 * one span; inserts of others split it.
 *
 * transform(a, b) gives a' such that a' after b does what a meant. The order of the server decides ties: of two inserts at one
 * place the later-ordered goes directly after its left neighbour, so it stands before the earlier one. An insert inside a span
 * that the other removed moves to that span's start and survives; a span that meets an insert splits round it. With these rules
 * TP1 holds: b then a' equals a then b'. Pure; any thread. Knows lengths only: texts stay with the caller. */
#ifndef GW_HUB_TRANSFORM_H
#define GW_HUB_TRANSFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* value: one plain replacement, applied to the text as it stands. Code points. */
struct gw_splice {
    uint32_t at, del, ins;
};

/* value */
struct gw_text_span {
    uint32_t start, length;
};

/* value; finish with gw_text_op_fini. Spans are ascending, not empty, neither touching nor overlapping, and none starts before `at`. */
struct gw_text_op {
    uint32_t at, ins;
    uint32_t span_count;
    struct gw_text_span one;   /* the span when span_count is 1 */
    struct gw_text_span *many; /* the spans when there are more; owned */
};

void gw_text_op_init(struct gw_text_op *op, const struct gw_splice *splice);
void gw_text_op_fini(struct gw_text_op *op);
int gw_text_op_copy(const struct gw_text_op *op, struct gw_text_op *out); /* GW_ENOMEM */
bool gw_text_op_is_empty(const struct gw_text_op *op);                    /* neither inserts nor removes */

/* a over b, both written on the same text; `a_is_later` in the server's order. `out` is a new op. GW_ENOMEM. */
int gw_text_op_transform(const struct gw_text_op *a, const struct gw_text_op *b, bool a_is_later, struct gw_text_op *out);

/* The same as plain splices to be applied one after the other; the insert is in the first. 0 for an empty op. */
uint32_t gw_text_op_splice_count(const struct gw_text_op *op);
struct gw_splice gw_text_op_splice(const struct gw_text_op *op, uint32_t index);
/* The way back. GW_EINVAL: these splices are not one operation (descending, or an insert that is not in the first). */
int gw_text_op_join(const struct gw_splice *splices, uint32_t count, struct gw_text_op *out);

#endif
