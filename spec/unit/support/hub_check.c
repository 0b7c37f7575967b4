/* Holds what a reader got against what is stored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/channel.h"
#include "hub/span.h"
#include "support/hub_reader.h"
#include "support/plain_wire.h"

/* value: one connection being read again */
struct reading {
    const struct world_reader *reader;
    const struct world_session *session;
    const struct world_truth *truth;
    struct gw_channel channel;
    struct gw_span *frames; /* all frames that an unbroken stream carries */
    uint64_t seq;           /* seen up to here */
    bool has_verdict, is_in_checkpoint, is_over, may_begin_anywhere;
    bool is_before_first;   /* the checkpoint is of a run that did not exist yet */
    const char *checkpoint; /* its first line */
};

static void expect_all(struct reading *r)
{
    struct gw_buffer bytes;
    bool is_event;
    size_t count = r->truth->events.count;
    struct gw_frame *frames = gw_alloc_array(count + 1, sizeof *frames);
    uint32_t frame_count = 0;
    gw_buffer_init(&bytes, 0);
    for (size_t i = 0; i < count; i++) {
        const struct gw_event *event = r->truth->events.items[i];
        if (gw_channel_encode(&r->channel, event, NULL, &bytes, &is_event) > 0)
            frames[frame_count++] = (struct gw_frame){event->seq, (uint32_t)bytes.length, is_event};
    }
    r->frames = gw_span_create(0, (uint32_t)bytes.length, frame_count);
    for (uint32_t i = 0, start = 0; i < frame_count; start = frames[i++].end)
        gw_span_append(r->frames, frames[i].seq, frames[i].is_event, bytes.data + start, frames[i].end - start);
    gw_buffer_fini(&bytes);
    gw_free(frames);
}

static uint64_t seq_of(const char *cursor, size_t length)
{
    struct gw_position position;
    if (!plain_wire_read(cursor, length, &position))
        fail_msg("no cursor: %.*s", (int)length, cursor);
    return position.seq;
}

/* The n-th field of a line, from 0. */
static const char *field(const char *line, int n, size_t *length)
{
    while (n-- > 0)
        line = strchr(line, '|') + 1;
    *length = strcspn(line, "|\n");
    return line;
}

static bool is_word(const char *line, int n, const char *word)
{
    size_t length;
    const char *text = field(line, n, &length);
    return length == strlen(word) && memcmp(text, word, length) == 0;
}

/* ---- checkpoints -------------------------------------------------------------------------------------------------------------------------- */

static struct gw_state *fold_to(const struct world_truth *truth, uint64_t seq)
{
    static const uint8_t seed[16] = "check";
    struct gw_state_limits limits;
    struct gw_error err;
    gw_state_limits_default(&limits);
    struct gw_state *state = gw_state_create(seed, &limits);
    for (uint64_t i = 0; i < seq; i++)
        assert_int_equal(gw_state_fold(state, truth->events.items[i], &err), GW_OK);
    return state;
}

static bool is_as_of(const struct reading *r, uint64_t seq, size_t length, struct gw_buffer *expected)
{
    struct gw_state *state = fold_to(r->truth, seq);
    struct gw_channel channel = r->channel;
    if (r->is_before_first)
        channel.epoch = 0;
    gw_buffer_reset(expected);
    gw_channel_checkpoint(&channel, state, r->seq, 0, expected);
    gw_state_destroy(state);
    return length == expected->length && memcmp(r->checkpoint, expected->data, length) == 0;
}

/* It is as of its cursor or of an event behind it that this stream does not carry: the mount of another canvas may bring Tokens along. */
static void check_checkpoint(const struct reading *r, const char *end)
{
    struct gw_buffer expected;
    size_t length = (size_t)(end - r->checkpoint);
    gw_buffer_init(&expected, 0);
    uint32_t index = gw_span_frames_up_to(r->frames, r->frames->frame_count, r->seq);
    uint64_t last_seq = index < r->frames->frame_count ? r->frames->frames[index].seq - 1 : r->truth->events.count, seq = r->seq;
    while (seq < last_seq && !is_as_of(r, seq, length, &expected))
        seq++;
    if (seq == last_seq && !is_as_of(r, seq, length, &expected))
        fail_msg("checkpoint as of %llu: got\n%.*s\nnot\n%.*s", (unsigned long long)r->seq, (int)length, r->checkpoint,
                 (int)expected.length, expected.data);
    gw_buffer_fini(&expected);
}

