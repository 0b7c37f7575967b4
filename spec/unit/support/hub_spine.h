/* hub_spine.h — what lies between the hubs of a world and its memory spine: requests that wait to be carried out, their faults, and what is really stored. */
#ifndef GW_SPEC_HUB_SPINE_H
#define GW_SPEC_HUB_SPINE_H

#include "hub/record.h"
#include "spine/job.h"
#include "support/hub_world.h"

struct world_op {
    enum gw_spine_job_kind kind;
    union {
        struct gw_spine_append *append;
        struct gw_spine_read *read;
        struct gw_spine_tail *tail;
        struct gw_spine_put *put;
        struct gw_spine_get *get;
        struct gw_spine_erase *erase;
    };
    struct world_op *next;
};

/* Carries a request out, or lets it go wrong as the world's faults ask. */
void world_carry_out(struct world *world, const struct world_op *op);

/* Retention: what the newest checkpoint covers is cut off the log. */
void world_cut_off(struct world *world, const char *run_id);
void world_forget_cuts(struct world *world);

/* value: the log of a run as it was ever stored, what was cut off since included. Fails the test when its records do not read or are not dense. */
struct world_truth {
    uint64_t epoch;
    struct gw_event_list events; /* events.items[i] has seq i + 1 */
    struct gw_record *records;
    size_t record_count;
};
void world_read_truth(struct world *world, const char *run_id, struct world_truth *out);
void world_truth_fini(struct world_truth *truth);

#endif
