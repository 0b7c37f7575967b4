#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "app/client_sse.h"

struct seen {
    char text[512];
    size_t length, bytes;
};

static void on_frame(void *arg, const struct gw_sse_frame *frame)
{
    struct seen *seen = arg;
    seen->bytes += frame->byte_count;
    seen->length += (size_t)snprintf(seen->text + seen->length, sizeof seen->text - seen->length, "[%.*s|%.*s|%.*s]",
                                     (int)frame->event_length, frame->event != NULL ? frame->event : "", (int)frame->id_length,
                                     frame->id != NULL ? frame->id : "", (int)frame->data_length, frame->data != NULL ? frame->data : "");
}

static const char stream[] =
    ": hello\n\nevent: a\nid: 1\ndata: one\n\ndata:two\r\ndata: more\r\nid: 2\r\n\r\nid: 3\n\nretry: 5\n\nevent\ndata\n\ndata: cut";
static const char expected[] = "[a|1|one][|2|two\nmore][|3|][||]";

static void splits_frames_at_every_cut(void **state)
{
    (void)state;
    for (size_t cut = 0; cut < sizeof stream; cut++) {
        char bytes[sizeof stream];
        struct seen seen = {.length = 0};
        memcpy(bytes, stream, cut);
        size_t done = gw_sse_split(bytes, cut, on_frame, &seen);
        memcpy(bytes + cut, stream + cut, sizeof stream - 1 - cut);
        done += gw_sse_split(bytes + done, sizeof stream - 1 - done, on_frame, &seen);
        assert_string_equal(seen.text, expected);
        assert_int_equal(sizeof stream - 1 - done, strlen("data: cut"));
    }
}

static void counts_the_bytes_of_a_frame_with_its_blank_line(void **state)
{
    (void)state;
    char bytes[] = "id: 1\ndata: x\n\n";
    struct seen seen = {.length = 0};
    assert_int_equal(gw_sse_split(bytes, sizeof bytes - 1, on_frame, &seen), sizeof bytes - 1);
    assert_int_equal(seen.bytes, sizeof bytes - 1);
}

static void names_the_type_of_a_frame_without_an_event_field(void **state)
{
    (void)state;
    struct gw_sse_frame frame = {.data = "x", .data_length = 1};
    assert_true(gw_sse_frame_is(&frame, "message"));
    frame.event = "state_patch";
    frame.event_length = 11;
    assert_true(gw_sse_frame_is(&frame, "state_patch"));
    assert_false(gw_sse_frame_is(&frame, "state_patch2"));
    assert_false(gw_sse_frame_is(&frame, "state"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_frames_at_every_cut),
        cmocka_unit_test(counts_the_bytes_of_a_frame_with_its_blank_line),
        cmocka_unit_test(names_the_type_of_a_frame_without_an_event_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
