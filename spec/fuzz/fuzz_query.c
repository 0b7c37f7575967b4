/* fuzz_query.c — any bytes as the query of a URL and as a path segment: what comes out is text without a NUL, and encoding it gives back a
 * query that says the same. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/utf8.h"
#include "protocol/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_text(const char *text, size_t length)
{
    size_t step;
    assert(strlen(text) == length);
    for (; length; text += step, length -= step) {
        step = gw_utf8_step(text, length);
        assert(step);
    }
}

static void encode(const char *text, size_t length, struct gw_buffer *out)
{
    for (size_t i = 0; i < length; i++)
        gw_buffer_appendf(out, "%%%02x", (unsigned char)text[i]);
}

/* The pairs of `raw`, encoded anew; negative when it is refused. */
static int rewrite(const char *raw, size_t length, struct gw_buffer *out)
{
    struct gw_query query;
    struct gw_query_pair pair;
    struct gw_error err;
    int status;
    char *scratch = malloc(length + 1);
    gw_query_init(&query, raw, length, scratch);
    while ((status = gw_query_next(&query, &pair, &err)) > 0) {
        expect_text(pair.name, pair.name_length);
        expect_text(pair.value, pair.value_length);
        if (out->length)
            gw_buffer_append_char(out, '&');
        encode(pair.name, pair.name_length, out);
        gw_buffer_append_char(out, '=');
        encode(pair.value, pair.value_length, out);
    }
    free(scratch);
    assert(status == 0 || err.id[0]);
    return status;
}

static void decode_segment(const char *text, size_t length)
{
    char *out = malloc(length + 1);
    ptrdiff_t decoded = gw_percent_decode(text, length, out);
    assert(decoded < 0 || ((size_t)decoded <= length && out[decoded] == '\0'));
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_buffer once, twice;
    gw_buffer_init(&once, 0);
    gw_buffer_init(&twice, 0);
    decode_segment((const char *)data, size);
    if (rewrite((const char *)data, size, &once) == 0 && once.length) {
        int status = rewrite(once.data, once.length, &twice);
        assert(status == 0 && twice.length == once.length && memcmp(twice.data, once.data, once.length) == 0);
    }
    gw_buffer_fini(&once);
    gw_buffer_fini(&twice);
    return 0;
}
