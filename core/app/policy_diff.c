#include "app/policy_diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/policy_values.h"
#include "app/policy_words.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/event.h"
#include "hub/lens.h"
#include "hub/manifest.h"
#include "hub/plan.h"
#include "hub/ports.h"
#include "hub/project.h"
#include "hub/record.h"
#include "script/script.h"
#include "script/script_origin.h"
#include "script/script_words.h"
#include "spine/sqlite/log_visit.h"

#define ROLES_MAX 96

static const char *const usual_roles[] = {"owner", "editor", "viewer", "planner", "director", "service", NULL};

/* value: one of the two sets */
struct side {
    struct gw_scripts *scripts;
    struct gw_script_host *host;
    const struct gw_policy *policy;
    struct gw_plan *of_nobody; /* at the tenant at hand, of roles that its lens does not know; NULL: none */
};

/* value: one role of the tenant at hand */
struct class
{
    char role[GW_ID_MAX + 1], kind[16];
    struct gw_plan *plans[2];
    struct gw_error failures[2]; /* id "": it could tell */
    uint64_t event_count, gained, lost, changed;
    struct gw_policy_words *gains, *losses; /* of values; NULL: no transform has a say */
};

/* value: the run of a diff */
struct work {
    const struct gw_policy_diff *diff;
    struct side sides[2];
    char tenant_id[GW_ID_MAX + 1];
    char run[GW_RUN_KEY_MAX + 1];
    struct class classes[ROLES_MAX];
    size_t class_count;
    struct gw_policy_words *words;
    struct gw_error *err;
};

/* ---- roles ------------------------------------------------------------------------------------------------------------------------------ */

/* "role" or "role:kind", in two. Without a kind, the one that is usual for it. */
static bool read_role(struct class *class, const char *text)
{
    const char *colon = strchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : strlen(text);
    enum gw_actor_kind kind;
    if (!gw_id_is_valid(text, length) || (colon && gw_actor_kind_parse(colon + 1, &kind)))
        return false;
    *class = (struct class){0};
    snprintf(class->role, sizeof class->role, "%.*s", (int)length, text);
    bool is_agent = strcmp(class->role, "planner") == 0 || strcmp(class->role, "director") == 0;
    const char *usual = is_agent ? "agent" : strcmp(class->role, "service") == 0 ? "service" : "user";
    snprintf(class->kind, sizeof class->kind, "%s", colon ? colon + 1 : usual);
    return true;
}

bool gw_policy_diff_knows_role(const char *role)
{
    struct class class;
    return read_role(&class, role);
}

/* NULL: it is admitted to nothing, or the policies could not tell: then *failure has an id. */
static struct gw_plan *ask(const struct side *side, const char *tenant_id, const struct class *class, struct gw_error *failure)
{
    struct gw_actor actor = {.id = "ann"};
    struct gw_scope scope = {.mode = "dev", .project_id = "p1", .surface_id = "web", .app_id = "demo"};
    struct gw_policy_subject subject = {.actor = &actor, .role = class->role, .scope = &scope};
    struct gw_plan *plan, *again = NULL;
    (void)gw_actor_kind_parse(class->kind, &actor.kind); /* one of the three words: read_role */
    memcpy(scope.tenant_id, tenant_id, strlen(tenant_id) + 1);
    failure->id[0] = '\0';
    if (!side->policy->lens(side->policy->self, &subject, &plan, failure))
        return plan;
    if (strcmp(failure->id, "not_allowed") == 0)
        failure->id[0] = '\0';
    else if (!gw_scripts_ask_lens(side->scripts, &subject, &again, failure)) /* which says why */
        gw_plan_unref(again);
    return NULL;
}

static void add_role(struct work *w, const char *role)
{
    struct class *class = &w->classes[w->class_count];
    if (w->class_count == ROLES_MAX || !read_role(class, role))
        return;
    for (size_t i = 0; i < 2; i++)
        class->plans[i] = ask(&w->sides[i], w->tenant_id, class, &class->failures[i]);
    w->class_count++;
}

static bool is_same(const struct gw_plan *a, const struct gw_plan *b) { return a && b ? a->class_id == b->class_id : a == b; }

static void drop_class(struct class *class)
{
    gw_plan_unref(class->plans[0]);
    gw_plan_unref(class->plans[1]);
    gw_policy_words_destroy(class->gains);
    gw_policy_words_destroy(class->losses);
}

/* A word of a lens that is a role to either: it answers it something that it does not answer to anybody. */
static void try_role(void *arg, const char *word)
{
    struct work *w = arg;
    for (size_t i = 0; i < w->class_count; i++)
        if (strcmp(w->classes[i].role, word) == 0)
            return;
    size_t count = w->class_count;
    add_role(w, word);
    if (w->class_count == count)
        return;
    struct class *class = &w->classes[count];
    if (!is_same(class->plans[0], w->sides[0].of_nobody) || !is_same(class->plans[1], w->sides[1].of_nobody))
        return;
    drop_class(class);
    w->class_count--;
}

