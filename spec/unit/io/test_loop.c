#include <pthread.h>

#include "loop_fixture.h"

#define POSTERS           4
#define TASKS_PER_POSTER  20000
#define TASKS_IN_ONE_TURN 256

struct note {
    struct gw_task task;
    struct fixture *fixture;
    int *order;
    int *order_count;
    int number;
};

static void on_note(struct gw_task *task)
{
    struct note *note = (struct note *)task;
    note->order[(*note->order_count)++] = note->number;
}

static void on_stop_task(struct gw_task *task)
{
    gw_loop_stop(((struct note *)task)->fixture->loop);
}

struct counting_hook {
    struct gw_turn_hook hook;
    struct fixture *fixture;
    int run_count;
    int stop_after;
    int tasks_at_first_run;
    int *task_count;
    struct gw_turn_hook *to_remove;
    bool keeps_awake;
};

static void on_turn_end(struct gw_turn_hook *hook)
{
    struct counting_hook *counting = (struct counting_hook *)hook;
    if (counting->run_count++ == 0 && counting->task_count)
        counting->tasks_at_first_run = *counting->task_count;
    if (counting->to_remove)
        gw_loop_remove_turn_hook(counting->fixture->loop, counting->to_remove);
    if (counting->stop_after && counting->run_count >= counting->stop_after)
        gw_loop_stop(counting->fixture->loop);
    else if (counting->keeps_awake)
        gw_loop_request_turn(counting->fixture->loop);
}

static void on_sweep(struct gw_turn_hook *hook)
{
    struct counting_hook *sweeper = (struct counting_hook *)hook;
    gw_loop_remove_turn_hook(sweeper->fixture->loop, sweeper->to_remove);
    gw_loop_remove_turn_hook(sweeper->fixture->loop, hook);
}

static void post(struct fixture *fixture, struct gw_task *task)
{
    struct gw_executor *inbox = gw_loop_executor(fixture->loop);
    inbox->post(inbox->self, task);
}

static bool try_post(struct fixture *fixture, struct gw_task *task)
{
    struct gw_executor *inbox = gw_loop_executor(fixture->loop);
    return inbox->try_post(inbox->self, task);
}

static void runs_tasks_in_the_order_of_posting(void **state)
{
    struct fixture fixture;
    struct note notes[10];
    int order[10], count = 0;
    struct note stop = {.task.run = on_stop_task, .fixture = &fixture};
    (void)state;
    fixture_init(&fixture);
    for (int i = 0; i < 10; i++) {
        notes[i] = (struct note){.task.run = on_note, .order = order, .order_count = &count, .number = i};
        post(&fixture, &notes[i].task);
    }
    assert_int_equal(gw_loop_inbox_depth(fixture.loop), 10);
    post(&fixture, &stop.task);
    fixture_run(&fixture);
    assert_int_equal(count, 10);
    for (int i = 0; i < 10; i++)
        assert_int_equal(order[i], i);
    assert_int_equal(gw_loop_inbox_depth(fixture.loop), 0);
    fixture_fini(&fixture);
}

static void runs_hooks_once_after_all_the_tasks_of_a_turn(void **state)
{
    struct fixture fixture;
    struct note notes[50];
    int order[50], count = 0;
    struct note stop = {.task.run = on_stop_task, .fixture = &fixture};
    struct counting_hook hook = {.hook.run = on_turn_end, .fixture = &fixture};
    (void)state;
    fixture_init(&fixture);
    for (int i = 0; i < 50; i++) {
        notes[i] = (struct note){.task.run = on_note, .order = order, .order_count = &count, .number = i};
        post(&fixture, &notes[i].task);
    }
    post(&fixture, &stop.task);
    gw_loop_on_turn_end(fixture.loop, &hook.hook);
    fixture_run(&fixture);
    /* Before the first sleep, and at the stop, which came in the turn of the tasks. */
    assert_int_equal(hook.run_count, 2);
    assert_int_equal(count, 50);
    fixture_fini(&fixture);
}

static void runs_a_bounded_number_of_tasks_per_turn(void **state)
{
    enum { COUNT = 3 * TASKS_IN_ONE_TURN };
    static struct note notes[COUNT];
    static int order[COUNT];
    struct fixture fixture;
    int count = 0;
    struct note stop = {.task.run = on_stop_task, .fixture = &fixture};
    struct counting_hook hook = {.hook.run = on_turn_end, .fixture = &fixture};
    (void)state;
    fixture_init(&fixture);
    for (int i = 0; i < COUNT; i++) {
        notes[i] = (struct note){.task.run = on_note, .order = order, .order_count = &count, .number = i};
        post(&fixture, &notes[i].task);
    }
    post(&fixture, &stop.task);
    gw_loop_on_turn_end(fixture.loop, &hook.hook);
    fixture_run(&fixture);
    assert_int_equal(count, COUNT);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(order[i], i);
    assert_true(hook.run_count >= 4);
    fixture_fini(&fixture);
}

