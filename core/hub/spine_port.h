/* spine_port.h — the durable log, as the domain needs it: appends of group commits, reads, and blobs beside the log. A part of hub/ports.h, which says how
 * requests live; include that. */
#ifndef GW_HUB_SPINE_PORT_H
#define GW_HUB_SPINE_PORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"
#include "base/task.h"

/* One group commit of one run: consecutive seqs, immutable, named by its first seq. The payload is UTF-8 text (hub/record.h), ≤ 1.5 MB. */

/* Append. status: GW_OK durable · GW_ECONFLICT the first seq is taken · GW_EIO, GW_EBUSY nothing stored, may be tried again ·
 * GW_EUNKNOWN_OUTCOME must be read back before anything else is appended to this run. */
struct gw_spine_append {
    struct gw_run_key run;
    uint64_t first_seq, last_seq;
    const char *payload; /* borrowed until done */
    size_t payload_length;
    struct gw_executor *home;
    void (*done)(struct gw_spine_append *request);
    void *arg; /* the caller's */
    int status;
    struct gw_error err;
    struct gw_task task; /* the driver's */
    void *driver;        /* the driver's */
};

/* value: one stored record */
struct gw_spine_record {
    uint64_t first_seq, last_seq;
    char *payload; /* owned by the read request until it is finished */
    size_t payload_length;
};

/* Ranged read: the records that touch [from_seq, to_seq], ascending and contiguous from the one holding from_seq; stops early once max_bytes of payload are gathered (at least one record). status: GW_OK · GW_ENOTFOUND
 * from_seq lies below the floor · GW_EIO. An empty result with GW_OK means from_seq is past the tail. */
struct gw_spine_read {
    struct gw_run_key run;
    uint64_t from_seq, to_seq;
    size_t max_bytes;
    struct gw_executor *home;
    void (*done)(struct gw_spine_read *request);
    void *arg; /* the caller's */
    int status;
    struct gw_error err;
    struct gw_spine_record *records;
    size_t record_count;
    struct gw_task task;
    void *driver;
};
void gw_spine_read_fini(struct gw_spine_read *request); /* frees the records */

/* Where a run stands. tail_seq 0: the run has no event. floor_seq: the lowest seq still stored (1 when nothing was cut). */
struct gw_spine_tail {
    struct gw_run_key run;
    struct gw_executor *home;
    void (*done)(struct gw_spine_tail *request);
    void *arg; /* the caller's */
    int status;
    struct gw_error err;
    uint64_t tail_seq, floor_seq;
    struct gw_task task;
    void *driver;
};

/* Blobs beside the log: checkpoints in chunks, pages of the idempotency index and the filters over these, and who wrote what an erasure left
 * (hub/authors.h). A blob (kind, seq) exists only when all of its chunks do (one transaction, or the manifest written last). Putting an
 * existing (kind, seq) again is GW_OK and changes nothing. `keep` > 0 lets the driver drop all but the newest `keep` of that kind. */
enum gw_spine_blob_kind { GW_SPINE_CHECKPOINT, GW_SPINE_KEY_PAGE, GW_SPINE_KEY_FILTERS, GW_SPINE_AUTHORS };
enum { GW_SPINE_BLOB_KINDS = GW_SPINE_AUTHORS + 1 };
struct gw_spine_put {
    struct gw_run_key run;
    enum gw_spine_blob_kind kind;
    uint64_t seq;
    const char *const *chunks; /* borrowed until done */
    const size_t *lengths;
    size_t chunk_count;
    unsigned keep;
    struct gw_executor *home;
    void (*done)(struct gw_spine_put *request);
    void *arg; /* the caller's */
    int status;
    struct gw_error err;
    struct gw_task task;
    void *driver;
};

/* The newest blob of `kind` with seq ≤ at_most_seq. status GW_ENOTFOUND when there is none. */
struct gw_spine_get {
    struct gw_run_key run;
    enum gw_spine_blob_kind kind;
    uint64_t at_most_seq;
    struct gw_executor *home;
    void (*done)(struct gw_spine_get *request);
    void *arg; /* the caller's */
    int status;
    struct gw_error err;
    uint64_t seq;
    char **chunks; /* owned by the request until gw_spine_get_fini */
    size_t *lengths;
    size_t chunk_count;
    struct gw_task task;
    void *driver;
};
void gw_spine_get_fini(struct gw_spine_get *request);

/* value: a blob that an erasure puts in the place of what goes; borrowed until done */
struct gw_spine_kept {
    enum gw_spine_blob_kind kind;
    const char *const *chunks;
    const size_t *lengths;
    size_t chunk_count;
};

/* Takes away what lies below `floor_seq`, which then is the run's floor: records that end below it, and blobs other than key pages with a
 * seq below floor_seq - 1. `kept` go under floor_seq - 1 instead, each in the place of one that stands there. All of it happens or nothing
 * does. floor_seq 0: the whole run goes, as if it had never been. What goes is overwritten as far as the driver can see to it. status:
 * GW_OK, also when the floor lies there or higher, which changes nothing · GW_EINVAL it would lie behind the tail + 1 · GW_EIO, GW_EBUSY
 * nothing is gone. */
struct gw_spine_erase {
    struct gw_run_key run;
    uint64_t floor_seq;
    const struct gw_spine_kept *kept;
    size_t kept_count;
    struct gw_executor *home;
    void (*done)(struct gw_spine_erase *request);
    void *arg; /* the caller's */
    int status;
    struct gw_error err;
    struct gw_task task;
    void *driver;
};

struct gw_spine {
    void *self;
    void (*append)(void *self, struct gw_spine_append *request);
    void (*read)(void *self, struct gw_spine_read *request);
    void (*tail)(void *self, struct gw_spine_tail *request);
    void (*put)(void *self, struct gw_spine_put *request);
    void (*get)(void *self, struct gw_spine_get *request);
    void (*erase)(void *self, struct gw_spine_erase *request);
};

#endif
