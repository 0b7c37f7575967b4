#include "hub/span.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"

struct gw_span *gw_span_create(uint64_t after_seq, uint32_t capacity, uint32_t frame_capacity)
{
    /* One allocation: the frames follow the header, the bytes follow the frames. */
    size_t frames_bytes = (size_t)frame_capacity * sizeof(struct gw_frame);
    struct gw_span *span = gw_try_alloc(sizeof *span + frames_bytes + capacity);
    if (!span)
        return NULL;
    memset(span, 0, sizeof *span);
    gw_refs_init(&span->refs);
    span->after_seq = after_seq;
    span->to_seq = after_seq;
    span->capacity = capacity;
    span->frame_capacity = frame_capacity;
    span->frames = (struct gw_frame *)(void *)(span + 1);
    span->bytes = (char *)(span->frames + frame_capacity);
    return span;
}

struct gw_span *gw_span_ref(struct gw_span *span)
{
    gw_refs_add(&span->refs);
    return span;
}

void gw_span_unref(struct gw_span *span)
{
    if (span && gw_refs_drop(&span->refs))
        gw_free(span);
}

bool gw_span_has_room(const struct gw_span *span, size_t length)
{
    return span->frame_count < span->frame_capacity && length <= span->capacity - span->length;
}

void gw_span_append(struct gw_span *span, uint64_t seq, bool is_event, const char *bytes, size_t length)
{
    assert(gw_span_has_room(span, length));
    memcpy(span->bytes + span->length, bytes, length);
    span->length += (uint32_t)length;
    span->frames[span->frame_count] = (struct gw_frame){.seq = seq, .end = span->length, .is_event = is_event};
    span->frame_count++;
}

/* The number of frames, among the first `frame_count`, for which `seq` (or, with by_end, `end`) is at most `limit`. */
static uint32_t frames_up_to(const struct gw_span *span, uint32_t frame_count, uint64_t limit, bool by_end)
{
    uint32_t low = 0, high = frame_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        uint64_t key = by_end ? span->frames[middle].end : span->frames[middle].seq;
        if (key <= limit)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t gw_span_frames_up_to(const struct gw_span *span, uint32_t frame_count, uint64_t seq)
{
    return frames_up_to(span, frame_count, seq, false);
}

uint32_t gw_span_offset_after(const struct gw_span *span, uint32_t frame_count, uint64_t seq)
{
    uint32_t before = frames_up_to(span, frame_count, seq, false);
    return before == 0 ? 0 : span->frames[before - 1].end;
}

uint64_t gw_span_seq_before(const struct gw_span *span, uint32_t frame_count, uint32_t offset, uint32_t *into)
{
    uint32_t before = frames_up_to(span, frame_count, offset, true);
    *into = before == 0 ? offset : offset - span->frames[before - 1].end;
    return before == 0 ? span->after_seq : span->frames[before - 1].seq;
}
