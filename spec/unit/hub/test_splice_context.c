/* Splice contexts under simulated clients: each edits its own view with many splices in flight, folds what arrives, and ends with the
 * server's text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/journal.h"
#include "hub/splice_context.h"

enum { CLIENT_MAX = 5, POINT_MAX = 4096, EVENT_MAX = 4096, INS_MAX = 4, PENDING_MAX = 64 };

/* ---- texts of numbers, so that no two points are alike ---- */

struct points {
    uint32_t at[POINT_MAX];
    size_t count;
};

static void apply_splice(struct points *text, struct gw_splice s, const uint32_t *ins)
{
    assert_true((size_t)s.at + s.del <= text->count && text->count + s.ins - s.del <= POINT_MAX);
    memmove(text->at + s.at + s.ins, text->at + s.at + s.del, (text->count - s.at - s.del) * sizeof text->at[0]);
    if (s.ins)
        memcpy(text->at + s.at, ins, s.ins * sizeof *ins);
    text->count = text->count + s.ins - s.del;
}

static void apply_op(struct points *text, const struct gw_text_op *op, const uint32_t *ins)
{
    for (uint32_t i = 0; i < gw_text_op_splice_count(op); i++)
        apply_splice(text, gw_text_op_splice(op, i), ins);
}

static void assert_same_points(const struct points *a, const struct points *b)
{
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->at, b->at, a->count * sizeof a->at[0]);
}

/* ---- the world ---- */

struct command {
    size_t client;
    struct gw_splice_edit edit;
    uint32_t ins[INS_MAX];
};

struct event {
    size_t client;
    struct gw_text_op op;
    uint32_t ins[INS_MAX];
};

struct client {
    char origin[32]; /* "" sends one splice at a time, without origin */
    struct points text;
    uint64_t seen_seq;
    struct gw_text_op pending[PENDING_MAX];
    size_t pending_count;
    struct command sent[PENDING_MAX];
    size_t sent_count;
};

struct world {
    uint64_t seed;
    struct gw_splice_limits limits;
    struct gw_journal journal;
    struct gw_splice_log *log;
    size_t open_ops;
    struct points text;
    struct event *events; /* event of seq n at n - 1 */
    uint64_t head_seq;
    struct client clients[CLIENT_MAX];
    size_t client_count, moved, refused;
    uint32_t next_point;
};

static uint32_t next_random(struct world *w, size_t below)
{
    w->seed = w->seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((w->seed >> 33) % below);
}

static struct world *world_create(uint64_t seed, size_t client_count)
{
    struct world *w = gw_alloc(sizeof *w);
    w->seed = seed;
    w->limits = (struct gw_splice_limits){2000, 16384, 100000};
    w->log = gw_splice_log_create(&w->open_ops);
    w->events = gw_alloc_array(EVENT_MAX, sizeof *w->events);
    w->client_count = client_count;
    for (size_t i = 0; i < client_count; i++)
        if (i != 3)
            snprintf(w->clients[i].origin, sizeof w->clients[i].origin, "client%zu", i);
    return w;
}

static void world_destroy(struct world *w)
{
    for (uint64_t i = 0; i < w->head_seq; i++)
        gw_text_op_fini(&w->events[i].op);
    for (size_t i = 0; i < w->client_count; i++)
        for (size_t k = 0; k < w->clients[i].pending_count; k++)
            gw_text_op_fini(&w->clients[i].pending[k]);
    gw_splice_log_destroy(w->log);
    assert_int_equal(w->open_ops, 0);
    gw_free(w->events);
    gw_free(w);
}

/* ---- the client's half ---- */

static void client_types(struct world *w, size_t index)
{
    struct client *c = &w->clients[index];
    if (c->pending_count == PENDING_MAX || (!c->origin[0] && c->pending_count))
        return;
    struct command *command = &c->sent[c->sent_count++];
    *command = (struct command){.client = index};
    struct gw_splice *s = &command->edit.written;
    s->at = next_random(w, c->text.count + 1);
    if (next_random(w, 3) == 0)
        s->at = s->at < 6 ? s->at : next_random(w, 6); /* a hot place, for ties */
    size_t rest = c->text.count - s->at;
    s->del = next_random(w, 2) ? 0 : next_random(w, (rest < 9 ? rest : 9) + 1);
    s->ins = next_random(w, c->text.count > 300 ? 2 : INS_MAX + 1);
    for (uint32_t i = 0; i < s->ins; i++)
        command->ins[i] = ++w->next_point;
    command->edit.origin = c->origin;
    command->edit.base_seq = c->seen_seq;
    gw_text_op_init(&c->pending[c->pending_count++], s);
    apply_splice(&c->text, *s, command->ins);
}

