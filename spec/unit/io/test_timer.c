#include <stdlib.h>

#include "io/loop_inside.h"
#include "loop_fixture.h"

#define MANY    50000
#define TICK_MS 100

static uint64_t hand_ms(void *self)
{
    return *(uint64_t *)self;
}

/* A loop whose clock the spec turns by hand. */
struct by_hand {
    uint64_t now_ms;
    struct gw_clock clock;
    struct gw_loop *loop;
    struct gw_timer_wheel *wheel;
};

static void by_hand_init(struct by_hand *hand)
{
    struct gw_error err;
    hand->now_ms = 123456;
    hand->clock = *gw_clock_system();
    hand->clock.self = &hand->now_ms;
    hand->clock.monotonic_ms = hand_ms;
    const struct gw_loop_opts opts = {.clock = &hand->clock};
    assert_int_equal(gw_loop_create(&opts, &hand->loop, &err), 0);
    hand->wheel = gw_timer_wheel_create(hand->loop, TICK_MS);
}

static void by_hand_fini(struct by_hand *hand)
{
    gw_timer_wheel_close(hand->wheel);
    gw_loop_destroy(hand->loop);
}

static void turn_to(struct by_hand *hand, uint64_t now_ms)
{
    hand->now_ms = now_ms;
    gw_timer_wheel_advance(hand->wheel, gw_loop_refresh_now_ms(hand->loop));
}

struct probe {
    struct gw_timer timer;
    struct by_hand *hand;
    uint64_t due_ms;
    uint64_t fired_ms;
    int fire_count;
    struct probe *to_stop;
    uint64_t again_ms;
};

static void on_probe(struct gw_timer *timer)
{
    struct probe *probe = (struct probe *)timer;
    probe->fire_count++;
    probe->fired_ms = probe->hand->now_ms;
    if (probe->to_stop)
        gw_timer_stop(probe->hand->wheel, &probe->to_stop->timer);
    if (probe->again_ms)
        gw_timer_start(probe->hand->wheel, timer, probe->again_ms, on_probe);
}

static void a_timer_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct gw_timer) <= 40);
}

static void many_timers_fire_once_never_early_and_at_most_a_tick_late(void **state)
{
    struct by_hand hand;
    struct probe *probes = calloc(MANY, sizeof *probes);
    (void)state;
    by_hand_init(&hand);
    srand(7);
    for (int i = 0; i < MANY; i++) {
        uint64_t delay_ms = (uint64_t)(rand() % 200000); /* almost four rounds of the wheel */
        probes[i] = (struct probe){.hand = &hand, .due_ms = hand.now_ms + delay_ms};
        gw_timer_start(hand.wheel, &probes[i].timer, delay_ms, on_probe);
    }
    assert_int_equal(gw_timer_wheel_count(hand.wheel), MANY);
    for (uint64_t now_ms = hand.now_ms; now_ms <= 123456 + 200100; now_ms += 20)
        turn_to(&hand, now_ms);
    assert_int_equal(gw_timer_wheel_count(hand.wheel), 0);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(probes[i].fire_count, 1);
        assert_true(probes[i].fired_ms >= probes[i].due_ms);
        assert_true(probes[i].fired_ms < probes[i].due_ms + 2 * TICK_MS);
        assert_false(gw_timer_is_started(&probes[i].timer));
    }
    by_hand_fini(&hand);
    free(probes);
}

static void a_jump_over_several_rounds_fires_all_that_is_due(void **state)
{
    struct by_hand hand;
    struct probe soon = {.hand = &hand}, later = {.hand = &hand}, much_later = {.hand = &hand};
    (void)state;
    by_hand_init(&hand);
    gw_timer_start(hand.wheel, &soon.timer, 50, on_probe);
    gw_timer_start(hand.wheel, &later.timer, 120000, on_probe);
    gw_timer_start(hand.wheel, &much_later.timer, 900000, on_probe);
    turn_to(&hand, hand.now_ms + 500000);
    assert_int_equal(soon.fire_count, 1);
    assert_int_equal(later.fire_count, 1);
    assert_int_equal(much_later.fire_count, 0);
    turn_to(&hand, hand.now_ms + 500000);
    assert_int_equal(much_later.fire_count, 1);
    by_hand_fini(&hand);
}

static void a_timer_stopped_by_another_of_the_same_tick_does_not_fire(void **state)
{
    struct by_hand hand;
    struct probe second = {.hand = &hand}, first = {.hand = &hand, .to_stop = &second};
    (void)state;
    by_hand_init(&hand);
    gw_timer_start(hand.wheel, &first.timer, 1000, on_probe);
    gw_timer_start(hand.wheel, &second.timer, 1000, on_probe);
    turn_to(&hand, hand.now_ms + 2000);
    assert_int_equal(first.fire_count, 1);
    assert_int_equal(second.fire_count, 0);
    assert_int_equal(gw_timer_wheel_count(hand.wheel), 0);
    by_hand_fini(&hand);
}

