#include "app/policy_diff.h"

#include <stdio.h>
#include <string.h>

#include "app/policy_words.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "hub/event.h"
#include "hub/lens.h"
#include "hub/plan.h"
#include "hub/ports.h"
#include "hub/project.h"
#include "hub/record.h"
#include "script/script.h"
#include "spine/sqlite/log_visit.h"

#define ROLES_MAX 64

/* value: one of the two sets */
struct side {
    struct gw_scripts *scripts;
    struct gw_script_host *host;
    const struct gw_policy *policy;
};

/* value: one role of the tenant at hand */
struct class
{
    char role[GW_ID_MAX + 1], kind[16];
    struct gw_plan *plans[2];
    uint64_t event_count, gained, lost, changed;
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

/* ---- a tenant ------------------------------------------------------------------------------------------------------------------------------- */

/* NULL: it is admitted to nothing, or the policies could not tell. */
static struct gw_plan *ask(const struct side *side, const char *tenant_id, const struct class *class)
{
    struct gw_actor actor = {.id = "ann"};
    struct gw_scope scope = {.mode = "dev", .project_id = "p1", .surface_id = "web", .app_id = "demo"};
    struct gw_policy_subject subject = {.actor = &actor, .role = class->role, .scope = &scope};
    struct gw_plan *plan;
    struct gw_error err;
    (void)gw_actor_kind_parse(class->kind, &actor.kind); /* one of the three words: read_role */
    memcpy(scope.tenant_id, tenant_id, strlen(tenant_id) + 1);
    return side->policy->lens(side->policy->self, &subject, &plan, &err) ? NULL : plan;
}

static void read_role(struct class *class, const char *text)
{
    static const char *const agents[] = {"planner", "director"};
    const char *colon = strchr(text, ':');
    snprintf(class->role, sizeof class->role, "%.*s", colon ? (int)(colon - text) : GW_ID_MAX, text);
    bool is_agent = strcmp(class->role, agents[0]) == 0 || strcmp(class->role, agents[1]) == 0;
    const char *usual = is_agent ? "agent" : strcmp(class->role, "service") == 0 ? "service" : "user";
    snprintf(class->kind, sizeof class->kind, "%s", colon ? colon + 1 : usual);
}

static void begin_tenant(struct work *w, const char *tenant_id)
{
    memcpy(w->tenant_id, tenant_id, strlen(tenant_id) + 1);
    w->words = gw_policy_words_create();
    for (w->class_count = 0; w->class_count < ROLES_MAX && w->diff->roles[w->class_count]; w->class_count++) {
        struct class *class = &w->classes[w->class_count];
        *class = (struct class){0};
        read_role(class, w->diff->roles[w->class_count]);
        for (size_t i = 0; i < 2; i++)
            class->plans[i] = ask(&w->sides[i], tenant_id, class);
    }
}

static bool is_other(const struct class *class)
{
    const struct gw_plan *before = class->plans[0], *after = class->plans[1];
    return !before != !after || (before && before->class_id != after->class_id);
}

static void tell(struct work *w, const struct class *class)
{
    size_t count = gw_policy_words_count(w->words);
    const struct gw_policy_word **gains = gw_alloc_array(count + 1, sizeof *gains), **losses = gw_alloc_array(count + 1, sizeof *losses);
    struct gw_class_diff told = {.tenant_id = w->tenant_id,
                                 .role = class->role,
                                 .kind = class->kind,
                                 .class_before = class->plans[0] ? class->plans[0]->class_id : 0,
                                 .class_after = class->plans[1] ? class->plans[1]->class_id : 0,
                                 .event_count = class->event_count,
                                 .gained = class->gained,
                                 .lost = class->lost,
                                 .changed = class->changed,
                                 .gains = gains,
                                 .losses = losses};
    for (size_t i = 0; is_other(class) && i < count; i++) {
        const struct gw_policy_word *word = gw_policy_words_at(w->words, i);
        bool before = gw_policy_word_is_admitted(word, class->plans[0]), after = gw_policy_word_is_admitted(word, class->plans[1]);
        if (!before && after)
            gains[told.gain_count++] = word;
        if (before && !after)
            losses[told.loss_count++] = word;
    }
    w->diff->told(w->diff->arg, &told);
    gw_free(gains);
    gw_free(losses);
}

static void end_tenant(struct work *w)
{
    for (size_t i = 0; w->words && i < w->class_count; i++) {
        tell(w, &w->classes[i]);
        gw_plan_unref(w->classes[i].plans[0]);
        gw_plan_unref(w->classes[i].plans[1]);
    }
    gw_policy_words_destroy(w->words);
    w->words = NULL;
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
    for (size_t i = 0; w.words && i < w.class_count; i++) {
        gw_plan_unref(w.classes[i].plans[0]);
        gw_plan_unref(w.classes[i].plans[1]);
    }
    gw_policy_words_destroy(w.words);
    for (size_t i = 0; i < 2; i++) {
        gw_script_host_destroy(w.sides[i].host);
        gw_scripts_destroy(w.sides[i].scripts);
    }
    return status;
}
