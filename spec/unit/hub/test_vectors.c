/* The vectors of the client's half (spec/vectors/README.md), held against the core: one set of examples for every implementation. */
#include <time.h>

#include "base/file.h"
#include "hub/text.h"
#include "hub/transform.h"
#include "support/state_fixture.h"

static struct gw_json *load(const char *name)
{
    struct gw_buffer text;
    struct gw_error err;
    char path[128];
    snprintf(path, sizeof path, "spec/vectors/%s.json", name);
    gw_buffer_init(&text, 0);
    if (gw_file_read(path, 16u << 20, &text, &err))
        fail_msg("%s: %s", path, err.message);
    gw_buffer_append_char(&text, '\0');
    struct gw_json *document = parse_json(text.data);
    gw_buffer_fini(&text);
    return document;
}

static const char *text_at(const struct gw_json *object, const char *name)
{
    const struct gw_json *value = gw_json_get(object, name);
    assert_true(gw_json_is_string(value));
    return gw_json_text(value, NULL);
}

static uint32_t count_at(const struct gw_json *array, size_t index) { return (uint32_t)gw_json_int(gw_json_at(array, index)); }

static uint32_t points_of(const char *text) { return (uint32_t)gw_utf8_count(text, strlen(text), NULL); }

static void assert_equal_json(const char *name, const char *what, const struct gw_json *actual, const struct gw_json *expected)
{
    if (gw_json_equal(actual, expected))
        return;
    char *got = json_text(actual), *wanted = json_text(expected);
    print_message("%s: %s\n  is     %s\n  should %s\n", name, what, got, wanted);
    gw_free(got);
    gw_free(wanted);
    fail();
}

/* ---- texts ------------------------------------------------------------------------------------------------------------------------------ */

static void op_of(const struct gw_json *plain, struct gw_text_op *out)
{
    const struct gw_json *spans = gw_json_get(plain, "spans");
    *out = (struct gw_text_op){.at = (uint32_t)gw_json_int(gw_json_get(plain, "at")), .ins = points_of(text_at(plain, "ins"))};
    out->span_count = (uint32_t)gw_json_count(spans);
    if (out->span_count > 1)
        out->many = gw_alloc_array(out->span_count, sizeof *out->many);
    for (uint32_t i = 0; i < out->span_count; i++) {
        struct gw_text_span *span = out->span_count > 1 ? &out->many[i] : &out->one;
        *span = (struct gw_text_span){count_at(gw_json_at(spans, i), 0), count_at(gw_json_at(spans, i), 1)};
    }
}

static struct gw_json *plain_op(const struct gw_text_op *op, const char *ins)
{
    struct gw_json *out = gw_json_new_object(), *spans = gw_json_new_array();
    for (uint32_t i = 0; i < op->span_count; i++) {
        const struct gw_text_span *span = op->span_count > 1 ? &op->many[i] : &op->one;
        struct gw_json *pair = gw_json_new_array();
        gw_json_append(pair, gw_json_new_int(span->start));
        gw_json_append(pair, gw_json_new_int(span->length));
        gw_json_append(spans, pair);
    }
    gw_json_set(out, "at", gw_json_new_int(op->at));
    gw_json_set(out, "ins", gw_json_new_text(ins, strlen(ins)));
    gw_json_set(out, "spans", spans);
    return out;
}

static struct gw_json *plain_splices(const struct gw_text_op *op, const char *ins)
{
    struct gw_json *list = gw_json_new_array();
    for (uint32_t i = 0; i < gw_text_op_splice_count(op); i++) {
        struct gw_splice splice = gw_text_op_splice(op, i);
        struct gw_json *triple = gw_json_new_array();
        const char *text = splice.ins ? ins : "";
        gw_json_append(triple, gw_json_new_int(splice.at));
        gw_json_append(triple, gw_json_new_int(splice.del));
        gw_json_append(triple, gw_json_new_text(text, strlen(text)));
        gw_json_append(list, triple);
    }
    return list;
}

