/* The fold, its journal, what is written of it, and checkpoints. */
#include "support/state_fixture.h"

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

static void an_empty_run_has_its_final_shape(void **state)
{
    assert_state(
        *state,
        "{\"canvases\":{},\"chat\":{\"messages\":{},\"order\":[]},\"graph\":{\"edges\":{},\"nodes\":{},\"state\":null},\"tokens\":{}}");
}

static void a_mount_materialises_token_defaults_in_its_event(void **state)
{
    struct fixture *f = *state;
    must(f, MOUNT);
    assert_int_equal(last_event(f)->type, GW_EVENT_CANVAS_READY);
    assert_json(gw_json_get(last_event(f)->data, "tokens"), "{\"plan.priority\":\"normal\",\"plan.title\":\"\",\"ui.zoom\":1}");
    assert_state(f, "{\"canvases\":{\"c\":{\"blocks\":{},\"type\":\"planning\"}},\"chat\":{\"messages\":{},\"order\":[]},\"graph\":{"
                    "\"edges\":{},\"nodes\":{},"
                    "\"state\":null},\"tokens\":{\"plan.priority\":\"normal\",\"plan.title\":\"\",\"ui.zoom\":1}}");
}

/* A small history that touches every event type and every op. */
static void make_history(struct fixture *f)
{
    must(f, MOUNT);
    must(f, "\"type\":\"canvas.mount\",\"canvas_id\":\"d\",\"args\":{\"canvas_type\":\"sharing\"}");
    must(f, ON_C "\"type\":\"block.insert\",\"args\":{\"block\":{\"id\":\"h\",\"kind\":\"heading\",\"parent\":null,\"props\":{\"level\":1},"
                 "\"text\":\"Gr\u00fc\u00dfe\"}}");
    must(f, ON_C "\"type\":\"block.insert\",\"args\":{\"block\":{\"id\":\"k\",\"kind\":\"task\",\"parent\":\"h\",\"vis\":\"staff\"}}");
    must(f, ON_C "\"type\":\"block.insert\",\"args\":{\"block\":{\"id\":\"x\",\"kind\":\"text\",\"parent\":null,\"text\":\"gone\"}}");
    must(f,
         ON_C "\"type\":\"block.splice\",\"base\":\"5\",\"origin\":\"o\",\"n\":1,\"args\":{\"id\":\"h\",\"at\":5,\"del\":0,\"ins\":\"!\"}");
    must(f,
         ON_C "\"type\":\"block.splice\",\"base\":\"5\",\"origin\":\"o\",\"n\":2,\"args\":{\"id\":\"h\",\"at\":0,\"del\":1,\"ins\":\"g\"}");
    must(f, ON_C "\"type\":\"block.update\",\"args\":{\"id\":\"k\",\"set\":{\"done\":true},\"unset\":[\"state\"]}");
    must(f, ON_C "\"type\":\"canvas.commit\",\"args\":{\"message\":\"one\"}");
    must(f, ON_C "\"type\":\"block.remove\",\"args\":{\"id\":\"x\"}");
    must(f, "\"type\":\"token.set\",\"args\":{\"set\":{\"plan.days\":3},\"unset\":[\"plan.title\"]}");
    must(f, ON_C "\"type\":\"canvas.commit\",\"args\":{}");
}

static void every_kind_of_change_shows_in_the_state(void **state)
{
    struct fixture *f = *state;
    make_history(f);
    struct gw_json *all = NULL;
    char *text = state_text(f->state, f->plan);
    all = parse_json(text);
    gw_free(text);
    const struct gw_json *canvas = gw_json_get(gw_json_get(all, "canvases"), "c"), *blocks = gw_json_get(canvas, "blocks");
    assert_json(gw_json_get(gw_json_get(blocks, "h"), "text"), "\"gr\u00fc\u00dfe!\"");
    assert_json(gw_json_get(gw_json_get(blocks, "k"), "props"), "{\"done\":true}");
    assert_json(gw_json_get(gw_json_get(blocks, "k"), "vis"), "\"staff\"");
    assert_null(gw_json_get(blocks, "x"));
    assert_json(gw_json_get(all, "tokens"), "{\"more\":true,\"plan.days\":3,\"plan.priority\":\"normal\",\"ui.zoom\":1}");
    gw_json_unref(all);
}

