/* wire_port.h — how projected events and positions become bytes, as the domain needs it. Calls are synchronous; one wire a worker. A part of hub/ports.h;
 * include that. */
#ifndef GW_HUB_WIRE_PORT_H
#define GW_HUB_WIRE_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "hub/event.h"

struct gw_buffer;
struct gw_json;

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

/* value: what is told like an event and is none of the spine's: state as of a point, which a reader folds into an empty run; who is there at the moment. Borrowed */
struct gw_told_frame {
    const char *type;
    const char *canvas_id; /* NULL: run-wide */
    int64_t ts_ms;         /* 0: the run's last */
    const char *data;      /* JSON text */
    size_t data_length;
    const char *cursor;           /* NULL: no id on this frame */
    const struct gw_actor *actor; /* NULL: the gateway itself, as in the three below */
    const char *surface_id, *app_id, *cause;
};

/* value: a durable event as a class sees it; borrowed */
struct gw_event_frame {
    const struct gw_scope *scope;
    const struct gw_event *event;
    const struct gw_json *data; /* projected */
    const char *cursor;         /* NULL where there is no frame around it */
    const char *envelope;       /* what `envelope` below makes of the others, where that has been written before; NULL: it has not */
    size_t envelope_length;
};

/* value: what a cursor says */
struct gw_opened {
    struct gw_position position;
    bool covers; /* its canvas set contains the one asked for */
};

struct gw_wire {
    void *self;
    /* One durable event as a frame with its id. Appended to `out`. */
    void (*event)(void *self, const struct gw_event_frame *frame, struct gw_buffer *out);
    /* A frame that carries only an id. */
    void (*id_only)(void *self, const char *cursor, struct gw_buffer *out);
    /* One frame of a checkpoint, or an ephemeral one. */
    void (*tell)(void *self, const struct gw_scope *scope, const struct gw_told_frame *frame, struct gw_buffer *out);
    /* The envelope alone, as JSON text, for /v1/events. */
    void (*envelope)(void *self, const struct gw_event_frame *frame, struct gw_buffer *out);
    /* Seals a position into text (NUL-terminated, < GW_CURSOR_MAX); deterministic. */
    void (*seal)(void *self, const struct gw_run_key *run, const struct gw_canvas_set *set, const struct gw_position *position,
                 char out[GW_CURSOR_MAX]);
    /* Opens one. GW_EINVAL: garbled or foreign. */
    int (*open)(void *self, const struct gw_run_key *run, const struct gw_canvas_set *set, const char *text, struct gw_opened *out);
};

#endif
