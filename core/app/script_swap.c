#include "app/script_swap.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include "app/folder_mark.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "hub/hub.h"
#include "hub/manifest.h"
#include "io/loop.h"
#include "io/timer.h"
#include "script/script.h"
#include "script/script_tenants.h"
#include "transport/policy_admin.h"
#include "transport/server.h"

#define WATCH_MS 300
/* Longer than that nobody waits for a policy that narrows: who has not been asked ahead by then is asked when it has come. */
#define PREPARE_MS 1000

/* A worker being told. */
struct ask {
    struct gw_task task; /* first */
    struct gw_script_swap *swap;
    size_t worker;
    const char *tenant_id;               /* NULL: all */
    struct gw_manifests *manifests;      /* borrowed; NULL: those that it has */
    const struct gw_script_stage *stage; /* borrowed; what it is to be prepared for */
    size_t cursor;                       /* how far it is */
    uint64_t until_ms;
};

struct gw_script_swap {
    struct gw_script_swap_opts opts;
    struct gw_policy_admin port;
    struct gw_loop *loop; /* where changes are made; may block */
    struct gw_alarm *alarm;
    struct ask *asks; /* one per worker */
    sem_t answers;
    pthread_mutex_t lock; /* of is_stopped, around each post */
    bool is_stopped;
    uint64_t mark, last_mark; /* of the watched folders: as they were read, and as they were last seen */
};

static struct gw_policy_change *change_of(struct gw_task *task)
{
    return (struct gw_policy_change *)(void *)((char *)task - offsetof(struct gw_policy_change, task));
}

static struct gw_json *text(const char *value) { return gw_json_new_text(value, strlen(value)); }

/* ---- the workers -------------------------------------------------------------------------------------------------------------------------- */

static uint64_t now_ms(const struct gw_script_swap *swap) { return swap->opts.clock->monotonic_ms(swap->opts.clock->self); }

static void post(struct ask *ask)
{
    struct gw_executor *executor = &ask->swap->opts.executors[ask->worker];
    executor->post(executor->self, &ask->task);
}

/* A slice of it: the worker has turns between. */
static void on_prepare(struct gw_task *task)
{
    struct ask *ask = (struct ask *)(void *)task;
    struct gw_script_host *host = ask->swap->opts.hosts[ask->worker];
    gw_script_host_prepare(host, ask->stage);
    bool has_more = gw_server_prepare_lenses(ask->swap->opts.servers[ask->worker], ask->tenant_id, &ask->cursor);
    gw_script_host_prepare(host, NULL);
    if (has_more && now_ms(ask->swap) < ask->until_ms)
        post(ask);
    else
        sem_post(&ask->swap->answers);
}

/* A slice of it, likewise. */
static void on_ask(struct gw_task *task)
{
    struct ask *ask = (struct ask *)(void *)task;
    if (gw_server_ask_lenses(ask->swap->opts.servers[ask->worker], ask->tenant_id, &ask->cursor))
        post(ask);
    else
        sem_post(&ask->swap->answers);
}

/* From here on nothing goes out under what was in force before. */
static void on_switch(struct gw_task *task)
{
    struct ask *ask = (struct ask *)(void *)task;
    if (ask->manifests)
        gw_hub_use_manifests(ask->swap->opts.hubs[ask->worker], ask->manifests);
    gw_server_hold_lenses(ask->swap->opts.servers[ask->worker], ask->tenant_id);
    ask->task.run = on_ask;
    on_ask(task);
}

/* All have done it when this returns. */
static void ask_workers(struct gw_script_swap *swap, const struct ask *what)
{
    for (size_t i = 0; i < swap->opts.worker_count; i++) {
        swap->asks[i] = *what;
        swap->asks[i].swap = swap;
        swap->asks[i].worker = i;
        post(&swap->asks[i]);
    }
    for (size_t i = 0; i < swap->opts.worker_count; i++)
        while (sem_wait(&swap->answers) && errno == EINTR)
            ;
}

static const char *tenant_or_all(const char *tenant_id) { return tenant_id[0] ? tenant_id : NULL; }

/* Every worker knows what the lenses of its streams will be, as far as there was time. */
static void prepare_workers(struct gw_script_swap *swap, const char *tenant_id, const struct gw_script_stage *stage)
{
    struct ask ask = {.task.run = on_prepare, .tenant_id = tenant_or_all(tenant_id), .stage = stage, .until_ms = now_ms(swap) + PREPARE_MS};
    ask_workers(swap, &ask);
}

