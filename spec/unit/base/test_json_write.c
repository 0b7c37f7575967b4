#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"

static const struct gw_json_limits limits = {.max_bytes = 4096, .max_depth = 8, .max_nodes = 256};

static struct gw_json *parse(const char *text)
{
    struct gw_json *json;
    struct gw_error err;
    if (gw_json_parse(text, strlen(text), &limits, &json, &err))
        fail_msg("%s: %s", text, err.id);
    return json;
}

static void assert_written(const struct gw_json *json, const char *in_order, const char *canonical)
{
    struct gw_buffer b;
    gw_buffer_init(&b, 0);
    gw_json_write(json, &b);
    gw_buffer_append_char(&b, '\0');
    assert_string_equal(b.data, in_order);
    gw_buffer_reset(&b);
    gw_json_write_canonical(json, &b);
    gw_buffer_append_char(&b, '\0');
    assert_string_equal(b.data, canonical);
    gw_buffer_fini(&b);
}

static void writes_members_in_the_order_of_their_insertion(void **state)
{
    (void)state;
    struct gw_json *json = parse("{ \"z\" : 1, \"a\" : [ true, false, null, \"x\\ty\" ], \"m\" : { }, \"e\" : [ ] }");
    assert_written(json, "{\"z\":1,\"a\":[true,false,null,\"x\\ty\"],\"m\":{},\"e\":[]}",
                   "{\"a\":[true,false,null,\"x\\ty\"],\"e\":[],\"m\":{},\"z\":1}");
    gw_json_unref(json);
}

static void sorts_canonical_keys_by_their_bytes(void **state)
{
    (void)state;
    struct gw_json *json = parse("{\"\xf0\x9f\x98\x80\":1,\"\xef\xbf\xbd\":2,\"b\":3,\"B\":4,\"\":5,\"ba\":6,\"\\n\":7}");
    assert_written(json, "{\"\xf0\x9f\x98\x80\":1,\"\xef\xbf\xbd\":2,\"b\":3,\"B\":4,\"\":5,\"ba\":6,\"\\n\":7}",
                   "{\"\":5,\"\\n\":7,\"B\":4,\"b\":3,\"ba\":6,\"\xef\xbf\xbd\":2,\"\xf0\x9f\x98\x80\":1}");
    gw_json_unref(json);
}

static void writes_numbers_in_their_shortest_form(void **state)
{
    (void)state;
    struct gw_json *json = parse("[1.0,1E2,0.1,1e21,-0.0,12.50,9007199254740991]");
    assert_written(json, "[1,100,0.1,1e+21,0,12.5,9007199254740991]", "[1,100,0.1,1e+21,0,12.5,9007199254740991]");
    gw_json_unref(json);
}

static struct gw_json *object_of(int count)
{
    struct gw_json *json = gw_json_new_object();
    for (int i = 0; i < count; i++) {
        char key[3] = {(char)('z' - i / 10), (char)('9' - i % 10), 0};
        assert_int_equal(gw_json_set(json, key, gw_json_new_int(i)), 0);
    }
    return json;
}

static void sorts_objects_of_any_size(void **state)
{
    (void)state;
    for (int count = 0; count <= 70; count++) {
        struct gw_json *json = object_of(count);
        struct gw_buffer b;
        gw_buffer_init(&b, 0);
        gw_json_write_canonical(json, &b);
        struct gw_json *back;
        struct gw_error err;
        assert_int_equal(gw_json_parse(b.data, b.length, &limits, &back, &err), 0);
        void *iterator = NULL;
        const char *key;
        struct gw_json *value;
        for (int i = count - 1; i >= 0; i--) {
            assert_true(gw_json_next(back, &iterator, &key, &value));
            assert_int_equal(gw_json_int(value), i);
        }
        assert_false(gw_json_next(back, &iterator, &key, &value));
        assert_true(gw_json_equal(json, back));
        gw_json_unref(back);
        gw_json_unref(json);
        gw_buffer_fini(&b);
    }
}

static void says_so_when_there_is_no_memory_to_sort(void **state)
{
    (void)state;
    struct gw_json *json = object_of(40);
    struct gw_buffer b;
    gw_buffer_init(&b, 0);
    gw_buffer_reserve(&b, 4096);
    gw_alloc_fail_after(1);
    gw_json_write_canonical(json, &b);
    gw_alloc_fail_after(0);
    assert_true(b.has_failed);
    gw_buffer_fini(&b);
    gw_json_unref(json);
}

