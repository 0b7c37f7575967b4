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
        memcpy(&b, text + at, sizeof b);
        size_t first = first_of(find(b));
        if (first < BLOCK_BYTES)
            return at + first;
    }
    size_t rest = length % BLOCK_BYTES;
    if (rest == 0)
        return length;
    memset(&b, ' ', sizeof b);
    memcpy(&b, text + (length - rest), rest);
    size_t first = first_of(find(b));
    return first < rest ? length - rest + first : length;
}

size_t gw_plain_in_json(const char *text, size_t length) { return run(text, length, escaped_in); }
size_t gw_plain_ascii_in_json(const char *text, size_t length) { return run(text, length, escaped_or_not_ascii_in); }
size_t gw_plain_of_controls(const char *text, size_t length) { return run(text, length, control_in); }
