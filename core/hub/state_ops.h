/* state_ops.h — the fold of resolved block operations. For state_fold.c alone; see state_internal.h for their shape. */
#ifndef GW_HUB_STATE_OPS_H
#define GW_HUB_STATE_OPS_H

struct gw_error;
struct gw_event;
struct gw_state;

/* Folds the ops of a state_patch, and the splice that a void may carry. GW_EINVAL bad_event: they do not fit the tree; GW_ENOMEM. */
int gw_state_fold_ops(struct gw_state *state, const struct gw_event *event, struct gw_error *err);

#endif
