/* project.h — an event seen through a lens plan. Pure: the answer depends on the event and the lens alone, so live delivery, replay and
 * history agree to the byte. An event that shows a transformed value calls its script, on the run's owner. */
#ifndef GW_HUB_PROJECT_H
#define GW_HUB_PROJECT_H

#include <stdbool.h>

struct gw_event;
struct gw_json;
struct gw_lens;
struct gw_plan;

/* 1: visible, *data is a new reference to what the class may see (the event's own data when nothing is cut); 0: hidden; GW_ENOMEM. */
int gw_project_event(const struct gw_event *event, const struct gw_lens *lens, struct gw_json **data);
/* As above, whatever the plan's list of events says: what of the event changes the state that the class reads. */
int gw_project_change(const struct gw_event *event, const struct gw_lens *lens, struct gw_json **data);
/* What a class may use of a manifest as it stands in a CANVAS_READY: kinds that it may read, without properties that it does not, tools and commands that it may
 * send, conditions over Tokens that it reads. The same tree, referenced, when nothing is cut. NULL: no memory. */
struct gw_json *gw_project_manifest(struct gw_json *manifest, const char *canvas_type, const struct gw_plan *plan);

#endif
