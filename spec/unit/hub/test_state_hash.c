/* The digest of a commit, by the vectors that every implementation must pass, and along a life of commands. */
#include "base/digest.h"
#include "base/file.h"
#include "hub/blocks_digest.h"
#include "hub/state_hash.h"
#include "hub/state_internal.h"
#include "support/state_fixture.h"

#define VECTORS "spec/vectors/state_hash.json"

static struct gw_event *event_of(const char *canvas_id, enum gw_event_type type, const char *data, const char *context)
{
    struct gw_event *event = gw_event_create();
    event->type = type;
    snprintf(event->canvas_id, sizeof event->canvas_id, "%s", canvas_id);
    event->data = parse_json(data);
    event->context = context ? parse_json(context) : NULL;
    return event;
}

static void fold(struct gw_state *state, struct gw_event *event)
{
    struct gw_error err;
    event->seq = gw_state_seq(state) + 1;
    if (gw_state_fold(state, event, &err))
        fail_msg("%s", err.message);
    gw_event_unref(event);
}

static void mount(struct gw_state *state, struct gw_json *tokens)
{
    struct gw_event *event = event_of("c", GW_EVENT_CANVAS_READY, "{\"canvas_type\":\"any\",\"manifest\":{},\"TokenCatalog\":{}}",
                                      "{\"manifest_hash\":\"0000000000000000000000000000000000000000000000000000000000000000\"}");
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    while (gw_json_next(tokens, &iterator, &key, &value))
        gw_json_set(gw_json_get(event->data, "TokenCatalog"), key, gw_json_new_object());
    gw_json_set(event->data, "tokens", gw_json_ref(tokens));
    fold(state, event);
}

/* Parents before children, whatever the order of the vector. */
static void insert_below(struct gw_state *state, const struct gw_json *blocks, const char *parent)
{
    void *iterator = NULL;
    const char *id;
    struct gw_json *block;
    while (gw_json_next(blocks, &iterator, &id, &block)) {
        const struct gw_json *above = gw_json_get(block, "parent");
        if (parent ? !gw_json_is_string(above) || strcmp(gw_json_text(above, NULL), parent) != 0 : !gw_json_is_null(above))
            continue;
        struct gw_event *event = event_of("c", GW_EVENT_STATE_PATCH, "{\"ops\":[]}", NULL);
        struct gw_json *op = gw_json_copy_deep(block);
        gw_json_set(op, "op", gw_json_new_text("insert", 6));
        gw_json_set(op, "id", gw_json_new_text(id, strlen(id)));
        gw_json_append(gw_json_get(event->data, "ops"), op);
        fold(state, event);
        insert_below(state, blocks, id);
    }
}

static void assert_leaf(const struct gw_canvas *canvas, const char *id, const char *expected)
{
    uint8_t digest[GW_SHA256_BYTES];
    char hex[GW_STATE_HASH_SIZE];
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_buffer_append_char(&text, '\0');
    gw_blocks_digest_write(gw_blocks_find(canvas->blocks, id), &text);
    gw_sha256(text.data, text.length, digest);
    gw_hex_encode(digest, sizeof digest, hex);
    assert_string_equal(hex, expected);
    gw_buffer_fini(&text);
}

static void assert_case(const struct gw_json *vector)
{
    struct gw_state *state = create_state();
    struct gw_json *blocks = gw_json_get(vector, "blocks");
    char hash[GW_STATE_HASH_SIZE], hex[GW_STATE_HASH_SIZE];
    uint8_t digest[GW_SHA256_BYTES];
    void *iterator = NULL;
    const char *id;
    struct gw_json *leaf;
    mount(state, gw_json_get(vector, "tokens"));
    insert_below(state, blocks, NULL);
    struct gw_canvas *canvas = gw_state_canvas(state, "c");
    assert_int_equal(gw_blocks_count(canvas->blocks), gw_json_count(blocks));
    while (gw_json_next(gw_json_get(vector, "leaves"), &iterator, &id, &leaf))
        assert_leaf(canvas, id, gw_json_text(leaf, NULL));
    assert_int_equal(gw_blocks_digest(canvas->blocks, digest), GW_OK);
    gw_hex_encode(digest, sizeof digest, hex);
    assert_string_equal(hex, gw_json_text(gw_json_get(vector, "blocks_digest"), NULL));
    assert_int_equal(gw_state_hash(state, canvas, hash), GW_OK);
    assert_string_equal(hash, gw_json_text(gw_json_get(vector, "state_hash"), NULL));
    gw_state_destroy(state);
}

static void every_vector_holds(void **state)
{
    (void)state;
    struct gw_buffer text;
    struct gw_error err;
    gw_buffer_init(&text, 0);
    if (gw_file_read(VECTORS, 1 << 20, &text, &err))
        fail_msg("%s: %s", VECTORS, err.message);
    gw_buffer_append_char(&text, '\0');
    struct gw_json *vectors = parse_json(text.data);
    const struct gw_json *cases = gw_json_get(vectors, "cases");
    assert_true(gw_json_count(cases) >= 10);
    for (size_t i = 0; i < gw_json_count(cases); i++)
        assert_case(gw_json_at(cases, i));
    gw_json_unref(vectors);
    gw_buffer_fini(&text);
}

