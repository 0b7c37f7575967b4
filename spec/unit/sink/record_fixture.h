/* record_fixture.h — log lines as sinks get them. */
#ifndef GW_SPEC_SINK_RECORD_FIXTURE_H
#define GW_SPEC_SINK_RECORD_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "hub/ports.h"

static inline struct gw_event *make_line(uint64_t seq, const char *message)
{
    struct gw_event *event = gw_event_create();
    event->seq = seq;
    event->ts_ms = 1769508000123;
    event->type = GW_EVENT_LOG_LINE;
    event->actor = (struct gw_actor){.id = "ann", .kind = GW_ACTOR_AGENT};
    event->data = gw_json_new_object();
    assert_int_equal(gw_json_set(event->data, "level", gw_json_new_text("info", 4)), 0);
    assert_int_equal(gw_json_set(event->data, "message", gw_json_new_text(message, strlen(message))), 0);
    return event;
}

static inline void write_line(const struct gw_sink *sink, uint64_t seq, const char *message)
{
    struct gw_event *event = make_line(seq, message);
    struct gw_sink_record record = {
        .scope = {.tenant_id = "acme", .mode = "dev", .project_id = "p", .surface_id = "web", .app_id = "demo", .run_id = "r"},
        .event = event};
    sink->write(sink->self, &record);
    gw_event_unref(event);
}

/* The line of one record, as it must be. */
static inline const char *line_of(uint64_t seq, const char *message)
{
    static char line[512];
    snprintf(line, sizeof line,
             "{\"type\":\"log_line\",\"ts\":\"2026-01-27T10:00:00.123Z\",\"tenant_id\":\"acme\",\"mode\":\"dev\",\"project_id\":\"p\","
             "\"surface_id\":\"web\",\"app_id\":\"demo\",\"run_id\":\"r\",\"seq\":%llu,\"actor\":{\"id\":\"ann\",\"kind\":\"agent\"},"
             "\"data\":{\"level\":\"info\",\"message\":\"%s\"}}\n",
             (unsigned long long)seq, message);
    return line;
}

#endif
