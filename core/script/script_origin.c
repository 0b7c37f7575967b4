#include "script/script_origin.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "hub/plan.h"
#include "hub/plan_compile.h"
#include "hub/pointer.h"
#include "hub/ports.h"
#include "script/data_file.h"
#include "script/host_internal.h"
#include "script/lua_lexer.h"
#include "script/scripts_internal.h"
#include "script/source_line.h"
#include "script/sources.h"
#include "script/transforms.h"

#define LENS    "policy.token_lens"
#define CEILING "policy.ceiling"
#define MARK    "zq.mark"
#define END_NS  2000000000u

/* How sure a place is. */
enum { NOWHERE, ROLE, WITHIN, DECIDES, IS_IT };

/* value: one search */
struct search {
    const struct gw_scripts *scripts;
    const struct gw_generation *generation;
    const struct gw_script_question *question;
    struct gw_plan_reason reason; /* of the files as they are */
    const struct gw_json *before; /* what stands at its pointer; borrowed */
    uint64_t end_ns;
    int best;
    struct gw_script_origin *out;
};

/* value: a text of a file, and what stands there instead */
struct change {
    const struct gw_source *source;
    const struct gw_lua_token *token;
    const char *text;
    bool is_mark;
};

/* ---- asking a lens --------------------------------------------------------------------------------------------------------------------- */

/* A plan whose transform is not there admits to nothing. */
static int find_transform(struct gw_sandbox *sandbox, const struct gw_sources *sources, const struct gw_json *plan, struct gw_error *err)
{
    const struct gw_json *name = gw_json_is_object(plan) ? gw_json_get(plan, "transform") : NULL;
    struct gw_found_transform found;
    return gw_json_is_string(name) ? gw_transforms_find(sandbox, sources, gw_json_text(name, NULL), &found, err) : GW_OK;
}

static int ask(const struct gw_scripts *scripts, const struct gw_generation *generation, struct gw_sources *sources,
               const struct gw_policy_subject *subject, struct gw_json **out, struct gw_error *err)
{
    static const char *const lists[] = {"read",     "write", "redact", "kinds",    "vis", "authors",
                                        "canvases", "props", "events", "commands", NULL};
    struct gw_sandbox_opts opts = {
        .sources = sources, .clock = scripts->opts.budget_clock, .limits = generation->limits.call, .is_entry = gw_generation_is_entry};
    struct gw_json *args[2] = {gw_host_actor(subject, true), gw_host_scope(subject->scope, false)};
    struct gw_sandbox_call call = {
        .module = LENS, .function = "lens", .args = args, .arg_count = 2, .result_count = 1, .list_names = lists};
    struct gw_sandbox *sandbox = NULL;
    struct gw_sandbox_cost cost;
    int status = args[0] && args[1] ? GW_OK : gw_error_set(err, GW_ENOMEM, "out_of_memory", "no memory for a question");
    if (!status)
        status = gw_sandbox_create(&opts, &sandbox, err);
    if (!status)
        status = gw_sandbox_call(sandbox, &call, out, &cost, err);
    if (!status)
        status = find_transform(sandbox, sources, *out, err);
    gw_sandbox_destroy(sandbox);
    gw_json_unref(args[0]);
    gw_json_unref(args[1]);
    return status;
}

static int compile(const struct gw_generation *generation, const struct gw_policy_subject *subject, const struct gw_json *source,
                   struct gw_plan **out, struct gw_error *err)
{
    struct gw_plan_opts opts = {.tenant_id = subject->scope->tenant_id,
                                .source = source,
                                .ceiling = generation->ceiling,
                                .actor_id = subject->actor->id,
                                .token_globs = subject->token_globs,
                                .token_glob_count = subject->token_glob_count,
                                .transform_hash = gw_json_get(source, "transform") ? generation->runs : NULL};
    int status = gw_plan_compile(&opts, out, err);
    if (status) {
        gw_error_prefix(err, ": ");
        gw_error_prefix(err, gw_sources_find(generation->sources, LENS)->path);
    }
    return status;
}

static int make_plan(const struct gw_scripts *scripts, const struct gw_generation *generation, struct gw_sources *sources,
                     const struct gw_policy_subject *subject, struct gw_plan **out, struct gw_error *err)
{
    struct gw_json *source = NULL;
    int status = ask(scripts, generation, sources, subject, &source, err);
    *out = NULL;
    if (!status && source && !gw_json_is_null(source))
        status = compile(generation, subject, source, out, err);
    gw_json_unref(source);
    return status;
}

