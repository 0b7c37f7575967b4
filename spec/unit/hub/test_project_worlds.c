/* Random runs through random plans: what a class folds from its events is what it reads as state, at each seq. */
#include "base/digest.h"
#include "hub/ports.h"
#include "support/reader.h"
#include "support/state_fixture.h"

#define BOARD                                                                                                                              \
    "{\"name\":\"board\",\"version\":\"1\",\"api\":1,\"title\":\"Board\",\"harness\":\"workbench\",\"tools\":[],"                          \
    "\"tokens\":{\"a.one\":{\"type\":\"integer\",\"default\":1},\"a.two\":{\"type\":\"string\"},\"b.pic\":{\"type\":\"sidecar\"}},"        \
    "\"kinds\":{\"note\":{\"text\":true,\"props\":{\"cost\":{\"type\":\"integer\"},\"due\":{\"type\":\"string\"},"                         \
    "\"pic\":{\"type\":\"sidecar\"}}},\"box\":{\"text\":true,\"props\":{\"cost\":{\"type\":\"integer\"}}}}}"

enum { CLASSES = 24, STEPS = 160 };

/* value */
struct dice {
    uint64_t seed, rolled;
};

static unsigned roll(struct dice *dice, unsigned sides)
{
    uint64_t x = dice->seed + 0x9e3779b97f4a7c15u * ++dice->rolled;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return (unsigned)((x ^ (x >> 31)) % sides);
}

static const char *pick(struct dice *dice, const char *const *words, unsigned count) { return words[roll(dice, count)]; }

/* ---- a transform, as a script might make one ---- */

static const char *text_of(const struct gw_json *object, const char *name)
{
    const struct gw_json *value = gw_json_get(object, name);
    return gw_json_is_string(value) ? gw_json_text(value, NULL) : "";
}

static void put_text(struct gw_json *object, const char *name, const char *format, const char *text)
{
    char made[4096];
    int length = snprintf(made, sizeof made, format, text);
    assert_in_range(length, 0, sizeof made - 1);
    assert_int_equal(gw_json_set(object, name, gw_json_new_text(made, (size_t)length)), GW_OK);
}

/* What it makes of the properties depends on the text: any change of one may change the other. */
static void transform_props(struct gw_json *block)
{
    struct gw_json *props = gw_json_copy_deep(gw_json_get(block, "props"));
    if (strlen(text_of(block, "text")) % 2)
        gw_json_remove(props, "cost");
    else if (gw_json_get(props, "cost"))
        put_text(props, "cost", "about %s", text_of(block, "kind"));
    put_text(props, "added", "%s", "which no script may");
    gw_json_set(block, "props", props);
}

static int transform(void *self, const struct gw_transform_call *call, struct gw_json **out, struct gw_error *err)
{
    (void)self;
    if (call->what == GW_TRANSFORM_TOKEN && strcmp(call->key, "a.two") == 0) {
        *out = gw_json_new_null();
        return GW_OK;
    }
    if (call->what == GW_TRANSFORM_TOKEN) {
        *out = gw_json_is_int(call->value) ? gw_json_new_int(gw_json_int(call->value) + 100) : gw_json_ref(call->value);
        return GW_OK;
    }
    if (strcmp(text_of(call->value, "vis"), "t") == 0)
        return gw_error_set(err, GW_EDENIED, "policy_failed", "it does not like this one");
    *out = gw_json_copy_deep(call->value);
    if (call->what == GW_TRANSFORM_BLOCK)
        transform_props(*out);
    put_text(*out, "text", "<%s>", text_of(call->value, "text"));
    return GW_OK;
}

static const struct gw_policy transformer = {.transform = transform};

/* ---- plans ---- */

static void add_rules(struct dice *dice, struct gw_buffer *out, bool is_board)
{
    static const char *const lists[] = {"[]", "[\"\"]", "[\"\",\"s\"]", "[\"*\",\"!s\"]", "[\"s\",\"t\"]", "[\"*\"]"};
    static const char *const kinds[] = {"[\"note\"]", "[\"box\"]", "[\"*\"]", "[\"*\",\"!box\"]"};
    static const char *const authors[] = {"[\"self\"]", "[\"user\",\"self\"]", "[\"agent\"]", "[\"user\",\"agent\",\"service\"]"};
    unsigned count = roll(dice, 3) + (roll(dice, 4) > 0);
    gw_buffer_append_char(out, '[');
    for (unsigned i = 0; i < count; i++) {
        const char *comma = "";
        gw_buffer_append_text(out, i ? ",{" : "{");
        if (roll(dice, 2)) {
            gw_buffer_appendf(out, "\"vis\":%s", pick(dice, lists, 6));
            comma = ",";
        }
        if (is_board && roll(dice, 2)) {
            gw_buffer_appendf(out, "%s\"kinds\":%s", comma, pick(dice, kinds, 4));
            comma = ",";
        }
        if (roll(dice, 3) == 0)
            gw_buffer_appendf(out, "%s\"authors\":%s", comma, pick(dice, authors, 4));
        gw_buffer_append_char(out, '}');
    }
    gw_buffer_append_char(out, ']');
}

