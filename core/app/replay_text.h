/* replay_text.h — a text that is edited by code points: an array with a gap where the last edit was. What a subscriber folds its stream
 * into. One thread. */
#ifndef GW_APP_REPLAY_TEXT_H
#define GW_APP_REPLAY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* value */
struct gw_replay_text {
    uint32_t *points;
    size_t capacity, gap_start, gap_end; /* the text is points[0, gap_start) and points[gap_end, capacity) */
};

void gw_replay_text_init(struct gw_replay_text *text);
void gw_replay_text_fini(struct gw_replay_text *text);
size_t gw_replay_text_count(const struct gw_replay_text *text);
/* `bytes` is valid UTF-8. */
void gw_replay_text_set(struct gw_replay_text *text, const char *bytes, size_t length);
/* Removes `del` code points at `at` and inserts there. False, and no change, when the text is not that long. */
bool gw_replay_text_splice(struct gw_replay_text *text, size_t at, size_t del, const char *ins, size_t ins_length);
bool gw_replay_text_equal(const struct gw_replay_text *a, const struct gw_replay_text *b);
/* The first place where they differ. */
size_t gw_replay_text_difference(const struct gw_replay_text *a, const struct gw_replay_text *b);

#endif
