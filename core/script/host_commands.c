/* What scripts say of commands: validators with their rates, and reducers of canvases' own commands. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/json.h"
#include "hub/command.h"
#include "hub/manifest.h"
#include "hub/plan_compile.h"
#include "hub/plan_layer.h"
#include "script/host_internal.h"
#include "script/rule_file.h"
#include "script/scripts_internal.h"
#include "script/source_line.h"
#include "script/sources.h"

#define FAULT_BYTES    200
#define FOLDER         "policy.commands."
#define FUNCTION_BYTES 192
#define LOOKS          3
#define REASON_MAX     40

/* value: one command being asked about */
struct question {
    struct gw_script_host *host;
    struct gw_host_call call;
    const struct gw_policy_command *asked;
    struct gw_json *args[2]; /* what every script of it gets: command, view; owned */
    struct gw_error *err;
};

static int no_memory(const struct question *q) { return gw_error_set(q->err, GW_ENOMEM, "out_of_memory", "no memory to ask the policies"); }

/* ---- the files ------------------------------------------------------------------------------------------------------------------------------ */

static int read_validator(const struct gw_json *data, bool has_validate, struct gw_validator *out)
{
    const struct gw_json *commands = gw_json_get(data, "commands"), *rate = gw_json_get(data, "rate");
    const char *texts[GW_PLAN_LIST_MAX];
    for (size_t i = 0; i < gw_json_count(commands); i++)
        texts[i] = gw_json_text(gw_json_at(commands, i), NULL);
    if (gw_plan_list_init(&out->commands, texts, gw_json_count(commands)))
        return GW_ENOMEM;
    out->has_validate = has_validate;
    out->has_rate = rate != NULL;
    if (rate)
        out->rate = (struct gw_rate){gw_json_number(gw_json_get(rate, "per_s")), gw_json_number(gw_json_get(rate, "burst"))};
    return GW_OK;
}

/* A rule that cannot be kept is a failure, and not the absence of a rule. */
static int check_rule(const struct gw_source *source, const struct gw_json *data, bool has_validate, struct gw_error *failure)
{
    struct gw_rule_fault fault = gw_rule_fault(data, has_validate);
    unsigned line = fault.about ? gw_source_line_of(source, fault.about, 1) : 0;
    if (!fault.id)
        return GW_OK;
    gw_error_set(failure, GW_EINVAL, fault.id, "%s", fault.message);
    snprintf(failure->path, sizeof failure->path, "%.145s:%u", source->path, line ? line : 1);
    return GW_EINVAL;
}

static int add_validator(struct question *q, const struct gw_source *source, struct gw_error *failure)
{
    struct gw_script_state *state = q->call.state;
    struct gw_sandbox *sandbox;
    struct gw_json *data = NULL;
    int status = gw_host_sandbox(q->host, state, &sandbox, failure), has = 0;
    if (!status)
        status = gw_sandbox_data(sandbox, source->module, &data, failure);
    if (!status && (has = gw_sandbox_has(sandbox, source->module, "validate", failure)) < 0)
        status = has;
    if (!status)
        status = check_rule(source, data, has == 1, failure);
    if (status || state->validator_count == GW_VALIDATORS_MAX || gw_json_append(state->validator_data, data)) {
        if (status)
            gw_json_unref(data);
        return status
                   ? status
                   : gw_error_set(failure, GW_ELIMIT, "too_many_validators", "policies/commands holds at most %d files", GW_VALIDATORS_MAX);
    }
    struct gw_validator *validator = &state->validators[state->validator_count++];
    validator->module = source->module;
    return read_validator(data, has == 1, validator) ? gw_error_set(failure, GW_ENOMEM, "out_of_memory", "no memory for the rules") : GW_OK;
}

void gw_host_forget_validators(struct gw_script_state *state)
{
    for (size_t i = 0; i < state->validator_count; i++)
        gw_plan_list_fini(&state->validators[i].commands);
    gw_free(state->validators);
    gw_json_unref(state->validator_data);
    state->validators = NULL;
    state->validator_data = NULL;
    state->validator_count = 0;
}

