/* Undo and restore: what comes back, what is left alone, and that others lose nothing. */
#include "hub/blocks.h"
#include "hub/revise.h"
#include "hub/state_internal.h"
#include "support/state_fixture.h"

/* ---- the world ---- */

struct world {
    struct fixture f;
    struct gw_json *skipped; /* of the last revision */
};

/* A command of `actor`, whose events name it as their cause. Its id is c1, c2 … */
static void as(struct world *w, const char *actor, const char *members)
{
    size_t count = w->f.log.count;
    w->f.author_id = actor;
    must(&w->f, members);
    for (size_t i = count; i < w->f.log.count; i++)
        snprintf(w->f.log.items[i]->cause, GW_ID_MAX + 1, "c%u", w->f.command_count);
}

static void ann(struct world *w, const char *members) { as(w, "ann", members); }
static void bob(struct world *w, const char *members) { as(w, "bob", members); }

/* The state as of `seq`, folded from the log. */
static struct gw_state *state_at(struct world *w, uint64_t seq)
{
    struct gw_state *state = create_state();
    for (size_t i = 0; i < w->f.log.count && w->f.log.items[i]->seq <= seq; i++)
        assert_int_equal(gw_state_fold(state, w->f.log.items[i], &w->f.err), GW_OK);
    return state;
}

static struct gw_turn *turn_of(struct world *w, const struct gw_turn_key *key)
{
    struct gw_turn *turn = gw_turn_create(fixture_seed, key);
    size_t i = 0;
    while (i < w->f.log.count && !gw_turn_owns(key, w->f.log.items[i]))
        i++;
    for (; i < w->f.log.count; i++)
        assert_int_equal(gw_turn_feed(turn, w->f.log.items[i], &w->f.err), GW_OK);
    return turn;
}

static int resolve_revision(struct world *w, const struct gw_command *command, struct gw_event_list *events)
{
    struct fixture *f = &w->f;
    struct gw_resolve_context context = {
        .manifests = f->manifests, .plan = &f->plan, .author_kind = f->author_kind, .author_id = f->author_id, .epoch = 1};
    struct gw_revise_need need;
    struct gw_past past = {0};
    gw_revise_find_need(f->state, command, f->author_id, &need);
    if (need.kind == GW_PAST_STATE)
        past.state = state_at(w, need.at_seq);
    if (need.kind == GW_PAST_TURN)
        past.turn = turn_of(w, &need.turn);
    gw_json_unref(w->skipped);
    int status = gw_state_revise(f->state, command, &context, &past, events, &w->skipped, &f->err);
    gw_state_destroy(past.state);
    gw_turn_destroy(past.turn);
    return status;
}

/* Its id is the next c<n>; answers how many events it made. */
static size_t revise(struct world *w, const char *actor, const char *members)
{
    struct gw_command command;
    struct gw_event_list events = {0};
    size_t count = w->f.log.count;
    w->f.author_id = actor;
    make_command(&w->f, members, &command);
    char *before = state_text(w->f.state, &w->f.plan);
    if (resolve_revision(w, &command, &events))
        fail_msg("%s: %s at %s for %s", w->f.err.id, w->f.err.message, w->f.err.path, members);
    char *after = state_text(w->f.state, &w->f.plan);
    assert_string_equal(before, after);
    gw_free(before);
    gw_free(after);
    for (size_t i = 0; i < events.count; i++)
        memcpy(events.items[i]->cause, command.command_id, sizeof command.command_id);
    if (fold_all(&w->f, &events))
        fail_msg("fold: %s", w->f.err.message);
    gw_event_list_fini(&events);
    gw_command_fini(&command);
    return w->f.log.count - count;
}

static void undo(struct world *w, const char *actor, const char *of)
{
    char members[256];
    snprintf(members, sizeof members, "\"type\":\"undo\",\"args\":{\"of\":\"%s\"}", of);
    revise(w, actor, members);
}

static void must_not_revise(struct world *w, const char *members, const char *id, const char *path)
{
    struct gw_command command;
    struct gw_event_list events = {0};
    w->f.author_id = "ann";
    make_command(&w->f, members, &command);
    assert_int_not_equal(resolve_revision(w, &command, &events), GW_OK);
    assert_string_equal(w->f.err.id, id);
    assert_string_equal(w->f.err.path, path);
    assert_int_equal(events.count, 0);
    gw_command_fini(&command);
}

