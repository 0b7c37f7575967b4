/* state_fixture.h — a run's state with the planning canvas at hand, for the specs of commands, resolving and folding. Commands are written as JSON; scope ids are filled in. */
#ifndef GW_SPEC_STATE_FIXTURE_H
#define GW_SPEC_STATE_FIXTURE_H

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
#include "hub/command.h"
#include "hub/event.h"
#include "hub/manifest.h"
#include "hub/plan.h"
#include "hub/project.h"
#include "hub/state.h"

/* The planning manifest and a second one that shares, and one that contradicts, its Tokens. */
#define PLANNING                                                                                                                           \
    "{\"name\":\"planning\",\"version\":\"1\",\"api\":1,\"title\":\"Planning\",\"harness\":\"workbench\","                                  \
    "\"tools\":[{\"name\":\"add\",\"title\":\"Add\",\"surface\":\"ToolPop\",\"command\":\"block.insert\"}],"                                \
    "\"tokens\":{\"plan.title\":{\"type\":\"string\",\"max_length\":20,\"default\":\"\"},"                                                  \
    "\"plan.priority\":{\"type\":\"enum\",\"values\":[\"low\",\"normal\",\"high\"],\"default\":\"normal\"},"                                \
    "\"plan.days\":{\"type\":\"integer\",\"min\":1,\"max\":365},"                                                                           \
    "\"ui.zoom\":{\"type\":\"number\",\"min\":0.1,\"max\":8,\"step\":0.1,\"default\":1}},"                                                  \
    "\"kinds\":{\"heading\":{\"text\":true,\"props\":{\"level\":{\"type\":\"integer\",\"min\":1,\"max\":3,\"required\":true}}},"            \
    "\"text\":{\"text\":true},\"task\":{\"text\":true,\"props\":{\"done\":{\"type\":\"boolean\"},\"due\":{\"type\":\"string\"},"             \
    "\"state\":{\"type\":\"enum\",\"values\":[\"open\",\"shut\"],\"default\":\"open\"}}},"                                                  \
    "\"rule\":{\"text\":false,\"children\":[]}}}"
#define SHARING                                                                                                                            \
    "{\"name\":\"sharing\",\"version\":\"1\",\"api\":1,\"title\":\"S\",\"harness\":\"workbench\","                                          \
    "\"tokens\":{\"plan.days\":{\"type\":\"integer\",\"min\":1,\"max\":365},\"more\":{\"type\":\"boolean\",\"default\":true}},\"kinds\":{}}"
#define CONTRADICTING                                                                                                                      \
    "{\"name\":\"contradicting\",\"version\":\"1\",\"api\":1,\"title\":\"C\",\"harness\":\"workbench\","                                    \
    "\"tokens\":{\"plan.days\":{\"type\":\"integer\"}},\"kinds\":{}}"

static const uint8_t fixture_seed[16] = "state fixture 01";

struct fixture {
    struct gw_state *state;
    struct gw_manifests *manifests;
    struct gw_plan plan;
    struct gw_error err;
    struct gw_event_list log; /* every event folded, in order */
    size_t made;              /* events of the last command */
    unsigned command_count;
    const char *author_id, *author_kind, *batch;
};

static inline struct gw_json *parse_json(const char *text)
{
    static const struct gw_json_limits limits = {.max_bytes = 64u << 20, .max_depth = 64, .max_nodes = 1u << 24};
    struct gw_json *out;
    struct gw_error err;
    if (gw_json_parse(text, strlen(text), &limits, &out, &err))
        fail_msg("%s in %s", err.message, text);
    return out;
}

static inline void add_manifest(struct gw_manifests *set, const char *text)
{
    struct gw_json *document = parse_json(text);
    struct gw_manifest *manifest;
    struct gw_error err;
    if (gw_manifest_parse(document, &manifest, &err))
        fail_msg("%s at %s", err.message, err.path);
    gw_json_unref(document);
    assert_int_equal(gw_manifests_add(set, manifest, &err), GW_OK);
    gw_manifest_unref(manifest);
}

static inline struct gw_state *create_state(void)
{
    struct gw_state_limits limits;
    gw_state_limits_default(&limits);
    return gw_state_create(fixture_seed, &limits);
}

static inline void fixture_open(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    f->state = create_state();
    f->manifests = gw_manifests_create();
    add_manifest(f->manifests, PLANNING);
    add_manifest(f->manifests, SHARING);
    add_manifest(f->manifests, CONTRADICTING);
    f->plan = (struct gw_plan){.class_id = 1, .sees_all = true, .can_write = true};
    f->author_id = "ann";
    f->author_kind = "user";
}

