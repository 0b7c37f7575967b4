#include "support/state_fixture.h"

static struct gw_event *make_event(enum gw_event_type type, const char *data)
{
    struct gw_event *event = gw_event_create();
    event->type = type;
    event->data = data ? parse_json(data) : NULL;
    return event;
}

static struct gw_plan *narrow;

static int make_plans(void **state)
{
    (void)state;
    narrow = plan_of_tokens("[\"ui.*\",\"plan.days\"]");
    return 0;
}

static int drop_plans(void **state)
{
    (void)state;
    gw_plan_unref(narrow);
    return 0;
}

static void assert_projected(enum gw_event_type type, const char *data, const char *expected)
{
    struct gw_event *event = make_event(type, data);
    struct gw_json *out = NULL;
    assert_int_equal(gw_project_event(event, LENS(narrow), &out), expected != NULL);
    if (expected)
        assert_json(out, expected);
    gw_json_unref(out);
    gw_event_unref(event);
}

static void a_full_view_gets_the_event_as_it_is(void **state)
{
    struct gw_event *event = make_event(GW_EVENT_TOKEN_PATCH, "{\"set\":{\"a\":1},\"unset\":[]}");
    struct gw_json *out;
    (void)state;
    assert_int_equal(gw_project_event(event, LENS(&full_plan), &out), 1);
    assert_ptr_equal(out, event->data);
    gw_json_unref(out);
    gw_event_unref(event);
}

static void a_token_patch_is_cut_to_the_allowlist(void **state)
{
    (void)state;
    assert_projected(GW_EVENT_TOKEN_PATCH, "{\"set\":{\"ui.zoom\":1,\"plan.title\":\"x\"},\"unset\":[\"plan.days\",\"plan.cost\"]}",
                     "{\"set\":{\"ui.zoom\":1},\"unset\":[\"plan.days\"]}");
    assert_projected(GW_EVENT_TOKEN_PATCH, "{\"set\":{},\"unset\":[\"ui.zoom\"]}", "{\"set\":{},\"unset\":[\"ui.zoom\"]}");
}

static void a_token_patch_of_hidden_tokens_alone_is_hidden(void **state)
{
    (void)state;
    assert_projected(GW_EVENT_TOKEN_PATCH, "{\"set\":{\"plan.title\":\"x\"},\"unset\":[\"plan.cost\"]}", NULL);
}

static void a_mount_hides_declarations_and_values_alike(void **state)
{
    (void)state;
    assert_projected(GW_EVENT_CANVAS_READY,
                     "{\"canvas_type\":\"p\",\"TokenCatalog\":{\"ui.zoom\":{},\"plan.title\":{},\"plan.days\":{}},\"tokens\":{\"plan."
                     "title\":\"x\",\"plan.days\":3}}",
                     "{\"TokenCatalog\":{\"plan.days\":{},\"ui.zoom\":{}},\"canvas_type\":\"p\",\"tokens\":{\"plan.days\":3}}");
}

static void other_events_pass(void **state)
{
    (void)state;
    assert_projected(GW_EVENT_CANVAS_COMMIT, "{\"rev\":1}", "{\"rev\":1}");
}

static void nobody_sees_a_void(void **state)
{
    struct gw_event *event = make_event(GW_EVENT_VOID, NULL);
    struct gw_json *out;
    (void)state;
    assert_int_equal(gw_project_event(event, LENS(&full_plan), &out), 0);
    assert_int_equal(gw_project_event(event, LENS(narrow), &out), 0);
    gw_event_unref(event);
}

static void projecting_survives_every_failed_allocation(void **state)
{
    struct gw_event *event =
        make_event(GW_EVENT_TOKEN_PATCH, "{\"set\":{\"ui.zoom\":1,\"plan.title\":\"x\"},\"unset\":[\"plan.days\",\"plan.cost\"]}");
    struct gw_json *out = NULL;
    int status = GW_ENOMEM;
    (void)state;
    for (long n = 1; status == GW_ENOMEM && n < 1000; n++) {
        gw_alloc_fail_after(n);
        status = gw_project_event(event, LENS(narrow), &out);
        gw_alloc_fail_after(0);
    }
    assert_int_equal(status, 1);
    gw_json_unref(out);
    gw_event_unref(event);
}

static void event_names_go_both_ways(void **state)
{
    (void)state;
    for (int type = 0; type < GW_EVENT_TYPE_COUNT; type++)
        assert_int_equal(gw_event_type_parse(gw_event_type_name((enum gw_event_type)type)), type);
    assert_int_equal(gw_event_type_parse("canvas_ready"), GW_EVENT_TYPE_COUNT);
    enum gw_actor_kind kind;
    assert_int_equal(gw_actor_kind_parse("agent", &kind), GW_OK);
    assert_string_equal(gw_actor_kind_name(kind), "agent");
    assert_int_equal(gw_actor_kind_parse("robot", &kind), GW_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_view_gets_the_event_as_it_is),
        cmocka_unit_test(a_token_patch_is_cut_to_the_allowlist),
        cmocka_unit_test(a_token_patch_of_hidden_tokens_alone_is_hidden),
        cmocka_unit_test(a_mount_hides_declarations_and_values_alike),
        cmocka_unit_test(other_events_pass),
        cmocka_unit_test(nobody_sees_a_void),
        cmocka_unit_test(projecting_survives_every_failed_allocation),
        cmocka_unit_test(event_names_go_both_ways),
    };
    return cmocka_run_group_tests(tests, make_plans, drop_plans);
}
