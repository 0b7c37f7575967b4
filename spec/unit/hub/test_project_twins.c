/* Two runs, one of which also has what a class may not see: the class cannot tell them apart, whatever it reads or tries. */
#include "hub/diff.h"
#include "support/reader.h"
#include "support/state_fixture.h"

#define BOARD                                                                                                                              \
    "{\"name\":\"board\",\"version\":\"1\",\"api\":1,\"title\":\"Board\",\"harness\":\"workbench\",\"tools\":[],"                          \
    "\"tokens\":{\"a.one\":{\"type\":\"integer\",\"default\":1},\"b.two\":{\"type\":\"string\"},\"c.pic\":{\"type\":\"sidecar\"}},"        \
    "\"kinds\":{\"note\":{\"text\":true,\"props\":{\"cost\":{\"type\":\"integer\"},\"due\":{\"type\":\"string\"},"                         \
    "\"pic\":{\"type\":\"sidecar\"}}},\"box\":{\"text\":true}}}"

static const char planner[] =
    "{\"history\":true,\"events\":[\"*\"],\"commands\":[\"*\"],\"tokens\":{\"read\":[\"*\",\"!b.*\"],\"write\":[\"*\"]},"
    "\"blocks\":{\"read\":[{\"vis\":[\"*\",\"!s\"]}],\"write\":true,\"redact\":[{\"props\":[\"cost\"]}]},"
    "\"graph\":{\"read\":[{\"vis\":[\"*\",\"!s\"]}],\"write\":true},\"chat\":{\"read\":[{\"vis\":[\"*\",\"!s\"]}],\"write\":true},"
    "\"logs\":{\"read\":false,\"write\":true}}";

/* value: a command, and whether it is about what the class may not see */
struct line {
    bool is_hidden;
    const char *members;
};

#define INSERT(id, more) "\"type\":\"block.insert\"," ON_C "\"args\":{\"block\":{\"id\":\"" id "\",\"kind\":\"note\"" more "}}"
#define CHAT(id, more)   "\"type\":\"chat_send\",\"args\":{\"message_id\":\"" id "\",\"text\":\"hi\"" more "}"
#define NODE(id, more)   "\"type\":\"graph.node.set\",\"args\":{\"id\":\"" id "\"" more "}"
#define EDGE(id, a, b)   "\"type\":\"graph.edge.set\",\"args\":{\"id\":\"" id "\",\"from\":\"" a "\",\"to\":\"" b "\"}"
#define SET_TOKENS(set)  "\"type\":\"token.set\",\"args\":{\"set\":{" set "}}"
#define UPDATE(id, more) "\"type\":\"block.update\"," ON_C "\"args\":{\"id\":\"" id "\"," more "}"

static const struct line history[] = {
    {false, "\"type\":\"canvas.mount\"," ON_C "\"args\":{\"canvas_type\":\"board\"}"},
    {false, INSERT("anchor", ",\"text\":\"a\"")},
    {true, INSERT("h0", ",\"text\":\"secret\",\"vis\":\"s\",\"after\":\"anchor\"")},
    {true, INSERT("h1", ",\"text\":\"below\",\"vis\":\"s\",\"parent\":\"h0\"")},
    {false, INSERT("b1", ",\"text\":\"t\"")},
    {true, UPDATE("b1", "\"set\":{\"pic\":{\"artifact_id\":\"p1\"}}")},
    {true, UPDATE("b1", "\"set\":{\"cost\":4}")},
    {false, UPDATE("b1", "\"set\":{\"due\":\"now\"}")},
    {true, SET_TOKENS("\"b.two\":\"hidden\"")},
    {true, SET_TOKENS("\"c.pic\":{\"artifact_id\":\"p2\"}")},
    {false, SET_TOKENS("\"a.one\":2")},
    {true, CHAT("m0", ",\"vis\":\"s\"")},
    {false, CHAT("m1", "")},
    {true, CHAT("m2", ",\"vis\":\"s\",\"stream\":true")},
    {true, "\"type\":\"chat.append\",\"args\":{\"message_id\":\"m2\",\"offset\":2,\"text\":\"!\",\"end\":\"done\"}"},
    {false, NODE("n1", "")},
    {true, NODE("n0", ",\"vis\":\"s\"")},
    {true, EDGE("e0", "n0", "n1")},
    {false, NODE("n2", ",\"kind\":\"agent\"")},
    {false, EDGE("e1", "n1", "n2")},
    {true, "\"type\":\"log.write\",\"args\":{\"lines\":[{\"level\":\"info\",\"message\":\"m\"}]}"},
    {true, "\"type\":\"block.move\"," ON_C "\"args\":{\"id\":\"h1\",\"parent\":null,\"after\":\"h0\"}"},
    {false, "\"type\":\"block.move\"," ON_C "\"args\":{\"id\":\"anchor\",\"parent\":\"b1\"}"},
    {true, "\"type\":\"block.remove\"," ON_C "\"args\":{\"id\":\"h1\"}"},
    {true, NODE("n0", ",\"remove\":true")},
    {false, INSERT("b2", ",\"vis\":\"staff\"")},
    {true, UPDATE("b1", "\"unset\":[\"pic\",\"cost\"]")},
    {true, NODE("n0", ",\"vis\":\"s\"")},
    {true, UPDATE("b1", "\"set\":{\"pic\":{\"artifact_id\":\"p3\"},\"cost\":5}")},
};

