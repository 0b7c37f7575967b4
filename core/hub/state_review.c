#include "hub/state_review.h"

#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/manifest.h"
#include "hub/pointer.h"
#include "hub/state_internal.h"
#include "hub/tokens.h"
#include "hub/value_type.h"

#define TEXT_SHOWN 100 /* code points */

/* value: the canvas being looked at */
struct look {
    const struct gw_state_review *review;
    const struct gw_canvas *canvas;
    const struct gw_json *kinds; /* of its manifest in force */
};

static const struct gw_json *member(const struct gw_json *object, const char *name)
{
    return gw_json_is_object(object) ? gw_json_get(object, name) : NULL;
}

static bool is_true(const struct gw_json *value) { return gw_json_is_bool(value) && gw_json_bool(value); }

/* ---- blocks ------------------------------------------------------------------------------------------------------------------------------- */

static void tell(const struct look *look, const struct gw_block *block, const struct gw_error *err, const struct gw_json *value)
{
    struct gw_state_misfit misfit = {.canvas_id = look->canvas->id,
                                     .canvas_type = look->canvas->type,
                                     .block_id = block ? gw_block_id(block) : "",
                                     .block_kind = block ? gw_block_kind(block) : "",
                                     .token = "",
                                     .err = err,
                                     .value = value};
    look->review->found(look->review->arg, &misfit);
}

static void review_props(const struct look *look, const struct gw_block *block, const struct gw_json *declared)
{
    const struct gw_json *props = gw_block_props(block);
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    while (gw_json_next(props, &iterator, &name, &value)) {
        const struct gw_json *declaration = member(declared, name);
        struct gw_error err;
        int status = declaration ? gw_value_fits(declaration, value, &err)
                                 : gw_error_set(&err, GW_EINVAL, "unknown_prop", "its kind has no property %s", name);
        if (!status)
            continue;
        gw_pointer_prefix(&err, name);
        gw_error_prefix(&err, "/props");
        tell(look, block, &err, value);
    }
}

static void review_required(const struct look *look, const struct gw_block *block, const struct gw_json *declared)
{
    void *iterator = NULL;
    const char *name;
    struct gw_json *declaration;
    while (gw_json_is_object(declared) && gw_json_next(declared, &iterator, &name, &declaration)) {
        struct gw_error err;
        if (!is_true(member(declaration, "required")) || gw_json_get(gw_block_props(block), name))
            continue;
        gw_error_set(&err, GW_EINVAL, "missing_prop", "%s is required of its kind", name);
        gw_pointer_prefix(&err, name);
        gw_error_prefix(&err, "/props");
        tell(look, block, &err, NULL);
    }
}

static int review_text(const struct look *look, const struct gw_block *block, const struct gw_json *schema)
{
    const struct gw_text *text = gw_block_text(block);
    struct gw_buffer shown;
    struct gw_error err;
    gw_buffer_init(&shown, 0);
    gw_text_read(text, 0, TEXT_SHOWN, &shown);
    if (shown.length > 0 && !is_true(member(schema, "text"))) {
        struct gw_json *value = gw_json_new_text(shown.data, shown.length);
        gw_error_set(&err, GW_EINVAL, "no_text", "its kind carries no text");
        gw_error_prefix(&err, "/text");
        tell(look, block, &err, value);
        gw_json_unref(value);
    }
    bool has_failed = shown.has_failed;
    gw_buffer_fini(&shown);
    return has_failed ? GW_ENOMEM : GW_OK;
}

static void review_parent(const struct look *look, const struct gw_block *block)
{
    const struct gw_block *parent = gw_block_parent(block);
    const struct gw_json *children = parent ? member(member(look->kinds, gw_block_kind(parent)), "children") : NULL;
    struct gw_error err;
    if (!gw_json_is_array(children))
        return;
    for (size_t i = 0; i < gw_json_count(children); i++)
        if (strcmp(gw_json_text(gw_json_at(children, i), NULL), gw_block_kind(block)) == 0)
            return;
    gw_error_set(&err, GW_EINVAL, "bad_parent", "a %s may not stand below a %s", gw_block_kind(block), gw_block_kind(parent));
    gw_error_prefix(&err, "/parent");
    tell(look, block, &err, NULL);
}

