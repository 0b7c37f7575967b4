/* Value by value: the transforms that plans name. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/map.h"
#include "hub/plan.h"
#include "script/host_internal.h"
#include "script/scripts_internal.h"
#include "script/sources.h"
#include "script/transform_answer.h"
#include "script/transforms.h"
#include "script/value_push.h"

#define FUNCTION_BYTES 160

/* ---- which one ------------------------------------------------------------------------------------------------------------------------- */

void gw_host_forget_transforms(struct gw_script_state *state)
{
    size_t cursor = 0, length;
    const void *key;
    void *found;
    while (gw_map_next(state->transforms, &cursor, &key, &length, &found)) {
        gw_map_remove(state->transforms, key, length);
        gw_free(found);
    }
}

int gw_host_find_transform(struct gw_script_host *host, struct gw_script_state *state, const char *name,
                           const struct gw_found_transform **out, struct gw_error *err)
{
    struct gw_sandbox *sandbox;
    struct gw_found_transform *found = gw_map_get(state->transforms, name, strlen(name));
    if (found) {
        *out = found;
        return GW_OK;
    }
    found = gw_alloc(sizeof *found);
    int status = gw_host_sandbox(host, state, &sandbox, err);
    if (!status)
        status = gw_transforms_find(sandbox, state->generation->sources, name, found, err);
    if (!status && gw_map_put(state->transforms, name, strlen(name), found, NULL))
        status = gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a transform");
    if (status)
        gw_free(found);
    *out = status ? NULL : found;
    return status;
}

/* ---- asking it ------------------------------------------------------------------------------------------------------------------------- */

/* value: one value on its way */
struct question {
    struct gw_script_host *host;
    struct gw_host_call call;
    const struct gw_transform_call *asked;
    const struct gw_found_transform *found;
    uint8_t key[GW_SHA256_BYTES];
    struct gw_error *why; /* it cannot be known what is to be seen */
};

static int no_memory(const struct question *q) { return gw_error_set(q->why, GW_ENOMEM, "out_of_memory", "no memory for a transform"); }

/* Everything that the answer may depend on, and the tenant: nobody shall learn from the time that an answer takes what others have. */
static int name_question(struct question *q)
{
    const struct gw_transform_call *asked = q->asked;
    const struct gw_generation *generation = q->call.state->generation;
    const char *const names[] = {q->call.tenant->tenant_id, asked->plan->transform, gw_transform_what_name(asked->what),
                                 asked->key ? asked->key : ""};
    struct gw_buffer *out = &q->host->scratch;
    gw_buffer_reset(out);
    gw_buffer_append(out, generation->runs, sizeof generation->runs);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        gw_buffer_append(out, names[i], strlen(names[i]) + 1);
    gw_json_write_canonical(asked->value, out);
    if (out->has_failed)
        return no_memory(q);
    gw_sha256(out->data, out->length, q->key);
    return GW_OK;
}

/* Would it fail there again, whenever and wherever it is asked? What a clock said, or the memory that others left, is no answer. */
static bool is_certain(const struct gw_error *failure)
{
    return failure->code != GW_ENOMEM && strcmp(failure->limit_name, "call_ms") != 0 && strcmp(failure->limit_name, "memory_bytes") != 0;
}

/* *result is what the script answered, NULL when it fails at this value. */
static int call_script(struct question *q, struct gw_json **result)
{
    const struct gw_transform_call *asked = q->asked;
    bool is_token = asked->what == GW_TRANSFORM_TOKEN;
    char function[FUNCTION_BYTES];
    struct gw_json *key = is_token ? gw_host_text(asked->key) : NULL, *args[2] = {is_token ? key : asked->value, asked->value};
    struct gw_error failure;
    *result = NULL;
    if (is_token && !key)
        return no_memory(q);
    snprintf(function, sizeof function, "/transforms/%.96s/%s", asked->plan->transform, gw_transform_what_name(asked->what));
    q->call.call = (struct gw_sandbox_call){
        .module = q->found->module, .function = function, .args = args, .arg_count = is_token ? 2 : 1, .result_count = 1};
    int status = gw_host_run(q->host, &q->call, result, &failure, q->why);
    gw_json_unref(key);
    q->why->is_retryable = true;
    return status && is_certain(&failure) ? GW_OK : status;
}