static int open_world(void **state)
{
    struct world *w = gw_alloc(sizeof *w);
    fixture_open(&w->f);
    as(w, "ann", MOUNT);
    *state = w;
    return 0;
}

static int close_world(void **state)
{
    struct world *w = *state;
    gw_json_unref(w->skipped);
    fixture_close(&w->f);
    gw_free(w);
    return 0;
}

/* ---- short names ---- */

#define INSERT(id, more) ON_C "\"type\":\"block.insert\",\"args\":{\"block\":{\"id\":\"" id "\",\"kind\":\"task\"" more "}}"
#define UPDATE(id, more) ON_C "\"type\":\"block.update\",\"args\":{\"id\":\"" id "\"" more "}"
#define MOVE(id, more)   ON_C "\"type\":\"block.move\",\"args\":{\"id\":\"" id "\"" more "}"
#define REMOVE(id)       ON_C "\"type\":\"block.remove\",\"args\":{\"id\":\"" id "\"}"
#define RESTORE(rev)     ON_C "\"type\":\"canvas.restore\",\"args\":{\"rev\":" #rev "}"
#define COMMIT           ON_C "\"type\":\"canvas.commit\""

static void splice(struct world *w, const char *actor, const char *id, const char *edit)
{
    char members[512];
    snprintf(members, sizeof members, ON_C "\"type\":\"block.splice\",\"base\":\"%llu\",\"args\":{\"id\":\"%s\",%s}",
             (unsigned long long)gw_state_seq(w->f.state), id, edit);
    as(w, actor, members);
}

static char *keep(struct world *w) { return state_text(w->f.state, &w->f.plan); }

/* The state is what it was, save for labels: order shows as neighbours. */
static void assert_back(struct world *w, char *kept /* taken */)
{
    struct gw_json *then = parse_json(kept);
    char *text = keep(w);
    struct gw_json *now = parse_json(text);
    struct gw_json *both[2] = {then, now};
    for (size_t i = 0; i < 2; i++) {
        void *iterator = NULL;
        const char *id;
        struct gw_json *block;
        struct gw_json *blocks = gw_json_get(gw_json_get(gw_json_get(both[i], "canvases"), "c"), "blocks");
        while (gw_json_next(blocks, &iterator, &id, &block))
            gw_json_remove(block, "pos");
    }
    char *expected = json_text(then);
    assert_json(now, expected);
    gw_free(expected);
    gw_free(text);
    gw_free(kept);
    gw_json_unref(then);
    gw_json_unref(now);
}

static void assert_order(struct world *w, const char *parent, const char *expected)
{
    char got[256] = "";
    struct gw_canvas *canvas = gw_state_canvas(w->f.state, "c");
    const struct gw_block *above = parent ? gw_blocks_find(canvas->blocks, parent) : NULL;
    for (const struct gw_block *b = gw_blocks_first_child(canvas->blocks, above); b; b = gw_block_next_sibling(b))
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s ", gw_block_id(b));
    assert_string_equal(got, expected);
}

static void assert_text(struct world *w, const char *id, const char *expected)
{
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_text_write(gw_block_text(gw_blocks_find(gw_state_canvas(w->f.state, "c")->blocks, id)), &text);
    gw_buffer_append(&text, "", 1);
    assert_string_equal(text.data, expected);
    gw_buffer_fini(&text);
}

static void assert_skipped(struct world *w, const char *expected) { assert_json(w->skipped, expected); }

/* ---- undo ---- */