static void replace_op(struct gw_text_op *op, struct gw_text_op next)
{
    gw_text_op_fini(op);
    *op = next;
}

static void client_receives(struct world *w, size_t index)
{
    struct client *c = &w->clients[index];
    if (c->seen_seq == w->head_seq)
        return;
    const struct event *event = &w->events[c->seen_seq++];
    if (event->client == index) {
        gw_text_op_fini(&c->pending[0]);
        memmove(c->pending, c->pending + 1, --c->pending_count * sizeof c->pending[0]);
        return;
    }
    struct gw_text_op incoming, next, own;
    assert_int_equal(gw_text_op_copy(&event->op, &incoming), 0);
    for (size_t i = 0; i < c->pending_count; i++) {
        assert_int_equal(gw_text_op_transform(&incoming, &c->pending[i], false, &next), 0);
        assert_int_equal(gw_text_op_transform(&c->pending[i], &incoming, true, &own), 0);
        replace_op(&incoming, next);
        replace_op(&c->pending[i], own);
    }
    apply_op(&c->text, &incoming, event->ins);
    gw_text_op_fini(&incoming);
}

/* ---- the server ---- */

static struct gw_buffer saved_log(struct world *w)
{
    struct gw_buffer out;
    gw_buffer_init(&out, 0);
    gw_splice_log_write(w->log, &w->limits, w->head_seq, &out);
    assert_false(out.has_failed);
    return out;
}

static void assert_same_buffer(struct gw_buffer a, struct gw_buffer b)
{
    assert_int_equal(a.length, b.length);
    assert_memory_equal(a.data, b.data, a.length);
    gw_buffer_fini(&a);
    gw_buffer_fini(&b);
}

static void fold_and_revert(struct world *w, const struct gw_splice_edit *edit, const struct gw_text_op *op)
{
    struct gw_buffer before = saved_log(w);
    size_t open_before = w->open_ops;
    gw_journal_begin(&w->journal);
    assert_int_equal(gw_splice_log_fold(w->log, edit, op, &w->journal), 0);
    assert_int_equal(gw_splice_log_fold(w->log, edit, op, &w->journal), 0);
    gw_journal_revert(&w->journal);
    assert_int_equal(w->open_ops, open_before);
    assert_same_buffer(before, saved_log(w));
}

static void reload_log(struct world *w)
{
    static const struct gw_json_limits limits = {.max_bytes = 1 << 26, .max_depth = 32, .max_nodes = 1 << 22};
    struct gw_buffer saved = saved_log(w);
    struct gw_json *json;
    struct gw_error err;
    assert_int_equal(gw_json_parse(saved.data, saved.length, &limits, &json, &err), 0);
    gw_splice_log_destroy(w->log);
    w->log = gw_splice_log_create(&w->open_ops);
    assert_int_equal(gw_splice_log_load(w->log, json, &err), 0);
    gw_json_unref(json);
    assert_same_buffer(saved, saved_log(w));
}

static void server_takes(struct world *w, size_t index)
{
    struct client *c = &w->clients[index];
    if (c->sent_count == 0)
        return;
    struct command command = c->sent[0];
    memmove(c->sent, c->sent + 1, --c->sent_count * sizeof c->sent[0]);
    struct event *event = &w->events[w->head_seq];
    struct gw_error err;
    command.edit.seq = w->head_seq + 1;
    assert_int_equal(gw_splice_log_resolve(w->log, &w->limits, &command.edit, &event->op, &err), 0);
    size_t points = gw_splice_log_points(w->log, &command.edit, w->text.count);
    assert_true(command.edit.written.at + command.edit.written.del <= points);
    w->moved += gw_text_op_splice_count(&event->op) != 1 || gw_text_op_splice(&event->op, 0).at != command.edit.written.at;
    if (next_random(w, 16) == 0)
        fold_and_revert(w, &command.edit, &event->op);
    assert_int_equal(gw_splice_log_fold(w->log, &command.edit, &event->op, &w->journal), 0);
    event->client = index;
    memcpy(event->ins, command.ins, sizeof event->ins);
    apply_op(&w->text, &event->op, event->ins);
    w->head_seq++;
    if (next_random(w, 8) == 0)
        gw_splice_log_prune(w->log, &w->limits, w->head_seq);
    if (next_random(w, 200) == 0)
        reload_log(w);
}

static void settle(struct world *w)
{
    for (size_t i = 0; i < w->client_count; i++)
        while (w->clients[i].sent_count)
            server_takes(w, i);
    for (size_t i = 0; i < w->client_count; i++)
        while (w->clients[i].seen_seq < w->head_seq)
            client_receives(w, i);
    for (size_t i = 0; i < w->client_count; i++) {
        assert_int_equal(w->clients[i].pending_count, 0);
        assert_same_points(&w->clients[i].text, &w->text);
    }
}

