/* Who wrote what, and a state without what one of them wrote. Everybody writes in a letter of their own: ann α, bob β, carl γ. */
#include "revise_world.h"

#include "hub/authors.h"
#include "hub/checkpoint.h"
#include "hub/erasure.h"
#include "hub/ports.h"
#include "hub/state_hash.h"

/* ---- what the log says ---- */

static struct gw_authors *read_log(struct world *w, struct gw_authors *authors, uint64_t after_seq)
{
    if (!authors)
        authors = gw_authors_create(fixture_seed);
    for (size_t i = 0; i < w->f.log.count; i++)
        if (w->f.log.items[i]->seq > after_seq)
            assert_int_equal(gw_authors_feed(authors, w->f.log.items[i], &w->f.err), GW_OK);
    return authors;
}

/* As the spine would give it back; in chunks of a row or two. */
static struct gw_authors *save_and_load(struct world *w, struct gw_authors *authors /* taken */)
{
    struct gw_checkpoint_chunks chunks = {0};
    struct gw_authors *loaded = gw_authors_create(fixture_seed);
    assert_int_equal(gw_authors_save(authors, w->f.state, 100, gw_checkpoint_emit, &chunks, &w->f.err), GW_OK);
    struct gw_spine_get stored = {.chunks = chunks.items, .lengths = chunks.lengths, .chunk_count = chunks.count};
    assert_int_equal(gw_authors_load(loaded, &stored, &w->f.err), GW_OK);
    gw_checkpoint_chunks_fini(&chunks);
    gw_authors_destroy(authors);
    return loaded;
}

/* The state as the checkpoint will give it back hashes as it does now. */
static void assert_checkpoint(struct world *w)
{
    struct gw_checkpoint_chunks chunks = {0};
    struct gw_state *copy = create_state();
    char here[GW_STATE_HASH_SIZE], there[GW_STATE_HASH_SIZE];
    assert_int_equal(gw_state_save(w->f.state, 1000, gw_checkpoint_emit, &chunks, &w->f.err), GW_OK);
    assert_int_equal(gw_state_load(copy, (const char *const *)chunks.items, chunks.lengths, chunks.count, &w->f.err), GW_OK);
    assert_int_equal(gw_state_hash(w->f.state, gw_state_canvas(w->f.state, "c"), here), GW_OK);
    assert_int_equal(gw_state_hash(copy, gw_state_canvas(copy, "c"), there), GW_OK);
    assert_string_equal(here, there);
    gw_checkpoint_chunks_fini(&chunks);
    gw_state_destroy(w->f.state);
    w->f.state = copy;
}

static size_t erase(struct world *w, struct gw_authors *authors, const char *actor)
{
    size_t count;
    assert_int_equal(gw_erasure_apply(authors, actor, w->f.state, &count, &w->f.err), GW_OK);
    assert_checkpoint(w);
    return count;
}

static size_t erase_now(struct world *w, const char *actor)
{
    struct gw_authors *authors = read_log(w, NULL, 0);
    size_t count = erase(w, authors, actor);
    gw_authors_destroy(authors);
    return count;
}

static size_t count_of(struct world *w, const char *letter)
{
    size_t count = 0;
    char *text = state_text(w->f.state, w->f.plan);
    for (const char *at = text; (at = strstr(at, letter)); at += strlen(letter))
        count++;
    gw_free(text);
    return count;
}

static void assert_due(struct world *w, const char *id, const char *expected)
{
    const struct gw_block *block = gw_blocks_find(gw_state_canvas(w->f.state, "c")->blocks, id);
    assert_json(gw_json_get(gw_block_props(block), "due"), expected);
}

#define TITLE(text) "\"type\":\"token.set\",\"args\":{\"set\":{\"plan.title\":\"" text "\"}}"
#define DUE(text)   ",\"set\":{\"due\":\"" text "\"}"
#define BORN(text)  ",\"props\":{\"due\":\"" text "\"}"

/* ---- behaviours ---- */

static void each_stretch_of_a_text_is_its_writers(void **state)
{
    struct world *w = *state;
    ann(w, INSERT("x", ",\"text\":\"αα-αα\""));
    splice(w, "bob", "x", "\"at\":2,\"del\":1,\"ins\":\"βββ\"");
    splice(w, "carl", "x", "\"at\":3,\"del\":1,\"ins\":\"γ\"");
    bob(w, INSERT("y", ",\"text\":\"ββ\""));
    splice(w, "ann", "y", "\"at\":1,\"del\":0,\"ins\":\"α\"");
    assert_int_equal(erase_now(w, "bob"), 2); /* the defaults that bob's block was made with stay */
    assert_text(w, "x", "ααγαα");
    assert_text(w, "y", "α");
}

