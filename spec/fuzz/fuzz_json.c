#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is accepted is written, read back and found equal, in both spellings. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct gw_json_limits limits = {.max_bytes = 1u << 20, .max_depth = 32, .max_nodes = 16384};
    /* 1e-6 is written as 0.000001: text may grow. */
    static const struct gw_json_limits back_limits = {.max_bytes = 4u << 20, .max_depth = 32, .max_nodes = 16384};
    struct gw_json *json;
    struct gw_json *back;
    struct gw_error err;
    struct gw_buffer out;
    if (gw_json_parse((const char *)data, size, &limits, &json, &err))
        return 0;
    gw_buffer_init(&out, 0);
    for (int is_canonical = 0; is_canonical < 2; is_canonical++) {
        gw_buffer_reset(&out);
        (is_canonical ? gw_json_write_canonical : gw_json_write)(json, &out);
        if (gw_json_parse(out.data, out.length, &back_limits, &back, &err) || !gw_json_equal(json, back))
            __builtin_trap();
        gw_json_unref(back);
    }
    gw_buffer_fini(&out);
    gw_json_unref(json);
    return 0;
}
