/* Flows: what a run.start names is asked of the registry before it is judged, and only while the run does not exist: later the answer is in
 * its state. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/plan.h"
#include "hub/run.h"

struct gw_flow_fetch {
    struct gw_flow_get get;
    struct gw_run *run;
};

/* The flow that the command names and that nobody asked for yet, or NULL. */
static const char *wanted_flow(const struct gw_command *command)
{
    if (command->is_flow_known || strcmp(command->type, "run.start") != 0)
        return NULL;
    const struct gw_json *id = gw_json_get(command->args, "flow_id");
    size_t length = 0;
    const char *text = gw_json_is_string(id) ? gw_json_text(id, &length) : "";
    return gw_id_is_valid(text, length) ? text : NULL;
}

/* Gives the answer to those of the first submission that asked for it; whether anybody still does. */
static bool give(struct gw_run *run, const struct gw_flow_get *get)
{
    struct gw_submission *submission = run->inbox_first;
    bool is_awaited = false;
    for (size_t i = 0; submission && i < submission->count; i++) {
        struct gw_command *command = &submission->commands[i];
        const char *flow_id = wanted_flow(command);
        if (!flow_id || strcmp(flow_id, get->flow_id) != 0)
            continue;
        is_awaited = true;
        command->is_flow_known = !get->status || get->status == GW_ENOTFOUND;
        command->flow = get->flow ? gw_json_ref(get->flow) : NULL;
    }
    return is_awaited;
}

static void on_flow(struct gw_flow_get *get)
{
    struct gw_flow_fetch *fetch = get->arg;
    struct gw_run *run = fetch->run;
    bool is_awaited = give(run, get);
    if (is_awaited && get->status && get->status != GW_ENOTFOUND) {
        struct gw_error err;
        gw_error_set(&err, GW_EIO, "registry_unavailable", "the flow cannot be read at the moment");
        err.is_retryable = true;
        gw_run_refuse_first(run, &err);
    }
    gw_flow_get_fini(get);
    gw_free(fetch);
    run->flow_fetch = NULL;
    run->readers--;
    run->hub->in_flight--;
    run->inbox_waits = run->fetches_page;
    gw_hub_mark_run(run->hub, run);
}

static void fetch(struct gw_run *run, const char *flow_id)
{
    const struct gw_registry *registry = run->hub->opts.registry;
    struct gw_flow_fetch *started = gw_alloc(sizeof *started);
    started->run = run;
    started->get = (struct gw_flow_get){.home = gw_hub_home(run->hub), .done = on_flow, .arg = started};
    memcpy(started->get.tenant_id, run->scope.tenant_id, sizeof started->get.tenant_id);
    memcpy(started->get.project_id, run->scope.project_id, sizeof started->get.project_id);
    memcpy(started->get.flow_id, flow_id, strlen(flow_id) + 1);
    run->flow_fetch = started;
    run->readers++;
    run->hub->in_flight++;
    registry->flow(registry->self, &started->get);
}

bool gw_run_waits_for_flow(struct gw_run *run, const struct gw_submission *submission)
{
    const char *flow_id = NULL;
    if (!run->hub->opts.registry || gw_state_seq(run->state) > 0 || !gw_plan_admits_command(submission->plan, "run.start"))
        return false;
    for (size_t i = 0; !flow_id && i < submission->count; i++)
        flow_id = submission->outcomes[i].is_claimed ? NULL : wanted_flow(&submission->commands[i]);
    if (!flow_id)
        return false;
    if (!run->flow_fetch)
        fetch(run, flow_id);
    run->inbox_waits = true;
    return true;
}
