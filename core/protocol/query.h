/* query.h — the query of a URL as name/value pairs (WHATWG URL 5.1, strict): '+' is a space, names may repeat, order is kept. Wrong
 * percent-encoding, NUL and bad UTF-8 are refused, not repaired. Never allocates. One thread at a time. */
#ifndef GW_PROTOCOL_QUERY_H
#define GW_PROTOCOL_QUERY_H

#include <stddef.h>

struct gw_error;

/* value */
struct gw_query {
    const char *at;
    size_t left;
    char *scratch;
};
/* value: decoded, NUL-terminated, in the scratch memory; "a" and "a=" both have an empty value */
struct gw_query_pair {
    const char *name, *value;
    size_t name_length, value_length;
};

/* `raw` is borrowed; `scratch` holds length + 1 bytes and carries the pairs as long as the caller keeps it. */
void gw_query_init(struct gw_query *query, const char *raw, size_t length, char *scratch);
/* 1: *pair is the next one · 0: no more · GW_EINVAL (bad_query; err->path is the name where it is readable). */
int gw_query_next(struct gw_query *query, struct gw_query_pair *pair, struct gw_error *err);

/* Percent-decodes one path segment ('+' stays). `out` holds length + 1 bytes; a NUL is added. The number of bytes, or -1. */
ptrdiff_t gw_percent_decode(const char *text, size_t length, char *out);

#endif
