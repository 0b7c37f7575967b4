/* hub.h — the domain's face on one worker: routes commands, reads and streams to the worker that owns the run, and keeps the runs that this worker owns. Everything
 * here is called on the worker's own thread; hubs reach each other only through executors. Not for identity, sockets or JSON of requests. */
#ifndef GW_HUB_HUB_H
#define GW_HUB_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "hub/command.h"
#include "hub/ports.h"
#include "hub/record.h"
#include "hub/state.h"
#include "hub/subscriber.h"

struct gw_hub;
struct gw_log;
struct gw_manifests;
struct gw_metrics;
struct gw_read_work;

/* value: limits that the hub enforces, inclusive */
struct gw_hub_limits {
    size_t max_runs;                               /* in memory per worker: 10000 */
    size_t max_feeds_per_run, max_feeds_per_actor; /* 256; of them, that streams of one actor were the first to follow: 32 */
    size_t max_waiting;                            /* commands that wait per run: 4096 */
    size_t ring_bytes;                             /* per feed: 2 MiB */
    size_t block_cache_bytes;                      /* replay blocks per worker: 64 MiB */
    size_t record_bytes;                           /* per group commit: 1 MiB */
    uint64_t max_replay_events;                    /* 1000000 */
    uint64_t checkpoint_events;                    /* 4096 */
    uint64_t commit_events;                        /* on one canvas, then the gateway commits it: 1000; 0: never */
    uint32_t commit_idle_ms; /* without an event that counts (growth.h), then it commits what is uncommitted: 30000; 0: never */
    uint32_t run_idle_ms;    /* 60000 */
    uint32_t view_idle_ms;   /* 10000 */
    uint32_t chat_lease_ms,
        gesture_lease_ms;      /* how long the producer of a streamed message may be silent, and a gesture holds: 30000 each */
    size_t max_present_actors; /* per run, that others see to be there: 256 */
};
void gw_hub_limits_default(struct gw_hub_limits *limits);

/* value: what a hub is made of; borrowed for its life */
struct gw_hub_opts {
    size_t worker, worker_count;
    struct gw_executor *executors; /* one per worker */
    struct gw_hub **hubs;          /* one per worker; filled by the wiring before the first call */
    const struct gw_spine *spine;
    const struct gw_wire *wire; /* this worker's own */
    const struct gw_clock *clock;
    struct gw_manifests *manifests;     /* a reference is taken */
    const struct gw_registry *registry; /* NULL: there are no flows */
    const struct gw_policy *policy;     /* this worker's own; NULL: scripts have no say */
    struct gw_log *log;
    struct gw_metrics *metrics;
    const struct gw_sink *sink; /* NULL: log lines go nowhere but into their run */
    /* To call gw_hub_wake once, delay_ms from now. NULL: there is no timer, and nothing is held back. */
    void (*wake_in)(void *arg, uint32_t delay_ms);
    void *wake_arg;
    struct gw_hub_limits limits;
    struct gw_state_limits state_limits;
};

struct gw_hub *gw_hub_create(const struct gw_hub_opts *opts);
/* Every subscriber closed, every submission answered, gw_hub_is_quiet. */
void gw_hub_destroy(struct gw_hub *hub);
/* The two halves of the end of a loop turn, in this order; between them the owner sends the answers that the first one brought, so that a writer need not wait
 * for the fan-out of what it wrote. work: commits what was gathered, settles messages. pump: writes what grew; true: there is more to do, call
 * both again without waiting for I/O. */
void gw_hub_work(struct gw_hub *hub);
bool gw_hub_pump(struct gw_hub *hub);
void gw_hub_wake(struct gw_hub *hub); /* what wake_in asked for; a turn follows */
/* Other canvases are in force (a reference is taken): runs whose mounted ones changed say so. */
void gw_hub_use_manifests(struct gw_hub *hub, struct gw_manifests *manifests);
void gw_hub_tick(struct gw_hub *hub); /* about once a second: unloads idle runs, closes idle views */
/* Refuses new work (GW_ECLOSED); what was admitted goes on until durable. */
void gw_hub_drain(struct gw_hub *hub);
/* Nothing waits for the spine or for another worker. */
bool gw_hub_is_quiet(const struct gw_hub *hub);

/* ---- commands ------------------------------------------------------------------------------------------------------------------------- */

/* value: what became of one command. Exactly one of answer and error is set. */
struct gw_outcome {
    char *answer; /* JSON text of the stored answer; owned by the submission */
    size_t answer_length;
    struct gw_error *error; /* owned by the submission */
    char *changes;          /* with an error: JSON text of what changed since the command's base; owned by the submission, may be NULL */
    size_t changes_length;
    bool is_claimed, is_counted; /* the hub's: judged, its answer is set or on its way; counted against rates */
    unsigned new_in_load;        /* the hub's: in which load of the run it was found to be new */
    uint8_t key[GW_KEY_BYTES];   /* the hub's: the command's key, once it has been looked for */
};

/* An ordered batch of one run. The caller fills the inputs and owns it again when `done` runs on `home`. */
struct gw_submission {
    struct gw_run_key run;
    struct gw_scope scope; /* the run's; the single commands carry their own surface and app */
    struct gw_actor actor;
    char role[GW_ID_MAX + 1];
    struct gw_plan *plan; /* owned reference */
    struct gw_command *commands;
    struct gw_outcome *outcomes; /* `count` zeroed entries */
    size_t count;
    bool is_atomic, is_dry_run;
    bool is_append; /* one chat.append, which is not in the idempotency index: the message tells; the answer is hub/chat_round.h's */
    bool is_probe;  /* such a one that is no sign of life of the producer */
    struct gw_executor *home;
    void (*done)(struct gw_submission *submission);
    struct gw_task task; /* the hub's, as all below */
    struct gw_hub *owner;
    struct gw_submission *next;
    size_t unsettled;
    bool has_refreshed;
};
void gw_hub_submit(struct gw_hub *hub, struct gw_submission *submission);
/* Frees outcomes, commands and the plan; not the struct. */
void gw_submission_fini(struct gw_submission *submission);

/* ---- reads ---------------------------------------------------------------------------------------------------------------------------- */

enum gw_read_kind { GW_READ_STATE, GW_READ_EVENTS, GW_READ_HISTORY, GW_READ_DIFF, GW_READ_PRESENCE };

/* Answered only from durable state. The caller owns it again when `done` runs on `home`; status 0 or GW_E… with err. */
struct gw_read {
    enum gw_read_kind kind;
    struct gw_scope scope;
    struct gw_plan *plan;       /* owned reference */
    struct gw_canvas_set set;   /* HISTORY, DIFF: one canvas */
    char cursor[GW_CURSOR_MAX]; /* STATE: `at`, or ""; EVENTS: after this, "earliest" or ""; DIFF: from, a cursor or a revision's number */
    char to[GW_CURSOR_MAX];     /* DIFF: likewise */
    uint64_t limit;             /* EVENTS: 1 … 1000; HISTORY: 1 … 100 */
    uint64_t before;            /* HISTORY: revisions below this; 0: from the newest */
    struct gw_executor *home;
    void (*done)(struct gw_read *request);
    int status;
    struct gw_error err;
    char *body; /* JSON text; owned by the request */
    size_t body_length;
    struct gw_task task; /* the hub's, as all below */
    struct gw_hub *owner;
    struct gw_read *next;
    struct gw_read_work *work;
    bool has_refreshed;
};
void gw_hub_read(struct gw_hub *hub, struct gw_read *request);
void gw_read_fini(struct gw_read *request);

#endif