static struct gw_plan *random_plan(struct dice *dice, bool transforms)
{
    static const char *const tokens[] = {"[]", "[\"a.*\"]", "[\"*\",\"!a.one\"]", "[\"*\"]"};
    static const char *const redactions[] = {"[]", "[{\"props\":[\"cost\"]}]", "[{\"kinds\":[\"note\"],\"props\":[\"d*\"],\"text\":true}]"};
    struct gw_buffer out;
    gw_buffer_init(&out, 0);
    gw_buffer_appendf(&out, "{%s\"events\":[\"*\"],\"vision\":%s,\"tokens\":{\"read\":%s},", transforms ? "\"transform\":\"mask\"," : "",
                      roll(dice, 2) ? "true" : "false", pick(dice, tokens, 4));
    gw_buffer_appendf(&out, "\"blocks\":{\"redact\":%s,\"read\":", pick(dice, redactions, 3));
    add_rules(dice, &out, true);
    gw_buffer_append_text(&out, "},\"graph\":{\"read\":");
    add_rules(dice, &out, true);
    gw_buffer_append_text(&out, "},\"chat\":{\"read\":");
    add_rules(dice, &out, false);
    gw_buffer_append_text(&out, "}}");
    gw_buffer_append_char(&out, '\0');
    struct gw_plan *plan = plan_of(out.data);
    gw_buffer_fini(&out);
    return plan;
}

/* ---- commands; many of them are refused, which is as well ---- */

static const char *const vis_words[] = {"null", "\"s\"", "\"t\"", "null"};

static void block_command(struct dice *dice, unsigned long long seq, char *out, size_t size)
{
    static const char *const kinds[] = {"note", "box"};
    static const char *const props[] = {"{}", "{\"cost\":3}", "{\"cost\":4}"};
    static const char *const sets[] = {"{\"cost\":7}", "{\"due\":\"d\"}", "{\"pic\":{\"artifact_id\":\"p1\"}}", "{}"};
    static const char *const unsets[] = {"[]", "[\"due\"]", "[\"pic\"]", "[\"cost\"]"};
    unsigned id = roll(dice, 24), other = roll(dice, 24);
    char parent[16] = "null";
    if (roll(dice, 4))
        snprintf(parent, sizeof parent, "\"b%u\"", other);
    switch (roll(dice, 8)) {
    case 0:
    case 1:
    case 2:
        snprintf(out, size,
                 ON_C "\"type\":\"block.insert\",\"args\":{\"block\":{\"id\":\"b%u\",\"kind\":\"%s\",\"parent\":%s,\"text\":\"t%u\","
                      "\"props\":%s,\"vis\":%s}}",
                 id, pick(dice, kinds, 2), parent, (unsigned)seq, pick(dice, props, 3), pick(dice, vis_words, 4));
        break;
    case 3:
        snprintf(out, size, ON_C "\"type\":\"block.update\",\"args\":{\"id\":\"b%u\",\"set\":%s,\"unset\":%s}", id, pick(dice, sets, 4),
                 pick(dice, unsets, 4));
        break;
    case 4:
        snprintf(out, size, ON_C "\"type\":\"block.update\",\"args\":{\"id\":\"b%u\",\"set\":{},\"vis\":%s}", id, pick(dice, vis_words, 4));
        break;
    case 5:
        snprintf(out, size, ON_C "\"type\":\"block.move\",\"args\":{\"id\":\"b%u\",\"parent\":%s}", id, parent);
        break;
    case 6:
        snprintf(out, size,
                 ON_C "\"type\":\"block.splice\",\"base\":\"%llu\",\"args\":{\"id\":\"b%u\",\"at\":1,\"del\":%u,\"ins\":\"é%u\"}", seq, id,
                 roll(dice, 2), (unsigned)seq);
        break;
    default:
        snprintf(out, size, ON_C "\"type\":\"block.remove\",\"args\":{\"id\":\"b%u\"}", id);
    }
}

static void graph_command(struct dice *dice, char *out, size_t size)
{
    static const char *const kinds[] = {"null", "\"note\"", "\"box\""};
    unsigned id = roll(dice, 6);
    switch (roll(dice, 5)) {
    case 0:
    case 1:
        snprintf(out, size, "\"type\":\"graph.node.set\",\"args\":{\"id\":\"n%u\",\"kind\":%s,\"vis\":%s}", id, pick(dice, kinds, 3),
                 pick(dice, vis_words, 4));
        break;
    case 2:
        snprintf(out, size, "\"type\":\"graph.edge.set\",\"args\":{\"id\":\"e%u\",\"from\":\"n%u\",\"to\":\"n%u\"}", roll(dice, 8), id,
                 roll(dice, 6));
        break;
    case 3:
        snprintf(out, size, "\"type\":\"%s\",\"args\":{\"id\":\"%s%u\",\"remove\":true}", id % 2 ? "graph.node.set" : "graph.edge.set",
                 id % 2 ? "n" : "e", id);
        break;
    default:
        snprintf(out, size, "\"type\":\"run.set_state\",\"args\":{\"state\":\"s%u\"}", id);
    }
}

