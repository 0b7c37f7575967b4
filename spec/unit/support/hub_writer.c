#include "support/hub_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "support/state_fixture.h"

static void parse_command(const char *run_id, const char *text, struct gw_command *out)
{
    struct gw_buffer whole;
    struct gw_error err;
    gw_buffer_init(&whole, 0);
    gw_buffer_appendf(
        &whole, "{\"tenant_id\":\"t\",\"mode\":\"dev\",\"project_id\":\"p\",\"surface_id\":\"s\",\"app_id\":\"a\",\"run_id\":\"%s\",%s}",
        run_id, text);
    gw_buffer_append_char(&whole, '\0');
    struct gw_json *body = parse_json(whole.data);
    if (gw_command_parse(body, out, &err))
        fail_msg("%s at %s in %s", err.message, err.path, whole.data);
    gw_json_unref(body);
    gw_buffer_fini(&whole);
}

static void on_done(struct gw_submission *submission)
{
    struct world_batch *batch = (struct world_batch *)(void *)submission;
    assert_false(batch->is_done);
    batch->is_done = true;
    for (size_t i = 0; i < submission->count; i++)
        assert_true((submission->outcomes[i].answer != NULL) != (submission->outcomes[i].error != NULL));
}

struct world_batch *world_prepare(struct world *world, const char *run_id, const char *flags, const char *actor, const char *const *texts,
                                  size_t count)
{
    struct world_batch *batch = gw_alloc(sizeof *batch);
    struct gw_submission *submission = &batch->submission;
    submission->scope = world_scope(run_id);
    gw_run_key_encode(&submission->scope, &submission->run);
    snprintf(submission->actor.id, sizeof submission->actor.id, "%s", actor);
    submission->plan = gw_plan_ref(world->plans[0]);
    submission->commands = gw_alloc_array(count, sizeof *submission->commands);
    submission->outcomes = gw_alloc_array(count, sizeof *submission->outcomes);
    submission->count = count;
    for (size_t i = 0; i < count; i++)
        parse_command(run_id, texts[i], &submission->commands[i]);
    submission->is_atomic = strchr(flags, 'a') != NULL;
    submission->is_dry_run = strchr(flags, 'd') != NULL;
    submission->done = on_done;
    return batch;
}

void world_send(struct world *world, struct world_batch *batch, size_t node, size_t worker)
{
    batch->submission.home = &world->executors[node * world->worker_count + worker];
    world_enter(world, node, worker);
    gw_hub_submit(world_hub(world, node, worker), &batch->submission);
    world_leave(world);
}

struct world_batch *world_submit(struct world *world, size_t node, size_t worker, const char *run_id, const char *flags, const char *actor,
                                 const char *const *texts, size_t count)
{
    struct world_batch *batch = world_prepare(world, run_id, flags, actor, texts, count);
    world_send(world, batch, node, worker);
    return batch;
}

struct world_batch *world_do(struct world *world, const char *run_id, const char *text)
{
    struct world_batch *batch = world_submit(world, 0, 0, run_id, "", "ann", &text, 1);
    world_settle(world);
    assert_true(batch->is_done);
    return batch;
}

void world_must(struct world *world, const char *run_id, const char *text)
{
    struct world_batch *batch = world_do(world, run_id, text);
    if (!world_answer(batch, 0))
        fail_msg("%s: %s", world_refusal(batch, 0), batch->submission.outcomes[0].error->message);
    world_batch_destroy(batch);
}

void world_batch_destroy(struct world_batch *batch)
{
    gw_submission_fini(&batch->submission);
    gw_free(batch);
}

const char *world_answer(const struct world_batch *batch, size_t index) { return batch->submission.outcomes[index].answer; }

const char *world_refusal(const struct world_batch *batch, size_t index)
{
    const struct gw_error *error = batch->submission.outcomes[index].error;
    return error ? error->id : "";
}

static void on_read(struct gw_read *request) { (void)request; }

void world_get(struct world *world, enum gw_read_kind kind, const char *run_id, size_t plan, const char *cursor, struct gw_read *out)
{
    *out = (struct gw_read){
        .kind = kind, .scope = world_scope(run_id), .limit = 1000, .home = &world->executors[0], .done = on_read, .status = 1};
    out->plan = gw_plan_ref(world->plans[plan]);
    snprintf(out->cursor, sizeof out->cursor, "%s", cursor);
    world_enter(world, 0, 0);
    gw_hub_read(world_hub(world, 0, 0), out);
    world_leave(world);
    world_settle(world);
    assert_int_not_equal(out->status, 1);
}
