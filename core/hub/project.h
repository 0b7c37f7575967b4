/* project.h — an event seen through a lens plan. Pure: the answer depends on the event and the plan alone, so live delivery, replay and
 * history agree to the byte. */
#ifndef GW_HUB_PROJECT_H
#define GW_HUB_PROJECT_H

#include <stdbool.h>

struct gw_event;
struct gw_json;
struct gw_plan;

/* 1: visible, *data is a new reference to what the class may see (the event's own data when nothing is cut); 0: hidden; GW_ENOMEM. */
int gw_project_event(const struct gw_event *event, const struct gw_plan *plan, struct gw_json **data);

#endif
