/* Submissions that wait: for the flow of a run.start, and for what a refusal is to tell. One hub on one worker, over a memory spine that can
 * be made to fail, with a registry that answers when it is told to. */
#include "support/state_fixture.h"

#include "base/log.h"
#include "base/metrics.h"
#include "hub/builtin_policy.h"
#include "hub/hub.h"
#include "hub/ports.h"
#include "spine/memory/memory_spine.h"

#define CONFLICT "\"if\":{\"/tokens/plan.days\":5},\"type\":\"token.set\",\"args\":{\"set\":{\"plan.days\":6}}"
#define SET(n)   "\"type\":\"token.set\",\"args\":{\"set\":{\"plan.days\":" #n "}}"
#define START    "\"type\":\"run.start\",\"args\":{\"flow_id\":\"demo\"}"

struct world {
    struct gw_hub *hub, *hubs[1];
    struct gw_executor executor;
    struct gw_task *first, **last;
    struct gw_memory_spine *memory;
    struct gw_spine spine; /* in front of it */
    struct gw_manifests *manifests;
    struct gw_metrics *metrics;
    struct gw_log *log;
    struct gw_clock clock;
    struct gw_registry registry;
    struct gw_flow_get *asked; /* what the registry was asked and has not answered */
    size_t asked_count;
    bool fails_reads, fails_appends;
    struct gw_spine_append *held; /* an append that is kept back */
    bool holds_appends;
    struct gw_plan plan;
    uint64_t now_ms;
    unsigned command_count;
};

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

static void pass_append(struct world *w, struct gw_spine_append *request)
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