static void each_kind_of_change_is_taken_back(void **state)
{
    struct world *w = *state;
    static const char *const changes[] = {
        UPDATE("a", ",\"set\":{\"done\":true,\"due\":\"x\"},\"unset\":[\"state\"],\"vis\":\"staff\""),
        UPDATE("b", ",\"vis\":null"),
        MOVE("c", ",\"parent\":\"a\""),
        MOVE("a", ",\"parent\":null,\"after\":\"d\""),
        REMOVE("a"),
        INSERT("new", ",\"parent\":\"a\",\"text\":\"n\""),
        "\"type\":\"token.set\",\"args\":{\"set\":{\"plan.days\":7,\"plan.title\":\"t\"},\"unset\":[\"ui.zoom\"]}",
    };
    ann(w, INSERT("a", ",\"text\":\"A\",\"props\":{\"due\":\"old\"}"));
    ann(w, INSERT("b", ",\"after\":\"a\",\"vis\":\"press\""));
    ann(w, INSERT("c", ",\"after\":\"b\""));
    ann(w, INSERT("d", ",\"after\":\"c\""));
    ann(w, INSERT("a1", ",\"parent\":\"a\",\"text\":\"child\""));
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        char id[16];
        char *before = keep(w);
        ann(w, changes[i]);
        snprintf(id, sizeof id, "c%u", w->f.command_count);
        char *after = keep(w);
        undo(w, "ann", id);
        assert_back(w, before);
        assert_skipped(w, "[]");
        assert_order(w, NULL, "a b c d ");
        /* An undo is a command: it can be undone. */
        snprintf(id, sizeof id, "c%u", w->f.command_count);
        undo(w, "ann", id);
        assert_back(w, after);
        snprintf(id, sizeof id, "c%u", w->f.command_count);
        undo(w, "ann", id);
        assert_order(w, NULL, "a b c d ");
    }
}

static void what_another_wrote_since_stays_and_is_told(void **state)
{
    struct world *w = *state;
    bob(w, INSERT("a", ",\"props\":{\"due\":\"old\"}"));
    ann(w, UPDATE("a", ",\"set\":{\"done\":true,\"due\":\"hers\"}"));
    bob(w, UPDATE("a", ",\"set\":{\"due\":\"his\"}"));
    undo(w, "ann", "c3");
    assert_skipped(w, "[{\"path\":\"/canvases/c/blocks/a/props/due\",\"reason\":\"changed_since\"}]");
    struct gw_canvas *canvas = gw_state_canvas(w->f.state, "c");
    assert_json(gw_block_props(gw_blocks_find(canvas->blocks, "a")), "{\"due\":\"his\",\"state\":\"open\"}");
}

static void one_undoes_only_what_is_ones_own(void **state)
{
    struct world *w = *state;
    bob(w, INSERT("a", ""));
    must_not_revise(w, "\"type\":\"undo\",\"args\":{\"of\":\"c2\"}", "unknown_turn", "/args/of");
    must_not_revise(w, "\"type\":\"undo\",\"args\":{\"origin\":\"o\"}", "unknown_turn", "/args/origin");
    must_not_revise(w, "\"type\":\"undo\",\"args\":{\"of\":\"c2\",\"origin\":\"o\"}", "missing_arg", "/args");
    must_not_revise(w, "\"type\":\"undo\",\"args\":{}", "missing_arg", "/args");
    must_not_revise(w, "\"type\":\"undo\",\"args\":{\"all\":true}", "unknown_member", "/args/all");
}

static void a_block_that_others_have_touched_stays(void **state)
{
    struct world *w = *state;
    ann(w, INSERT("a", ""));
    ann(w, INSERT("b", ""));
    ann(w, INSERT("d", ""));
    splice(w, "bob", "a", "\"at\":0,\"del\":0,\"ins\":\"his\"");
    bob(w, INSERT("below", ",\"parent\":\"b\""));
    undo(w, "ann", "c2");
    assert_skipped(w, "[{\"path\":\"/canvases/c/blocks/a\",\"reason\":\"changed_since\"}]");
    undo(w, "ann", "c3");
    assert_skipped(w, "[{\"path\":\"/canvases/c/blocks/b\",\"reason\":\"changed_since\"}]");
    undo(w, "ann", "c4");
    assert_skipped(w, "[]");
    assert_order(w, NULL, "b a ");
}

static void a_removed_block_is_not_written_to(void **state)
{
    struct world *w = *state;
    bob(w, INSERT("a", ""));
    ann(w, UPDATE("a", ",\"set\":{\"done\":true}"));
    bob(w, REMOVE("a"));
    undo(w, "ann", "c3");
    assert_skipped(w, "[{\"path\":\"/canvases/c/blocks/a/props/done\",\"reason\":\"block_removed\"}]");
}

