#include "support/hub_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "support/plain_wire.h"

/* Taken at once, so that sweeps of failing allocations do not meet the reader's own. */
#define ROOM 8192

/* ---- what the hub calls ------------------------------------------------------------------------------------------------------------------ */

/* As a server does that cannot say what it should. */
static void give_up(struct world_reader *reader)
{
    gw_subscriber_close(&reader->subscriber);
    reader->is_open = reader->is_owed = false;
    snprintf(reader->session->ended, sizeof reader->session->ended, "no_memory");
}

static void on_verdict(struct gw_subscriber *subscriber, const struct gw_verdict *verdict)
{
    struct world_reader *reader = (struct world_reader *)(void *)subscriber;
    char line[GW_CURSOR_MAX + 64];
    int length = snprintf(line, sizeof line, "V|%s|%s|%s\n", gw_verdict_name(verdict->status), verdict->reason ? verdict->reason : "",
                          verdict->head);
    reader->session->verdict_count++;
    reader->session->is_refused = verdict->status == GW_VERDICT_RETRY;
    int status = reader->session->is_refused ? gw_subscriber_finish(subscriber, line, (size_t)length)
                                             : gw_subscriber_control(subscriber, line, (size_t)length);
    if (status == GW_ENOMEM)
        give_up(reader);
    else
        assert_int_equal(status, GW_OK);
}

static size_t choose_size(struct world_reader *reader, size_t total)
{
    if (reader->is_stalled)
        return 0;
    return world_chance(reader->world, reader->shorts) ? world_random(reader->world, total) : total;
}

static ssize_t on_write(struct gw_subscriber *subscriber, const struct iovec *parts, int count)
{
    struct world_reader *reader = (struct world_reader *)(void *)subscriber;
    size_t total = 0;
    for (int i = 0; i < count; i++)
        total += parts[i].iov_len;
    assert_true(reader->is_open && !reader->is_owed && total > 0);
    if (world_chance(reader->world, reader->failures))
        return -1;
    size_t taken = choose_size(reader, total), left = taken;
    for (int i = 0; i < count && left > 0; i++) {
        size_t length = parts[i].iov_len < left ? parts[i].iov_len : left;
        gw_buffer_append(&reader->session->bytes, parts[i].iov_base, length);
        left -= length;
    }
    reader->is_owed = taken < total;
    return (ssize_t)taken;
}

static void on_ended(struct gw_subscriber *subscriber, const char *reason)
{
    struct world_reader *reader = (struct world_reader *)(void *)subscriber;
    assert_true(reader->is_open);
    reader->is_open = reader->is_owed = false;
    snprintf(reader->session->ended, sizeof reader->session->ended, "%s", reason);
}

/* No world deletes or erases. */
static void on_purged(struct gw_subscriber *subscriber) { fail_msg("%p", (void *)subscriber); }

static bool can_write(struct world_actor *actor)
{
    const struct world_reader *reader = (const struct world_reader *)(void *)((char *)actor - offsetof(struct world_reader, actor));
    return reader->is_owed && !reader->is_stalled;
}

static void let_write(struct world_actor *actor)
{
    struct world_reader *reader = (struct world_reader *)(void *)((char *)actor - offsetof(struct world_reader, actor));
    world_enter(reader->world, reader->node, reader->worker);
    reader->is_owed = false;
    gw_subscriber_writable(&reader->subscriber);
    world_leave(reader->world);
}

/* ---- what the spec calls ------------------------------------------------------------------------------------------------------------------ */

void world_reader_init(struct world_reader *reader, struct world *world, const char *run_id, size_t plan)
{
    static const struct gw_subscriber_ops ops = {.verdict = on_verdict, .write = on_write, .purged = on_purged, .ended = on_ended};
    *reader = (struct world_reader){.world = world, .plan = plan};
    reader->subscriber.ops = &ops;
    reader->actor = (struct world_actor){.can_act = can_write, .act = let_write};
    snprintf(reader->run_id, sizeof reader->run_id, "%s", run_id);
    world_add_actor(world, &reader->actor);
}

void world_reader_fini(struct world_reader *reader)
{
    world_reader_close(reader);
    world_remove_actor(reader->world, &reader->actor);
    while (reader->session) {
        struct world_session *session = reader->session;
        reader->session = session->older;
        gw_buffer_fini(&session->bytes);
        gw_free(session);
    }
}

void world_reader_canvases(struct world_reader *reader, const char *ids)
{
    reader->set = (struct gw_canvas_set){0};
    while (*ids) {
        size_t length = strcspn(ids, " ");
        snprintf(reader->set.ids[reader->set.count++], GW_ID_MAX + 1, "%.*s", (int)length, ids);
        ids += length + (ids[length] == ' ');
    }
}

