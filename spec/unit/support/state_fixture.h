/* state_fixture.h — a run's state with the planning canvas at hand, for the specs of commands, resolving and folding. Commands are written
 * as JSON; scope ids are filled in. */
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
#include "support/plans.h"

/* The planning manifest and a second one that shares, and one that contradicts, its Tokens. */
#define PLANNING                                                                                                                           \
    "{\"name\":\"planning\",\"version\":\"1\",\"api\":1,\"title\":\"Planning\",\"harness\":\"workbench\","                                 \
    "\"tools\":[{\"name\":\"add\",\"title\":\"Add\",\"surface\":\"ToolPop\",\"command\":\"block.insert\"}],"                               \
    "\"tokens\":{\"plan.title\":{\"type\":\"string\",\"max_length\":20,\"default\":\"\"},"                                                 \
    "\"plan.priority\":{\"type\":\"enum\",\"values\":[\"low\",\"normal\",\"high\"],\"default\":\"normal\"},"                               \
    "\"plan.days\":{\"type\":\"integer\",\"min\":1,\"max\":365},"                                                                          \
    "\"ui.zoom\":{\"type\":\"number\",\"min\":0.1,\"max\":8,\"step\":0.1,\"default\":1}},"                                                 \
    "\"kinds\":{\"heading\":{\"text\":true,\"props\":{\"level\":{\"type\":\"integer\",\"min\":1,\"max\":3,\"required\":true}}},"           \
    "\"text\":{\"text\":true},\"task\":{\"text\":true,\"props\":{\"done\":{\"type\":\"boolean\"},\"due\":{\"type\":\"string\"},"           \
    "\"state\":{\"type\":\"enum\",\"values\":[\"open\",\"shut\"],\"default\":\"open\"}}},"                                                 \
    "\"rule\":{\"text\":false,\"children\":[]}}}"
#define SHARING                                                                                                                            \
    "{\"name\":\"sharing\",\"version\":\"1\",\"api\":1,\"title\":\"S\",\"harness\":\"workbench\","                                         \
    "\"tokens\":{\"plan.days\":{\"type\":\"integer\",\"min\":1,\"max\":365},\"more\":{\"type\":\"boolean\",\"default\":true}},\"kinds\":{" \
    "}}"
#define CONTRADICTING                                                                                                                      \
    "{\"name\":\"contradicting\",\"version\":\"1\",\"api\":1,\"title\":\"C\",\"harness\":\"workbench\","                                   \
    "\"tokens\":{\"plan.days\":{\"type\":\"integer\"}},\"kinds\":{}}"

extern const uint8_t fixture_seed[16];

struct fixture {
    struct gw_state *state;
    struct gw_manifests *manifests;
    struct gw_plan *plan; /* owned; fixture_open gives the full view */
    struct gw_error err;
    struct gw_event_list log; /* every event folded, in order */
    size_t made;              /* events of the last command */
    unsigned command_count;
    const char *author_id, *author_kind, *batch;
    int64_t ts_ms;    /* of the events to come */
    bool keeps_whole; /* its lenses may have transforms */
};

/* A document; malformed text fails the test. */
struct gw_json *parse_json(const char *text);
/* Checks a manifest document and adds it. */
void add_manifest(struct gw_manifests *set, const char *text);
/* An empty state with default limits. */
struct gw_state *create_state(void);
void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);
/* Who writes from now on sees and may do no more than this; taken. */
void fixture_set_plan(struct fixture *f, struct gw_plan *plan);
/* `members` are the command's own: "\"type\":…,\"args\":{…}". A base is written as its seq. */
void make_command(struct fixture *f, const char *members, struct gw_command *out);
/* Numbers the events, signs them with the author, folds them and keeps them in f->log. */
int fold_all(struct fixture *f, struct gw_event_list *events);
/* Resolves and does not fold. */
int resolve_only(struct fixture *f, const struct gw_command *command, struct gw_event_list *events);
/* Resolves and folds one command; f->made counts its events. GW_OK or the refusal, in f->err. */
int run_command(struct fixture *f, const char *members);
/* The command must be taken, or be refused with this id and path while nothing changes. */
void must(struct fixture *f, const char *members);
void must_refuse(struct fixture *f, const char *members, const char *id, const char *path);
struct gw_event *last_event(struct fixture *f);
/* GET /v1/state as text, and a canonical document; freed by the caller. */
char *lens_text(const struct gw_state *state, const struct gw_lens *lens);
char *state_text(const struct gw_state *state, const struct gw_plan *plan);
char *json_text(const struct gw_json *value);
/* The canonical text of the value, or of what a full view reads, is this. */
void assert_json(const struct gw_json *value, const char *expected);
void assert_state(struct fixture *f, const char *expected);

#define MOUNT "\"type\":\"canvas.mount\",\"canvas_id\":\"c\",\"args\":{\"canvas_type\":\"planning\"}"
#define ON_C  "\"canvas_id\":\"c\","

#endif