static void revisions_count_up_and_cover_what_lies_between(void **state)
{
    struct fixture *f = *state;
    make_history(f);
    gw_json_remove(last_event(f)->data, "state_hash");
    assert_json(last_event(f)->data, "{\"from\":8,\"rev\":2,\"to\":11}");
    assert_int_equal(gw_state_commit_seq(f->state, "c", 1), 9);
    assert_int_equal(gw_state_commit_seq(f->state, "", 2), 12);
    assert_int_equal(gw_state_commit_seq(f->state, "d", 1), 0);
    assert_int_equal(gw_state_commit_seq(f->state, "c", 3), 0);
}

static void canvases_come_in_mount_order(void **state)
{
    struct fixture *f = *state;
    const char *const *ids;
    make_history(f);
    assert_int_equal(gw_state_canvases(f->state, &ids), 2);
    assert_string_equal(ids[0], "c");
    assert_string_equal(ids[1], "d");
}

static void a_canvas_is_written_as_its_checkpoint_event(void **state)
{
    struct fixture *f = *state;
    struct gw_buffer out;
    make_history(f);
    gw_buffer_init(&out, 0);
    gw_state_write_canvas(f->state, LENS(f->plan), "c", &out);
    gw_buffer_append(&out, "", 1);
    struct gw_json *data = parse_json(out.data);
    assert_json(gw_json_get(data, "rev"), "2");
    assert_json(gw_json_get(data, "canvas_type"), "\"planning\"");
    assert_int_equal(gw_json_count(gw_json_get(gw_json_get(data, "state"), "blocks")), 2);
    assert_int_equal(gw_json_count(gw_json_get(data, "TokenCatalog")), 5);
    assert_non_null(gw_json_get(gw_json_get(data, "manifest"), "kinds"));
    assert_null(gw_json_get(data, "manifest_hash"));
    gw_json_unref(data);
    gw_buffer_fini(&out);
}

static void a_narrow_lens_sees_neither_values_nor_declarations_of_other_tokens(void **state)
{
    struct fixture *f = *state;
    struct gw_plan *narrow = plan_of_tokens("[\"ui.*\"]");
    struct gw_buffer out;
    make_history(f);
    gw_buffer_init(&out, 0);
    gw_state_write_canvas(f->state, LENS(narrow), "c", &out);
    gw_plan_unref(narrow);
    gw_buffer_append(&out, "", 1);
    assert_null(strstr(out.data, "plan."));
    assert_non_null(strstr(out.data, "\"tokens\":{\"ui.zoom\":1}"));
    gw_buffer_fini(&out);
}

/* ---- journal --------------------------------------------------------------------------------------------------------------------------
 */

static void a_reverted_group_leaves_no_trace(void **state)
{
    struct fixture *f = *state;
    must(f, MOUNT);
    must(f, ON_C "\"type\":\"block.insert\",\"args\":{\"block\":{\"id\":\"h\",\"kind\":\"text\",\"parent\":null,\"text\":\"abc\"}}");
    char *before = state_text(f->state, f->plan);
    gw_state_begin(f->state);
    must(f, "\"type\":\"canvas.mount\",\"canvas_id\":\"d\",\"args\":{\"canvas_type\":\"sharing\"}");
    must(f, ON_C
         "\"type\":\"block.splice\",\"base\":\"2\",\"origin\":\"o\",\"n\":1,\"args\":{\"id\":\"h\",\"at\":1,\"del\":1,\"ins\":\"XY\"}");
    must(f, ON_C "\"type\":\"block.insert\",\"args\":{\"block\":{\"id\":\"i\",\"kind\":\"task\",\"parent\":\"h\"}}");
    must(f, ON_C "\"type\":\"block.remove\",\"args\":{\"id\":\"h\"}");
    must(f, "\"type\":\"token.set\",\"args\":{\"set\":{\"plan.days\":3},\"unset\":[\"plan.title\"]}");
    must(f, ON_C "\"type\":\"canvas.commit\",\"args\":{}");
    gw_state_revert(f->state);
    char *after = state_text(f->state, f->plan);
    assert_string_equal(before, after);
    assert_int_equal(gw_state_seq(f->state), 2);
    assert_int_equal(gw_state_commit_seq(f->state, "c", 1), 0);
    /* The origin has not come anywhere either. */
    must(f, ON_C
         "\"type\":\"block.splice\",\"base\":\"2\",\"origin\":\"o\",\"n\":1,\"args\":{\"id\":\"h\",\"at\":1,\"del\":1,\"ins\":\"XY\"}");
    gw_free(before);
    gw_free(after);
}