static void runs_hooks_again_without_sleeping_when_asked(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_init(&fixture);
    struct counting_hook hook = {.hook.run = on_turn_end, .fixture = &fixture, .stop_after = 100, .keeps_awake = true};
    gw_loop_on_turn_end(fixture.loop, &hook.hook);
    uint64_t turns = gw_loop_turn_count(fixture.loop);
    fixture_run(&fixture);
    assert_true(hook.run_count >= 100);
    assert_true(gw_loop_turn_count(fixture.loop) - turns <= 102);
    fixture_fini(&fixture);
}

static void lets_hooks_remove_themselves_and_others(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_init(&fixture);
    struct counting_hook victim = {.hook.run = on_turn_end, .fixture = &fixture};
    struct counting_hook remover = {.hook.run = on_turn_end, .fixture = &fixture, .to_remove = &victim.hook};
    struct counting_hook once = {.hook.run = on_turn_end, .fixture = &fixture};
    struct counting_hook last = {.hook.run = on_turn_end, .fixture = &fixture, .stop_after = 1};
    once.to_remove = &once.hook;
    gw_loop_on_turn_end(fixture.loop, &once.hook);
    gw_loop_on_turn_end(fixture.loop, &remover.hook);
    gw_loop_on_turn_end(fixture.loop, &victim.hook);
    gw_loop_on_turn_end(fixture.loop, &last.hook);
    /* The victim may be removed once only, so the remover leaves after its first run, and the sweeper before a second. */
    struct counting_hook sweeper = {.hook.run = on_sweep, .fixture = &fixture, .to_remove = &remover.hook};
    gw_loop_on_turn_end(fixture.loop, &sweeper.hook);
    fixture_run(&fixture);
    assert_int_equal(once.run_count, 1);
    assert_int_equal(remover.run_count, 1);
    assert_int_equal(victim.run_count, 0);
    assert_int_equal(last.run_count, 2);
    fixture_fini(&fixture);
}

static void a_stop_before_the_run_ends_it_in_its_first_turn(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_init(&fixture);
    gw_loop_stop(fixture.loop);
    fixture_run(&fixture);
    assert_int_equal(gw_loop_turn_count(fixture.loop), 1);
    fixture_fini(&fixture);
}

static void try_post_refuses_over_the_maximum_and_post_does_not(void **state)
{
    struct fixture fixture = {0};
    struct gw_error err;
    struct note notes[4];
    int order[4], count = 0;
    const struct gw_loop_opts opts = {.clock = gw_clock_system(), .max_inbox = 2};
    (void)state;
    assert_int_equal(gw_loop_create(&opts, &fixture.loop, &err), 0);
    for (int i = 0; i < 4; i++)
        notes[i] = (struct note){.task.run = on_note, .order = order, .order_count = &count, .number = i};
    assert_true(try_post(&fixture, &notes[0].task));
    assert_true(try_post(&fixture, &notes[1].task));
    assert_false(try_post(&fixture, &notes[2].task));
    post(&fixture, &notes[3].task);
    assert_int_equal(gw_loop_inbox_depth(fixture.loop), 3);
    gw_loop_destroy(fixture.loop);
    assert_int_equal(count, 3);
}

static void a_closed_inbox_refuses_requests_and_takes_completions(void **state)
{
    struct fixture fixture;
    int order[2], count = 0;
    struct note request = {.task.run = on_note, .order = order, .order_count = &count};
    struct note completion = {.task.run = on_note, .order = order, .order_count = &count, .number = 7};
    (void)state;
    fixture_init(&fixture);
    gw_loop_close_inbox(fixture.loop);
    assert_false(try_post(&fixture, &request.task));
    post(&fixture, &completion.task);
    fixture_fini(&fixture);
    assert_int_equal(count, 1);
    assert_int_equal(order[0], 7);
}

struct poster {
    pthread_t thread;
    struct gw_executor *inbox;
    struct receiver *receiver;
    struct numbered *tasks;
    int number;
};

struct numbered {
    struct gw_task task;
    struct poster *poster;
    int sequence;
};

