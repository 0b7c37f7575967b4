/* revise.h — the commands that bring something back: `undo` and `canvas.restore`. What stood before is not in the state, so somebody fetches
 * it from the log first (gw_revise_need): a turn's events, or the state of that time. Then the command is a series of steps, each a command
 * of its own that is judged and folded before the next; one that is refused is skipped and told. Lives on the run's owner. */
#ifndef GW_HUB_REVISE_H
#define GW_HUB_REVISE_H

#include <stdbool.h>
#include <stdint.h>

#include "hub/turn.h"

struct gw_command;
struct gw_error;
struct gw_event_list;
struct gw_json;
struct gw_resolve_context;
struct gw_state;

#define GW_REVISE_STEPS_MAX   10000 /* steps of one command */
#define GW_REVISE_SKIPPED_MAX 100   /* of them told in its answer */

/* Is it one of the two? */
bool gw_revise_handles(const char *command_type);

enum gw_past_kind { GW_PAST_NONE, GW_PAST_STATE, GW_PAST_TURN };

/* value: what a command needs; texts are borrowed from the command and the actor. NONE: nothing, since it will be refused. */
struct gw_revise_need {
    enum gw_past_kind kind;
    uint64_t at_seq; /* STATE: as of then */
    struct gw_turn_key turn;
};
void gw_revise_find_need(const struct gw_state *state, const struct gw_command *command, const char *actor_id, struct gw_revise_need *need);

/* value: what was fetched; owned by whoever fetched it */
struct gw_past {
    struct gw_state *state;
    struct gw_turn *turn;
};

/* value: what came of it */
struct gw_revised {
    struct gw_event_list *events; /* borrowed: they are added to it */
    struct gw_json *skipped;      /* an array of {path, reason}, the caller's; NULL on failure */
};

/* As gw_state_resolve, but `state` is changed on the way and back again when it returns; a journal may be open. Also unknown_commit, unknown_turn, not_fetched (the past is none), limit_steps. */
int gw_state_revise(struct gw_state *state, const struct gw_command *command, const struct gw_resolve_context *context,
                    const struct gw_past *past, struct gw_revised *out, struct gw_error *err);

#endif
