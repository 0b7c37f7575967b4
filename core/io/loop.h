/* loop.h — one event-loop thread: its inbox, its clock and the end of its turns. A loop is created and destroyed by the wiring thread and
 * lives, in between, on the thread that runs it; functions marked "any thread" may be called from elsewhere. Everything else in this folder
 * hangs off a loop.
 *
 * Order of a turn: timers, inbox (one bounded batch), sockets, then the turn hooks, then sleep. Life: create, run (or start), stop, join;
 * the owner then closes what it opened on the loop, and destroy runs the close callbacks. gw_loop_create makes the process ignore SIGPIPE:
 * a lost peer is an error return here. Not for blocking work: that has threads of its own. */
#ifndef GW_IO_LOOP_H
#define GW_IO_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/task.h"

struct gw_clock;
struct gw_error;
struct gw_loop;

/* value */
struct gw_loop_opts {
    const char *name;             /* of the thread, at most 15 characters; copied */
    const struct gw_clock *clock; /* borrowed, outlives the loop */
    size_t max_inbox;             /* tasks waiting before try_post refuses; 0 = 65536 */
};

int gw_loop_create(const struct gw_loop_opts *opts, struct gw_loop **out, struct gw_error *err);
/* The loop must not be running, everything opened on it must be closed or closing (asserted), and no thread may still be inside a post.
 * Runs the close callbacks and the tasks left in the inbox. NULL is fine. */
void gw_loop_destroy(struct gw_loop *loop);

/* Runs on the calling thread until gw_loop_stop; the turn hooks run once more at the end. */
void gw_loop_run(struct gw_loop *loop);
/* Runs on a new thread, with all signals blocked; GW_EIO when there is no thread to be had. */
int gw_loop_start(struct gw_loop *loop, struct gw_error *err);
/* Waits for the thread of gw_loop_start; nothing when there is none. */
void gw_loop_join(struct gw_loop *loop);
/* Any thread. The loop ends after the turn in which it sees this; try_post refuses from now on. A stop before the run ends it in its first
 * turn. */
void gw_loop_stop(struct gw_loop *loop);

/* The inbox as the port of base/task.h; lives as long as the loop. post: any thread, FIFO per poster; at most 256 tasks run per turn. */
struct gw_executor *gw_loop_executor(struct gw_loop *loop);
/* Any thread. From now on try_post refuses, post still works: for draining. */
void gw_loop_close_inbox(struct gw_loop *loop);
/* Any thread. Tasks posted and not yet run. */
size_t gw_loop_inbox_depth(const struct gw_loop *loop);

const struct gw_clock *gw_loop_clock(const struct gw_loop *loop);
/* Monotonic, read once after each sleep: cheap and the same for a whole turn. */
uint64_t gw_loop_now_ms(const struct gw_loop *loop);
/* Turns so far; loop thread. */
uint64_t gw_loop_turn_count(const struct gw_loop *loop);

/* Embedded in its owner; run is called once at the end of every turn, after all that the turn did and before the loop sleeps: one coalesced
 * write per subscriber, one group commit. Must be cheap when there is nothing to do. */
struct gw_turn_hook {
    void (*run)(struct gw_turn_hook *hook);
    struct gw_turn_hook *next, *previous; /* the loop's */
};
/* Appends: hooks run in the order in which they were added. A hook may add or remove any hook, itself included. */
void gw_loop_on_turn_end(struct gw_loop *loop, struct gw_turn_hook *hook);
void gw_loop_remove_turn_hook(struct gw_loop *loop, struct gw_turn_hook *hook);
/* The loop does not sleep before the hooks have run (again): from a hook that left work behind, or before the loop runs. */
void gw_loop_request_turn(struct gw_loop *loop);

#endif
