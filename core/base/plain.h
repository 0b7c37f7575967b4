/* plain.h — how far a text goes without a byte that somebody has to look at: sixteen bytes at a time, since most text is all plain. Pure; any
 * thread. Says nothing of what ends the run: that is for the caller's slow path. */
#ifndef GW_BASE_PLAIN_H
#define GW_BASE_PLAIN_H

#include <stddef.h>

/* Bytes before the first that JSON escapes (RFC 8259 section 7): U+0000 to U+001F, the quote, the backslash. `length` when there is none, here and below. */
size_t gw_plain_in_json(const char *text, size_t length);
/* As gw_plain_in_json, and before the first byte that is not ASCII. */
size_t gw_plain_ascii_in_json(const char *text, size_t length);
/* Bytes before the first that may belong to a control character: U+0000 to U+001F, DEL, and C2, which begins U+0080 to U+009F in UTF-8. */
size_t gw_plain_of_controls(const char *text, size_t length);

#endif
