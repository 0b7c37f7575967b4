#include "hub/plan.h"

#include "base/alloc.h"

struct gw_plan *gw_plan_ref(struct gw_plan *plan)
{
    gw_refs_add(&plan->refs);
    return plan;
}

void gw_plan_unref(struct gw_plan *plan)
{
    if (!plan || !gw_refs_drop(&plan->refs))
        return;
    for (size_t i = 0; i < plan->token_glob_count; i++)
        gw_free(plan->token_globs[i]);
    gw_free(plan->token_globs);
    gw_free(plan);
}

/* Greedy with one point to fall back to: only the last '*' can ever need to take more, so the cost is at most length × length and never
 * exponential. */
static bool glob_matches(const char *glob, const char *text)
{
    const char *star = NULL, *resume = NULL;
    while (*text) {
        if (*glob == '*') {
            star = ++glob;
            resume = text;
        } else if (*glob == *text) {
            glob++;
            text++;
        } else if (star) {
            glob = star;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*glob == '*')
        glob++;
    return *glob == '\0';
}

bool gw_plan_admits_token(const struct gw_plan *plan, const char *key)
{
    if (plan->sees_all)
        return true;
    for (size_t i = 0; i < plan->token_glob_count; i++)
        if (glob_matches(plan->token_globs[i], key))
            return true;
    return false;
}