/* Touched by the loop's thread alone: a task that ran anywhere else would be a race for the thread sanitizer. */
struct receiver {
    struct gw_loop *loop;
    int next[POSTERS];
    int total;
    bool is_out_of_order;
};

static void on_numbered(struct gw_task *task)
{
    struct numbered *numbered = (struct numbered *)task;
    struct receiver *receiver = numbered->poster->receiver;
    if (receiver->next[numbered->poster->number]++ != numbered->sequence)
        receiver->is_out_of_order = true;
    if (++receiver->total == POSTERS * TASKS_PER_POSTER)
        gw_loop_stop(receiver->loop);
}

static void *post_all(void *arg)
{
    struct poster *poster = arg;
    for (int i = 0; i < TASKS_PER_POSTER; i++) {
        struct numbered *task = &poster->tasks[i];
        *task = (struct numbered){.task.run = on_numbered, .poster = poster, .sequence = i};
        if (i % 2 == 0 || !poster->inbox->try_post(poster->inbox->self, &task->task))
            poster->inbox->post(poster->inbox->self, &task->task);
    }
    return NULL;
}

static void keeps_the_order_of_each_of_four_posting_threads(void **state)
{
    static struct numbered tasks[POSTERS][TASKS_PER_POSTER];
    struct gw_error err;
    struct fixture fixture;
    struct poster posters[POSTERS];
    (void)state;
    fixture_init(&fixture);
    struct receiver receiver = {.loop = fixture.loop};
    gw_alarm_start(fixture.watchdog, WATCHDOG_MS, 0);
    assert_int_equal(gw_loop_start(fixture.loop, &err), 0);
    for (int i = 0; i < POSTERS; i++) {
        posters[i] = (struct poster){.inbox = gw_loop_executor(fixture.loop), .receiver = &receiver, .tasks = tasks[i], .number = i};
        assert_int_equal(pthread_create(&posters[i].thread, NULL, post_all, &posters[i]), 0);
    }
    for (int i = 0; i < POSTERS; i++)
        pthread_join(posters[i].thread, NULL);
    gw_loop_join(fixture.loop);
    assert_false(fixture.has_barked);
    assert_int_equal(receiver.total, POSTERS * TASKS_PER_POSTER);
    assert_false(receiver.is_out_of_order);
    fixture_fini(&fixture);
}

static uint64_t ticking_ms(void *self)
{
    uint64_t *now = self;
    return ++*now;
}

struct time_reader {
    struct gw_task task;
    struct gw_loop *loop;
    uint64_t now_ms;
};

static void on_read_time(struct gw_task *task)
{
    struct time_reader *reader = (struct time_reader *)task;
    reader->now_ms = gw_loop_now_ms(reader->loop);
}

static void time_stands_still_within_a_turn(void **state)
{
    struct gw_error err;
    uint64_t now = 1000;
    struct gw_clock clock = *gw_clock_system();
    clock.self = &now;
    clock.monotonic_ms = ticking_ms;
    const struct gw_loop_opts opts = {.clock = &clock};
    struct fixture fixture = {0};
    (void)state;
    assert_int_equal(gw_loop_create(&opts, &fixture.loop, &err), 0);
    assert_ptr_equal(gw_loop_clock(fixture.loop), &clock);
    struct time_reader readers[2] = {{.task.run = on_read_time, .loop = fixture.loop}, {.task.run = on_read_time, .loop = fixture.loop}};
    post(&fixture, &readers[0].task);
    post(&fixture, &readers[1].task);
    gw_loop_stop(fixture.loop);
    gw_loop_run(fixture.loop);
    assert_true(readers[0].now_ms > 1000);
    assert_int_equal(readers[0].now_ms, readers[1].now_ms);
    gw_loop_destroy(fixture.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_tasks_in_the_order_of_posting),
        cmocka_unit_test(runs_hooks_once_after_all_the_tasks_of_a_turn),
        cmocka_unit_test(runs_a_bounded_number_of_tasks_per_turn),
        cmocka_unit_test(runs_hooks_again_without_sleeping_when_asked),
        cmocka_unit_test(lets_hooks_remove_themselves_and_others),
        cmocka_unit_test(a_stop_before_the_run_ends_it_in_its_first_turn),
        cmocka_unit_test(try_post_refuses_over_the_maximum_and_post_does_not),
        cmocka_unit_test(a_closed_inbox_refuses_requests_and_takes_completions),
        cmocka_unit_test(keeps_the_order_of_each_of_four_posting_threads),
        cmocka_unit_test(time_stands_still_within_a_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
