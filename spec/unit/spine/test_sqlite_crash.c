#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "spine/database_fixture.h"

enum { ROUNDS = 30, RUNS = 8, MAX_PAYLOAD = 12000, MAX_ACKS = 300, WAIT_MS = 20000 };

/* What the child tells when an append was answered. Smaller than PIPE_BUF: written whole or not at all. */
struct ack {
    uint64_t run, last_seq;
};

/* What a record must hold follows from its name. */
static size_t make_payload(size_t run, uint64_t first, char out[MAX_PAYLOAD])
{
    size_t length = 40 + (size_t)(first * 7919 + run * 104729) % (MAX_PAYLOAD - 40);
    memset(out, 'a' + (int)(first % 26), length);
    int head = snprintf(out, 40, "run %zu first %llu", run, (unsigned long long)first);
    out[head] = ' ';
    return length;
}

static uint64_t last_of(uint64_t first) { return first + first % 5; }

static const char *name_of(size_t run, char out[16])
{
    snprintf(out, 16, "run-%zu", run);
    return out;
}

/* ---- the child ---------------------------------------------------------------------------------------------------------------------- */

struct writer {
    struct append_call call; /* first */
    const struct gw_spine *port;
    struct inbox *inbox;
    size_t run, answers;
    int pipe_fd;
    char payload[MAX_PAYLOAD];
};

static void append_next(struct writer *w, uint64_t first)
{
    char name[16];
    struct gw_spine_append *request = &w->call.request;
    request->run = run_key(name_of(w->run, name));
    request->first_seq = first;
    request->last_seq = last_of(first);
    request->payload_length = make_payload(w->run, first, w->payload);
    request->payload = w->payload;
    append_start(w->port, w->inbox, &w->call, &w->answers);
}

static void answer(struct writer *w)
{
    const struct gw_spine_append *request = &w->call.request;
    if (request->status != GW_OK)
        _exit(3);
    struct ack ack = {w->run, request->last_seq};
    if (write(w->pipe_fd, &ack, sizeof ack) != (ssize_t)sizeof ack)
        _exit(4);
    append_next(w, request->last_seq + 1);
}

/* Appends to all runs, one in flight each, until it is killed. */
static _Noreturn void write_for_ever(struct fixture *f, int pipe_fd)
{
    struct gw_error err;
    if (fixture_try_open(f, &err) != GW_OK)
        _exit(2);
    struct inbox inbox;
    inbox_init(&inbox);
    struct writer *writers = calloc(RUNS, sizeof *writers);
    for (size_t i = 0; i < RUNS; i++) {
        char name[16];
        writers[i].port = f->port;
        writers[i].inbox = &inbox;
        writers[i].run = i;
        writers[i].pipe_fd = pipe_fd;
        append_next(&writers[i], find_tail(f->port, name_of(i, name)).tail_seq + 1);
    }
    for (;;) {
        size_t answers = 0;
        for (size_t i = 0; i < RUNS; i++)
            writers[i].call.answers = &answers;
        inbox_run_until(&inbox, &answers, 1);
        for (size_t i = 0; i < RUNS; i++)
            if (writers[i].call.is_answered)
                answer(&writers[i]);
    }
}

/* ---- the parent --------------------------------------------------------------------------------------------------------------------- */

/* False at the end of the pipe. */
static bool take_ack(int pipe_fd, uint64_t acked[RUNS])
{
    struct pollfd entry = {.fd = pipe_fd, .events = POLLIN};
    assert_int_equal(poll(&entry, 1, WAIT_MS), 1);
    struct ack ack;
    ssize_t length = read(pipe_fd, &ack, sizeof ack);
    if (length == 0)
        return false;
    assert_int_equal(length, sizeof ack);
    assert_true(ack.last_seq > acked[ack.run]);
    acked[ack.run] = ack.last_seq;
    return true;
}

static void kill_after(pid_t child, int pipe_fd, unsigned random, uint64_t acked[RUNS])
{
    for (unsigned left = 1 + random % MAX_ACKS; left > 0; left--)
        if (!take_ack(pipe_fd, acked))
            fail_msg("the child ended by itself");
    /* So that the kill meets every moment of a group, not only the one after an answer. */
    struct timespec pause = {0, (long)(random / MAX_ACKS % 500) * 1000};
    nanosleep(&pause, NULL);
    kill(child, SIGKILL);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    while (take_ack(pipe_fd, acked))
        continue;
}

static void assert_record(size_t run, const struct gw_spine_record *record, uint64_t first)
{
    char expected[MAX_PAYLOAD];
    size_t length = make_payload(run, first, expected);
    assert_int_equal(record->first_seq, first);
    assert_int_equal(record->last_seq, last_of(first));
    assert_int_equal(record->payload_length, length);
    assert_memory_equal(record->payload, expected, length);
}

/* Every record from the start is there, as it was sent, up to a tail that is not below what was acknowledged: it is returned. */
static uint64_t assert_run(const struct gw_spine *port, size_t run, uint64_t acked)
{
    char name[16];
    uint64_t tail = find_tail(port, name_of(run, name)).tail_seq, next = 1;
    assert_true(tail >= acked);
    assert_true(acked == 0 || tail == acked || tail == last_of(acked + 1));
    while (next <= tail) {
        struct gw_spine_read read = read_range(port, name, next, UINT64_MAX, 1 << 20);
        assert_int_equal(read.status, GW_OK);
        assert_true(read.record_count > 0);
        for (size_t i = 0; i < read.record_count; i++) {
            assert_record(run, &read.records[i], next);
            next = read.records[i].last_seq + 1;
        }
        gw_spine_read_fini(&read);
    }
    assert_int_equal(next, tail + 1);
    return tail;
}

static void run_round(struct fixture *f, uint64_t acked[RUNS])
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        write_for_ever(f, ends[1]);
    }
    close(ends[1]);
    unsigned random;
    gw_clock_system()->random(gw_clock_system()->self, &random, sizeof random);
    kill_after(child, ends[0], random, acked);
    close(ends[0]);
    fixture_open(f);
    for (size_t i = 0; i < RUNS; i++)
        acked[i] = assert_run(f->port, i, acked[i]);
    fixture_close(f);
}

static void keeps_what_it_acknowledged_when_killed(void **state)
{
    (void)state;
    struct fixture f;
    uint64_t acked[RUNS] = {0};
    fixture_init(&f);
    for (int round = 0; round < ROUNDS; round++)
        run_round(&f, acked);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(keeps_what_it_acknowledged_when_killed)};
    return cmocka_run_group_tests_name("sqlite spine: kill -9", tests, NULL, NULL);
}
