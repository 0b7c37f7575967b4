#include "app/run_check.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "hub/checkpoint.h"
#include "hub/loader.h"
#include "hub/record.h"
#include "hub/state.h"
#include "hub/state_review.h"
#include "spine/sqlite/log_visit.h"

/* value: the run at hand */
struct work {
    struct gw_run_check *check;
    uint8_t seed[16];
    char run[GW_RUN_KEY_MAX + 1];
    struct gw_state *state; /* NULL: no run yet, or it is damaged */
};

static void on_misfit(void *arg, const struct gw_state_misfit *misfit)
{
    struct work *w = arg;
    w->check->misfit_count++;
    w->check->found(w->check->arg, w->run, misfit);
}

static void give_up(struct work *w, const struct gw_error *err)
{
    gw_state_destroy(w->state);
    w->state = NULL;
    w->check->damaged_count++;
    w->check->damaged(w->check->arg, w->run, err);
}

static void end_run(struct work *w)
{
    struct gw_state_review review = {.state = w->state, .manifests = w->check->manifests, .found = on_misfit, .arg = w};
    struct gw_error err;
    if (w->state && gw_state_review_run(&review, &err))
        give_up(w, &err);
    gw_state_destroy(w->state);
    w->state = NULL;
}

static int on_run(void *arg, const char *key)
{
    struct work *w = arg;
    struct gw_state_limits limits;
    end_run(w);
    gw_state_limits_default(&limits);
    snprintf(w->run, sizeof w->run, "%s", key);
    w->state = gw_state_create(w->seed, &limits);
    w->check->run_count++;
    return 1;
}

static int on_checkpoint(void *arg, const struct gw_spine_get *stored)
{
    struct work *w = arg;
    struct gw_loaded loaded = {.state = w->state};
    struct gw_error err;
    if (gw_checkpoint_read(stored, &loaded, &err))
        give_up(w, &err);
    return GW_OK;
}

static int fold(struct gw_state *state, const struct gw_record *record, struct gw_error *err)
{
    int status = GW_OK;
    for (size_t i = 0; !status && i < record->events.count; i++) {
        const struct gw_event *event = record->events.items[i];
        if (event->seq <= gw_state_seq(state)) /* the record began below the checkpoint */
            continue;
        if (event->seq != gw_state_seq(state) + 1)
            return gw_error_set(err, GW_EINVAL, "spine_damaged", "the spine misses seq %llu", (unsigned long long)gw_state_seq(state) + 1);
        status = gw_state_fold(state, event, err);
    }
    return status;
}

static int on_record(void *arg, const char *payload, size_t length)
{
    struct work *w = arg;
    struct gw_record record;
    struct gw_error err;
    if (!w->state)
        return GW_OK;
    int status = gw_record_parse(payload, length, &record, &err);
    if (status) {
        give_up(w, &err);
        return GW_OK;
    }
    if (fold(w->state, &record, &err))
        give_up(w, &err);
    gw_record_fini(&record);
    return GW_OK;
}

int gw_run_check_all(struct gw_run_check *check, struct gw_error *err)
{
    const struct gw_clock *clock = gw_clock_system();
    struct work w = {.check = check};
    struct gw_log_visitor visitor = {.run = on_run, .checkpoint = on_checkpoint, .record = on_record, .arg = &w};
    clock->random(clock->self, w.seed, sizeof w.seed);
    int status = gw_log_visit(check->spine, &visitor, err);
    if (!status)
        end_run(&w);
    gw_state_destroy(w.state);
    return status;
}
