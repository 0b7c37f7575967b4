/* A loop turn writes to a slice of the readers: whichever class they are of, all of a run that keeps growing come up equally often. */
#include "hub/small_hub.h"

#include <limits.h>

#include "hub/subscriber.h"

#define CLASSES 5
#define READERS 150 /* of each class; a slice ends within one of them */
#define TURNS   200

static const struct gw_scope scope = {.tenant_id = "t", .mode = "dev", .project_id = "p", .surface_id = "s", .app_id = "a", .run_id = "r"};

struct reader {
    struct gw_subscriber subscriber; /* first */
    unsigned writes;
};

struct crowd {
    struct gw_plan *plans[CLASSES];
    struct reader readers[CLASSES][READERS];
};

static void on_verdict(struct gw_subscriber *subscriber, const struct gw_verdict *verdict)
{
    (void)verdict;
    assert_int_equal(gw_subscriber_control(subscriber, "v", 1), GW_OK);
}

static ssize_t on_write(struct gw_subscriber *subscriber, const struct iovec *parts, int count)
{
    ssize_t taken = 0;
    for (int i = 0; i < count; i++)
        taken += (ssize_t)parts[i].iov_len;
    ((struct reader *)(void *)subscriber)->writes++;
    return taken;
}

static void on_purged(struct gw_subscriber *subscriber) { (void)subscriber; }
static void on_ended(struct gw_subscriber *subscriber, const char *reason) { fail_msg("%p ended: %s", (void *)subscriber, reason); }

static const struct gw_subscriber_ops ops = {.verdict = on_verdict, .write = on_write, .purged = on_purged, .ended = on_ended};

/* The lists differ by a Token that nobody writes. */
static struct gw_plan *plan_of_class(size_t number)
{
    char globs[60];
    snprintf(globs, sizeof globs, "[\"plan.*\",\"ui.c%zu\"]", number);
    struct gw_plan *plan = plan_of_tokens(globs);
    plan->class_id = 10 + number;
    return plan;
}

static void gather(struct world *w, struct crowd *crowd)
{
    struct gw_error err;
    memset(crowd, 0, sizeof *crowd);
    for (size_t class = 0; class < CLASSES; class++) {
        crowd->plans[class] = plan_of_class(class);
        for (size_t i = 0; i < READERS; i++) {
            struct gw_subscribe_opts opts = {.scope = scope, .plan = crowd->plans[class], .start = GW_START_NOW};
            crowd->readers[class][i].subscriber.ops = &ops;
            assert_int_equal(gw_subscriber_open(w->hub, &crowd->readers[class][i].subscriber, &opts, &err), GW_OK);
        }
    }
    turn(w);
}

/* Views of nobody close after a while. */
static void disperse(struct world *w, struct crowd *crowd)
{
    for (size_t class = 0; class < CLASSES; class++) {
        for (size_t i = 0; i < READERS; i++)
            gw_subscriber_close(&crowd->readers[class][i].subscriber);
        gw_plan_unref(crowd->plans[class]);
    }
    w->now_ms += 3600000;
    gw_hub_tick(w->hub);
    turn(w);
}

/* One turn of the loop, at whose beginning the run grows; what is left of the fan-out stays for the next. */
static void grow(struct world *w, struct sent *sent, unsigned number)
{
    char members[80];
    snprintf(members, sizeof members, "\"type\":\"token.set\",\"args\":{\"set\":{\"plan.days\":%u}}", number % 300 + 1);
    send_command(w, sent, members);
    turn_once(w);
}

static void forget_writes(struct crowd *crowd)
{
    for (size_t class = 0; class < CLASSES; class++)
        for (size_t i = 0; i < READERS; i++)
            crowd->readers[class][i].writes = 0;
}

static void assert_even(const struct crowd *crowd)
{
    unsigned least = UINT_MAX, most = 0;
    for (size_t class = 0; class < CLASSES; class++) {
        for (size_t i = 0; i < READERS; i++) {
            unsigned writes = crowd->readers[class][i].writes;
            least = writes < least ? writes : least;
            most = writes > most ? writes : most;
        }
    }
    assert_true(least > TURNS / 10);
    assert_true(most - least <= 1);
}

static void readers_of_all_classes_come_up_equally_often(void **state)
{
    struct world *w = *state;
    static struct crowd crowd;
    static struct sent sent[TURNS];
    must_send(w, MOUNT);
    gather(w, &crowd);
    forget_writes(&crowd);
    for (unsigned i = 0; i < TURNS; i++)
        grow(w, &sent[i], i);
    assert_even(&crowd);
    turn(w);
    for (unsigned i = 0; i < TURNS; i++)
        assert_outcome(&sent[i], "committed");
    disperse(w, &crowd);
}

static void who_leaves_in_a_round_holds_up_nobody(void **state)
{
    struct world *w = *state;
    static struct crowd crowd;
    struct sent sent;
    must_send(w, MOUNT);
    gather(w, &crowd);
    for (unsigned i = 0; i < READERS; i++) {
        grow(w, &sent, i);
        for (size_t class = 0; class < CLASSES; class += 2)
            gw_subscriber_close(&crowd.readers[class][i].subscriber);
        turn(w);
        assert_outcome(&sent, "committed");
        for (size_t class = 1; class < CLASSES; class += 2)
            assert_int_equal(gw_subscriber_lag(&crowd.readers[class][i].subscriber), 0);
    }
    disperse(w, &crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(readers_of_all_classes_come_up_equally_often, small_hub_setup, small_hub_teardown),
        cmocka_unit_test_setup_teardown(who_leaves_in_a_round_holds_up_nobody, small_hub_setup, small_hub_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
