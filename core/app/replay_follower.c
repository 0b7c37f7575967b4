#include "app/replay_follower.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"

#define REOPEN_AFTER_NS UINT64_C(50000000)

/* A frame being folded. */
struct folding {
    struct gw_replay_followers *all;
    struct gw_replay_follower *follower;
};

static void note_broken(struct folding *f, const char *what)
{
    struct gw_replay_follow_counts *counts = &f->all->counts;
    if (counts->broken++ == 0) {
        (void)snprintf(counts->first_trouble, sizeof counts->first_trouble, "follower %u: %.250s", f->follower->index, what);
    }
}

static bool text_is(const struct gw_json *value, const char *text)
{
    size_t length = 0;
    const char *held = gw_json_is_string(value) ? gw_json_text(value, &length) : "";
    return length == strlen(text) && memcmp(held, text, length) == 0;
}

static void set_text(struct folding *f, const struct gw_json *value)
{
    size_t length = 0;
    const char *bytes = gw_json_is_string(value) ? gw_json_text(value, &length) : "";
    gw_replay_text_set(&f->follower->text, bytes, length);
}

static void fold_splice(struct folding *f, const struct gw_json *op)
{
    const struct gw_json *at = gw_json_get(op, "at"), *del = gw_json_get(op, "del"), *ins = gw_json_get(op, "ins");
    if (!gw_json_is_int(at) || !gw_json_is_int(del) || !gw_json_is_string(ins) || gw_json_int(at) < 0 || gw_json_int(del) < 0) {
        note_broken(f, "a splice lacks at, del or ins");
        return;
    }
    size_t length;
    const char *bytes = gw_json_text(ins, &length);
    if (!gw_replay_text_splice(&f->follower->text, (size_t)gw_json_int(at), (size_t)gw_json_int(del), bytes, length)) {
        note_broken(f, "a splice lies beyond the text");
    }
}

/* An insert or an update carries whole text; ops on other blocks are not ours. */
static void fold_op(struct folding *f, const struct gw_json *op)
{
    const struct gw_json *name = gw_json_get(op, "op");
    if (!gw_json_is_object(op) || !text_is(gw_json_get(op, "id"), f->all->scope->block)) {
        return;
    }
    if (text_is(name, "splice")) {
        fold_splice(f, op);
    } else if (text_is(name, "insert")) {
        set_text(f, gw_json_get(op, "text"));
    } else if (text_is(name, "remove")) {
        set_text(f, NULL);
    }
}

static void fold_patch(struct folding *f, const struct gw_json *data)
{
    const struct gw_json *ops = gw_json_get(data, "ops");
    f->all->counts.patches++;
    for (size_t i = 0; i < gw_json_count(ops); i++) {
        fold_op(f, gw_json_at(ops, i));
    }
}

static void fold_checkpoint(struct folding *f, const struct gw_json *data)
{
    const struct gw_json *state = gw_json_get(data, "state");
    const struct gw_json *blocks = gw_json_is_object(state) ? gw_json_get(state, "blocks") : NULL;
    const struct gw_json *block = gw_json_is_object(blocks) ? gw_json_get(blocks, f->all->scope->block) : NULL;
    f->all->counts.checkpoints++;
    set_text(f, gw_json_is_object(block) ? gw_json_get(block, "text") : NULL);
}

static void note_verdict(struct folding *f, const struct gw_json *status)
{
    static const char *const names[GW_REPLAY_VERDICT_COUNT] = {"exact", "reset", "fresh", "retry"};
    for (int i = 0; i < GW_REPLAY_VERDICT_COUNT; i++) {
        f->all->counts.verdicts[i] += text_is(status, names[i]) ? 1 : 0;
    }
    /* What was folded before a reset is void; a checkpoint follows. */
    if (text_is(status, "reset") || text_is(status, "fresh")) {
        set_text(f, NULL);
        f->follower->last_id[0] = '\0';
    }
}

/* The envelope's `data`, whatever the type; the verdict stands in an envelope or bare. */
static void fold_document(struct folding *f, const struct gw_sse_frame *frame, const struct gw_json *document)
{
    const struct gw_json *inner = gw_json_get(document, "data");
    const struct gw_json *data = gw_json_is_object(inner) ? inner : document;
    const struct gw_json *canvas = gw_json_get(document, "canvas_id");
    if (gw_sse_frame_is(frame, "resume")) {
        note_verdict(f, gw_json_get(data, "status"));
    } else if (!text_is(canvas, f->all->scope->canvas)) {
        return;
    } else if (gw_sse_frame_is(frame, "state_patch")) {
        fold_patch(f, data);
    } else if (gw_sse_frame_is(frame, "CANVAS_READY")) {
        fold_checkpoint(f, data);
    }
}

