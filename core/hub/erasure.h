/* erasure.h — taking what an actor wrote out of a run's state: stretches of texts, properties and Tokens, the texts of messages. What stays
 * is the frame: blocks of that kind in that place, messages without text, the graph, names of origins. A property or Token gets its declared
 * default, or none. Pure; one thread. */
#ifndef GW_HUB_ERASURE_H
#define GW_HUB_ERASURE_H

#include <stddef.h>

struct gw_authors;
struct gw_error;
struct gw_state;

/* `authors` knows the whole log, and then no longer knows the actor. Changes the state behind the back of its events: it must become a
 * checkpoint, and the log before it go. No journal is open. *count is how many texts, properties, Tokens and messages were changed.
 * GW_ENOMEM, GW_EINVAL: both are to be thrown away. */
int gw_erasure_apply(struct gw_authors *authors, const char *actor_id, struct gw_state *state, size_t *count, struct gw_error *err);

#endif
