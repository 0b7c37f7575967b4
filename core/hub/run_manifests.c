/* A canvas goes by the manifest that it was made ready by, which its run holds. When another one is in force, the owner says so in the run: an event of the
 * gateway, without which nobody could tell afterwards by which schema a command was judged. Data outside of the new schema stays. */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "hub/event.h"
#include "hub/manifest.h"
#include "hub/run.h"

/* The canvas that declares one of the catalogue's Tokens otherwise, or NULL. */
static const char *find_conflict(const struct gw_run *run, const char *canvas_id, const struct gw_json *catalog)
{
    const char *const *ids;
    size_t count = gw_state_canvases(run->state, &ids);
    for (size_t i = 0; i < count; i++) {
        const struct gw_manifest *other = gw_manifests_get(run->hub->opts.manifests, gw_state_canvas_type(run->state, ids[i]));
        void *iterator = NULL;
        const char *key;
        struct gw_json *declaration;
        while (other && strcmp(ids[i], canvas_id) != 0 && gw_json_next(catalog, &iterator, &key, &declaration)) {
            const struct gw_json *theirs = gw_json_get(gw_manifest_member(other, "tokens"), key);
            if (theirs && !gw_json_equal(theirs, declaration))
                return ids[i];
        }
    }
    return NULL;
}

static void log_kept(const struct gw_run *run, const char *canvas_id, const char *why)
{
    gw_log_write(run->hub->opts.log, GW_LOG_WARN, "manifest_not_renewed",
                 (struct gw_log_field[]){GW_F_TEXT("run", run->key.text), GW_F_TEXT("canvas", canvas_id), GW_F_TEXT("why", why), GW_F_END});
}

/* GW_OK also for a canvas that stays as it is. */
static int renew(struct gw_run *run, const char *canvas_id)
{
    const struct gw_manifest *manifest = gw_manifests_get(run->hub->opts.manifests, gw_state_canvas_type(run->state, canvas_id));
    if (!manifest || strcmp(gw_manifest_hash(manifest), gw_state_manifest_hash(run->state, canvas_id)) == 0)
        return GW_OK;
    const char *other = find_conflict(run, canvas_id, gw_manifest_member(manifest, "tokens"));
    if (other) {
        log_kept(run, canvas_id, "another canvas of the run declares one of its Tokens otherwise");
        return GW_OK;
    }
    struct gw_event_list events = {0};
    struct gw_error err;
    int status = gw_state_resolve_ready(run->state, canvas_id, manifest, &events, &err);
    if (!status)
        status = gw_run_add_own(run, &events);
    gw_event_list_fini(&events);
    return status;
}

void gw_run_renew_canvases(struct gw_run *run)
{
    const char *const *ids;
    size_t count = gw_state_canvases(run->state, &ids);
    int status = GW_OK;
    run->has_other_manifests = false;
    for (size_t i = 0; !status && i < count; i++)
        status = renew(run, ids[i]);
    if (status == GW_ENOMEM) {
        run->has_other_manifests = true; /* the next turn tries again */
        log_kept(run, "", "no memory");
    } else if (status) {
        gw_run_abandon(run);
    }
}
