/* run_read.h — what the reads of a run have in common: the way back to their caller, and cursors that say as of when. For the run_*.c files
 * alone. */
#ifndef GW_HUB_RUN_READ_H
#define GW_HUB_RUN_READ_H

#include <stdint.h>

#include "hub/channel.h"
#include "hub/hub.h"

struct gw_buffer;
struct gw_error;
struct gw_hub;
struct gw_run;

/* Each hands the request back, which must not be touched afterwards. */
void gw_read_refuse(struct gw_hub *hub, struct gw_read *request, const struct gw_error *err);
void gw_read_give(struct gw_hub *hub, struct gw_read *request, struct gw_buffer *body /* taken */);
/* To be served when the run is settled again. */
void gw_run_put_read(struct gw_run *run, struct gw_read *request);

/* As the request's reader sees the run; holds a reference on the plan. */
struct gw_channel gw_read_channel(const struct gw_run *run, const struct gw_read *request);
/* The seq that a cursor stands for. bad_cursor (GW_ESTATE: it lies behind the end of what is known here), cursor_of_another_view, purged. */
int gw_read_open_cursor(const struct gw_run *run, const struct gw_channel *channel, const char *cursor, uint64_t *seq,
                        struct gw_error *err);
/* What a reader is told when the spine answered `status`. */
int gw_read_say_unreadable(int status, struct gw_error *err);
/* Likewise, but what a lens could not show is told as it is. */
void gw_read_say_why(int status, struct gw_error *err);

/* run_history.c: the revisions of a canvas, the newest first */
void gw_run_read_history(struct gw_run *run, struct gw_read *request);
/* run_diff.c: what differs between two points */
void gw_run_read_diff(struct gw_run *run, struct gw_read *request);

#endif
