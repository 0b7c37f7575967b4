/* policy_words.h — what a log speaks of, as questions that a plan can be asked (policy_question.h): each Token key, each combination of kind, label, author and canvas of
 * blocks, nodes and messages, the properties and the text of such blocks as their canvas declares them, each event type; with the place where it was first met.
 * Also a plain list of such places, by label. One thread. */
#ifndef GW_APP_POLICY_WORDS_H
#define GW_APP_POLICY_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "app/policy_question.h"
#include "base/id.h"

struct gw_event;
struct gw_manifests;

#define GW_POLICY_WORDS_MAX 20000 /* more are not told apart */
#define GW_POLICY_LABEL     600

/* One question; its texts are its own. */
struct gw_policy_word {
    struct gw_policy_question asks;
    char name[GW_ID_MAX * 4 + 1], kind[GW_ID_MAX + 1], vis[GW_ID_MAX + 1], author[GW_ID_MAX + 1], canvas_type[GW_ID_MAX + 1];
    char content[GW_ID_MAX * 5 + 2]; /* "task.done", "task.text"; "" of what is no content */
    char label[GW_POLICY_LABEL];     /* "read token plan.title" */
    char run[GW_RUN_KEY_MAX + 1];
    uint64_t seq; /* of the first event that speaks of it; 0: what any run may hold */
    uint64_t count;
};

struct gw_policy_words;

/* With the questions that any run may raise: the flags, and the commands that there are. */
struct gw_policy_words *gw_policy_words_create(const struct gw_manifests *manifests);
/* Without any, for gw_policy_words_note. */
struct gw_policy_words *gw_policy_words_create_empty(void);
void gw_policy_words_destroy(struct gw_policy_words *words); /* NULL is fine */
/* Adds what the event speaks of. */
void gw_policy_words_add(struct gw_policy_words *words, const char *run, const struct gw_event *event);
/* Counts one more of that label; its name and content are for globs. */
void gw_policy_words_note(struct gw_policy_words *words, const struct gw_policy_word *word, const char *run, uint64_t seq);
size_t gw_policy_words_count(const struct gw_policy_words *words);
/* In byte order of the labels, once everything is added. */
const struct gw_policy_word *gw_policy_words_at(struct gw_policy_words *words, size_t index);
bool gw_policy_word_is_admitted(const struct gw_policy_word *word, const struct gw_plan *plan);
/* Does a glob (lens.h's, "*" for any characters) match its name, kind, label of vis, content, the property of that, or the whole label? */
bool gw_policy_word_matches(const struct gw_policy_word *word, const char *glob);

#endif
