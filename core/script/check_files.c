/* What the files of a generation hold that nobody asks for, and what they do not hold that somebody will ask for. */
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "hub/manifest.h"
#include "hub/value_type.h"
#include "script/check_look.h"
#include "script/global_names.h"
#include "script/source_line.h"
#include "script/sources.h"

/* value: a file that the gateway asks, and what it returns */
struct asked_file {
    const char *module, *file; /* "policy.token_lens" */
    const char *members[6];
};

static const struct asked_file asked[] = {
    {"policy.token_lens", "token_lens.lua", {"name", "version", "api", "lens", "transforms"}},
    {"policy.context_lens", "context_lens.lua", {"name", "version", "api", "context"}},
    {"policy.sanitize", "sanitize.lua", {"name", "version", "api", "sanitize"}},
    {"policy.ceiling", "ceiling.lua", {NULL}},
};
static const struct asked_file rule = {"policy.commands.", "commands/", {"name", "version", "api", "commands", "rate", "validate"}};
static const struct asked_file canvas = {"canvas.", "commands.lua", {"name", "version", "api", "commands"}};

/* value: the file at hand */
struct at {
    const struct gw_check_look *look;
    const struct gw_source *source;
    struct gw_sandbox *sandbox;
};

static bool begins_with(const char *text, const char *start) { return strncmp(text, start, strlen(start)) == 0; }

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static void warn(const struct at *at, unsigned line, struct gw_error *err, const char *pointer, const char *hint)
{
    gw_check_place(at->source, line, err);
    gw_check_tell(at->look, &(struct gw_check_note){.is_warning = true, .err = err, .pointer = pointer, .hint = hint});
}

/* ---- files that nobody asks ------------------------------------------------------------------------------------------------------------ */

static const struct asked_file *find_asked(const char *module)
{
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        if (strcmp(module, asked[i].module) == 0)
            return &asked[i];
    if (begins_with(module, rule.module))
        return &rule;
    return begins_with(module, canvas.module) && ends_with(module, ".commands") ? &canvas : NULL;
}

static bool is_said(const struct gw_check_look *look, const struct gw_source *except, const char *text)
{
    for (size_t i = 0; i < gw_sources_count(look->generation->sources); i++) {
        const struct gw_source *source = gw_sources_at(look->generation->sources, i);
        if (strcmp(source->path, except->path) != 0 && gw_source_line_of(source, text, 1))
            return true;
    }
    return false;
}

/* "policy.sub.x" is also "defaults.sub.x". */
static bool is_required(const struct at *at)
{
    char other[GW_MODULE_NAME_MAX + 16];
    snprintf(other, sizeof other, "defaults.%s", at->source->module + (begins_with(at->source->module, "policy.") ? 7 : 0));
    return is_said(at->look, at->source, at->source->module) || is_said(at->look, at->source, other);
}

/* Letters of the one that are not the other's, without regard to their order: enough to tell a slip. */
static size_t strangeness(const char *a, const char *b)
{
    int counts[256] = {0};
    size_t sum = 0;
    for (; *a; a++)
        counts[(unsigned char)*a]++;
    for (; *b; b++)
        counts[(unsigned char)*b]--;
    for (size_t i = 0; i < 256; i++)
        sum += (size_t)(counts[i] < 0 ? -counts[i] : counts[i]);
    return sum;
}

static void suggest(const char *name, char *out, size_t size)
{
    static const char *const known[] = {"token_lens.lua", "context_lens.lua", "sanitize.lua", "ceiling.lua", "commands.lua"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strangeness(name, known[i]) <= 3)
            snprintf(out, size, "did you mean %s?", known[i]);
}

static void check_use(const struct at *at)
{
    struct gw_error err;
    const char *slash = strrchr(at->source->path, '/'), *name = slash ? slash + 1 : at->source->path;
    char hint[200] = "the gateway asks token_lens, context_lens, sanitize, ceiling and commands/*.lua, and of a canvas commands.lua; "
                     "others are for require";
    if (find_asked(at->source->module) || is_required(at))
        return;
    suggest(name, hint, sizeof hint);
    if (begins_with(at->source->module, "policy.command."))
        snprintf(hint, sizeof hint, "did you mean the folder commands?");
    gw_error_set(&err, GW_EINVAL, "unused_file", "nobody asks for this file, and none requires it");
    warn(at, 1, &err, NULL, hint);
}

