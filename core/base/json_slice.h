/* json_slice.h — walking through JSON text without making a tree of it: for what is too large for one and of which a part is wanted. Only for text that was written by
 * json.h: grammar is not checked, though nothing beyond the slice is read. Pure; a slice borrows the text. Not for what a peer sent. */
#ifndef GW_BASE_JSON_SLICE_H
#define GW_BASE_JSON_SLICE_H

#include <stdbool.h>
#include <stddef.h>

/* value: one JSON value, a string with its quotes; a key without, as it is written */
struct gw_json_slice {
    const char *at;
    size_t length;
};

/* value: a walk through an object or a list */
struct gw_json_walk {
    const char *at, *end;
    bool has_keys;
};

/* Of a value that is neither, the walk is over at once. */
struct gw_json_walk gw_json_walk_begin(struct gw_json_slice container);
/* False at the end. `key` may be NULL, and stays as it is in a list. */
bool gw_json_walk_next(struct gw_json_walk *walk, struct gw_json_slice *key, struct gw_json_slice *value);
/* The member of that name; false, and *out empty, when there is none. */
bool gw_json_slice_member(struct gw_json_slice object, const char *name, struct gw_json_slice *out);
/* Byte order. */
int gw_json_slice_compare(struct gw_json_slice a, struct gw_json_slice b);

/* value: a string slice, cut */
struct gw_json_cut {
    size_t length; /* of its text as it is written, without quotes: at most `max`, whole code points and escapes */
    size_t bytes;  /* of the whole text as it is read */
};
struct gw_json_cut gw_json_slice_cut(struct gw_json_slice string, size_t max);

#endif