/* What somebody of the class tries, to find out. */
static const char *const probes[] = {
    "\"type\":\"block.remove\"," ON_C "\"args\":{\"id\":\"h0\"}",
    "\"type\":\"block.remove\"," ON_C "\"args\":{\"id\":\"h1\"}",
    UPDATE("h0", "\"set\":{\"due\":\"x\"}"),
    UPDATE("h0", "\"vis\":null"),
    UPDATE("b1", "\"set\":{\"pic\":{\"artifact_id\":\"p1\"}}"),
    UPDATE("b1", "\"unset\":[\"pic\"]"),
    UPDATE("b1", "\"unset\":[\"cost\"]"),
    UPDATE("b1", "\"vis\":\"s\""),
    "\"type\":\"block.move\"," ON_C "\"args\":{\"id\":\"h0\",\"parent\":null}",
    "\"type\":\"block.move\"," ON_C "\"args\":{\"id\":\"b1\",\"parent\":\"h0\"}",
    "\"type\":\"block.move\"," ON_C "\"args\":{\"id\":\"b1\",\"parent\":null,\"after\":\"h0\"}",
    "\"type\":\"block.splice\",\"base\":\"0\"," ON_C "\"args\":{\"id\":\"h0\",\"at\":0,\"del\":0,\"ins\":\"x\"}",
    INSERT("new", ",\"parent\":\"h0\""),
    INSERT("new", ",\"after\":\"h0\""),
    INSERT("new", ",\"props\":{\"pic\":{\"artifact_id\":\"p\"}}"),
    INSERT("new", ",\"vis\":\"s\""),
    SET_TOKENS("\"b.two\":\"guess\""),
    SET_TOKENS("\"c.pic\":{\"artifact_id\":\"p2\"}"),
    "\"type\":\"token.set\",\"args\":{\"set\":{},\"unset\":[\"b.two\"]}",
    "\"type\":\"chat.cancel\",\"args\":{\"message_id\":\"m2\"}",
    "\"type\":\"chat.append\",\"args\":{\"message_id\":\"m2\",\"offset\":0,\"text\":\"x\"}",
    CHAT("new", ",\"vis\":\"s\""),
    EDGE("new", "n0", "n1"),
    NODE("n0", ",\"remove\":true"),
    "\"type\":\"graph.edge.set\",\"args\":{\"id\":\"e0\",\"remove\":true}",
#define IF(pointer, value) "\"if\":{\"" pointer "\":" value "}," SET_TOKENS("\"a.one\":9")
    IF("/canvases/c/blocks/h0", "null"),
    IF("/canvases/c/blocks/h0", "\"h0\""),
    IF("/canvases/c/blocks/h0/text", "\"secret\""),
    IF("/canvases/c/blocks/b1/props/pic", "null"),
    IF("/canvases/c/blocks/b1/props/cost", "5"),
    IF("/canvases/c/blocks/b1/props/pic", "{\"artifact_id\":\"p3\"}"),
    IF("/tokens/b.two", "\"hidden\""),
    IF("/tokens/c.pic", "null"),
    IF("/graph/nodes/n0", "null"),
    IF("/graph/nodes/n0", "\"n0\""),
    IF("/graph/edges/e0", "null"),
};

/* ---- worlds ---- */

/* value */
struct twin {
    struct fixture f;
    struct gw_buffer told; /* what the class's stream would say, event by event */
};

static void tell(struct twin *t, const struct gw_event *event, const struct gw_plan *plan)
{
    struct gw_json *data;
    assert_true(gw_project_event(event, LENS(plan), &data) >= 0);
    if (!data)
        return;
    gw_buffer_appendf(&t->told, "%s %s ", gw_event_type_name(event->type), event->canvas_id);
    gw_json_write(data, &t->told);
    gw_buffer_append_char(&t->told, '\n');
    gw_json_unref(data);
}

static void run(struct twin *t, const char *members, const struct gw_plan *plan)
{
    size_t first = t->f.log.count;
    must(&t->f, members);
    for (size_t i = first; i < t->f.log.count; i++)
        tell(t, t->f.log.items[i], plan);
}

