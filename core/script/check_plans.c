/* The plans of a generation: of the roles that ship, of those that its lens speaks of, and of any other. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "hub/event.h"
#include "hub/manifest.h"
#include "hub/plan.h"
#include "hub/plan_compile.h"
#include "script/check_look.h"
#include "script/script_words.h"
#include "script/source_line.h"
#include "script/sources.h"
#include "script/transforms.h"

#define LENS     "policy.token_lens"
#define LATE_MAX 4 /* a lens that works too long does so for the next word as well */

/* value: a role that a lens is asked about */
struct asked {
    const char *role, *kind;
};

static const struct asked shipped[] = {{"owner", "user"},    {"editor", "user"},    {"viewer", "user"},
                                       {"planner", "agent"}, {"director", "agent"}, {"service", "service"}};

/* value: the plans being looked through */
struct plans {
    const struct gw_check_look *look;
    struct gw_sandbox *sandbox;
    struct gw_json *of_nobody; /* what the lens answers a role that it does not know; NULL: nothing */
    struct gw_error nobody;    /* or how it fails then; id "": it does not */
    size_t late_count;         /* answers that took too long */
};

/* ---- asking ---------------------------------------------------------------------------------------------------------------------------- */

static struct gw_json *text(const char *value) { return gw_json_new_text(value, strlen(value)); }

static struct gw_json *make_actor(const char *id, const struct asked *role)
{
    struct gw_json *actor = gw_json_new_object();
    if (actor && !gw_json_set(actor, "id", text(id)) && !gw_json_set(actor, "kind", text(role->kind)) &&
        !gw_json_set(actor, "role", text(role->role)) && !gw_json_set(actor, "claims", gw_json_new_object()))
        return actor;
    gw_json_unref(actor);
    return NULL;
}

static struct gw_json *make_scope(const char *tenant_id)
{
    struct gw_json *scope = gw_json_new_object();
    if (scope && !gw_json_set(scope, "tenant_id", text(tenant_id[0] ? tenant_id : "acme")) && !gw_json_set(scope, "mode", text("dev")) &&
        !gw_json_set(scope, "project_id", text("p1")) && !gw_json_set(scope, "surface_id", text("web")) &&
        !gw_json_set(scope, "app_id", text("demo")))
        return scope;
    gw_json_unref(scope);
    return NULL;
}

/* The line of the lens that says `text`, else that of the lens itself. */
static void place(const struct plans *p, const char *text, struct gw_error *err)
{
    const struct gw_source *source = gw_sources_find(p->look->generation->sources, LENS);
    unsigned line = text ? gw_source_line_of(source, text, 1) : 0;
    gw_check_place(source, line ? line : gw_source_line_of_function(source, "lens"), err);
}

/* Of a failure whose file alone is known, as a tail call leaves no frame: the line of the lens. */
static void place_failure(const struct plans *p, struct gw_error *err)
{
    const struct gw_source *source = gw_sources_find(p->look->generation->sources, LENS);
    if (source && strcmp(err->path, source->path) == 0)
        place(p, NULL, err);
}

/* What the lens answers; NULL: nothing, or a fault in *err with an id. */
static struct gw_json *ask(const struct plans *p, const char *id, const struct asked *role, struct gw_error *err)
{
    static const char *const lists[] = {"read",     "write", "redact", "kinds",    "vis", "authors",
                                        "canvases", "props", "events", "commands", NULL};
    struct gw_json *args[2] = {make_actor(id, role), make_scope(p->look->tenant_id)}, *plan = NULL;
    struct gw_sandbox_call call = {
        .module = LENS, .function = "lens", .args = args, .arg_count = 2, .result_count = 1, .list_names = lists};
    struct gw_sandbox_cost cost;
    err->id[0] = '\0';
    if (args[0] && args[1] && gw_sandbox_call(p->sandbox, &call, &plan, &cost, err))
        place_failure(p, err);
    gw_json_unref(args[0]);
    gw_json_unref(args[1]);
    if (!gw_json_is_null(plan))
        return plan;
    gw_json_unref(plan);
    return NULL;
}

