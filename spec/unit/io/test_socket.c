#include <errno.h>
#include <fcntl.h>
#include <pthread.h>

#include "io/loop_inside.h"
#include "peer_fixture.h"

#define LONG_BYTES ((size_t)8 << 20)

static void an_idle_stream_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct gw_socket) <= 220);
}

static void delivers_what_the_peer_sent_in_order(void **state)
{
    struct observed observed;
    (void)state;
    observed_init(&observed);
    for (size_t i = 0; i < 100; i++) {
        char byte = pattern_at(i);
        assert_int_equal(send(observed.peer_fd, &byte, 1, 0), 1);
    }
    observed.stop_at_bytes = 100;
    fixture_run(&observed.fixture);
    assert_int_equal(observed.received.length, 100);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(observed.received.data[i], pattern_at(i));
    observed_fini(&observed);
}

static void tells_the_end_once_and_still_writes(void **state)
{
    struct observed observed;
    char answer[8] = {0};
    struct iovec part = {(char *)(uintptr_t) "answer", 6};
    (void)state;
    observed_init(&observed);
    observed.stops_on_eof = true;
    shutdown(observed.peer_fd, SHUT_WR);
    fixture_run(&observed.fixture);
    assert_int_equal(gw_socket_writev(&observed.socket, &part, 1), 6);
    assert_int_equal(recv(observed.peer_fd, answer, sizeof answer, 0), 6);
    assert_string_equal(answer, "answer");
    gw_socket_resume_read(&observed.socket);
    fixture_run_for(&observed.fixture, 20);
    assert_int_equal(observed.eof_count, 1);
    assert_int_equal(observed.error_count, 0);
    observed_fini(&observed);
}

