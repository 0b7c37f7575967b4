#include "support/state_fixture.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"

const uint8_t fixture_seed[16] = "state fixture 01";

struct gw_json *parse_json(const char *text)
{
    static const struct gw_json_limits limits = {.max_bytes = 64u << 20, .max_depth = 64, .max_nodes = 1u << 24};
    struct gw_json *out;
    struct gw_error err;
    if (gw_json_parse(text, strlen(text), &limits, &out, &err))
        fail_msg("%s in %s", err.message, text);
    return out;
}

void add_manifest(struct gw_manifests *set, const char *text)
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

struct gw_state *create_state(void)
{
    struct gw_state_limits limits;
    gw_state_limits_default(&limits);
    return gw_state_create(fixture_seed, &limits);
}

void fixture_open(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    f->state = create_state();
    f->manifests = gw_manifests_create();
    add_manifest(f->manifests, PLANNING);
    add_manifest(f->manifests, SHARING);
    add_manifest(f->manifests, CONTRADICTING);
    f->plan = gw_plan_ref(&full_plan);
    f->author_id = "ann";
    f->author_kind = "user";
}

void fixture_close(struct fixture *f)
{
    gw_state_destroy(f->state);
    gw_manifests_unref(f->manifests);
    gw_event_list_fini(&f->log);
    gw_plan_unref(f->plan);
}

void fixture_set_plan(struct fixture *f, struct gw_plan *plan)
{
    gw_plan_unref(f->plan);
    f->plan = plan;
}

/* `members` are the command's own: "\"type\":…,\"args\":{…}". */
void make_command(struct fixture *f, const char *members, struct gw_command *out)
{
    struct gw_buffer text;
    gw_buffer_init(&text, 0);
    gw_buffer_appendf(
        &text,
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

int fold_all(struct fixture *f, struct gw_event_list *events)
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

int resolve_only(struct fixture *f, const struct gw_command *command, struct gw_event_list *events)
{
    struct gw_resolve_context context = {.manifests = f->manifests,
                                         .plan = f->plan,
                                         .author_kind = f->author_kind,
                                         .author_id = f->author_id,
                                         .batch = f->batch,
                                         .keeps_whole = f->keeps_whole,
                                         .epoch = 1,
                                         .ts_ms = f->ts_ms};
    return gw_state_resolve(f->state, command, &context, events, &f->err);
}

/* Resolves and folds one command; f->made counts its events. */
int run_command(struct fixture *f, const char *members)
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

void must(struct fixture *f, const char *members)
{
    if (run_command(f, members))
        fail_msg("%s: %s at %s for %s", f->err.id, f->err.message, f->err.path, members);
}

void must_refuse(struct fixture *f, const char *members, const char *id, const char *path)
{
    uint64_t seq = gw_state_seq(f->state);
    assert_int_not_equal(run_command(f, members), GW_OK);
    assert_string_equal(f->err.id, id);
    assert_string_equal(f->err.path, path);
    assert_int_equal(f->err.code < 0, 1);
    assert_int_equal(gw_state_seq(f->state), seq);
}

struct gw_event *last_event(struct fixture *f) { return f->log.items[f->log.count - 1]; }

/* What an unrestricted reader gets; the caller frees it. */
char *state_text(const struct gw_state *state, const struct gw_plan *plan) { return lens_text(state, &(struct gw_lens){.plan = plan}); }

char *lens_text(const struct gw_state *state, const struct gw_lens *lens)
{
    struct gw_buffer out;
    gw_buffer_init(&out, 0);
    gw_buffer_append_char(&out, '{');
    gw_state_write(state, lens, NULL, 0, &out);
    gw_buffer_append_char(&out, '}');
    assert_false(out.has_failed);
    size_t length;
    return gw_buffer_take(&out, &length);
}

char *json_text(const struct gw_json *value)
{
    struct gw_buffer out;
    gw_buffer_init(&out, 0);
    gw_json_write_canonical(value, &out);
    size_t length;
    return gw_buffer_take(&out, &length);
}

void assert_json(const struct gw_json *value, const char *expected)
{
    char *text = json_text(value);
    assert_string_equal(text, expected);
    gw_free(text);
}

void assert_state(struct fixture *f, const char *expected)
{
    char *text = state_text(f->state, f->plan);
    assert_string_equal(text, expected);
    gw_free(text);
}
