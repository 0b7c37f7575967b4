/* ephemera.h — what a feed tells beside its events: frames without a cursor, of which only the newest counts. A table of at most one frame of each kind per actor,
 * with a version that grows with every change: who remembers up to which version it was told is owed just what is newer, however slow it is. Frames are
 * immutable and cross threads; a table lives on one. Not for anything durable. */
#ifndef GW_HUB_EPHEMERA_H
#define GW_HUB_EPHEMERA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "base/refs.h"

/* Ends (who has gone, what is over) that are remembered, so that those who are slow hear of them. */
#define GW_EPHEMERA_ENDS 64

enum gw_ephemeral_kind { GW_EPHEMERAL_PRESENCE, GW_EPHEMERAL_GESTURE };
const char *gw_ephemeral_name(enum gw_ephemeral_kind kind); /* the event's type: "presence" | "gesture" */

/* value: one frame, ready to send; immutable */
struct gw_ephemeral {
    struct gw_refs refs;
    enum gw_ephemeral_kind kind;
    bool is_end;      /* nothing to tell those who never knew */
    uint64_t content; /* a hash of what it tells but for its time: its maker's to set and to compare */
    char actor_id[GW_ID_MAX + 1];
    uint32_t length;
    char bytes[];
};

/* Copies the bytes. NULL: no memory. */
struct gw_ephemeral *gw_ephemeral_create(enum gw_ephemeral_kind kind, const char *actor_id, const char *bytes, size_t length);
struct gw_ephemeral *gw_ephemeral_ref(struct gw_ephemeral *frame);
void gw_ephemeral_unref(struct gw_ephemeral *frame); /* NULL is fine */

/* value */
struct gw_ephemera_slot {
    struct gw_ephemeral *frame; /* owned reference; NULL: a newer one has taken its place */
    uint64_t version;
};

/* value; zeroed it is an empty table */
struct gw_ephemera {
    struct gw_ephemera_slot *slots; /* ascending by version */
    struct gw_ephemera_slot *names; /* the same without those that are NULL, borrowed, ascending by actor and kind */
    size_t slot_count, slot_capacity, count, capacity, end_count;
    size_t first_end;   /* no end stands before this slot */
    uint64_t version;   /* of the newest change; 0: there was none */
    uint64_t forgotten; /* of the newest end that is no longer remembered: who was told less, but something, has to be told all anew */
};

void gw_ephemera_fini(struct gw_ephemera *table);
/* In the place of what the actor had of that kind; `version` is newer than all others. Costs little also among many. GW_ENOMEM: nothing changed but that reference. */
int gw_ephemera_put(struct gw_ephemera *table, struct gw_ephemeral *frame /* taken, also on failure */, uint64_t version);
/* The frame of an actor, borrowed; NULL: none, or an end. */
const struct gw_ephemeral *gw_ephemera_find(const struct gw_ephemera *table, enum gw_ephemeral_kind kind, const char *actor_id);
/* Index of the first slot that is newer than `version`. */
size_t gw_ephemera_after(const struct gw_ephemera *table, uint64_t version);
/* Who was told up to `version` cannot be told just what is newer. */
bool gw_ephemera_has_forgotten(const struct gw_ephemera *table, uint64_t version);

/* value: changes of a table on their way to another of the same feed */
struct gw_ephemera_news {
    struct gw_ephemera_slot *slots; /* owned, and their references */
    size_t count;
    uint64_t version, forgotten; /* the table's */
    bool is_whole;               /* what is not among them is no more */
};

/* What is newer than `told`: all there is when more was forgotten, or nothing was told yet. False: nothing, or no memory; *out stays as it was. */
bool gw_ephemera_collect(const struct gw_ephemera *table, uint64_t told, struct gw_ephemera_news *out);
/* GW_ENOMEM: nothing of it was applied, and its source has to tell all anew. */
int gw_ephemera_apply(struct gw_ephemera *table, struct gw_ephemera_news *news /* taken */);
void gw_ephemera_news_fini(struct gw_ephemera_news *news);

#endif