static void a_kept_group_stands(void **state)
{
    struct fixture *f = *state;
    must(f, MOUNT);
    gw_state_begin(f->state);
    must(f, "\"type\":\"token.set\",\"args\":{\"set\":{\"plan.days\":3}}");
    gw_state_keep(f->state);
    char *text = state_text(f->state, f->plan);
    assert_non_null(strstr(text, "\"plan.days\":3"));
    gw_free(text);
}

/* ---- checkpoints ----------------------------------------------------------------------------------------------------------------------
 */

struct chunks {
    char *items[256];
    size_t lengths[256];
    size_t count;
};

static int keep_chunk(void *arg, const char *bytes, size_t length)
{
    struct chunks *chunks = arg;
    assert_true(chunks->count < 256);
    chunks->items[chunks->count] = gw_try_strndup(bytes, length);
    chunks->lengths[chunks->count++] = length;
    return 0;
}

static void save(const struct gw_state *state, size_t chunk_bytes, struct chunks *out)
{
    struct gw_error err;
    out->count = 0;
    assert_int_equal(gw_state_save(state, chunk_bytes, keep_chunk, out, &err), GW_OK);
}

static struct gw_state *load(const struct chunks *chunks)
{
    struct gw_state *state = create_state();
    struct gw_error err;
    if (gw_state_load(state, (const char *const *)chunks->items, chunks->lengths, chunks->count, &err))
        fail_msg("%s", err.message);
    return state;
}

static void free_chunks(struct chunks *chunks)
{
    while (chunks->count)
        gw_free(chunks->items[--chunks->count]);
}

static void assert_same_chunks(const struct chunks *a, const struct chunks *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++)
        assert_string_equal(a->items[i], b->items[i]);
}

static void a_loaded_checkpoint_equals_the_saved_state(void **state)
{
    struct fixture *f = *state;
    static struct chunks first, again;
    make_history(f);
    save(f->state, 200, &first);
    assert_true(first.count > 5);
    struct gw_state *loaded = load(&first);
    save(loaded, 200, &again);
    assert_same_chunks(&first, &again);
    char *before = state_text(f->state, f->plan), *after = state_text(loaded, f->plan);
    assert_string_equal(before, after);
    assert_int_equal(gw_state_seq(loaded), gw_state_seq(f->state));
    gw_free(before);
    gw_free(after);
    gw_state_destroy(loaded);
    free_chunks(&first);
    free_chunks(&again);
}

static void folding_goes_on_alike_after_a_checkpoint(void **state)
{
    struct fixture *f = *state;
    static struct chunks at_checkpoint, ours, theirs;
    make_history(f);
    save(f->state, 1 << 20, &at_checkpoint);
    struct gw_state *loaded = load(&at_checkpoint);
    size_t from = f->log.count;
    /* An edit whose base lies before the checkpoint, from an origin that was open then. */
    must(f,
         ON_C "\"type\":\"block.splice\",\"base\":\"5\",\"origin\":\"o\",\"n\":3,\"args\":{\"id\":\"h\",\"at\":6,\"del\":0,\"ins\":\"?\"}");
    must(f,
         ON_C "\"type\":\"block.splice\",\"base\":\"5\",\"origin\":\"p\",\"n\":1,\"args\":{\"id\":\"h\",\"at\":5,\"del\":0,\"ins\":\"#\"}");
    must_refuse(f, ON_C "\"type\":\"block.update\",\"args\":{\"id\":\"x\"}", "block_removed", "/args/id");
    for (size_t i = from; i < f->log.count; i++)
        assert_int_equal(gw_state_fold(loaded, f->log.items[i], &f->err), GW_OK);
    save(f->state, 1 << 20, &ours);
    save(loaded, 1 << 20, &theirs);
    assert_same_chunks(&ours, &theirs);
    gw_state_destroy(loaded);
    free_chunks(&at_checkpoint);
    free_chunks(&ours);
    free_chunks(&theirs);
}

static void a_damaged_checkpoint_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "[]",
                                      "{}",
                                      "{\"part\":\"head\",\"rows\":[{\"format\":2,\"seq\":1}]}",
                                      "{\"part\":\"blocks\",\"rows\":[{}]}",
                                      "{\"part\":\"head\",\"rows\":[{\"format\":1,\"seq\":1,\"catalog\":{},\"tokens\":{\"a\":1}}]}"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct gw_state *empty = create_state();
        struct gw_error err;
        size_t length = strlen(bad[i]);
        assert_int_equal(gw_state_load(empty, &bad[i], &length, 1, &err), GW_EINVAL);
        assert_string_equal(err.id, "bad_checkpoint");
        gw_state_destroy(empty);
    }
}