/* The cursor is of this class, and of a set that holds this one. */
static bool is_good(const struct world_reader *reader, const char *cursor)
{
    struct gw_opened opened;
    struct gw_run_key run;
    struct gw_scope scope = world_scope(reader->run_id);
    gw_run_key_encode(&scope, &run);
    if (plain_wire()->open(NULL, &run, &reader->set, cursor, &opened))
        return false;
    return opened.covers && opened.position.class_id == reader->world->plans[reader->plan]->class_id;
}

static struct world_session *add_session(struct world_reader *reader, enum gw_start start)
{
    struct world_session *session = gw_alloc(sizeof *session);
    *session = (struct world_session){.older = reader->session, .start = start, .plan = reader->plan, .set = reader->set};
    session->bytes = (struct gw_buffer){.data = gw_alloc(ROOM), .capacity = ROOM};
    reader->session = session;
    return session;
}

static void open_session(struct world_reader *reader, enum gw_start start, const char *cursor, uint64_t number)
{
    struct gw_error err;
    struct world *world = reader->world;
    struct world_session *session = add_session(reader, start);
    session->number = number;
    session->must_be_exact = cursor && is_good(reader, cursor);
    if (cursor)
        snprintf(session->cursor, sizeof session->cursor, "%s", cursor);
    reader->is_open = true;
    reader->is_owed = false;
    struct gw_subscribe_opts opts = {.scope = world_scope(reader->run_id),
                                     .plan = world->plans[reader->plan],
                                     .set = reader->set,
                                     .start = start,
                                     .cursor = cursor ? session->cursor : NULL,
                                     .number = number,
                                     .arrival = reader->arrival.actor.id[0] ? &reader->arrival : NULL};
    reader->subscriber.actor = &reader->arrival.actor;
    world_enter(world, reader->node, reader->worker);
    if (gw_subscriber_open(world_hub(world, reader->node, reader->worker), &reader->subscriber, &opts, &err)) {
        reader->is_open = false;
        snprintf(session->ended, sizeof session->ended, "%s", err.id);
    }
    world_leave(world);
}

void world_reader_open(struct world_reader *reader, enum gw_start start, uint64_t number) { open_session(reader, start, NULL, number); }

void world_reader_open_at(struct world_reader *reader, const char *cursor) { open_session(reader, GW_START_CURSOR, cursor, 0); }

void world_reader_switch(struct world_reader *reader, size_t plan)
{
    reader->plan = plan;
    world_enter(reader->world, reader->node, reader->worker);
    const struct gw_arrival *arrival = reader->arrival.actor.id[0] ? &reader->arrival : NULL;
    int status = gw_subscriber_switch(&reader->subscriber, reader->world->plans[plan], arrival);
    world_leave(reader->world);
    if (status)
        world_reader_close(reader);
    else
        add_session(reader, GW_START_CHECKPOINT)->is_switched = true;
}

void world_reader_close(struct world_reader *reader)
{
    if (!reader->is_open)
        return;
    world_enter(reader->world, reader->node, reader->worker);
    gw_subscriber_close(&reader->subscriber);
    world_leave(reader->world);
    reader->is_open = reader->is_owed = false;
}

/* The cursor of a whole line, or NULL. */
static const char *cursor_of(const char *line, size_t *length)
{
    const char *at = line[0] == 'E' || line[0] == 'I' || line[0] == 'C' ? strchr(line + 2, '|') : NULL;
    if (!at)
        return NULL;
    *length = strcspn(++at, "|\n");
    return at[0] == '-' ? NULL : at;
}

bool world_reader_cursor(const struct world_reader *reader, char out[GW_CURSOR_MAX])
{
    bool is_found = false;
    for (const struct world_session *session = reader->session; session && !is_found; session = session->older) {
        const char *at = session->bytes.data, *end = at + session->bytes.length, *newline;
        while (at < end && (newline = memchr(at, '\n', (size_t)(end - at)))) {
            size_t length;
            const char *cursor = cursor_of(at, &length);
            if (cursor) {
                snprintf(out, GW_CURSOR_MAX, "%.*s", (int)length, cursor);
                is_found = true;
            }
            at = newline + 1;
        }
    }
    return is_found;
}

const char *world_reader_text(struct world_reader *reader)
{
    gw_buffer_append_char(&reader->session->bytes, '\0');
    gw_buffer_truncate(&reader->session->bytes, reader->session->bytes.length - 1);
    return reader->session->bytes.data;
}