static inline void fixture_close(struct fixture *f)
{
    gw_state_destroy(f->state);
    gw_manifests_unref(f->manifests);
    gw_event_list_fini(&f->log);
}

/* `members` are the command's own: "\"type\":…,\"args\":{…}". */
static inline void make_command(struct fixture *f, const char *members, struct gw_command *out)
{
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_buffer_appendf(&text,
                      "{\"command_id\":\"c%u\",\"tenant_id\":\"t\",\"mode\":\"dev\",\"project_id\":\"p\",\"surface_id\":\"s\",\"app_id\":\"a\","
                      "\"run_id\":\"r\",",
                      ++f->command_count);
    gw_buffer_append_text(&text, members);
    gw_buffer_append(&text, "}", 2);
    struct gw_json *body = parse_json(text.data);
    if (gw_command_parse(body, out, &f->err))
        fail_msg("%s at %s", f->err.message, f->err.path);
    /* Here a base is written as its seq. */
    if (out->has_base)
        out->base_seq = strtoull(out->base_cursor, NULL, 10);
    gw_json_unref(body);
    gw_buffer_fini(&text);
}

static inline int fold_all(struct fixture *f, struct gw_event_list *events)
{
    int status = GW_OK;
    for (size_t i = 0; !status && i < events->count; i++) {
        struct gw_event *event = events->items[i];
        event->seq = gw_state_seq(f->state) + 1;
        snprintf(event->actor.id, sizeof event->actor.id, "%s", f->author_id);
        gw_actor_kind_parse(f->author_kind, &event->actor.kind);
        status = gw_state_fold(f->state, event, &f->err);
        if (!status)
            status = gw_event_list_add(&f->log, gw_event_ref(event));
    }
    return status;
}

static inline int resolve_only(struct fixture *f, const struct gw_command *command, struct gw_event_list *events)
{
    struct gw_resolve_context context = {.manifests = f->manifests,
                                         .plan = &f->plan,
                                         .author_kind = f->author_kind,
                                         .author_id = f->author_id,
                                         .batch = f->batch,
                                         .epoch = 1};
    return gw_state_resolve(f->state, command, &context, events, &f->err);
}

/* Resolves and folds one command; f->made counts its events. */
static inline int run_command(struct fixture *f, const char *members)
{
    struct gw_command command;
    struct gw_event_list events = {0};
    make_command(f, members, &command);
    int status = resolve_only(f, &command, &events);
    f->made = events.count;
    if (!status && fold_all(f, &events))
        fail_msg("fold: %s", f->err.message);
    gw_event_list_fini(&events);
    gw_command_fini(&command);
    return status;
}

static inline void must(struct fixture *f, const char *members)
{
    if (run_command(f, members))
        fail_msg("%s: %s at %s for %s", f->err.id, f->err.message, f->err.path, members);
}

static inline void must_refuse(struct fixture *f, const char *members, const char *id, const char *path)
{
    uint64_t seq = gw_state_seq(f->state);
    assert_int_not_equal(run_command(f, members), GW_OK);
    assert_string_equal(f->err.id, id);
    assert_string_equal(f->err.path, path);
    assert_int_equal(f->err.code < 0, 1);
    assert_int_equal(gw_state_seq(f->state), seq);
}

static inline struct gw_event *last_event(struct fixture *f)
{
    return f->log.items[f->log.count - 1];
}

/* What an unrestricted reader gets; the caller frees it. */
static inline char *state_text(const struct gw_state *state, const struct gw_plan *plan)
{
    struct gw_buffer out;
    gw_buffer_init(&out, 0);
    gw_buffer_append_char(&out, '{');
    gw_state_write(state, plan, NULL, 0, &out);
    gw_buffer_append_char(&out, '}');
    assert_false(out.has_failed);
    size_t length;
    return gw_buffer_take(&out, &length);
}

static inline char *json_text(const struct gw_json *value)
{
    struct gw_buffer out;
    gw_buffer_init(&out, 0);
    gw_json_write_canonical(value, &out);
    size_t length;
    return gw_buffer_take(&out, &length);
}

static inline void assert_json(const struct gw_json *value, const char *expected)
{
    char *text = json_text(value);
    assert_string_equal(text, expected);
    gw_free(text);
}

static inline void assert_state(struct fixture *f, const char *expected)
{
    char *text = state_text(f->state, &f->plan);
    assert_string_equal(text, expected);
    gw_free(text);
}

#define MOUNT "\"type\":\"canvas.mount\",\"canvas_id\":\"c\",\"args\":{\"canvas_type\":\"planning\"}"
#define ON_C  "\"canvas_id\":\"c\","

#endif