static void apply(struct gw_text *text, const struct gw_text_op *op, const char *ins)
{
    struct gw_text_piece piece = gw_text_piece(ins, strlen(ins)), none = gw_text_piece("", 0);
    struct gw_error err;
    for (uint32_t i = 0; i < gw_text_op_splice_count(op); i++) {
        struct gw_splice splice = gw_text_op_splice(op, i);
        assert_int_equal(gw_text_splice(text, &splice, splice.ins ? &piece : &none, NULL, &err), GW_OK);
    }
}

static void assert_gives(const struct gw_json *vector, const char *name, const struct gw_text_op *b, const struct gw_text_op *becomes)
{
    struct gw_text text = {0};
    struct gw_text_op start;
    struct gw_buffer out;
    const char *before = text_at(vector, "text"), *gives = text_at(vector, "gives");
    gw_text_op_init(&start, &(struct gw_splice){0, 0, points_of(before)});
    apply(&text, &start, before);
    apply(&text, b, text_at(gw_json_get(vector, "b"), "ins"));
    apply(&text, becomes, text_at(gw_json_get(vector, "a"), "ins"));
    gw_buffer_init(&out, 0);
    gw_text_write(&text, &out);
    gw_buffer_append_char(&out, '\0');
    if (strcmp(out.data, gives) != 0)
        fail_msg("%s: gives %s, should %s", name, out.data, gives);
    gw_buffer_fini(&out);
    gw_text_fini(&text);
}

static void assert_joins(const char *name, const struct gw_text_op *op, const struct gw_json *becomes)
{
    struct gw_splice splices[64];
    struct gw_text_op joined;
    uint32_t count = gw_text_op_splice_count(op);
    assert_true(count <= 64);
    for (uint32_t i = 0; i < count; i++)
        splices[i] = gw_text_op_splice(op, i);
    assert_int_equal(gw_text_op_join(splices, count, &joined), GW_OK);
    struct gw_json *plain = plain_op(&joined, text_at(becomes, "ins"));
    assert_equal_json(name, "joined again", plain, becomes);
    gw_json_unref(plain);
    gw_text_op_fini(&joined);
}

static void assert_transform(const struct gw_json *vector, const char *name)
{
    struct gw_text_op a, b, out;
    const char *ins = text_at(gw_json_get(vector, "a"), "ins");
    op_of(gw_json_get(vector, "a"), &a);
    op_of(gw_json_get(vector, "b"), &b);
    assert_int_equal(gw_text_op_transform(&a, &b, gw_json_bool(gw_json_get(vector, "a_is_later")), &out), GW_OK);
    struct gw_json *plain = plain_op(&out, ins), *splices = plain_splices(&out, ins);
    assert_equal_json(name, "becomes", plain, gw_json_get(vector, "becomes"));
    assert_equal_json(name, "splices", splices, gw_json_get(vector, "splices"));
    assert_joins(name, &out, gw_json_get(vector, "becomes"));
    assert_gives(vector, name, &b, &out);
    gw_json_unref(plain);
    gw_json_unref(splices);
    gw_text_op_fini(&a);
    gw_text_op_fini(&b);
    gw_text_op_fini(&out);
}

static void edits_become_what_the_vectors_say(void **state)
{
    (void)state;
    static const char *const files[] = {"transform", "transform_random"};
    for (size_t f = 0; f < 2; f++) {
        struct gw_json *document = load(files[f]), *cases = gw_json_get(document, "cases");
        assert_true(gw_json_count(cases) > 20);
        for (size_t i = 0; i < gw_json_count(cases); i++) {
            const struct gw_json *vector = gw_json_at(cases, i), *name = gw_json_get(vector, "name");
            char number[32];
            snprintf(number, sizeof number, "random %zu", i);
            assert_transform(vector, name ? gw_json_text(name, NULL) : number);
        }
        gw_json_unref(document);
    }
}

/* ---- the fold --------------------------------------------------------------------------------------------------------------------------- */

/* Cursors of the vectors are "e1", "e2" …; inside the core they are seqs. */
static void open_cursor(struct gw_json *data, const char *name)
{
    const struct gw_json *cursor = gw_json_get(data, name);
    if (gw_json_is_string(cursor))
        gw_json_set(data, name, gw_json_new_int((int64_t)strtoull(gw_json_text(cursor, NULL) + 1, NULL, 10)));
}

