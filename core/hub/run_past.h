/* run_past.h — what stood before, fetched for an undo or a restore that waits first in the inbox: the run's part of revise.h. While a
 * fetch is to begin no command is judged, so that the log holds everything that the state does. For the run_*.c files alone. */
#ifndef GW_HUB_RUN_PAST_H
#define GW_HUB_RUN_PAST_H

#include <stdbool.h>
#include <stddef.h>

struct gw_error;
struct gw_event_list;
struct gw_json;
struct gw_resolve_context;
struct gw_run;
struct gw_run_past;
struct gw_submission;

/* True: the command needs what is not fetched yet; inbox_waits is set. */
bool gw_run_waits_for_past(struct gw_run *run, struct gw_submission *submission, size_t index);
/* It waits for a settled state. */
bool gw_run_past_is_due(const struct gw_run *run);
/* Begins a fetch that is due; the run is settled. */
void gw_run_fetch_past(struct gw_run *run);
/* Resolves an undo or a restore. *skipped as gw_state_revise, a new reference. */
int gw_run_revise(struct gw_run *run, const struct gw_submission *submission, size_t index, const struct gw_resolve_context *context,
                  struct gw_event_list *events, struct gw_error *err);
/* What the command just resolved has left alone: a borrowed array, or NULL. */
const struct gw_json *gw_run_skipped(const struct gw_run *run, const struct gw_submission *submission, size_t index);
/* The command is decided, or the state is gone. */
void gw_run_drop_past(struct gw_run *run);

#endif