static void read_checkpoint_line(struct reading *r, const char *line, size_t line_length)
{
    size_t length;
    const char *cursor = field(line, 2, &length);
    assert_true(line[0] == 'C' || line[0] == 'I');
    if (!r->checkpoint)
        r->checkpoint = line;
    if (length == 1 && cursor[0] == '-')
        return;
    struct gw_position position;
    assert_true(plain_wire_read(cursor, length, &position));
    r->seq = position.seq;
    r->is_before_first = position.seq == 0 && position.epoch == 0;
    assert_true(r->seq <= r->truth->events.count);
    check_checkpoint(r, line + line_length);
    r->is_in_checkpoint = false;
}

/* ---- verdicts ----------------------------------------------------------------------------------------------------------------------------- */

static uint64_t commit_seq(const struct reading *r)
{
    for (size_t i = 0; i < r->truth->events.count; i++) {
        const struct gw_event *event = r->truth->events.items[i];
        const struct gw_channel *channel = &r->channel;
        bool is_asked = channel->set.count == 0 || gw_canvas_set_contains(&channel->set, event->canvas_id);
        if (event->type == GW_EVENT_CANVAS_COMMIT && is_asked &&
            (uint64_t)gw_json_int(gw_json_get(event->data, "rev")) == r->session->number)
            return event->seq;
    }
    fail_msg("no such commit");
    return 0;
}

static uint64_t events_up_to(const struct reading *r, uint64_t seq)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < r->frames->frame_count && r->frames->frames[i].seq <= seq; i++)
        count += r->frames->frames[i].is_event;
    return count;
}

/* The last so many events: at least those, and perhaps some that came while they were counted. */
static void begin_last(struct reading *r, uint64_t head_seq)
{
    uint64_t all = events_up_to(r, head_seq), wanted = r->session->number < all ? r->session->number : all;
    r->seq = head_seq;
    while (r->seq > 0 && all - events_up_to(r, r->seq) < wanted)
        r->seq--;
    r->may_begin_anywhere = true;
}

static void begin_at_cursor(struct reading *r)
{
    struct gw_opened opened = {0};
    const char *cursor = r->session->cursor;
    assert_int_equal(r->channel.wire->open(NULL, &r->channel.run, &r->channel.set, cursor, &opened), GW_OK);
    assert_true(opened.covers);
    assert_int_equal(opened.position.class_id, r->channel.plan->class_id);
    r->seq = opened.position.seq;
}

static void begin_exact(struct reading *r, const char *line)
{
    size_t length;
    const char *head = field(line, 3, &length);
    uint64_t head_seq = seq_of(head, length);
    switch (r->session->start) {
    case GW_START_CURSOR:
        begin_at_cursor(r);
        break;
    case GW_START_EARLIEST:
        r->seq = 0;
        break;
    case GW_START_NOW:
        r->seq = head_seq;
        break;
    case GW_START_LAST:
        begin_last(r, head_seq);
        break;
    case GW_START_COMMIT:
        r->seq = commit_seq(r);
        break;
    case GW_START_CHECKPOINT:
        fail_msg("a fresh stream is never exact");
    }
}

static void read_verdict(struct reading *r, const char *line)
{
    if (is_word(line, 1, "retry")) {
        r->is_over = true;
    } else if (is_word(line, 1, "exact")) {
        assert_false(r->has_verdict);
        begin_exact(r, line);
    } else {
        if (r->session->must_be_exact && !r->has_verdict)
            fail_msg("a good cursor was answered with %.*s", (int)strcspn(line, "\n"), line);
        bool is_fresh = r->session->start == GW_START_CHECKPOINT && !r->session->is_switched;
        assert_true(is_word(line, 1, "reset") || is_fresh);
        assert_true(!r->session->is_switched || r->has_verdict || is_word(line, 2, "class_changed"));
        r->is_in_checkpoint = true;
        r->checkpoint = NULL;
    }
    r->has_verdict = true;
}