static void other_command(struct dice *dice, unsigned step, char *out, size_t size)
{
    static const char *const sets[] = {"{\"a.one\":5}", "{\"a.two\":\"x\"}", "{\"b.pic\":{\"artifact_id\":\"z\"}}",
                                       "{\"a.one\":6,\"a.two\":\"y\"}"};
    unsigned id = roll(dice, 12);
    switch (roll(dice, 5)) {
    case 0:
        snprintf(out, size, "\"type\":\"token.set\",\"args\":{\"set\":%s}", pick(dice, sets, 4));
        break;
    case 1:
        snprintf(out, size, "\"type\":\"token.set\",\"args\":{\"set\":{},\"unset\":[\"%s\"]}", id % 2 ? "a.one" : "b.pic");
        break;
    case 2:
        snprintf(out, size,
                 "\"type\":\"chat_send\",\"args\":{\"message_id\":\"m%u\",\"text\":\"hi\",\"stream\":%s,\"vis\":%s,\"reply_to\":\"m%u\"}",
                 id, id % 2 ? "true" : "false", pick(dice, vis_words, 4), roll(dice, 12));
        break;
    case 3:
        snprintf(out, size, "\"type\":\"chat.append\",\"args\":{\"message_id\":\"m%u\",\"offset\":2,\"text\":\"+%u\"%s}", id, step,
                 roll(dice, 2) ? ",\"end\":\"done\"" : "");
        break;
    default:
        snprintf(out, size, "\"type\":\"chat.cancel\",\"args\":{\"message_id\":\"m%u\"}", id);
    }
}

/* ---- worlds ---- */

/* value */
struct world {
    struct fixture f;
    struct dice dice;
    struct reader readers[CLASSES];
    struct gw_plan *plans[CLASSES];
    size_t told; /* events of the log that the readers had */
};

static void step(struct world *w, unsigned number)
{
    static const char *const authors[][2] = {{"ann", "user"}, {"ben", "user"}, {"bot", "agent"}, {"svc", "service"}};
    char members[512];
    unsigned author = roll(&w->dice, 4), what = roll(&w->dice, 10);
    w->f.author_id = authors[author][0];
    w->f.author_kind = authors[author][1];
    if (what < 6)
        block_command(&w->dice, gw_state_seq(w->f.state), members, sizeof members);
    else if (what < 8)
        graph_command(&w->dice, members, sizeof members);
    else
        other_command(&w->dice, number, members, sizeof members);
    run_command(&w->f, members);
}

static void tell(struct world *w)
{
    for (; w->told < w->f.log.count; w->told++)
        for (size_t i = 0; i < CLASSES; i++)
            reader_take(&w->readers[i], w->f.log.items[w->told]);
}

static void compare(struct world *w, unsigned number)
{
    for (size_t i = 0; i < CLASSES; i++) {
        char *state = lens_text(w->f.state, &w->readers[i].lens), *folded = json_text(w->readers[i].state);
        if (strcmp(state, folded) != 0) {
            struct gw_json *source = gw_json_copy_deep(gw_plan_source(w->plans[i]));
            char *plan = json_text(source), *event = json_text(w->f.log.items[w->f.log.count - 1]->data);
            fail_msg("seed %llu step %u: plan %s\nevent %s\nstate  %s\nfolded %s", (unsigned long long)w->dice.seed, number, plan, event,
                     state, folded);
        }
        gw_free(state);
        gw_free(folded);
    }
}

static void play(uint64_t seed)
{
    struct world w = {.dice = {.seed = seed}};
    fixture_open(&w.f);
    w.f.keeps_whole = true;
    add_manifest(w.f.manifests, BOARD);
    for (size_t i = 0; i < CLASSES; i++) {
        w.plans[i] = random_plan(&w.dice, i % 3 == 0);
        reader_open(&w.readers[i], &(struct gw_lens){w.plans[i], &transformer});
    }
    must(&w.f, "\"type\":\"canvas.mount\",\"canvas_id\":\"c\",\"args\":{\"canvas_type\":\"board\"}");
    for (unsigned number = 0; number < STEPS; number++) {
        size_t before = w.told;
        step(&w, number);
        tell(&w);
        if (w.told > before)
            compare(&w, number);
    }
    for (size_t i = 0; i < CLASSES; i++) {
        reader_close(&w.readers[i]);
        gw_plan_unref(w.plans[i]);
    }
    fixture_close(&w.f);
}

static void what_a_class_folds_is_what_it_reads(void **state)
{
    const char *given = getenv("ATOMS_SEED");
    (void)state;
    if (given)
        play(strtoull(given, NULL, 10));
    for (uint64_t seed = 1; !given && seed <= 60; seed++)
        play(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_a_class_folds_is_what_it_reads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
