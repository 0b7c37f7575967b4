/* utf8.h — one character of strict UTF-8 (RFC 3629: no surrogates, no overlongs, at most U+10FFFF). What scanners of text share; whole
 * texts are counted and indexed by json.h's gw_utf8_count and gw_utf8_offset. Pure functions; any thread. */
#ifndef GW_BASE_UTF8_H
#define GW_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the character that `text` begins with: 1 to 4, or 0 when the bytes are not UTF-8 or end too early. `length` is at least 1. */
size_t gw_utf8_step(const char *text, size_t length);
/* Writes the character `code` (a Unicode scalar value) and returns its 1 to 4 bytes. */
size_t gw_utf8_encode(uint32_t code, char out[4]);
/* The longest prefix of `text` that does not end inside a character; `text` was valid UTF-8 before it was cut. */
size_t gw_utf8_floor(const char *text, size_t length);

#endif