static void spine_get(void *self, struct gw_spine_get *request)
{
    const struct gw_spine *memory = gw_memory_spine_port(((struct world *)self)->memory);
    memory->get(memory->self, request);
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

static void answer_flow(struct world *w, int status, const char *flow)
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

/* A cursor is "<epoch> <class> <seq>" in clear. */
static void seal(void *self, const struct gw_run_key *run, const struct gw_canvas_set *set, const struct gw_position *position,
                 char out[GW_CURSOR_MAX])
{
    (void)self, (void)run, (void)set;
    snprintf(out, GW_CURSOR_MAX, "%llu %llu %llu", (unsigned long long)position->epoch, (unsigned long long)position->class_id,
             (unsigned long long)position->seq);
}

static int open_cursor(void *self, const struct gw_run_key *run, const struct gw_canvas_set *set, const char *text, size_t length,
                       struct gw_position *position, bool *covers)
{
    (void)self, (void)run, (void)set, (void)length;
    unsigned long long epoch, class_id, seq;
    if (sscanf(text, "%llu %llu %llu", &epoch, &class_id, &seq) != 3)
        return GW_EINVAL;
    *position = (struct gw_position){.epoch = epoch, .class_id = class_id, .seq = seq};
    *covers = true;
    return GW_OK;
}

static void envelope(void *self, const struct gw_scope *scope, const struct gw_event *event, const struct gw_json *data, struct gw_buffer *out)
{
    (void)self, (void)scope, (void)data;
    gw_buffer_append_u64(out, event->seq);
}

static const struct gw_wire wire = {.seal = seal, .open = open_cursor, .envelope = envelope};

/* ---- the world -------------------------------------------------------------------------------------------------------------------------- */

static int setup(void **state)
{
    static struct world w;
    memset(&w, 0, sizeof w);
    w.last = &w.first;
    w.executor = (struct gw_executor){.self = &w, .post = post};
    w.clock = (struct gw_clock){.self = &w, .monotonic_ms = now_ms, .monotonic_ns = now_ns, .wall_ms = wall_ms, .random = some_bytes};
    w.now_ms = 1000;
    w.memory = gw_memory_spine_create(&w.clock, 0);
    w.spine = (struct gw_spine){.self = &w, .append = spine_append, .read = spine_read, .tail = spine_tail, .put = spine_put, .get = spine_get};
    w.registry = (struct gw_registry){.self = &w, .flow = registry_flow};
    w.manifests = gw_manifests_create();
    add_manifest(w.manifests, PLANNING);
    w.log = gw_log_create(-1, GW_LOG_ERROR);
    w.metrics = gw_metrics_create();
    gw_refs_init(&w.plan.refs);
    w.plan.class_id = 1;
    w.plan.sees_all = w.plan.sees_history = w.plan.can_write = true;
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

static void turn(struct world *w)
{
    for (int i = 0; i < 100; i++) {
        struct gw_task *task = w->first;
        w->first = NULL;
        w->last = &w->first;
        while (task) {
            struct gw_task *next = task->next;
            task->run(task);
            task = next;
        }
        gw_hub_work(w->hub);
        if (!gw_hub_pump(w->hub) && !w->first)
            return;
    }
    fail_msg("it does not come to rest");
}

static int teardown(void **state)
{
    struct world *w = *state;
    turn(w);
    assert_true(gw_hub_is_quiet(w->hub));
    gw_hub_destroy(w->hub);
    gw_memory_spine_destroy(w->memory);
    gw_manifests_unref(w->manifests);
    gw_log_destroy(w->log);
    gw_metrics_destroy(w->metrics);
    return 0;
}

struct sent {
    struct gw_submission submission; /* first */
    bool is_done;
};

static void on_done(struct gw_submission *submission) { ((struct sent *)(void *)submission)->is_done = true; }

/* Submits one command; nothing is done before the next turn. */
static void send(struct world *w, struct sent *sent, const char *members)
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
    s->plan = gw_plan_ref(&w->plan);
    gw_hub_submit(w->hub, s);
}

/* What became of it: the answer's event count as text, or the refusal's id. */
static void assert_outcome(struct sent *sent, const char *expected)
{
    assert_true(sent->is_done);
    const struct gw_outcome *outcome = sent->submission.outcomes;
    if (outcome->error)
        assert_string_equal(outcome->error->id, expected);
    else
        assert_non_null(strstr(outcome->answer, expected));
    gw_submission_fini(&sent->submission);
}

static void assert_changes(const struct sent *sent, const char *expected)
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

static void must_send(struct world *w, const char *members)
{
    struct sent sent;
    send(w, &sent, members);
    turn(w);
    assert_outcome(&sent, "committed");
}

/* The epoch that some_bytes gives. */
#define EPOCH   "506381209866536711"
#define BASE(n) "\"base\":\"" EPOCH " 1 " #n "\","

/* ---- changes ---------------------------------------------------------------------------------------------------------------------------- */

static void a_conflict_tells_what_came_after_its_base(void **state)
{
    struct world *w = *state;
    struct sent sent;
    must_send(w, MOUNT);
    must_send(w, SET(7));
    must_send(w, SET(8));
    send(w, &sent, BASE(1) CONFLICT);
    turn(w);
    assert_changes(&sent, "{\"events\":[2,3],\"cursor\":\"" EPOCH " 1 3\",\"truncated\":false}");
    assert_outcome(&sent, "condition_failed");
}

static void a_refusal_waits_for_what_it_was_judged_by(void **state)
{
    struct world *w = *state;
    struct sent first, second;
    must_send(w, MOUNT);
    w->holds_appends = true;
    send(w, &first, SET(7));
    turn(w);
    send(w, &second, BASE(1) CONFLICT);
    turn(w);
    assert_false(first.is_done || second.is_done);
    w->holds_appends = false;
    pass_append(w, w->held);
    turn(w);
    assert_outcome(&first, "committed");
    assert_changes(&second, "{\"events\":[2],\"cursor\":\"" EPOCH " 1 2\",\"truncated\":false}");
    assert_outcome(&second, "condition_failed");
}

static void a_refusal_stands_without_changes_when_those_were_never_stored(void **state)
{
    struct world *w = *state;
    struct sent first, second;
    must_send(w, MOUNT);
    w->holds_appends = true;
    send(w, &first, SET(7));
    turn(w);
    send(w, &second, BASE(1) CONFLICT);
    turn(w);
    w->fails_appends = true;
    pass_append(w, w->held);
    turn(w);
    assert_outcome(&first, "spine_unavailable");
    assert_changes(&second, NULL);
    assert_outcome(&second, "condition_failed");
}

static void a_refusal_stands_without_changes_when_the_log_cannot_be_read(void **state)
{
    struct world *w = *state;
    struct sent sent;
    must_send(w, MOUNT);
    must_send(w, SET(7));
    w->fails_reads = true;
    send(w, &sent, BASE(1) CONFLICT);
    turn(w);
    assert_changes(&sent, NULL);
    assert_outcome(&sent, "condition_failed");
}

static void another_lens_without_history_is_told_nothing(void **state)
{
    struct world *w = *state;
    struct sent sent;
    must_send(w, MOUNT);
    must_send(w, SET(7));
    w->plan.sees_history = false;
    send(w, &sent, "\"base\":\"" EPOCH " 2 1\"," CONFLICT);
    turn(w);
    assert_changes(&sent, NULL);
    assert_outcome(&sent, "condition_failed");
    send(w, &sent, BASE(1) CONFLICT);
    turn(w);
    assert_changes(&sent, "{\"events\":[2],\"cursor\":\"" EPOCH " 1 2\",\"truncated\":false}");
    assert_outcome(&sent, "condition_failed");
}

static void hidden_events_are_neither_told_nor_counted(void **state)
{
    struct world *w = *state;
    struct sent sent;
    char *globs[] = {"ui.*"};
    must_send(w, MOUNT);
    must_send(w, SET(7));
    w->plan.sees_all = false;
    w->plan.token_globs = globs;
    w->plan.token_glob_count = 1;
    send(w, &sent, BASE(1) "\"if\":{\"/tokens/ui.zoom\":5}," SET(6));
    turn(w);
    assert_changes(&sent, "{\"events\":[],\"cursor\":\"" EPOCH " 1 1\",\"truncated\":false}");
    assert_outcome(&sent, "condition_failed");
}

/* ---- flows ------------------------------------------------------------------------------------------------------------------------------ */

#define DEMO "{\"flow_id\":\"demo\",\"canvases\":[{\"canvas_id\":\"c\",\"canvas_type\":\"planning\"}]}"

static void a_start_waits_for_its_flow_and_what_follows_waits_for_the_start(void **state)
{
    struct world *w = *state;
    struct sent start, next;
    send(w, &start, START);
    send(w, &next, SET(7));
    turn(w);
    assert_false(start.is_done || next.is_done);
    assert_string_equal(w->asked->tenant_id, "t");
    assert_string_equal(w->asked->project_id, "p");
    assert_string_equal(w->asked->flow_id, "demo");
    answer_flow(w, GW_OK, DEMO);
    turn(w);
    assert_outcome(&start, "\"events\":2");
    assert_outcome(&next, "\"events\":1");
}

static void a_run_that_exists_asks_for_no_flow(void **state)
{
    struct world *w = *state;
    struct sent start;
    must_send(w, MOUNT);
    send(w, &start, START);
    turn(w);
    assert_outcome(&start, "run_exists");
    assert_int_equal(w->asked_count, 0);
}

static void who_may_not_write_asks_for_no_flow(void **state)
{
    struct world *w = *state;
    struct sent start;
    w->plan.can_write = false;
    send(w, &start, START);
    turn(w);
    assert_outcome(&start, "not_allowed");
    assert_int_equal(w->asked_count, 0);
}

static void an_unknown_flow_is_refused_and_asked_for_again(void **state)
{
    struct world *w = *state;
    struct sent start;
    for (size_t i = 1; i <= 2; i++) {
        send(w, &start, START);
        turn(w);
        answer_flow(w, GW_ENOTFOUND, NULL);
        turn(w);
        assert_outcome(&start, "unknown_flow");
        assert_int_equal(w->asked_count, i);
    }
    must_send(w, MOUNT);
}

static void a_registry_that_fails_is_to_be_asked_later(void **state)
{
    struct world *w = *state;
    struct sent start, next;
    send(w, &start, START);
    send(w, &next, MOUNT);
    turn(w);
    answer_flow(w, GW_EIO, NULL);
    turn(w);
    assert_true(start.submission.outcomes[0].error->is_retryable);
    assert_outcome(&start, "registry_unavailable");
    assert_outcome(&next, "committed");
}

static void what_was_admitted_before_a_drain_gets_its_flow(void **state)
{
    struct world *w = *state;
    struct sent start, other;
    send(w, &start, START);
    turn(w);
    gw_hub_drain(w->hub);
    send(w, &other, MOUNT);
    turn(w);
    assert_outcome(&other, "draining");
    assert_false(gw_hub_is_quiet(w->hub));
    answer_flow(w, GW_OK, DEMO);
    turn(w);
    assert_outcome(&start, "committed");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_conflict_tells_what_came_after_its_base),
        TEST(a_refusal_waits_for_what_it_was_judged_by),
        TEST(a_refusal_stands_without_changes_when_those_were_never_stored),
        TEST(a_refusal_stands_without_changes_when_the_log_cannot_be_read),
        TEST(another_lens_without_history_is_told_nothing),
        TEST(hidden_events_are_neither_told_nor_counted),
        TEST(a_start_waits_for_its_flow_and_what_follows_waits_for_the_start),
        TEST(a_run_that_exists_asks_for_no_flow),
        TEST(who_may_not_write_asks_for_no_flow),
        TEST(an_unknown_flow_is_refused_and_asked_for_again),
        TEST(a_registry_that_fails_is_to_be_asked_later),
        TEST(what_was_admitted_before_a_drain_gets_its_flow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
