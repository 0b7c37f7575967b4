/* gesture.h — what somebody does at the moment, as everybody who may sees it: where they point, what they have selected, what they type in. Never stored; the newest of
 * an actor counts. Typed, so that a lens can cut what it names: {kind, blocks?: [id], at?, to?, x?, y?, props?: {name: scalar}}; {}: it is over.
 *   kind: an id, what the gesture is · blocks: blocks of the canvas that it is about · at, to: offsets into the first one's text, code points · x, y: a place in the
 *   canvas's own coordinates · props: more of it, texts of at most GW_GESTURE_TEXT_MAX code points. */
#ifndef GW_HUB_GESTURE_H
#define GW_HUB_GESTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/id.h"

struct gw_error;
struct gw_json;
struct gw_lens;
struct gw_plan;
struct gw_state;

#define GW_GESTURE_BYTES_MAX  2048 /* canonical JSON */
#define GW_GESTURE_BLOCKS_MAX 64
#define GW_GESTURE_PROPS_MAX  16
#define GW_GESTURE_TEXT_MAX   256

/* value */
struct gw_gesture {
    char canvas_id[GW_ID_MAX + 1];
    struct gw_json *data; /* owned reference; checked */
    struct gw_plan *plan; /* owned reference: its author's, who cannot point at what it does not see */
};
void gw_gesture_fini(struct gw_gesture *gesture);

/* Is `data` a gesture? err->path is the pointer inside it; bad_shape, bad_id, unknown_member, missing_member, out_of_range, limit_gesture, bytes_refused. */
int gw_gesture_check(const struct gw_json *data, size_t max_base64_run, struct gw_error *err);
/* It says that there is none. */
bool gw_gesture_is_over(const struct gw_json *data);
/* As the lens shows it, given the state as it is now: without blocks that it or the author does not read, without offsets into a text that is not shown as it is. NULL:
 * nothing of it is seen, as of one whose canvas is not mounted or whose blocks are all hidden or gone; *is_short_of_memory tells the other reason. */
struct gw_json *gw_gesture_project(const struct gw_gesture *gesture, const struct gw_state *state, const struct gw_lens *lens,
                                   bool *is_short_of_memory);

#endif