static void fold_data(struct folding *f, const struct gw_sse_frame *frame)
{
    const struct gw_json_limits limits = {.max_bytes = 64 * 1024 * 1024, .max_depth = 64, .max_nodes = 4 * 1024 * 1024};
    struct gw_json *document = NULL;
    struct gw_error err;
    if (gw_json_parse(frame->data, frame->data_length, &limits, &document, &err) != 0) {
        note_broken(f, err.message);
        return;
    }
    if (gw_json_is_object(document)) {
        fold_document(f, frame, document);
    }
    gw_json_unref(document);
}

static void on_frame(void *self, struct gw_client_stream *stream, const struct gw_sse_frame *frame)
{
    struct folding f = {self, (struct gw_replay_follower *)stream};
    f.all->counts.frames++;
    if (frame->data != NULL) {
        fold_data(&f, frame);
    }
    if (frame->id == NULL) {
        return;
    }
    if (frame->id_length >= sizeof f.follower->last_id) {
        note_broken(&f, "an id is longer than a kilobyte");
        return;
    }
    memcpy(f.follower->last_id, frame->id, frame->id_length);
    f.follower->last_id[frame->id_length] = '\0';
}

static void on_connected(void *self, struct gw_client_stream *stream, struct gw_buffer *out)
{
    const struct gw_replay_followers *all = self;
    const struct gw_replay_follower *follower = (const struct gw_replay_follower *)stream;
    gw_buffer_append_text(out, "GET /v1/stream?");
    gw_replay_scope_write_query(all->scope, out);
    gw_buffer_appendf(out, " HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n", all->scope->url.authority);
    gw_buffer_appendf(out, "Authorization: Bearer %s\r\n", all->scope->bearer);
    if (follower->last_id[0] != '\0') {
        gw_buffer_appendf(out, "Last-Event-ID: %s\r\n", follower->last_id);
    }
    gw_buffer_append(out, "\r\n", 2);
}

static void on_open(void *self, struct gw_client_stream *stream)
{
    (void)self;
    (void)stream;
}

static void on_end(void *self, struct gw_client_stream *stream, bool was_open, const char *why)
{
    struct gw_replay_followers *all = self;
    struct gw_replay_follower *follower = (struct gw_replay_follower *)stream;
    all->counts.ends += was_open ? 1 : 0;
    if (all->counts.broken == 0) {
        (void)snprintf(all->counts.first_trouble, sizeof all->counts.first_trouble, "follower %u: %.250s", follower->index, why);
    }
    follower->reopen_ns = gw_client_now_ns() + REOPEN_AFTER_NS;
}

void gw_replay_followers_init(struct gw_replay_followers *all, const struct gw_replay_scope *scope, size_t count, int epoll)
{
    *all = (struct gw_replay_followers){.scope = scope, .count = count};
    all->host = (struct gw_client_stream_host){.self = all, .epoll = epoll, .on_connected = on_connected, .on_open = on_open};
    all->host.on_frame = on_frame;
    all->host.on_end = on_end;
    all->items = gw_alloc_array(count + 1, sizeof all->items[0]);
    for (size_t i = 0; i < count; i++) {
        gw_client_stream_init(&all->items[i].stream);
        gw_replay_text_init(&all->items[i].text);
        all->items[i].index = (unsigned)i;
    }
}

void gw_replay_followers_fini(struct gw_replay_followers *all)
{
    for (size_t i = 0; i < all->count; i++) {
        gw_client_stream_close(&all->items[i].stream);
        gw_replay_text_fini(&all->items[i].text);
    }
    gw_client_stream_host_fini(&all->host);
    gw_free(all->items);
}

void gw_replay_followers_open_due(struct gw_replay_followers *all, uint64_t now_ns)
{
    struct gw_error err;
    for (size_t i = 0; i < all->count; i++) {
        struct gw_replay_follower *follower = &all->items[i];
        if (follower->reopen_ns == 0 || follower->reopen_ns > now_ns) {
            continue;
        }
        follower->reopen_ns = 0;
        if (gw_client_stream_open(&all->host, &follower->stream, &all->scope->url, 0, &err) != 0) {
            on_end(all, &follower->stream, false, err.message);
        }
    }
}

void gw_replay_follower_cut(struct gw_replay_follower *follower, uint64_t now_ns, uint64_t pause_ns)
{
    gw_client_stream_close(&follower->stream);
    follower->reopen_ns = now_ns + pause_ns + 1;
}