/* Once for a state: which commands each file is about. */
static int read_validators(struct question *q)
{
    struct gw_script_state *state = q->call.state;
    const struct gw_sources *sources = state->generation->sources;
    struct gw_error failure;
    if (state->has_validators)
        return GW_OK;
    state->validators = gw_alloc_array(GW_VALIDATORS_MAX, sizeof *state->validators);
    state->validator_data = gw_json_new_array();
    int status = state->validator_data ? GW_OK : no_memory(q);
    for (size_t i = 0; !status && i < gw_sources_count(sources); i++) {
        const struct gw_source *source = gw_sources_at(sources, i);
        if (strncmp(source->module, FOLDER, strlen(FOLDER)) == 0 && add_validator(q, source, &failure))
            status = gw_host_fail(q->host, &q->call, &failure, q->err);
    }
    state->has_validators = !status;
    if (status)
        gw_host_forget_validators(state);
    return status;
}

/* ---- what scripts get ----------------------------------------------------------------------------------------------------------------------- */

static struct gw_json *describe(const struct gw_policy_command *asked)
{
    const struct gw_command *command = asked->command;
    struct gw_policy_subject subject = {.actor = asked->actor, .role = asked->role};
    struct gw_json *out = gw_json_new_object();
    int status = out ? gw_json_set(out, "command_id", gw_host_text(command->command_id)) : GW_ENOMEM;
    if (!status)
        status = gw_json_set(out, "type", gw_host_text(command->type));
    if (!status && command->canvas_id[0])
        status = gw_json_set(out, "canvas_id", gw_host_text(command->canvas_id));
    if (!status)
        status = gw_json_set(out, "args", gw_json_ref(command->args));
    if (!status)
        status = gw_json_set(out, "actor", gw_host_actor(&subject, false));
    if (!status)
        status = gw_json_set(out, "scope", gw_host_scope(&command->scope, true));
    if (!status)
        return out;
    gw_json_unref(out);
    return NULL;
}

static int make_args(struct question *q)
{
    if (q->args[0])
        return GW_OK;
    q->args[0] = describe(q->asked);
    q->args[1] = gw_json_new_object();
    int status = q->args[0] && q->args[1] ? GW_OK : GW_ENOMEM;
    if (!status && q->asked->canvas_type)
        status = gw_json_set(q->args[1], "canvas_type", gw_host_text(q->asked->canvas_type));
    return status ? no_memory(q) : GW_OK;
}

/* value: one look, with the function of the view behind it */
struct look {
    const struct gw_policy_view *view;
    int (*at)(void *self, const char *name, struct gw_json **out, struct gw_error *err);
    bool takes_nothing;
};

static int look(void *self, const struct gw_json *args, struct gw_json **result, struct gw_error *err)
{
    const struct look *look = self;
    const struct gw_json *name = gw_json_at(args, 0);
    bool is_nothing = !name || gw_json_is_null(name);
    if (is_nothing ? !look->takes_nothing : !gw_json_is_string(name))
        return gw_error_set(err, GW_EINVAL, "script_failed", "it takes a text");
    return look->at(look->view->self, is_nothing ? NULL : gw_json_text(name, NULL), result, err);
}

/* results[0] is what it answered; NULL results[1] or the refusal. */
static int call(struct question *q, const char *module, const char *function, struct gw_json **results)
{
    static const char *const list_names[] = {"unset", NULL};
    const struct gw_policy_view *view = &q->asked->view;
    struct look looks[LOOKS] = {{view, view->block, false}, {view, view->children, true}, {view, view->token, false}};
    const struct gw_sandbox_lookup lookups[LOOKS] = {{"block", look, &looks[0]}, {"children", look, &looks[1]}, {"token", look, &looks[2]}};
    int status = make_args(q);
    if (status)
        return status;
    q->call.call = (struct gw_sandbox_call){.module = module,
                                            .function = function,
                                            .args = q->args,
                                            .arg_count = 2,
                                            .lookups = lookups,
                                            .lookup_count = LOOKS,
                                            .result_count = 2,
                                            .list_names = list_names};
    return gw_host_call(q->host, &q->call, results, q->err);
}

/* ---- refusals ------------------------------------------------------------------------------------------------------------------------------- */

static const char *text_of(const struct gw_json *object, const char *name)
{
    const struct gw_json *value = gw_json_is_object(object) ? gw_json_get(object, name) : NULL;
    return gw_json_is_string(value) ? gw_json_text(value, NULL) : NULL;
}