/* ---- members that nobody asks for ------------------------------------------------------------------------------------------------------ */

static bool is_known(const char *const *members, size_t count, const char *name)
{
    for (size_t i = 0; i < count && members[i]; i++)
        if (strcmp(members[i], name) == 0)
            return true;
    return false;
}

static void warn_members(const struct at *at, const struct gw_json *object, const char *below, const char *const *members, size_t count)
{
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    while (gw_json_is_object(object) && gw_json_next(object, &iterator, &name, &value)) {
        struct gw_error err;
        char pointer[128], known[120] = "";
        if (is_known(members, count, name) || is_said(at->look, at->source, name))
            continue;
        for (size_t i = 0; i < count && members[i]; i++)
            snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i ? ", " : "there are ", members[i]);
        snprintf(pointer, sizeof pointer, "%.60s/%.64s", below, name);
        gw_error_set(&err, GW_EINVAL, "unused_member", "%s: nobody asks for it", pointer);
        warn(at, gw_source_line_of(at->source, name, 1), &err, pointer, known);
    }
}

static void check_canvas_members(const struct at *at, const struct gw_json *outline)
{
    static const char *const hooks[] = {"validate", "reduce"};
    const struct gw_json *commands = gw_json_get(outline, "commands");
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    char below[100];
    while (gw_json_is_object(commands) && gw_json_next(commands, &iterator, &name, &value)) {
        snprintf(below, sizeof below, "/commands/%.64s", name);
        warn_members(at, value, below, hooks, 2);
    }
}

static void check_rule(const struct at *at, const struct gw_json *outline)
{
    static const char *const of_rate[] = {"per_s", "burst"};
    const struct gw_json *commands = gw_json_get(outline, "commands");
    warn_members(at, gw_json_get(outline, "rate"), "/rate", of_rate, 2);
    for (size_t i = 0; gw_json_is_array(commands) && i < gw_json_count(commands); i++) {
        const struct gw_json *item = gw_json_at(commands, i);
        const char *text = gw_json_is_string(item) ? gw_json_text(item, NULL) : "*", *glob = text + (text[0] == '!');
        struct gw_error err;
        char pointer[64];
        bool is_glob = glob[0] && !glob[strcspn(glob, "[]?\\{}!")];
        if (is_glob && gw_check_is_command(at->look, glob))
            continue;
        snprintf(pointer, sizeof pointer, "/commands/%zu", i);
        gw_error_set(&err, GW_EINVAL, is_glob ? "unknown_command" : "bad_glob", "%s: \"%.64s\" %s", pointer, text,
                     is_glob ? "means nothing that there is" : "is no glob");
        warn(at, gw_source_line_of(at->source, text, 1), &err, pointer,
             is_glob ? "is it a slip, or of a canvas that is not here?" : "* stands for any characters, and nothing else does");
    }
}

/* What does not load was told before. */
static void check_members(const struct at *at)
{
    const struct asked_file *file = find_asked(at->source->module);
    struct gw_json *outline = NULL;
    struct gw_error err;
    if (!file || !file->members[0] || gw_sandbox_outline(at->sandbox, at->source->module, &outline, &err))
        return;
    warn_members(at, outline, "", file->members, sizeof file->members / sizeof *file->members);
    if (file == &rule)
        check_rule(at, outline);
    if (file == &canvas)
        check_canvas_members(at, outline);
    gw_json_unref(outline);
}

/* ---- globals --------------------------------------------------------------------------------------------------------------------------- */

/* value: the uses of a file, and the module that asks which of them are there */
struct globals {
    const struct at *at;
    const struct gw_json *there; /* name → true; NULL: they are being put together */
    struct gw_buffer question;
};

