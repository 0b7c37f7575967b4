/* authors.h — who wrote what stands in a run: each Token, each property, each stretch of text. Fed with all events of the log in order; where
 * an erasure has cut the log off, from what it saved of the one before. Made for an erasure and thrown away: the state itself keeps no such
 * account. Pure; one thread; in proportion to the blocks that ever were. GW_ENOMEM leaves it good for destroy alone.
 *
 * What an undo or a restore brings back is said to be by anybody who ever wrote in that place: whose it was is in no event. */
#ifndef GW_HUB_AUTHORS_H
#define GW_HUB_AUTHORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_authors;
struct gw_error;
struct gw_event;
struct gw_spine_get;
struct gw_state;

enum gw_authored_kind { GW_AUTHORED_TOKEN, GW_AUTHORED_PROP, GW_AUTHORED_TEXT };

/* Writers are numbers, but for these two. */
enum { GW_WRITER_UNKNOWN, GW_WRITER_ANY, GW_WRITER_FIRST };

/* value */
struct gw_stretch {
    uint32_t points; /* of a text; 0 of a field, which has one stretch or, when it is nobody's, none */
    uint32_t writer;
};

/* One place. Read only, outside authors*.c. */
struct gw_authored {
    struct gw_authored *next;
    enum gw_authored_kind kind;
    const char *canvas_id, *block_id, *name; /* "" where the kind has none */
    struct gw_stretch *stretches;            /* from the start of the text; what lies behind the last is of unknown writers */
    size_t count, capacity;
    uint32_t *ever; /* who may be meant by GW_WRITER_ANY */
    size_t ever_count, ever_capacity;
    char key[];
};

struct gw_authors *gw_authors_create(const uint8_t seed[16]); /* NULL when memory is gone */
void gw_authors_destroy(struct gw_authors *authors);          /* NULL is fine */
/* The next event. */
int gw_authors_feed(struct gw_authors *authors, const struct gw_event *event, struct gw_error *err);

/* All places; start with NULL. */
struct gw_authored *gw_authors_next(const struct gw_authors *authors, const struct gw_authored *after);
/* The number of an actor; GW_WRITER_UNKNOWN: it never wrote. */
uint32_t gw_authors_find(const struct gw_authors *authors, const char *actor_id);
bool gw_authored_is_by(const struct gw_authored *item, size_t stretch, uint32_t writer);
/* What that writer wrote is no longer there. */
void gw_authors_forget(struct gw_authors *authors, uint32_t writer);

/* Of what stands in `state`, in chunks for a blob GW_SPINE_AUTHORS; at least one. GW_ENOMEM, or what emit answers. */
int gw_authors_save(const struct gw_authors *authors, const struct gw_state *state, size_t chunk_bytes,
                    int (*emit)(void *arg, const char *bytes, size_t length), void *arg, struct gw_error *err);
/* Into an empty one. GW_EINVAL authors_damaged. */
int gw_authors_load(struct gw_authors *authors, const struct gw_spine_get *stored, struct gw_error *err);

/* ---- for authors*.c alone ---- */

/* The place, made when it is new. `name` "": a text. NULL when memory is gone. */
struct gw_authored *gw_authors_place(struct gw_authors *authors, enum gw_authored_kind kind, const char *canvas_id, const char *block_id,
                                     const char *name);
/* GW_WRITER_UNKNOWN when memory is gone. */
uint32_t gw_authors_intern(struct gw_authors *authors, const char *actor_id);
const char *gw_authors_name(const struct gw_authors *authors, uint32_t writer);
int gw_authored_push(struct gw_authored *item, uint32_t points, uint32_t writer);
int gw_authored_add_ever(struct gw_authored *item, uint32_t writer);

#endif