static bool is_reason(const char *text)
{
    size_t length = text ? strlen(text) : 0;
    return length > 0 && length <= REASON_MAX && strspn(text, "abcdefghijklmnopqrstuvwxyz_") == length;
}

/* Where the hook is written, as far as it can be found. */
static unsigned line_of(const struct question *q, const struct gw_source *source, const char *function)
{
    return function[0] == '/' ? gw_source_line_of(source, q->asked->command->type, 1) : gw_source_line_of_function(source, function);
}

static int fail_answer(const struct question *q, const char *module, const char *function, const char *what)
{
    const struct gw_source *source = gw_sources_find(q->call.state->generation->sources, module);
    unsigned line = line_of(q, source, function);
    struct gw_error failure;
    gw_error_set(&failure, GW_EINVAL, "script_bad_result", "%s", what);
    if (line)
        snprintf(failure.path, sizeof failure.path, "%.145s:%u", source->path, line);
    else
        snprintf(failure.path, sizeof failure.path, "%.159s", source->path);
    return gw_host_fail(q->host, &q->call, &failure, q->err);
}

/* NULL: it is a refusal as one should be. */
static const char *fault_of_refusal(const struct gw_json *refusal)
{
    static const char *const members[] = {"code", "message", "path"};
    const struct gw_json *path = gw_json_get(refusal, "path");
    size_t known = 0;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        known += gw_json_get(refusal, members[i]) != NULL;
    if (known < gw_json_count(refusal))
        return "a refusal has no other members than code, message and path";
    if (!is_reason(text_of(refusal, "code")))
        return "the code of a refusal is 1 to 40 lower-case letters and _";
    if (!text_of(refusal, "message"))
        return "a refusal has a message, which its sender reads";
    if (path && (!gw_json_is_string(path) || (gw_json_text(path, NULL)[0] && gw_json_text(path, NULL)[0] != '/')))
        return "the path of a refusal is a pointer into the arguments: \"/title\"";
    return NULL;
}

static int refuse(const struct question *q, const char *module, const char *function, const struct gw_json *refusal)
{
    const char *path = text_of(refusal, "path"), *fault = fault_of_refusal(refusal);
    if (fault)
        return fail_answer(q, module, function, fault);
    gw_error_set(q->err, GW_ERULE, "policy_refused", "%s", text_of(refusal, "message"));
    snprintf(q->err->path, sizeof q->err->path, "/args%s", path ? path : "");
    snprintf(q->err->reason, sizeof q->err->reason, "%s", text_of(refusal, "code"));
    return GW_ERULE;
}

static const char *word_for(const struct gw_json *value)
{
    if (gw_json_is_null(value))
        return "nil";
    if (gw_json_is_bool(value))
        return gw_json_bool(value) ? "true" : "false";
    return gw_json_is_string(value) ? "a text" : gw_json_is_object(value) || gw_json_is_array(value) ? "a table" : "a number";
}

static int fail_form(const struct question *q, const char *module, const char *function, struct gw_json *const *results)
{
    char what[160];
    snprintf(what, sizeof what, "validate answers true, or nil and { code, message, path }; this answered %s%s%s", word_for(results[0]),
             gw_json_is_null(results[1]) ? "" : " and ", gw_json_is_null(results[1]) ? "" : word_for(results[1]));
    return fail_answer(q, module, function, what);
}

/* ---- validators ----------------------------------------------------------------------------------------------------------------------------- */

static int ask_validator(struct question *q, const char *module, const char *function)
{
    struct gw_json *results[2];
    int status = call(q, module, function, results);
    if (status)
        return status;
    if (gw_json_is_bool(results[0]) && gw_json_bool(results[0]))
        status = GW_OK;
    else if (gw_json_is_null(results[0]) && gw_json_is_object(results[1]))
        status = refuse(q, module, function, results[1]);
    else
        status = fail_form(q, module, function, results);
    gw_json_unref(results[0]);
    gw_json_unref(results[1]);
    return status;
}

