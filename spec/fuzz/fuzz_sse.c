/* fuzz_sse.c — any bytes as an event stream: no crash, and the events do not depend on how the bytes were cut. The first byte is the size
 * of the pieces. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "protocol/sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_event(void *user, const struct gw_sse_event *event)
{
    struct gw_buffer *out = user;
    assert(!event->data || event->data[event->data_length] == '\0');
    gw_buffer_appendf(out, "(%s|%s|%d|", event->type, event->last_event_id, event->has_id);
    if (event->data)
        gw_buffer_append(out, event->data, event->data_length);
    gw_buffer_append_char(out, ')');
}

static void on_retry(void *user, uint64_t ms) { gw_buffer_append_u64(user, ms); }

static const struct gw_sse_events events = {on_event, on_retry};

static int run(const uint8_t *bytes, size_t length, size_t piece, struct gw_buffer *out)
{
    struct gw_error err;
    int rc = 0;
    gw_buffer_init(out, 0);
    struct gw_sse_parser *parser = gw_sse_parser_create(&events, out, 256);
    for (size_t at = 0; at < length && rc == 0; at += piece) {
        size_t count = piece < length - at ? piece : length - at;
        char *copy = malloc(count);
        memcpy(copy, bytes + at, count);
        rc = gw_sse_parser_feed(parser, copy, count, &err);
        free(copy);
    }
    gw_sse_parser_destroy(parser);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_buffer whole, cut;
    if (size < 2)
        return 0;
    int rc = run(data + 1, size - 1, size, &whole);
    assert(run(data + 1, size - 1, 1 + data[0] % 16, &cut) == rc);
    assert(whole.length == cut.length);
    assert(whole.length == 0 || memcmp(whole.data, cut.data, cut.length) == 0);
    gw_buffer_fini(&whole);
    gw_buffer_fini(&cut);
    return 0;
}
