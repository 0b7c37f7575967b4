/* The fold trusts the order of events and nothing else about them: whatever does not fit is damage, and is said to be. */
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/chat.h"
#include "hub/growth.h"
#include "hub/origins.h"
#include "hub/state_graph.h"
#include "hub/state_internal.h"
#include "hub/state_ops.h"
#include "hub/tokens.h"

static int damaged(struct gw_error *err, const struct gw_event *event, const char *what)
{
    return gw_error_set(err, GW_EINVAL, "bad_event", "event %llu (%s) does not fit: %s", (unsigned long long)event->seq,
                        gw_event_type_name(event->type), what);
}

static int out_of_memory(struct gw_error *err) { return gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory to fold an event"); }

static int judge(int status, const struct gw_event *event, const char *what, struct gw_error *err)
{
    if (status == GW_ENOMEM)
        return out_of_memory(err);
    return status ? damaged(err, event, what) : GW_OK;
}

/* ---- CANVAS_READY -----------------------------------------------------------------------------------------------------------------------
 */

static int declare_tokens(struct gw_state *state, const struct gw_json *data)
{
    const struct gw_json *catalog = gw_json_get(data, "TokenCatalog"), *values = gw_json_get(data, "tokens");
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    if (!gw_json_is_object(catalog) || !gw_json_is_object(values))
        return GW_EINVAL;
    while (gw_json_next(catalog, &iterator, &key, &value)) {
        int status = gw_tokens_declare(state->tokens, key, value);
        if (status)
            return status;
    }
    iterator = NULL;
    while (gw_json_next(values, &iterator, &key, &value)) {
        int status = gw_tokens_put(state->tokens, key, value);
        if (status)
            return status;
    }
    return GW_OK;
}

static int mount(struct gw_state *state, const struct gw_event *event, const char *type)
{
    if (state->canvas_count == state->limits.max_canvases || strlen(type) > GW_ID_MAX)
        return GW_EINVAL;
    struct gw_canvas *canvas = gw_canvas_create(state, event->canvas_id);
    if (!canvas)
        return GW_ENOMEM;
    canvas->mounted_seq = event->seq;
    memcpy(canvas->type, type, strlen(type) + 1);
    int status = gw_state_mount(state, canvas);
    if (status)
        gw_state_bury(state, canvas);
    return status;
}

static int fold_canvas_ready(struct gw_state *state, const struct gw_event *event, struct gw_error *err)
{
    const char *type = gw_state_text_member(event->data, "canvas_type"), *hash = gw_state_text_member(event->context, "manifest_hash");
    struct gw_json *manifest = gw_json_get(event->data, "manifest");
    struct gw_canvas *canvas = gw_state_canvas(state, event->canvas_id);
    if (!type || !hash || !gw_json_is_object(manifest) || strlen(hash) != 2 * GW_SHA256_BYTES || !event->canvas_id[0])
        return damaged(err, event, "a mount lacks its type, manifest or hash");
    if (canvas && strcmp(canvas->type, type) != 0)
        return damaged(err, event, "the canvas is of another type");
    int status = canvas ? GW_OK : mount(state, event, type);
    if (!status)
        status = gw_state_set_manifest(state, gw_state_canvas(state, event->canvas_id), manifest, hash);
    if (!status)
        status = declare_tokens(state, event->data);
    return judge(status, event, "the canvas cannot be mounted", err);
}

/* ---- token_patch, canvas_commit ---------------------------------------------------------------------------------------------------------
 */

static int fold_token_patch(struct gw_state *state, const struct gw_event *event, struct gw_error *err)
{
    const struct gw_json *set = gw_json_get(event->data, "set"), *unset = gw_json_get(event->data, "unset");
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    int status = gw_json_is_object(set) && gw_json_is_array(unset) ? GW_OK : GW_EINVAL;
    while (!status && gw_json_next(set, &iterator, &key, &value))
        status = gw_tokens_put(state->tokens, key, value);
    for (size_t i = 0; !status && i < gw_json_count(unset); i++) {
        const struct gw_json *name = gw_json_at(unset, i);
        status = gw_json_is_string(name) ? gw_tokens_put(state->tokens, gw_json_text(name, NULL), NULL) : GW_EINVAL;
    }
    return judge(status, event, "a Token is not declared", err);
}

static int fold_canvas_commit(struct gw_state *state, const struct gw_event *event, struct gw_error *err)
{
    struct gw_canvas *canvas = gw_state_canvas(state, event->canvas_id);
    const struct gw_json *rev = gw_json_get(event->data, "rev"), *to = gw_json_get(event->data, "to");
    if (!canvas || !gw_json_is_int(rev) || !gw_json_is_int(to) || gw_json_int(rev) != (int64_t)canvas->revision_count + 1 ||
        gw_json_int(to) < 0)
        return damaged(err, event, "its revision is not the next one");
    struct gw_revision revision = {.seq = event->seq, .to_seq = (uint64_t)gw_json_int(to)};
    int status = gw_state_set_uncommitted(state, canvas, 0);
    return judge(status ? status : gw_state_add_revision(state, canvas, &revision), event, "", err);
}

/* ---- all
 * ---------------------------------------------------------------------------------------------------------------------------------- */

static int note_origin(struct gw_state *state, const struct gw_event *event, struct gw_error *err)
{
    const char *origin = gw_state_text_member(event->context, "origin");
    if (!origin)
        return GW_OK;
    const struct gw_json *n = gw_json_get(event->context, "n");
    if (!gw_json_is_int(n) || strlen(origin) > GW_ORIGIN_NAME_MAX)
        return damaged(err, event, "its origin has no number");
    return judge(gw_origins_note(state->origins, origin, gw_json_int(n)), event, "", err);
}

static int fold_canvas_ops(struct gw_state *state, const struct gw_event *event, struct gw_error *err)
{
    int status = gw_state_fold_ops(state, event, err);
    if (status)
        return status;
    int grows = gw_event_grows_canvas(event);
    if (grows <= 0)
        return judge(grows, event, "", err);
    struct gw_canvas *canvas = gw_state_canvas(state, event->canvas_id);
    state->grown_seq = event->seq;
    return judge(gw_state_set_uncommitted(state, canvas, canvas->uncommitted + 1), event, "", err);
}

static int fold_by_type(struct gw_state *state, const struct gw_event *event, struct gw_error *err)
{
    switch (event->type) {
    case GW_EVENT_CANVAS_READY:
        return fold_canvas_ready(state, event, err);
    case GW_EVENT_TOKEN_PATCH:
        return fold_token_patch(state, event, err);
    case GW_EVENT_STATE_PATCH:
        return event->canvas_id[0] ? fold_canvas_ops(state, event, err) : gw_graph_fold(state->graph, event, err);
    case GW_EVENT_VOID:
        return gw_state_fold_ops(state, event, err);
    case GW_EVENT_CANVAS_COMMIT:
        return fold_canvas_commit(state, event, err);
    case GW_EVENT_CHAT_MESSAGE:
        return judge(gw_chat_fold_message(state->chat, event), event, "a message of that id stands already", err);
    case GW_EVENT_CHAT_TOKEN:
        return judge(gw_chat_fold_tokens(state->chat, event), event, "a part is not the next of an open message", err);
    default: /* references and log lines leave the state as it is */
        return GW_OK;
    }
}

int gw_state_fold(struct gw_state *state, const struct gw_event *event, struct gw_error *err)
{
    if (event->seq != state->seq + 1)
        return damaged(err, event, "its seq is not the next one");
    if (event->type != GW_EVENT_VOID && !gw_json_is_object(event->data))
        return damaged(err, event, "it has no data");
    int status = fold_by_type(state, event, err);
    if (!status)
        status = note_origin(state, event, err);
    if (status)
        return status;
    state->seq = event->seq;
    struct gw_canvas *canvas = event->canvas_id[0] ? gw_state_canvas(state, event->canvas_id) : NULL;
    if (canvas)
        gw_blocks_advance(canvas->blocks, state->seq);
    return GW_OK;
}
