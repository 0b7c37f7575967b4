/* Lines on a pipe: complete, in order, and never in the way of their writer. */
#include "sink/stdout_sink.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/metrics.h"
#include "record_fixture.h"

struct piped {
    int ends[2];
    struct gw_metrics *metrics;
    struct gw_stdout_sink *sink;
};

static void open_sink(struct piped *p, size_t max_bytes)
{
    struct gw_error err;
    assert_int_equal(pipe(p->ends), 0);
    p->metrics = gw_metrics_create();
    assert_int_equal(gw_stdout_sink_create(&(struct gw_stdout_sink_opts){.fd = p->ends[1], .max_bytes = max_bytes, .metrics = p->metrics},
                                           &p->sink, &err),
                     0);
}

static void close_sink(struct piped *p)
{
    gw_stdout_sink_destroy(p->sink);
    gw_metrics_destroy(p->metrics);
    close(p->ends[0]);
    close(p->ends[1]);
}

static int64_t count_of(const struct piped *p, const char *outcome)
{
    return gw_metric_value(gw_metrics_counter(p->metrics, "atoms_sink_records_total", outcome, ""));
}

static void read_exactly(int fd, char *out, size_t length)
{
    size_t got = 0;
    while (got < length) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&ready, 1, 10000), 1);
        ssize_t count = read(fd, out + got, length - got);
        assert_true(count > 0);
        got += (size_t)count;
    }
    out[got] = '\0';
}

static void a_record_is_a_line(void **state)
{
    (void)state;
    struct piped p;
    char text[600];
    open_sink(&p, 0);
    for (uint64_t seq = 7; seq < 10; seq++) {
        write_line(gw_stdout_sink_port(p.sink), seq, "hello");
        const char *expected = line_of(seq, "hello");
        read_exactly(p.ends[0], text, strlen(expected));
        assert_string_equal(text, expected);
    }
    close_sink(&p);
}

static void what_is_queued_is_written_at_the_end(void **state)
{
    (void)state;
    struct piped p;
    char text[64 * 1024];
    size_t length = 0;
    open_sink(&p, 0);
    for (uint64_t seq = 1; seq <= 50; seq++) {
        write_line(gw_stdout_sink_port(p.sink), seq, "x");
        length += strlen(line_of(seq, "x"));
    }
    gw_stdout_sink_destroy(p.sink);
    p.sink = NULL;
    read_exactly(p.ends[0], text, length);
    assert_non_null(strstr(text, line_of(50, "x")));
    assert_int_equal(count_of(&p, "outcome=\"sent\""), 50);
    close_sink(&p);
}

/* Nobody reads: the pipe fills, then the queue, then records are dropped and counted; and the end comes all the same. */
static void a_reader_that_never_reads_costs_a_bounded_queue(void **state)
{
    (void)state;
    struct piped p;
    open_sink(&p, 4096);
    for (uint64_t seq = 1; seq <= 2000; seq++)
        write_line(gw_stdout_sink_port(p.sink), seq, "x");
    assert_false(gw_stdout_sink_is_idle(p.sink));
    assert_true(count_of(&p, "outcome=\"dropped\"") > 0);
    gw_stdout_sink_destroy(p.sink);
    p.sink = NULL;
    assert_int_equal(count_of(&p, "outcome=\"dropped\"") + count_of(&p, "outcome=\"sent\""), 2000);
    close_sink(&p);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_a_line),
        cmocka_unit_test(what_is_queued_is_written_at_the_end),
        cmocka_unit_test(a_reader_that_never_reads_costs_a_bounded_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
