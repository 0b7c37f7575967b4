/* small_hub.h — one hub on one worker, over a memory spine whose appends and reads can be held back or made to fail, with a registry that
 * answers when it is told to. Nothing happens but in a turn. A cursor is "<epoch> <class> <seq>" in clear, an envelope the event's seq. For
 * specs of submissions that wait. */
#ifndef GW_SPEC_SMALL_HUB_H
#define GW_SPEC_SMALL_HUB_H

#include "support/state_fixture.h"

#include "hub/hub.h"
#include "hub/ports.h"

struct gw_memory_spine;

struct world {
    struct gw_hub *hub, *hubs[1];
    struct gw_executor executor;
    struct gw_task *first, **last;
    struct gw_memory_spine *memory;
    struct gw_spine spine; /* in front of it */
    struct gw_manifests *manifests;
    struct gw_metrics *metrics;
    struct gw_log *log;
    struct gw_clock clock;
    struct gw_registry registry;
    struct gw_flow_get *asked; /* what the registry was asked and has not answered */
    size_t asked_count;
    bool fails_reads, fails_appends;
    bool loses_filters;           /* of the idempotency index: the spine says that there are none */
    unsigned filters_asked;       /* how often it was asked for them */
    struct gw_spine_append *held; /* an append that is kept back */
    bool holds_appends;
    struct gw_spine_erase *held_erase; /* likewise */
    bool holds_erasures, fails_erasures;
    struct gw_plan *plan; /* owned */
    uint64_t now_ms;
    unsigned command_count;
};

struct sent {
    struct gw_submission submission; /* first */
    bool is_done;
};

int small_hub_setup(void **state); /* *state is a struct world */
int small_hub_teardown(void **state);
/* What commands from now on may see and do; taken. */
void small_hub_set_plan(struct world *w, struct gw_plan *plan); /* comes to rest first */
/* Works until there is nothing to do. */
void turn(struct world *w);
/* One turn of the loop; true: there is more to do. */
bool turn_once(struct world *w);
/* Submits one command; nothing is done before the next turn. */
void send_command(struct world *w, struct sent *sent, const char *members);
/* Submits it and takes a turn: it must be committed. */
void must_send(struct world *w, const char *members);
/* What became of it: a part of the answer, or the refusal's id. Frees the submission. */
void assert_outcome(struct sent *sent, const char *expected);
/* What the refusal tells; NULL: nothing. */
void assert_changes(const struct sent *sent, const char *expected);
/* Lets the held append, or erasure, go on. */
void pass_append(struct world *w, struct gw_spine_append *request);
void pass_erase(struct world *w, struct gw_spine_erase *request);
void answer_flow(struct world *w, int status, const char *flow);

#define CONFLICT "\"if\":{\"/tokens/plan.days\":5},\"type\":\"token.set\",\"args\":{\"set\":{\"plan.days\":6}}"
#define SET(n)   "\"type\":\"token.set\",\"args\":{\"set\":{\"plan.days\":" #n "}}"
#define START    "\"type\":\"run.start\",\"args\":{\"flow_id\":\"demo\"}"

/* The epoch that some_bytes gives. */
#define EPOCH   "506381209866536711"
#define BASE(n) "\"base\":\"" EPOCH " 1 " #n "\","

#endif
