#include "base/printable.h"

#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

static bool is_plain(const char *text, size_t step)
{
    unsigned char byte = (unsigned char)text[0];
    if (step > 1)
        return !(byte == 0xC2 && (unsigned char)text[1] < 0xA0);
    return step == 1 && byte >= 0x20 && byte != 0x7F;
}

static void write_escaped(char *out, const char *text, size_t step)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t k = 0; k < step; k++) {
        unsigned char byte = (unsigned char)text[k];
        memcpy(out + 4 * k, (char[]){'\\', 'x', digits[byte >> 4], digits[byte & 15]}, 4);
    }
}

void gw_printable_text(char *out, size_t size, const char *text, size_t length)
{
    size_t at = 0;
    for (size_t i = 0; i < length;) {
        size_t step = gw_utf8_step(text + i, length - i);
        bool stays = is_plain(text + i, step);
        step = step ? step : 1;
        if (at + (stays ? step : 4 * step) >= size)
            break;
        if (stays)
            memcpy(out + at, text + i, step);
        else
            write_escaped(out + at, text + i, step);
        at += stays ? step : 4 * step;
        i += step;
    }
    out[at] = '\0';
}

struct gw_printable gw_printable(const char *text)
{
    struct gw_printable out;
    gw_printable_text(out.text, sizeof out.text, text ? text : "", text ? strlen(text) : 0);
    return out;
}
