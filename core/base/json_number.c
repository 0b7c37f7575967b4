#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"

/* ECMA-262 Number::toString: value = 0.DIGITS × 10^point, DIGITS as few as read back equal, no zero at either end. */
struct decimal {
    char digits[18];
    int count;
    int point;
};

/* True when `precision` digits read back as `value`. The program never calls setlocale, so the decimal point is a point. */
static bool try_precision(double value, int precision, struct decimal *out)
{
    char text[32]; /* d.ddddddddddddddddE-ddd */
    snprintf(text, sizeof text, "%.*e", precision - 1, value);
    if (strtod(text, NULL) != value)
        return false;
    int count = 0;
    const char *at = text;
    for (; *at != 'e'; at++)
        if (*at != '.')
            out->digits[count++] = *at;
    while (count > 1 && out->digits[count - 1] == '0')
        count--;
    out->count = count;
    out->point = (int)strtol(at + 1, NULL, 10) + 1;
    return true;
}

/* 15 digits survive a round trip through a normal double, so a shorter form shows there as zeros at the end; subnormals hold fewer. */
static void find_shortest(double value, struct decimal *out)
{
    int precision = value < DBL_MIN ? 1 : DBL_DIG;
    while (!try_precision(value, precision, out))
        precision++;
}

static void append_zeros(struct gw_buffer *out, int count)
{
    while (count-- > 0)
        gw_buffer_append_char(out, '0');
}

static void append_exponent(const struct decimal *d, struct gw_buffer *out)
{
    gw_buffer_append_char(out, d->digits[0]);
    if (d->count > 1) {
        gw_buffer_append_char(out, '.');
        gw_buffer_append(out, d->digits + 1, (size_t)d->count - 1);
    }
    gw_buffer_append_text(out, d->point > 0 ? "e+" : "e");
    gw_buffer_append_i64(out, d->point - 1);
}

static void append_decimal(const struct decimal *d, struct gw_buffer *out)
{
    if (d->point > 21 || d->point < -5) {
        append_exponent(d, out);
    } else if (d->point <= 0) {
        gw_buffer_append_text(out, "0.");
        append_zeros(out, -d->point);
        gw_buffer_append(out, d->digits, (size_t)d->count);
    } else if (d->count <= d->point) {
        gw_buffer_append(out, d->digits, (size_t)d->count);
        append_zeros(out, d->point - d->count);
    } else {
        gw_buffer_append(out, d->digits, (size_t)d->point);
        gw_buffer_append_char(out, '.');
        gw_buffer_append(out, d->digits + d->point, (size_t)(d->count - d->point));
    }
}

void gw_json_write_number(double value, struct gw_buffer *out)
{
    assert(isfinite(value));
    if (value == trunc(value) && fabs(value) <= (double)GW_JSON_MAX_INT) {
        gw_buffer_append_i64(out, (int64_t)value);
        return;
    }
    struct decimal decimal = {.count = 0};
    find_shortest(fabs(value), &decimal);
    if (value < 0)
        gw_buffer_append_char(out, '-');
    append_decimal(&decimal, out);
}
