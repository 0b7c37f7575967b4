#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

#include "io/listener.h"
#include "peer_fixture.h"

#define MAX_ACCEPTED 64

struct door {
    struct fixture fixture;
    struct gw_listener *listener;
    struct gw_address address; /* with the bound port */
    int fds[MAX_ACCEPTED];
    int count;
    int stop_at;
    bool pauses, closes;
    char peer[GW_ADDRESS_TEXT_MAX];
};

static void on_accept(void *arg, int fd, const struct gw_address *peer)
{
    struct door *door = arg;
    assert_true(door->count < MAX_ACCEPTED);
    door->fds[door->count++] = fd;
    gw_address_format(peer, door->peer);
    if (door->pauses)
        gw_listener_pause(door->listener);
    if (door->closes)
        gw_listener_close(door->listener);
    if (door->stop_at && door->count == door->stop_at)
        gw_loop_stop(door->fixture.loop);
}

static void door_open(struct door *door, const char *where, bool reuse_port)
{
    struct gw_error err;
    assert_int_equal(gw_address_parse(where, &door->address, &err), 0);
    const struct gw_listener_opts opts = {.address = &door->address, .reuse_port = reuse_port, .on_accept = on_accept, .arg = door};
    assert_int_equal(gw_listener_open(door->fixture.loop, &opts, &door->listener, &err), 0);
    assert_true(gw_listener_port(door->listener) != 0);
    door->address.addr.v4.sin_port = htons(gw_listener_port(door->listener));
}

static void door_init(struct door *door, const char *where, bool reuse_port)
{
    memset(door, 0, sizeof *door);
    fixture_init(&door->fixture);
    door_open(door, where, reuse_port);
}

static void door_fini(struct door *door)
{
    gw_listener_close(door->listener);
    fixture_fini(&door->fixture);
    for (int i = 0; i < door->count; i++)
        close(door->fds[i]);
}

static void accepts_nonblocking_connections_and_names_the_peer(void **state)
{
    struct door door;
    struct gw_address self = {.length = sizeof self.addr};
    struct gw_listener_counters counters;
    char self_text[GW_ADDRESS_TEXT_MAX];
    (void)state;
    door_init(&door, "127.0.0.1:0", true);
    int fd = connect_to(&door.address);
    door.stop_at = 1;
    fixture_run(&door.fixture);
    assert_int_equal(getsockname(fd, &self.addr.any, &self.length), 0);
    gw_address_format(&self, self_text);
    assert_string_equal(door.peer, self_text);
    assert_true(fcntl(door.fds[0], F_GETFL) & O_NONBLOCK);
    gw_listener_read_counters(door.listener, &counters);
    assert_int_equal(counters.accepted, 1);
    close(fd);
    door_fini(&door);
}

static void accepts_over_ipv6(void **state)
{
    struct door door;
    (void)state;
    door_init(&door, "[::1]:0", false);
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, &door.address.addr.any, door.address.length), 0);
    door.stop_at = 1;
    fixture_run(&door.fixture);
    assert_memory_equal(door.peer, "[::1]:", 6);
    close(fd);
    door_fini(&door);
}

static void a_paused_listener_leaves_connections_in_the_backlog(void **state)
{
    struct door door;
    int fds[3];
    (void)state;
    door_init(&door, "127.0.0.1:0", false);
    for (int i = 0; i < 3; i++)
        fds[i] = connect_to(&door.address);
    door.pauses = true;
    fixture_run_for(&door.fixture, 20);
    assert_int_equal(door.count, 1);
    assert_true(gw_listener_is_paused(door.listener));
    door.pauses = false;
    door.stop_at = 3;
    gw_listener_resume(door.listener);
    fixture_run(&door.fixture);
    assert_int_equal(door.count, 3);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    door_fini(&door);
}

