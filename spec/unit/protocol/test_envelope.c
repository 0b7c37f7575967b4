/* test_envelope.c — the envelope, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "protocol/envelope.h"

static struct gw_envelope sample(void)
{
    return (struct gw_envelope){.type = "state_patch",
                                .ts = "2026-01-27T10:00:00.123Z",
                                .tenant_id = "t",
                                .mode = "dev",
                                .project_id = "p",
                                .surface_id = "s",
                                .app_id = "a",
                                .run_id = "r",
                                .canvas_id = "c",
                                .actor_id = "u@x",
                                .actor_kind = "user",
                                .cause = "k1"};
}

static void expect(const struct gw_envelope *envelope, const char *expected)
{
    struct gw_buffer out;
    gw_buffer_init(&out, 0);
    gw_envelope_write(envelope, "{\"n\":1}", 7, &out);
    gw_buffer_append_char(&out, '\0');
    assert_string_equal(out.data, expected);
    gw_buffer_fini(&out);
}

static void writes_members_in_the_order_of_the_contract(void **state)
{
    (void)state;
    struct gw_envelope envelope = sample();
    expect(&envelope,
           "{\"type\":\"state_patch\",\"ts\":\"2026-01-27T10:00:00.123Z\",\"tenant_id\":\"t\",\"mode\":\"dev\",\"project_id\":\"p\","
           "\"surface_id\":\"s\",\"app_id\":\"a\",\"run_id\":\"r\",\"canvas_id\":\"c\",\"actor\":{\"id\":\"u@x\",\"kind\":\"user\"},"
           "\"cause\":\"k1\",\"data\":{\"n\":1}}");
}

static void leaves_out_what_is_absent(void **state)
{
    (void)state;
    static const char *const empty[] = {NULL, ""};
    for (size_t i = 0; i < 2; i++) {
        struct gw_envelope envelope = sample();
        envelope.canvas_id = envelope.cause = empty[i];
        expect(&envelope,
               "{\"type\":\"state_patch\",\"ts\":\"2026-01-27T10:00:00.123Z\",\"tenant_id\":\"t\",\"mode\":\"dev\",\"project_id\":\"p\","
               "\"surface_id\":\"s\",\"app_id\":\"a\",\"run_id\":\"r\",\"actor\":{\"id\":\"u@x\",\"kind\":\"user\"},\"data\":{\"n\":1}}");
    }
}

static void shows_lack_of_memory_in_the_buffer(void **state)
{
    (void)state;
    struct gw_envelope envelope = sample();
    struct gw_buffer out;
    gw_buffer_init(&out, 0);
    gw_alloc_fail_after(1);
    gw_envelope_write(&envelope, "{}", 2, &out);
    gw_alloc_fail_after(0);
    assert_true(out.has_failed);
    gw_buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_members_in_the_order_of_the_contract),
        cmocka_unit_test(leaves_out_what_is_absent),
        cmocka_unit_test(shows_lack_of_memory_in_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
