#include "hub/run_order.h"

#include <assert.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/log.h"
#include "hub/authors.h"
#include "hub/operate.h"
#include "hub/run.h"
#include "hub/run_presence.h"

/* ---- ends ------------------------------------------------------------------------------------------------------------------------------ */

static void on_done_at_home(struct gw_task *task)
{
    struct gw_order *order = (struct gw_order *)(void *)((char *)task - offsetof(struct gw_order, task));
    order->done(order);
}

static void answer(struct gw_hub *hub, struct gw_order *order, int status, const struct gw_error *err)
{
    order->status = status;
    if (status)
        order->err = *err;
    order->task.run = on_done_at_home;
    gw_hub_complete(hub, order->home, &order->task);
    hub->in_flight--;
}

/* Whose words they were is not to be found in a log either. */
static void log_end(const struct gw_run *run, const struct gw_order *order, int status)
{
    const char *what = status ? "order_failed" : order->kind == GW_ORDER_DELETE ? "run_deleted" : "actor_erased";
    gw_log_write(run->hub->opts.log, status ? GW_LOG_ERROR : GW_LOG_INFO, what,
                 (struct gw_log_field[]){GW_F_TEXT("run", run->key.text), GW_F_INT("status", status),
                                         GW_F_UINT("changed", order->erased_count), GW_F_END});
}

static void end(struct gw_run_order *work, int status, const struct gw_error *err)
{
    struct gw_run *run = work->run;
    if (run->order == work)
        run->order = NULL;
    if (work->order) {
        work->order->erased_count = work->erased_count;
        log_end(run, work->order, status);
        answer(run->hub, work->order, status, err);
    }
    gw_authors_destroy(work->authors);
    gw_checkpoint_chunks_fini(&work->state_chunks);
    gw_checkpoint_chunks_fini(&work->author_chunks);
    gw_buffer_fini(&work->page);
    gw_buffer_fini(&work->filters);
    gw_free(work);
    gw_hub_mark_run(run->hub, run);
}

static void say_failed(struct gw_error *err)
{
    gw_error_set(err, GW_EIO, "spine_unavailable", "the order could not be carried out: give it again");
    err->is_retryable = true;
}

void gw_run_order_end(struct gw_run_order *work) { end(work, GW_OK, NULL); }

void gw_run_order_fail(struct gw_run_order *work)
{
    struct gw_error err;
    say_failed(&err);
    end(work, GW_EIO, &err);
}

bool gw_run_order_is_lost(const struct gw_run_order *work) { return work->run->order != work || work->run->phase != GW_RUN_READY; }

void gw_run_say_ordered(struct gw_error *err)
{
    gw_error_set(err, GW_EBUSY, "run_being_erased", "an operator's order to this run is being carried out: send it again");
    err->is_retryable = true;
}

/* ---- beginnings ------------------------------------------------------------------------------------------------------------------------ */

void gw_run_order_arrived(struct gw_hub *hub, struct gw_order *order)
{
    struct gw_error err;
    hub->in_flight++;
    struct gw_run *run = gw_hub_open_run(hub, &order->scope, &err);
    if (!run) {
        answer(hub, order, GW_EBUSY, &err);
        return;
    }
    struct gw_order **link = &run->orders;
    while (*link)
        link = &(*link)->next;
    order->next = NULL;
    *link = order;
    gw_hub_mark_run(hub, run);
}

bool gw_run_has_orders(const struct gw_run *run) { return run->orders || run->order; }

void gw_run_drop_order(struct gw_run *run)
{
    struct gw_run_order *work = run->order;
    struct gw_error err;
    run->order = NULL;
    if (!work)
        return;
    say_failed(&err);
    answer(run->hub, work->order, err.code, &err);
    work->order = NULL;
    if (work->step == GW_ORDER_STORES) /* else its request comes home yet, and ends it */
        end(work, GW_OK, NULL);
}

void gw_run_refuse_orders(struct gw_run *run)
{
    struct gw_error err;
    say_failed(&err);
    while (run->orders) {
        struct gw_order *order = run->orders;
        run->orders = order->next;
        answer(run->hub, order, err.code, &err);
    }
}

static void begin(struct gw_run *run)
{
    struct gw_error err;
    struct gw_run_order *work = gw_alloc(sizeof *work);
    *work = (struct gw_run_order){.run = run, .order = run->orders, .step = GW_ORDER_READS};
    gw_buffer_init(&work->page, 0);
    gw_buffer_init(&work->filters, 0);
    run->orders = work->order->next;
    run->order = work;
    gw_run_say_ordered(&err);
    gw_run_refuse_inbox(run, &err);
    if (work->order->kind == GW_ORDER_DELETE)
        gw_run_order_erase(work, 0);
    else
        gw_run_erase_begin(work);
}

void gw_run_serve_orders(struct gw_run *run)
{
    if (run->checkpoint)
        return;
    if (!run->order && run->orders)
        begin(run);
    else if (run->order && run->order->step == GW_ORDER_STORES)
        gw_run_erase_stored(run->order);
}

/* ---- the spine's step ------------------------------------------------------------------------------------------------------------------ */

/* Nobody is to see any more what was: those who follow the run are ended, and come back to what is. */
static void purge(struct gw_run *run, uint64_t floor_seq)
{
    gw_run_drop_blocks(run);
    gw_run_drop_gestures(run);
    run->floor_seq = floor_seq;
    if (floor_seq == 0)
        run->durable_seq = run->published_seq = run->checkpoint_seq = run->checkpoint_bytes = 0;
    for (struct gw_feed *feed = run->feeds; feed; feed = feed->next)
        gw_feed_purge(feed, run->durable_seq);
}

/* What stands now is folded from the spine, as after a restart. */
static void on_erased(struct gw_spine_erase *erase)
{
    struct gw_run_order *work = erase->arg;
    struct gw_run *run = work->run;
    bool is_lost = gw_run_order_is_lost(work);
    assert(is_lost || gw_run_is_settled(run));
    run->readers--;
    run->hub->in_flight--;
    if (erase->status == GW_OK && !is_lost) {
        purge(run, erase->floor_seq);
        gw_run_order_end(work);
    } else {
        gw_run_order_fail(work);
    }
    if (!is_lost)
        gw_run_reload(run);
}

void gw_run_order_erase(struct gw_run_order *work, uint64_t floor_seq)
{
    struct gw_run *run = work->run;
    work->step = GW_ORDER_ERASES;
    work->erase.run = run->key;
    work->erase.floor_seq = floor_seq;
    work->erase.home = gw_hub_home(run->hub);
    work->erase.done = on_erased;
    work->erase.arg = work;
    run->readers++;
    run->hub->in_flight++;
    run->hub->opts.spine->erase(run->hub->opts.spine->self, &work->erase);
}
