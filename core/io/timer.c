#include "io/timer.h"

#include "base/alloc.h"
#include "io/loop_inside.h"

#define SLOT_COUNT 512u /* a power of two; 51 s around with the usual tick */

struct gw_timer_wheel {
    uv_timer_t wake; /* started only while a timer is */
    struct gw_loop *loop;
    unsigned tick_ms;
    size_t count;
    uint64_t now_tick;                 /* all timers up to this tick have fired */
    uint64_t wake_tick;                /* when `wake` is due; UINT64_MAX = not started */
    struct gw_timer slots[SLOT_COUNT]; /* heads of rings; only next and previous are used */
};

static void unlink_timer(struct gw_timer *timer)
{
    timer->previous->next = timer->next;
    timer->next->previous = timer->previous;
    timer->next = timer->previous = NULL;
}

static void link_before(struct gw_timer *head, struct gw_timer *timer)
{
    timer->next = head;
    timer->previous = head->previous;
    head->previous->next = timer;
    head->previous = timer;
}

static struct gw_timer *slot_of(struct gw_timer_wheel *wheel, uint64_t tick) { return &wheel->slots[tick & (SLOT_COUNT - 1)]; }

static void on_wake(uv_timer_t *handle)
{
    struct gw_timer_wheel *wheel = handle->data;
    wheel->wake_tick = UINT64_MAX;
    gw_timer_wheel_advance(wheel, gw_loop_refresh_now_ms(wheel->loop));
}