static void report(const struct plans *p, const struct gw_error *err, const char *hint)
{
    gw_check_tell(p->look, &(struct gw_check_note){.err = err, .hint = hint});
}

static void warn(const struct plans *p, const struct gw_error *err, const char *pointer, const char *hint)
{
    bool is_of_actor = strcmp(err->id, "plan_per_actor") == 0; /* the next role's mostly is so as well */
    gw_check_tell(
        p->look, &(struct gw_check_note){.is_warning = true, .err = err, .pointer = pointer, .hint = hint, .key = is_of_actor ? "" : NULL});
}

/* ---- lists ----------------------------------------------------------------------------------------------------------------------------- */

static bool is_event(const char *glob)
{
    for (int type = 0; type < GW_EVENT_VOID; type++)
        if (gw_check_may_mean(glob, gw_event_type_name((enum gw_event_type)type)))
            return true;
    return gw_check_may_mean(glob, "gesture") || gw_check_may_mean(glob, "presence");
}

static const struct gw_manifests *manifests_of(const struct plans *p)
{
    const struct gw_generation *generation = p->look->generation;
    return generation->defaults ? generation->defaults->manifests : generation->manifests;
}

static bool has_member(const struct gw_json *object, const char *glob)
{
    void *iterator = NULL;
    const char *name;
    struct gw_json *value;
    while (gw_json_is_object(object) && gw_json_next(object, &iterator, &name, &value))
        if (gw_check_may_mean(glob, name))
            return true;
    return false;
}

static bool is_prop(const struct gw_json *kinds, const char *glob)
{
    void *iterator = NULL;
    const char *name;
    struct gw_json *kind;
    while (gw_json_next(kinds, &iterator, &name, &kind))
        if (has_member(gw_json_get(kind, "props"), glob))
            return true;
    return false;
}

/* Is there anything of that sort which the glob could mean? Without canvases there is nothing to tell by. */
static bool means_something(const struct plans *p, const char *sort, const char *glob)
{
    const struct gw_manifests *manifests = manifests_of(p);
    if (strcmp(sort, "event") == 0)
        return is_event(glob);
    if (strcmp(sort, "command") == 0)
        return gw_check_is_command(p->look, glob);
    for (size_t i = 0; i < gw_manifests_count(manifests); i++) {
        const struct gw_manifest *manifest = gw_manifests_at(manifests, i);
        const struct gw_json *kinds = gw_manifest_member(manifest, "kinds");
        bool is_there = strcmp(sort, "kind") == 0   ? has_member(kinds, glob)
                        : strcmp(sort, "prop") == 0 ? is_prop(kinds, glob)
                                                    : gw_check_may_mean(glob, gw_manifest_type(manifest));
        if (is_there)
            return true;
    }
    return gw_manifests_count(manifests) == 0;
}

/* Of labels "" is one: what bears none. */
static bool is_glob(const char *glob, bool is_vis) { return (glob[0] || is_vis) && !glob[strcspn(glob, "[]?\\{}!")]; }

static void check_glob(const struct plans *p, const char *pointer, const char *sort, const char *text)
{
    const char *glob = text + (text[0] == '!');
    struct gw_error err;
    char id[40];
    if (!is_glob(glob, strcmp(sort, "vis") == 0)) {
        gw_error_set(&err, GW_EINVAL, "bad_glob", "%s: \"%.64s\" is no glob", pointer, text);
        place(p, text, &err);
        warn(p, &err, pointer, "* stands for any characters, a ! before it excludes, and nothing else has a meaning");
        return;
    }
    if (strcmp(sort, "vis") == 0 || strcmp(sort, "token") == 0 || means_something(p, sort, glob))
        return;
    snprintf(id, sizeof id, "unknown_%s", sort);
    gw_error_set(&err, GW_EINVAL, id, "%s: \"%.64s\" means nothing that there is", pointer, glob);
    place(p, text, &err);
    warn(p, &err, pointer,
         strcmp(sort, "event") == 0 ? "docs/contract.md lists the events" : "is it a slip, or of a canvas that is not here?");
}