/* Clients are told that a tenant's policies fail; people also why. */
static int get(struct gw_scripts *scripts, const char *tenant_id, struct gw_generation **out, struct gw_error *err)
{
    int status = gw_scripts_get(scripts, tenant_id, out, err);
    if (!status)
        return GW_OK;
    pthread_mutex_lock(&scripts->lock);
    const struct gw_script_slot *slot = gw_scripts_slot(scripts, tenant_id);
    if (slot && slot->trouble.is_there)
        *err = slot->trouble.err;
    pthread_mutex_unlock(&scripts->lock);
    return status;
}

int gw_scripts_ask_lens(struct gw_scripts *scripts, const struct gw_policy_subject *subject, struct gw_plan **out, struct gw_error *err)
{
    struct gw_generation *generation;
    int status = get(scripts, subject->scope->tenant_id, &generation, err);
    if (status)
        return status;
    status = make_plan(scripts, generation, generation->sources, subject, out, err);
    gw_generation_unref(generation);
    return status;
}

/* ---- a trial --------------------------------------------------------------------------------------------------------------------------- */

static const struct gw_json *at_pointer(const struct gw_plan *plan, const char *pointer)
{
    char step[128];
    const struct gw_json *value = gw_plan_source(plan);
    while (value && gw_pointer_next(&pointer, step, sizeof step))
        value = gw_json_is_array(value) ? gw_json_at(value, strtoul(step, NULL, 10)) : gw_json_get(value, step);
    return value;
}

static bool holds_mark(const struct gw_json *value)
{
    void *iterator = NULL;
    const char *name;
    struct gw_json *member;
    if (gw_json_is_string(value))
        return strstr(gw_json_text(value, NULL), MARK) != NULL;
    for (size_t i = 0; gw_json_is_array(value) && i < gw_json_count(value); i++)
        if (holds_mark(gw_json_at(value, i)))
            return true;
    while (gw_json_is_object(value) && gw_json_next(value, &iterator, &name, &member))
        if (holds_mark(member))
            return true;
    return false;
}

static bool differs(const struct gw_json *a, const struct gw_json *b) { return a && b ? !gw_json_equal(a, b) : a != b; }

static bool is_role(const struct search *s, const struct gw_lua_token *token)
{
    const char *role = s->question->subject->role;
    return token->length == strlen(role) && memcmp(token->text, role, token->length) == 0;
}

/* What the trial says of its place; `plan` NULL: it admits nobody now. */
static int judge(const struct search *s, const struct change *change, const struct gw_plan *plan)
{
    struct gw_plan_reason reason = {.is_admitted = false};
    const struct gw_json *value = plan ? at_pointer(plan, s->reason.pointer) : NULL;
    if (plan)
        s->question->answer(s->question->arg, plan, &reason);
    bool is_other = differs(s->before, value), is_marked = change->is_mark && holds_mark(value);
    if (gw_json_is_string(s->before))
        return is_marked ? IS_IT : is_role(s, change->token) && is_other ? ROLE : NOWHERE;
    if (plan && is_other && reason.is_admitted != s->reason.is_admitted && (is_marked || !change->is_mark))
        return DECIDES;
    if (is_marked)
        return WITHIN;
    return is_role(s, change->token) && (!plan || is_other) ? ROLE : NOWHERE;
}

static struct gw_sources *with_change(const struct search *s, const struct change *change)
{
    struct gw_sources *from = s->generation->sources, *out = gw_sources_create();
    struct gw_buffer text;
    struct gw_error err;
    int status = GW_OK;
    size_t before = (size_t)(change->token->text - change->source->text), after = before + change->token->length;
    gw_buffer_init(&text, 0);
    gw_buffer_append(&text, change->source->text, before);
    gw_buffer_append_text(&text, change->text);
    gw_buffer_append(&text, change->source->text + after, change->source->length - after);
    struct gw_source changed = {change->source->module, change->source->path, text.data, text.length};
    for (size_t i = 0; !status && i < gw_sources_count(from); i++)
        status = gw_sources_at(from, i) == change->source ? gw_sources_add(out, &changed, &err) : gw_sources_share(out, from, i, &err);
    gw_buffer_fini(&text);
    if (!status)
        return out;
    gw_sources_unref(out);
    return NULL;
}

static void try(struct search *s, const struct change *change)
{
    struct gw_sources *sources = with_change(s, change);
    struct gw_plan *plan = NULL;
    struct gw_error err;
    bool is_good = sources && !make_plan(s->scripts, s->generation, sources, s->question->subject, &plan, &err);
    int found = is_good ? judge(s, change, plan) : NOWHERE;
    if (found > s->best) {
        s->best = found;
        snprintf(s->out->where, sizeof s->out->where, "%.145s:%u", change->source->path, change->token->line);
    }
    gw_plan_unref(plan);
    gw_sources_unref(sources);
}

/* ---- all of them ----------------------------------------------------------------------------------------------------------------------- */

