/* fuzz_command.c — any text as a command: no crash; what is taken keeps its bounds; and resolving it against a run that knows the canvas
 * either refuses it with an id or makes events that fold. And as a flow, from which a run is opened. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "hub/command.h"
#include "hub/event.h"
#include "hub/graph_schema.h"
#include "hub/manifest.h"
#include "hub/plan.h"
#include "hub/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t seed[16] = {7};
static const struct gw_json_limits limits = {.max_bytes = 256u << 10, .max_depth = 32, .max_nodes = 16384};
static const char manifest_text[] = "{\"name\":\"planning\",\"version\":\"1\",\"api\":1,\"title\":\"P\",\"harness\":\"h\",\"tokens\":{"
                                    "\"plan.days\":{\"type\":\"integer\",\"min\":1}},"
                                    "\"kinds\":{\"text\":{\"text\":true,\"props\":{\"p\":{\"type\":\"json\"}}}}}";

#define IDS                                                                                                                                \
    "\"tenant_id\":\"t\",\"mode\":\"dev\",\"project_id\":\"p\",\"surface_id\":\"s\",\"app_id\":\"a\",\"run_id\":\"r\",\"canvas_id\":"      \
    "\"c\","
static const char *const opening[] = {
    "{" IDS "\"command_id\":\"1\",\"type\":\"canvas.mount\",\"args\":{\"canvas_type\":\"planning\"}}",
    "{" IDS "\"command_id\":\"2\",\"type\":\"block.insert\",\"args\":{\"block\":{\"id\":\"b\",\"kind\":\"text\",\"text\":\"some text\"}}}",
    "{" IDS "\"command_id\":\"3\",\"type\":\"graph.node.set\",\"args\":{\"id\":\"n\",\"vis\":\"v\",\"state\":\"running\"}}",
    "{" IDS "\"command_id\":\"4\",\"type\":\"graph.edge.set\",\"args\":{\"id\":\"e\",\"from\":\"n\",\"to\":\"n\"}}",
};

struct world {
    struct gw_state *state;
    struct gw_manifests *manifests;
    struct gw_plan plan;
};

static struct gw_manifests *load_manifests(void)
{
    struct gw_manifests *set = gw_manifests_create();
    struct gw_manifest *manifest = NULL;
    struct gw_json *document = NULL;
    struct gw_error err;
    int status = gw_json_parse(manifest_text, sizeof manifest_text - 1, &limits, &document, &err);
    assert(!status);
    status = gw_manifest_parse(document, &manifest, &err);
    assert(!status);
    status = gw_manifests_add(set, manifest, &err);
    assert(!status);
    gw_manifest_unref(manifest);
    gw_json_unref(document);
    return set;
}

static void resolve(struct world *world, struct gw_command *command)
{
    struct gw_resolve_context context = {
        .manifests = world->manifests, .plan = &world->plan, .author_kind = "agent", .author_id = "ann", .epoch = 1};
    struct gw_event_list events = {0};
    struct gw_error err = {0};
    command->base_seq = gw_state_seq(world->state);
    if (gw_state_resolve(world->state, command, &context, &events, &err))
        assert(events.count == 0 && err.id[0]);
    for (size_t i = 0; i < events.count; i++) {
        events.items[i]->seq = gw_state_seq(world->state) + 1;
        int status = gw_state_fold(world->state, events.items[i], &err);
        assert(!status);
    }
    gw_event_list_fini(&events);
}

static void start(const struct world *world, struct gw_json *flow)
{
    static const char text[] = "{" IDS "\"command_id\":\"1\",\"type\":\"run.start\",\"args\":{\"flow_id\":\"f\"}}";
    struct gw_state_limits state_limits;
    struct gw_json *body;
    struct gw_command command;
    struct gw_error err = {0};
    gw_state_limits_default(&state_limits);
    struct world empty = {.state = gw_state_create(seed, &state_limits), .manifests = world->manifests, .plan = world->plan};
    int status = gw_json_parse(text, sizeof text - 1, &limits, &body, &err);
    assert(!status);
    status = gw_command_parse(body, &command, &err);
    assert(!status);
    command.flow = gw_json_ref(flow);
    resolve(&empty, &command);
    gw_command_fini(&command);
    gw_json_unref(body);
    gw_state_destroy(empty.state);
}

static void run(struct world *world, const char *text, size_t length)
{
    struct gw_json *body;
    struct gw_command command;
    struct gw_error err = {0};
    if (gw_json_parse(text, length, &limits, &body, &err)) {
        assert(err.id[0]);
        return;
    }
    if (gw_command_parse(body, &command, &err))
        assert(err.id[0] && memchr(err.path, '\0', sizeof err.path));
    else
        resolve(world, &command);
    gw_command_fini(&command);
    if (gw_flow_check(body, &err))
        assert(err.id[0]);
    else
        start(world, body);
    gw_json_unref(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_state_limits state_limits;
    gw_state_limits_default(&state_limits);
    struct world world = {.state = gw_state_create(seed, &state_limits), .manifests = load_manifests()};
    world.plan = (struct gw_plan){.class_id = 1, .sees_all = true, .writes_all = true};
    for (size_t i = 0; i < sizeof opening / sizeof opening[0]; i++)
        run(&world, opening[i], strlen(opening[i]));
    assert(gw_state_seq(world.state) == sizeof opening / sizeof opening[0]);
    run(&world, (const char *)data, size);
    gw_state_destroy(world.state);
    gw_manifests_unref(world.manifests);
    return 0;
}
