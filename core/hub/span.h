/* span.h — ready-to-send bytes: consecutive frames of one feed with an index from seq to offset. Reference-counted. Bytes and index entries below
 * the published length never change, so a span may be read by other threads while its owner appends behind that length (the length
 * itself travels in messages). Used for the live ring (growing), replay blocks and checkpoints (complete when made). */
#ifndef GW_HUB_SPAN_H
#define GW_HUB_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/refs.h"

/* value */
struct gw_frame {
    uint64_t seq;
    uint32_t end;  /* offset just behind the frame */
    bool is_event; /* false: an id-only frame */
};

struct gw_span {
    struct gw_refs refs;
    uint64_t after_seq; /* holds every visible frame with seq in (after_seq, to_seq] */
    uint64_t to_seq;    /* for a growing span: as of the owner's last append; readers use what they were told */
    uint32_t length, capacity;
    uint32_t frame_count, frame_capacity;
    struct gw_frame *frames; /* ascending by seq */
    char *bytes;
};

/* Room for `capacity` bytes and `frame_capacity` frames; NULL when memory is gone. */
struct gw_span *gw_span_create(uint64_t after_seq, uint32_t capacity, uint32_t frame_capacity);
struct gw_span *gw_span_ref(struct gw_span *span);
void gw_span_unref(struct gw_span *span);
bool gw_span_has_room(const struct gw_span *span, size_t length);
/* Copies one frame behind the others; room was checked. */
void gw_span_append(struct gw_span *span, uint64_t seq, bool is_event, const char *bytes, size_t length);
/* How many of the first `frame_count` frames have a seq of at most `seq`. */
uint32_t gw_span_frames_up_to(const struct gw_span *span, uint32_t frame_count, uint64_t seq);
/* Offset of the first frame with a seq above `seq` among the first `frame_count` frames; the end of those when there is none. */
uint32_t gw_span_offset_after(const struct gw_span *span, uint32_t frame_count, uint64_t seq);
/* The last frame that ends at or before `offset`: its seq, or after_seq. *into gets the bytes of the following frame that lie before `offset`. */
uint64_t gw_span_seq_before(const struct gw_span *span, uint32_t frame_count, uint32_t offset, uint32_t *into);

#endif