static void assert_number(double value, const char *text)
{
    struct gw_buffer b;
    gw_buffer_init(&b, 0);
    gw_json_write_number(value, &b);
    gw_buffer_append_char(&b, '\0');
    assert_string_equal(b.data, text);
    gw_buffer_fini(&b);
}

static double from_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* RFC 8785 appendix B. */
static void prints_numbers_as_ecmascript_does(void **state)
{
    (void)state;
    static const struct {
        uint64_t bits;
        const char *text;
    } vectors[] = {
        {UINT64_C(0x0000000000000000), "0"},
        {UINT64_C(0x8000000000000000), "0"},
        {UINT64_C(0x0000000000000001), "5e-324"},
        {UINT64_C(0x8000000000000001), "-5e-324"},
        {UINT64_C(0x7fefffffffffffff), "1.7976931348623157e+308"},
        {UINT64_C(0xffefffffffffffff), "-1.7976931348623157e+308"},
        {UINT64_C(0x4340000000000000), "9007199254740992"},
        {UINT64_C(0xc340000000000000), "-9007199254740992"},
        {UINT64_C(0x4430000000000000), "295147905179352830000"},
        {UINT64_C(0x44b52d02c7e14af5), "9.999999999999997e+22"},
        {UINT64_C(0x44b52d02c7e14af6), "1e+23"},
        {UINT64_C(0x44b52d02c7e14af7), "1.0000000000000001e+23"},
        {UINT64_C(0x444b1ae4d6e2ef4e), "999999999999999700000"},
        {UINT64_C(0x444b1ae4d6e2ef4f), "999999999999999900000"},
        {UINT64_C(0x444b1ae4d6e2ef50), "1e+21"},
        {UINT64_C(0x3eb0c6f7a0b5ed8c), "9.999999999999997e-7"},
        {UINT64_C(0x3eb0c6f7a0b5ed8d), "0.000001"},
        {UINT64_C(0x41b3de4355555553), "333333333.3333332"},
        {UINT64_C(0x41b3de4355555554), "333333333.33333325"},
        {UINT64_C(0x41b3de4355555555), "333333333.3333333"},
        {UINT64_C(0x41b3de4355555556), "333333333.3333334"},
        {UINT64_C(0x41b3de4355555557), "333333333.33333343"},
        {UINT64_C(0xbecbf647612f3696), "-0.0000033333333333333333"},
        {UINT64_C(0x43143ff3c1cb0959), "1424953923781206.2"},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        assert_number(from_bits(vectors[i].bits), vectors[i].text);
}

static void lays_numbers_out_on_both_sides_of_each_threshold(void **state)
{
    (void)state;
    assert_number(1e20, "100000000000000000000");
    assert_number(123456789012345680000.0, "123456789012345680000");
    assert_number(0.1, "0.1");
    assert_number(-1.5, "-1.5");
    assert_number(0.000001234, "0.000001234");
    assert_number(1e-7, "1e-7");
    assert_number(1.25e-10, "1.25e-10");
    assert_number(DBL_MIN, "2.2250738585072014e-308");
    assert_number(2 * DBL_MIN, "4.450147717014403e-308");
    assert_number(1.5e-323, "1.5e-323");
}

static void prints_what_reads_back_the_same(void **state)
{
    (void)state;
    uint64_t bits = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        double value = from_bits(bits);
        struct gw_json *made = isfinite(value) ? gw_json_new_real(value) : NULL;
        if (!made)
            continue;
        struct gw_buffer b;
        gw_buffer_init(&b, 0);
        gw_json_write(made, &b);
        struct gw_json *back;
        struct gw_error err;
        assert_int_equal(gw_json_parse(b.data, b.length, &limits, &back, &err), 0);
        assert_true(gw_json_number(back) == value);
        assert_int_equal(gw_json_type(back), gw_json_type(made));
        gw_json_unref(back);
        gw_json_unref(made);
        gw_buffer_fini(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_members_in_the_order_of_their_insertion),
        cmocka_unit_test(sorts_canonical_keys_by_their_bytes),
        cmocka_unit_test(writes_numbers_in_their_shortest_form),
        cmocka_unit_test(sorts_objects_of_any_size),
        cmocka_unit_test(says_so_when_there_is_no_memory_to_sort),
        cmocka_unit_test(prints_numbers_as_ecmascript_does),
        cmocka_unit_test(lays_numbers_out_on_both_sides_of_each_threshold),
        cmocka_unit_test(prints_what_reads_back_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
