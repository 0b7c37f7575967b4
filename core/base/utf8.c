#include "base/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"

static bool is_tail(char c) { return ((unsigned char)c & 0xC0u) == 0x80u; }

/* Unicode 15, table 3-7: the second byte's range depends on the first; that is where overlongs and surrogates are refused. */
static bool is_second(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xE0:
        return second >= 0xA0 && second <= 0xBF;
    case 0xED:
        return second >= 0x80 && second <= 0x9F;
    case 0xF0:
        return second >= 0x90 && second <= 0xBF;
    case 0xF4:
        return second >= 0x80 && second <= 0x8F;
    default:
        return second >= 0x80 && second <= 0xBF;
    }
}

/* What the first byte promises; 0 for a byte that begins nothing. */
static size_t promised(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xC2 || first > 0xF4)
        return 0;
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

size_t gw_utf8_step(const char *text, size_t length)
{
    size_t size = promised((unsigned char)text[0]);
    if (size <= 1)
        return size;
    if (size > length || !is_second((unsigned char)text[0], (unsigned char)text[1]))
        return 0;
    for (size_t i = 2; i < size; i++)
        if (!is_tail(text[i]))
            return 0;
    return size;
}

size_t gw_utf8_encode(uint32_t code, char out[4])
{
    static const uint8_t marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    out[0] = (char)(marks[size] | code);
    return size;
}

size_t gw_utf8_floor(const char *text, size_t length)
{
    size_t start = length;
    while (start > 0 && length - start < 4) {
        start--;
        if (!is_tail(text[start]))
            break;
    }
    if (start == length)
        return length;
    return promised((unsigned char)text[start]) > length - start ? start : length;
}

/* Eight ASCII bytes at once; most text is. */
static bool is_ascii_word(const char *text)
{
    uint64_t word;
    memcpy(&word, text, sizeof word);
    return (word & UINT64_C(0x8080808080808080)) == 0;
}

ptrdiff_t gw_utf8_count(const char *text, size_t length, size_t *bad_at)
{
    ptrdiff_t count = 0;
    size_t at = 0;
    while (at < length) {
        if (length - at >= 8 && is_ascii_word(text + at)) {
            at += 8;
            count += 8;
            continue;
        }
        size_t step = gw_utf8_step(text + at, length - at);
        if (step == 0) {
            if (bad_at)
                *bad_at = at;
            return -1;
        }
        at += step;
        count++;
    }
    return count;
}

size_t gw_utf8_offset(const char *text, size_t length, size_t index)
{
    size_t at = 0;
    while (index > 0 && at < length) {
        if (index >= 8 && length - at >= 8 && is_ascii_word(text + at)) {
            at += 8;
            index -= 8;
            continue;
        }
        at++;
        while (at < length && is_tail(text[at]))
            at++;
        index--;
    }
    return at;
}