/* ---- the fold -------------------------------------------------------------------------------------------------------------------------
 */

static void the_same_events_give_the_same_state(void **state)
{
    struct fixture *f = *state;
    static struct chunks ours, theirs;
    make_history(f);
    struct gw_state_limits limits;
    gw_state_limits_default(&limits);
    struct gw_state *other = gw_state_create((const uint8_t *)"another seed ...", &limits);
    for (size_t i = 0; i < f->log.count; i++)
        assert_int_equal(gw_state_fold(other, f->log.items[i], &f->err), GW_OK);
    save(f->state, 100, &ours);
    save(other, 100, &theirs);
    assert_same_chunks(&ours, &theirs);
    gw_state_destroy(other);
    free_chunks(&ours);
    free_chunks(&theirs);
}

static void an_event_out_of_turn_is_refused(void **state)
{
    struct fixture *f = *state;
    make_history(f);
    assert_int_equal(gw_state_fold(f->state, last_event(f), &f->err), GW_EINVAL);
    assert_string_equal(f->err.id, "bad_event");
}

/* Folds one event of `type` on canvas c with this data and context. */
static int fold_raw(struct fixture *f, enum gw_event_type type, const char *data, const char *context)
{
    struct gw_event *event = gw_event_create();
    event->type = type;
    event->seq = gw_state_seq(f->state) + 1;
    memcpy(event->canvas_id, "c", 2);
    event->data = data ? parse_json(data) : NULL;
    event->context = context ? parse_json(context) : NULL;
    int status = gw_state_fold(f->state, event, &f->err);
    gw_event_unref(event);
    return status;
}

static void damaged_events_are_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum gw_event_type type;
        const char *data, *context;
    } bad[] = {
        {GW_EVENT_STATE_PATCH, NULL, NULL},
        {GW_EVENT_STATE_PATCH, "{}", NULL},
        {GW_EVENT_STATE_PATCH, "{\"ops\":[{}]}", NULL},
        {GW_EVENT_STATE_PATCH, "{\"ops\":[7]}", NULL},
        {GW_EVENT_STATE_PATCH, "{\"ops\":[{\"op\":\"insert\",\"id\":\"a\"}]}", NULL},
        {GW_EVENT_STATE_PATCH, "{\"ops\":[{\"op\":\"remove\",\"id\":\"a\"}]}", NULL},
        {GW_EVENT_STATE_PATCH, "{\"ops\":[{\"op\":\"move\",\"id\":\"h\",\"parent\":\"nope\",\"pos\":\"V\"}]}", NULL},
        {GW_EVENT_STATE_PATCH, "{\"ops\":[{\"op\":\"relabel\",\"pos\":{\"nope\":\"V\"}}]}", NULL},
        {GW_EVENT_STATE_PATCH, "{\"ops\":[{\"op\":\"splice\",\"id\":\"h\",\"at\":0,\"del\":0,\"ins\":\"x\"}]}", NULL},
        {GW_EVENT_STATE_PATCH, "{\"ops\":[{\"op\":\"splice\",\"id\":\"h\",\"at\":-1,\"del\":0,\"ins\":\"x\"}]}",
         "{\"block\":\"h\",\"base\":1,\"written\":[0,0,1]}"},
        {GW_EVENT_STATE_PATCH, "{\"ops\":[{\"op\":\"splice\",\"id\":\"h\",\"at\":99,\"del\":0,\"ins\":\"x\"}]}",
         "{\"block\":\"h\",\"base\":1,\"written\":[99,0,1]}"},
        {GW_EVENT_VOID, NULL, "{\"block\":\"nope\",\"base\":1,\"written\":[0,0,1]}"},
        {GW_EVENT_TOKEN_PATCH, "{\"set\":{\"nope\":1},\"unset\":[]}", NULL},
        {GW_EVENT_TOKEN_PATCH, "{\"set\":{},\"unset\":[1]}", NULL},
        {GW_EVENT_CANVAS_COMMIT, "{\"rev\":7,\"to\":1}", NULL},
        {GW_EVENT_CANVAS_READY, "{\"canvas_type\":\"sharing\",\"manifest\":{}}", "{\"manifest_hash\":\"x\"}"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        fixture_close(f);
        fixture_open(f);
        make_history(f);
        assert_int_equal(fold_raw(f, bad[i].type, bad[i].data, bad[i].context), GW_EINVAL);
    }
}

