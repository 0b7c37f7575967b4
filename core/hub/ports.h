/* ports.h — what the domain needs from the world, as vtables. Drivers stand behind them in their own folders; the domain never learns their names.
 *
 * Asynchronous requests are structs that the caller owns and embeds: it fills the inputs, calls the port, and keeps the struct alive until `done` has run on
 * `home` (exactly once, never inside the call). A port call itself does not fail: refusals arrive through `done` too. */
#ifndef GW_HUB_PORTS_H
#define GW_HUB_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"
#include "base/task.h"
#include "hub/event.h"

struct gw_buffer;
struct gw_plan;

/* ---- spine: the durable log ------------------------------------------------------------------------------------------------------- */

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

/* Blobs beside the log: checkpoints in chunks and pages of the idempotency index. A blob (kind, seq) exists only when all of its chunks do (one transaction, or the
 * manifest written last). Putting an existing (kind, seq) again is GW_OK and changes nothing. `keep` > 0 lets the driver drop all but the newest `keep` of that kind. */
enum gw_spine_blob_kind { GW_SPINE_CHECKPOINT, GW_SPINE_KEY_PAGE };
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

struct gw_spine {
    void *self;
    void (*append)(void *self, struct gw_spine_append *request);
    void (*read)(void *self, struct gw_spine_read *request);
    void (*tail)(void *self, struct gw_spine_tail *request);
    void (*put)(void *self, struct gw_spine_put *request);
    void (*get)(void *self, struct gw_spine_get *request);
};

/* ---- registry: what tenants have -------------------------------------------------------------------------------------------------- */

/* The flow of that name which a project of a tenant has. status: GW_OK · GW_ENOTFOUND: no such flow, tenant or project, told alike · GW_EIO,
 * GW_EBUSY may be tried again. */
struct gw_flow_get {
    char tenant_id[GW_ID_MAX + 1], project_id[GW_ID_MAX + 1], flow_id[GW_ID_MAX + 1];
    struct gw_executor *home;
    void (*done)(struct gw_flow_get *request);
    void *arg; /* the caller's */
    int status;
    struct gw_error err;
    struct gw_json *flow; /* checked (hub/graph_schema.h), nobody else's; owned by the request until gw_flow_get_fini */
    struct gw_task task;  /* the driver's */
    void *driver;         /* the driver's */
};
void gw_flow_get_fini(struct gw_flow_get *request);

struct gw_registry {
    void *self;
    void (*flow)(void *self, struct gw_flow_get *request);
};

/* ---- policy: who sees and writes what ---------------------------------------------------------------------------------------------- */

/* value: who asks; borrowed for the call */
struct gw_policy_subject {
    const struct gw_actor *actor;
    const char *role;
    const struct gw_scope *scope;
    const char *const *token_globs; /* from the bearer: narrows the Tokens seen; NULL when the bearer does not narrow */
    size_t token_glob_count;
};

struct gw_policy {
    void *self;
    /* The plan of this subject, one new reference. GW_EDENIED: default deny. */
    int (*lens)(void *self, const struct gw_policy_subject *subject, struct gw_plan **plan, struct gw_error *err);
};

/* ---- sink: where records go besides the log of their run -------------------------------------------------------------------------------- */

/* value: a durable event, sanitized before it was stored, and its full scope; borrowed for the call */
struct gw_sink_record {
    struct gw_scope scope;
    const struct gw_event *event; /* log_line */
};

/* Best effort, in order of each run, at most once: the run's own events are the truth. */
struct gw_sink {
    void *self;
    /* Any thread; copies what it keeps and never waits: what does not fit its bounded queue is dropped and counted. */
    void (*write)(void *self, const struct gw_sink_record *record);
};

/* ---- wire: how a projected event becomes bytes --------------------------------------------------------------------------------------- */

#define GW_CANVAS_SET_MAX 16

/* value: which events a stream carries: none = the run's timeline; else sorted, unique canvas ids */
struct gw_canvas_set {
    size_t count;
    char ids[GW_CANVAS_SET_MAX][GW_ID_MAX + 1];
};

/* value: a position inside a run, before sealing */
struct gw_position {
    uint64_t epoch; /* 0: the run did not exist */
    uint64_t seq;   /* everything up to here has been seen */
    uint64_t class_id;
};

#define GW_CURSOR_MAX 256

/* value: state as of a point, told as an event that a reader folds into an empty run; borrowed */
struct gw_checkpoint_frame {
    enum gw_event_type type;
    const char *canvas_id; /* NULL: run-wide */
    int64_t ts_ms;    /* 0: the run's last */
    const char *data; /* JSON text */
    size_t data_length;
    const char *cursor; /* NULL: no id on this frame */
    const struct gw_actor *actor; /* NULL: the gateway itself, as in the three below */
    const char *surface_id, *app_id, *cause;
};

struct gw_wire {
    void *self;
    /* One durable event as a frame with its id; `data` is the projected data. Appended to `out`. */
    void (*event)(void *self, const struct gw_scope *scope, const struct gw_event *event, const struct gw_json *data, const char *cursor, struct gw_buffer *out);
    /* A frame that carries only an id. */
    void (*id_only)(void *self, const char *cursor, struct gw_buffer *out);
    /* One frame of a checkpoint. */
    void (*checkpoint)(void *self, const struct gw_scope *scope, const struct gw_checkpoint_frame *frame, struct gw_buffer *out);
    /* The envelope alone, as JSON text, for /v1/events. */
    void (*envelope)(void *self, const struct gw_scope *scope, const struct gw_event *event, const struct gw_json *data, struct gw_buffer *out);
    /* Seals a position into text (NUL-terminated, < GW_CURSOR_MAX); deterministic. */
    void (*seal)(void *self, const struct gw_run_key *run, const struct gw_canvas_set *set, const struct gw_position *position, char out[GW_CURSOR_MAX]);
    /* Opens one. `covers` answers whether the cursor's canvas set contains `set`. GW_EINVAL: garbled or foreign. */
    int (*open)(void *self, const struct gw_run_key *run, const struct gw_canvas_set *set, const char *text, size_t length, struct gw_position *position, bool *covers);
};

#endif
