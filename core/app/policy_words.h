/* policy_words.h — what a log speaks of, as questions that a plan can be asked: each Token key, each combination of kind, label, author and canvas of blocks, nodes
 * and messages, each event type; with the place where it was first met. One thread. */
#ifndef GW_APP_POLICY_WORDS_H
#define GW_APP_POLICY_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "hub/plan.h"

struct gw_event;

#define GW_POLICY_WORDS_MAX 20000 /* more are not told apart */
#define GW_POLICY_LABEL     320

/* One question; its texts are its own. */
struct gw_policy_word {
    enum gw_plan_ask ask;
    char name[GW_ID_MAX * 4 + 1], kind[GW_ID_MAX + 1], vis[GW_ID_MAX + 1], author[GW_ID_MAX + 1], canvas_type[GW_ID_MAX + 1];
    char label[GW_POLICY_LABEL]; /* "read token plan.title" */
    char run[GW_RUN_KEY_MAX + 1];
    uint64_t seq; /* of the first event that speaks of it; 0: what any run may hold */
    uint64_t count;
};

struct gw_policy_words;

struct gw_policy_words *gw_policy_words_create(void);
void gw_policy_words_destroy(struct gw_policy_words *words); /* NULL is fine */
/* Adds what the event speaks of. */
void gw_policy_words_add(struct gw_policy_words *words, const char *run, const struct gw_event *event);
size_t gw_policy_words_count(const struct gw_policy_words *words);
/* In byte order of the labels, once everything is added. */
const struct gw_policy_word *gw_policy_words_at(struct gw_policy_words *words, size_t index);
bool gw_policy_word_is_admitted(const struct gw_policy_word *word, const struct gw_plan *plan);

#endif
