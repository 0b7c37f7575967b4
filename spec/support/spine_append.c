/* Appends one record to a run of a stopped gateway's SQLite spine, through the driver and the encoder that the gateway itself uses. For specs of events that
 * no command makes. Not part of the program.
 *   spine_append SPINE_DB TENANT/MODE/PROJECT/RUN < events      a JSON array of {type, actor: {id, kind}, canvas_id?, data, facets?}
 * The run must have a record. Exits with 0 once the record is durable. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/metrics.h"
#include "hub/event.h"
#include "hub/record.h"
#include "spine/calls.h"
#include "spine/sqlite/sqlite_spine.h"

enum { MAX_INPUT = 1 << 20 };

static void stop(const char *what, const char *why)
{
    fprintf(stderr, "spine_append: %s: %s\n", what, why);
    exit(1);
}

/* ---- one call of the port at a time ---- */

static void on_append(struct gw_spine_append *request) { *(size_t *)request->arg = 1; }
static void on_read(struct gw_spine_read *request) { *(size_t *)request->arg = 1; }
static void on_tail(struct gw_spine_tail *request) { *(size_t *)request->arg = 1; }

static void check(int status, const char *what, const struct gw_error *err)
{
    if (status != GW_OK)
        stop(what, err->message);
}

static uint64_t tail_of(const struct gw_spine *port, const struct gw_run_key *run)
{
    struct inbox inbox;
    size_t answers = 0;
    inbox_init(&inbox);
    struct gw_spine_tail request = {.run = *run, .home = &inbox.executor, .done = on_tail, .arg = &answers};
    port->tail(port->self, &request);
    inbox_run_until(&inbox, &answers, 1);
    inbox_fini(&inbox);
    check(request.status, "tail", &request.err);
    if (request.tail_seq == 0)
        stop(run->text, "has no record");
    return request.tail_seq;
}

static void read_last(const struct gw_spine *port, const struct gw_run_key *run, uint64_t tail, struct gw_record *out)
{
    struct inbox inbox;
    struct gw_error err;
    size_t answers = 0;
    inbox_init(&inbox);
    struct gw_spine_read request = {
        .run = *run, .from_seq = tail, .to_seq = tail, .max_bytes = 1, .home = &inbox.executor, .done = on_read, .arg = &answers};
    port->read(port->self, &request);
    inbox_run_until(&inbox, &answers, 1);
    inbox_fini(&inbox);
    check(request.status, "read", &request.err);
    check(gw_record_parse(request.records[0].payload, request.records[0].payload_length, out, &err), "record", &err);
    gw_spine_read_fini(&request);
}

static void append(const struct gw_spine *port, const struct gw_run_key *run, uint64_t first, uint64_t last,
                   const struct gw_buffer *payload)
{
    struct inbox inbox;
    size_t answers = 0;
    inbox_init(&inbox);
    struct gw_spine_append request = {.run = *run,
                                      .first_seq = first,
                                      .last_seq = last,
                                      .payload = payload->data,
                                      .payload_length = payload->length,
                                      .home = &inbox.executor,
                                      .done = on_append,
                                      .arg = &answers};
    port->append(port->self, &request);
    inbox_run_until(&inbox, &answers, 1);
    inbox_fini(&inbox);
    check(request.status, "append", &request.err);
}

/* ---- events ---- */

static void copy_text(const struct gw_json *object, const char *name, char *out, size_t size)
{
    const struct gw_json *value = object ? gw_json_get(object, name) : NULL;
    if (gw_json_is_string(value))
        snprintf(out, size, "%s", gw_json_text(value, NULL));
}

/* In the time and from the place of the event before it: of a run's events no time is before the last. */
static struct gw_event *make_event(const struct gw_json *spec, const struct gw_event *before)
{
    char type[64] = "", kind[64] = "";
    struct gw_event *event = gw_event_create();
    const struct gw_json *actor = gw_json_get(spec, "actor");
    copy_text(spec, "type", type, sizeof type);
    copy_text(actor, "kind", kind, sizeof kind);
    event->type = gw_event_type_parse(type);
    if (event->type == GW_EVENT_TYPE_COUNT || gw_actor_kind_parse(kind, &event->actor.kind) != GW_OK || !gw_json_get(spec, "data"))
        stop("events", "each has a known type, an actor and data");
    copy_text(actor, "id", event->actor.id, sizeof event->actor.id);
    copy_text(spec, "canvas_id", event->canvas_id, sizeof event->canvas_id);
    event->ts_ms = before->ts_ms;
    memcpy(event->surface_id, before->surface_id, sizeof event->surface_id);
    memcpy(event->app_id, before->app_id, sizeof event->app_id);
    event->data = gw_json_ref(gw_json_get(spec, "data"));
    event->facets = gw_json_ref(gw_json_get(spec, "facets"));
    return event;
}

static struct gw_json *read_events(void)
{
    static char text[MAX_INPUT];
    struct gw_json_limits limits = {.max_bytes = MAX_INPUT, .max_depth = 32, .max_nodes = 16384};
    struct gw_json *events = NULL;
    struct gw_error err;
    size_t length = fread(text, 1, sizeof text, stdin);
    check(gw_json_parse(text, length, &limits, &events, &err), "events", &err);
    if (!gw_json_is_array(events) || gw_json_count(events) == 0)
        stop("events", "an array of at least one");
    return events;
}

static void append_events(const struct gw_spine *port, const struct gw_run_key *run, const struct gw_json *events)
{
    struct gw_record last;
    struct gw_record_writer writer;
    struct gw_buffer payload;
    uint64_t tail = tail_of(port, run);
    read_last(port, run, tail, &last);
    gw_record_writer_init(&writer);
    gw_buffer_init(&payload, 0);
    for (size_t i = 0; i < gw_json_count(events); i++) {
        struct gw_event *event = make_event(gw_json_at(events, i), last.events.items[last.events.count - 1]);
        gw_record_write_event(&writer, event);
        gw_event_unref(event);
    }
    if (gw_record_write_end(&writer, last.epoch, tail + 1, tail + 1, &payload) != GW_OK)
        stop("record", "no memory");
    append(port, run, tail + 1, tail + gw_json_count(events), &payload);
    gw_buffer_fini(&payload);
    gw_record_writer_fini(&writer);
    gw_record_fini(&last);
}

int main(int argc, char **argv)
{
    struct gw_error err;
    struct gw_run_key run = {""};
    struct gw_sqlite_spine *spine;
    if (argc != 3)
        stop("usage", "spine_append SPINE_DB TENANT/MODE/PROJECT/RUN < events");
    snprintf(run.text, sizeof run.text, "%s", argv[2]);
    struct gw_metrics *metrics = gw_metrics_create();
    struct gw_sqlite_spine_opts opts = {.path = argv[1], .clock = gw_clock_system(), .metrics = metrics};
    check(gw_sqlite_spine_create(&opts, &spine, &err), argv[1], &err);
    struct gw_json *events = read_events();
    append_events(gw_sqlite_spine_port(spine), &run, events);
    gw_json_unref(events);
    gw_sqlite_spine_destroy(spine);
    gw_metrics_destroy(metrics);
    return 0;
}