static void ones_own_typing_goes_and_that_of_others_stays(void **state)
{
    struct world *w = *state;
    bob(w, INSERT("a", ",\"text\":\"one two\""));
    ann(w, ON_C "\"type\":\"block.splice\",\"origin\":\"o\",\"n\":1,\"base\":\"2\",\"args\":{\"id\":\"a\",\"at\":3,\"del\":0,\"ins\":\" and äöü\"}");
    ann(w, ON_C "\"type\":\"block.splice\",\"origin\":\"o\",\"n\":2,\"base\":\"3\",\"args\":{\"id\":\"a\",\"at\":0,\"del\":3,\"ins\":\"ONE\"}");
    assert_text(w, "a", "ONE and äöü two");
    splice(w, "bob", "a", "\"at\":9,\"del\":0,\"ins\":\"--\"");
    splice(w, "bob", "a", "\"at\":0,\"del\":0,\"ins\":\">> \"");
    splice(w, "bob", "a", "\"at\":4,\"del\":1,\"ins\":\"\"");
    assert_text(w, "a", ">> OE and ä--öü two");
    revise(w, "ann", "\"type\":\"undo\",\"args\":{\"origin\":\"o\"}");
    assert_text(w, "a", ">> one-- two");
    assert_skipped(w, "[]");
}

static void typing_and_deleting_ones_own_leaves_nothing(void **state)
{
    struct world *w = *state;
    bob(w, INSERT("a", ",\"text\":\"text\""));
    ann(w, ON_C "\"type\":\"block.splice\",\"origin\":\"o\",\"n\":1,\"base\":\"2\",\"args\":{\"id\":\"a\",\"at\":4,\"del\":0,\"ins\":\" abc\"}");
    ann(w, ON_C "\"type\":\"block.splice\",\"origin\":\"o\",\"n\":2,\"base\":\"2\",\"args\":{\"id\":\"a\",\"at\":6,\"del\":1,\"ins\":\"\"}");
    ann(w, ON_C "\"type\":\"block.splice\",\"origin\":\"o\",\"n\":3,\"base\":\"2\",\"args\":{\"id\":\"a\",\"at\":2,\"del\":3,\"ins\":\"X\"}");
    assert_text(w, "a", "teXac");
    revise(w, "ann", "\"type\":\"undo\",\"args\":{\"origin\":\"o\"}");
    assert_text(w, "a", "text");
    must_not_revise(w, "\"type\":\"undo\",\"args\":{\"origin\":\"o\"}", "already_undone", "/args/origin");
}

static void a_whole_turn_goes_at_once(void **state)
{
    struct world *w = *state;
    bob(w, INSERT("a", ",\"text\":\"A\""));
    bob(w, INSERT("b", ",\"after\":\"a\",\"text\":\"B\""));
    bob(w, INSERT("x", ",\"parent\":\"b\",\"text\":\"deep\""));
    bob(w, "\"type\":\"token.set\",\"args\":{\"set\":{\"plan.days\":3}}");
    char *before = keep(w);
    static const char *const turn[] = {
        INSERT("n", ",\"text\":\"new\""),
        MOVE("a", ",\"parent\":\"n\""),
        UPDATE("x", ",\"set\":{\"done\":true}"),
        REMOVE("b"),
        INSERT("m", ",\"parent\":\"a\""),
        "\"type\":\"token.set\",\"args\":{\"set\":{\"plan.days\":9}}",
        "\"type\":\"token.set\",\"args\":{\"unset\":[\"plan.days\"]}",
        REMOVE("m"),
    };
    for (size_t i = 0; i < sizeof turn / sizeof turn[0]; i++) {
        char members[512];
        snprintf(members, sizeof members, "\"origin\":\"t1\",\"n\":%zu,%s", i + 1, turn[i]);
        as(w, "ann", members);
    }
    assert_order(w, NULL, "n ");
    revise(w, "ann", "\"type\":\"undo\",\"origin\":\"t2\",\"n\":1,\"args\":{\"origin\":\"t1\"}");
    assert_skipped(w, "[]");
    assert_back(w, before);
    assert_order(w, NULL, "a b ");
    /* The undo has its place in its own origin. */
    must_not_revise(w, "\"type\":\"undo\",\"origin\":\"t2\",\"n\":1,\"args\":{\"origin\":\"t1\"}", "out_of_order", "/n");
}

