/* fuzz_http1.c — any bytes: the parser neither crashes nor depends on how they were cut, and queries and path segments decode within their
 * room. The first byte is the size of the pieces. */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "protocol/http1.h"
#include "protocol/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct session {
    struct gw_http1 *parser;
    struct gw_buffer transcript;
    bool keep_alive, pauses;
};

static void read_query(const struct gw_http1_request *request)
{
    struct gw_query query;
    struct gw_query_pair pair;
    struct gw_error err;
    char *scratch = gw_try_alloc(request->query_length + 1);
    char *segment = gw_try_alloc(request->path_length + 1);
    gw_query_init(&query, request->query, request->query_length, scratch);
    while (gw_query_next(&query, &pair, &err) == 1)
        assert(strlen(pair.name) == pair.name_length && strlen(pair.value) == pair.value_length);
    gw_percent_decode(request->path, request->path_length, segment);
    gw_free(scratch);
    gw_free(segment);
}

static void on_head(void *user, const struct gw_http1_request *request)
{
    struct session *s = user;
    gw_buffer_appendf(&s->transcript, "<%s %.*s %.*s %.*s %d%d%d%d>", request->method, (int)request->path_length, request->path,
                      (int)request->query_length, request->query, (int)request->host_length, request->host ? request->host : "",
                      request->is_chunked, request->keep_alive, request->expects_continue, request->is_upgrade);
    for (size_t i = 0; i < request->header_count; i++) {
        gw_buffer_append(&s->transcript, request->headers[i].name, request->headers[i].name_length);
        gw_buffer_append(&s->transcript, request->headers[i].value, request->headers[i].value_length);
    }
    read_query(request);
    s->keep_alive = request->keep_alive;
    if (s->pauses)
        gw_http1_pause(s->parser);
}

static void on_body(void *user, const char *bytes, size_t length)
{
    struct session *s = user;
    gw_buffer_append(&s->transcript, bytes, length);
    if (s->pauses)
        gw_http1_pause(s->parser);
}

static void on_end(void *user)
{
    struct session *s = user;
    gw_buffer_append_text(&s->transcript, "[end]");
}

static const struct gw_http1_events events = {on_head, on_body, on_end};

/* False when the connection ends here. */
static bool feed(struct session *s, const char *bytes, size_t length)
{
    size_t at = 0;
    struct gw_error err;
    for (;;) {
        size_t consumed;
        int rc = gw_http1_feed(s->parser, bytes + at, length - at, &consumed, &err);
        at += consumed;
        assert(at <= length);
        if (rc) {
            assert(gw_http1_status(s->parser) >= 400);
            gw_buffer_appendf(&s->transcript, "!%s", err.id);
            return false;
        }
        if (!gw_http1_is_paused(s->parser)) {
            assert(at == length);
            return true;
        }
        if (gw_http1_phase(s->parser) == GW_HTTP1_ENDED && !s->keep_alive)
            return false;
        gw_http1_resume(s->parser);
    }
}

static void run(struct session *s, const char *bytes, size_t length, size_t piece)
{
    struct gw_http1_limits limits = {.max_target_bytes = 200, .max_header_bytes = 400, .max_header_count = 8, .max_body_bytes = 300};
    bool is_open = true;
    gw_buffer_init(&s->transcript, 0);
    s->parser = gw_http1_create(&limits, &events, s);
    for (size_t at = 0; at < length && is_open; at += piece) {
        size_t count = piece < length - at ? piece : length - at;
        char *copy = malloc(count);
        memcpy(copy, bytes + at, count);
        is_open = feed(s, copy, count);
        free(copy);
    }
    gw_http1_destroy(s->parser);
}

/* What a refused body delivered before the refusal depends on the cut; all else may not. */
static bool is_cut_dependent(const struct gw_buffer *transcript)
{
    return memmem(transcript->data, transcript->length, "!body_too_large", 15) ||
           memmem(transcript->data, transcript->length, "!bad_chunk", 10);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct session whole = {.pauses = false}, cut = {.pauses = true};
    if (size < 2)
        return 0;
    run(&whole, (const char *)data + 1, size - 1, size);
    run(&cut, (const char *)data + 1, size - 1, 1 + data[0] % 16);
    if (whole.transcript.length && !is_cut_dependent(&whole.transcript)) {
        assert(whole.transcript.length == cut.transcript.length);
        assert(memcmp(whole.transcript.data, cut.transcript.data, cut.transcript.length) == 0);
    }
    gw_buffer_fini(&whole.transcript);
    gw_buffer_fini(&cut.transcript);
    return 0;
}
