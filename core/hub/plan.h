/* plan.h — a lens plan: what one class of actors may see and write. Declarative, immutable, reference-counted; crosses threads. Two actors
 * whose plans are equal share a class, and so a feed, a block cache and every encoded byte. */
#ifndef GW_HUB_PLAN_H
#define GW_HUB_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/refs.h"

struct gw_plan {
    struct gw_refs refs;
    uint64_t class_id; /* hash of tenant, canonical plan and encoder version; never 0 */
    bool sees_all;     /* nothing is filtered: projection may copy */
    bool sees_history; /* earliest, -n, @commit, /v1/events, ?at= */
    bool can_write;
    size_t token_glob_count;
    char **token_globs; /* Token keys admitted; '*' matches any run of characters. Ignored when sees_all */
};

struct gw_plan *gw_plan_ref(struct gw_plan *plan);
void gw_plan_unref(struct gw_plan *plan);
bool gw_plan_admits_token(const struct gw_plan *plan, const char *key);

#endif
