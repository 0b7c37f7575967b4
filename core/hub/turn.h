/* turn.h — what one turn of an actor has changed, and whether others have changed it since: the events of one command, or of one origin of
 * that actor, with all events behind the first of them up to now. Read from the log and fed in order; what it asks for in the end are
 * steps (revise.h) that bring back what stood before, and a list of what must be left alone.
 *
 * Per field the last writer counts: a property, `vis`, a place or a Token comes back when the turn wrote it last; what another wrote in
 * between is what comes back. A block that the turn made goes unless another has touched it, as far as the asker sees; one that it removed comes back as it stood.
 * Of a text go the points that the turn inserted and that stand yet, and those come back that it removed and that were there before.
 * Memory: what the turn touched, bounded by GW_TURN_EVENTS_MAX and GW_TURN_RUNS_MAX. Pure; one thread. */
#ifndef GW_HUB_TURN_H
#define GW_HUB_TURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_error;
struct gw_event;
struct gw_json;
struct gw_plan;
struct gw_turn;

#define GW_TURN_EVENTS_MAX 1000 /* of the turn */
#define GW_TURN_RUNS_MAX   8192 /* pieces of one text: past that its edits are left alone */

/* value: whose events these are. Either command_id or origin is set; all is borrowed until destroy. */
struct gw_turn_key {
    const char *actor_id;
    const char *command_id;
    const char *origin;
    const struct gw_plan *plan; /* the asker's: what it does not see of others has touched nothing. NULL: it sees everything */
};

struct gw_turn *gw_turn_create(const uint8_t seed[16], const struct gw_turn_key *key); /* NULL when memory is gone */
void gw_turn_destroy(struct gw_turn *turn);
bool gw_turn_owns(const struct gw_turn_key *key, const struct gw_event *event);
/* No event of the turn can come before this one of its own. */
bool gw_turn_begins(const struct gw_turn_key *key, const struct gw_event *event);
/* The next event. GW_ENOMEM; GW_ELIMIT limit_undo. */
int gw_turn_feed(struct gw_turn *turn, const struct gw_event *event, struct gw_error *err);
/* How many events are the turn's. */
size_t gw_turn_count(const struct gw_turn *turn);
/* An undo of this very turn has made events since: they name it in the member `undoes` of their context. */
bool gw_turn_is_undone(const struct gw_turn *turn);

/* What to do, in this order: an array of {type, canvas_id?, args, path}; and what not: an array of {path, reason}. Paths are those of
 * conditions: /tokens/<key>, /canvases/<id>/blocks/<id>/props/<name>. New references; GW_ENOMEM. */
int gw_turn_plan(const struct gw_turn *turn, struct gw_json **steps, struct gw_json **skipped);

#endif
