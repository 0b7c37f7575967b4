/* revise_steps.h — carrying out the steps of a revision; for revise*.c alone. */
#ifndef GW_HUB_REVISE_STEPS_H
#define GW_HUB_REVISE_STEPS_H

#include "hub/command.h"
#include "hub/event.h"
#include "hub/resolve.h"
#include "hub/revise.h"
#include "hub/state.h"

/* value */
struct gw_revise {
    struct gw_state *state;
    const struct gw_command *command;
    struct gw_resolve_context context; /* of the steps */
    struct gw_event_list *out;
    struct gw_json *skipped;
    size_t step_count;
    struct gw_error *err;
};

/* One step: judged, folded; when it is refused, skipped with the refusal's code under `path`. Fails only when the whole does: GW_ENOMEM,
 * GW_ELIMIT. */
int gw_revise_step(struct gw_revise *v, const char *type, const char *canvas_id, struct gw_json *args /* taken; NULL: no memory */,
                   const char *path);
int gw_revise_skip(struct gw_revise *v, const char *path, const char *reason);

/* revise_restore.c: makes the canvas of the command stand as it did in `old`. */
int gw_revise_restore(struct gw_revise *v, const struct gw_state *old);

#endif