static int take_rate(const struct question *q, const struct gw_validator *validator)
{
    struct gw_buffer name;
    gw_buffer_init(&name, 0);
    gw_buffer_append(&name, q->call.tenant->tenant_id, strlen(q->call.tenant->tenant_id) + 1);
    gw_buffer_append(&name, q->asked->actor->id, strlen(q->asked->actor->id) + 1);
    gw_buffer_append_text(&name, validator->module);
    bool has_one = name.has_failed || gw_rates_take(q->host->scripts->rates, &name, &validator->rate, gw_host_now_ms(q->host));
    gw_buffer_fini(&name);
    if (has_one)
        return GW_OK;
    gw_error_set(q->err, GW_EBUSY, "rate_limited", "too many of these commands at a time: later again");
    q->err->is_retryable = true;
    return GW_EBUSY;
}

static int ask_all(struct question *q)
{
    const struct gw_script_state *state = q->call.state;
    int status = GW_OK;
    for (size_t i = 0; !status && i < state->validator_count; i++) {
        const struct gw_validator *validator = &state->validators[i];
        if (!gw_plan_list_admits(&validator->commands, q->asked->command->type))
            continue;
        if (validator->has_rate && !*q->asked->is_counted)
            status = take_rate(q, validator);
        if (!status && validator->has_validate)
            status = ask_validator(q, validator->module, "validate");
    }
    *q->asked->is_counted = true;
    return status;
}

static int begin(struct question *q)
{
    int status = gw_host_tenant(q->host, q->asked->command->scope.tenant_id, &q->call.tenant, q->err);
    if (!status)
        status = gw_host_admit(q->host, q->call.tenant, q->call.hook, q->err);
    if (status)
        return status;
    q->call.state = gw_host_state(q->host, q->call.tenant->generation);
    return q->call.state ? GW_OK : no_memory(q);
}

static void end(struct question *q)
{
    gw_json_unref(q->args[0]);
    gw_json_unref(q->args[1]);
}

int gw_host_validate(void *self, const struct gw_policy_command *asked, struct gw_error *err)
{
    struct question q = {.host = self, .call = {.hook = GW_HOOK_VALIDATE}, .asked = asked, .err = err};
    int status = begin(&q);
    if (!status)
        status = read_validators(&q);
    if (!status)
        status = ask_all(&q);
    end(&q);
    return status;
}

/* What is not known yet, or cannot be, is found out by asking. */
bool gw_host_has_validators(void *self, const char *tenant_id, const char *type)
{
    struct gw_script_tenant *tenant;
    struct gw_error err;
    if (gw_host_tenant(self, tenant_id, &tenant, &err))
        return true;
    const struct gw_script_state *state = gw_host_state(self, tenant->generation);
    bool has_one = !state || !state->has_validators;
    for (size_t i = 0; !has_one && i < state->validator_count; i++)
        has_one = gw_plan_list_admits(&state->validators[i].commands, type);
    return has_one;
}

/* ---- reducers ------------------------------------------------------------------------------------------------------------------------------- */

static bool is_operation(const char *type)
{
    static const char *const types[] = {"block.insert", "block.update", "block.move", "block.remove", "block.splice", "token.set"};
    for (size_t i = 0; type && i < sizeof types / sizeof *types; i++)
        if (strcmp(type, types[i]) == 0)
            return true;
    return false;
}

/* A Token of these arguments that the canvas does not declare; NULL: there is none. */
static const char *find_stranger(const struct gw_json *tokens, const struct gw_json *args)
{
    const struct gw_json *set = gw_json_get(args, "set"), *unset = gw_json_get(args, "unset");
    void *iterator = NULL;
    const char *key;
    struct gw_json *value;
    while (gw_json_is_object(set) && gw_json_next(set, &iterator, &key, &value))
        if (!gw_json_get(tokens, key))
            return key;
    for (size_t i = 0; gw_json_is_array(unset) && i < gw_json_count(unset); i++) {
        const struct gw_json *name = gw_json_at(unset, i);
        if (!gw_json_is_string(name) || !gw_json_get(tokens, gw_json_text(name, NULL)))
            return gw_json_is_string(name) ? gw_json_text(name, NULL) : "that is no text";
    }
    return NULL;
}

__attribute__((format(printf, 2, 3))) static bool say_fault(char fault[FAULT_BYTES], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(fault, FAULT_BYTES, format, args);
    va_end(args);
    return true;
}

