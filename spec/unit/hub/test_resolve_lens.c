/* What an author's lens lets it write. */
#include "support/state_fixture.h"

#define BOARD                                                                                                                              \
    "{\"name\":\"board\",\"version\":\"1\",\"api\":1,\"title\":\"Board\",\"harness\":\"workbench\",\"tools\":[],"                          \
    "\"tokens\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":\"integer\"}},"                                                              \
    "\"kinds\":{\"note\":{\"text\":true,\"props\":{\"cost\":{\"type\":\"integer\"},\"due\":{\"type\":\"string\"}}},"                       \
    "\"box\":{\"text\":true},\"bill\":{\"text\":true,\"props\":{\"cost\":{\"type\":\"integer\",\"required\":true}}}}}"

#define INSERT(id, kind, more) "\"type\":\"block.insert\"," ON_C "\"args\":{\"block\":{\"id\":\"" id "\",\"kind\":\"" kind "\"" more "}}"
#define UPDATE(id, more)       "\"type\":\"block.update\"," ON_C "\"args\":{\"id\":\"" id "\"," more "}"
#define MOVE(id)               "\"type\":\"block.move\"," ON_C "\"args\":{\"id\":\"" id "\",\"parent\":null}"
#define REMOVE(id)             "\"type\":\"block.remove\"," ON_C "\"args\":{\"id\":\"" id "\"}"
#define SPLICE(id)             "\"type\":\"block.splice\",\"base\":\"5\"," ON_C "\"args\":{\"id\":\"" id "\",\"at\":0,\"del\":0,\"ins\":\"x\"}"
#define TOKENS(set)            "\"type\":\"token.set\",\"args\":{\"set\":" set "}"

static int setup(void **state)
{
    static struct fixture f;
    fixture_open(&f);
    f.author_id = "cat";
    add_manifest(f.manifests, BOARD);
    must(&f, "\"type\":\"canvas.mount\"," ON_C "\"args\":{\"canvas_type\":\"board\"}");
    must(&f, INSERT("n", "note", ",\"text\":\"t\""));
    must(&f, INSERT("x", "box", ",\"text\":\"t\""));
    must(&f, INSERT("below", "box", ",\"parent\":\"n\""));
    must(&f, INSERT("s", "note", ",\"vis\":\"s\""));
    f.author_id = "ben";
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture_close(*state);
    return 0;
}

#define SEES "\"events\":[\"*\"],\"tokens\":{\"read\":[\"*\"],\"write\":[\"a\"]},\"graph\":{\"read\":true},\"chat\":{\"read\":true}"

static void only_listed_commands_are_admitted(void **state)
{
    struct fixture *f = *state;
    fixture_set_plan(f, plan_of("{" SEES ",\"blocks\":{\"read\":true,\"write\":true},\"commands\":[\"block.*\",\"!block.move\"]}"));
    must(f, UPDATE("n", "\"set\":{\"due\":\"d\"}"));
    must_refuse(f, MOVE("n"), "not_allowed", "/type");
    must_refuse(f, TOKENS("{\"a\":1}"), "not_allowed", "/type");
    must_refuse(f, "\"type\":\"block.paint\",\"args\":{}", "unknown_command", "/type");
    must_refuse(f, "\"type\":\"paint\",\"args\":{}", "not_allowed", "/type");
}

static void blocks_are_written_by_their_facets_before_and_after(void **state)
{
    struct fixture *f = *state;
    fixture_set_plan(f, plan_of("{" SEES
                                ",\"commands\":[\"*\"],\"blocks\":{\"read\":[{\"vis\":[\"*\",\"!s\"]}],\"write\":[{\"kinds\":[\"note\"]},"
                                "{\"authors\":[\"self\"],\"vis\":[\"\"]}]}}"));
    must(f, UPDATE("n", "\"set\":{\"due\":\"d\"}"));
    must_refuse(f, UPDATE("x", "\"vis\":\"team\""), "not_allowed", "/args/id");
    must_refuse(f, MOVE("x"), "not_allowed", "/args/id");
    must_refuse(f, REMOVE("x"), "not_allowed", "/args/id");
    must_refuse(f, SPLICE("x"), "not_allowed", "/args/id");
    must_refuse(f, INSERT("y", "box", ",\"vis\":\"team\""), "not_allowed", "/args/block");
    must_refuse(f, UPDATE("n", "\"vis\":\"s\""), "not_allowed", "/args/vis");
    must_refuse(f, UPDATE("s", "\"vis\":null"), "unknown_block", "/args/id");
    must_refuse(f, REMOVE("s"), "unknown_block", "/args/id");
}

static void what_stands_below_must_be_writable_to_be_removed_with_it(void **state)
{
    struct fixture *f = *state;
    fixture_set_plan(f, plan_of("{" SEES ",\"commands\":[\"*\"],\"blocks\":{\"read\":true,\"write\":[{\"kinds\":[\"note\"]}]}}"));
    must_refuse(f, REMOVE("n"), "not_allowed", "/args/id");
    must(f, MOVE("n"));
    must(f, REMOVE("s"));
}

static void a_removal_is_told_to_those_who_could_see_the_block(void **state)
{
    struct fixture *f = *state;
    must(f, REMOVE("n"));
    must(f, REMOVE("s"));
    fixture_set_plan(f, plan_of("{" SEES ",\"commands\":[\"*\"],\"blocks\":{\"read\":[{\"vis\":[\"\"]}],\"write\":true}}"));
    must_refuse(f, MOVE("n"), "block_removed", "/args/id");
    must(f, REMOVE("n"));
    must_refuse(f, MOVE("s"), "unknown_block", "/args/id");
    must_refuse(f, REMOVE("s"), "unknown_block", "/args/id");
    must_refuse(f, REMOVE("never"), "unknown_block", "/args/id");
}