static void a_field_is_whose_who_wrote_it_last(void **state)
{
    struct world *w = *state;
    ann(w, INSERT("x", BORN("α")));
    ann(w, INSERT("y", ""));
    ann(w, TITLE("α"));
    bob(w, UPDATE("x", DUE("β")));
    bob(w, UPDATE("y", DUE("β")));
    bob(w, TITLE("β"));
    ann(w, UPDATE("y", DUE("α")));
    assert_int_equal(erase_now(w, "bob"), 2);
    assert_int_equal(count_of(w, "β"), 0);
    assert_due(w, "y", "\"α\"");
    assert_int_equal(count_of(w, "\"plan.title\":\"\""), 1);
}

static void what_has_a_default_gets_that(void **state)
{
    struct world *w = *state;
    ann(w, INSERT("x", ""));
    bob(w, UPDATE("x", ",\"set\":{\"state\":\"shut\"}"));
    assert_int_equal(erase_now(w, "bob"), 1);
    assert_int_equal(count_of(w, "\"state\":\"open\""), 1);
}

static void messages_lose_their_text(void **state)
{
    struct world *w = *state;
    ann(w, "\"type\":\"chat_send\",\"args\":{\"message_id\":\"m1\",\"text\":\"α\"}");
    bob(w, "\"type\":\"chat_send\",\"args\":{\"message_id\":\"m2\",\"text\":\"β\"}");
    bob(w, "\"type\":\"chat_send\",\"args\":{\"message_id\":\"m3\",\"text\":\"β\",\"stream\":true}");
    assert_int_equal(erase_now(w, "bob"), 2);
    assert_int_equal(count_of(w, "β"), 0);
    assert_int_equal(count_of(w, "α"), 1);
    assert_int_equal(count_of(w, "\"aborted\""), 1);
    assert_int_equal(erase_now(w, "bob"), 0);
}

static void what_an_undo_brings_back_is_whose_it_was(void **state)
{
    struct world *w = *state;
    ann(w, INSERT("x", ",\"text\":\"αα\"" BORN("α")));
    splice(w, "bob", "x", "\"at\":1,\"del\":0,\"ins\":\"ββ\"");
    bob(w, UPDATE("x", DUE("β")));
    ann(w, REMOVE("x"));
    undo(w, "ann", "c5");
    assert_text(w, "x", "αββα");
    assert_due(w, "x", "\"β\"");
    erase_now(w, "bob");
    assert_text(w, "x", "αα");
    assert_int_equal(count_of(w, "β"), 0);
}

static void what_a_restore_brings_back_goes_with_any_who_wrote_there(void **state)
{
    struct world *w = *state;
    ann(w, INSERT("x", ",\"text\":\"α\""));
    ann(w, INSERT("z", ",\"text\":\"α\""));
    splice(w, "bob", "x", "\"at\":1,\"del\":0,\"ins\":\"β\"");
    bob(w, TITLE("β"));
    ann(w, COMMIT);
    splice(w, "ann", "x", "\"at\":0,\"del\":2,\"ins\":\"\"");
    ann(w, REMOVE("z"));
    revise(w, "ann", RESTORE(1));
    assert_text(w, "x", "αβ");
    struct gw_authors *authors = save_and_load(w, read_log(w, NULL, 0));
    erase(w, authors, "bob");
    gw_authors_destroy(authors);
    assert_int_equal(count_of(w, "β"), 0);
    assert_text(w, "z", "α");
}

static void what_is_damaged_is_refused(void **state)
{
    struct world *w = *state;
    static const char *const texts[] = {"",
                                        "{}",
                                        "[[]]",
                                        "[[\"verse\",\"c\",\"x\",\"\",[1,\"ann\"]]]",
                                        "[[\"text\",\"c\",7,\"\",[1,\"ann\"]]]",
                                        "[[\"text\",\"c\",\"x\",\"\",[-1,\"ann\"]]]",
                                        "[[\"text\",\"c\",\"x\",\"\",{}]]"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct gw_authors *authors = gw_authors_create(fixture_seed);
        char *chunk = (char *)(uintptr_t)texts[i];
        size_t length = strlen(chunk);
        struct gw_spine_get stored = {.chunks = &chunk, .lengths = &length, .chunk_count = 1};
        assert_int_equal(gw_authors_load(authors, &stored, &w->f.err), GW_EINVAL);
        assert_string_equal(w->f.err.id, "authors_damaged");
        gw_authors_destroy(authors);
    }
}

/* ---- by chance ---- */