static int review_block(const struct look *look, const struct gw_block *block)
{
    const struct gw_json *schema = member(look->kinds, gw_block_kind(block));
    struct gw_error err;
    if (!schema) {
        gw_error_set(&err, GW_ENOTFOUND, "unknown_kind", "its canvas has no kind %s", gw_block_kind(block));
        gw_error_prefix(&err, "/kind");
        tell(look, block, &err, NULL);
        return GW_OK;
    }
    review_parent(look, block);
    review_props(look, block, member(schema, "props"));
    review_required(look, block, member(schema, "props"));
    return review_text(look, block, schema);
}

static int review_canvas(const struct gw_state_review *review, const struct gw_canvas *canvas)
{
    const struct gw_manifest *manifest = gw_manifests_get(review->manifests, canvas->type);
    struct look look = {.review = review, .canvas = canvas};
    struct gw_error err;
    int status = GW_OK;
    if (!manifest) {
        gw_error_set(&err, GW_ENOTFOUND, "unknown_canvas", "no canvas type %s is known", canvas->type);
        tell(&look, NULL, &err, NULL);
        return GW_OK;
    }
    look.kinds = gw_manifest_member(manifest, "kinds");
    const struct gw_block *block = NULL;
    while (!status && (block = gw_blocks_next(canvas->blocks, NULL, block)))
        status = review_block(&look, block);
    return status;
}

/* ---- Tokens ------------------------------------------------------------------------------------------------------------------------------- */

static const struct gw_json *declaration_of(const struct gw_state_review *review, const char *key)
{
    for (size_t i = 0; i < review->state->canvas_count; i++) {
        const struct gw_manifest *manifest = gw_manifests_get(review->manifests, review->state->canvases[i]->type);
        const struct gw_json *declaration = manifest ? member(gw_manifest_member(manifest, "tokens"), key) : NULL;
        if (declaration)
            return declaration;
    }
    return NULL;
}

static void review_token(const struct gw_state_review *review, const char *key, const struct gw_json *value)
{
    const struct gw_json *declaration = declaration_of(review, key);
    struct gw_error err;
    int status = declaration ? gw_value_fits(declaration, value, &err)
                             : gw_error_set(&err, GW_ENOTFOUND, "unknown_token", "no mounted canvas declares it");
    struct gw_state_misfit misfit = {
        .canvas_id = "", .canvas_type = "", .block_id = "", .block_kind = "", .token = key, .err = &err, .value = value};
    if (status)
        review->found(review->arg, &misfit);
}

static int review_tokens(const struct gw_state_review *review, struct gw_error *err)
{
    static const struct gw_json_limits limits = {.max_bytes = SIZE_MAX / 2, .max_depth = 128, .max_nodes = 1u << 30};
    struct gw_buffer text;
    struct gw_json *tokens = NULL, *value;
    void *iterator = NULL;
    const char *key;
    gw_buffer_init(&text, 0);
    gw_tokens_write_values(review->state->tokens, NULL, &text);
    int status = text.has_failed ? GW_ENOMEM : gw_json_parse(text.data, text.length, &limits, &tokens, err);
    gw_buffer_fini(&text);
    while (!status && gw_json_next(tokens, &iterator, &key, &value))
        review_token(review, key, value);
    gw_json_unref(tokens);
    return status;
}

int gw_state_review_run(const struct gw_state_review *review, struct gw_error *err)
{
    int status = GW_OK;
    for (size_t i = 0; !status && i < review->state->canvas_count; i++)
        status = review_canvas(review, review->state->canvases[i]);
    if (!status)
        status = review_tokens(review, err);
    return status ? gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory to look through a run") : GW_OK;
}