/* A client that reloads its page: it starts again from the server's text under a new name. Its unsent splices are lost with it. */
static void client_restarts(struct world *w, size_t index)
{
    struct client *c = &w->clients[index];
    while (c->sent_count)
        server_takes(w, index);
    for (size_t i = 0; i < c->pending_count; i++)
        gw_text_op_fini(&c->pending[i]);
    c->pending_count = 0;
    c->text = w->text;
    c->seen_seq = w->head_seq;
    if (c->origin[0])
        snprintf(c->origin, sizeof c->origin, "again%u", next_random(w, 1000000));
}

static size_t simulate(uint64_t seed, size_t client_count, size_t steps)
{
    struct world *w = world_create(seed, client_count);
    for (size_t i = 0; i < steps && w->head_seq + CLIENT_MAX * PENDING_MAX < EVENT_MAX; i++) {
        size_t client = next_random(w, client_count);
        switch (next_random(w, 4)) {
        case 0:
            client_types(w, client);
            break;
        case 1:
            server_takes(w, client);
            break;
        default:
            client_receives(w, client);
            break;
        }
        if (next_random(w, 1500) == 0)
            client_restarts(w, client);
        if (next_random(w, 1000) == 0)
            settle(w);
    }
    settle(w);
    size_t moved = w->moved;
    world_destroy(w);
    return moved;
}

static void clients_with_latency_converge(void **state)
{
    (void)state;
    size_t moved = 0;
    for (uint64_t seed = 1; seed <= 60; seed++)
        moved += simulate(seed, 1 + seed % CLIENT_MAX, 3000);
    assert_true(moved > 5000);
}

/* ---- limits ---- */

static void fold_insert(struct gw_splice_log *log, struct gw_journal *journal, uint64_t seq, const char *origin)
{
    struct gw_splice_edit edit = {origin, seq - 1, seq, {0, 0, 1}};
    struct gw_text_op op;
    gw_text_op_init(&op, &edit.written);
    assert_int_equal(gw_splice_log_fold(log, &edit, &op, journal), 0);
}

static int resolve_at(struct gw_splice_log *log, const struct gw_splice_limits *limits, uint64_t base, uint64_t seq, struct gw_error *err)
{
    struct gw_splice_edit edit = {"me", base, seq, {0, 0, 1}};
    struct gw_text_op op;
    int code = gw_splice_log_resolve(log, limits, &edit, &op, err);
    if (!code)
        gw_text_op_fini(&op);
    return code;
}

static void a_base_outside_the_window_is_too_old(void **state)
{
    (void)state;
    struct gw_splice_limits limits = {10, 100, 1000};
    size_t open_ops = 0;
    struct gw_journal journal = {0};
    struct gw_error err = {0};
    struct gw_splice_log *log = gw_splice_log_create(&open_ops);
    for (uint64_t seq = 1; seq <= 20; seq++)
        fold_insert(log, &journal, seq, "other");
    assert_int_equal(resolve_at(log, &limits, 10, 21, &err), 0);
    assert_int_equal(resolve_at(log, &limits, 9, 21, &err), GW_ELIMIT);
    assert_string_equal(err.id, "base_too_old");
    assert_string_equal(err.limit_name, "edit_window");
    gw_splice_log_prune(log, &limits, 20);
    assert_int_equal(resolve_at(log, &limits, 10, 21, &err), 0);
    assert_int_equal(resolve_at(NULL, &limits, 9, 21, &err), GW_ELIMIT);
    assert_int_equal(resolve_at(NULL, &limits, 10, 21, &err), 0);
    gw_splice_log_destroy(log);
}

static void a_base_that_has_not_happened_is_refused(void **state)
{
    (void)state;
    struct gw_splice_limits limits = {10, 100, 1000};
    struct gw_error err;
    assert_int_equal(resolve_at(NULL, &limits, 5, 4, &err), GW_EINVAL);
    assert_string_equal(err.id, "base_in_future");
}

static void too_many_unseen_splices_make_a_base_too_old(void **state)
{
    (void)state;
    struct gw_splice_limits limits = {1000, 5, 1000};
    size_t open_ops = 0;
    struct gw_journal journal = {0};
    struct gw_error err = {0};
    struct gw_splice_log *log = gw_splice_log_create(&open_ops);
    for (uint64_t seq = 1; seq <= 20; seq++)
        fold_insert(log, &journal, seq, NULL);
    assert_int_equal(resolve_at(log, &limits, 15, 21, &err), 0);
    assert_int_equal(resolve_at(log, &limits, 14, 21, &err), GW_ELIMIT);
    assert_string_equal(err.limit_name, "max_context_ops");
    gw_splice_log_destroy(log);
}

