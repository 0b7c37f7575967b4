/* commit.h — one record on its way to the spine: the events of a group commit, and the commands whose answers wait for it. Owned by its run; for the run_*.c
 * files alone. Nothing in it is visible before the spine holds it. */
#ifndef GW_HUB_COMMIT_H
#define GW_HUB_COMMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "hub/event.h"
#include "hub/ports.h"
#include "hub/record.h"

struct gw_run;
struct gw_submission;

/* value: a command whose answer waits for durability */
struct gw_pending {
    struct gw_submission *submission;
    size_t index;
    uint8_t key[GW_KEY_BYTES], body[GW_KEY_BYTES];
    char *answer; /* owned */
    size_t answer_length;
    bool is_keyless; /* it is not in the idempotency index */
};

/* One record on its way to the spine. */
struct gw_commit {
    struct gw_spine_append append; /* first: the port hands it back */
    struct gw_run *run;
    struct gw_record_writer writer;
    struct gw_buffer payload;
    struct gw_event_list events;
    struct gw_pending *pending;
    size_t pending_count, pending_capacity;
    uint64_t first_seq, started_ns;
};

/* run_commit.c */
struct gw_commit *gw_run_gathering(struct gw_run *run);
int gw_commit_add(struct gw_commit *commit, const struct gw_event_list *events,
                  const struct gw_pending *pending /* its answer taken on success */);
/* The parts of the above: an event; a command whose answer waits for this record, also when it is on its way already. */
int gw_commit_add_event(struct gw_commit *commit, struct gw_event *event);
int gw_commit_await(struct gw_commit *commit, const struct gw_pending *pending /* its answer taken on success */);
/* value: how far the gathering record has come */
struct gw_commit_mark {
    struct gw_record_mark record;
    size_t event_count, pending_count;
};
struct gw_commit_mark gw_run_mark(const struct gw_run *run);
void gw_run_rewind(struct gw_run *run, const struct gw_commit_mark *mark);
/* Puts the keys of the pending commands from `first` on into the index. */
int gw_run_remember(struct gw_run *run, size_t first);
void gw_run_flush(struct gw_run *run);
void gw_commit_destroy(struct gw_commit *commit);
/* Feeds see an event that has become durable. */
void gw_run_publish(struct gw_run *run, const struct gw_event *event);

#endif