static void a_block_comes_back_with_its_author(void **state)
{
    struct world *w = *state;
    w->f.author_kind = "agent";
    as(w, "bot", INSERT("a", ",\"text\":\"A\""));
    w->f.author_kind = "user";
    ann(w, REMOVE("a"));
    undo(w, "ann", "c3");
    assert_string_equal(gw_block_author(gw_blocks_find(gw_state_canvas(w->f.state, "c")->blocks, "a")), "agent");
    assert_json(gw_json_get(gw_json_get(last_event(&w->f)->facets, "blocks"), "a"), "{\"author\":\"agent\",\"is\":\"new\",\"kind\":\"task\"}");
}

static void nobody_else_may_name_an_author_or_use_a_removed_id(void **state)
{
    struct world *w = *state;
    must_refuse(&w->f, INSERT("a", ",\"author\":\"agent\""), "unknown_member", "/args/block/author");
    ann(w, INSERT("a", ""));
    ann(w, REMOVE("a"));
    must_refuse(&w->f, INSERT("a", ""), "block_removed", "/args/block/id");
}

/* ---- restore ---- */

static void a_revision_comes_back_whole(void **state)
{
    struct world *w = *state;
    ann(w, INSERT("a", ",\"text\":\"grüße\",\"props\":{\"due\":\"x\"},\"vis\":\"staff\""));
    ann(w, INSERT("b", ",\"after\":\"a\",\"text\":\"B\""));
    ann(w, INSERT("b1", ",\"parent\":\"b\""));
    ann(w, INSERT("b2", ",\"parent\":\"b\",\"after\":\"b1\",\"text\":\"deep\""));
    ann(w, INSERT("d", ",\"after\":\"b\""));
    ann(w, COMMIT);
    char *before = keep(w);
    bob(w, MOVE("a", ",\"parent\":\"b2\""));
    bob(w, REMOVE("b1"));
    bob(w, INSERT("z", ",\"text\":\"new\""));
    bob(w, MOVE("b", ",\"parent\":\"z\""));
    bob(w, UPDATE("a", ",\"set\":{\"done\":true},\"unset\":[\"due\"],\"vis\":null"));
    splice(w, "bob", "a", "\"at\":2,\"del\":2,\"ins\":\"ä\"");
    bob(w, MOVE("d", ",\"parent\":null"));
    bob(w, INSERT("z1", ",\"parent\":\"z\",\"text\":\"new\""));
    revise(w, "ann", RESTORE(1));
    assert_skipped(w, "[]");
    assert_back(w, before);
    assert_order(w, NULL, "a b d ");
    assert_order(w, "b", "b1 b2 ");
}

static void restoring_what_stands_makes_no_event(void **state)
{
    struct world *w = *state;
    ann(w, INSERT("a", ",\"text\":\"A\""));
    ann(w, COMMIT);
    assert_int_equal(revise(w, "ann", RESTORE(1)), 0);
}

static void a_restore_can_be_undone(void **state)
{
    struct world *w = *state;
    ann(w, INSERT("a", ",\"text\":\"A\""));
    ann(w, COMMIT);
    ann(w, INSERT("b", ",\"text\":\"B\""));
    ann(w, REMOVE("a"));
    char *before = keep(w);
    revise(w, "ann", RESTORE(1));
    assert_order(w, NULL, "a ");
    char id[16];
    snprintf(id, sizeof id, "c%u", w->f.command_count);
    undo(w, "ann", id);
    assert_back(w, before);
}

static void an_unknown_revision_is_refused(void **state)
{
    struct world *w = *state;
    must_not_revise(w, RESTORE(1), "unknown_commit", "/args/rev");
    must_not_revise(w, RESTORE("1"), "bad_shape", "/args/rev");
    must_not_revise(w, "\"type\":\"canvas.restore\",\"args\":{\"rev\":1}", "missing_id", "/canvas_id");
}

/* ---- by chance ---- */