static void open_twin(struct twin *t)
{
    memset(t, 0, sizeof *t);
    fixture_open(&t->f);
    add_manifest(t->f.manifests, BOARD);
    t->f.author_kind = "agent";
    t->f.author_id = "dir";
    gw_buffer_init(&t->told, 0);
}

static void close_twin(struct twin *t)
{
    fixture_close(&t->f);
    gw_buffer_fini(&t->told);
}

static void assert_same_reads(struct twin *a, struct twin *b, struct gw_plan *plan)
{
    char *state_a = state_text(a->f.state, plan), *state_b = state_text(b->f.state, plan);
    assert_string_equal(state_a, state_b);
    gw_free(state_a);
    gw_free(state_b);
    assert_int_equal(a->told.length, b->told.length);
    assert_memory_equal(a->told.data, b->told.data, a->told.length);
    struct gw_buffer checkpoint_a, checkpoint_b;
    gw_buffer_init(&checkpoint_a, 0);
    gw_buffer_init(&checkpoint_b, 0);
    gw_state_write_canvas(a->f.state, LENS(plan), "c", &checkpoint_a);
    gw_state_write_canvas(b->f.state, LENS(plan), "c", &checkpoint_b);
    assert_int_equal(checkpoint_a.length, checkpoint_b.length);
    assert_memory_equal(checkpoint_a.data, checkpoint_b.data, checkpoint_a.length);
    gw_buffer_fini(&checkpoint_a);
    gw_buffer_fini(&checkpoint_b);
}

static void assert_same_diff(struct twin *a, struct twin *b, const struct gw_plan *plan)
{
    struct gw_state *empty = create_state();
    struct gw_buffer diff_a, diff_b;
    gw_buffer_init(&diff_a, 0);
    gw_buffer_init(&diff_b, 0);
    gw_diff_write(empty, a->f.state, LENS(plan), "c", &diff_a);
    gw_diff_write(empty, b->f.state, LENS(plan), "c", &diff_b);
    assert_int_equal(diff_a.length, diff_b.length);
    assert_memory_equal(diff_a.data, diff_b.data, diff_a.length);
    gw_buffer_fini(&diff_a);
    gw_buffer_fini(&diff_b);
    gw_state_destroy(empty);
}

/* As a dry run: what would be told of it, or its refusal. */
static char *try(struct twin *t, const char *members, const struct gw_plan *plan)
{
    struct gw_command command;
    struct gw_event_list events = {0};
    struct twin preview = {.told = {0}};
    make_command(&t->f, members, &command);
    t->f.err = (struct gw_error){0};
    int status = resolve_only(&t->f, &command, &events);
    gw_buffer_init(&preview.told, 0);
    gw_buffer_appendf(&preview.told, "%d %s %s %s\n", status, t->f.err.id, t->f.err.path, t->f.err.message);
    for (size_t i = 0; !status && i < events.count; i++) {
        snprintf(events.items[i]->actor.id, sizeof events.items[i]->actor.id, "%s", t->f.author_id);
        tell(&preview, events.items[i], plan);
    }
    gw_event_list_fini(&events);
    gw_command_fini(&command);
    size_t length;
    return gw_buffer_take(&preview.told, &length);
}

static void assert_same_answers(struct twin *a, struct twin *b, struct gw_plan *plan)
{
    struct twin *twins[] = {a, b};
    for (size_t i = 0; i < 2; i++) {
        fixture_set_plan(&twins[i]->f, gw_plan_ref(plan));
        twins[i]->f.author_id = "planner";
    }
    for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++) {
        char *answer_a = try(a, probes[i], plan), *answer_b = try(b, probes[i], plan);
        if (strcmp(answer_a, answer_b) != 0)
            fail_msg("%s\nwith    %swithout %s", probes[i], answer_a, answer_b);
        gw_free(answer_a);
        gw_free(answer_b);
    }
}

static void a_class_cannot_tell_a_run_from_its_twin_without_what_it_may_not_see(void **state)
{
    struct twin with, without;
    struct gw_plan *plan = plan_of(planner);
    (void)state;
    open_twin(&with);
    open_twin(&without);
    for (size_t i = 0; i < sizeof history / sizeof history[0]; i++) {
        run(&with, history[i].members, plan);
        if (!history[i].is_hidden)
            run(&without, history[i].members, plan);
        assert_int_equal(with.told.length, without.told.length);
        if (i > 0)
            assert_same_reads(&with, &without, plan);
    }
    assert_same_diff(&with, &without, plan);
    assert_same_answers(&with, &without, plan);
    close_twin(&with);
    close_twin(&without);
    gw_plan_unref(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_class_cannot_tell_a_run_from_its_twin_without_what_it_may_not_see)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
