/* event.h — a durable event of a run, in memory: what the sequencer makes, the spine stores inside a record, the fold applies and
 * projection reads. Reference-counted and immutable once it has a seq; may cross threads. Not a wire format: encoders live in
 * protocol. */
#ifndef GW_HUB_EVENT_H
#define GW_HUB_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "base/refs.h"

struct gw_json;

enum gw_event_type {
    GW_EVENT_CANVAS_READY,
    GW_EVENT_TOKEN_PATCH,
    GW_EVENT_STATE_PATCH,
    GW_EVENT_CANVAS_COMMIT,
    GW_EVENT_SNAPSHOT_CREATED,
    GW_EVENT_CHAT_MESSAGE,
    GW_EVENT_CHAT_TOKEN,
    GW_EVENT_LOG_LINE,
    GW_EVENT_VOID, /* holds the seq of a command that changed nothing, so that its answer is durable; no lens ever sees one */
    GW_EVENT_TYPE_COUNT
};

enum gw_actor_kind { GW_ACTOR_USER, GW_ACTOR_AGENT, GW_ACTOR_SERVICE };

/* "CANVAS_READY", "token_patch" …; the parse answers GW_EVENT_TYPE_COUNT for an unknown name. */
const char *gw_event_type_name(enum gw_event_type type);
enum gw_event_type gw_event_type_parse(const char *name);
const char *gw_actor_kind_name(enum gw_actor_kind kind);            /* "user" | "agent" | "service" */
int gw_actor_kind_parse(const char *name, enum gw_actor_kind *out); /* GW_EINVAL for another word */

/* value */
struct gw_actor {
    char id[GW_ID_MAX + 1];
    enum gw_actor_kind kind;
};

struct gw_event {
    struct gw_refs refs;
    uint64_t seq; /* 1, 2, 3 … dense per run; 0 until sequenced */
    int64_t ts_ms;
    enum gw_event_type type;
    struct gw_actor actor;
    char canvas_id[GW_ID_MAX + 1]; /* "" on run-wide events */
    char surface_id[GW_ID_MAX + 1];
    char app_id[GW_ID_MAX + 1];
    char cause[GW_ID_MAX + 1]; /* command id, or "" */
    struct gw_json *data;      /* what an unrestricted lens sees; owned */
    struct gw_json *facets;    /* what a lens may ask about, before and after, never projected; NULL = nothing; owned */
    struct gw_json
        *context; /* what the fold needs beyond `data` (origin, n, base, the op as it was written), never projected; may be NULL; owned */
};

/* A zeroed event with one reference, or NULL. */
struct gw_event *gw_event_create(void);
struct gw_event *gw_event_ref(struct gw_event *event);
void gw_event_unref(struct gw_event *event);

/* value: a growable list of owned references */
struct gw_event_list {
    struct gw_event **items;
    size_t count;
    size_t capacity;
};
int gw_event_list_add(struct gw_event_list *list, struct gw_event *event /* taken, also on failure */);
void gw_event_list_truncate(struct gw_event_list *list, size_t count); /* unrefs what is cut off */
void gw_event_list_fini(struct gw_event_list *list);

#endif