static bool is_listed(const struct gw_json *there, const char *name)
{
    const struct gw_json *value = gw_json_is_object(there) ? gw_json_get(there, name) : NULL;
    return gw_json_is_bool(value) && gw_json_bool(value);
}

static void on_use(void *arg, const struct gw_global_use *use)
{
    struct globals *g = arg;
    struct gw_error err;
    if (!g->there) {
        gw_buffer_appendf(&g->question, "[\"%s\"] = %s ~= nil, ", use->name, use->name);
        return;
    }
    if (use->is_assigned) {
        gw_error_set(&err, GW_EINVAL, "assigned_global", "assigns the global %s, which raises an error", use->name);
        warn(g->at, use->line, &err, NULL, "write local before its first use");
    } else if (!is_listed(g->there, use->name)) {
        gw_error_set(&err, GW_EINVAL, "unknown_global", "there is no global %s: it is nil here", use->name);
        warn(g->at, use->line, &err, NULL, "is it a slip, or a local of another place? lua/sandbox.lua lists every global");
    }
}

/* Which of these names are globals the sandbox itself says. */
static struct gw_json *ask_globals(const struct at *at, const struct gw_buffer *question)
{
    struct gw_sources *sources = gw_sources_create();
    struct gw_source source = {"tool.globals", "globals", question->data, question->length};
    struct gw_sandbox_opts opts = {.sources = sources, .clock = at->look->opts->budget_clock, .limits = at->look->opts->limits.call};
    struct gw_sandbox *sandbox = NULL;
    struct gw_json *out = NULL;
    struct gw_error err;
    if (!gw_sources_add(sources, &source, &err) && !gw_sandbox_create(&opts, &sandbox, &err))
        (void)gw_sandbox_data(sandbox, source.module, &out, &err); /* without an answer nothing is told */
    gw_sandbox_destroy(sandbox);
    gw_sources_unref(sources);
    return out;
}

static void check_globals(const struct at *at)
{
    struct globals g = {.at = at};
    struct gw_error err; /* of what is no Lua, which was told before */
    gw_buffer_init(&g.question, 1u << 18);
    gw_buffer_append_text(&g.question, "return { ");
    int status = gw_global_names(at->source, on_use, &g, &err);
    gw_buffer_append_text(&g.question, "}");
    struct gw_json *there = status || g.question.has_failed ? NULL : ask_globals(at, &g.question);
    g.there = there;
    if (there)
        (void)gw_global_names(at->source, on_use, &g, &err);
    gw_json_unref(there);
    gw_buffer_fini(&g.question);
}

/* ---- canvases -------------------------------------------------------------------------------------------------------------------------- */

static void warn_manifest(const struct gw_check_look *look, const struct gw_manifest *manifest, struct gw_error *err, const char *hint)
{
    snprintf(err->path, sizeof err->path, "%.70s/%.64s/manifest.lua:1",
             look->opts->canvases_shown ? look->opts->canvases_shown : "canvases", gw_manifest_type(manifest));
    gw_check_tell(look, &(struct gw_check_note){.is_warning = true, .err = err, .hint = hint});
}

static void check_reducers(const struct gw_check_look *look, struct gw_sandbox *sandbox, const struct gw_manifest *manifest)
{
    char module[GW_ID_MAX + 24], function[GW_ID_MAX * 2];
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    struct gw_error err;
    snprintf(module, sizeof module, "canvas.%s.commands", gw_manifest_type(manifest));
    bool has_file = gw_sources_find(look->generation->sources, module) != NULL;
    while (gw_json_next(gw_manifest_member(manifest, "commands"), &iterator, &name, &value)) {
        snprintf(function, sizeof function, "/commands/%.64s/reduce", name);
        if (has_file && gw_sandbox_has(sandbox, module, function, &err) != 0)
            continue; /* it is there, or its file has a fault, which was told */
        gw_error_set(&err, GW_EINVAL, "missing_reducer",
                     "/commands/%s: commands.lua has no reduce for it: senders are told unknown_command", name);
        warn_manifest(look, manifest, &err, "canvases/README.md shows how a command is written");
    }
}