static void check_list(const struct plans *p, const struct gw_json *object, const char *member, const char *below, const char *sort)
{
    const struct gw_json *list = gw_json_is_object(object) ? gw_json_get(object, member) : NULL;
    char pointer[128];
    for (size_t i = 0; gw_json_is_array(list) && i < gw_json_count(list); i++) {
        snprintf(pointer, sizeof pointer, "%.60s/%.20s/%zu", below, member, i);
        check_glob(p, pointer, sort, gw_json_text(gw_json_at(list, i), NULL));
    }
}

/* Kinds of nodes are whatever a flow calls them. */
static void check_rules(const struct plans *p, const struct gw_json *plan, const char *part, const char *member)
{
    const struct gw_json *owner = gw_json_get(plan, part), *rules = owner ? gw_json_get(owner, member) : NULL;
    char below[48];
    for (size_t i = 0; gw_json_is_array(rules) && i < gw_json_count(rules); i++) {
        snprintf(below, sizeof below, "/%s/%s/%zu", part, member, i);
        if (strcmp(part, "blocks") == 0)
            check_list(p, gw_json_at(rules, i), "kinds", below, "kind");
        check_list(p, gw_json_at(rules, i), "canvases", below, "canvas");
        check_list(p, gw_json_at(rules, i), "props", below, "prop");
        check_list(p, gw_json_at(rules, i), "vis", below, "vis");
    }
}

/* ---- redactions ------------------------------------------------------------------------------------------------------------------------ */

/* Might the list admit the word? What it excludes is not looked at: enough to tell a slip. */
static bool may_admit(const struct gw_json *list, const char *word)
{
    if (!gw_json_is_array(list))
        return true;
    for (size_t i = 0; i < gw_json_count(list); i++)
        if (gw_check_may_mean(gw_json_text(gw_json_at(list, i), NULL), word))
            return true;
    return false;
}

/* Has one of the kinds that the redaction is about such a property? */
static bool hits(const struct gw_json *redaction, const struct gw_manifest *manifest, const char *glob)
{
    const struct gw_json *kinds = gw_manifest_member(manifest, "kinds");
    void *iterator = NULL;
    const char *name;
    struct gw_json *kind;
    if (!may_admit(gw_json_get(redaction, "canvases"), gw_manifest_type(manifest)))
        return false;
    while (gw_json_next(kinds, &iterator, &name, &kind))
        if (may_admit(gw_json_get(redaction, "kinds"), name) && has_member(gw_json_get(kind, "props"), glob))
            return true;
    return false;
}

static bool hits_any(const struct plans *p, const struct gw_json *redaction, const char *glob)
{
    const struct gw_manifests *manifests = manifests_of(p);
    for (size_t i = 0; i < gw_manifests_count(manifests); i++)
        if (hits(redaction, gw_manifests_at(manifests, i), glob))
            return true;
    return glob[0] == '!' || !means_something(p, "prop", glob); /* which was told */
}

static void warn_idle(const struct plans *p, const char *pointer, const char *glob)
{
    struct gw_error err;
    if (glob)
        gw_error_set(&err, GW_EINVAL, "redacts_nothing", "%s: no kind that this redaction is about has \"%.64s\"", pointer, glob);
    else
        gw_error_set(&err, GW_EINVAL, "redacts_nothing", "%s: it leaves nothing out: neither props nor text", pointer);
    place(p, glob, &err);
    warn(p, &err, pointer, "what it was to hide is shown: is it of another kind or canvas?");
}

