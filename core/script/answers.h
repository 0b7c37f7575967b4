/* answers.h — what the scripts of one tenant have made of values, by a digest of all that the answer depends on: a pure function need not be asked twice. Bounded by bytes; what was not
 * asked for lately is forgotten first, and asked for again gets the same answer. A map of its owner's thread. Not for plans, which have names (host_lens.c). */
#ifndef GW_SCRIPT_ANSWERS_H
#define GW_SCRIPT_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

struct gw_answers;

enum gw_answer_kind {
    GW_ANSWER_NOTHING, /* it shows nothing of it */
    GW_ANSWER_FAILURE, /* it fails at it, which was told when it was asked */
    GW_ANSWER_SAME,    /* the value as it is */
    GW_ANSWER_VALUE
};

/* value */
struct gw_answer {
    enum gw_answer_kind kind;
    const char *text; /* canonical JSON of a VALUE; borrowed until the next put or find */
    size_t length;
};

/* `seed` as for a map. */
struct gw_answers *gw_answers_create(const uint8_t seed[16], size_t max_bytes);
void gw_answers_destroy(struct gw_answers *answers); /* NULL is fine */
bool gw_answers_find(struct gw_answers *answers, const uint8_t key[GW_SHA256_BYTES], struct gw_answer *out);
/* Remembers a copy, unless memory is short or it is too large to keep. The key is not in it yet. */
void gw_answers_put(struct gw_answers *answers, const uint8_t key[GW_SHA256_BYTES], const struct gw_answer *answer);
size_t gw_answers_bytes(const struct gw_answers *answers); /* of all that is remembered */
/* Forgets what was not asked for lately: about half, all when all was. */
void gw_answers_shed(struct gw_answers *answers);

#endif
