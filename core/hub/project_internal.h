/* project_internal.h — one event seen through one lens, for project*.c alone. Each kind of data has its file; none changes the event. They answer as
 * gw_project_event: 1, 0 or GW_ENOMEM. */
#ifndef GW_HUB_PROJECT_INTERNAL_H
#define GW_HUB_PROJECT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "hub/lens.h"

struct gw_event;
struct gw_json;

/* A list as its class sees it, made from the one that an event has. As long as its items are those of `given`, in their order, nothing is built. */
struct gw_seen_list {
    const struct gw_json *given;
    size_t kept; /* items, until something changes */
    bool is_changed;
    struct gw_json *items; /* owned, once something has changed; NULL then: no memory */
};
void gw_seen_list_keep(struct gw_seen_list *list, struct gw_json *item);             /* one of `given`, at its turn */
void gw_seen_list_make(struct gw_seen_list *list, struct gw_json *item /* taken */); /* another; NULL: no memory */
void gw_seen_list_drop(struct gw_seen_list *list);                                   /* one of `given` is not seen */
/* {…data, name: list} with the other members of `data`, or `data` itself when nothing changed; hidden when the list is empty. Ends the list. */
int gw_seen_list_finish(struct gw_seen_list *list, const char *name, struct gw_json *data, struct gw_json **out);

/* A shallow copy; NULL: no memory, also for NULL. */
struct gw_json *gw_project_copy(const struct gw_json *object);
/* Text of a member, or NULL. */
const char *gw_project_text(const struct gw_json *object, const char *name);
/* What a rule may ask about an entry of facets: of a block, node or message. `is_before` takes the members of `was` for those of then. */
struct gw_plan_thing gw_project_thing(const struct gw_event *event, const struct gw_json *entry, bool is_before);

int gw_project_blocks(const struct gw_event *event, const struct gw_lens *lens, struct gw_json **data); /* state_patch of a canvas */
int gw_project_graph(const struct gw_event *event, const struct gw_lens *lens, struct gw_json **data);  /* state_patch of the graph */
int gw_project_ready(const struct gw_event *event, const struct gw_lens *lens, struct gw_json **data);
int gw_project_message(const struct gw_event *event, const struct gw_lens *lens, struct gw_json **data);
int gw_project_parts(const struct gw_event *event, const struct gw_lens *lens, struct gw_json **data);

#endif
