#include "hub/gesture.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/blocks.h"
#include "hub/lens.h"
#include "hub/plan.h"
#include "hub/pointer.h"
#include "hub/refuse_bytes.h"
#include "hub/state_internal.h"

void gw_gesture_fini(struct gw_gesture *gesture)
{
    gw_json_unref(gesture->data);
    gw_plan_unref(gesture->plan);
    *gesture = (struct gw_gesture){0};
}

bool gw_gesture_is_over(const struct gw_json *data) { return gw_json_count(data) == 0; }

/* ---- the shape ------------------------------------------------------------------------------------------------------------------------ */

static int refuse(struct gw_error *err, const char *id, const char *why) { return gw_error_set(err, GW_EINVAL, id, "%s", why); }

static int check_id(const struct gw_json *value, struct gw_error *err)
{
    size_t length = 0;
    const char *text = gw_json_is_string(value) ? gw_json_text(value, &length) : "";
    return gw_id_is_valid(text, length) ? GW_OK
                                        : refuse(err, "bad_id", "must be an id: a letter, digit, _ or -, then up to 63 of those or dots");
}

static int check_number(const struct gw_json *value, struct gw_error *err)
{
    return gw_json_is_number(value) ? GW_OK : refuse(err, "bad_shape", "must be a number");
}

static int check_offset(const struct gw_json *value, struct gw_error *err)
{
    if (!gw_json_is_int(value))
        return refuse(err, "bad_shape", "must be an integer");
    return gw_json_int(value) >= 0 ? GW_OK : refuse(err, "out_of_range", "counts from 0");
}

static int check_blocks(const struct gw_json *value, struct gw_error *err)
{
    if (!gw_json_is_array(value))
        return refuse(err, "bad_shape", "must be a list of ids");
    if (gw_json_count(value) > GW_GESTURE_BLOCKS_MAX)
        return gw_error_limit(err, "limit_gesture", "max_gesture_blocks", GW_GESTURE_BLOCKS_MAX, "a gesture names at most %d blocks",
                              GW_GESTURE_BLOCKS_MAX);
    for (size_t i = 0; i < gw_json_count(value); i++) {
        if (check_id(gw_json_at(value, i), err)) {
            gw_pointer_prefix_index(err, i);
            return err->code;
        }
    }
    return GW_OK;
}

static int check_prop(const struct gw_json *value, struct gw_error *err)
{
    if (gw_json_is_number(value) || gw_json_is_bool(value))
        return GW_OK;
    if (!gw_json_is_string(value))
        return refuse(err, "bad_shape", "must be text, a number, true or false");
    size_t length;
    const char *text = gw_json_text(value, &length);
    if (gw_utf8_count(text, length, NULL) <= GW_GESTURE_TEXT_MAX)
        return GW_OK;
    return gw_error_limit(err, "limit_gesture", "max_gesture_text", GW_GESTURE_TEXT_MAX, "has more than %d code points",
                          GW_GESTURE_TEXT_MAX);
}

static int check_props(const struct gw_json *value, struct gw_error *err)
{
    void *iterator = NULL;
    const char *name;
    struct gw_json *prop;
    if (!gw_json_is_object(value))
        return refuse(err, "bad_shape", "must be an object");
    if (gw_json_count(value) > GW_GESTURE_PROPS_MAX)
        return gw_error_limit(err, "limit_gesture", "max_gesture_props", GW_GESTURE_PROPS_MAX, "a gesture has at most %d properties",
                              GW_GESTURE_PROPS_MAX);
    while (gw_json_next(value, &iterator, &name, &prop)) {
        int status = gw_id_is_valid(name, strlen(name)) ? check_prop(prop, err) : refuse(err, "bad_id", "must be named by an id");
        if (status) {
            gw_pointer_prefix(err, name);
            return status;
        }
    }
    return GW_OK;
}

static const struct {
    const char *name;
    int (*check)(const struct gw_json *value, struct gw_error *err);
} members[] = {{"kind", check_id},  {"blocks", check_blocks}, {"at", check_offset},  {"to", check_offset},
               {"x", check_number}, {"y", check_number},      {"props", check_props}};

static int check_member(const char *name, const struct gw_json *value, struct gw_error *err)
{
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (strcmp(name, members[i].name) == 0)
            return members[i].check(value, err);
    return refuse(err, "unknown_member", "is no member of a gesture");
}

