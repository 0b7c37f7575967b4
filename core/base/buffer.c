#include "base/buffer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/plain.h"

enum { FIRST_CAPACITY = 256 };

void gw_buffer_init(struct gw_buffer *b, size_t max_bytes) { *b = (struct gw_buffer){.max_bytes = max_bytes}; }

void gw_buffer_fini(struct gw_buffer *b)
{
    gw_free(b->data);
    *b = (struct gw_buffer){.max_bytes = b->max_bytes};
}

void gw_buffer_reset(struct gw_buffer *b)
{
    b->length = 0;
    b->has_failed = false;
}

void gw_buffer_truncate(struct gw_buffer *b, size_t length)
{
    assert(length <= b->length);
    b->length = length;
    b->has_failed = false;
}

static bool grow(struct gw_buffer *b, size_t needed)
{
    size_t capacity = b->capacity ? b->capacity : FIRST_CAPACITY;
    while (capacity < needed)
        if (__builtin_mul_overflow(capacity, 2, &capacity))
            capacity = needed;
    char *data = gw_try_grow(b->data, capacity, 1);
    if (!data)
        return false;
    b->data = data;
    b->capacity = capacity;
    return true;
}

static char *reserve_slowly(struct gw_buffer *b, size_t length)
{
    size_t needed;
    if (b->has_failed)
        return NULL;
    bool fits = !__builtin_add_overflow(b->length, length, &needed) && (b->max_bytes == 0 || needed <= b->max_bytes);
    if (!fits || !grow(b, needed)) {
        b->has_failed = true;
        return NULL;
    }
    return b->data + b->length;
}

/* Inline, because encoders append a few bytes at a time. */
static inline char *reserve(struct gw_buffer *b, size_t length)
{
    bool is_there = b->data && length <= b->capacity - b->length && !b->has_failed;
    if (is_there && (b->max_bytes == 0 || b->length + length <= b->max_bytes))
        return b->data + b->length;
    return reserve_slowly(b, length);
}

char *gw_buffer_reserve(struct gw_buffer *b, size_t length) { return reserve(b, length); }

void gw_buffer_commit(struct gw_buffer *b, size_t length)
{
    assert(length <= b->capacity - b->length);
    b->length += length;
}

void gw_buffer_append(struct gw_buffer *b, const void *bytes, size_t length)
{
    char *room = reserve(b, length);
    if (!room || length == 0)
        return;
    memcpy(room, bytes, length);
    b->length += length;
}

void gw_buffer_append_text(struct gw_buffer *b, const char *text) { gw_buffer_append(b, text, strlen(text)); }

void gw_buffer_append_char(struct gw_buffer *b, char c)
{
    char *room = reserve(b, 1);
    if (!room)
        return;
    *room = c;
    b->length++;
}

void gw_buffer_append_u64(struct gw_buffer *b, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    gw_buffer_append(b, digits + at, sizeof digits - at);
}

void gw_buffer_append_i64(struct gw_buffer *b, int64_t value)
{
    if (value < 0)
        gw_buffer_append_char(b, '-');
    /* Negation in unsigned arithmetic is defined for INT64_MIN too. */
    gw_buffer_append_u64(b, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void gw_buffer_appendf(struct gw_buffer *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0 || !reserve(b, (size_t)length))
        return;
    /* vsnprintf ends with a NUL: room for one byte more than is kept, which the maximum does not count. */
    if (b->capacity - b->length <= (size_t)length && !grow(b, b->length + (size_t)length + 1)) {
        b->has_failed = true;
        return;
    }
    va_start(args, format);
    vsnprintf(b->data + b->length, (size_t)length + 1, format, args);
    va_end(args);
    b->length += (size_t)length;
}

static void append_escape(struct gw_buffer *b, char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char shorts[0x20] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    char text[6] = {'\\', c, '0', '0', '0', '0'};
    size_t length = 2;
    if ((unsigned char)c < 0x20 && shorts[(unsigned char)c]) {
        text[1] = shorts[(unsigned char)c];
    } else if ((unsigned char)c < 0x20) {
        text[1] = 'u';
        text[4] = hex[(unsigned char)c >> 4];
        text[5] = hex[c & 15];
        length = sizeof text;
    }
    gw_buffer_append(b, text, length);
}

void gw_buffer_append_json_string(struct gw_buffer *b, const char *text, size_t length)
{
    /* Room for a string without escapes, which nearly all are. */
    char *room = length <= SIZE_MAX - 2 ? reserve(b, length + 2) : NULL;
    size_t clean = gw_plain_in_json(text, length);
    if (room && clean == length) {
        room[0] = '"';
        if (length)
            memcpy(room + 1, text, length);
        room[length + 1] = '"';
        b->length += length + 2;
        return;
    }
    gw_buffer_append_char(b, '"');
    while (clean < length) {
        gw_buffer_append(b, text, clean);
        append_escape(b, text[clean]);
        text += clean + 1;
        length -= clean + 1;
        clean = gw_plain_in_json(text, length);
    }
    gw_buffer_append(b, text, length);
    gw_buffer_append_char(b, '"');
}

void gw_buffer_consume(struct gw_buffer *b, size_t length)
{
    assert(length <= b->length);
    if (length == 0)
        return;
    memmove(b->data, b->data + length, b->length - length);
    b->length -= length;
}

char *gw_buffer_take(struct gw_buffer *b, size_t *length)
{
    char *data = NULL;
    *length = 0;
    if (!b->has_failed && (b->length < b->capacity || grow(b, b->length + 1))) {
        data = b->data;
        data[b->length] = '\0';
        *length = b->length;
        b->data = NULL;
    }
    gw_buffer_fini(b);
    return data;
}