/* *out stays NULL when the script fails at it. */
static int read_answer(const struct question *q, const struct gw_answer *answer, struct gw_json **out)
{
    struct gw_error err;
    struct gw_json_limits limits = {.max_bytes = answer->length, .max_depth = GW_VALUE_MAX_DEPTH, .max_nodes = UINT32_MAX};
    if (answer->kind == GW_ANSWER_FAILURE)
        return GW_OK;
    if (answer->kind == GW_ANSWER_SAME)
        *out = gw_json_ref(q->asked->value);
    else if (answer->kind == GW_ANSWER_NOTHING)
        *out = gw_json_new_null();
    else if (gw_json_parse(answer->text, answer->length, &limits, out, &err))
        *out = NULL;
    return *out ? GW_OK : no_memory(q);
}

/* Is all that is shown as it was? */
static bool is_same(const struct gw_transform_call *asked, const struct gw_json *result)
{
    if (asked->what == GW_TRANSFORM_TOKEN)
        return gw_json_equal(result, asked->value);
    const struct gw_json *text = gw_json_get(result, "text"), *props = gw_json_get(result, "props");
    const struct gw_json *given_text = gw_json_get(asked->value, "text"), *given_props = gw_json_get(asked->value, "props");
    return text && given_text && gw_json_equal(text, given_text) && (given_props ? props && gw_json_equal(props, given_props) : !props);
}

/* Remembers what came of it, and answers as it will be answered from memory. */
static int keep_answer(const struct question *q, const struct gw_json *result, struct gw_json **out)
{
    struct gw_answer answer = {.kind = result ? GW_ANSWER_VALUE : GW_ANSWER_FAILURE};
    struct gw_buffer *text = &q->host->scratch;
    gw_buffer_reset(text);
    if (gw_json_is_null(result))
        answer.kind = GW_ANSWER_NOTHING;
    else if (result && is_same(q->asked, result))
        answer.kind = GW_ANSWER_SAME;
    else if (result)
        gw_json_write_canonical(result, text);
    if (text->has_failed)
        return no_memory(q);
    answer.text = text->data;
    answer.length = text->length;
    gw_host_keep_answer(q->host, q->call.tenant, q->key, &answer);
    return read_answer(q, &answer, out);
}

/* What is of another type than what it got counts as a failure, once, and is left out. */
static int check_answer(struct question *q, struct gw_json **result)
{
    struct gw_error failure, ignored;
    int status = *result ? gw_transform_answer_check(q->asked, result, &failure) : GW_OK;
    if (status == GW_ENOMEM)
        return no_memory(q);
    if (status) {
        gw_error_prefix(&failure, gw_sources_find(q->call.state->generation->sources, q->found->module)->path);
        (void)gw_host_fail(q->host, &q->call, &failure, &ignored);
    }
    return GW_OK;
}

static int call_and_keep(struct question *q, struct gw_json **out)
{
    struct gw_json *result = NULL;
    int status = call_script(q, &result);
    if (!status)
        status = check_answer(q, &result);
    if (!status)
        status = keep_answer(q, result, out);
    gw_json_unref(result);
    return status;
}

/* The tenant's share of time is asked for before the script is; what its answer costs afterwards is the tenant's, too. */
static int ask_script(struct question *q, struct gw_json **out)
{
    const struct gw_clock *clock = q->host->scripts->opts.budget_clock;
    struct gw_script_meter *meter = &q->call.tenant->meter;
    int status = gw_host_admit(q->host, q->call.tenant, q->call.hook, q->why);
    if (status)
        return status;
    int64_t spent_ns = meter->spent_ns;
    uint64_t began_ns = clock->monotonic_ns(clock->self);
    status = call_and_keep(q, out);
    int64_t passed_ns = (int64_t)(clock->monotonic_ns(clock->self) - began_ns), charged_ns = meter->spent_ns - spent_ns;
    if (passed_ns > charged_ns)
        gw_script_meter_spend(meter, (uint64_t)(passed_ns - charged_ns));
    return status;
}

