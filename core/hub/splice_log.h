/* splice_log.h — the inside of a block's splice log, for splice_context.c (its rules) and splice_save.c (its checkpoint form) alone.
 * Contracts are those of splice_context.h. */
#ifndef GW_HUB_SPLICE_LOG_H
#define GW_HUB_SPLICE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/splice_context.h"
#include "hub/transform.h"

/* An edit may always be carried over this many operations, also when max_open_ops are held. */
#define GW_SPLICE_FREE_OPS 64

/* value */
struct gw_splice_seen {
    uint64_t seq;
    struct gw_text_op op;
};

/* value: operations with ascending seqs in items[first, count) */
struct gw_splice_list {
    struct gw_splice_seen *items;
    size_t first, count, capacity;
};

struct gw_splice_origin {
    uint64_t base_seq;            /* the highest base of its edits */
    uint64_t last_seq;            /* of its newest edit; what others did up to here and after base_seq is in `unseen` */
    struct gw_splice_list unseen; /* operations of others, carried over the origin's own */
    char name[];
};

struct gw_splice_log {
    struct gw_splice_list ops;         /* resolved, in server order */
    struct gw_splice_origin **origins; /* by name */
    size_t origin_count;
    size_t *open_ops;
};

static inline size_t gw_splice_list_length(const struct gw_splice_list *list) { return list->count - list->first; }
int gw_splice_list_reserve(struct gw_splice_list *list); /* room for one more; GW_ENOMEM */
void gw_splice_list_add(struct gw_splice_list *list, uint64_t seq, const struct gw_text_op *op /* taken */);
size_t gw_splice_list_after(const struct gw_splice_list *list, uint64_t seq); /* index of the first operation behind seq */
void gw_splice_list_fini(struct gw_splice_list *list);

/* Where the origin is, or belongs, in the sorted array. */
size_t gw_splice_log_place(const struct gw_splice_log *log, const char *origin, bool *is_there);
/* Opens an origin that is not there; NULL when memory is gone. */
struct gw_splice_origin *gw_splice_log_open(struct gw_splice_log *log, const char *name);
/* The lowest base that is still admitted when the run's last seq is head_seq. */
uint64_t gw_splice_floor(const struct gw_splice_limits *limits, uint64_t head_seq);

#endif
