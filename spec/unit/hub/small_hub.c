#include "hub/small_hub.h"

#include "base/log.h"
#include "base/metrics.h"
#include "spine/memory/memory_spine.h"

/* ---- ports ------------------------------------------------------------------------------------------------------------------------------ */

static void post(void *self, struct gw_task *task)
{
    struct world *w = self;
    task->next = NULL;
    *w->last = task;
    w->last = &task->next;
}

static void on_failed_read(struct gw_task *task)
{
    struct gw_spine_read *request = (struct gw_spine_read *)(void *)((char *)task - offsetof(struct gw_spine_read, task));
    request->done(request);
}

static void spine_read(void *self, struct gw_spine_read *request)
{
    struct world *w = self;
    const struct gw_spine *memory = gw_memory_spine_port(w->memory);
    if (!w->fails_reads) {
        memory->read(memory->self, request);
        return;
    }
    request->status = gw_error_set(&request->err, GW_EIO, "disk", "it fails");
    request->task.run = on_failed_read;
    post(w, &request->task);
}

static void on_failed_append(struct gw_task *task)
{
    struct gw_spine_append *request = (struct gw_spine_append *)(void *)((char *)task - offsetof(struct gw_spine_append, task));
    request->done(request);
}

void pass_append(struct world *w, struct gw_spine_append *request)
{
    const struct gw_spine *memory = gw_memory_spine_port(w->memory);
    if (!w->fails_appends) {
        memory->append(memory->self, request);
        return;
    }
    request->status = gw_error_set(&request->err, GW_EIO, "disk", "it fails");
    request->task.run = on_failed_append;
    post(w, &request->task);
}

static void spine_append(void *self, struct gw_spine_append *request)
{
    struct world *w = self;
    if (w->holds_appends)
        w->held = request;
    else
        pass_append(w, request);
}

static void spine_tail(void *self, struct gw_spine_tail *request)
{
    const struct gw_spine *memory = gw_memory_spine_port(((struct world *)self)->memory);
    memory->tail(memory->self, request);
}

static void spine_put(void *self, struct gw_spine_put *request)
{
    const struct gw_spine *memory = gw_memory_spine_port(((struct world *)self)->memory);
    memory->put(memory->self, request);
}

static void on_failed_erase(struct gw_task *task)
{
    struct gw_spine_erase *request = (struct gw_spine_erase *)(void *)((char *)task - offsetof(struct gw_spine_erase, task));
    request->done(request);
}

void pass_erase(struct world *w, struct gw_spine_erase *request)
{
    const struct gw_spine *memory = gw_memory_spine_port(w->memory);
    if (!w->fails_erasures) {
        memory->erase(memory->self, request);
        return;
    }
    request->status = gw_error_set(&request->err, GW_EIO, "disk", "it fails");
    request->task.run = on_failed_erase;
    post(w, &request->task);
}

static void spine_erase(void *self, struct gw_spine_erase *request)
{
    struct world *w = self;
    if (w->holds_erasures)
        w->held_erase = request;
    else
        pass_erase(w, request);
}

static void on_lost_get(struct gw_task *task)
{
    struct gw_spine_get *request = (struct gw_spine_get *)(void *)((char *)task - offsetof(struct gw_spine_get, task));
    request->done(request);
}

static void spine_get(void *self, struct gw_spine_get *request)
{
    struct world *w = self;
    const struct gw_spine *memory = gw_memory_spine_port(w->memory);
    bool is_for_filters = request->kind == GW_SPINE_KEY_FILTERS;
    w->filters_asked += is_for_filters;
    if (!is_for_filters || !w->loses_filters) {
        memory->get(memory->self, request);
        return;
    }
    request->status = gw_error_set(&request->err, GW_ENOTFOUND, "none", "there is none");
    request->task.run = on_lost_get;
    post(w, &request->task);
}

static void registry_flow(void *self, struct gw_flow_get *request)
{
    struct world *w = self;
    assert_null(w->asked);
    w->asked = request;
    w->asked_count++;
}

static void on_flow(struct gw_task *task)
{
    struct gw_flow_get *request = (struct gw_flow_get *)(void *)((char *)task - offsetof(struct gw_flow_get, task));
    request->done(request);
}

void answer_flow(struct world *w, int status, const char *flow)
{
    struct gw_flow_get *request = w->asked;
    w->asked = NULL;
    request->status = status;
    request->flow = flow ? parse_json(flow) : NULL;
    request->task.run = on_flow;
    request->home->post(request->home->self, &request->task);
}

static uint64_t now_ms(void *self) { return ((struct world *)self)->now_ms; }
static uint64_t now_ns(void *self) { return ((struct world *)self)->now_ms * 1000000; }
static int64_t wall_ms(void *self) { return (int64_t)((struct world *)self)->now_ms; }

static void some_bytes(void *self, void *bytes, size_t length)
{
    (void)self;
    memset(bytes, 7, length);
}

static void seal(void *self, const struct gw_run_key *run, const struct gw_canvas_set *set, const struct gw_position *position,
                 char out[GW_CURSOR_MAX])
{
    (void)self, (void)run, (void)set;
    snprintf(out, GW_CURSOR_MAX, "%llu %llu %llu", (unsigned long long)position->epoch, (unsigned long long)position->class_id,
             (unsigned long long)position->seq);
}