/* Sleeps until `tick`, unless it wakes sooner anyway. */
static void wake_at(struct gw_timer_wheel *wheel, uint64_t tick)
{
    if (tick >= wheel->wake_tick)
        return;
    uint64_t now_ms = gw_loop_now_ms(wheel->loop);
    uint64_t due_ms = tick * wheel->tick_ms;
    wheel->wake_tick = tick;
    uv_timer_start(&wheel->wake, on_wake, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

static void sleep_for_ever(struct gw_timer_wheel *wheel)
{
    uv_timer_stop(&wheel->wake);
    wheel->wake_tick = UINT64_MAX;
}

/* The next tick whose slot holds anything: a timer of a later round costs a look per round, not a wake-up per tick. */
static void wake_at_next_slot(struct gw_timer_wheel *wheel)
{
    if (wheel->count == 0) {
        sleep_for_ever(wheel);
        return;
    }
    for (uint64_t tick = wheel->now_tick + 1; tick <= wheel->now_tick + SLOT_COUNT; tick++) {
        struct gw_timer *head = slot_of(wheel, tick);
        if (head->next != head) {
            wake_at(wheel, tick);
            return;
        }
    }
}

struct gw_timer_wheel *gw_timer_wheel_create(struct gw_loop *loop, unsigned tick_ms)
{
    struct gw_timer_wheel *wheel = gw_alloc(sizeof *wheel);
    wheel->loop = loop;
    wheel->tick_ms = tick_ms ? tick_ms : GW_TIMER_TICK_MS;
    wheel->now_tick = gw_loop_now_ms(loop) / wheel->tick_ms;
    wheel->wake_tick = UINT64_MAX;
    for (size_t i = 0; i < SLOT_COUNT; i++)
        wheel->slots[i].next = wheel->slots[i].previous = &wheel->slots[i];
    uv_timer_init(gw_loop_uv(loop), &wheel->wake);
    wheel->wake.data = wheel;
    return wheel;
}

static void on_wheel_closed(uv_handle_t *handle) { gw_free(handle->data); }

void gw_timer_wheel_close(struct gw_timer_wheel *wheel)
{
    if (wheel)
        uv_close((uv_handle_t *)&wheel->wake, on_wheel_closed);
}

void gw_timer_start(struct gw_timer_wheel *wheel, struct gw_timer *timer, uint64_t delay_ms, void (*fire)(struct gw_timer *timer))
{
    gw_timer_stop(wheel, timer);
    uint64_t now_ms = gw_loop_now_ms(wheel->loop);
    uint64_t due_ms = delay_ms < UINT64_MAX / 2 - now_ms ? now_ms + delay_ms : UINT64_MAX / 2;
    timer->fire = fire;
    timer->tick = (due_ms + wheel->tick_ms - 1) / wheel->tick_ms;
    /* An empty wheel slept through the ticks since: nothing was in them. */
    if (wheel->count == 0 && now_ms / wheel->tick_ms > wheel->now_tick)
        wheel->now_tick = now_ms / wheel->tick_ms;
    if (timer->tick <= wheel->now_tick)
        timer->tick = wheel->now_tick + 1;
    link_before(slot_of(wheel, timer->tick), timer);
    wheel->count++;
    uint64_t round_end = wheel->now_tick + SLOT_COUNT;
    wake_at(wheel, timer->tick < round_end ? timer->tick : round_end);
}

void gw_timer_stop(struct gw_timer_wheel *wheel, struct gw_timer *timer)
{
    if (!gw_timer_is_started(timer))
        return;
    unlink_timer(timer);
    if (--wheel->count == 0)
        sleep_for_ever(wheel);
}

size_t gw_timer_wheel_count(const struct gw_timer_wheel *wheel) { return wheel->count; }

/* Moves the due timers of one slot to the ring `due`: `fire` may then start and stop any timer, those of `due` too. */
static void gather(struct gw_timer *head, uint64_t now_tick, struct gw_timer *due)
{
    for (struct gw_timer *timer = head->next, *next; timer != head; timer = next) {
        next = timer->next;
        if (timer->tick > now_tick)
            continue;
        unlink_timer(timer);
        link_before(due, timer);
    }
}

void gw_timer_wheel_advance(struct gw_timer_wheel *wheel, uint64_t now_ms)
{
    uint64_t target = now_ms / wheel->tick_ms;
    if (target > wheel->now_tick) {
        struct gw_timer due = {.next = &due, .previous = &due};
        uint64_t from = target - wheel->now_tick > SLOT_COUNT ? target - SLOT_COUNT : wheel->now_tick;
        for (uint64_t tick = from + 1; tick <= target; tick++)
            gather(slot_of(wheel, tick), target, &due);
        wheel->now_tick = target;
        while (due.next != &due) {
            struct gw_timer *timer = due.next;
            unlink_timer(timer);
            wheel->count--;
            timer->fire(timer);
        }
    }
    wake_at_next_slot(wheel);
}

struct gw_alarm {
    uv_timer_t timer;
    void (*fire)(void *arg);
    void *arg;
};

static void on_alarm(uv_timer_t *handle)
{
    struct gw_alarm *alarm = handle->data;
    alarm->fire(alarm->arg);
}

static void on_alarm_closed(uv_handle_t *handle) { gw_free(handle->data); }

struct gw_alarm *gw_alarm_create(struct gw_loop *loop, void (*fire)(void *arg), void *arg)
{
    struct gw_alarm *alarm = gw_alloc(sizeof *alarm);
    alarm->fire = fire;
    alarm->arg = arg;
    uv_timer_init(gw_loop_uv(loop), &alarm->timer);
    alarm->timer.data = alarm;
    return alarm;
}

void gw_alarm_start(struct gw_alarm *alarm, uint64_t delay_ms, uint64_t repeat_ms)
{
    /* libuv counts from the time it read at the start of its turn, which may lie far back in a loop that has not run yet. */
    uv_update_time(alarm->timer.loop);
    uv_timer_start(&alarm->timer, on_alarm, delay_ms, repeat_ms);
}

void gw_alarm_stop(struct gw_alarm *alarm) { uv_timer_stop(&alarm->timer); }

void gw_alarm_close(struct gw_alarm *alarm)
{
    if (alarm)
        uv_close((uv_handle_t *)&alarm->timer, on_alarm_closed);
}
