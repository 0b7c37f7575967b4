#include "base/plain.h"

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { BLOCK_BYTES = 16 };

/* Vectors are an extension that gcc and clang share; a comparison sets all bits of a lane or none. */
typedef uint8_t block __attribute__((vector_size(BLOCK_BYTES)));
typedef uint64_t halves __attribute__((vector_size(BLOCK_BYTES)));

static inline block escaped_in(block b) { return (block)(b < 0x20) | (block)(b == '"') | (block)(b == '\\'); }
static inline block escaped_or_not_ascii_in(block b) { return escaped_in(b) | (block)(b >= 0x80); }
static inline block control_in(block b) { return (block)(b < 0x20) | (block)(b == 0x7F) | (block)(b == 0xC2); }

static inline block load(const char *text)
{
    block b;
    memcpy(&b, text, sizeof b);
    return b;
}

/* Less than a block, and blanks behind it. By hand: a call of memcpy takes longer than to copy these few. */
static inline block load_few(const char *text, size_t length)
{
    halves words = {UINT64_C(0x2020202020202020), UINT64_C(0x2020202020202020)};
    block b = (block)words;
    for (size_t i = 0; i < length; i++)
        b[i] = (uint8_t)text[i];
    return b;
}

/* The index of the first lane that is set, or BLOCK_BYTES. */
static inline size_t first_of(block found)
{
    halves words = (halves)found;
    if (words[0])
        return (size_t)__builtin_ctzll(htole64(words[0])) / 8;
    return words[1] ? 8 + (size_t)__builtin_ctzll(htole64(words[1])) / 8 : BLOCK_BYTES;
}

/* Always inline, so that `find` is a few instructions and no call. */
__attribute__((always_inline)) static inline size_t run(const char *text, size_t length, block (*find)(block b))
{
    block b;
    for (size_t at = 0; length - at >= BLOCK_BYTES; at += BLOCK_BYTES) {
        b = load(text + at);
        size_t first = first_of(find(b));
        if (first < BLOCK_BYTES)
            return at + first;
    }
    if (length % BLOCK_BYTES == 0)
        return length;
    /* The last block may overlap the one before, where nothing was found. */
    size_t start = length > BLOCK_BYTES ? length - BLOCK_BYTES : 0;
    b = length > BLOCK_BYTES ? load(text + start) : load_few(text, length);
    size_t first = start + first_of(find(b));
    return first < length ? first : length;
}

size_t gw_plain_in_json(const char *text, size_t length) { return run(text, length, escaped_in); }
size_t gw_plain_ascii_in_json(const char *text, size_t length) { return run(text, length, escaped_or_not_ascii_in); }
size_t gw_plain_of_controls(const char *text, size_t length) { return run(text, length, control_in); }