static int open_cursor(void *self, const struct gw_run_key *run, const struct gw_canvas_set *set, const char *text, struct gw_opened *out)
{
    (void)self, (void)run, (void)set;
    unsigned long long epoch, class_id, seq;
    if (sscanf(text, "%llu %llu %llu", &epoch, &class_id, &seq) != 3)
        return GW_EINVAL;
    *out = (struct gw_opened){.position = {.epoch = epoch, .class_id = class_id, .seq = seq}, .covers = true};
    return GW_OK;
}

static void envelope(void *self, const struct gw_event_frame *frame, struct gw_buffer *out)
{
    (void)self;
    gw_buffer_append_u64(out, frame->event->seq);
}

static void id_only(void *self, const char *cursor, struct gw_buffer *out)
{
    (void)self, (void)cursor;
    gw_buffer_append(out, "id", 2);
}

static const struct gw_wire wire = {.seal = seal, .open = open_cursor, .event = envelope, .id_only = id_only, .envelope = envelope};

/* ---- the world -------------------------------------------------------------------------------------------------------------------------- */

int small_hub_setup(void **state)
{
    static struct world w;
    memset(&w, 0, sizeof w);
    w.last = &w.first;
    w.executor = (struct gw_executor){.self = &w, .post = post};
    w.clock = (struct gw_clock){.self = &w, .monotonic_ms = now_ms, .monotonic_ns = now_ns, .wall_ms = wall_ms, .random = some_bytes};
    w.now_ms = 1000;
    w.memory = gw_memory_spine_create(&w.clock, 0);
    w.spine = (struct gw_spine){.self = &w,
                                .append = spine_append,
                                .read = spine_read,
                                .tail = spine_tail,
                                .put = spine_put,
                                .get = spine_get,
                                .erase = spine_erase};
    w.registry = (struct gw_registry){.self = &w, .flow = registry_flow};
    w.manifests = gw_manifests_create();
    add_manifest(w.manifests, PLANNING);
    w.log = gw_log_create(-1, GW_LOG_ERROR);
    w.metrics = gw_metrics_create();
    w.plan = plan_of("{" PLAN_SEES "," PLAN_TREES "," PLAN_TOKENS "}");
    w.plan->class_id = 1;
    struct gw_hub_opts opts = {.worker_count = 1,
                               .executors = &w.executor,
                               .hubs = w.hubs,
                               .spine = &w.spine,
                               .wire = &wire,
                               .clock = &w.clock,
                               .manifests = w.manifests,
                               .registry = &w.registry,
                               .log = w.log,
                               .metrics = w.metrics};
    gw_hub_limits_default(&opts.limits);
    gw_state_limits_default(&opts.state_limits);
    w.hub = w.hubs[0] = gw_hub_create(&opts);
    *state = &w;
    return 0;
}

bool turn_once(struct world *w)
{
    struct gw_task *task = w->first;
    w->first = NULL;
    w->last = &w->first;
    while (task) {
        struct gw_task *next = task->next;
        task->run(task);
        task = next;
    }
    gw_hub_work(w->hub);
    return gw_hub_pump(w->hub) || w->first;
}

void turn(struct world *w)
{
    for (int i = 0; i < 100; i++)
        if (!turn_once(w))
            return;
    fail_msg("it does not come to rest");
}

int small_hub_teardown(void **state)
{
    struct world *w = *state;
    turn(w);
    assert_true(gw_hub_is_quiet(w->hub));
    gw_hub_destroy(w->hub);
    gw_memory_spine_destroy(w->memory);
    gw_manifests_unref(w->manifests);
    gw_log_destroy(w->log);
    gw_metrics_destroy(w->metrics);
    gw_plan_unref(w->plan);
    return 0;
}

void small_hub_set_plan(struct world *w, struct gw_plan *plan)
{
    gw_plan_unref(w->plan);
    w->plan = plan;
    w->plan->class_id = 1;
}

static void on_done(struct gw_submission *submission) { ((struct sent *)(void *)submission)->is_done = true; }

void send_command(struct world *w, struct sent *sent, const char *members)
{
    struct fixture f = {.command_count = w->command_count++};
    *sent = (struct sent){.submission = {.count = 1, .home = &w->executor, .done = on_done}};
    struct gw_submission *s = &sent->submission;
    s->commands = gw_alloc(sizeof *s->commands);
    s->outcomes = gw_alloc(sizeof *s->outcomes);
    make_command(&f, members, &s->commands[0]);
    s->scope = s->commands[0].scope;
    gw_run_key_encode(&s->scope, &s->run);
    s->actor = (struct gw_actor){.id = "ann"};
    s->plan = gw_plan_ref(w->plan);
    gw_hub_submit(w->hub, s);
}

void assert_outcome(struct sent *sent, const char *expected)
{
    assert_true(sent->is_done);
    const struct gw_outcome *outcome = sent->submission.outcomes;
    if (outcome->error)
        assert_string_equal(outcome->error->id, expected);
    else
        assert_non_null(strstr(outcome->answer, expected));
    gw_submission_fini(&sent->submission);
}

void assert_changes(const struct sent *sent, const char *expected)
{
    const struct gw_outcome *outcome = sent->submission.outcomes;
    if (!expected) {
        assert_null(outcome->changes);
        return;
    }
    assert_non_null(outcome->changes);
    assert_int_equal(outcome->changes_length, strlen(expected));
    assert_memory_equal(outcome->changes, expected, strlen(expected));
}

void must_send(struct world *w, const char *members)
{
    struct sent sent;
    send_command(w, &sent, members);
    turn(w);
    assert_outcome(&sent, "committed");
}
