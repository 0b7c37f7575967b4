/* channel.h — what turns an event of one run into the bytes of one class of streams: lens plan, canvas set and wire port together. Live delivery, replay and
 * history all encode through here, so that they agree to the byte. Immutable after init; lives on the run's owner. */
#ifndef GW_HUB_CHANNEL_H
#define GW_HUB_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "hub/ports.h"

struct gw_buffer;
struct gw_event;
struct gw_json;
struct gw_lens;
struct gw_plan;
struct gw_state;

/* A stream that sees nothing still gets an id-only frame at each seq divisible by this, so that its cursor never ages unseen. */
#define GW_ID_ONLY_EVERY 1024

/* value */
struct gw_channel {
    const struct gw_wire *wire;
    struct gw_scope scope;
    struct gw_run_key run;
    struct gw_plan *plan;           /* owned reference */
    const struct gw_policy *policy; /* applies its transform */
    struct gw_canvas_set set;
    uint64_t epoch; /* 0 until the run has an event */
};

void gw_channel_fini(struct gw_channel *channel);
struct gw_lens gw_channel_lens(const struct gw_channel *channel);
bool gw_canvas_set_contains(const struct gw_canvas_set *set, const char *canvas_id);
/* Sealed position at `seq` for this channel's class and set. */
void gw_channel_seal(const struct gw_channel *channel, uint64_t seq, char out[GW_CURSOR_MAX]);
/* What the class sees of the event's data, as gw_project_event, but also only if the set carries its canvas, and with positions sealed (the from and to of a commit).
 * 1: visible, *data is a new reference · 0: hidden · GW_ENOMEM. */
int gw_channel_project(const struct gw_channel *channel, const struct gw_event *event, struct gw_json **data);
/* Appends the event's frame to `out`. 1: a frame was appended (*is_event tells which kind) · 0: hidden · GW_ENOMEM. Whoever encodes an event for several channels of its
 * run passes the same buffer as `whole`, empty at first: classes that see all of the event share what is in its frame, written there once. NULL: nobody to share with. */
int gw_channel_encode(const struct gw_channel *channel, const struct gw_event *event, struct gw_buffer *whole, struct gw_buffer *out,
                      bool *is_event);
/* Appends the frames of a checkpoint: what the class sees of the state, as of `seq`; only the last frame carries the id. `ts_ms` is for frames that have no time of
 * their own. Failure shows as out->has_failed. (channel_checkpoint.c) */
void gw_channel_checkpoint(const struct gw_channel *channel, const struct gw_state *state, uint64_t seq, int64_t ts_ms,
                           struct gw_buffer *out);

#endif