/* What the fold of a splice wants besides: as if its author had seen everything. */
static struct gw_json *context_of(const struct gw_json *data, uint64_t seq)
{
    const struct gw_json *op = gw_json_at(gw_json_get(data, "ops"), 0);
    if (!op || strcmp(text_at(op, "op"), "splice") != 0)
        return parse_json("{\"manifest_hash\":\"0000000000000000000000000000000000000000000000000000000000000000\"}");
    struct gw_json *context = gw_json_new_object(), *written = gw_json_new_array();
    gw_json_append(written, gw_json_new_int(gw_json_int(gw_json_get(op, "at"))));
    gw_json_append(written, gw_json_new_int(gw_json_int(gw_json_get(op, "del"))));
    gw_json_append(written, gw_json_new_int(points_of(text_at(op, "ins"))));
    gw_json_set(context, "written", written);
    gw_json_set(context, "base", gw_json_new_int((int64_t)seq - 1));
    gw_json_set(context, "block", gw_json_ref(gw_json_get(op, "id")));
    return context;
}

static int64_t ts_of(const struct gw_json *source)
{
    const struct gw_json *ts = gw_json_get(source, "ts");
    struct tm date = {0};
    int ms = 0;
    if (!ts)
        return 0;
    assert_int_equal(sscanf(gw_json_text(ts, NULL), "%d-%d-%dT%d:%d:%d.%dZ", &date.tm_year, &date.tm_mon, &date.tm_mday, &date.tm_hour,
                            &date.tm_min, &date.tm_sec, &ms),
                     7);
    date.tm_year -= 1900;
    date.tm_mon -= 1;
    return (int64_t)timegm(&date) * 1000 + ms;
}

static struct gw_event *event_of(const struct gw_json *document, const struct gw_json *source, uint64_t seq)
{
    struct gw_event *event = gw_event_create();
    const struct gw_json *data = gw_json_get(source, "data"), *canvas = gw_json_get(source, "canvas_id"),
                         *actor = gw_json_get(source, "actor");
    event->seq = seq;
    event->ts_ms = ts_of(source);
    event->type = gw_event_type_parse(text_at(source, "type"));
    snprintf(event->canvas_id, sizeof event->canvas_id, "%s", canvas ? gw_json_text(canvas, NULL) : "");
    snprintf(event->actor.id, sizeof event->actor.id, "%s", actor ? text_at(actor, "id") : "ann");
    assert_int_equal(gw_actor_kind_parse(actor ? text_at(actor, "kind") : "user", &event->actor.kind), GW_OK);
    event->data = gw_json_copy_deep(gw_json_is_string(data) ? gw_json_get(document, "mount") : data);
    event->context = context_of(event->data, seq);
    open_cursor(event->data, "from");
    open_cursor(event->data, "to");
    return event;
}

static struct gw_json *member_or(const struct gw_json *vector, const char *name, const char *otherwise)
{
    struct gw_json *value = gw_json_get(vector, name);
    return value ? gw_json_ref(value) : parse_json(otherwise);
}

static struct gw_json *expected_state(const struct gw_json *vector)
{
    if (gw_json_get(vector, "state"))
        return gw_json_ref(gw_json_get(vector, "state"));
    struct gw_json *state = gw_json_new_object();
    gw_json_set(state, "tokens", member_or(vector, "tokens", "{}"));
    gw_json_set(state, "canvases", member_or(vector, "canvases", "{}"));
    gw_json_set(state, "graph", member_or(vector, "graph", "{\"nodes\":{},\"edges\":{},\"state\":null}"));
    gw_json_set(state, "chat", member_or(vector, "chat", "{\"messages\":{},\"order\":[]}"));
    return state;
}

static void assert_run(const struct gw_json *document, const struct gw_json *vector)
{
    static const struct gw_plan all = {.class_id = 1, .sees_all = true};
    const char *name = text_at(vector, "name");
    const struct gw_json *events = gw_json_get(vector, "events");
    struct gw_state *state = create_state();
    struct gw_error err;
    for (size_t i = 0; i < gw_json_count(events); i++) {
        struct gw_event *event = event_of(document, gw_json_at(events, i), i + 1);
        if (gw_state_fold(state, event, &err))
            fail_msg("%s: event %zu: %s", name, i + 1, err.message);
        gw_event_unref(event);
    }
    char *text = state_text(state, &all);
    struct gw_json *actual = parse_json(text), *expected = expected_state(vector);
    assert_equal_json(name, "state", actual, expected);
    gw_json_unref(actual);
    gw_json_unref(expected);
    gw_free(text);
    gw_state_destroy(state);
}