static void check_redactions(const struct plans *p, const struct gw_json *plan)
{
    const struct gw_json *blocks = gw_json_get(plan, "blocks"), *list = blocks ? gw_json_get(blocks, "redact") : NULL;
    char pointer[64];
    for (size_t i = 0; gw_json_is_array(list) && i < gw_json_count(list); i++) {
        const struct gw_json *redaction = gw_json_at(list, i), *props = gw_json_get(redaction, "props"),
                             *text = gw_json_get(redaction, "text");
        snprintf(pointer, sizeof pointer, "/blocks/redact/%zu", i);
        if (gw_json_count(props) == 0 && !(gw_json_is_bool(text) && gw_json_bool(text)))
            warn_idle(p, pointer, NULL);
        for (size_t k = 0; k < gw_json_count(props); k++) {
            const char *glob = gw_json_text(gw_json_at(props, k), NULL);
            snprintf(pointer, sizeof pointer, "/blocks/redact/%zu/props/%zu", i, k);
            if (!hits_any(p, redaction, glob))
                warn_idle(p, pointer, glob);
        }
    }
}

/* `plan` is as the gateway understood it: every member there, and of its shape. */
static void check_lists(const struct plans *p, const struct gw_json *plan)
{
    check_list(p, plan, "events", "", "event");
    check_list(p, plan, "commands", "", "command");
    check_list(p, gw_json_get(plan, "tokens"), "read", "/tokens", "token");
    check_list(p, gw_json_get(plan, "tokens"), "write", "/tokens", "token");
    check_rules(p, plan, "blocks", "read");
    check_rules(p, plan, "blocks", "write");
    check_rules(p, plan, "blocks", "redact");
    check_rules(p, plan, "graph", "read");
    check_rules(p, plan, "chat", "read");
}

/* ---- one plan -------------------------------------------------------------------------------------------------------------------------- */

/* The transform that it names is there; what is wrong with the file's transforms was told before. */
static bool finds_transform(const struct plans *p, const struct gw_json *plan)
{
    const struct gw_json *name = gw_json_get(plan, "transform");
    struct gw_found_transform found;
    struct gw_error err;
    if (!gw_json_is_string(name) || !gw_transforms_find(p->sandbox, p->look->generation->sources, gw_json_text(name, NULL), &found, &err))
        return true;
    report(p, &err, "export it as transforms.NAME, a table of functions block, token or message");
    return false;
}

static void report_shape(const struct plans *p, const struct gw_error *given)
{
    struct gw_error err = *given;
    const char *last = strrchr(given->path, '/');
    snprintf(err.message, sizeof err.message, "%.90s%s%.140s", given->path, given->path[0] ? ": " : "the plan ", given->message);
    place(p, last ? last + 1 : NULL, &err);
    gw_check_tell(p->look, &(struct gw_check_note){.err = &err, .pointer = given->path, .hint = gw_check_hint(&err, true)});
}

/* NULL: it has a fault, which was told. */
static struct gw_plan *compile(const struct plans *p, const struct gw_json *plan)
{
    static const uint8_t some_hash[32];
    struct gw_plan_opts opts = {.tenant_id = p->look->tenant_id,
                                .source = plan,
                                .ceiling = p->look->generation->ceiling,
                                .actor_id = "ann",
                                .transform_hash = gw_json_get(plan, "transform") ? some_hash : NULL};
    struct gw_plan *compiled;
    struct gw_error err;
    if (!gw_plan_compile(&opts, &compiled, &err))
        return compiled;
    report_shape(p, &err);
    return NULL;
}

static void warn_per_actor(const struct plans *p, const char *role, bool says_self)
{
    struct gw_error err;
    gw_error_set(&err, GW_EINVAL, "plan_per_actor", "the plan of role %s depends on who exactly asks", role);
    place(p, NULL, &err);
    warn(p, &err, NULL,
         says_self ? "authors = { \"self\" } makes a class for each actor, with its own projection of every event: is it worth that here?"
                   : "each actor gets a class of its own, and so its own projection of every event; use `authors = { \"self\" }` or roles");
}

