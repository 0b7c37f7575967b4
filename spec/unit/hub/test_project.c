#include "support/state_fixture.h"

static struct gw_event *make_event(enum gw_event_type type, const char *data)
{
    struct gw_event *event = gw_event_create();
    event->type = type;
    event->data = data ? parse_json(data) : NULL;
    return event;
}

static char *globs[] = {"ui.*", "plan.days"};
static const struct gw_plan narrow = {.class_id = 2, .token_globs = globs, .token_glob_count = 2};
static const struct gw_plan full = {.class_id = 1, .sees_all = true};

static void assert_projected(enum gw_event_type type, const char *data, const char *expected)
{
    struct gw_event *event = make_event(type, data);
    struct gw_json *out = NULL;
    assert_int_equal(gw_project_event(event, &narrow, &out), expected != NULL);
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
    assert_int_equal(gw_project_event(event, &full, &out), 1);
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
    assert_projected(
        GW_EVENT_CANVAS_READY,
        "{\"canvas_type\":\"p\",\"TokenCatalog\":{\"ui.zoom\":{},\"plan.title\":{}},\"tokens\":{\"plan.title\":\"x\",\"plan.days\":3}}",
        "{\"TokenCatalog\":{\"ui.zoom\":{}},\"canvas_type\":\"p\",\"tokens\":{\"plan.days\":3}}");
}

static void other_events_pass(void **state)
{
    (void)state;
    assert_projected(GW_EVENT_STATE_PATCH, "{\"ops\":[]}", "{\"ops\":[]}");
    assert_projected(GW_EVENT_CANVAS_COMMIT, "{\"rev\":1}", "{\"rev\":1}");
}

static void nobody_sees_a_void(void **state)
{
    struct gw_event *event = make_event(GW_EVENT_VOID, NULL);
    struct gw_json *out;
    (void)state;
    assert_int_equal(gw_project_event(event, &full, &out), 0);
    assert_int_equal(gw_project_event(event, &narrow, &out), 0);
    gw_event_unref(event);
}

static void globs_match_any_run_of_characters(void **state)
{
    static const struct {
        const char *glob, *key;
        bool admits;
    } cases[] = {{"*", "", true},
                 {"*", "a.b", true},
                 {"a.*", "a.", true},
                 {"a.*", "a", false},
                 {"*.b", "a.b.b", true},
                 {"a*c", "abbc", true},
                 {"a*c", "abbd", false},
                 {"a*b*c", "axxbyyc", true},
                 {"a*b*c", "axxcyyb", false},
                 {"a", "a", true},
                 {"a", "ab", false},
                 {"**a**", "xay", true},
                 {"", "", true},
                 {"", "a", false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char glob[16], *one[] = {glob};
        struct gw_plan plan = {.class_id = 3, .token_globs = one, .token_glob_count = 1};
        snprintf(glob, sizeof glob, "%s", cases[i].glob);
        assert_int_equal(gw_plan_admits_token(&plan, cases[i].key), cases[i].admits);
    }
}

static void a_hostile_glob_costs_no_more_than_its_product(void **state)
{
    char glob[2001], key[4001], *one[] = {glob};
    struct gw_plan plan = {.class_id = 3, .token_globs = one, .token_glob_count = 1};
    (void)state;
    for (size_t i = 0; i < 2000; i++)
        glob[i] = i % 2 ? 'a' : '*';
    memcpy(glob + 1998, "*b", 3);
    memset(key, 'a', 4000);
    key[4000] = '\0';
    assert_false(gw_plan_admits_token(&plan, key));
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
        status = gw_project_event(event, &narrow, &out);
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
        cmocka_unit_test(globs_match_any_run_of_characters),
        cmocka_unit_test(a_hostile_glob_costs_no_more_than_its_product),
        cmocka_unit_test(projecting_survives_every_failed_allocation),
        cmocka_unit_test(event_names_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
