/* growth.h — which events count towards the revisions that a gateway makes by itself. A class learns of each revision, so what it may not see must not cause one:
 * counted is what everybody who reads the canvas sees something of, whatever labels and sidecars are hidden from him. Pure, by the event alone: who folds a log again
 * counts the same. */
#ifndef GW_HUB_GROWTH_H
#define GW_HUB_GROWTH_H

struct gw_event;

/* `event` is a state_patch of a canvas. 1: it counts; 0; GW_ENOMEM. */
int gw_event_grows_canvas(const struct gw_event *event);

#endif
