/* chat_round.h — posts to streamed messages, judged, many of them into one chat_token event. A round applies each post to the state's chat inside the
 * journal, so that the next one stands on it, and takes everything back at its end: what counts is the fold of the event that it leaves. Lives on the run's
 * owner, for the length of one judgement; in it nothing else may touch the state. */
#ifndef GW_HUB_CHAT_ROUND_H
#define GW_HUB_CHAT_ROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/chat.h"

struct gw_command;
struct gw_error;
struct gw_event;
struct gw_resolve_context;
struct gw_state;

/* Text that one event carries at most before it counts as full, and messages. */
#define GW_CHAT_ROUND_BYTES    (64u << 10)
#define GW_CHAT_ROUND_MESSAGES 1024

/* value: one post, as asked and as judged */
struct gw_chat_post {
    const char *message_id; /* borrowed from the command's args, as `text` is */
    bool has_offset;
    size_t offset; /* code points */
    const char *text;
    size_t length;
    enum gw_chat_end end; /* OPEN: it does not end the message */
    /* judged */
    struct gw_chat_message *message;
    const char *fresh; /* what of `text` is not there yet */
    size_t fresh_length;
    bool ends; /* the message is open, and this ends it */
    size_t next_offset;
};

/* Args {message_id, offset?, text?, end?}; a text needs its offset, and neither text nor end is a sign of life. Errors: those of commands' args, with paths
 * below /args. */
int gw_chat_post_parse(const struct gw_command *command, struct gw_chat_post *post, struct gw_error *err);
/* Judges it against the state as it is. unknown_message, not_author (403), chat_ended (err->end says how), chat_gap (err->expected), chat_text_differs,
 * bytes_refused, limit_message_bytes, limit_open_bytes. A post that says what is there already is none of these: it brings nothing. */
int gw_chat_post_judge(const struct gw_state *state, const struct gw_resolve_context *context, struct gw_chat_post *post,
                       struct gw_error *err);
/* Is anything of it new? Otherwise it is a repeat, or a sign of life. */
bool gw_chat_post_brings(const struct gw_chat_post *post);
/* {"status":"committed","message_id":…,"next_offset":…,"end":…|null}: the same for every repeat of a post. NULL when memory is gone. */
char *gw_chat_post_answer(const struct gw_chat_post *post, size_t *length);

/* value */
struct gw_chat_round {
    struct gw_state *state;
    struct gw_chat_message **touched; /* those to which something was brought */
    size_t touched_count, touched_capacity, bytes;
    const struct gw_command *first; /* whose scope the event has, unless they are mixed */
    struct gw_actor actor;
    bool is_mixed;
    bool keeps_whole; /* as the contexts of its posts say */
};
void gw_chat_round_begin(struct gw_chat_round *round, struct gw_state *state);
/* Parses one post and judges it against what the round has got so far: the right to send it, then as gw_chat_post_parse and gw_chat_post_judge. */
int gw_chat_round_judge(const struct gw_chat_round *round, const struct gw_command *command, const struct gw_resolve_context *context,
                        struct gw_chat_post *post, struct gw_error *err);
/* Applies a post that was judged and is the next. GW_ENOMEM: the round must be ended with `out` NULL. */
int gw_chat_round_apply(struct gw_chat_round *round, const struct gw_command *command, const struct gw_resolve_context *context,
                        const struct gw_chat_post *post, struct gw_error *err);
bool gw_chat_round_is_full(const struct gw_chat_round *round);
/* Takes everything back. *out becomes the event (type, data, facets and, when all messages are one author's, actor and where that author wrote from; seq, ts
 * left to the caller), or NULL when nothing was brought. GW_ENOMEM. */
int gw_chat_round_end(struct gw_chat_round *round, struct gw_event **out);

#endif