/* Every worker has the canvases, and has asked for the lenses of its streams anew. */
static void tell_workers(struct gw_script_swap *swap, const char *tenant_id)
{
    struct ask ask = {.task.run = on_switch, .tenant_id = tenant_or_all(tenant_id)};
    ask.manifests = tenant_id[0] ? NULL : gw_scripts_manifests(swap->opts.scripts);
    ask_workers(swap, &ask);
    gw_manifests_unref(ask.manifests);
}

/* ---- one change --------------------------------------------------------------------------------------------------------------------------- */

static void log_swap(const struct gw_script_swap *swap, const char *tenant_id, const char *status, const struct gw_error *err)
{
    if (err)
        gw_log_write(swap->opts.log, GW_LOG_ERROR, "policies_not_switched",
                     (struct gw_log_field[]){GW_F_TEXT("tenant", tenant_id), GW_F_TEXT("code", err->id), GW_F_TEXT("where", err->path),
                                             GW_F_TEXT("message", err->message), GW_F_END});
    else
        gw_log_write(swap->opts.log, GW_LOG_INFO, "policies_read",
                     (struct gw_log_field[]){GW_F_TEXT("tenant", tenant_id), GW_F_TEXT("status", status), GW_F_END});
}

/* value: what became of the defaults (tenant_id ""), or of one tenant's policies */
struct outcome {
    const char *tenant_id, *status;
    uint64_t back_to;           /* what was gone back to; 0: the files */
    const struct gw_error *err; /* when it failed */
};

static int note_failure(struct gw_script_swap *swap, struct gw_json *entry, const struct outcome *outcome)
{
    bool is_denied = gw_scripts_standing(swap->opts.scripts, outcome->tenant_id).is_denied;
    return gw_json_set(entry, "code", text(outcome->err->id)) || gw_json_set(entry, "message", text(outcome->err->message)) ||
           gw_json_set(entry, "where", text(outcome->err->path)) || gw_json_set(entry, "is_denied", gw_json_new_bool(is_denied));
}

static int note_switch(struct gw_script_swap *swap, struct gw_json *entry, const struct outcome *outcome)
{
    uint64_t number = gw_scripts_standing(swap->opts.scripts, outcome->tenant_id).number;
    if (number && gw_json_set(entry, "generation", gw_json_new_int((int64_t)number)))
        return GW_ENOMEM;
    return outcome->back_to ? gw_json_set(entry, "back_to", gw_json_new_int((int64_t)outcome->back_to)) : GW_OK;
}

static int note(struct gw_script_swap *swap, struct gw_json *results, const struct outcome *outcome)
{
    struct gw_json *entry = gw_json_new_object();
    int failed = !entry;
    if (!failed && outcome->tenant_id[0])
        failed = gw_json_set(entry, "tenant_id", text(outcome->tenant_id));
    failed = failed || gw_json_set(entry, "status", text(outcome->status));
    if (!failed && outcome->err)
        failed = note_failure(swap, entry, outcome);
    else if (!failed && strcmp(outcome->status, "switched") == 0)
        failed = note_switch(swap, entry, outcome);
    if (failed) {
        gw_json_unref(entry);
        return GW_ENOMEM;
    }
    return gw_json_append(results, entry);
}

/* Puts what was staged in force; tells whether that made a difference. */
static int switch_to(struct gw_script_swap *swap, const char *tenant_id, struct gw_script_stage *stage, bool *has_switched,
                     struct gw_error *err)
{
    *has_switched = !gw_script_stage_is_same(stage);
    if (!*has_switched) {
        gw_script_stage_drop(stage);
        return GW_OK;
    }
    prepare_workers(swap, tenant_id, stage);
    int status = gw_scripts_commit(swap->opts.scripts, stage, err);
    if (!status)
        tell_workers(swap, tenant_id);
    return status;
}

/* What is left in the registry is looked at again with the next switch. */
static void prune(const struct gw_script_swap *swap, const char *tenant_id)
{
    struct gw_error err;
    size_t removed;
    int status = gw_scripts_prune(swap->opts.scripts, tenant_id, &removed, &err);
    if (removed)
        gw_log_write(swap->opts.log, GW_LOG_INFO, "policies_pruned",
                     (struct gw_log_field[]){GW_F_TEXT("tenant", tenant_id), GW_F_UINT("versions", removed), GW_F_END});
    if (status)
        gw_log_write(swap->opts.log, GW_LOG_WARN, "policies_not_pruned",
                     (struct gw_log_field[]){GW_F_TEXT("tenant", tenant_id), GW_F_TEXT("code", err.id), GW_F_TEXT("where", err.path),
                                             GW_F_TEXT("message", err.message), GW_F_END});
}