static void two_loops_share_an_address(void **state)
{
    struct door first, second;
    struct gw_error err;
    (void)state;
    door_init(&first, "127.0.0.1:0", true);
    memset(&second, 0, sizeof second);
    fixture_init(&second.fixture);
    const struct gw_listener_opts opts = {.address = &first.address, .reuse_port = true, .on_accept = on_accept, .arg = &second};
    assert_int_equal(gw_listener_open(second.fixture.loop, &opts, &second.listener, &err), 0);
    assert_int_equal(gw_listener_port(second.listener), gw_listener_port(first.listener));
    const struct gw_listener_opts stranger = {.address = &first.address, .reuse_port = true, .is_first = true, .on_accept = on_accept, .arg = &second};
    struct gw_listener *none = NULL;
    assert_int_equal(gw_listener_open(second.fixture.loop, &stranger, &none, &err), GW_EIO);
    assert_string_equal(err.id, "listen_failed");
    door_fini(&second);
    door_fini(&first);
}

static void says_that_an_address_is_in_use(void **state)
{
    struct door door;
    struct gw_listener *other = NULL;
    struct gw_error err;
    (void)state;
    door_init(&door, "127.0.0.1:0", false);
    const struct gw_listener_opts opts = {.address = &door.address, .on_accept = on_accept, .arg = &door};
    assert_int_equal(gw_listener_open(door.fixture.loop, &opts, &other, &err), GW_EIO);
    assert_string_equal(err.id, "listen_failed");
    assert_non_null(strstr(err.message, "cannot listen on 127.0.0.1:"));
    assert_non_null(strstr(err.message, "address already in use"));
    door_fini(&door);
}

static void may_be_closed_while_it_accepts(void **state)
{
    struct door door;
    (void)state;
    door_init(&door, "127.0.0.1:0", false);
    int a = connect_to(&door.address), b = connect_to(&door.address);
    door.closes = true;
    door.stop_at = 1;
    fixture_run(&door.fixture);
    assert_int_equal(door.count, 1);
    close(a);
    close(b);
    door.listener = NULL;
    door_fini(&door);
}

/* Leaves room for no further descriptor. */
static void take_all_descriptors(struct rlimit *before)
{
    int lowest = dup(0);
    struct rlimit tight;
    assert_true(lowest >= 0);
    close(lowest);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, before), 0);
    tight = (struct rlimit){.rlim_cur = (rlim_t)lowest, .rlim_max = before->rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
}

static void sheds_connections_without_spinning_when_descriptors_run_out(void **state)
{
    struct door door;
    struct gw_listener_counters counters;
    struct rlimit before;
    char byte;
    int fds[3];
    (void)state;
    door_init(&door, "127.0.0.1:0", false);
    fixture_run_for(&door.fixture, 1);
    for (int i = 0; i < 3; i++)
        fds[i] = connect_to(&door.address);
    take_all_descriptors(&before);
    uint64_t turns = gw_loop_turn_count(door.fixture.loop);
    fixture_run_for(&door.fixture, 250);
    assert_true(gw_loop_turn_count(door.fixture.loop) - turns < 20);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    for (int i = 0; i < 3; i++) {
        assert_true(recv(fds[i], &byte, 1, 0) <= 0);
        close(fds[i]);
    }
    gw_listener_read_counters(door.listener, &counters);
    assert_int_equal(counters.shed, 3);
    assert_int_equal(door.count, 0);
    int late = connect_to(&door.address);
    door.stop_at = 1;
    fixture_run(&door.fixture);
    assert_int_equal(door.count, 1);
    close(late);
    door_fini(&door);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_nonblocking_connections_and_names_the_peer),
        cmocka_unit_test(accepts_over_ipv6),
        cmocka_unit_test(a_paused_listener_leaves_connections_in_the_backlog),
        cmocka_unit_test(two_loops_share_an_address),
        cmocka_unit_test(says_that_an_address_is_in_use),
        cmocka_unit_test(may_be_closed_while_it_accepts),
        cmocka_unit_test(sheds_connections_without_spinning_when_descriptors_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