static void many_origins_with_old_bases_are_bounded_together(void **state)
{
    (void)state;
    struct gw_splice_limits limits = {1000, 500, 300};
    size_t open_ops = 0;
    struct gw_journal journal = {0};
    struct gw_error err = {0};
    struct gw_splice_log *log = gw_splice_log_create(&open_ops);
    for (uint64_t seq = 1; seq <= 200; seq++)
        fold_insert(log, &journal, seq, NULL);
    size_t taken = 0;
    for (uint64_t seq = 201; seq <= 220; seq++) {
        char origin[32];
        snprintf(origin, sizeof origin, "o%u", (unsigned)seq);
        struct gw_splice_edit edit = {origin, 0, seq, {0, 0, 1}};
        struct gw_text_op op;
        if (gw_splice_log_resolve(log, &limits, &edit, &op, &err)) {
            assert_string_equal(err.limit_name, "max_open_ops");
            continue;
        }
        assert_int_equal(gw_splice_log_fold(log, &edit, &op, &journal), 0);
        gw_text_op_fini(&op);
        taken++;
    }
    assert_int_equal(taken, 2);
    assert_int_equal(resolve_at(log, &limits, 190, 221, &err), 0);
    gw_splice_log_prune(log, &limits, 5000);
    assert_int_equal(open_ops, 0);
    assert_true(gw_splice_log_is_empty(log));
    gw_splice_log_destroy(log);
}

static void every_failing_allocation_leaves_the_log_as_it_was(void **state)
{
    (void)state;
    struct world *w = world_create(5, 2);
    for (uint64_t seq = 1; seq <= 6; seq++)
        fold_insert(w->log, &w->journal, seq, "other");
    w->head_seq = 6;
    struct gw_splice_edit edit = {"me", 0, 7, {0, 0, 1}};
    struct gw_text_op op;
    struct gw_error err;
    assert_int_equal(gw_splice_log_resolve(w->log, &w->limits, &edit, &op, &err), 0);
    int code = GW_ENOMEM;
    for (long n = 1; code; n++) {
        struct gw_buffer before = saved_log(w);
        gw_alloc_fail_after(n);
        code = gw_splice_log_fold(w->log, &edit, &op, &w->journal);
        gw_alloc_fail_after(0);
        if (code)
            assert_same_buffer(before, saved_log(w));
        else
            gw_buffer_fini(&before);
    }
    assert_int_equal(gw_splice_log_last_seq(w->log), 7);
    gw_text_op_fini(&op);
    w->head_seq = 0;
    world_destroy(w);
}

static void damaged_checkpoints_are_refused(void **state)
{
    (void)state;
    static const char *const damaged[] = {
        "[]",
        "{}",
        "{\"ops\":[],\"open\":{}}",
        "{\"ops\":[[1]],\"open\":[]}",
        "{\"ops\":[[1,2,3,4]],\"open\":[]}",
        "{\"ops\":[[1,-2,3]],\"open\":[]}",
        "{\"ops\":[[1,2,3,0,4]],\"open\":[]}",
        "{\"ops\":[[2,0,1],[1,0,1]],\"open\":[]}",
        "{\"ops\":[[1,5,0,9,1,5,2]],\"open\":[]}",
        "{\"ops\":[],\"open\":[{\"origin\":1,\"base\":0,\"last\":0,\"unseen\":[]}]}",
        "{\"ops\":[],\"open\":[{\"origin\":\"a\",\"base\":0,\"last\":0,\"unseen\":[[1]]}]}",
        "{\"ops\":[],\"open\":[{\"origin\":\"a\",\"base\":0,\"last\":0,\"unseen\":[]},{\"origin\":\"a\",\"base\":0}]}",
    };
    static const struct gw_json_limits limits = {.max_bytes = 1 << 16, .max_depth = 32, .max_nodes = 1 << 10};
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        struct gw_json *json;
        struct gw_error err;
        size_t open_ops = 0;
        struct gw_splice_log *log = gw_splice_log_create(&open_ops);
        assert_int_equal(gw_json_parse(damaged[i], strlen(damaged[i]), &limits, &json, &err), 0);
        assert_int_equal(gw_splice_log_load(log, json, &err), GW_EINVAL);
        assert_string_equal(err.id, "bad_checkpoint");
        gw_json_unref(json);
        gw_splice_log_destroy(log);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_with_latency_converge),
        cmocka_unit_test(a_base_outside_the_window_is_too_old),
        cmocka_unit_test(a_base_that_has_not_happened_is_refused),
        cmocka_unit_test(too_many_unseen_splices_make_a_base_too_old),
        cmocka_unit_test(many_origins_with_old_bases_are_bounded_together),
        cmocka_unit_test(every_failing_allocation_leaves_the_log_as_it_was),
        cmocka_unit_test(damaged_checkpoints_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