static void find_roles(struct work *w)
{
    struct gw_error ignored; /* of a lens that cannot be read: the roles that ship tell */
    add_role(w, GW_SCRIPT_NO_ROLE);
    struct class nobody = w->classes[--w->class_count];
    for (size_t i = 0; i < 2; i++)
        w->sides[i].of_nobody = nobody.plans[i];
    for (size_t i = 0; usual_roles[i]; i++)
        add_role(w, usual_roles[i]);
    for (size_t i = 0; i < 2; i++)
        (void)gw_scripts_each_word(w->sides[i].scripts, w->tenant_id, try_role, w, &ignored);
    if (w->class_count == ROLES_MAX || (!nobody.plans[0] && !nobody.plans[1])) {
        drop_class(&nobody);
        return;
    }
    nobody.role[0] = '\0';
    w->classes[w->class_count++] = nobody;
}

/* ---- a tenant --------------------------------------------------------------------------------------------------------------------------- */

static bool is_other(const struct class *class) { return !is_same(class->plans[0], class->plans[1]); }

static bool is_transformed(const struct class *class)
{
    const struct gw_plan *before = class->plans[0], *after = class->plans[1];
    return before && after && is_other(class) && (before->transform || after->transform);
}

static void tell_files(const struct work *w, const struct gw_json *files, const struct gw_json *others, bool tells_all)
{
    void *iterator = NULL;
    const char *path;
    struct gw_json *digest;
    while (gw_json_next(files, &iterator, &path, &digest)) {
        const struct gw_json *other = gw_json_get(others, path);
        if (!other || (tells_all && !gw_json_equal(digest, other)))
            w->diff->other_file(w->diff->arg, w->tenant_id, path);
    }
}

static void compare_files(const struct work *w)
{
    struct gw_json *files[2] = {NULL, NULL};
    struct gw_error ignored; /* the classes tell what cannot be read */
    bool is_read = !gw_scripts_other_files(w->sides[0].scripts, w->tenant_id, &files[0], &ignored) &&
                   !gw_scripts_other_files(w->sides[1].scripts, w->tenant_id, &files[1], &ignored);
    if (is_read) {
        tell_files(w, files[0], files[1], true);
        tell_files(w, files[1], files[0], false);
    }
    gw_json_unref(files[0]);
    gw_json_unref(files[1]);
}

static void begin_tenant(struct work *w, const char *tenant_id)
{
    struct gw_manifests *manifests = gw_scripts_manifests(w->sides[1].scripts);
    memcpy(w->tenant_id, tenant_id, strlen(tenant_id) + 1);
    w->words = gw_policy_words_create(manifests);
    gw_manifests_unref(manifests);
    w->class_count = 0;
    for (size_t i = 0; w->diff->roles[i]; i++)
        add_role(w, w->diff->roles[i]);
    if (!w->diff->roles[0])
        find_roles(w);
    for (size_t i = 0; i < w->class_count; i++) {
        struct class *class = &w->classes[i];
        class->gains = is_transformed(class) ? gw_policy_words_create_empty() : NULL;
        class->losses = is_transformed(class) ? gw_policy_words_create_empty() : NULL;
    }
    compare_files(w);
}

/* value: gains, or losses, being put together */
struct listing {
    const struct gw_policy_word **items;
    size_t count;
};

static void add_all(struct listing *list, struct gw_policy_words *words)
{
    for (size_t i = 0; words && i < gw_policy_words_count(words); i++)
        list->items[list->count++] = gw_policy_words_at(words, i);
}

static int by_label(const void *a, const void *b)
{
    const struct gw_policy_word *const *x = a, *const *y = b;
    return strcmp((*x)->label, (*y)->label);
}

static void sort(struct listing *list)
{
    if (list->count)
        qsort(list->items, list->count, sizeof *list->items, by_label);
}

static size_t count_of(const struct gw_policy_words *words) { return words ? gw_policy_words_count(words) : 0; }