/* Puts what was staged in force, unless staging has failed, and writes what became of it. */
static int settle(struct gw_script_swap *swap, const char *tenant_id, struct gw_script_stage *stage, struct gw_json *results,
                  struct gw_error *err)
{
    struct outcome outcome = {.tenant_id = tenant_id, .back_to = stage ? gw_script_stage_back_to(stage) : 0};
    bool has_switched = false, has_failed = !stage || switch_to(swap, tenant_id, stage, &has_switched, err);
    outcome.status = has_failed ? "failed" : has_switched ? "switched" : "unchanged";
    outcome.err = has_failed ? err : NULL;
    if (has_failed || has_switched)
        log_swap(swap, tenant_id, outcome.status, outcome.err);
    if (has_switched && !has_failed)
        prune(swap, tenant_id);
    return note(swap, results, &outcome);
}

static int reload_one(struct gw_script_swap *swap, const char *tenant_id, struct gw_json *results)
{
    struct gw_script_stage *stage = NULL;
    struct gw_error err;
    if (gw_scripts_stage(swap->opts.scripts, tenant_id, &stage, &err))
        stage = NULL;
    return settle(swap, tenant_id, stage, results, &err);
}

/* The defaults, then each overlay in use, then those that have come since their tenant did: one that fails vetoes nobody else. */
static int reload_all(struct gw_script_swap *swap, struct gw_json *results)
{
    char tenant_id[GW_ID_MAX + 1] = "", **newcomers;
    size_t count = gw_scripts_newcomers(swap->opts.scripts, &newcomers);
    int status = reload_one(swap, "", results);
    while (!status && gw_scripts_next_tenant(swap->opts.scripts, tenant_id))
        status = reload_one(swap, tenant_id, results);
    for (size_t i = 0; !status && i < count; i++)
        status = reload_one(swap, newcomers[i], results);
    gw_script_tenants_free(newcomers, count);
    return status;
}

/* Going back is no reading of files, so whom the old defaults do not suit is told here. */
static int note_denied(struct gw_script_swap *swap, struct gw_json *results)
{
    char tenant_id[GW_ID_MAX + 1] = "";
    struct gw_error why;
    int status = GW_OK;
    while (!status && gw_scripts_next_denied(swap->opts.scripts, tenant_id, &why))
        status = note(swap, results, &(struct outcome){.tenant_id = tenant_id, .status = "failed", .err = &why});
    return status;
}

static int roll_back(struct gw_script_swap *swap, struct gw_policy_change *change)
{
    struct gw_script_stage *stage = NULL;
    int status = gw_scripts_stage_old(swap->opts.scripts, change->tenant_id, change->number, &stage, &change->err);
    if (status && strcmp(change->err.id, "no_generation") == 0)
        return status;
    status = settle(swap, change->tenant_id, status ? NULL : stage, change->result, &change->err);
    if (!status && !change->tenant_id[0])
        status = note_denied(swap, change->result);
    return status ? gw_error_set(&change->err, GW_ENOMEM, "out_of_memory", "no memory to tell what became of it") : GW_OK;
}

static int release(struct gw_script_swap *swap, struct gw_policy_change *change)
{
    bool was_denied = gw_scripts_release(swap->opts.scripts, change->tenant_id);
    if (was_denied)
        gw_log_write(swap->opts.log, GW_LOG_INFO, "tenant_released",
                     (struct gw_log_field[]){GW_F_TEXT("tenant", change->tenant_id), GW_F_END});
    return note(swap, change->result, &(struct outcome){.tenant_id = change->tenant_id, .status = was_denied ? "released" : "unchanged"});
}

static bool has_stopped(struct gw_script_swap *swap)
{
    pthread_mutex_lock(&swap->lock);
    bool answer = swap->is_stopped;
    pthread_mutex_unlock(&swap->lock);
    return answer;
}

static int carry_out(struct gw_script_swap *swap, struct gw_policy_change *change)
{
    if (has_stopped(swap))
        return gw_error_set(&change->err, GW_ECLOSED, "draining", "this server is shutting down");
    change->result = gw_json_new_array();
    int status = change->result ? GW_OK : GW_ENOMEM;
    if (!status && change->kind == GW_POLICY_ROLLBACK)
        return roll_back(swap, change);
    if (!status && change->kind == GW_POLICY_RELEASE)
        status = release(swap, change);
    else if (!status)
        status = change->tenant_id[0] ? reload_one(swap, change->tenant_id, change->result) : reload_all(swap, change->result);
    return status ? gw_error_set(&change->err, GW_ENOMEM, "out_of_memory", "no memory to tell what became of it") : GW_OK;
}