/* ---- frames ------------------------------------------------------------------------------------------------------------------------------- */

static void complain(const struct reading *r, const char *line, size_t length, const char *wanted, size_t wanted_length)
{
    fail_msg("run %s plan %zu behind %llu: got\n%.*s\nnot\n%.*s", r->reader->run_id, r->session->plan, (unsigned long long)r->seq,
             (int)length, line, (int)wanted_length, wanted);
}

static void read_frame(struct reading *r, const char *line, size_t length, bool is_whole)
{
    uint32_t index = gw_span_frames_up_to(r->frames, r->frames->frame_count, r->seq);
    if (is_whole && r->may_begin_anywhere) {
        struct gw_frame *frames = r->frames->frames;
        uint64_t seq = strtoull(line + 2, NULL, 10);
        while (index > 0 && frames[index - 1].seq >= seq)
            index--;
        r->may_begin_anywhere = false;
    }
    if (index == r->frames->frame_count)
        complain(r, line, length, "", 0);
    uint32_t start = index ? r->frames->frames[index - 1].end : 0, end = r->frames->frames[index].end;
    bool is_same = is_whole ? length == end - start : length < end - start || r->may_begin_anywhere;
    if (!is_same || (!r->may_begin_anywhere && memcmp(line, r->frames->bytes + start, length) != 0))
        complain(r, line, length, r->frames->bytes + start, end - start);
    if (is_whole)
        r->seq = r->frames->frames[index].seq;
}

static void read_line(struct reading *r, const char *line, size_t length)
{
    assert_false(r->is_over);
    if (line[0] == 'K')
        return;
    if (line[0] == 'V') {
        read_verdict(r, line);
        return;
    }
    assert_true(r->has_verdict);
    if (r->is_in_checkpoint)
        read_checkpoint_line(r, line, length);
    else
        read_frame(r, line, length, true);
}

static void read_session(struct reading *r)
{
    const char *at = r->session->bytes.data, *end = at + r->session->bytes.length, *newline;
    while (at < end && (newline = memchr(at, '\n', (size_t)(end - at)))) {
        read_line(r, at, (size_t)(newline + 1 - at));
        at = newline + 1;
    }
    bool is_frame = at < end && at[0] != 'V' && at[0] != 'K' && !r->is_in_checkpoint;
    if (is_frame)
        read_frame(r, at, (size_t)(end - at), false);
}

static void check_reach(const struct reading *r, uint64_t reach_seq)
{
    if (!r->reader->is_open || r->session != r->reader->session)
        return;
    assert_true(r->has_verdict);
    assert_false(r->is_in_checkpoint);
    uint32_t seen = gw_span_frames_up_to(r->frames, r->frames->frame_count, r->seq);
    uint32_t due = gw_span_frames_up_to(r->frames, r->frames->frame_count, reach_seq);
    if (seen < due)
        fail_msg("run %s node %zu plan %zu: stands at %llu, and %llu was acknowledged", r->reader->run_id, r->reader->node,
                 r->session->plan, (unsigned long long)r->seq, (unsigned long long)r->frames->frames[due - 1].seq);
}

void world_reader_check(const struct world_reader *reader, const struct world_truth *truth, uint64_t reach_seq)
{
    struct gw_scope scope = world_scope(reader->run_id);
    for (const struct world_session *session = reader->session; session; session = session->older) {
        struct reading r = {.reader = reader, .session = session, .truth = truth};
        r.channel = (struct gw_channel){
            .wire = plain_wire(), .scope = scope, .plan = reader->world->plans[session->plan], .set = session->set, .epoch = truth->epoch};
        gw_run_key_encode(&scope, &r.channel.run);
        expect_all(&r);
        read_session(&r);
        check_reach(&r, reach_seq);
        gw_span_unref(r.frames);
    }
}
