/* project_internal.h — one event seen through one lens, for project*.c alone. Each kind of data has its file; none changes the event. They answer as
 * gw_project_event: 1, 0 or GW_ENOMEM. */
#ifndef GW_HUB_PROJECT_INTERNAL_H
#define GW_HUB_PROJECT_INTERNAL_H

#include <stdbool.h>

#include "hub/lens.h"

struct gw_event;
struct gw_json;

/* A list being made from another: `changed` once it is not the same. */
struct gw_seen_list {
    struct gw_json *items; /* owned; NULL once memory ran out */
    bool is_changed;
};
void gw_seen_list_add(struct gw_seen_list *list, struct gw_json *item /* taken; NULL: no memory */);
/* {…data, name: list} with the other members of `data`, or `data` itself when nothing changed; hidden when the list is empty. Takes the list. */
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