static bool says_self(const struct gw_json *value)
{
    void *iterator = NULL;
    const char *name;
    struct gw_json *member;
    if (gw_json_is_string(value))
        return strcmp(gw_json_text(value, NULL), "self") == 0;
    for (size_t i = 0; gw_json_is_array(value) && i < gw_json_count(value); i++)
        if (says_self(gw_json_at(value, i)))
            return true;
    while (gw_json_is_object(value) && gw_json_next(value, &iterator, &name, &member))
        if (says_self(member))
            return true;
    return false;
}

static void check_plan(const struct plans *p, const struct asked *role, const struct gw_json *plan)
{
    struct gw_error err;
    struct gw_plan *compiled = finds_transform(p, plan) ? compile(p, plan) : NULL;
    if (!compiled)
        return;
    struct gw_json *other = ask(p, "bob", role, &err);
    bool has_self = says_self(gw_json_get(plan, "blocks")) || says_self(gw_json_get(plan, "chat"));
    bool is_alike = other && gw_json_equal(plan, other);
    if (!is_alike || has_self)
        warn_per_actor(p, role->role, is_alike);
    check_lists(p, gw_plan_source(compiled));
    check_redactions(p, gw_plan_source(compiled));
    gw_json_unref(other);
    gw_plan_unref(compiled);
}

/* ---- all of them ----------------------------------------------------------------------------------------------------------------------- */

static void check_role(const struct plans *p, const struct asked *role)
{
    struct gw_error err;
    struct gw_json *plan = ask(p, "ann", role, &err);
    if (plan)
        check_plan(p, role, plan);
    else if (err.id[0])
        report(p, &err, gw_check_hint(&err, true));
    gw_json_unref(plan);
}

/* A word of the lens that is a role: it is answered something else than a role that nobody has. */
static void try_word(void *arg, const char *word)
{
    struct plans *p = arg;
    const struct asked role = {word, "user"};
    struct gw_error err;
    if (p->late_count >= LATE_MAX)
        return;
    struct gw_json *plan = ask(p, "ann", &role, &err);
    bool is_role = plan && (!p->of_nobody || !gw_json_equal(plan, p->of_nobody));
    gw_json_unref(plan);
    p->late_count += strcmp(err.id, "script_budget") == 0;
    bool fails_alike = strcmp(err.id, p->nobody.id) == 0 && strcmp(err.path, p->nobody.path) == 0;
    if (is_role || (err.id[0] && !fails_alike))
        check_role(p, &role);
}

/* Who is not known is refused either way, but a failure also counts against the tenant. */
static void check_nobody(struct plans *p)
{
    static const struct asked nobody = {GW_SCRIPT_NO_ROLE, "user"};
    p->of_nobody = ask(p, "ann", &nobody, &p->nobody);
    if (p->of_nobody)
        check_plan(p, &nobody, p->of_nobody);
    else if (p->nobody.id[0])
        warn(p, &p->nobody, NULL, "of a role that the lens does not know; answer nil instead: what fails counts towards quarantine");
}

void gw_check_plans(const struct gw_check_look *look)
{
    struct plans p = {.look = look};
    struct gw_error err;
    if (gw_check_sandbox(look, &p.sandbox, &err)) {
        report(&p, &err, NULL);
        return;
    }
    bool has_lens = gw_sandbox_has(p.sandbox, LENS, "lens", &err) == 1; /* else that was told */
    for (size_t i = 0; has_lens && i < sizeof shipped / sizeof *shipped; i++)
        check_role(&p, &shipped[i]);
    if (has_lens) {
        check_nobody(&p);
        gw_script_words_each(look->generation->sources, try_word, &p);
    }
    gw_json_unref(p.of_nobody);
    gw_sandbox_destroy(p.sandbox);
}
