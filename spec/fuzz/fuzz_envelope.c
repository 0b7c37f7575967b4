/* fuzz_envelope.c — any texts as the members of an envelope, any JSON as its data: what is written is one line of JSON that says the same
 * again, also after a journey as an SSE frame. The input is eleven texts, each ended by a NUL, then the data. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"
#include "protocol/envelope.h"
#include "protocol/sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_COUNT = 11 };

static const struct gw_json_limits limits = {.max_bytes = 64u << 10, .max_depth = 34, .max_nodes = 4096};

/* The texts of the input; the number of bytes that they take, 0 when they are not all there. */
static size_t split(const char *input, size_t size, const char *texts[TEXT_COUNT])
{
    size_t at = 0;
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        const char *end = memchr(input + at, '\0', size - at);
        if (!end)
            return 0;
        texts[i] = input + at;
        at = (size_t)(end - input) + 1;
    }
    return at;
}

static int is_text(const char *text)
{
    size_t left = strlen(text), step;
    for (; left; text += step, left -= step)
        if (!(step = gw_utf8_step(text, left)))
            return 0;
    return 1;
}

static void expect_member(const struct gw_json *object, const char *name, const char *expected)
{
    const struct gw_json *member = gw_json_get(object, name);
    assert(member && strcmp(gw_json_text(member, NULL), expected) == 0);
}

static void on_event(void *user, const struct gw_sse_event *event)
{
    const struct gw_buffer *written = user;
    assert(event->data_length == written->length && memcmp(event->data, written->data, written->length) == 0);
}

static void travel(struct gw_buffer *written)
{
    static const struct gw_sse_events events = {on_event, NULL};
    struct gw_buffer frame;
    struct gw_error err;
    gw_buffer_init(&frame, 0);
    gw_sse_write(&frame, "state_patch", "id", written->data, written->length);
    struct gw_sse_parser *parser = gw_sse_parser_create(&events, written, 1u << 20);
    int status = gw_sse_parser_feed(parser, frame.data, frame.length, &err);
    assert(!status);
    gw_sse_parser_destroy(parser);
    gw_buffer_fini(&frame);
}

static void check(const char *const texts[TEXT_COUNT], const struct gw_json *value)
{
    static const char *const names[] = {"type", "ts", "tenant_id", "mode", "project_id", "surface_id", "app_id", "run_id"};
    struct gw_envelope envelope = {texts[0], texts[1], texts[2], texts[3], texts[4], texts[5], texts[6], texts[7], texts[8], texts[9], "user", texts[10]};
    struct gw_buffer text, written, again;
    struct gw_json *parsed;
    struct gw_error err;
    gw_buffer_init(&text, 0);
    gw_buffer_init(&written, 0);
    gw_buffer_init(&again, 0);
    gw_json_write(value, &text);
    gw_envelope_write(&envelope, text.data, text.length, &written);
    assert(!memchr(written.data, '\n', written.length) && !memchr(written.data, '\r', written.length));
    struct gw_json_limits wide = {.max_bytes = 1u << 20, .max_depth = limits.max_depth + 1, .max_nodes = limits.max_nodes + 32};
    int status = gw_json_parse(written.data, written.length, &wide, &parsed, &err);
    assert(!status);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        expect_member(parsed, names[i], texts[i]);
    assert(!gw_json_get(parsed, "canvas_id") == !texts[8][0]);
    assert(!gw_json_get(parsed, "cause") == !texts[10][0]);
    gw_json_write(gw_json_get(parsed, "data"), &again);
    assert(again.length == text.length && memcmp(again.data, text.data, text.length) == 0);
    gw_json_unref(parsed);
    travel(&written);
    gw_buffer_fini(&text);
    gw_buffer_fini(&written);
    gw_buffer_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *texts[TEXT_COUNT], *input = (const char *)data;
    struct gw_json *value;
    struct gw_error err;
    size_t used = split(input, size, texts);
    if (!used)
        return 0;
    for (size_t i = 0; i < TEXT_COUNT; i++)
        if (!is_text(texts[i]))
            return 0;
    if (gw_json_parse(input + used, size - used, &limits, &value, &err))
        return 0;
    check(texts, value);
    gw_json_unref(value);
    return 0;
}
