/* policy_question.h — a question about what an actor gets or may do, put together of what the way out and the way in ask a plan: a Token of type sidecar needs vision
 * beside its key, a property the block that it is of. Pure; any thread. */
#ifndef GW_APP_POLICY_QUESTION_H
#define GW_APP_POLICY_QUESTION_H

#include <stdbool.h>
#include <stddef.h>

#include "hub/plan.h"

#define GW_POLICY_PARTS_MAX 4
#define GW_POLICY_WAYS_MAX  64

/* value; texts are borrowed */
struct gw_policy_question {
    struct {
        enum gw_plan_ask ask;
        const char *name;
    } parts[GW_POLICY_PARTS_MAX];
    size_t count;
    struct gw_plan_thing thing;
    bool is_splice; /* of a text, which counts characters: not through a transform */
    const char
        *ways[GW_POLICY_WAYS_MAX]; /* commands of which one must be admitted, the usual first; those beyond the maximum are left out */
    size_t way_count;
};

void gw_policy_question_add(struct gw_policy_question *question, enum gw_plan_ask ask, const char *name);
/* Events of that type: also what all of them need. Commands likewise; `has_sidecars`: an argument is one. */
void gw_policy_question_add_event(struct gw_policy_question *question, const char *type);
void gw_policy_question_add_command(struct gw_policy_question *question, const char *type, bool has_sidecars);
void gw_policy_question_add_way(struct gw_policy_question *question, const char *type);
/* The first of the ways that is admitted, or NULL. */
const char *gw_policy_question_way(const struct gw_policy_question *question, const struct gw_plan *plan);
/* The first part that is refused; or the usual way when all are; admitted when none is, and then by the first. `arg` is the question. */
void gw_policy_question_answer(void *arg, const struct gw_plan *plan, struct gw_plan_reason *out);

#endif