static void reports_a_reset_once(void **state)
{
    struct observed observed;
    struct linger now = {.l_onoff = 1};
    struct iovec part = {(char *)(uintptr_t) "x", 1};
    (void)state;
    observed_init(&observed);
    observed.stops_on_error = true;
    setsockopt(observed.peer_fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(observed.peer_fd);
    observed.peer_fd = -1;
    fixture_run(&observed.fixture);
    fixture_run_for(&observed.fixture, 20);
    assert_int_equal(observed.error_count, 1);
    assert_int_equal(observed.err.code, GW_ECLOSED);
    assert_string_equal(observed.err.id, "connection_reset");
    assert_int_equal(gw_socket_writev(&observed.socket, &part, 1), GW_ECLOSED);
    observed_fini(&observed);
}

static void a_paused_socket_reads_nothing_until_it_is_resumed(void **state)
{
    struct observed observed;
    (void)state;
    observed_init(&observed);
    observed.pauses_on_bytes = true;
    observed.stop_at_bytes = 1;
    assert_int_equal(send(observed.peer_fd, "a", 1, 0), 1);
    fixture_run(&observed.fixture);
    assert_int_equal(send(observed.peer_fd, "b", 1, 0), 1);
    fixture_run_for(&observed.fixture, 20);
    assert_int_equal(observed.received.length, 1);
    observed.stop_at_bytes = 2;
    gw_socket_resume_read(&observed.socket);
    fixture_run(&observed.fixture);
    assert_int_equal(observed.received.length, 2);
    observed_fini(&observed);
}

static void closing_inside_a_callback_ends_all_callbacks(void **state)
{
    struct observed observed;
    int fd;
    (void)state;
    observed_init(&observed);
    fd = observed.socket.fd;
    observed.closes_on_bytes = true;
    assert_int_equal(send(observed.peer_fd, "bye", 3, 0), 3);
    shutdown(observed.peer_fd, SHUT_WR);
    fixture_run(&observed.fixture);
    gw_socket_close(&observed.socket);
    gw_socket_reset(&observed.socket);
    assert_true(gw_socket_is_closing(&observed.socket));
    assert_int_equal(observed.bytes_count, 1);
    assert_int_equal(observed.eof_count, 0);
    assert_int_equal(observed.closed_count, 1);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    observed_fini(&observed);
}

static void the_peer_sees_what_was_written_and_then_the_end(void **state)
{
    struct observed observed;
    struct iovec part = {(char *)(uintptr_t) "last words", 10};
    char bytes[32];
    (void)state;
    observed_init(&observed);
    assert_int_equal(gw_socket_writev(&observed.socket, &part, 1), 10);
    gw_socket_shutdown_write(&observed.socket);
    assert_int_equal(gw_socket_writev(&observed.socket, &part, 1), GW_ECLOSED);
    assert_int_equal(recv(observed.peer_fd, bytes, sizeof bytes, MSG_WAITALL), 10);
    assert_int_equal(recv(observed.peer_fd, bytes, sizeof bytes, 0), 0);
    assert_int_equal(send(observed.peer_fd, "still heard", 11, 0), 11);
    observed.stop_at_bytes = 11;
    fixture_run(&observed.fixture);
    observed_fini(&observed);
}

static void a_reset_throws_away_what_the_kernel_holds(void **state)
{
    struct observed observed;
    char byte;
    (void)state;
    observed_init(&observed);
    gw_socket_reset(&observed.socket);
    fixture_run(&observed.fixture);
    assert_int_equal(recv(observed.peer_fd, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    observed_fini(&observed);
}

/* A writer that holds nothing but an offset, as a subscriber does. */
struct pouring {
    struct observed observed;
    char *text;
    size_t offset;
    bool was_blocked, was_partial;
};

static void pour(struct observed *observed)
{
    struct pouring *pouring = (struct pouring *)observed;
    while (pouring->offset < LONG_BYTES) {
        size_t left = LONG_BYTES - pouring->offset, half = left / 2;
        struct iovec parts[3] = {{pouring->text + pouring->offset, half}, {NULL, 0}, {pouring->text + pouring->offset + half, left - half}};
        ssize_t sent = gw_socket_writev(&observed->socket, parts, 3);
        assert_true(sent >= 0);
        pouring->was_partial |= sent > 0 && (size_t)sent < left;
        pouring->offset += (size_t)sent;
        if (sent == 0) {
            pouring->was_blocked = true;
            gw_socket_want_write(&observed->socket, true);
            return;
        }
    }
    gw_socket_want_write(&observed->socket, false);
    gw_loop_stop(observed->fixture.loop);
}

static void *drink(void *arg)
{
    int fd = *(int *)arg;
    static char glass[30000];
    size_t offset = 0;
    while (offset < LONG_BYTES) {
        ssize_t got = recv(fd, glass, sizeof glass, 0);
        if (got <= 0)
            return NULL;
        for (ssize_t i = 0; i < got; i++)
            if (glass[i] != pattern_at(offset + (size_t)i))
                return NULL;
        offset += (size_t)got;
    }
    return arg;
}

static void a_blocked_write_resumes_where_it_stopped(void **state)
{
    struct pouring pouring = {0};
    pthread_t drinker;
    void *was_right;
    (void)state;
    observed_init(&pouring.observed);
    pouring.text = test_malloc(LONG_BYTES);
    fill_pattern(pouring.text, 0, LONG_BYTES);
    pouring.observed.on_writable = pour;
    gw_socket_set_send_buffer(&pouring.observed.socket, 16384);
    pour(&pouring.observed);
    assert_true(pouring.was_blocked);
    assert_true(pouring.was_partial);
    assert_true(gw_socket_unsent_bytes(&pouring.observed.socket) > 0);
    fixture_run_for(&pouring.observed.fixture, 10);
    assert_int_equal(pthread_create(&drinker, NULL, drink, &pouring.observed.peer_fd), 0);
    fixture_run(&pouring.observed.fixture);
    pthread_join(drinker, &was_right);
    assert_non_null(was_right);
    assert_true(pouring.observed.writable_count > 1);
    int writable_count = pouring.observed.writable_count;
    fixture_run_for(&pouring.observed.fixture, 10);
    assert_int_equal(pouring.observed.writable_count, writable_count);
    test_free(pouring.text);
    observed_fini(&pouring.observed);
}

static void takes_any_number_of_parts(void **state)
{
    struct observed observed;
    struct iovec parts[3000];
    static char bytes[3000], seen[3000];
    (void)state;
    observed_init(&observed);
    fill_pattern(bytes, 0, sizeof bytes);
    for (size_t i = 0; i < 3000; i++)
        parts[i] = (struct iovec){bytes + i, 1};
    size_t sent = 0;
    while (sent < 3000) {
        ssize_t now = gw_socket_writev(&observed.socket, parts + sent, 3000 - sent);
        assert_in_range(now, 1, 1024);
        sent += (size_t)now;
    }
    assert_int_equal(recv(observed.peer_fd, seen, sizeof seen, MSG_WAITALL), 3000);
    assert_memory_equal(seen, bytes, sizeof seen);
    observed_fini(&observed);
}

static void counts_and_names_its_peer(void **state)
{
    struct observed observed;
    struct gw_address peer, self = {.length = sizeof self.addr};
    struct gw_socket_counters counters;
    char peer_text[GW_ADDRESS_TEXT_MAX], self_text[GW_ADDRESS_TEXT_MAX];
    struct iovec part = {(char *)(uintptr_t) "12345", 5};
    (void)state;
    observed_init(&observed);
    assert_int_equal(gw_socket_peer(&observed.socket, &peer), 0);
    assert_int_equal(getsockname(observed.peer_fd, &self.addr.any, &self.length), 0);
    gw_address_format(&peer, peer_text);
    gw_address_format(&self, self_text);
    assert_string_equal(peer_text, self_text);
    assert_false(gw_socket_is_tls(&observed.socket));
    assert_int_equal(gw_socket_writev(&observed.socket, &part, 1), 5);
    assert_int_equal(send(observed.peer_fd, "123", 3, 0), 3);
    observed.stop_at_bytes = 3;
    fixture_run(&observed.fixture);
    gw_socket_read_counters(observed.fixture.loop, &counters);
    assert_int_equal(counters.opened, 1);
    assert_int_equal(counters.closed, 0);
    assert_int_equal(counters.bytes_in, 3);
    assert_int_equal(counters.bytes_out, 5);
    assert_int_equal(counters.writes, 1);
    observed_fini(&observed);
}

static void connects_and_is_then_writable(void **state)
{
    struct observed observed = {.stops_on_writable = true};
    struct gw_address address;
    struct gw_error err;
    struct iovec part = {(char *)(uintptr_t) "hello", 5};
    char bytes[8];
    (void)state;
    fixture_init(&observed.fixture);
    gw_buffer_init(&observed.received, 0);
    int listening = listen_on_loopback(&address);
    assert_int_equal(gw_socket_connect(&observed.socket, observed.fixture.loop, &address, &observing, &err), 0);
    assert_int_equal(gw_socket_writev(&observed.socket, &part, 1), 0);
    fixture_run(&observed.fixture);
    gw_socket_want_write(&observed.socket, false);
    assert_int_equal(gw_socket_writev(&observed.socket, &part, 1), 5);
    observed.peer_fd = accept(listening, NULL, NULL);
    assert_int_equal(recv(observed.peer_fd, bytes, 5, MSG_WAITALL), 5);
    assert_int_equal(send(observed.peer_fd, "and back", 8, 0), 8);
    observed.stop_at_bytes = 8;
    fixture_run(&observed.fixture);
    close(listening);
    observed_fini(&observed);
}

static void says_that_a_connect_was_refused(void **state)
{
    struct observed observed = {.stops_on_error = true, .peer_fd = -1};
    struct gw_address address;
    struct gw_error err;
    (void)state;
    fixture_init(&observed.fixture);
    gw_buffer_init(&observed.received, 0);
    close(listen_on_loopback(&address));
    assert_int_equal(gw_socket_connect(&observed.socket, observed.fixture.loop, &address, &observing, &err), 0);
    fixture_run(&observed.fixture);
    assert_int_equal(observed.writable_count, 0);
    assert_string_equal(observed.err.id, "connect_failed");
    assert_int_equal(observed.err.code, GW_EIO);
    observed_fini(&observed);
}

static void refuses_a_descriptor_that_cannot_be_watched(void **state)
{
    struct fixture fixture;
    struct gw_socket socket;
    struct gw_error err;
    (void)state;
    fixture_init(&fixture);
    int fd = open("/dev/null", O_RDONLY);
    assert_int_equal(gw_socket_open(&socket, fixture.loop, fd, &observing, &err), GW_EIO);
    assert_string_equal(err.id, "socket_failed");
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_stream_is_small),
        cmocka_unit_test(delivers_what_the_peer_sent_in_order),
        cmocka_unit_test(tells_the_end_once_and_still_writes),
        cmocka_unit_test(reports_a_reset_once),
        cmocka_unit_test(a_paused_socket_reads_nothing_until_it_is_resumed),
        cmocka_unit_test(closing_inside_a_callback_ends_all_callbacks),
        cmocka_unit_test(the_peer_sees_what_was_written_and_then_the_end),
        cmocka_unit_test(a_reset_throws_away_what_the_kernel_holds),
        cmocka_unit_test(a_blocked_write_resumes_where_it_stopped),
        cmocka_unit_test(takes_any_number_of_parts),
        cmocka_unit_test(counts_and_names_its_peer),
        cmocka_unit_test(connects_and_is_then_writable),
        cmocka_unit_test(says_that_a_connect_was_refused),
        cmocka_unit_test(refuses_a_descriptor_that_cannot_be_watched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
