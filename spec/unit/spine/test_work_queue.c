#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "spine/sqlite/work_queue.h"

static struct gw_spine_job job_of(size_t bytes) { return (struct gw_spine_job){.bytes = bytes}; }

static int push(struct gw_work_queue *queue, size_t bytes)
{
    struct gw_spine_job job = job_of(bytes);
    return gw_work_queue_push(queue, &job);
}

static void gives_jobs_in_the_order_of_their_arrival(void **state)
{
    (void)state;
    struct gw_work_queue *queue = gw_work_queue_create(4, 1000);
    struct gw_spine_job out[4];
    for (size_t round = 0; round < 3; round++) {
        for (size_t bytes = 1; bytes <= 3; bytes++)
            assert_int_equal(push(queue, bytes), GW_OK);
        assert_int_equal(gw_work_queue_take(queue, out, 4, 1000), 3);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(out[i].bytes, i + 1);
    }
    gw_work_queue_destroy(queue);
}

static void refuses_past_its_count(void **state)
{
    (void)state;
    struct gw_work_queue *queue = gw_work_queue_create(2, 1000);
    struct gw_spine_job out[2];
    assert_int_equal(push(queue, 1), GW_OK);
    assert_int_equal(push(queue, 1), GW_OK);
    assert_int_equal(push(queue, 1), GW_EBUSY);
    assert_int_equal(gw_work_queue_take(queue, out, 1, 1000), 1);
    assert_int_equal(push(queue, 1), GW_OK);
    assert_int_equal(gw_work_queue_take(queue, out, 2, 1000), 2);
    gw_work_queue_destroy(queue);
}

static void refuses_past_its_bytes_but_never_the_first(void **state)
{
    (void)state;
    struct gw_work_queue *queue = gw_work_queue_create(8, 100);
    struct gw_spine_job out[8];
    assert_int_equal(push(queue, SIZE_MAX), GW_OK);
    assert_int_equal(push(queue, 1), GW_EBUSY);
    assert_int_equal(gw_work_queue_take(queue, out, 8, 100), 1);
    assert_int_equal(push(queue, 60), GW_OK);
    assert_int_equal(push(queue, 40), GW_OK);
    assert_int_equal(push(queue, 1), GW_EBUSY);
    assert_int_equal(gw_work_queue_take(queue, out, 8, 100), 2);
    gw_work_queue_destroy(queue);
}

static void takes_no_more_than_a_group(void **state)
{
    (void)state;
    struct gw_work_queue *queue = gw_work_queue_create(8, 1000);
    struct gw_spine_job out[8];
    assert_int_equal(push(queue, 70), GW_OK);
    assert_int_equal(push(queue, 20), GW_OK);
    assert_int_equal(push(queue, 20), GW_OK);
    assert_int_equal(push(queue, 500), GW_OK);
    assert_int_equal(push(queue, 1), GW_OK);
    assert_int_equal(gw_work_queue_take(queue, out, 8, 100), 2);
    assert_int_equal(gw_work_queue_take(queue, out, 1, 100), 1);
    assert_int_equal(gw_work_queue_take(queue, out, 8, 100), 1);
    assert_int_equal(gw_work_queue_take(queue, out, 8, 100), 1);
    gw_work_queue_destroy(queue);
}

static void is_emptied_after_it_is_closed(void **state)
{
    (void)state;
    struct gw_work_queue *queue = gw_work_queue_create(2, 1000);
    struct gw_spine_job out[2];
    assert_int_equal(push(queue, 1), GW_OK);
    gw_work_queue_close(queue);
    assert_int_equal(push(queue, 1), GW_ECLOSED);
    assert_int_equal(gw_work_queue_take(queue, out, 2, 1000), 1);
    assert_int_equal(gw_work_queue_take(queue, out, 2, 1000), 0);
    gw_work_queue_destroy(queue);
}

static void *count_jobs(void *self)
{
    struct gw_spine_job out[3];
    size_t total = 0, taken;
    while ((taken = gw_work_queue_take(self, out, 3, 1000)) > 0)
        total += taken;
    return (void *)total;
}

static void wakes_the_taker_for_every_job(void **state)
{
    (void)state;
    struct gw_work_queue *queue = gw_work_queue_create(4, 1000);
    pthread_t taker;
    assert_int_equal(pthread_create(&taker, NULL, count_jobs, queue), 0);
    size_t pushed = 0;
    while (pushed < 20000)
        pushed += push(queue, 1) == GW_OK;
    gw_work_queue_close(queue);
    void *total;
    pthread_join(taker, &total);
    assert_int_equal((size_t)total, pushed);
    gw_work_queue_destroy(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_jobs_in_the_order_of_their_arrival),
        cmocka_unit_test(refuses_past_its_count),
        cmocka_unit_test(refuses_past_its_bytes_but_never_the_first),
        cmocka_unit_test(takes_no_more_than_a_group),
        cmocka_unit_test(is_emptied_after_it_is_closed),
        cmocka_unit_test(wakes_the_taker_for_every_job),
    };
    return cmocka_run_group_tests_name("work queue", tests, NULL, NULL);
}
