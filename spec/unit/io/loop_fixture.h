/* loop_fixture.h — for the specs of io: a loop on the system's clock that cannot hang a spec: when the watchdog barks, the spec fails.
 * Test thread. */
#ifndef GW_SPEC_IO_LOOP_FIXTURE_H
#define GW_SPEC_IO_LOOP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/error.h"
#include "io/loop.h"
#include "io/timer.h"

#define WATCHDOG_MS 20000

struct fixture {
    struct gw_loop *loop;
    struct gw_alarm *watchdog;
    bool has_barked;
};

static inline void on_watchdog(void *arg)
{
    struct fixture *fixture = arg;
    fixture->has_barked = true;
    gw_loop_stop(fixture->loop);
}

static inline void fixture_init(struct fixture *fixture)
{
    struct gw_error err;
    const struct gw_loop_opts opts = {.name = "spec", .clock = gw_clock_system()};
    memset(fixture, 0, sizeof *fixture);
    assert_int_equal(gw_loop_create(&opts, &fixture->loop, &err), 0);
    fixture->watchdog = gw_alarm_create(fixture->loop, on_watchdog, fixture);
}

/* Runs until somebody stops the loop. */
static inline void fixture_run(struct fixture *fixture)
{
    gw_alarm_start(fixture->watchdog, WATCHDOG_MS, 0);
    gw_loop_run(fixture->loop);
    gw_alarm_stop(fixture->watchdog);
    assert_false(fixture->has_barked);
}

static inline void on_fixture_pause(void *arg)
{
    gw_loop_stop(arg);
}

/* Runs for a while in which nothing is expected to happen. */
static inline void fixture_run_for(struct fixture *fixture, uint64_t duration_ms)
{
    struct gw_alarm *end = gw_alarm_create(fixture->loop, on_fixture_pause, fixture->loop);
    gw_alarm_start(end, duration_ms, 0);
    fixture_run(fixture);
    gw_alarm_close(end);
}

/* Asserts, inside, that no handle is left. */
static inline void fixture_fini(struct fixture *fixture)
{
    gw_alarm_close(fixture->watchdog);
    gw_loop_destroy(fixture->loop);
}

#endif
