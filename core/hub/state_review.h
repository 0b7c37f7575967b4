/* state_review.h — what a run holds that the canvases in force would no longer take: they may have changed since it was mounted, and a state keeps what it has. For
 * tools: refuses nothing and changes nothing. One thread, the state's. Memory: the Tokens of the run, and one value. */
#ifndef GW_HUB_STATE_REVIEW_H
#define GW_HUB_STATE_REVIEW_H

struct gw_error;
struct gw_json;
struct gw_manifests;
struct gw_state;

/* value: one thing; borrowed for the call */
struct gw_state_misfit {
    const char *canvas_id, *canvas_type; /* "" for a Token */
    const char *block_id, *block_kind;   /* "" for a canvas or a Token */
    const char *token;                   /* "" for the others */
    /* What a command would be refused with: unknown_canvas, unknown_kind, unknown_prop, missing_prop, no_text, bad_parent, unknown_token, or an id of
     * value_type.h; path: a pointer into the block or the Token's value. */
    const struct gw_error *err;
    const struct gw_json *value; /* what stands there; of a text the beginning; NULL: nothing to show */
};

/* value */
struct gw_state_review {
    const struct gw_state *state;
    const struct gw_manifests *manifests;
    void (*found)(void *arg, const struct gw_state_misfit *misfit);
    void *arg;
};

/* Canvases in mount order, their blocks in tree order, then the Tokens by key. Of a canvas whose type is gone that alone is told. A Token is judged by the first mounted
 * canvas that declares it now. GW_ENOMEM: not all was looked at. */
int gw_state_review_run(const struct gw_state_review *review, struct gw_error *err);

#endif