static int check_needs(const struct gw_json *data, struct gw_error *err)
{
    static const char *const needs[][2] = {{"at", "blocks"}, {"to", "at"}, {"x", "y"}, {"y", "x"}};
    const char *missing = gw_json_get(data, "kind") ? NULL : "kind";
    for (size_t i = 0; !missing && i < sizeof needs / sizeof *needs; i++)
        if (gw_json_get(data, needs[i][0]) && !gw_json_get(data, needs[i][1]))
            missing = needs[i][1];
    if (!missing)
        return GW_OK;
    refuse(err, "missing_member", "is required beside the others");
    gw_pointer_prefix(err, missing);
    return GW_EINVAL;
}

static int check_size(const struct gw_json *data, struct gw_error *err)
{
    ptrdiff_t length = gw_json_canonical_length(data);
    if (length < 0)
        return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for the gesture");
    if (length <= GW_GESTURE_BYTES_MAX)
        return GW_OK;
    return gw_error_limit(err, "limit_gesture", "max_gesture_bytes", GW_GESTURE_BYTES_MAX, "a gesture takes at most %d bytes",
                          GW_GESTURE_BYTES_MAX);
}

int gw_gesture_check(const struct gw_json *data, size_t max_base64_run, struct gw_error *err)
{
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    if (!gw_json_is_object(data))
        return refuse(err, "bad_shape", "must be an object");
    if (gw_gesture_is_over(data))
        return GW_OK;
    while (gw_json_next(data, &iterator, &name, &value)) {
        if (check_member(name, value, err)) {
            gw_pointer_prefix(err, name);
            return err->code;
        }
    }
    int status = check_needs(data, err);
    if (!status)
        status = gw_refuse_bytes_json(data, max_base64_run, err);
    return status ? status : check_size(data, err);
}

/* ---- through a lens ------------------------------------------------------------------------------------------------------------------- */

/* value: a gesture at work */
struct sight {
    const struct gw_canvas *canvas;
    const struct gw_plan *author;
    const struct gw_lens *lens;
    bool shows_first_text; /* of the first block that it names */
};

static bool shows(const struct sight *sight, const struct gw_json *id)
{
    const struct gw_block *block = gw_blocks_find(sight->canvas->blocks, gw_json_text(id, NULL));
    return block && gw_canvas_shows(sight->canvas, sight->author, block) && gw_canvas_shows(sight->canvas, sight->lens->plan, block);
}

static bool shows_text(const struct sight *sight, const struct gw_json *id)
{
    const struct gw_block *block = gw_blocks_find(sight->canvas->blocks, gw_json_text(id, NULL));
    if (!block || sight->lens->plan->transform)
        return false;
    struct gw_plan_thing thing = gw_canvas_thing(sight->canvas, block);
    return gw_plan_shows_text(sight->lens->plan, &thing);
}

/* Those of `blocks` that are seen; NULL: no memory. */
static struct gw_json *project_blocks(struct sight *sight, const struct gw_json *blocks)
{
    struct gw_json *out = gw_json_new_array();
    for (size_t i = 0; out && i < gw_json_count(blocks); i++) {
        struct gw_json *id = gw_json_at(blocks, i);
        if (!shows(sight, id))
            continue;
        if (i == 0)
            sight->shows_first_text = shows_text(sight, id);
        if (gw_json_append(out, gw_json_ref(id))) {
            gw_json_unref(out);
            out = NULL;
        }
    }
    return out;
}

static bool is_offset(const char *name) { return strcmp(name, "at") == 0 || strcmp(name, "to") == 0; }

/* {…data, blocks}; NULL: no memory. */
static struct gw_json *with_blocks(const struct sight *sight, const struct gw_json *data, struct gw_json *blocks)
{
    struct gw_json *out = gw_json_new_object();
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    while (out && gw_json_next(data, &iterator, &name, &value)) {
        if (is_offset(name) && !sight->shows_first_text)
            continue;
        if (gw_json_set(out, name, gw_json_ref(strcmp(name, "blocks") == 0 ? blocks : value))) {
            gw_json_unref(out);
            out = NULL;
        }
    }
    return out;
}

struct gw_json *gw_gesture_project(const struct gw_gesture *gesture, const struct gw_state *state, const struct gw_lens *lens,
                                   bool *is_short_of_memory)
{
    struct sight sight = {.canvas = gw_state_canvas(state, gesture->canvas_id), .author = gesture->plan, .lens = lens};
    const struct gw_json *named = gw_json_get(gesture->data, "blocks");
    *is_short_of_memory = false;
    if (!sight.canvas)
        return NULL;
    if (gw_json_count(named) == 0)
        return gw_json_ref(gesture->data);
    struct gw_json *blocks = project_blocks(&sight, named), *out = NULL;
    if (gw_json_count(blocks) > 0)
        out = with_blocks(&sight, gesture->data, blocks);
    *is_short_of_memory = !blocks || (!out && gw_json_count(blocks) > 0);
    gw_json_unref(blocks);
    return out;
}
