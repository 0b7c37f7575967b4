#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bare.h"
#include "base/alloc.h"

struct bare_channel *bare_channel_get(struct bare_server *server, unsigned number)
{
    struct bare_channel **slot = &server->channels[number % BARE_CHANNELS];
    if (*slot == NULL) {
        size_t max_bytes = server->settings.log_kilobytes * 1024;
        *slot = gw_alloc(sizeof **slot);
        bare_log_init(&(*slot)->log, max_bytes);
        bare_log_init(&(*slot)->faulty, max_bytes);
        gw_buffer_init(&(*slot)->held, 0);
    }
    return *slot;
}

void bare_channel_join(struct bare_server *server, struct bare_channel *channel, struct bare_conn *conn)
{
    bool is_wronged = server->settings.fault != BARE_NO_FAULT && channel->count == 0;
    if (channel->count == channel->capacity) {
        channel->capacity = channel->capacity * 2 + 8;
        channel->subscribers = gw_try_grow(channel->subscribers, channel->capacity, sizeof *channel->subscribers);
        if (channel->subscribers == NULL) {
            abort();
        }
    }
    conn->channel = channel;
    conn->log = is_wronged ? &channel->faulty : &channel->log;
    conn->position = bare_log_end(conn->log);
    conn->slot = channel->count;
    channel->subscribers[channel->count++] = conn;
}

void bare_channel_leave(struct bare_conn *conn)
{
    struct bare_channel *channel = conn->channel;
    struct bare_conn *last = channel->subscribers[--channel->count];
    channel->subscribers[conn->slot] = last;
    last->slot = conn->slot;
    conn->channel = NULL;
}

/* What the wronged subscriber gets in place of `frame`. */
static void append_faulty(const struct bare_settings *settings, struct bare_channel *channel, const struct gw_buffer *frame)
{
    bool is_hit = channel->log.last_id % settings->fault_every == 0;
    if (is_hit && settings->fault == BARE_DROP) {
        return;
    }
    if (is_hit && settings->fault == BARE_SWAP) {
        gw_buffer_append(&channel->held, frame->data, frame->length);
        return;
    }
    bare_log_append(&channel->faulty, frame->data, frame->length);
    if (is_hit) {
        bare_log_append(&channel->faulty, frame->data, frame->length);
    }
    if (channel->held.length > 0) {
        bare_log_append(&channel->faulty, channel->held.data, channel->held.length);
        gw_buffer_reset(&channel->held);
    }
}

static void make_frame(struct bare_server *server, uint64_t id, const char *payload, size_t length)
{
    struct gw_buffer *out = &server->frame;
    char head[40];
    int head_length = snprintf(head, sizeof head, "id: %llu\ndata: ", (unsigned long long)id);
    gw_buffer_reset(out);
    if (server->settings.is_chunked) {
        gw_buffer_appendf(out, "%zx\r\n", (size_t)head_length + length + 2);
    }
    gw_buffer_append(out, head, (size_t)head_length);
    gw_buffer_append(out, payload, length);
    gw_buffer_append(out, "\n\n\r\n", server->settings.is_chunked ? 4 : 2);
}

static void delay(const struct bare_settings *settings)
{
    struct timespec t = {.tv_nsec = (long)settings->delay_ms * 1000000};
    if (settings->delay_ms > 0) {
        nanosleep(&t, NULL);
    }
}

void bare_channel_publish(struct bare_server *server, unsigned number, const char *payload, size_t length)
{
    struct bare_channel *channel = bare_channel_get(server, number);
    if (server->settings.is_ingest_only) {
        return;
    }
    make_frame(server, channel->log.last_id + 1, payload, length);
    delay(&server->settings);
    bare_log_append(&channel->log, server->frame.data, server->frame.length);
    if (server->settings.fault != BARE_NO_FAULT) {
        append_faulty(&server->settings, channel, &server->frame);
    }
    if (!server->settings.is_coalescing) {
        bare_channel_fan_out(server, channel);
    } else if (!channel->is_dirty) {
        channel->is_dirty = true;
        server->dirty[server->dirty_count++] = number % BARE_CHANNELS;
    }
}

void bare_channel_fan_out(struct bare_server *server, struct bare_channel *channel)
{
    channel->is_dirty = false;
    for (size_t i = 0; i < channel->count;) {
        struct bare_conn *conn = channel->subscribers[i];
        /* One that waits for room is served by its own event. */
        if (conn->is_armed || bare_conn_flush(server, conn)) {
            i++;
        } else {
            bare_conn_close(server, conn);
        }
    }
}