static void references_and_log_lines_only_take_their_seq(void **state)
{
    struct fixture *f = *state;
    must(f, MOUNT);
    char *before = state_text(f->state, f->plan);
    assert_int_equal(fold_raw(f, GW_EVENT_LOG_LINE, "{}", NULL), GW_OK);
    assert_int_equal(fold_raw(f, GW_EVENT_SNAPSHOT_CREATED, "{}", NULL), GW_OK);
    assert_int_equal(fold_raw(f, GW_EVENT_VOID, NULL, NULL), GW_OK);
    char *after = state_text(f->state, f->plan);
    assert_string_equal(before, after);
    assert_int_equal(gw_state_seq(f->state), 4);
    gw_free(before);
    gw_free(after);
}

static void a_mount_again_with_a_new_manifest_keeps_the_blocks(void **state)
{
    struct fixture *f = *state;
    static const char hash[] = "{\"manifest_hash\":\"0123456789012345678901234567890123456789012345678901234567890123\"}";
    make_history(f);
    assert_int_equal(fold_raw(f, GW_EVENT_CANVAS_READY,
                              "{\"canvas_type\":\"planning\",\"manifest\":{\"kinds\":{}},\"TokenCatalog\":{\"new\":{\"type\":\"boolean\"}},"
                              "\"tokens\":{\"new\":true}}",
                              hash),
                     GW_OK);
    char *text = state_text(f->state, f->plan);
    assert_non_null(strstr(text, "\"gr\u00fc\u00dfe!\""));
    assert_non_null(strstr(text, "\"new\":true"));
    gw_free(text);
    must_refuse(f, ON_C "\"type\":\"block.update\",\"args\":{\"id\":\"h\",\"set\":{\"level\":2}}", "unknown_kind", "/args/id");
}

/* A fold that lacked memory leaves a state that can be destroyed, and undone back to where its group began. */
static void folding_survives_every_failed_allocation(void **state)
{
    struct fixture *f = *state;
    make_history(f);
    for (size_t last = 0; last < f->log.count; last++) {
        int status = GW_ENOMEM;
        for (long n = 1; status == GW_ENOMEM && n < 1000; n++) {
            struct gw_state *fresh = create_state();
            for (size_t i = 0; i < last; i++)
                assert_int_equal(gw_state_fold(fresh, f->log.items[i], &f->err), GW_OK);
            char *before = state_text(fresh, f->plan);
            gw_state_begin(fresh);
            gw_alloc_fail_after(n);
            status = gw_state_fold(fresh, f->log.items[last], &f->err);
            gw_alloc_fail_after(0);
            gw_state_revert(fresh);
            char *after = state_text(fresh, f->plan);
            assert_string_equal(before, after);
            gw_free(before);
            gw_free(after);
            gw_state_destroy(fresh);
        }
        assert_int_equal(status, GW_OK);
    }
}

static void writing_says_when_it_lacked_memory(void **state)
{
    struct fixture *f = *state;
    bool has_failed = true;
    make_history(f);
    for (long n = 1; has_failed && n < 1000; n++) {
        struct gw_buffer out;
        gw_buffer_init(&out, 0);
        gw_alloc_fail_after(n);
        gw_state_write(f->state, LENS(f->plan), NULL, 0, &out);
        gw_alloc_fail_after(0);
        has_failed = out.has_failed;
        gw_buffer_fini(&out);
    }
    assert_false(has_failed);
}

#define SPEC(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPEC(an_empty_run_has_its_final_shape),
        SPEC(a_mount_materialises_token_defaults_in_its_event),
        SPEC(every_kind_of_change_shows_in_the_state),
        SPEC(revisions_count_up_and_cover_what_lies_between),
        SPEC(canvases_come_in_mount_order),
        SPEC(a_canvas_is_written_as_its_checkpoint_event),
        SPEC(a_narrow_lens_sees_neither_values_nor_declarations_of_other_tokens),
        SPEC(a_reverted_group_leaves_no_trace),
        SPEC(a_kept_group_stands),
        SPEC(a_loaded_checkpoint_equals_the_saved_state),
        SPEC(folding_goes_on_alike_after_a_checkpoint),
        SPEC(a_damaged_checkpoint_is_refused),
        SPEC(the_same_events_give_the_same_state),
        SPEC(an_event_out_of_turn_is_refused),
        SPEC(damaged_events_are_refused),
        SPEC(references_and_log_lines_only_take_their_seq),
        SPEC(folding_survives_every_failed_allocation),
        SPEC(writing_says_when_it_lacked_memory),
        SPEC(a_mount_again_with_a_new_manifest_keeps_the_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