static void tell(struct work *w, struct class *class)
{
    size_t count = gw_policy_words_count(w->words);
    struct listing gains = {gw_alloc_array(count + count_of(class->gains) + 1, sizeof(void *)), 0};
    struct listing losses = {gw_alloc_array(count + count_of(class->losses) + 1, sizeof(void *)), 0};
    for (size_t i = 0; is_other(class) && i < count; i++) {
        const struct gw_policy_word *word = gw_policy_words_at(w->words, i);
        bool before = gw_policy_word_is_admitted(word, class->plans[0]), after = gw_policy_word_is_admitted(word, class->plans[1]);
        if (before != after)
            *(after ? &gains.items[gains.count++] : &losses.items[losses.count++]) = word;
    }
    add_all(&gains, class->gains);
    add_all(&losses, class->losses);
    sort(&gains);
    sort(&losses);
    struct gw_class_diff told = {
        .tenant_id = w->tenant_id,
        .role = class->role,
        .kind = class->kind,
        .class_before = class->plans[0] ? class->plans[0]->class_id : 0,
        .class_after = class->plans[1] ? class->plans[1]->class_id : 0,
        .failures = {class->failures[0].id[0] ? &class->failures[0] : NULL, class->failures[1].id[0] ? &class->failures[1] : NULL},
        .event_count = class->event_count,
        .gained = class->gained,
        .lost = class->lost,
        .changed = class->changed,
        .gains = gains.items,
        .losses = losses.items,
        .gain_count = gains.count,
        .loss_count = losses.count};
    w->diff->told(w->diff->arg, &told);
    gw_free(gains.items);
    gw_free(losses.items);
}

static void drop_tenant(struct work *w)
{
    for (size_t i = 0; w->words && i < w->class_count; i++)
        drop_class(&w->classes[i]);
    gw_policy_words_destroy(w->words);
    w->words = NULL;
}

static void end_tenant(struct work *w)
{
    for (size_t i = 0; w->words && i < w->class_count; i++)
        tell(w, &w->classes[i]);
    drop_tenant(w);
}

/* ---- its events ----------------------------------------------------------------------------------------------------------------------------- */

/* What the class sees of it under one side: a new reference, or NULL. */
static struct gw_json *see(const struct side *side, const struct gw_plan *plan, const struct gw_event *event)
{
    struct gw_lens lens = {.plan = plan, .policy = side->policy};
    struct gw_json *data = NULL;
    return plan && gw_project_event(event, &lens, &data) > 0 ? data : NULL;
}

static void compare(struct work *w, struct class *class, const struct gw_event *event)
{
    class->event_count++;
    if (!is_other(class))
        return;
    struct gw_json *before = see(&w->sides[0], class->plans[0], event), *after = see(&w->sides[1], class->plans[1], event);
    class->gained += !before && after;
    class->lost += before && !after;
    class->changed += before && after && !gw_json_equal(before, after);
    if (before && after && class->gains)
        gw_policy_values_compare(&(struct gw_policy_values){event, w->run, before, after, class->gains, class->losses});
    gw_json_unref(before);
    gw_json_unref(after);
}

static int on_run(void *arg, const char *key)
{
    struct work *w = arg;
    const char *slash = strchr(key, '/');
    char tenant_id[GW_ID_MAX + 1];
    if (!slash || slash - key > GW_ID_MAX)
        return 0;
    snprintf(tenant_id, sizeof tenant_id, "%.*s", (int)(slash - key), key);
    if (!w->words || strcmp(tenant_id, w->tenant_id) != 0) {
        end_tenant(w);
        begin_tenant(w, tenant_id);
    }
    snprintf(w->run, sizeof w->run, "%s", key);
    return 1;
}

static int on_record(void *arg, const char *payload, size_t length)
{
    struct work *w = arg;
    struct gw_record record;
    int status = gw_record_parse(payload, length, &record, w->err);
    if (status) {
        gw_error_prefix(w->err, w->run);
        return status;
    }
    for (size_t i = 0; i < record.events.count; i++) {
        gw_policy_words_add(w->words, w->run, record.events.items[i]);
        for (size_t class = 0; class < w->class_count; class ++)
            compare(w, &w->classes[class], record.events.items[i]);
    }
    gw_record_fini(&record);
    return GW_OK;
}

/* ---- all ------------------------------------------------------------------------------------------------------------------------------------ */

static int open_side(struct side *side, const struct gw_scripts_opts *opts, struct gw_error *err)
{
    int status = gw_scripts_create(opts, &side->scripts, err);
    if (status)
        return status;
    side->host = gw_script_host_create(side->scripts);
    side->policy = gw_script_host_port(side->host);
    return GW_OK;
}

int gw_policy_diff_run(const struct gw_policy_diff *diff, struct gw_error *err)
{
    struct work w = {.diff = diff, .err = err};
    struct gw_log_visitor visitor = {.run = on_run, .record = on_record, .arg = &w};
    int status = open_side(&w.sides[0], diff->before, err);
    if (!status)
        status = open_side(&w.sides[1], diff->after, err);
    if (!status)
        status = gw_log_visit(diff->spine, &visitor, err);
    if (!status)
        end_tenant(&w);
    if (!status && diff->stored)
        *diff->stored = gw_scripts_list(w.sides[0].scripts);
    drop_tenant(&w);
    for (size_t i = 0; i < 2; i++) {
        gw_script_host_destroy(w.sides[i].host);
        gw_scripts_destroy(w.sides[i].scripts);
    }
    return status;
}
