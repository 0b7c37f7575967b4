/* timer.h — timers of a loop, of two kinds. The wheel holds very many coarse timers (heartbeats, header timeouts, expiries): 32 bytes
 * each, start and stop O(1), fired never before their delay and at most one tick late; it sleeps when it is empty. The alarm is exact and
 * meant for a few. All on the loop's thread. Time is the loop's clock for the wheel and the kernel's for alarms. */
#ifndef GW_IO_TIMER_H
#define GW_IO_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gw_alarm;
struct gw_loop;
struct gw_timer_wheel;

#define GW_TIMER_TICK_MS 100

/* Embedded in its owner, all zero = not started. `fire` finds its owner from the address. */
struct gw_timer {
    struct gw_timer *next, *previous; /* the wheel's; NULL while it is not started */
    void (*fire)(struct gw_timer *timer);
    uint64_t tick; /* the wheel's */
};

/* tick_ms 0 = GW_TIMER_TICK_MS. */
struct gw_timer_wheel *gw_timer_wheel_create(struct gw_loop *loop, unsigned tick_ms);
/* Forgets the timers that are still started, without touching them. Not from inside `fire`. Memory goes with the next turn of the loop, or
 * its destroy. NULL is fine. */
void gw_timer_wheel_close(struct gw_timer_wheel *wheel);
/* Fires once, delay_ms after the loop's present turn began, rounded up to a tick; restarts a timer that is already started. */
void gw_timer_start(struct gw_timer_wheel *wheel, struct gw_timer *timer, uint64_t delay_ms, void (*fire)(struct gw_timer *timer));
/* Nothing when it is not started. After it `fire` is not called, not even in this turn. */
void gw_timer_stop(struct gw_timer_wheel *wheel, struct gw_timer *timer);
static inline bool gw_timer_is_started(const struct gw_timer *timer) { return timer->next != NULL; }
size_t gw_timer_wheel_count(const struct gw_timer_wheel *wheel);
/* Fires all that is due at now_ms of the loop's clock. The wheel calls it itself; tests with a clock of their own may. */
void gw_timer_wheel_advance(struct gw_timer_wheel *wheel, uint64_t now_ms);

struct gw_alarm *gw_alarm_create(struct gw_loop *loop, void (*fire)(void *arg), void *arg);
/* (Re)starts it; repeat_ms 0 = once. */
void gw_alarm_start(struct gw_alarm *alarm, uint64_t delay_ms, uint64_t repeat_ms);
void gw_alarm_stop(struct gw_alarm *alarm);
/* `fire` is not called again; memory goes with the next turn of the loop, or its destroy. NULL is fine. */
void gw_alarm_close(struct gw_alarm *alarm);

#endif