static void try_text(struct search *s, const struct gw_source *source, const struct gw_lua_token *token)
{
    static const char *const words[] = {"user", "agent", "service", "self"};
    bool excludes = token->length > 0 && token->text[0] == '!';
    try(s, &(struct change){source, token, excludes ? "!" MARK : MARK, true});
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (token->length != strlen(words[i]) || memcmp(token->text, words[i], token->length) != 0)
            continue;
        for (size_t other = 0; other < sizeof words / sizeof *words; other++)
            if (other != i)
                try(s, &(struct change){source, token, words[other], false});
    }
}

static bool is_late(const struct search *s)
{
    const struct gw_clock *clock = gw_clock_system();
    return clock->monotonic_ns(clock->self) > s->end_ns;
}

static void search_file(struct search *s, const struct gw_source *source)
{
    struct gw_lua_lexer lexer;
    gw_lua_lexer_init(&lexer, source->text, source->length);
    for (; lexer.token.kind != GW_LUA_EOF && s->best < IS_IT && !is_late(s); gw_lua_lexer_next(&lexer)) {
        const struct gw_lua_token token = lexer.token;
        if (token.kind == GW_LUA_STRING)
            try_text(s, source, &token);
        else if (gw_lua_token_is(&token, "true") || gw_lua_token_is(&token, "false"))
            try(s, &(struct change){source, &token, token.length == 4 ? "false" : "true", false});
        else if (token.kind == GW_LUA_NAME && is_role(s, &token))
            try(s, &(struct change){source, &token, "zq_mark", true});
    }
}

/* The library decides nothing; the tenant's files are looked at before those of all. */
static void search_files(struct search *s)
{
    static const char *const prefixes[] = {"policy.", "defaults."};
    const struct gw_source *lens = gw_sources_find(s->generation->sources, LENS);
    search_file(s, lens);
    for (size_t p = 0; p < sizeof prefixes / sizeof *prefixes && (p == 0 || s->generation->defaults); p++)
        for (size_t i = 0; i < gw_sources_count(s->generation->sources) && s->best < DECIDES; i++) {
            const struct gw_source *source = gw_sources_at(s->generation->sources, i);
            const char *name = source->module + strlen(prefixes[p]);
            bool is_other = strncmp(source->module, prefixes[p], strlen(prefixes[p])) != 0 || source == lens ||
                            strncmp(name, "commands.", 9) == 0 || strcmp(name, "ceiling") == 0 || strcmp(name, "sanitize") == 0 ||
                            strcmp(name, "context_lens") == 0;
            if (!is_other)
                search_file(s, source);
        }
    if (s->best > NOWHERE)
        return;
    unsigned line = gw_source_line_of_function(lens, "lens");
    snprintf(s->out->where, sizeof s->out->where, "%.145s:%u", lens->path, line ? line : 1);
}

/* The ceiling is data: its members have lines. */
static bool place_in_ceiling(const struct search *s)
{
    const struct gw_generation *owner = s->generation->defaults ? s->generation->defaults : s->generation;
    const struct gw_source *source = gw_sources_find(owner->own, CEILING);
    struct gw_data_opts opts = {.name = source ? source->path : NULL};
    struct gw_data_file *file;
    struct gw_error err;
    char pointer[96];
    if (!source || gw_data_file_parse(source->text, source->length, &opts, &file, &err))
        return false;
    snprintf(pointer, sizeof pointer, "/plan%s", s->reason.pointer);
    gw_data_file_where(file, pointer, s->out->where, sizeof s->out->where);
    gw_data_file_destroy(file);
    return true;
}

static void find(struct search *s, const struct gw_plan *plan)
{
    const struct gw_clock *clock = gw_clock_system();
    s->end_ns = clock->monotonic_ns(clock->self) + END_NS;
    if (plan)
        s->question->answer(s->question->arg, plan, &s->reason);
    if (plan && strcmp(s->reason.layer, "ceiling") == 0 && place_in_ceiling(s))
        return;
    s->before = plan ? at_pointer(plan, s->reason.pointer) : NULL;
    search_files(s);
    s->out->is_near = plan && s->best < WITHIN;
}

int gw_scripts_find_origin(struct gw_scripts *scripts, const struct gw_script_question *question, struct gw_script_origin *out,
                           struct gw_error *err)
{
    struct gw_generation *generation;
    struct gw_plan *plan = NULL;
    int status = get(scripts, question->subject->scope->tenant_id, &generation, err);
    if (status)
        return status;
    *out = (struct gw_script_origin){.is_near = false};
    gw_hex_encode(generation->digest, GW_SHA256_BYTES, out->digest);
    struct search s = {.scripts = scripts, .generation = generation, .question = question, .out = out};
    status = make_plan(scripts, generation, generation->sources, question->subject, &plan, err);
    if (!status)
        find(&s, plan);
    gw_plan_unref(plan);
    gw_generation_unref(generation);
    return status;
}
