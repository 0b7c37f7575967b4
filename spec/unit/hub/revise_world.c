#include "revise_world.h"

void as(struct world *w, const char *actor, const char *members)
{
    size_t count = w->f.log.count;
    w->f.author_id = actor;
    must(&w->f, members);
    for (size_t i = count; i < w->f.log.count; i++)
        snprintf(w->f.log.items[i]->cause, GW_ID_MAX + 1, "c%u", w->f.command_count);
}

void ann(struct world *w, const char *members) { as(w, "ann", members); }
void bob(struct world *w, const char *members) { as(w, "bob", members); }

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
        .manifests = f->manifests, .plan = f->plan, .author_kind = f->author_kind, .author_id = f->author_id, .epoch = 1};
    struct gw_revise_need need;
    struct gw_past past = {0};
    gw_revise_find_need(f->state, command, f->author_id, &need);
    need.turn.plan = f->plan;
    if (need.kind == GW_PAST_STATE)
        past.state = state_at(w, need.at_seq);
    if (need.kind == GW_PAST_TURN)
        past.turn = turn_of(w, &need.turn);
    gw_json_unref(w->skipped);
    struct gw_revised revised = {.events = events};
    int status = gw_state_revise(f->state, command, &context, &past, &revised, &f->err);
    w->skipped = revised.skipped;
    gw_state_destroy(past.state);
    gw_turn_destroy(past.turn);
    return status;
}

size_t revise(struct world *w, const char *actor, const char *members)
{
    struct gw_command command;
    struct gw_event_list events = {0};
    size_t count = w->f.log.count;
    w->f.author_id = actor;
    make_command(&w->f, members, &command);
    char *before = state_text(w->f.state, w->f.plan);
    if (resolve_revision(w, &command, &events))
        fail_msg("%s: %s at %s for %s", w->f.err.id, w->f.err.message, w->f.err.path, members);
    char *after = state_text(w->f.state, w->f.plan);
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

void undo(struct world *w, const char *actor, const char *of)
{
    char members[256];
    snprintf(members, sizeof members, "\"type\":\"undo\",\"args\":{\"of\":\"%s\"}", of);
    revise(w, actor, members);
}

void must_not_revise(struct world *w, const char *members, const char *id, const char *path)
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

int open_world(void **state)
{
    struct world *w = gw_alloc(sizeof *w);
    fixture_open(&w->f);
    as(w, "ann", MOUNT);
    *state = w;
    return 0;
}

int close_world(void **state)
{
    struct world *w = *state;
    gw_json_unref(w->skipped);
    fixture_close(&w->f);
    gw_free(w);
    return 0;
}

void splice(struct world *w, const char *actor, const char *id, const char *edit)
{
    char members[512];
    snprintf(members, sizeof members, ON_C "\"type\":\"block.splice\",\"base\":\"%llu\",\"args\":{\"id\":\"%s\",%s}",
             (unsigned long long)gw_state_seq(w->f.state), id, edit);
    as(w, actor, members);
}

char *keep(struct world *w) { return state_text(w->f.state, w->f.plan); }

void assert_back(struct world *w, char *kept /* taken */)
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

void assert_order(struct world *w, const char *parent, const char *expected)
{
    char got[256] = "";
    struct gw_canvas *canvas = gw_state_canvas(w->f.state, "c");
    const struct gw_block *above = parent ? gw_blocks_find(canvas->blocks, parent) : NULL;
    for (const struct gw_block *b = gw_blocks_first_child(canvas->blocks, above); b; b = gw_block_next_sibling(b))
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s ", gw_block_id(b));
    assert_string_equal(got, expected);
}

void assert_text(struct world *w, const char *id, const char *expected)
{
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_text_write(gw_block_text(gw_blocks_find(gw_state_canvas(w->f.state, "c")->blocks, id)), &text);
    gw_buffer_append(&text, "", 1);
    assert_string_equal(text.data, expected);
    gw_buffer_fini(&text);
}

void assert_skipped(struct world *w, const char *expected) { assert_json(w->skipped, expected); }