static void on_change(struct gw_task *task)
{
    struct gw_policy_change *change = change_of(task);
    struct gw_script_swap *swap = change->owner;
    change->status = carry_out(swap, change);
    if (change->status) {
        gw_json_unref(change->result);
        change->result = NULL;
    }
    change->answer(change);
}

/* ---- asking for one ------------------------------------------------------------------------------------------------------------------------ */

static void on_home(struct gw_task *task)
{
    struct gw_policy_change *change = change_of(task);
    change->done(change);
}

static void answer_home(struct gw_policy_change *change)
{
    change->task.run = on_home;
    change->home->post(change->home->self, &change->task);
}

static void answer_nobody(struct gw_policy_change *change)
{
    gw_json_unref(change->result);
    gw_free(change);
}

static void submit(struct gw_script_swap *swap, struct gw_policy_change *change)
{
    change->owner = swap;
    change->task.run = on_change;
    pthread_mutex_lock(&swap->lock);
    bool is_stopped = swap->is_stopped;
    if (!is_stopped) {
        struct gw_executor *executor = gw_loop_executor(swap->loop);
        executor->post(executor->self, &change->task);
    }
    pthread_mutex_unlock(&swap->lock);
    if (is_stopped)
        on_change(&change->task);
}

static void change_policies(void *self, struct gw_policy_change *change)
{
    change->answer = answer_home;
    submit(self, change);
}

static struct gw_json *list_policies(void *self) { return gw_scripts_list(((struct gw_script_swap *)self)->opts.scripts); }

void gw_script_swap_reload(struct gw_script_swap *swap)
{
    struct gw_policy_change *change = gw_alloc(sizeof *change);
    change->kind = GW_POLICY_RELOAD;
    change->answer = answer_nobody;
    submit(swap, change);
}

/* ---- saved files --------------------------------------------------------------------------------------------------------------------------- */

static uint64_t look(const struct gw_script_swap *swap)
{
    uint64_t mark = 0;
    for (size_t i = 0; i < swap->opts.watched_count; i++)
        mark = mark * 31 + gw_folder_mark(swap->opts.watched[i]);
    return mark;
}

/* Once they have been the same for one tick: an editor may still be writing. */
static void on_tick(void *arg)
{
    struct gw_script_swap *swap = arg;
    uint64_t mark = look(swap);
    bool is_quiet = mark == swap->last_mark;
    swap->last_mark = mark;
    if (!is_quiet || mark == swap->mark)
        return;
    swap->mark = mark;
    gw_script_swap_reload(swap);
}

/* ---- life ---------------------------------------------------------------------------------------------------------------------------------- */

int gw_script_swap_create(const struct gw_script_swap_opts *opts, struct gw_script_swap **out, struct gw_error *err)
{
    struct gw_loop_opts loop = {.name = "scripts", .clock = opts->clock};
    struct gw_script_swap *swap = gw_alloc(sizeof *swap);
    swap->opts = *opts;
    swap->port = (struct gw_policy_admin){swap, change_policies, list_policies};
    int status = gw_loop_create(&loop, &swap->loop, err);
    if (status) {
        gw_free(swap);
        return status;
    }
    swap->asks = gw_alloc_array(opts->worker_count, sizeof *swap->asks);
    sem_init(&swap->answers, 0, 0);
    pthread_mutex_init(&swap->lock, NULL);
    swap->mark = swap->last_mark = look(swap);
    if (opts->watched_count) {
        swap->alarm = gw_alarm_create(swap->loop, on_tick, swap);
        gw_alarm_start(swap->alarm, WATCH_MS, WATCH_MS);
    }
    *out = swap;
    return GW_OK;
}

int gw_script_swap_start(struct gw_script_swap *swap, struct gw_error *err) { return gw_loop_start(swap->loop, err); }

const struct gw_policy_admin *gw_script_swap_port(const struct gw_script_swap *swap) { return &swap->port; }

void gw_script_swap_stop(struct gw_script_swap *swap)
{
    if (!swap || !swap->loop)
        return;
    pthread_mutex_lock(&swap->lock);
    swap->is_stopped = true;
    pthread_mutex_unlock(&swap->lock);
    gw_loop_stop(swap->loop);
    gw_loop_join(swap->loop);
    gw_alarm_close(swap->alarm);
    gw_loop_destroy(swap->loop); /* runs what is left: each is refused */
    swap->loop = NULL;
}

void gw_script_swap_destroy(struct gw_script_swap *swap)
{
    if (!swap)
        return;
    gw_script_swap_stop(swap);
    pthread_mutex_destroy(&swap->lock);
    sem_destroy(&swap->answers);
    gw_free(swap->asks);
    gw_free(swap);
}
