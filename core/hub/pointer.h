/* pointer.h — JSON pointers (RFC 6901) as error paths and as the keys of preconditions. Owns nothing; pure; any thread. Errors are built
 * from the inside out: each level puts its own step before what is there. */
#ifndef GW_HUB_POINTER_H
#define GW_HUB_POINTER_H

#include <stdbool.h>
#include <stddef.h>

struct gw_error;

/* Puts "/<key>" before err->path, escaped, control characters shown as '?', cut when it does not fit. */
void gw_pointer_prefix(struct gw_error *err, const char *key);
void gw_pointer_prefix_index(struct gw_error *err, size_t index);

/* Takes the next step off *pointer, unescaped and NUL-terminated, into `out`. False at the end, when the pointer is malformed or the step
 * does not fit: then *pointer points at what is left ("" at the end). */
bool gw_pointer_next(const char **pointer, char *out, size_t size);

#endif