static void runs_fold_to_what_the_vectors_say(void **state)
{
    (void)state;
    struct gw_json *document = load("fold"), *runs = gw_json_get(document, "runs");
    assert_true(gw_json_count(runs) > 10);
    for (size_t i = 0; i < gw_json_count(runs); i++)
        assert_run(document, gw_json_at(runs, i));
    gw_json_unref(document);
}

/* ---- concurrent typing ------------------------------------------------------------------------------------------------------------------ */

/* value: one case being played against the core */
struct play {
    struct fixture fixture;
    const char *name;
    struct gw_json *sent; /* by command id: what the author sent, and `by` whom */
    uint64_t setup_seq;   /* event numbers of the vectors count from here */
};

static void play_open(struct play *p, const struct gw_json *vector)
{
    void *iterator = NULL;
    const char *id;
    struct gw_json *text;
    *p = (struct play){.name = text_at(vector, "name"), .sent = gw_json_new_object()};
    fixture_open(&p->fixture);
    must(&p->fixture, MOUNT);
    while (gw_json_next(gw_json_get(vector, "texts"), &iterator, &id, &text)) {
        char members[256];
        snprintf(members, sizeof members,
                 ON_C "\"type\":\"block.insert\",\"args\":{\"block\":{\"id\":\"%s\",\"kind\":\"text\",\"parent\":null,\"text\":\"%s\"}}",
                 id, gw_json_text(text, NULL));
        must(&p->fixture, members);
    }
    p->setup_seq = gw_state_seq(p->fixture.state);
}

static void play_close(struct play *p)
{
    gw_json_unref(p->sent);
    fixture_close(&p->fixture);
}

static void note_sent(struct play *p, const struct gw_json *sends)
{
    gw_json_set(p->sent, text_at(sends, "command_id"), gw_json_copy_deep(sends));
}

/* Submits what was sent under this id, as its author. */
static int submit(struct play *p, const char *author, const char *command_id)
{
    const struct gw_json *sends = gw_json_get(p->sent, command_id), *splice = gw_json_get(sends, "splice");
    struct gw_buffer text;
    if (!sends)
        fail_msg("%s: %s was never sent", p->name, command_id);
    gw_buffer_init(&text, 0);
    gw_buffer_appendf(
        &text,
        ON_C
        "\"type\":\"block.splice\",\"origin\":\"%s\",\"n\":%lld,\"base\":\"%llu\",\"args\":{\"id\":\"%s\",\"at\":%u,\"del\":%u,\"ins\":",
        author, (long long)gw_json_int(gw_json_get(sends, "n")),
        (unsigned long long)p->setup_seq + (unsigned long long)gw_json_int(gw_json_get(sends, "base")), text_at(sends, "block"),
        count_at(splice, 0), count_at(splice, 1));
    gw_json_write(gw_json_at(splice, 2), &text);
    gw_buffer_append(&text, "}", 2);
    p->fixture.author_id = author;
    int status = run_command(&p->fixture, text.data);
    gw_buffer_fini(&text);
    return status;
}

static void assert_number(const struct play *p, const struct gw_json *step)
{
    uint64_t number = gw_state_seq(p->fixture.state) - p->setup_seq;
    if (number != (uint64_t)gw_json_int(gw_json_get(step, "event")))
        fail_msg("%s: event %llu came out of turn", p->name, (unsigned long long)number);
}