static void a_timer_may_start_itself_again(void **state)
{
    struct by_hand hand;
    struct probe heartbeat = {.hand = &hand, .again_ms = 1000};
    (void)state;
    by_hand_init(&hand);
    gw_timer_start(hand.wheel, &heartbeat.timer, 1000, on_probe);
    for (int i = 0; i < 200; i++)
        turn_to(&hand, hand.now_ms + TICK_MS);
    assert_in_range(heartbeat.fire_count, 18, 20);
    gw_timer_stop(hand.wheel, &heartbeat.timer);
    gw_timer_stop(hand.wheel, &heartbeat.timer);
    by_hand_fini(&hand);
}

static void starting_again_moves_a_timer(void **state)
{
    struct by_hand hand;
    struct probe probe = {.hand = &hand};
    (void)state;
    by_hand_init(&hand);
    gw_timer_start(hand.wheel, &probe.timer, 1000, on_probe);
    gw_timer_start(hand.wheel, &probe.timer, 5000, on_probe);
    assert_int_equal(gw_timer_wheel_count(hand.wheel), 1);
    turn_to(&hand, hand.now_ms + 3000);
    assert_int_equal(probe.fire_count, 0);
    turn_to(&hand, hand.now_ms + 3000);
    assert_int_equal(probe.fire_count, 1);
    by_hand_fini(&hand);
}

static void a_delay_without_end_is_accepted(void **state)
{
    struct by_hand hand;
    struct probe probe = {.hand = &hand};
    (void)state;
    by_hand_init(&hand);
    gw_timer_start(hand.wheel, &probe.timer, UINT64_MAX, on_probe);
    turn_to(&hand, hand.now_ms + 1000000);
    assert_int_equal(probe.fire_count, 0);
    by_hand_fini(&hand);
}

struct live_timer {
    struct gw_timer timer;
    struct fixture *fixture;
};

static void on_live(struct gw_timer *timer)
{
    gw_loop_stop(((struct live_timer *)timer)->fixture->loop);
}

static void the_wheel_drives_itself_and_sleeps_when_it_is_empty(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_init(&fixture);
    struct gw_timer_wheel *wheel = gw_timer_wheel_create(fixture.loop, 5);
    struct live_timer live = {.fixture = &fixture};
    gw_timer_start(wheel, &live.timer, 12, on_live);
    fixture_run(&fixture);
    assert_int_equal(gw_timer_wheel_count(wheel), 0);
    uint64_t turns = gw_loop_turn_count(fixture.loop);
    fixture_run_for(&fixture, 60);
    assert_true(gw_loop_turn_count(fixture.loop) - turns <= 3);
    gw_timer_wheel_close(wheel);
    fixture_fini(&fixture);
}

struct alarm_probe {
    struct fixture *fixture;
    int fire_count;
    int stop_after;
};

static void on_alarm_probe(void *arg)
{
    struct alarm_probe *probe = arg;
    if (++probe->fire_count == probe->stop_after)
        gw_loop_stop(probe->fixture->loop);
}

static void an_alarm_fires_once_or_repeats(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_init(&fixture);
    struct alarm_probe once = {.fixture = &fixture}, repeating = {.fixture = &fixture, .stop_after = 5}, stopped = {.fixture = &fixture};
    struct gw_alarm *a = gw_alarm_create(fixture.loop, on_alarm_probe, &once);
    struct gw_alarm *b = gw_alarm_create(fixture.loop, on_alarm_probe, &repeating);
    struct gw_alarm *c = gw_alarm_create(fixture.loop, on_alarm_probe, &stopped);
    gw_alarm_start(a, 1, 0);
    gw_alarm_start(b, 2, 2);
    gw_alarm_start(c, 1, 0);
    gw_alarm_stop(c);
    fixture_run(&fixture);
    assert_int_equal(once.fire_count, 1);
    assert_int_equal(repeating.fire_count, 5);
    assert_int_equal(stopped.fire_count, 0);
    gw_alarm_close(a);
    gw_alarm_close(b);
    gw_alarm_close(c);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_is_small),
        cmocka_unit_test(many_timers_fire_once_never_early_and_at_most_a_tick_late),
        cmocka_unit_test(a_jump_over_several_rounds_fires_all_that_is_due),
        cmocka_unit_test(a_timer_stopped_by_another_of_the_same_tick_does_not_fire),
        cmocka_unit_test(a_timer_may_start_itself_again),
        cmocka_unit_test(starting_again_moves_a_timer),
        cmocka_unit_test(a_delay_without_end_is_accepted),
        cmocka_unit_test(the_wheel_drives_itself_and_sleeps_when_it_is_empty),
        cmocka_unit_test(an_alarm_fires_once_or_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
