#include "base/digest.h"

static const char url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t gw_base64url_encode(const void *bytes, size_t length, char *out)
{
    const uint8_t *in = bytes;
    char *at = out;
    uint32_t bits = 0;
    unsigned count = 0; /* bits not yet written */
    for (size_t i = 0; i < length; i++) {
        bits = bits << 8 | in[i];
        for (count += 8; count >= 6; count -= 6)
            *at++ = url_alphabet[bits >> (count - 6) & 63];
    }
    if (count > 0)
        *at++ = url_alphabet[bits << (6 - count) & 63];
    *at = '\0';
    return (size_t)(at - out);
}

/* The value of a character, or -1. `char62` and `char63` are what the two alphabets differ in. */
static int value_of(char c, char char62, char char63)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == char62 ? 62 : c == char63 ? 63 : -1;
}

/* Unpadded text. RFC 4648 section 3.5: bits beyond the last byte must be zero, or one value would have several spellings. */
static ptrdiff_t decode(const char *text, size_t length, char char62, char char63, uint8_t *out)
{
    uint8_t *at = out;
    uint32_t bits = 0;
    unsigned count = 0;
    if (length % 4 == 1)
        return -1;
    for (size_t i = 0; i < length; i++) {
        int value = value_of(text[i], char62, char63);
        if (value < 0)
            return -1;
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            *at++ = (uint8_t)(bits >> count);
        }
    }
    if (bits & ((1u << count) - 1))
        return -1;
    return at - out;
}

ptrdiff_t gw_base64url_decode(const char *text, size_t length, void *out) { return decode(text, length, '-', '_', out); }

ptrdiff_t gw_base64_decode(const char *text, size_t length, void *out)
{
    if (length % 4 != 0)
        return -1;
    for (int i = 0; i < 2 && length > 0 && text[length - 1] == '='; i++)
        length--;
    return decode(text, length, '+', '/', out);
}