static const char *commit(struct fixture *f)
{
    must(f, ON_C "\"type\":\"canvas.commit\"");
    return gw_json_text(gw_json_get(last_event(f)->data, "state_hash"), NULL);
}

#define INSERT(id)                                                                                                                         \
    ON_C "\"type\":\"block.insert\",\"args\":{\"block\":{\"id\":\"" id "\",\"kind\":\"text\",\"parent\":null,\"text\":\"t\"}}"
#define REMOVE(id) ON_C "\"type\":\"block.remove\",\"args\":{\"id\":\"" id "\"}"

static void what_changes_the_state_changes_the_hash_and_back(void **state)
{
    (void)state;
    struct fixture f;
    char first[GW_STATE_HASH_SIZE];
    fixture_open(&f);
    must(&f, MOUNT);
    must(&f, INSERT("a"));
    snprintf(first, sizeof first, "%s", commit(&f));
    assert_string_equal(commit(&f), first);
    must(&f, INSERT("b"));
    assert_string_not_equal(commit(&f), first);
    must(&f, REMOVE("b"));
    assert_string_equal(commit(&f), first);
    must(&f, "\"type\":\"token.set\",\"args\":{\"set\":{\"plan.days\":3}}");
    assert_string_not_equal(commit(&f), first);
    must(&f, "\"type\":\"token.set\",\"args\":{\"unset\":[\"plan.days\"]}");
    assert_string_equal(commit(&f), first);
    fixture_close(&f);
}

static void a_reverted_batch_leaves_the_hash_as_it_was(void **state)
{
    (void)state;
    struct fixture f;
    char first[GW_STATE_HASH_SIZE];
    fixture_open(&f);
    must(&f, MOUNT);
    must(&f, INSERT("a"));
    snprintf(first, sizeof first, "%s", commit(&f));
    size_t count = f.log.count;
    gw_state_begin(f.state);
    must(&f, INSERT("b"));
    assert_string_not_equal(commit(&f), first);
    gw_state_revert(f.state);
    gw_event_list_truncate(&f.log, count);
    assert_string_equal(commit(&f), first);
    fixture_close(&f);
}

static int take(void *arg, const char *bytes, size_t length)
{
    struct gw_json *chunks = arg;
    return gw_json_append(chunks, gw_json_new_text(bytes, length));
}

static void a_loaded_state_hashes_alike_and_counts_on(void **state)
{
    (void)state;
    struct fixture f;
    struct gw_error err;
    fixture_open(&f);
    must(&f, MOUNT);
    must(&f, INSERT("a"));
    must(&f, INSERT("b"));
    struct gw_json *chunks = gw_json_new_array();
    const char *texts[16];
    size_t lengths[16], count;
    assert_int_equal(gw_state_save(f.state, 1 << 20, take, chunks, &err), GW_OK);
    for (count = 0; count < gw_json_count(chunks); count++)
        texts[count] = gw_json_text(gw_json_at(chunks, count), &lengths[count]);
    struct gw_state *copy = create_state();
    assert_int_equal(gw_state_load(copy, texts, lengths, count, &err), GW_OK);
    char hash[GW_STATE_HASH_SIZE];
    assert_int_equal(gw_state_hash(copy, gw_state_canvas(copy, "c"), hash), GW_OK);
    assert_int_equal(gw_state_canvas(copy, "c")->uncommitted, 2);
    assert_string_equal(commit(&f), hash);
    assert_int_equal(gw_state_canvas(f.state, "c")->uncommitted, 0);
    gw_state_destroy(copy);
    gw_json_unref(chunks);
    fixture_close(&f);
}

static void a_view_that_does_not_see_all_gets_no_hash(void **state)
{
    (void)state;
    struct fixture f;
    struct gw_plan *narrow = plan_of("{" PLAN_SEES "," PLAN_TOKENS ",\"blocks\":{\"read\":[{\"vis\":[\"\"]}]}}");
    struct gw_json *data;
    fixture_open(&f);
    must(&f, MOUNT);
    commit(&f);
    assert_int_equal(gw_project_event(last_event(&f), LENS(narrow), &data), 1);
    gw_plan_unref(narrow);
    assert_json(data, "{\"from\":1,\"rev\":1,\"to\":1}");
    gw_json_unref(data);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_holds),
        cmocka_unit_test(what_changes_the_state_changes_the_hash_and_back),
        cmocka_unit_test(a_reverted_batch_leaves_the_hash_as_it_was),
        cmocka_unit_test(a_loaded_state_hashes_alike_and_counts_on),
        cmocka_unit_test(a_view_that_does_not_see_all_gets_no_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