static void check_tokens(const struct gw_check_look *look, const struct gw_manifest *manifest, const struct gw_manifest *other)
{
    const struct gw_json *others = gw_manifest_member(other, "tokens");
    void *iterator = NULL;
    const char *key;
    struct gw_json *declaration;
    struct gw_error err;
    while (gw_json_next(gw_manifest_member(manifest, "tokens"), &iterator, &key, &declaration)) {
        const struct gw_json *theirs = gw_json_get(others, key);
        if (!theirs || gw_json_equal(declaration, theirs))
            continue;
        gw_error_set(&err, GW_EINVAL, "token_disagreement", "/tokens/%.64s: %.64s declares it differently", key, gw_manifest_type(other));
        warn_manifest(look, manifest, &err, "in one run both can be mounted: declare it alike, or call it otherwise");
    }
}

static const struct gw_json *find_token(const struct gw_manifests *manifests, const char *key)
{
    const struct gw_json *found = NULL;
    for (size_t i = 0; !found && i < gw_manifests_count(manifests); i++)
        found = gw_json_get(gw_manifest_member(gw_manifests_at(manifests, i), "tokens"), key);
    return found;
}

/* A condition that never holds: its canvas is never picked. */
static void check_condition(const struct gw_check_look *look, const struct gw_manifest *manifest, const struct gw_json *condition,
                            size_t index)
{
    const struct gw_json *token = gw_json_get(condition, "token"), *equals = gw_json_get(condition, "equals");
    const struct gw_json *declared = token ? find_token(look->generation->manifests, gw_json_text(token, NULL)) : NULL;
    struct gw_error err, why;
    if (token && !declared)
        gw_error_set(&err, GW_EINVAL, "unknown_token", "/lens/when/%zu/token: no canvas declares %.100s", index, gw_json_text(token, NULL));
    else if (declared && equals && gw_value_fits(declared, equals, &why))
        gw_error_set(&err, GW_EINVAL, "never_equal", "/lens/when/%zu/equals: %.100s never is that: %.80s", index, gw_json_text(token, NULL),
                     why.message);
    else
        return;
    warn_manifest(look, manifest, &err, "this condition never holds: is it a slip, or a Token of a canvas that is not here?");
}

static void check_when(const struct gw_check_look *look, const struct gw_manifest *manifest)
{
    const struct gw_json *when = gw_json_get(gw_manifest_member(manifest, "lens"), "when");
    for (size_t i = 0; i < gw_json_count(when); i++)
        check_condition(look, manifest, gw_json_at(when, i), i);
}

static void check_canvases(const struct gw_check_look *look, struct gw_sandbox *sandbox)
{
    const struct gw_manifests *manifests = look->generation->manifests;
    for (size_t i = 0; i < gw_manifests_count(manifests); i++) {
        check_reducers(look, sandbox, gw_manifests_at(manifests, i));
        check_when(look, gw_manifests_at(manifests, i));
        for (size_t k = 0; k < i; k++)
            check_tokens(look, gw_manifests_at(manifests, i), gw_manifests_at(manifests, k));
    }
}

/* ---- all ------------------------------------------------------------------------------------------------------------------------------- */

void gw_check_files(const struct gw_check_look *look)
{
    struct gw_sandbox *sandbox;
    struct gw_error err;
    if (gw_check_sandbox(look, &sandbox, &err))
        return; /* which was told by those who looked before */
    for (size_t i = 0; i < gw_sources_count(look->generation->own); i++) {
        struct at at = {look, gw_sources_at(look->generation->own, i), sandbox};
        if (!begins_with(at.source->module, "policy.") && !begins_with(at.source->module, "canvas."))
            continue;
        check_use(&at);
        check_members(&at);
        if (strcmp(at.source->module, "policy.ceiling") != 0)
            check_globals(&at);
    }
    if (!look->generation->defaults)
        check_canvases(look, sandbox);
    gw_sandbox_destroy(sandbox);
}