static uint32_t next_random(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

static const struct {
    const char *actor, *letter;
} people[] = {{"ann", "α"}, {"bob", "β"}, {"carl", "γ"}};

static void random_command(struct world *w, uint32_t *seed)
{
    char members[512];
    size_t who = next_random(seed, 3);
    const char *letter = people[who].letter;
    unsigned id = next_random(seed, 6);
    unsigned long long head = (unsigned long long)gw_state_seq(w->f.state);
    switch (next_random(seed, 8)) {
    case 0:
        snprintf(members, sizeof members,
                 ON_C "\"type\":\"block.insert\",\"args\":{\"block\":{\"id\":\"b%u\",\"kind\":\"task\",\"text\":\"%s%s%s\"}}", id, letter,
                 letter, letter);
        break;
    case 1:
        snprintf(members, sizeof members, ON_C "\"type\":\"block.update\",\"args\":{\"id\":\"b%u\",\"set\":{\"due\":\"%s\"}}", id, letter);
        break;
    case 2:
        snprintf(members, sizeof members, TITLE("%s"), letter);
        break;
    case 3:
        snprintf(members, sizeof members, ON_C "\"type\":\"block.remove\",\"args\":{\"id\":\"b%u\"}", next_random(seed, 40));
        break;
    default:
        snprintf(members, sizeof members,
                 ON_C "\"type\":\"block.splice\",\"base\":\"%llu\",\"args\":{\"id\":\"b%u\",\"at\":%u,\"del\":%u,\"ins\":\"%s%s\"}", head,
                 id, next_random(seed, 4), next_random(seed, 3), letter, next_random(seed, 2) ? letter : "");
    }
    w->f.author_id = people[who].actor;
    (void)run_command(&w->f, members); /* many are refused, which is as good */
}

/* Nothing of whom is erased is left, and all of the others, also by the second erasure, which knows the first part of the log from what the
 * first one kept alone. */
static void nothing_more_goes_and_nothing_less(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 200; round++) {
        void *one = NULL;
        uint32_t seed = round + 1;
        open_world(&one);
        struct world *w = one;
        struct gw_authors *authors = NULL;
        uint64_t read_seq = 0;
        for (size_t turn = 0; turn < 3; turn++) {
            size_t who = (round + turn) % 3, counts[3];
            for (size_t i = 0; i < 60; i++)
                random_command(w, &seed);
            for (size_t i = 0; i < 3; i++)
                counts[i] = count_of(w, people[i].letter);
            authors = read_log(w, authors, read_seq);
            read_seq = gw_state_seq(w->f.state);
            size_t changed = erase(w, authors, people[who].actor);
            assert_true((changed > 0) == (counts[who] > 0));
            for (size_t i = 0; i < 3; i++)
                assert_int_equal(count_of(w, people[i].letter), i == who ? 0 : counts[i]);
            authors = save_and_load(w, authors);
        }
        gw_authors_destroy(authors);
        close_world(&one);
    }
}

/* Undo and restore: nothing of whom is erased is left. */
static void nothing_comes_back(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 100; round++) {
        void *one = NULL;
        uint32_t seed = round + 1;
        open_world(&one);
        struct world *w = one;
        for (unsigned rev = 1; rev <= 4; rev++) {
            char members[100];
            for (size_t i = 0; i < 25; i++)
                random_command(w, &seed);
            ann(w, COMMIT);
            for (size_t i = 0; i < 10; i++)
                random_command(w, &seed);
            snprintf(members, sizeof members, ON_C "\"type\":\"canvas.restore\",\"args\":{\"rev\":%u}", 1 + next_random(&seed, rev));
            revise(w, people[next_random(&seed, 3)].actor, members);
        }
        size_t who = round % 3;
        erase_now(w, people[who].actor);
        assert_int_equal(count_of(w, people[who].letter), 0);
        close_world(&one);
    }
}

static void every_allocation_may_fail(void **state)
{
    struct world *w = *state;
    ann(w, INSERT("x", ",\"text\":\"αα\"" BORN("α")));
    splice(w, "bob", "x", "\"at\":1,\"del\":0,\"ins\":\"ββ\"");
    bob(w, TITLE("β"));
    for (long n = 1;; n++) {
        struct gw_checkpoint_chunks chunks = {0};
        gw_alloc_fail_after(n);
        struct gw_authors *authors = gw_authors_create(fixture_seed);
        int status = authors ? GW_OK : GW_ENOMEM;
        for (size_t i = 0; !status && i < w->f.log.count; i++)
            status = gw_authors_feed(authors, w->f.log.items[i], &w->f.err);
        if (!status)
            status = gw_authors_save(authors, w->f.state, 10, gw_checkpoint_emit, &chunks, &w->f.err);
        gw_alloc_fail_after(0);
        gw_checkpoint_chunks_fini(&chunks);
        gw_authors_destroy(authors);
        if (!status)
            break;
        assert_int_equal(status, GW_ENOMEM);
        assert_true(n < 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_stretch_of_a_text_is_its_writers, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_field_is_whose_who_wrote_it_last, open_world, close_world),
        cmocka_unit_test_setup_teardown(what_has_a_default_gets_that, open_world, close_world),
        cmocka_unit_test_setup_teardown(messages_lose_their_text, open_world, close_world),
        cmocka_unit_test_setup_teardown(what_an_undo_brings_back_is_whose_it_was, open_world, close_world),
        cmocka_unit_test_setup_teardown(what_a_restore_brings_back_goes_with_any_who_wrote_there, open_world, close_world),
        cmocka_unit_test_setup_teardown(what_is_damaged_is_refused, open_world, close_world),
        cmocka_unit_test(nothing_more_goes_and_nothing_less),
        cmocka_unit_test(nothing_comes_back),
        cmocka_unit_test_setup_teardown(every_allocation_may_fail, open_world, close_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