/* Reading the file is charged like a call. */
static int find(struct question *q)
{
    const struct gw_clock *clock = q->host->scripts->opts.budget_clock;
    const char *name = q->asked->plan->transform;
    struct gw_error failure;
    q->found = gw_map_get(q->call.state->transforms, name, strlen(name));
    if (q->found)
        return GW_OK;
    int status = gw_host_admit(q->host, q->call.tenant, q->call.hook, q->why);
    if (status)
        return status;
    uint64_t began_ns = clock->monotonic_ns(clock->self);
    status = gw_host_find_transform(q->host, q->call.state, name, &q->found, &failure);
    gw_script_meter_spend(&q->call.tenant->meter, clock->monotonic_ns(clock->self) - began_ns);
    if (status)
        status = gw_host_fail(q->host, &q->call, &failure, q->why);
    q->why->is_retryable = true;
    return status;
}

static int ask(struct question *q, struct gw_json **out)
{
    struct gw_answer answer;
    int status = find(q);
    if (status)
        return status;
    if (!q->found->has[q->asked->what]) {
        *out = gw_json_ref(q->asked->value);
        return GW_OK;
    }
    status = name_question(q);
    if (status)
        return status;
    return gw_host_find_answer(q->host, q->call.tenant, q->key, &answer) ? read_answer(q, &answer, out) : ask_script(q, out);
}

/* Whoever comes back when its class is forgotten gets one of now. */
static int say_gone(const struct question *q)
{
    gw_error_set(q->why, GW_EDENIED, "policy_failed", "the scripts of this plan are gone");
    q->why->is_retryable = true;
    return GW_EDENIED;
}

static int ask_class(struct question *q, struct gw_json **out)
{
    char tenant_id[GW_ID_MAX + 1];
    struct gw_generation *generation;
    if (!gw_scripts_find_class(q->host->scripts, q->asked->plan->class_id, tenant_id, &generation))
        return say_gone(q);
    int status = gw_host_tenant(q->host, tenant_id, &q->call.tenant, q->why);
    if (!status) {
        q->call.state = gw_host_state(q->host, generation);
        status = q->call.state ? ask(q, out) : no_memory(q);
    }
    gw_generation_unref(generation);
    return status;
}

int gw_host_transform(void *self, const struct gw_transform_call *asked, struct gw_json **out, struct gw_error *err)
{
    struct gw_script_host *host = self;
    struct question q = {.host = host, .call = {.hook = GW_HOOK_TRANSFORM}, .asked = asked, .why = err};
    *err = (struct gw_error){0};
    *out = NULL;
    int status = ask_class(&q, out);
    if (!status && *out)
        return GW_OK;
    if (!status)
        return gw_error_set(err, GW_EDENIED, "policy_failed", "the policies of this tenant could not decide");
    if (status == GW_ENOMEM)
        return status;
    host->why_not = *err;
    return GW_EBUSY;
}

/* ---- who has any ----------------------------------------------------------------------------------------------------------------------- */

static bool read_transforms(struct gw_script_host *host, struct gw_script_state *state)
{
    struct gw_sandbox *sandbox;
    struct gw_error err;
    int answer = gw_host_sandbox(host, state, &sandbox, &err);
    if (!answer)
        answer = gw_transforms_exist(sandbox, state->generation->sources, &err);
    if (answer < 0)
        return false; /* a lens that does not load makes no plan */
    state->has_transforms = answer;
    state->knows_transforms = true;
    return state->has_transforms;
}

bool gw_host_has_transforms(void *self, const char *tenant_id)
{
    struct gw_script_host *host = self;
    struct gw_script_tenant *tenant;
    struct gw_error err;
    if (gw_host_tenant(host, tenant_id, &tenant, &err))
        return false;
    struct gw_script_state *state = gw_host_state(host, tenant->generation);
    if (!state)
        return false;
    return state->knows_transforms ? state->has_transforms : read_transforms(host, state);
}