static void self_is_who_inserted_the_block(void **state)
{
    struct fixture *f = *state;
    fixture_set_plan(f, plan_of("{" SEES ",\"commands\":[\"*\"],\"blocks\":{\"read\":true,\"write\":[{\"authors\":[\"self\"]}]}}"));
    must_refuse(f, INSERT("z", "box", ""), "not_allowed", "/args/block");
    f->author_id = "ann";
    must(f, INSERT("z", "box", ""));
    must(f, UPDATE("z", "\"vis\":\"team\""));
    must_refuse(f, MOVE("n"), "not_allowed", "/args/id");
}

static void a_redacted_content_is_not_written(void **state)
{
    struct fixture *f = *state;
    fixture_set_plan(f, plan_of("{" SEES
                                ",\"commands\":[\"*\"],\"blocks\":{\"read\":true,\"write\":true,\"redact\":[{\"kinds\":[\"note\",\"bill\"],"
                                "\"props\":[\"cost\"],\"text\":true}]}}"));
    must_refuse(f, SPLICE("n"), "not_allowed", "/args/id");
    must(f, SPLICE("x"));
    must_refuse(f, UPDATE("n", "\"set\":{\"cost\":1}"), "unknown_prop", "/args/set/cost");
    must_refuse(f, UPDATE("n", "\"set\":{\"nope\":1}"), "unknown_prop", "/args/set/nope");
    must_refuse(f, UPDATE("n", "\"unset\":[\"cost\"]"), "unknown_prop", "/args/unset/0");
    must_refuse(f, INSERT("y", "note", ",\"text\":\"t\""), "not_allowed", "/args/block/text");
    must_refuse(f, INSERT("y", "bill", ""), "not_allowed", "/args/block/kind");
    must(f, INSERT("y", "note", ",\"props\":{\"due\":\"d\"}"));
}

static void a_kind_that_is_not_read_is_unknown(void **state)
{
    struct fixture *f = *state;
    fixture_set_plan(f, plan_of("{" SEES ",\"commands\":[\"*\"],\"blocks\":{\"read\":[{\"kinds\":[\"note\"]}],\"write\":true}}"));
    must_refuse(f, INSERT("y", "box", ""), "unknown_kind", "/args/block/kind");
    must_refuse(f, INSERT("y", "nope", ""), "unknown_kind", "/args/block/kind");
    must_refuse(f, INSERT("y", "note", ",\"parent\":\"x\""), "unknown_block", "/args/block/parent");
}

static void tokens_graph_chat_and_logs_have_their_own_rights(void **state)
{
    struct fixture *f = *state;
    fixture_set_plan(f, plan_of("{" SEES ",\"commands\":[\"*\"],\"blocks\":{\"read\":true}}"));
    f->author_kind = "agent";
    must(f, TOKENS("{\"a\":1}"));
    must_refuse(f, TOKENS("{\"b\":1}"), "not_allowed", "/args/set/b");
    must_refuse(f, "\"type\":\"token.set\",\"args\":{\"unset\":[\"b\"]}", "not_allowed", "/args/unset/0");
    must_refuse(f, "\"type\":\"graph.node.set\",\"args\":{\"id\":\"n\"}", "not_allowed", "/type");
    must_refuse(f, "\"type\":\"run.set_state\",\"args\":{\"state\":\"done\"}", "not_allowed", "/type");
    must_refuse(f, "\"type\":\"chat_send\",\"args\":{\"text\":\"hi\"}", "not_allowed", "/type");
    must_refuse(f, "\"type\":\"log.write\",\"args\":{\"lines\":[{\"level\":\"info\",\"message\":\"m\"}]}", "not_allowed", "/type");
}

static void nobody_writes_out_of_their_own_sight(void **state)
{
    struct fixture *f = *state;
    fixture_set_plan(f, plan_of("{\"events\":[\"*\"],\"commands\":[\"*\"],\"graph\":{\"read\":[{\"vis\":[\"\"]}],\"write\":true},"
                                "\"chat\":{\"read\":[{\"vis\":[\"\"]}],\"write\":true}}"));
    f->author_kind = "agent";
    must_refuse(f, "\"type\":\"graph.node.set\",\"args\":{\"id\":\"n\",\"vis\":\"s\"}", "not_allowed", "/args/vis");
    must_refuse(f, "\"type\":\"chat_send\",\"args\":{\"text\":\"hi\",\"vis\":\"s\"}", "not_allowed", "/args/vis");
    must(f, "\"type\":\"chat_send\",\"args\":{\"text\":\"hi\"}");
    must(f, "\"type\":\"graph.node.set\",\"args\":{\"id\":\"n\"}");
}

#define SPEC(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPEC(only_listed_commands_are_admitted),
        SPEC(blocks_are_written_by_their_facets_before_and_after),
        SPEC(what_stands_below_must_be_writable_to_be_removed_with_it),
        SPEC(a_removal_is_told_to_those_who_could_see_the_block),
        SPEC(self_is_who_inserted_the_block),
        SPEC(a_redacted_content_is_not_written),
        SPEC(a_kind_that_is_not_read_is_unknown),
        SPEC(tokens_graph_chat_and_logs_have_their_own_rights),
        SPEC(nobody_writes_out_of_their_own_sight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