static bool find_fault_of_operation(const struct gw_json *operation, size_t index, const struct gw_json *tokens, char fault[FAULT_BYTES])
{
    const char *type = text_of(operation, "type"), *stranger = NULL;
    const struct gw_json *args = gw_json_is_object(operation) ? gw_json_get(operation, "args") : NULL;
    if (!type || !gw_json_is_object(args))
        return say_fault(fault, "operation %zu: it is { type, args }, as atoms.ops makes one", index);
    if (!is_operation(type))
        return say_fault(fault, "operation %zu: its type is %.60s, and not one of block.* or token.set", index, type);
    if (strcmp(type, "token.set") == 0 && (stranger = find_stranger(tokens, args)))
        return say_fault(fault, "operation %zu: token.set of a Token that the canvas does not declare: %.60s", index, stranger);
    return false;
}

/* Its own canvas, and Tokens that this declares: whatever its reducers want. */
static bool find_fault(const struct question *q, const struct gw_json *operations, char fault[FAULT_BYTES])
{
    const struct gw_policy *port = &q->host->port;
    const struct gw_manifests *manifests = port->manifests(port->self, q->call.tenant->tenant_id);
    const struct gw_manifest *manifest = manifests ? gw_manifests_get(manifests, q->asked->canvas_type) : NULL;
    if (!manifest || !(gw_json_is_array(operations) || (gw_json_is_object(operations) && gw_json_count(operations) == 0)))
        return say_fault(fault, "reduce answers a list of { type, args }, or nil and { code, message, path }");
    if (gw_json_count(operations) > GW_REDUCED_MAX)
        return say_fault(fault, "reduce answers at most %d operations, and this %zu", GW_REDUCED_MAX, gw_json_count(operations));
    for (size_t i = 0; i < gw_json_count(operations); i++)
        if (find_fault_of_operation(gw_json_at(operations, i), i, gw_manifest_member(manifest, "tokens"), fault))
            return true;
    return false;
}

static int ask_reducer(struct question *q, const char *module, const char *function, struct gw_json **operations)
{
    struct gw_json *results[2];
    int status = call(q, module, function, results);
    if (status)
        return status;
    char fault[FAULT_BYTES];
    if (gw_json_is_null(results[0]) && gw_json_is_object(results[1]))
        status = refuse(q, module, function, results[1]);
    else if (find_fault(q, results[0], fault))
        status = fail_answer(q, module, function, fault);
    else
        *operations = gw_json_ref(results[0]);
    gw_json_unref(results[0]);
    gw_json_unref(results[1]);
    return status;
}

/* 1, 0, or the refusal. */
static int has(struct question *q, const char *module, const char *function)
{
    struct gw_sandbox *sandbox;
    struct gw_error failure;
    int answer = gw_host_sandbox(q->host, q->call.state, &sandbox, &failure);
    if (!answer)
        answer = gw_sandbox_has(sandbox, module, function, &failure);
    return answer < 0 ? gw_host_fail(q->host, &q->call, &failure, q->err) : answer;
}

static int reduce(struct question *q, struct gw_json **operations)
{
    char module[GW_MODULE_NAME_MAX], reducer[FUNCTION_BYTES], validator[FUNCTION_BYTES];
    const char *type = q->asked->command->type;
    snprintf(module, sizeof module, "canvas.%s.commands", q->asked->canvas_type);
    snprintf(reducer, sizeof reducer, "/commands/%s/reduce", type);
    snprintf(validator, sizeof validator, "/commands/%s/validate", type);
    int found = gw_host_has(q->call.state, module) ? has(q, module, reducer) : 0;
    if (found == 0) {
        gw_error_set(q->err, GW_EINVAL, "unknown_command", "%s is no command", type);
        gw_error_prefix(q->err, "/type");
    }
    if (found <= 0)
        return found ? found : GW_EINVAL;
    int status = has(q, module, validator);
    if (status == 1)
        status = ask_validator(q, module, validator);
    return status ? status : ask_reducer(q, module, reducer, operations);
}

int gw_host_reduce(void *self, const struct gw_policy_command *asked, struct gw_json **operations, struct gw_error *err)
{
    struct question q = {.host = self, .call = {.hook = GW_HOOK_REDUCE}, .asked = asked, .err = err};
    int status = begin(&q);
    if (!status)
        status = reduce(&q, operations);
    end(&q);
    return status;
}
