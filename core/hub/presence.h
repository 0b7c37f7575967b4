/* presence.h — who is in a run at the moment, and what they do: one entry per actor who has a stream open or has made a gesture lately. Bounded: beyond the maximum nobody
 * else is listed. Remembers what has changed since it was last told. On the run's owner; forgotten with the run. Not for who sees it: that is the feeds' plans. */
#ifndef GW_HUB_PRESENCE_H
#define GW_HUB_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/event.h"
#include "hub/gesture.h"

struct gw_presence;

/* value: who comes, and from where */
struct gw_arrival {
    struct gw_actor actor;
    char surface_id[GW_ID_MAX + 1], app_id[GW_ID_MAX + 1];
};

/* value: one who is there, or has just gone */
struct gw_present {
    struct gw_arrival who;
    size_t stream_count;
    uint64_t lease_until_ms; /* monotonic: then its gesture is over, and so is its presence without a stream; 0: it has no lease */
    int64_t since_ms, gesture_ts_ms;
    struct gw_gesture gesture; /* data NULL: none */
    bool has_changed, has_new_gesture;
};

struct gw_presence *gw_presence_create(size_t max_actors);
void gw_presence_destroy(struct gw_presence *presence); /* NULL is fine */

/* A stream of the actor begins. GW_ELIMIT: there is no room, or no memory, and no leave follows. */
int gw_presence_join(struct gw_presence *presence, const struct gw_arrival *who, int64_t ts_ms);
/* One of its streams has ended. With the last one it is gone, at until_ms if it does not come back before; 0: at once. */
void gw_presence_leave(struct gw_presence *presence, const char *actor_id, uint64_t until_ms);
/* value */
struct gw_presence_gesture {
    const struct gw_arrival *who;
    struct gw_gesture *gesture; /* taken, when it has succeeded */
    int64_t ts_ms;
    uint64_t lease_until_ms;
};
/* GW_EBUSY too_many_actors, GW_ENOMEM. */
int gw_presence_show(struct gw_presence *presence, const struct gw_presence_gesture *given, struct gw_error *err);
/* Leases that have ended. */
void gw_presence_expire(struct gw_presence *presence, uint64_t now_ms);
/* Everything is told again. */
void gw_presence_renew(struct gw_presence *presence);
/* All gestures are told again: they may look otherwise by now. */
void gw_presence_renew_gestures(struct gw_presence *presence);
/* The run's past was taken away: gestures too. */
void gw_presence_drop_gestures(struct gw_presence *presence);

bool gw_present_is_here(const struct gw_present *present);
/* In the order of their ids; also those who have gone and of whom that is to be told yet. */
size_t gw_presence_count(const struct gw_presence *presence); /* 0 for NULL */
const struct gw_present *gw_presence_at(const struct gw_presence *presence, size_t index);
bool gw_presence_has_changed(const struct gw_presence *presence); /* false for NULL */
/* Whose change is to be told next, each in turn; NULL: nobody's is left. */
const struct gw_present *gw_presence_next(struct gw_presence *presence);
/* What gw_presence_next gave has been told: who has gone is forgotten. */
void gw_presence_settle(struct gw_presence *presence);

#endif
