/* json_scan.h — everything that is checked in JSON text before a parser may allocate for it: size, depth, number of values, grammar (RFC
 * 8259), UTF-8, escapes and numbers. Owns nothing. A pure function; any thread. Not for duplicate keys: finding those takes memory. */
#ifndef GW_BASE_JSON_SCAN_H
#define GW_BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

struct gw_error;
struct gw_json_limits;

/* Longer spellings are refused: 17 digits say all that a double can hold, and strtod's work grows with the length. */
enum { GW_JSON_NUMBER_MAX_BYTES = 128 };

/* Refuses what gw_json_parse documents, but for json_duplicate_key. */
int gw_json_scan(const char *text, size_t length, const struct gw_json_limits *limits, struct gw_error *err);
/* I-JSON (RFC 7493 section 2.2): finite, and when ECMAScript would print it as an integer, within ±(2^53-1); so what is written reads back.
 */
bool gw_json_is_valid_number(double value);

#endif