static struct gw_json *splices_of(const struct gw_event *event)
{
    struct gw_json *list = gw_json_new_array();
    const struct gw_json *ops = event->type == GW_EVENT_STATE_PATCH ? gw_json_get(event->data, "ops") : NULL;
    for (size_t i = 0; i < gw_json_count(ops); i++) {
        struct gw_json *triple = gw_json_new_array();
        gw_json_append(triple, gw_json_ref(gw_json_get(gw_json_at(ops, i), "at")));
        gw_json_append(triple, gw_json_ref(gw_json_get(gw_json_at(ops, i), "del")));
        gw_json_append(triple, gw_json_ref(gw_json_get(gw_json_at(ops, i), "ins")));
        gw_json_append(list, triple);
    }
    return list;
}

static void on_type(struct play *p, const struct gw_json *step) { note_sent(p, gw_json_get(step, "sends")); }

static void on_take(struct play *p, const struct gw_json *step)
{
    if (submit(p, text_at(step, "from"), text_at(step, "command_id")))
        fail_msg("%s: %s: %s", p->name, text_at(step, "command_id"), p->fixture.err.message);
    assert_int_equal(p->fixture.made, 1);
    assert_number(p, step);
    struct gw_json *splices = splices_of(last_event(&p->fixture));
    assert_equal_json(p->name, text_at(step, "command_id"), splices, gw_json_get(step, "splices"));
    gw_json_unref(splices);
}

static void on_refuse(struct play *p, const struct gw_json *step)
{
    const struct gw_json *sends = gw_json_get(step, "sends");
    assert_int_not_equal(submit(p, text_at(step, "from"), text_at(step, "command_id")), GW_OK);
    assert_string_equal(p->fixture.err.id, text_at(step, "code"));
    for (size_t i = 0; i < gw_json_count(sends); i++)
        note_sent(p, gw_json_at(sends, i));
}

static void on_remove(struct play *p, const struct gw_json *step)
{
    char members[128];
    snprintf(members, sizeof members, ON_C "\"type\":\"block.remove\",\"args\":{\"id\":\"%s\"}", text_at(step, "block"));
    p->fixture.author_id = "somebody";
    must(&p->fixture, members);
    assert_number(p, step);
}

static void on_feed(struct play *p, const struct gw_json *step)
{
    (void)p;
    (void)step; /* the client's side alone */
}

static void play_step(struct play *p, const struct gw_json *step)
{
    static const struct {
        const char *name;
        void (*act)(struct play *p, const struct gw_json *step);
    } acts[] = {{"type", on_type}, {"take", on_take}, {"refuse", on_refuse}, {"remove", on_remove}, {"feed", on_feed}};
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
        if (strcmp(acts[i].name, text_at(step, "do")) == 0) {
            acts[i].act(p, step);
            return;
        }
    fail_msg("%s: what is %s?", p->name, text_at(step, "do"));
}

static void assert_ends(const struct play *p, const struct gw_json *ends)
{
    char *text = state_text(p->fixture.state, p->fixture.plan);
    struct gw_json *state = parse_json(text);
    const struct gw_json *blocks = gw_json_get(gw_json_get(gw_json_get(state, "canvases"), "c"), "blocks");
    void *iterator = NULL;
    const char *id;
    struct gw_json *end;
    while (gw_json_next(ends, &iterator, &id, &end)) {
        const struct gw_json *block = gw_json_get(blocks, id);
        assert_int_equal(block != NULL, gw_json_is_string(end));
        if (block)
            assert_equal_json(p->name, id, gw_json_get(block, "text"), end);
    }
    gw_json_unref(state);
    gw_free(text);
}

static void concurrent_typing_resolves_to_what_the_vectors_say(void **state)
{
    (void)state;
    struct gw_json *document = load("replica"), *cases = gw_json_get(document, "cases");
    assert_true(gw_json_count(cases) > 40);
    for (size_t i = 0; i < gw_json_count(cases); i++) {
        const struct gw_json *vector = gw_json_at(cases, i), *steps = gw_json_get(vector, "steps");
        struct play p;
        play_open(&p, vector);
        for (size_t s = 0; s < gw_json_count(steps); s++)
            play_step(&p, gw_json_at(steps, s));
        assert_ends(&p, gw_json_get(vector, "ends"));
        play_close(&p);
    }
    gw_json_unref(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits_become_what_the_vectors_say),
        cmocka_unit_test(runs_fold_to_what_the_vectors_say),
        cmocka_unit_test(concurrent_typing_resolves_to_what_the_vectors_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
