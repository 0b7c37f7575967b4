/* run_presence.h — who is in a run, as its owner keeps it and its feeds tell it. For the hub's files alone. */
#ifndef GW_HUB_RUN_PRESENCE_H
#define GW_HUB_RUN_PRESENCE_H

#include <stdbool.h>

struct gw_arrival;
struct gw_feed;
struct gw_read;
struct gw_run;
struct gw_subscriber;
struct gw_view;

/* A stream of somebody begins here. GW_ELIMIT: nobody more is counted. */
int gw_run_join(struct gw_run *run, const struct gw_arrival *who);
/* A new feed: what it tells of those who are there. */
void gw_run_show_presence(struct gw_run *run, struct gw_feed *feed);
/* Brings the feeds what has changed, not oftener than thirty times a second. */
void gw_run_tell_presence(struct gw_run *run);
/* About once a second: leases, and gestures that look otherwise since their canvases have changed. */
void gw_run_presence_tick(struct gw_run *run);
/* The past is gone, and what it was that gestures pointed at. */
void gw_run_drop_gestures(struct gw_run *run);
/* GET /v1/presence: those who are there, as the request's plan shows them. */
void gw_run_read_presence(struct gw_run *run, struct gw_read *request);

/* ---- on the subscriber's worker: tells the owner that a stream of that actor has gone; is_final: it does not come back ---- */
void gw_view_withdraw(struct gw_view *view, const char *actor_id, bool is_final);
/* Nothing for one whom the owner does not count. */
void gw_subscriber_withdraw(struct gw_subscriber *subscriber, bool is_final);

#endif
