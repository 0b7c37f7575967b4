/* Questions as the way out and the way in ask them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "app/policy_question.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/plan_compile.h"

static struct gw_plan *plan_of(const char *text)
{
    const struct gw_json_limits limits = {.max_bytes = 4096, .max_depth = 8, .max_nodes = 256};
    struct gw_json *source;
    struct gw_plan *plan;
    struct gw_error err;
    assert_int_equal(gw_json_parse(text, strlen(text), &limits, &source, &err), GW_OK);
    struct gw_plan_opts opts = {.tenant_id = "acme", .source = source, .actor_id = "ann"};
    assert_int_equal(gw_plan_compile(&opts, &plan, &err), GW_OK);
    gw_json_unref(source);
    return plan;
}

/* "" where it is admitted, else the pointer that refuses. */
static void answers(struct gw_policy_question *question, const char *source, const char *expected)
{
    struct gw_plan *plan = plan_of(source);
    struct gw_plan_reason reason;
    gw_policy_question_answer(question, plan, &reason);
    assert_string_equal(reason.is_admitted ? "" : reason.pointer, expected);
    gw_plan_unref(plan);
}

static void an_event_needs_what_all_of_its_type_need(void **state)
{
    struct gw_policy_question snapshot = {0}, chat = {0}, log = {0}, presence = {0}, patch = {0};
    (void)state;
    gw_policy_question_add_event(&snapshot, "snapshot_created");
    gw_policy_question_add_event(&chat, "chat_token");
    gw_policy_question_add_event(&log, "log_line");
    gw_policy_question_add_event(&presence, "presence");
    gw_policy_question_add_event(&patch, "state_patch");
    const char *bare = "{\"events\":[\"*\"]}";
    answers(&snapshot, bare, "/vision");
    answers(&chat, bare, "/chat/read");
    answers(&log, bare, "/logs/read");
    answers(&presence, bare, "/presence");
    answers(&patch, bare, "");
    answers(&snapshot, "{\"vision\":true}", "/events");
    answers(&snapshot, "{\"vision\":true,\"events\":[\"*\"]}", "");
    answers(&chat, "{\"chat\":{\"read\":[{\"vis\":[\"open\"]}]},\"events\":[\"*\"]}", "");
}

static void a_command_needs_the_part_that_it_writes(void **state)
{
    struct gw_policy_question chat = {0}, log = {0}, graph = {0}, own = {0};
    (void)state;
    gw_policy_question_add_command(&chat, "chat.append", false);
    gw_policy_question_add_command(&log, "log.write", false);
    gw_policy_question_add_command(&graph, "run.set_state", false);
    gw_policy_question_add_command(&own, "board.shoot", true);
    const char *bare = "{\"commands\":[\"*\"]}";
    answers(&chat, bare, "/chat/read");
    answers(&chat, "{\"commands\":[\"*\"],\"chat\":{\"read\":[{}]}}", "/chat/write");
    answers(&chat, "{\"commands\":[\"*\"],\"chat\":{\"read\":[{}],\"write\":true}}", "");
    answers(&log, bare, "/logs/write");
    answers(&graph, bare, "/graph/read");
    answers(&graph, "{\"commands\":[\"*\"],\"graph\":{\"read\":[{}]}}", "/graph/write");
    answers(&own, bare, "/vision");
    answers(&own, "{\"commands\":[\"*\"],\"vision\":true}", "");
}

static void what_is_written_needs_one_of_the_commands_that_could(void **state)
{
    struct gw_policy_question question = {0};
    (void)state;
    gw_policy_question_add(&question, GW_PLAN_WRITE_TOKEN, "plan.days");
    gw_policy_question_add_way(&question, "token.set");
    gw_policy_question_add_way(&question, "board.plan");
    answers(&question, "{\"tokens\":{\"read\":[\"*\"],\"write\":[\"*\"]},\"commands\":[\"undo\"]}", "/commands");
    answers(&question, "{\"tokens\":{\"read\":[\"*\"],\"write\":[\"*\"]},\"commands\":[\"board.*\"]}", "");
    answers(&question, "{\"tokens\":{\"read\":[\"*\"]},\"commands\":[\"*\"]}", "/tokens/write");
    struct gw_plan *plan = plan_of("{\"commands\":[\"board.*\"]}");
    assert_string_equal(gw_policy_question_way(&question, plan), "board.plan");
    gw_plan_unref(plan);
}

static void the_first_part_says_why_it_is_admitted(void **state)
{
    struct gw_policy_question question = {.thing = {.kind = "task"}};
    struct gw_plan *plan = plan_of("{\"blocks\":{\"read\":[{\"kinds\":[\"note\"]},{\"kinds\":[\"task\"]}]}}");
    struct gw_plan_reason reason;
    (void)state;
    gw_policy_question_add(&question, GW_PLAN_READ_BLOCK, NULL);
    gw_policy_question_add(&question, GW_PLAN_SHOW_TEXT, NULL);
    gw_policy_question_answer(&question, plan, &reason);
    assert_true(reason.is_admitted);
    assert_string_equal(reason.pointer, "/blocks/read/1");
    gw_plan_unref(plan);
}

static void the_content_of_a_hidden_block_is_hidden(void **state)
{
    struct gw_policy_question question = {.thing = {.kind = "task", .vis = "internal"}};
    (void)state;
    gw_policy_question_add(&question, GW_PLAN_READ_BLOCK, NULL);
    gw_policy_question_add(&question, GW_PLAN_SHOW_PROP, "done");
    answers(&question, "{\"blocks\":{\"read\":[{\"vis\":[\"*\",\"!internal\"]}]}}", "/blocks/read");
    answers(&question, "{\"blocks\":{\"read\":[{}],\"redact\":[{\"props\":[\"done\"]}]}}", "/blocks/redact/0");
    answers(&question, "{\"blocks\":{\"read\":[{}]}}", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_needs_what_all_of_its_type_need),
        cmocka_unit_test(a_command_needs_the_part_that_it_writes),
        cmocka_unit_test(what_is_written_needs_one_of_the_commands_that_could),
        cmocka_unit_test(the_first_part_says_why_it_is_admitted),
        cmocka_unit_test(the_content_of_a_hidden_block_is_hidden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
