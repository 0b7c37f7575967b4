/* run_chat.h — streamed messages on the run's owner: posts of tokens wait apart from commands and become few events; a message whose producer has fallen
 * silent is ended. A post waits while a record is on its way to the spine, where it would have to wait anyway; only when very many come it waits, in
 * addition, until GW_CHAT_WINDOW_MS have passed since the last event of tokens. For the run_*.c files and hub.c alone. */
#ifndef GW_HUB_RUN_CHAT_H
#define GW_HUB_RUN_CHAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_error;
struct gw_run;
struct gw_submission;

#define GW_CHAT_WINDOW_MS  20
#define GW_CHAT_BUSY_POSTS 50 /* of one run in GW_CHAT_BUSY_MS: from there on posts are many */
#define GW_CHAT_BUSY_MS    50

/* value, in its run */
struct gw_run_chat {
    struct gw_submission *first, *last; /* posts that wait, in order */
    uint64_t event_at_ms;               /* when the last event of tokens was made */
    uint64_t counted_since_ms;
    size_t counted;
    bool is_busy, has_expired, is_napping;
    struct gw_run *next_napping; /* the hub's list */
};

/* A submission with is_append; room was checked. */
void gw_run_chat_put(struct gw_run *run, struct gw_submission *submission);
void gw_run_chat_put_back(struct gw_run *run, struct gw_submission *submission); /* as the first */
void gw_run_chat_refuse(struct gw_run *run, const struct gw_error *err);
/* Judges the posts that wait and ends what has expired, when it is time. */
void gw_run_chat_judge(struct gw_run *run);
/* A command about chat is next: the posts that came before it are judged first. */
void gw_run_chat_judge_now(struct gw_run *run);
/* About once a second: finds the messages whose lease is over. */
void gw_run_chat_tick(struct gw_run *run);

#endif
