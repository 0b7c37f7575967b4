/* run_policy.h — where scripts have a say in a command: validators before it is judged, reducers of canvases' own commands, sanitizing of log lines. For the run_*.c files
 * alone. */
#ifndef GW_HUB_RUN_POLICY_H
#define GW_HUB_RUN_POLICY_H

#include <stdbool.h>
#include <stddef.h>

struct gw_error;
struct gw_event_list;
struct gw_resolve_context;
struct gw_run;
struct gw_submission;

/* value: one command on its way */
struct gw_decision {
    struct gw_run *run;
    struct gw_submission *submission;
    size_t index;
    const struct gw_resolve_context *context;
};
/* gw_state_resolve for a command that is no revision, with what scripts have to say. */
int gw_run_decide(const struct gw_decision *decision, struct gw_event_list *events, struct gw_error *err);
/* Validators alone: for revisions and streamed text. */
int gw_run_validate(const struct gw_decision *decision, struct gw_error *err);
/* May any validator of the run's tenant be about commands of that type? */
bool gw_run_has_validators(const struct gw_run *run, const char *type);

#endif
