/* reduce.h — a canvas's own command: what its manifest declares of it, and the built-in commands that it stands for, carried out as one. Lives on the run's owner; who makes
 * those of it is a script behind the policy port. */
#ifndef GW_HUB_REDUCE_H
#define GW_HUB_REDUCE_H

#include <stdbool.h>

struct gw_command;
struct gw_error;
struct gw_event_list;
struct gw_json;
struct gw_manifests;
struct gw_resolve_context;
struct gw_state;

/* Does the manifest of some canvas declare such a command? */
bool gw_reduce_handles(const struct gw_manifests *manifests, const char *command_type);
/* value: what a command stands for, and what comes of it */
struct gw_reduced {
    const struct gw_json *operations; /* [{type, args}] */
    struct gw_event_list *events;
};
/* As gw_state_resolve: the command itself, then each operation, judged against what the earlier ones made. All take effect or none: the first refusal is the command's,
 * its path begins with /operations/<index>. `state` is changed on the way and back again when it returns; a journal may be open. */
int gw_state_reduce(struct gw_state *state, const struct gw_command *command, const struct gw_resolve_context *context,
                    struct gw_reduced *out, struct gw_error *err);

#endif
