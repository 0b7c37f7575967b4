/* canvas.commit: a revision, and the digest by which a reader can tell that it has folded the same. */
#include "base/error.h"
#include "base/json.h"
#include "hub/resolve.h"
#include "hub/state_hash.h"

static int read_message(const struct gw_resolve *r, struct gw_json **message)
{
    static const char *const names[] = {"message", NULL};
    int status = gw_resolve_members(r, gw_resolve_args(r), names);
    if (!status)
        status = gw_resolve_typed(r, gw_resolve_args(r), "message", gw_json_is_string, message);
    if (status || !*message)
        return status;
    size_t length;
    const char *text = gw_json_text(*message, &length);
    if (gw_utf8_count(text, length, NULL) <= GW_MESSAGE_MAX)
        return GW_OK;
    gw_error_set(r->err, GW_EINVAL, "too_long", "a commit message may hold %d code points", GW_MESSAGE_MAX);
    return gw_resolve_at(r, "/args/message");
}

static struct gw_json *make_commit(const struct gw_resolve *r, struct gw_json *message, const char *hash)
{
    const struct gw_canvas *canvas = r->canvas;
    size_t count = canvas->revision_count;
    uint64_t from = count ? canvas->revisions[count - 1].to_seq : canvas->mounted_seq;
    struct gw_json *data = gw_json_new_object();
    if (!data)
        return NULL;
    if (!gw_json_set(data, "rev", gw_json_new_int((int64_t)count + 1)) && !gw_json_set(data, "from", gw_json_new_int((int64_t)from)) &&
        !gw_json_set(data, "to", gw_json_new_int((int64_t)r->state->seq)) &&
        (!message || !gw_json_set(data, "message", gw_json_ref(message))) && !gw_json_set(data, "state_hash", gw_resolve_text(hash)))
        return data;
    gw_json_unref(data);
    return NULL;
}

int gw_resolve_canvas_commit(const struct gw_resolve *r)
{
    struct gw_json *message;
    char hash[GW_STATE_HASH_SIZE];
    int status = read_message(r, &message);
    if (status)
        return status;
    if (gw_state_hash(r->state, r->canvas, hash))
        return gw_resolve_no_memory(r);
    return gw_resolve_emit(r, GW_EVENT_CANVAS_COMMIT, make_commit(r, message, hash), NULL, NULL);
}
