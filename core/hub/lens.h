/* lens.h — a lens plan at work: the plan, and the policy port that applies its transform. What leaves a run goes through one. A value, borrowed for a call; on
 * the run's owner, since a transform is a script of that thread. Where a lens is NULL, nothing is cut: for storing, not for telling. A transform that may not run
 * now fails what it is needed for as missing memory does, as a whole: there is no answer with a part left out for want of time. */
#ifndef GW_HUB_LENS_H
#define GW_HUB_LENS_H

#include <stdbool.h>

#include "hub/plan.h"

struct gw_error;
struct gw_json;
struct gw_policy;

/* value */
struct gw_lens {
    const struct gw_plan *plan;
    const struct gw_policy *policy; /* NULL: what a transform would show is shown empty */
};

/* Why something could not be shown, or written through a lens, and forgets it: out_of_memory, or why a transform did not run (script_budget, policy_failed; later it
 * may). Answers err->code. Whoever fails for either asks. */
int gw_lens_why(const struct gw_policy *policy, struct gw_error *err);
/* Everything as it is: nothing of a block, token or message is cut or transformed. */
bool gw_lens_is_clear(const struct gw_lens *lens);

/* value: a block's content, owned references */
struct gw_seen_block {
    struct gw_json *props, *text;
};
/* What of a block's content is seen, given all of it (borrowed; `text` a JSON text). The same references where nothing is cut. A transform that fails, or answers
 * null, leaves no property and an empty text. `id` and `thing` are the block's. GW_ENOMEM: *out holds nothing (gw_lens_why). */
int gw_lens_block(const struct gw_lens *lens, const char *id, const struct gw_plan_thing *thing, const struct gw_seen_block *given,
                  struct gw_seen_block *out);
void gw_seen_block_fini(struct gw_seen_block *block);
/* Those members of `props` that are shown, untransformed: the same object, referenced, when nothing is cut. NULL: no memory. */
struct gw_json *gw_lens_props(const struct gw_lens *lens, const struct gw_plan_thing *thing, struct gw_json *props);

/* The value of a Token that is read: a new reference; JSON null: it is shown as not set. NULL: no memory. */
struct gw_json *gw_lens_token(const struct gw_lens *lens, const char *key, struct gw_json *value);
/* The text of a message that is read, whole: a new reference of a JSON text. NULL: no memory. */
struct gw_json *gw_lens_message(const struct gw_lens *lens, const char *id, const struct gw_plan_thing *thing, struct gw_json *text);

#endif
