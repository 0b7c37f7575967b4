#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/plan_compile.h"
#include "support/plans.h"

static struct gw_json *parse(const char *text)
{
    static const struct gw_json_limits limits = {.max_bytes = 1 << 20, .max_depth = 32, .max_nodes = 16384};
    struct gw_json *out = NULL;
    struct gw_error err;
    assert_int_equal(gw_json_parse(text, strlen(text), &limits, &out, &err), GW_OK);
    return out;
}

static int compile(const char *text, struct gw_plan **out, struct gw_error *err)
{
    struct gw_json *source = parse(text);
    struct gw_plan_opts opts = {.tenant_id = "acme", .source = source, .actor_id = "ann"};
    int status = gw_plan_compile(&opts, out, err);
    gw_json_unref(source);
    return status;
}

static void assert_refused(const char *text, const char *path)
{
    struct gw_plan *plan;
    struct gw_error err = {0};
    assert_int_equal(compile(text, &plan, &err), GW_EINVAL);
    assert_string_equal(err.id, "plan_bad_shape");
    assert_string_equal(err.path, path);
    assert_true(strlen(err.message) > 10);
}

/* ---- lists ---- */

static void globs_match_any_run_of_characters(void **state)
{
    static const struct {
        const char *globs, *key;
        bool admits;
    } cases[] = {{"[\"*\"]", "", true},
                 {"[\"*\"]", "a.b", true},
                 {"[\"a.*\"]", "a.", true},
                 {"[\"a.*\"]", "a", false},
                 {"[\"*.b\"]", "a.b.b", true},
                 {"[\"a*c\"]", "abbc", true},
                 {"[\"a*c\"]", "abbd", false},
                 {"[\"a*b*c\"]", "axxbyyc", true},
                 {"[\"a*b*c\"]", "axxcyyb", false},
                 {"[\"a\"]", "a", true},
                 {"[\"a\"]", "ab", false},
                 {"[\"**a**\"]", "xay", true},
                 {"[\"ab*ba\"]", "aba", false},
                 {"[\"ab*ba\"]", "abba", true},
                 {"[\"*ab*ab\"]", "ab", false},
                 {"[\"*ab*ab\"]", "abab", true},
                 {"[\"*a*b*\"]", "ba", false},
                 {"[\"*a*b*\"]", "bab", true},
                 {"[\"a*b\"]", "", false},
                 {"[\"\"]", "", true},
                 {"[\"\"]", "a", false},
                 {"[]", "a", false},
                 {"[\"*\",\"!secret.*\"]", "secret.a", false},
                 {"[\"*\",\"!secret.*\"]", "open", true},
                 {"[\"*\",\"!secret.*\",\"secret.not\"]", "secret.not", true},
                 {"[\"!a\",\"*\"]", "a", true},
                 {"[\"!a\"]", "b", false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct gw_plan *plan = plan_of_tokens(cases[i].globs);
        assert_int_equal(gw_plan_reads_token(plan, cases[i].key), cases[i].admits);
        assert_int_equal(gw_plan_writes_token(plan, cases[i].key), cases[i].admits);
        gw_plan_unref(plan);
    }
}

static void a_hostile_glob_is_answered(void **state)
{
    char glob[160] = "[\"", key[4001];
    (void)state;
    for (size_t i = 0; i < 126; i++)
        glob[2 + i] = i % 2 ? 'a' : '*';
    memcpy(glob + 128, "*b\"]", 5);
    memset(key, 'a', 4000);
    key[4000] = '\0';
    struct gw_plan *plan = plan_of_tokens(glob);
    assert_false(gw_plan_reads_token(plan, key));
    gw_plan_unref(plan);
}

/* Globs and a label that agree as long as they can: {"blocks":{"read":[{"vis":["*aa…ab0", …]}, …]}} */
static void write_hostile_plan(struct gw_buffer *out, size_t rules, size_t globs)
{
    gw_buffer_append_text(out, "{\"blocks\":{\"read\":[");
    for (size_t rule = 0; rule < rules; rule++) {
        gw_buffer_append_text(out, rule ? ",{\"vis\":[" : "{\"vis\":[");
        for (size_t i = 0; i < globs; i++)
            gw_buffer_appendf(out, "%s\"*aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab%zu\"", i ? "," : "", i);
        gw_buffer_append_text(out, "]}");
    }
    gw_buffer_append_text(out, "]}}");
    gw_buffer_append_char(out, '\0');
}

static uint64_t processor_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void the_largest_plan_answers_quickly(void **state)
{
    struct gw_plan_thing thing = {.kind = "task", .vis = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    struct gw_buffer text;
    (void)state;
    gw_buffer_init(&text, 0);
    write_hostile_plan(&text, 4, 64);
    struct gw_plan *plan = plan_of(text.data);
    uint64_t begin = processor_ms();
    for (size_t i = 0; i < 1000; i++)
        assert_false(gw_plan_reads_block(plan, &thing));
    assert_in_range(processor_ms() - begin, 0, 100); /* 5; what tries each place takes 500 */
    gw_plan_unref(plan);
    gw_buffer_reset(&text);
    write_hostile_plan(&text, 5, 52);
    assert_refused(text.data, "");
    gw_buffer_fini(&text);
}

static void a_token_that_is_not_read_is_not_written(void **state)
{
    struct gw_plan *plan = plan_of("{\"tokens\":{\"read\":[\"a\",\"b\"],\"write\":[\"b\",\"c\"]}}");
    (void)state;
    assert_false(gw_plan_writes_token(plan, "a"));
    assert_true(gw_plan_writes_token(plan, "b"));
    assert_false(gw_plan_writes_token(plan, "c"));
    gw_plan_unref(plan);
}

/* ---- rules ---- */

#define BLOCK(...) (&(struct gw_plan_thing){__VA_ARGS__})

static void a_block_is_read_when_any_rule_fits_it_whole(void **state)
{
    struct gw_plan *plan = plan_of(
        "{\"blocks\":{\"read\":[{\"kinds\":[\"task\"],\"vis\":[\"\",\"staff\"]},{\"canvases\":[\"board\"],\"authors\":[\"agent\"]}]}}");
    (void)state;
    assert_true(gw_plan_reads_block(plan, BLOCK(.kind = "task", .canvas_type = "planning", .author_kind = "user")));
    assert_true(gw_plan_reads_block(plan, BLOCK(.kind = "task", .vis = "staff")));
    assert_false(gw_plan_reads_block(plan, BLOCK(.kind = "task", .vis = "secret")));
    assert_false(gw_plan_reads_block(plan, BLOCK(.kind = "note", .canvas_type = "board", .author_kind = "user")));
    assert_true(gw_plan_reads_block(plan, BLOCK(.kind = "note", .canvas_type = "board", .author_kind = "agent", .vis = "secret")));
    assert_true(gw_plan_reads_kind(plan, "note", "board"));
    assert_false(gw_plan_reads_kind(plan, "note", "planning"));
    assert_false(gw_plan_writes_block(plan, BLOCK(.kind = "task")));
    assert_false(gw_plan_reads_whole_canvas(plan));
    gw_plan_unref(plan);
}

static void self_is_the_very_actor_and_makes_a_class_of_its_own(void **state)
{
    static const char mine[] = "{\"blocks\":{\"read\":[{\"authors\":[\"self\"]}]}}";
    struct gw_json *source = parse(mine);
    struct gw_plan *ann, *ben;
    struct gw_error err;
    struct gw_plan_opts opts = {.tenant_id = "acme", .source = source, .actor_id = "ann"};
    (void)state;
    assert_int_equal(gw_plan_compile(&opts, &ann, &err), GW_OK);
    opts.actor_id = "ben";
    assert_int_equal(gw_plan_compile(&opts, &ben, &err), GW_OK);
    assert_true(ann->class_id != ben->class_id);
    assert_true(gw_plan_reads_block(ann, BLOCK(.kind = "k", .author_kind = "user", .author_id = "ann")));
    assert_false(gw_plan_reads_block(ann, BLOCK(.kind = "k", .author_kind = "user", .author_id = "ben")));
    assert_false(gw_plan_reads_block(ann, BLOCK(.kind = "k", .author_kind = "user")));
    gw_plan_unref(ann);
    gw_plan_unref(ben);
    gw_json_unref(source);
}

static void a_redacted_property_and_a_sidecar_without_vision_are_not_shown(void **state)
{
    struct gw_plan *plan = plan_of(
        "{\"blocks\":{\"read\":true,\"redact\":[{\"kinds\":[\"task\"],\"props\":[\"cost*\"]},{\"kinds\":[\"note\"],\"text\":true}]}}");
    struct gw_json *sidecars = parse("[\"image\"]");
    (void)state;
    assert_false(gw_plan_shows_prop(plan, BLOCK(.kind = "task"), "cost_a"));
    assert_true(gw_plan_shows_prop(plan, BLOCK(.kind = "task"), "due"));
    assert_true(gw_plan_shows_prop(plan, BLOCK(.kind = "note"), "cost_a"));
    assert_false(gw_plan_shows_prop(plan, BLOCK(.kind = "note", .sidecars = sidecars), "image"));
    assert_false(gw_plan_shows_text(plan, BLOCK(.kind = "note")));
    assert_true(gw_plan_shows_text(plan, BLOCK(.kind = "task")));
    gw_plan_unref(plan);
    gw_json_unref(sidecars);
}

/* ---- the questions that every implementation answers alike (spec/vectors/lens.json) ---- */

static const char *text_of(const struct gw_json *object, const char *name)
{
    const struct gw_json *value = gw_json_get(object, name);
    return value ? gw_json_text(value, NULL) : NULL;
}

/* A plan of the one part at `path` ("tokens.read"), compiled for ann. */
static struct gw_plan *plan_with(const char *part, const struct gw_json *value)
{
    struct gw_json *source = gw_json_new_object(), *inner = gw_json_new_object();
    struct gw_plan_opts opts = {.tenant_id = "acme", .source = source, .actor_id = "ann"};
    struct gw_plan *plan;
    struct gw_error err;
    gw_json_set(inner, "read", gw_json_copy_deep(value));
    gw_json_set(source, part, inner);
    assert_int_equal(gw_plan_compile(&opts, &plan, &err), GW_OK);
    gw_json_unref(source);
    return plan;
}

static struct gw_plan_thing thing_of(const struct gw_json *thing)
{
    const struct gw_json *own = gw_json_get(thing, "is_own");
    return (struct gw_plan_thing){.kind = text_of(thing, "kind"),
                                  .vis = text_of(thing, "vis"),
                                  .author_kind = text_of(thing, "author"),
                                  .author_id = own && gw_json_bool(own) ? "ann" : "ben",
                                  .canvas_type = text_of(thing, "canvas_type")};
}

static bool answer(const struct gw_plan *plan, const char *question, const struct gw_json *ask)
{
    struct gw_plan_thing thing = thing_of(gw_json_get(ask, "thing"));
    const char *prop = text_of(ask, "prop");
    if (strcmp(question, "reads_token") == 0)
        return gw_plan_reads_token(plan, text_of(ask, "text"));
    if (strcmp(question, "writes_token") == 0)
        return gw_plan_writes_token(plan, text_of(ask, "text"));
    if (strcmp(question, "reads_block") == 0)
        return gw_plan_reads_block(plan, &thing);
    if (strcmp(question, "writes_block") == 0)
        return gw_plan_writes_block(plan, &thing);
    assert_string_equal(question, "redacts");
    return prop ? !gw_plan_shows_prop(plan, &thing, prop) : !gw_plan_shows_text(plan, &thing);
}

static void play_plan(const struct gw_json *vector)
{
    const struct gw_json *asks = gw_json_get(vector, "asks");
    struct gw_plan_opts opts = {.tenant_id = "acme", .source = gw_json_get(vector, "plan"), .actor_id = "ann"};
    struct gw_plan *plan;
    struct gw_error err;
    assert_int_equal(gw_plan_compile(&opts, &plan, &err), GW_OK);
    for (size_t i = 0; i < gw_json_count(asks); i++) {
        const struct gw_json *ask = gw_json_at(asks, i);
        assert_int_equal(answer(plan, text_of(ask, "question"), ask), gw_json_bool(gw_json_get(ask, "answer")));
    }
    gw_plan_unref(plan);
}

static struct gw_json *load_vectors(void)
{
    static char text[1 << 16];
    FILE *file = fopen("spec/vectors/lens.json", "rb");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return parse(text);
}

static void plans_answer_as_the_vectors_say(void **state)
{
    struct gw_json *vectors = load_vectors();
    const struct gw_json *lists = gw_json_get(vectors, "lists"), *rules = gw_json_get(vectors, "rules"), *plans = gw_json_get(vectors, "plans");
    (void)state;
    for (size_t i = 0; i < gw_json_count(lists); i++) {
        const struct gw_json *vector = gw_json_at(lists, i);
        struct gw_plan *plan = plan_with("tokens", gw_json_get(vector, "list"));
        assert_int_equal(gw_plan_reads_token(plan, text_of(vector, "text")), gw_json_bool(gw_json_get(vector, "admits")));
        gw_plan_unref(plan);
    }
    for (size_t i = 0; i < gw_json_count(rules); i++) {
        const struct gw_json *vector = gw_json_at(rules, i);
        struct gw_plan *plan = plan_with("blocks", gw_json_get(vector, "rules"));
        struct gw_plan_thing thing = thing_of(gw_json_get(vector, "thing"));
        assert_int_equal(gw_plan_reads_block(plan, &thing), gw_json_bool(gw_json_get(vector, "admits")));
        gw_plan_unref(plan);
    }
    for (size_t i = 0; i < gw_json_count(plans); i++)
        play_plan(gw_json_at(plans, i));
    gw_json_unref(vectors);
}

/* ---- layers ---- */

static void nothing_exceeds_the_ceiling_or_the_bearer(void **state)
{
    static const char *const borne[] = {"a*"};
    struct gw_plan *ceiling = plan_of("{\"history\":true,\"events\":[\"*\"],\"tokens\":{\"read\":[\"*\",\"!ab\"],\"write\":[\"*\"]}}");
    struct gw_json *source = parse("{" PLAN_SEES "," PLAN_TREES "," PLAN_TOKENS "}");
    struct gw_plan_opts opts = {.tenant_id = "acme", .source = source, .ceiling = ceiling, .token_globs = borne, .token_glob_count = 1};
    struct gw_plan *plan;
    struct gw_error err;
    (void)state;
    assert_int_equal(gw_plan_compile(&opts, &plan, &err), GW_OK);
    assert_false(plan->sees_all || plan->writes_all || plan->sees_sidecars);
    assert_true(plan->sees_history);
    assert_true(gw_plan_writes_token(plan, "aa"));
    assert_false(gw_plan_reads_token(plan, "ab"));
    assert_false(gw_plan_reads_token(plan, "b"));
    assert_false(gw_plan_reads_block(plan, BLOCK(.kind = "k")));
    assert_false(gw_plan_admits_command(plan, "token.set"));
    struct gw_plan_reason reason;
    gw_plan_explain(plan, GW_PLAN_READ_TOKEN, "ab", NULL, &reason);
    assert_false(reason.is_admitted);
    assert_string_equal(reason.layer, "ceiling");
    assert_string_equal(reason.pointer, "/tokens/read/1");
    gw_plan_explain(plan, GW_PLAN_READ_TOKEN, "b", NULL, &reason);
    assert_string_equal(reason.layer, "bearer");
    gw_plan_explain(plan, GW_PLAN_READ_TOKEN, "aa", NULL, &reason);
    assert_true(reason.is_admitted);
    assert_string_equal(reason.layer, "plan");
    assert_string_equal(reason.pointer, "/tokens/read/0");
    gw_plan_unref(plan);
    gw_plan_unref(ceiling);
    gw_json_unref(source);
}

static void a_reason_points_at_the_rule_or_at_the_list_that_had_none(void **state)
{
    struct gw_plan *plan = plan_of("{\"blocks\":{\"read\":[{\"kinds\":[\"a\"]},{\"kinds\":[\"b\"]}],\"redact\":[{\"props\":[\"x\"]}]}}");
    struct gw_plan_reason reason;
    (void)state;
    gw_plan_explain(plan, GW_PLAN_READ_BLOCK, NULL, BLOCK(.kind = "b"), &reason);
    assert_true(reason.is_admitted);
    assert_string_equal(reason.pointer, "/blocks/read/1");
    gw_plan_explain(plan, GW_PLAN_READ_BLOCK, NULL, BLOCK(.kind = "c"), &reason);
    assert_false(reason.is_admitted);
    assert_string_equal(reason.pointer, "/blocks/read");
    gw_plan_explain(plan, GW_PLAN_SHOW_PROP, "x", BLOCK(.kind = "a"), &reason);
    assert_false(reason.is_admitted);
    assert_string_equal(reason.pointer, "/blocks/redact/0");
    gw_plan_explain(plan, GW_PLAN_COMMAND, "token.set", NULL, &reason);
    assert_false(reason.is_admitted);
    assert_string_equal(reason.pointer, "/commands");
    gw_plan_unref(plan);
}

static void a_plan_of_everything_copies(void **state)
{
    struct gw_plan *plan = plan_of("{" PLAN_SEES "," PLAN_TREES "," PLAN_TOKENS "}");
    (void)state;
    assert_true(plan->sees_all && plan->writes_all && plan->sees_history && plan->sees_sidecars && plan->sees_presence);
    gw_plan_unref(plan);
}

static void an_empty_plan_admits_nothing(void **state)
{
    struct gw_plan *plan = plan_of("[]");
    (void)state;
    assert_false(plan->sees_all || plan->writes_all || plan->sees_history || plan->sees_sidecars || plan->sees_presence);
    assert_false(gw_plan_reads_token(plan, "a") || gw_plan_reads_block(plan, BLOCK(.kind = "a")) || gw_plan_reads_node(plan, BLOCK(0)));
    assert_false(gw_plan_reads_message(plan, BLOCK(0)) || gw_plan_reads_logs(plan) || gw_plan_admits_event(plan, "log_line"));
    assert_false(gw_plan_admits_command(plan, "token.set") || gw_plan_writes_graph(plan) || gw_plan_writes_chat(plan));
    gw_plan_unref(plan);
}

/* ---- classes ---- */

static void equal_plans_share_a_class_however_they_are_spelled(void **state)
{
    struct gw_plan *a = plan_of("{\"history\":true,\"blocks\":{\"read\":true}}");
    struct gw_plan *b = plan_of("{\"blocks\":{\"read\":[{}],\"write\":false,\"redact\":{}},\"history\":true,\"vision\":false}");
    struct gw_plan *c = plan_of("{\"blocks\":{\"read\":true}}");
    (void)state;
    assert_true(a->class_id == b->class_id && a->class_id != c->class_id && a->class_id != 0);
    assert_true(gw_json_equal(gw_plan_source(a), gw_plan_source(b)));
    gw_plan_unref(a);
    gw_plan_unref(b);
    gw_plan_unref(c);
}

static void a_class_depends_on_tenant_ceiling_bearer_and_transform(void **state)
{
    static const char *const borne[] = {"*"};
    static const uint8_t hash[2][32] = {{1}, {2}};
    struct gw_json *source = parse("{\"transform\":\"mask\"}");
    struct gw_plan *ceiling = plan_of("{}");
    struct gw_plan_opts opts[] = {
        {.tenant_id = "a", .source = source, .transform_hash = hash[0]},
        {.tenant_id = "b", .source = source, .transform_hash = hash[0]},
        {.tenant_id = "a", .source = source, .transform_hash = hash[1]},
        {.tenant_id = "a", .source = source, .transform_hash = hash[0], .ceiling = ceiling},
        {.tenant_id = "a", .source = source, .transform_hash = hash[0], .token_globs = borne, .token_glob_count = 1}};
    struct gw_plan *plans[5];
    struct gw_error err;
    (void)state;
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(gw_plan_compile(&opts[i], &plans[i], &err), GW_OK);
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(plans[i]->class_id != plans[j]->class_id);
    for (size_t i = 0; i < 5; i++)
        gw_plan_unref(plans[i]);
    gw_plan_unref(ceiling);
    gw_json_unref(source);
}

/* ---- shapes ---- */

static void a_malformed_plan_says_where(void **state)
{
    (void)state;
    assert_refused("1", "");
    assert_refused("{\"histroy\":true}", "/histroy");
    assert_refused("{\"history\":1}", "/history");
    assert_refused("{\"tokens\":[\"*\"]}", "/tokens");
    assert_refused("{\"tokens\":{\"read\":\"*\"}}", "/tokens/read");
    assert_refused("{\"tokens\":{\"read\":[\"*\",7]}}", "/tokens/read/1");
    assert_refused("{\"blocks\":{\"read\":\"all\"}}", "/blocks/read");
    assert_refused("{\"blocks\":{\"read\":[{\"kind\":[]}]}}", "/blocks/read/0/kind");
    assert_refused("{\"blocks\":{\"read\":[{\"authors\":[\"me\"]}]}}", "/blocks/read/0/authors/0");
    assert_refused("{\"graph\":{\"read\":[{\"canvases\":[]}]}}", "/graph/read/0/canvases");
    assert_refused("{\"chat\":{\"read\":[{\"kinds\":[]}]}}", "/chat/read/0/kinds");
    assert_refused("{\"blocks\":{\"redact\":[{\"text\":\"yes\"}]}}", "/blocks/redact/0/text");
    assert_refused("{\"transform\":\"mask\"}", "/transform");
}

static void lists_have_an_end(void **state)
{
    char text[1024] = "{\"events\":[";
    (void)state;
    for (int i = 0; i < 65; i++)
        strcat(text, i ? ",\"a\"" : "\"a\"");
    strcat(text, "]}");
    assert_refused(text, "/events");
    snprintf(text, sizeof text, "{\"events\":[\"%0129d\"]}", 1);
    assert_refused(text, "/events/0");
}

static void compiling_survives_every_failed_allocation(void **state)
{
    struct gw_json *source = parse(
        "{" PLAN_SEES ",\"tokens\":{\"read\":[\"a*\"]},\"blocks\":{\"read\":[{\"kinds\":[\"a\"],\"vis\":[\"\"],\"canvases\":[\"c\"]}],"
        "\"redact\":[{\"kinds\":[\"a\"],\"props\":[\"x\"]}]}}");
    static const char *const borne[] = {"a*", "b"};
    struct gw_plan_opts opts = {.tenant_id = "acme", .source = source, .token_globs = borne, .token_glob_count = 2};
    struct gw_plan *plan = NULL;
    int status = GW_ENOMEM;
    (void)state;
    for (long n = 1; status == GW_ENOMEM && n < 1000; n++) {
        struct gw_error err;
        gw_alloc_fail_after(n);
        status = gw_plan_compile(&opts, &plan, &err);
        gw_alloc_fail_after(0);
    }
    assert_int_equal(status, GW_OK);
    gw_plan_unref(plan);
    gw_json_unref(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(globs_match_any_run_of_characters),
        cmocka_unit_test(a_hostile_glob_is_answered),
        cmocka_unit_test(the_largest_plan_answers_quickly),
        cmocka_unit_test(a_token_that_is_not_read_is_not_written),
        cmocka_unit_test(a_block_is_read_when_any_rule_fits_it_whole),
        cmocka_unit_test(self_is_the_very_actor_and_makes_a_class_of_its_own),
        cmocka_unit_test(a_redacted_property_and_a_sidecar_without_vision_are_not_shown),
        cmocka_unit_test(plans_answer_as_the_vectors_say),
        cmocka_unit_test(nothing_exceeds_the_ceiling_or_the_bearer),
        cmocka_unit_test(a_reason_points_at_the_rule_or_at_the_list_that_had_none),
        cmocka_unit_test(a_plan_of_everything_copies),
        cmocka_unit_test(an_empty_plan_admits_nothing),
        cmocka_unit_test(equal_plans_share_a_class_however_they_are_spelled),
        cmocka_unit_test(a_class_depends_on_tenant_ceiling_bearer_and_transform),
        cmocka_unit_test(a_malformed_plan_says_where),
        cmocka_unit_test(lists_have_an_end),
        cmocka_unit_test(compiling_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