static uint32_t next_random(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

static void random_command(struct world *w, const char *actor, uint32_t *seed, const char *prefix)
{
    char members[512], place[64];
    unsigned id = next_random(seed, 12), other = next_random(seed, 12);
    snprintf(place, sizeof place, next_random(seed, 2) ? "null" : "\"b%u\"", other);
    size_t at = (size_t)snprintf(members, sizeof members, "%s" ON_C, prefix);
    switch (next_random(seed, 6)) {
    case 0:
        snprintf(members + at, sizeof members - at,
                 "\"type\":\"block.insert\",\"args\":{\"block\":{\"id\":\"b%u\",\"kind\":\"task\",\"parent\":%s,\"text\":\"t%u\"}}",
                 id + 12 * next_random(seed, 4), place, id);
        break;
    case 1:
        snprintf(members + at, sizeof members - at,
                 "\"type\":\"block.update\",\"args\":{\"id\":\"b%u\",\"set\":{\"due\":\"%u\"}}", id, next_random(seed, 99));
        break;
    case 2:
        snprintf(members + at, sizeof members - at, "\"type\":\"block.move\",\"args\":{\"id\":\"b%u\",\"parent\":%s}", id, place);
        break;
    case 3:
        snprintf(members + at, sizeof members - at, "\"type\":\"block.remove\",\"args\":{\"id\":\"b%u\"}", id);
        break;
    default:
        snprintf(members + at, sizeof members - at,
                 "\"type\":\"block.splice\",\"base\":\"%llu\",\"args\":{\"id\":\"b%u\",\"at\":0,\"del\":%u,\"ins\":\"%uä\"}",
                 (unsigned long long)gw_state_seq(w->f.state), id, next_random(seed, 3), next_random(seed, 9));
    }
    w->f.author_id = actor;
    size_t count = w->f.log.count;
    (void)run_command(&w->f, members); /* many are refused, which is as good */
    for (size_t i = count; i < w->f.log.count; i++)
        snprintf(w->f.log.items[i]->cause, GW_ID_MAX + 1, "c%u", w->f.command_count);
}

/* A turn that nobody crossed goes without a trace; and any revision comes back. */
static void random_turns_and_revisions_come_back(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 150; round++) {
        void *one = NULL;
        uint32_t seed = round + 1;
        open_world(&one);
        struct world *w = one;
        for (size_t i = 0; i < 40; i++)
            random_command(w, "bob", &seed, "");
        bob(w, COMMIT);
        char *before = keep(w), *again = keep(w);
        int64_t n = 0;
        for (size_t i = 0; i < 15; i++) {
            char prefix[64];
            snprintf(prefix, sizeof prefix, "\"origin\":\"o\",\"n\":%lld,", (long long)n + 1);
            size_t count = w->f.log.count;
            random_command(w, "ann", &seed, prefix);
            n += w->f.log.count > count;
        }
        if (n > 0)
            revise(w, "ann", "\"type\":\"undo\",\"args\":{\"origin\":\"o\"}");
        if (gw_json_count(w->skipped) == 0)
            assert_back(w, before);
        else
            gw_free(before);
        for (size_t i = 0; i < 30; i++)
            random_command(w, "bob", &seed, "");
        revise(w, "ann", RESTORE(1));
        assert_skipped(w, "[]");
        assert_back(w, again);
        close_world(&one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_kind_of_change_is_taken_back, open_world, close_world),
        cmocka_unit_test_setup_teardown(what_another_wrote_since_stays_and_is_told, open_world, close_world),
        cmocka_unit_test_setup_teardown(one_undoes_only_what_is_ones_own, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_block_that_others_have_touched_stays, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_removed_block_is_not_written_to, open_world, close_world),
        cmocka_unit_test_setup_teardown(ones_own_typing_goes_and_that_of_others_stays, open_world, close_world),
        cmocka_unit_test_setup_teardown(typing_and_deleting_ones_own_leaves_nothing, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_whole_turn_goes_at_once, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_block_comes_back_with_its_author, open_world, close_world),
        cmocka_unit_test_setup_teardown(nobody_else_may_name_an_author_or_use_a_removed_id, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_revision_comes_back_whole, open_world, close_world),
        cmocka_unit_test_setup_teardown(restoring_what_stands_makes_no_event, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_restore_can_be_undone, open_world, close_world),
        cmocka_unit_test_setup_teardown(an_unknown_revision_is_refused, open_world, close_world),
        cmocka_unit_test(random_turns_and_revisions_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
