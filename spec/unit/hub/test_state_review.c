/* What a run holds outside the canvases in force: each way in which these may have changed since it was mounted. */
#include "hub/state_review.h"

#include "support/state_fixture.h"

#define HEAD(name) "{\"name\":\"" name "\",\"version\":\"2\",\"api\":1,\"title\":\"P\",\"harness\":\"workbench\","

/* value: what was told, a line each */
struct told {
    char text[2048];
};

static int setup(void **state)
{
    static struct fixture f;
    fixture_open(&f);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture_close(*state);
    return 0;
}

static void note(void *arg, const struct gw_state_misfit *misfit)
{
    struct told *told = arg;
    size_t length = strlen(told->text);
    char *value = misfit->value ? json_text(misfit->value) : NULL;
    snprintf(told->text + length, sizeof told->text - length, "%s%s %s%s%s %s%s%s\n", misfit->token, misfit->canvas_id, misfit->block_id,
             misfit->block_id[0] ? " " : "", misfit->err->id, misfit->err->path, value ? " " : "", value ? value : "");
    gw_free(value);
}

/* `manifest` NULL: no canvas is in force. */
static void assert_told(const struct fixture *f, const char *manifest, const char *expected)
{
    struct told told = {0};
    struct gw_error err;
    struct gw_manifests *now = gw_manifests_create();
    if (manifest)
        add_manifest(now, manifest);
    struct gw_state_review review = {.state = f->state, .manifests = now, .found = note, .arg = &told};
    assert_int_equal(gw_state_review_run(&review, &err), GW_OK);
    assert_string_equal(told.text, expected);
    gw_manifests_unref(now);
}

static void make_run(struct fixture *f)
{
    must(f, MOUNT);
    must(f, ON_C "\"type\":\"block.insert\",\"args\":{\"block\":{\"id\":\"h\",\"kind\":\"heading\",\"parent\":null,\"props\":{\"level\":1},"
                 "\"text\":\"Title\"}}");
    must(f,
         ON_C "\"type\":\"block.insert\",\"args\":{\"block\":{\"id\":\"k\",\"kind\":\"task\",\"parent\":\"h\",\"props\":{\"done\":true}}}");
    must(f, "\"type\":\"token.set\",\"args\":{\"set\":{\"plan.title\":\"long title\"}}");
}

static void what_was_mounted_as_it_is_fits(void **state)
{
    struct fixture *f = *state;
    make_run(f);
    assert_told(f, PLANNING, "");
}

static void an_empty_run_fits_any_canvases(void **state) { assert_told(*state, NULL, ""); }

static void of_a_canvas_that_is_gone_that_alone_is_told_and_its_tokens(void **state)
{
    struct fixture *f = *state;
    make_run(f);
    assert_told(
        f, NULL,
        "c unknown_canvas \nplan.priority unknown_token  \"normal\"\nplan.title unknown_token  \"long title\"\nui.zoom unknown_token  "
        "1\n");
}

#define TOKENS_AS_BEFORE                                                                                                                   \
    "\"tokens\":{\"plan.priority\":{\"type\":\"string\"},\"plan.title\":{\"type\":\"string\"},\"ui.zoom\":{\"type\":\"number\"}},"
#define HEADING "\"heading\":{\"text\":true,\"props\":{\"level\":{\"type\":\"integer\"}}}"

static void blocks_of_a_kind_that_is_gone_are_told(void **state)
{
    struct fixture *f = *state;
    make_run(f);
    assert_told(f, HEAD("planning") TOKENS_AS_BEFORE "\"kinds\":{" HEADING "}}", "c k unknown_kind /kind\n");
}

static void properties_that_are_not_declared_or_do_not_fit_are_told(void **state)
{
    struct fixture *f = *state;
    make_run(f);
    assert_told(f,
                HEAD("planning") TOKENS_AS_BEFORE
                "\"kinds\":{\"heading\":{\"text\":true,\"props\":{\"level\":{\"type\":\"integer\",\"min\":2}}},"
                "\"task\":{\"text\":true,\"props\":{\"state\":{\"type\":\"enum\",\"values\":[\"open\"]}}}}}",
                "c h out_of_range /props/level 1\nc k unknown_prop /props/done true\n");
}

static void what_is_required_now_or_may_not_stand_there_is_told(void **state)
{
    struct fixture *f = *state;
    make_run(f);
    assert_told(f,
                HEAD("planning") TOKENS_AS_BEFORE
                "\"kinds\":{\"heading\":{\"text\":false,\"children\":[],\"props\":{\"level\":{\"type\":\"integer\"}}},"
                "\"task\":{\"text\":true,\"props\":{\"state\":{\"type\":\"string\"},\"done\":{\"type\":\"boolean\"},"
                "\"due\":{\"type\":\"string\",\"required\":true}}}}}",
                "c h no_text /text \"Title\"\nc k bad_parent /parent\nc k missing_prop /props/due\n");
}

static void tokens_that_do_not_fit_their_declaration_are_told(void **state)
{
    struct fixture *f = *state;
    make_run(f);
    assert_told(f,
                HEAD("planning") "\"tokens\":{\"plan.title\":{\"type\":\"string\",\"max_length\":4},\"ui.zoom\":{\"type\":\"number\"}},"
                                 "\"kinds\":{" HEADING ",\"task\":{\"text\":true,\"props\":{\"done\":{\"type\":\"boolean\"},"
                                 "\"state\":{\"type\":\"string\"}}}}}",
                "plan.priority unknown_token  \"normal\"\nplan.title too_long  \"long title\"\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_was_mounted_as_it_is_fits),
        TEST(an_empty_run_fits_any_canvases),
        TEST(of_a_canvas_that_is_gone_that_alone_is_told_and_its_tokens),
        TEST(blocks_of_a_kind_that_is_gone_are_told),
        TEST(properties_that_are_not_declared_or_do_not_fit_are_told),
        TEST(what_is_required_now_or_may_not_stand_there_is_told),
        TEST(tokens_that_do_not_fit_their_declaration_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
