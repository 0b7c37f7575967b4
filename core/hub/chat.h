/* chat.h — the messages of one run: what a reader who comes late needs of them. Open messages (streamed, not ended yet) are all kept; of the ended ones
 * the newest GW_CHAT_KEPT of at most GW_CHAT_KEPT_BYTES of text, in the order in which they ended; of the older ones the last GW_CHAT_GONE ids, so that an
 * id is not used twice; all this apart for those with a label (`vis`) and those without. What was forgotten is in the run's events still. Decided by what was folded alone, so every node forgets alike. Owned by the run's
 * state; one thread. Not for leases: the run's owner has the clock (run_chat.c), and only borrows `touched_ms` here. */
#ifndef GW_HUB_CHAT_H
#define GW_HUB_CHAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/event.h"

struct gw_buffer;
struct gw_chat;
struct gw_told_frame;
struct gw_error;
struct gw_journal;
struct gw_json;
struct gw_lens;

#define GW_CHAT_KEPT       200
#define GW_CHAT_KEPT_BYTES (4u << 20)
#define GW_CHAT_GONE       16384

enum gw_chat_end { GW_CHAT_OPEN, GW_CHAT_DONE, GW_CHAT_CANCELLED, GW_CHAT_ABORTED };
const char *gw_chat_end_name(enum gw_chat_end end);             /* "done" | "cancelled" | "aborted"; NULL for OPEN */
int gw_chat_end_parse(const char *name, enum gw_chat_end *out); /* GW_EINVAL for another word */

/* Read only, outside chat*.c; but touched_ms is the owner's. */
struct gw_chat_message {
    char id[GW_ID_MAX + 1];
    struct gw_actor author;
    char surface_id[GW_ID_MAX + 1], app_id[GW_ID_MAX + 1], cause[GW_ID_MAX + 1]; /* of its chat_message */
    char reply_to[GW_ID_MAX + 1], vis[GW_ID_MAX + 1];                            /* "" when there is none */
    int64_t ts_ms;
    char *text; /* UTF-8, not NUL-terminated; NULL while empty */
    size_t bytes, capacity, points;
    bool is_streamed;
    enum gw_chat_end end;
    uint64_t begin_number;                 /* grows from each message to the next */
    uint64_t end_number;                   /* how many had ended when it did, itself included */
    struct gw_chat_message *older, *newer; /* as they began */
    struct gw_chat_message *ended_before, *ended_after;
    uint64_t touched_ms; /* not state: when its producer was last heard; 0 = not since the run was loaded */
    bool is_in_round;    /* not state, as the next two: chat_round.h */
    size_t round_bytes, round_points;
};

/* `seed` is for hashing only. `journal` is the state's, borrowed. */
struct gw_chat *gw_chat_create(const uint8_t seed[16], struct gw_journal *journal);
void gw_chat_destroy(struct gw_chat *chat); /* NULL is fine */

/* The message, or NULL when it never was or is forgotten. */
struct gw_chat_message *gw_chat_find(const struct gw_chat *chat, const char *id);
/* How a forgotten message ended; OPEN when its id is not known (any more). */
enum gw_chat_end gw_chat_forgotten(const struct gw_chat *chat, const char *id);
/* The kept messages as they began; start with NULL; NULL at the end. */
struct gw_chat_message *gw_chat_next(const struct gw_chat *chat, const struct gw_chat_message *after);
size_t gw_chat_open_count(const struct gw_chat *chat);
size_t gw_chat_open_bytes(const struct gw_chat *chat); /* of text */

/* Changes, each undone by the journal. GW_EINVAL: it does not fit (the id stands already; not open). GW_ENOMEM has changed nothing. */
int gw_chat_add(struct gw_chat *chat, struct gw_chat_message *message /* taken on success */);
int gw_chat_append(struct gw_chat *chat, struct gw_chat_message *message, const char *text, size_t length);
int gw_chat_end(struct gw_chat *chat, struct gw_chat_message *message, enum gw_chat_end end);
/* The texts of one actor's messages go, and its open ones are aborted: as gw_erasure_apply, behind the back of the events. No journal is
 * open. *count grows by the messages changed. GW_ENOMEM. */
int gw_chat_erase(struct gw_chat *chat, const char *actor_id, size_t *count);
/* Forgets what is over the bounds above; does nothing while the journal is open. To be called when it was closed. */
void gw_chat_trim(struct gw_chat *chat);

/* ---- events (chat_event.c) ---- */

/* chat_message  data {message_id, text, streaming, reply_to?, vis?}
 * chat_token    data {parts: [{message_id, offset, text} | {message_id, end}]}: offset in code points; both run-wide
 * either        facets {messages: {id: {author: <kind>, actor: <id>, vis?, text?}}}: the message that it replies to, too; `text` is the whole of a
 *               message that ends, in runs whose lenses may have transforms */
int gw_chat_fold_message(struct gw_chat *chat, const struct gw_event *event);
int gw_chat_fold_tokens(struct gw_chat *chat, const struct gw_event *event);
/* New trees; NULL when memory is gone. The first as a checkpoint tells it, with the member end (null: open). */
struct gw_json *gw_chat_message_data(const struct gw_chat_message *message);
struct gw_json *gw_chat_facets_create(void);
int gw_chat_facets_add(struct gw_json *facets, const char *id, const struct gw_actor *author, const char *vis);
/* Adds to a message's facets its text as it is, for lenses that transform: those show it when it ends. */
int gw_chat_facets_keep(struct gw_json *facets, const struct gw_chat_message *message);
int gw_chat_part_text(struct gw_json *parts, const char *id, size_t offset, const char *text, size_t length);
int gw_chat_part_end(struct gw_json *parts, const char *id, enum gw_chat_end end);

/* ---- text (chat_save.c) ---- */

/* Is it shown through the lens (NULL: everything)? */
bool gw_chat_shows(const struct gw_lens *lens, const struct gw_chat_message *message);
/* {"messages":{…},"order":[…]} of those that are, canonical. */
void gw_chat_write(const struct gw_chat *chat, const struct gw_lens *lens, struct gw_buffer *out);
/* Each of them as a chat_message frame with its text as it is. GW_ENOMEM. */
int gw_chat_write_frames(const struct gw_chat *chat, const struct gw_lens *lens, void (*emit)(void *arg, const struct gw_told_frame *frame),
                         void *arg);
void gw_chat_write_row(const struct gw_chat_message *message, struct gw_buffer *out);
/* GW_EINVAL: not what write_row makes. */
int gw_chat_load_row(struct gw_chat *chat, const struct gw_json *row);

/* value: a forgotten message; the id is borrowed */
struct gw_chat_gone {
    const char *id;
    enum gw_chat_end end;
    bool is_labelled;
};
/* The forgotten, longest ago first, those without a label before the others: start with *cursor = NULL; false at the end. */
bool gw_chat_next_gone(const struct gw_chat *chat, const void **cursor, struct gw_chat_gone *out);
int gw_chat_load_gone(struct gw_chat *chat, const struct gw_chat_gone *gone);

#endif
