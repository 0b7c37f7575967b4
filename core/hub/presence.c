#include "hub/presence.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/plan.h"

struct gw_presence {
    struct gw_present **items; /* by actor id */
    size_t count, capacity, max;
    size_t turn; /* whose it is to be told, when there is something */
    bool has_changed;
};

struct gw_presence *gw_presence_create(size_t max_actors)
{
    struct gw_presence *presence = gw_alloc(sizeof *presence);
    presence->max = max_actors;
    return presence;
}

static void present_destroy(struct gw_present *present)
{
    gw_gesture_fini(&present->gesture);
    gw_free(present);
}

void gw_presence_destroy(struct gw_presence *presence)
{
    if (!presence)
        return;
    for (size_t i = 0; i < presence->count; i++)
        present_destroy(presence->items[i]);
    gw_free(presence->items);
    gw_free(presence);
}

/* The index of the first whose id is not less. */
static size_t place_of(const struct gw_presence *presence, const char *actor_id)
{
    size_t low = 0, high = presence->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(presence->items[middle]->who.actor.id, actor_id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct gw_present *find(const struct gw_presence *presence, const char *actor_id)
{
    size_t i = place_of(presence, actor_id);
    return i < presence->count && strcmp(presence->items[i]->who.actor.id, actor_id) == 0 ? presence->items[i] : NULL;
}

static struct gw_present *add(struct gw_presence *presence, const struct gw_arrival *who)
{
    if (presence->count >= presence->max)
        return NULL;
    if (presence->count == presence->capacity) {
        size_t capacity = presence->capacity ? presence->capacity * 2 : 4;
        struct gw_present **grown = gw_try_grow(presence->items, capacity, sizeof *grown);
        if (!grown)
            return NULL;
        presence->items = grown;
        presence->capacity = capacity;
    }
    struct gw_present *present = gw_alloc(sizeof *present);
    size_t i = place_of(presence, who->actor.id);
    memmove(presence->items + i + 1, presence->items + i, (presence->count - i) * sizeof(struct gw_present *));
    presence->items[i] = present;
    presence->count++;
    return present;
}

bool gw_present_is_here(const struct gw_present *present) { return present->stream_count > 0 || present->lease_until_ms > 0; }

static void mark(struct gw_presence *presence, struct gw_present *present) { presence->has_changed = present->has_changed = true; }

/* Who is there already keeps the place that it came from. */
static struct gw_present *arrive(struct gw_presence *presence, const struct gw_arrival *who, int64_t ts_ms)
{
    struct gw_present *present = find(presence, who->actor.id);
    if (!present)
        present = add(presence, who);
    if (!present || gw_present_is_here(present))
        return present;
    present->who = *who;
    present->since_ms = ts_ms;
    mark(presence, present);
    return present;
}

int gw_presence_join(struct gw_presence *presence, const struct gw_arrival *who, int64_t ts_ms)
{
    struct gw_present *present = arrive(presence, who, ts_ms);
    if (!present)
        return GW_ELIMIT;
    present->stream_count++;
    return GW_OK;
}

static void drop_gesture(struct gw_presence *presence, struct gw_present *present)
{
    if (present->gesture.data)
        presence->has_changed = present->has_new_gesture = true;
    gw_gesture_fini(&present->gesture);
}

static void depart(struct gw_presence *presence, struct gw_present *present)
{
    drop_gesture(presence, present);
    mark(presence, present);
}

void gw_presence_leave(struct gw_presence *presence, const char *actor_id, uint64_t until_ms)
{
    struct gw_present *present = find(presence, actor_id);
    if (!present || present->stream_count == 0 || --present->stream_count > 0)
        return;
    present->lease_until_ms = until_ms;
    if (until_ms == 0)
        depart(presence, present);
}

static int refuse(const struct gw_presence *presence, struct gw_error *err)
{
    if (presence->count < presence->max)
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the gesture");
    gw_error_set(err, GW_EBUSY, "too_many_actors", "so many actors are in this run that no more are shown");
    gw_error_name_limit(err, "max_present_actors", (int64_t)presence->max);
    err->is_retryable = true;
    return GW_EBUSY;
}

int gw_presence_show(struct gw_presence *presence, const struct gw_presence_gesture *given, struct gw_error *err)
{
    struct gw_present *present = arrive(presence, given->who, given->ts_ms);
    if (!present)
        return refuse(presence, err);
    present->lease_until_ms = given->lease_until_ms;
    drop_gesture(presence, present);
    if (gw_gesture_is_over(given->gesture->data)) {
        gw_gesture_fini(given->gesture);
        return GW_OK;
    }
    present->gesture = *given->gesture;
    *given->gesture = (struct gw_gesture){0};
    present->who = *given->who;
    present->gesture_ts_ms = given->ts_ms;
    presence->has_changed = present->has_new_gesture = true;
    return GW_OK;
}

void gw_presence_expire(struct gw_presence *presence, uint64_t now_ms)
{
    for (size_t i = 0; i < presence->count; i++) {
        struct gw_present *present = presence->items[i];
        if (present->lease_until_ms == 0 || present->lease_until_ms > now_ms)
            continue;
        present->lease_until_ms = 0;
        if (present->stream_count == 0)
            depart(presence, present);
        else
            drop_gesture(presence, present);
    }
}

void gw_presence_renew(struct gw_presence *presence)
{
    for (size_t i = 0; i < presence->count; i++)
        mark(presence, presence->items[i]);
    gw_presence_renew_gestures(presence);
}

void gw_presence_renew_gestures(struct gw_presence *presence)
{
    for (size_t i = 0; i < presence->count; i++)
        if (presence->items[i]->gesture.data)
            presence->has_changed = presence->items[i]->has_new_gesture = true;
}

void gw_presence_drop_gestures(struct gw_presence *presence)
{
    for (size_t i = 0; i < presence->count; i++)
        drop_gesture(presence, presence->items[i]);
}

size_t gw_presence_count(const struct gw_presence *presence) { return presence ? presence->count : 0; }

const struct gw_present *gw_presence_at(const struct gw_presence *presence, size_t index) { return presence->items[index]; }

bool gw_presence_has_changed(const struct gw_presence *presence) { return presence && presence->has_changed; }

const struct gw_present *gw_presence_next(struct gw_presence *presence)
{
    for (size_t i = 0; i < presence->count; i++, presence->turn++) {
        presence->turn = presence->turn < presence->count ? presence->turn : 0;
        const struct gw_present *present = presence->items[presence->turn];
        if (present->has_changed || present->has_new_gesture)
            return present;
    }
    presence->has_changed = false;
    return NULL;
}

void gw_presence_settle(struct gw_presence *presence)
{
    struct gw_present *present = presence->items[presence->turn];
    present->has_changed = present->has_new_gesture = false;
    if (gw_present_is_here(present)) {
        presence->turn++;
        return;
    }
    present_destroy(present);
    presence->count--;
    memmove(presence->items + presence->turn, presence->items + presence->turn + 1,
            (presence->count - presence->turn) * sizeof(struct gw_present *));
}
