/* subscriber.h — one stream's place in a run: a cursor, not a queue. Embedded in the connection that carries it; lives and dies on that connection's
 * worker. It writes straight from shared spans; what a socket does not take is not kept but found again by seq, so a slow reader costs
 * nothing in proportion to its lag. Not for framing: it moves bytes that the wire port made. */
#ifndef GW_HUB_SUBSCRIBER_H
#define GW_HUB_SUBSCRIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "hub/ports.h"

struct gw_arrival;
struct gw_hub;
struct gw_span;
struct gw_subscriber;
struct gw_view;
struct gw_attach;

enum gw_verdict_status { GW_VERDICT_EXACT, GW_VERDICT_RESET, GW_VERDICT_FRESH, GW_VERDICT_RETRY };
const char *gw_verdict_name(enum gw_verdict_status status);

/* value: the answer to a subscription; borrowed for the call */
struct gw_verdict {
    enum gw_verdict_status status;
    const char *
        reason; /* of a reset or retry: "garbled", "purged", "future", "class_changed", "wider_canvas_set", "replay_limit", "overload" …; else NULL */
    char head[GW_CURSOR_MAX]; /* the last cursor that this stream's lens could have seen */
    uint64_t head_seq;
};

struct gw_subscriber_ops {
    /* Once before any write, and again, as a reset, when the stream has fallen so far behind that it cannot be replayed, or its lens was switched. A frame is made of it with
     * gw_subscriber_control, called inside; of a RETRY with gw_subscriber_finish, since nothing else follows. */
    void (*verdict)(struct gw_subscriber *subscriber, const struct gw_verdict *verdict);
    /* Sends without blocking: the number of bytes taken, 0 when the peer takes none now, negative when the connection is gone. After a short write the
     * owner calls gw_subscriber_writable when there is room again. */
    ssize_t (*write)(struct gw_subscriber *subscriber, const struct iovec *parts, int count);
    /* The run's past was taken away, and with it this stream's place. Ends it with gw_subscriber_finish, or closes. */
    void (*purged)(struct gw_subscriber *subscriber);
    /* The hub cannot go on with this stream; it has been detached. `reason` is a fixed word for the log. The owner closes. */
    void (*ended)(struct gw_subscriber *subscriber, const char *reason);
};

enum gw_subscriber_phase { GW_SUB_IDLE, GW_SUB_ATTACHING, GW_SUB_FLOWING };

/* Zero it before the first use; fields are the hub's, but ops and actor: the latter's id outlives the stream, or is replaced by the same one. */
struct gw_subscriber {
    const struct gw_subscriber_ops *ops;
    struct gw_view *view;
    struct gw_subscriber *next, **link; /* in the view's list */
    struct gw_span *checkpoint;         /* being sent; NULL otherwise */
    struct gw_attach *attach;           /* while ATTACHING */
    char *control;                      /* at most one pending control text, owned */
    uint64_t seq;                       /* every visible frame up to here has been sent whole */
    uint32_t into;                      /* bytes already sent of the frame after seq (or of the checkpoint) */
    uint32_t control_length, control_sent;
    uint64_t wanted_block;        /* replay block that it waits for, +1; 0 = none */
    uint64_t told;                /* up to which version of the view's ephemeral table */
    const struct gw_actor *actor; /* whose it is; NULL: nobody's */
    uint8_t phase;
    bool is_blocked;         /* the last write was short */
    bool is_refused;         /* by a RETRY: only the control text goes out */
    bool is_held;            /* likewise, until gw_subscriber_release */
    bool shows_control;      /* the control text is something that the lens shows, and is held too */
    bool is_present;         /* the run's owner counts its actor among those who are there */
    bool takes_verdict;      /* the next control text is a verdict's, and goes before what waits */
    bool ends_after_control; /* ended("…") once the control text is out */
};

enum gw_start { GW_START_CHECKPOINT, GW_START_CURSOR, GW_START_EARLIEST, GW_START_NOW, GW_START_LAST, GW_START_COMMIT };

/* value */
struct gw_subscribe_opts {
    struct gw_scope scope;
    struct gw_plan *plan; /* a reference is taken */
    struct gw_canvas_set set;
    enum gw_start start;
    const char *cursor;               /* GW_START_CURSOR; copied */
    uint64_t number;                  /* GW_START_LAST: how many events; GW_START_COMMIT: revision */
    const struct gw_arrival *arrival; /* who comes, and is seen to be there if the lens lets it show itself; copied. NULL: nobody */
};

/* Begins a stream. The verdict arrives later (or at once, never inside this call). GW_ELIMIT or GW_ENOMEM: not begun. */
int gw_subscriber_open(struct gw_hub *hub, struct gw_subscriber *subscriber, const struct gw_subscribe_opts *opts, struct gw_error *err);
/* Its lens has become `plan` (a reference is taken): no byte of the old lens is written any more. A verdict comes again, a reset for "class_changed", then a checkpoint as
 * the new lens sees it. GW_EBUSY: something is half out or about to go, behind which nothing else may follow; GW_ENOMEM. Then it is as it was: close it. */
int gw_subscriber_switch(struct gw_subscriber *subscriber, struct gw_plan *plan, const struct gw_arrival *arrival);
/* Nothing of the run is written until release: what its lens shows is not known at the moment. What was cut short stays so. */
void gw_subscriber_hold(struct gw_subscriber *subscriber);
void gw_subscriber_release(struct gw_subscriber *subscriber);
/* Ends it; no callback follows. Safe in any phase and from inside callbacks. */
void gw_subscriber_close(struct gw_subscriber *subscriber);
/* The peer takes bytes again. */
void gw_subscriber_writable(struct gw_subscriber *subscriber);
/* Puts `text` (copied) between two frames as soon as possible. GW_EBUSY when one is still pending, or the verdict: ephemeral, the caller may drop or merge it. */
int gw_subscriber_control(struct gw_subscriber *subscriber, const char *text, size_t length);
/* As control, and the stream ends (ended("closing")) when the text is out. Replaces a pending control text that has not begun; waits for the verdict. */
int gw_subscriber_finish(struct gw_subscriber *subscriber, const char *text, size_t length);
/* How many seqs it lies behind its view. */
uint64_t gw_subscriber_lag(const struct gw_subscriber *subscriber);

#endif
