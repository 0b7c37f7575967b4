/* splice_context.h — what the author of a splice had seen, and the way from there to the text as it stands. One log per block: the
 * resolved operations of the edit window in server order, and for each open origin the operations of others that it has not seen,
 * kept transformed over its own (Nichols and others, "High-latency, low-bandwidth windowing in the Jupiter collaboration system",
 * UIST 1995, with the server's half of the state per client). So a client may have many splices in flight while others write.
 *
 * Reads nothing but what was folded: same folds, same answers, on any node. Embedded in a block; one thread. Does not hold text. */
#ifndef GW_HUB_SPLICE_CONTEXT_H
#define GW_HUB_SPLICE_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/transform.h"

struct gw_buffer;
struct gw_error;
struct gw_journal;
struct gw_json;
struct gw_splice_log;

/* value: a splice with its context. It sees every event up to `base_seq` and all earlier splices of its origin. */
struct gw_splice_edit {
    /* NULL or "": it has no earlier splices of its own. Else any name up to 255 bytes; an origin that two actors use is two names. */
    const char *origin;
    uint64_t base_seq;        /* equal to seq, only without origin: it also sees what its own event did before */
    uint64_t seq;             /* of the event that it becomes: the run's last seq + 1 when resolving */
    struct gw_splice written; /* in the author's coordinates */
};

/* value */
struct gw_splice_limits {
    uint64_t edit_window;   /* seqs back that a base may lie */
    size_t max_context_ops; /* unseen operations that one edit may be carried over */
    size_t max_open_ops;    /* unseen operations held over all origins of a canvas, beyond 64 for each edit: 262144 */
};

/* *open_ops counts the unseen operations held over all logs that share it, the part whose size peers choose; borrowed. NULL when
 * memory is gone. */
struct gw_splice_log *gw_splice_log_create(size_t *open_ops);
void gw_splice_log_destroy(struct gw_splice_log *log);

/* The operation that `edit` becomes on the text as it stands, in *resolved. Changes nothing; `log` may be NULL (no splice yet).
 * GW_EINVAL (base_in_future): base_seq is above seq. GW_ELIMIT (base_too_old): outside the window, or too many unseen
 * operations. Positions are not checked here: see gw_splice_log_points. */
int gw_splice_log_resolve(const struct gw_splice_log *log, const struct gw_splice_limits *limits, const struct gw_splice_edit *edit,
                          struct gw_text_op *resolved, struct gw_error *err);

/* How long the text is in the edit's own context, given its length now: what written.at + written.del may not exceed. Call after a
 * successful resolve. */
size_t gw_splice_log_points(const struct gw_splice_log *log, const struct gw_splice_edit *edit, size_t points_now);

/* Takes a resolved edit into the log. Undone by `journal` when that is open. GW_ENOMEM: nothing has changed. */
int gw_splice_log_fold(struct gw_splice_log *log, const struct gw_splice_edit *edit, const struct gw_text_op *resolved,
                       struct gw_journal *journal);

/* Seq of the newest edit, 0 when none. */
uint64_t gw_splice_log_last_seq(const struct gw_splice_log *log);
/* Releases what no admissible edit can need any more once the run's last seq is `head_seq`. Invisible otherwise. Not while a
 * journal is open. */
void gw_splice_log_prune(struct gw_splice_log *log, const struct gw_splice_limits *limits, uint64_t head_seq);
bool gw_splice_log_is_empty(const struct gw_splice_log *log);
/* As a JSON object, only what a log pruned at head_seq holds: {"ops":[[seq,at,ins,start,length…]…],"open":[{…}…]}. */
void gw_splice_log_write(const struct gw_splice_log *log, const struct gw_splice_limits *limits, uint64_t head_seq, struct gw_buffer *out);
/* GW_EINVAL (bad_checkpoint), GW_ENOMEM: the log is then to be destroyed. */
int gw_splice_log_load(struct gw_splice_log *empty, const struct gw_json *saved, struct gw_error *err);

#endif
