#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>

#include "certificate_fixture.h"
#include "io/tls.h"
#include "peer_fixture.h"

#define LONG_BYTES ((size_t)4 << 20)

/* A blocking TLS client on a thread of its own: handshake, "ping", wait for `go_fd` if there is one, read to the end, close. */
struct client {
    pthread_t thread;
    int fd;
    int version;          /* 0 = any */
    const char *offer;    /* ALPN, with length prefix; NULL = none */
    int go_fd;            /* 0 = none */
    bool leaves_abruptly; /* without close_notify */
    bool is_connected;
    char common_name[64];   /* of the server */
    char chosen[16];        /* by ALPN */
    size_t received_length; /* of the pattern, after "pong" */
    bool is_pattern_right;
    bool saw_close_notify;
};

static SSL *client_open(const struct client *client, SSL_CTX **context)
{
    *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_cipher_list(*context, "DEFAULT@SECLEVEL=0");
    if (client->version) {
        SSL_CTX_set_min_proto_version(*context, client->version);
        SSL_CTX_set_max_proto_version(*context, client->version);
    }
    SSL *ssl = SSL_new(*context);
    if (client->offer)
        SSL_set_alpn_protos(ssl, (const unsigned char *)client->offer, (unsigned)strlen(client->offer));
    SSL_set_fd(ssl, client->fd);
    return ssl;
}

static void client_note_server(struct client *client, SSL *ssl)
{
    const unsigned char *chosen;
    unsigned length;
    X509 *leaf = SSL_get1_peer_certificate(ssl);
    X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName, client->common_name, sizeof client->common_name);
    X509_free(leaf);
    SSL_get0_alpn_selected(ssl, &chosen, &length);
    snprintf(client->chosen, sizeof client->chosen, "%.*s", (int)length, length ? (const char *)chosen : "");
    client->is_connected = true;
}

static void client_read_to_the_end(struct client *client, SSL *ssl)
{
    static char bytes[20000];
    int got;
    client->is_pattern_right = true;
    while ((got = SSL_read(ssl, bytes, sizeof bytes)) > 0)
        for (int i = 0; i < got; i++)
            if (bytes[i] != pattern_at(client->received_length++))
                client->is_pattern_right = false;
    client->saw_close_notify = SSL_get_error(ssl, got) == SSL_ERROR_ZERO_RETURN;
}

static void *client_main(void *arg)
{
    struct client *client = arg;
    SSL_CTX *context;
    char go;
    SSL *ssl = client_open(client, &context);
    if (SSL_connect(ssl) == 1) {
        client_note_server(client, ssl);
        SSL_write(ssl, "ping", 4);
        if (client->go_fd == 0 || read(client->go_fd, &go, 1) == 1)
            client_read_to_the_end(client, ssl);
        if (!client->leaves_abruptly)
            SSL_shutdown(ssl);
    }
    shutdown(client->fd, SHUT_RDWR);
    SSL_free(ssl);
    SSL_CTX_free(context);
    ERR_clear_error();
    return NULL;
}

static void client_start(struct client *client, int fd)
{
    client->fd = fd;
    assert_int_equal(pthread_create(&client->thread, NULL, client_main, client), 0);
}

struct server {
    struct observed observed;
    struct certificate certificate;
    struct gw_tls *tls;
    char *text;
    size_t offset;
    bool was_blocked;
};

static void server_init(struct server *server)
{
    struct gw_error err;
    memset(server, 0, sizeof *server);
    certificate_init(&server->certificate, "first");
    const struct gw_tls_opts opts = {server->certificate.certificate_file, server->certificate.key_file};
    assert_int_equal(gw_tls_create(&opts, &server->tls, &err), 0);
    observed_init(&server->observed);
    assert_int_equal(gw_tls_attach(server->tls, &server->observed.socket, &err), 0);
}

static void server_fini(struct server *server)
{
    observed_fini(&server->observed);
    gw_tls_destroy(server->tls);
    certificate_fini(&server->certificate);
}

static void server_answer(struct server *server, size_t length)
{
    char bytes[64];
    struct iovec parts[2] = {{bytes, 3}, {bytes + 3, length - 3}};
    fill_pattern(bytes, 0, length);
    assert_int_equal(gw_socket_writev(&server->observed.socket, parts, 2), (int)length);
}

/* "ping" there, an answer back, close_notify both ways. */
static void exchange(struct server *server, struct client *client)
{
    server->observed.stop_at_bytes = 4;
    fixture_run(&server->observed.fixture);
    assert_true(gw_tls_is_established(&server->observed.socket));
    assert_memory_equal(server->observed.received.data, "ping", 4);
    server_answer(server, 40);
    gw_socket_shutdown_write(&server->observed.socket);
    server->observed.stops_on_eof = true;
    fixture_run(&server->observed.fixture);
    pthread_join(client->thread, NULL);
    assert_int_equal(client->received_length, 40);
    assert_true(client->is_pattern_right);
    assert_true(client->saw_close_notify);
}

static void serves_version(int version)
{
    struct server server;
    struct client client = {.version = version, .offer = "\x02h2\x08http/1.1"};
    server_init(&server);
    client_start(&client, server.observed.peer_fd);
    exchange(&server, &client);
    assert_string_equal(client.chosen, "http/1.1");
    assert_string_equal(client.common_name, "first");
    assert_true(gw_socket_is_tls(&server.observed.socket));
    server_fini(&server);
}

static void serves_tls_1_3(void **state)
{
    (void)state;
    serves_version(TLS1_3_VERSION);
}

static void serves_tls_1_2(void **state)
{
    (void)state;
    serves_version(TLS1_2_VERSION);
}

static void assert_handshake_fails(struct client *client)
{
    struct server server;
    server_init(&server);
    server.observed.stops_on_error = true;
    client_start(client, server.observed.peer_fd);
    fixture_run(&server.observed.fixture);
    pthread_join(client->thread, NULL);
    assert_false(client->is_connected);
    assert_int_equal(server.observed.error_count, 1);
    assert_string_equal(server.observed.err.id, "tls_failed");
    assert_int_equal(server.observed.received.length, 0);
    server_fini(&server);
}

static void refuses_tls_1_1(void **state)
{
    struct client client = {.version = TLS1_1_VERSION};
    (void)state;
    assert_handshake_fails(&client);
}

static void refuses_a_client_that_offers_only_other_protocols(void **state)
{
    struct client client = {.offer = "\x02h2"};
    (void)state;
    assert_handshake_fails(&client);
}

static void reports_bytes_that_are_not_tls(void **state)
{
    struct server server;
    (void)state;
    server_init(&server);
    server.observed.stops_on_error = true;
    assert_int_equal(send(server.observed.peer_fd, "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
    fixture_run(&server.observed.fixture);
    assert_string_equal(server.observed.err.id, "tls_failed");
    assert_int_equal(server.observed.received.length, 0);
    server_fini(&server);
}

static void a_wanted_write_does_not_spin_before_the_handshake(void **state)
{
    struct server server;
    struct iovec part = {(char *)(uintptr_t) "early", 5};
    (void)state;
    server_init(&server);
    gw_socket_want_write(&server.observed.socket, true);
    assert_int_equal(gw_socket_writev(&server.observed.socket, &part, 1), 0);
    uint64_t turns = gw_loop_turn_count(server.observed.fixture.loop);
    fixture_run_for(&server.observed.fixture, 30);
    assert_true(gw_loop_turn_count(server.observed.fixture.loop) - turns < 5);
    assert_int_equal(server.observed.writable_count, 0);
    server_fini(&server);
}

static void a_peer_that_leaves_without_close_notify_is_at_its_end(void **state)
{
    struct server server;
    struct client client = {.leaves_abruptly = true};
    (void)state;
    server_init(&server);
    client_start(&client, server.observed.peer_fd);
    exchange(&server, &client);
    assert_int_equal(server.observed.eof_count, 1);
    assert_int_equal(server.observed.error_count, 0);
    server_fini(&server);
}

/* Cuts what is left into other pieces every time: what was taken never has to be repeated. */
static void pour(struct observed *observed)
{
    struct server *server = (struct server *)observed;
    while (server->offset < LONG_BYTES) {
        size_t left = LONG_BYTES - server->offset, length = 1 + server->offset % 70001, first;
        length = length < left ? length : left;
        first = length / 3;
        struct iovec parts[2] = {{server->text + server->offset, first}, {server->text + server->offset + first, length - first}};
        ssize_t sent = gw_socket_writev(&observed->socket, parts, 2);
        assert_true(sent >= 0);
        assert_in_range(gw_socket_unsent_bytes(&observed->socket), 0, 1 << 20);
        server->offset += (size_t)sent;
        if (sent == 0) {
            server->was_blocked = true;
            gw_socket_want_write(&observed->socket, true);
            return;
        }
    }
    /* The last record may still be held: it has to go without anybody wanting to write. */
    gw_socket_want_write(&observed->socket, false);
    gw_socket_shutdown_write(&observed->socket);
}

static void a_blocked_write_resumes_with_other_pieces(void **state)
{
    struct server server;
    int go[2];
    (void)state;
    server_init(&server);
    assert_int_equal(pipe(go), 0);
    struct client client = {.go_fd = go[0]};
    server.text = test_malloc(LONG_BYTES);
    fill_pattern(server.text, 0, LONG_BYTES);
    gw_socket_set_send_buffer(&server.observed.socket, 16384);
    client_start(&client, server.observed.peer_fd);
    server.observed.stop_at_bytes = 4;
    fixture_run(&server.observed.fixture);
    pour(&server.observed);
    assert_true(server.was_blocked);
    server.observed.on_writable = pour;
    server.observed.stops_on_eof = true;
    assert_int_equal(write(go[1], "!", 1), 1);
    fixture_run(&server.observed.fixture);
    pthread_join(client.thread, NULL);
    assert_int_equal(client.received_length, LONG_BYTES);
    assert_true(client.is_pattern_right);
    assert_true(client.saw_close_notify);
    close(go[0]);
    close(go[1]);
    test_free(server.text);
    server_fini(&server);
}

struct relay {
    pthread_t thread;
    int client_fd, server_fd;
};

/* Bytes of the client go on one at a time. */
static bool relay_once(struct relay *relay, struct pollfd fds[2])
{
    char bytes[4096];
    if (poll(fds, 2, 10000) <= 0)
        return false;
    if (fds[0].revents) {
        ssize_t got = recv(relay->client_fd, bytes, 1, 0);
        if (got <= 0 || send(relay->server_fd, bytes, 1, MSG_NOSIGNAL) != 1)
            return false;
    }
    if (fds[1].revents) {
        ssize_t got = recv(relay->server_fd, bytes, sizeof bytes, 0);
        if (got == 0)
            fds[1].fd = -1;
        if (got < 0 || send(relay->client_fd, bytes, (size_t)got, MSG_NOSIGNAL) != got)
            return false;
    }
    return true;
}

static void *relay_main(void *arg)
{
    struct relay *relay = arg;
    struct pollfd fds[2] = {{.fd = relay->client_fd, .events = POLLIN}, {.fd = relay->server_fd, .events = POLLIN}};
    for (int i = 0; i < 100000 && relay_once(relay, fds); i++)
        continue;
    shutdown(relay->server_fd, SHUT_WR);
    return NULL;
}

static void a_handshake_may_arrive_one_byte_at_a_time(void **state)
{
    struct server server;
    struct client client = {0};
    int pair[2], on = 1;
    (void)state;
    server_init(&server);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    setsockopt(server.observed.peer_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct relay relay = {.client_fd = pair[0], .server_fd = server.observed.peer_fd};
    assert_int_equal(pthread_create(&relay.thread, NULL, relay_main, &relay), 0);
    client_start(&client, pair[1]);
    exchange(&server, &client);
    pthread_join(relay.thread, NULL);
    close(pair[0]);
    close(pair[1]);
    server_fini(&server);
}

static void assert_serves(struct gw_tls *tls, const char *common_name)
{
    struct server server = {.tls = tls};
    struct client client = {0};
    struct gw_error err;
    observed_init(&server.observed);
    assert_int_equal(gw_tls_attach(tls, &server.observed.socket, &err), 0);
    client_start(&client, server.observed.peer_fd);
    exchange(&server, &client);
    assert_string_equal(client.common_name, common_name);
    observed_fini(&server.observed);
}

static void a_reload_serves_new_streams_and_leaves_the_old_alone(void **state)
{
    struct server server;
    struct client client = {0};
    struct gw_error err;
    (void)state;
    server_init(&server);
    client_start(&client, server.observed.peer_fd);
    server.observed.stop_at_bytes = 4;
    fixture_run(&server.observed.fixture);
    gw_buffer_reset(&server.observed.received);
    certificate_write(&server.certificate, "second");
    assert_int_equal(gw_tls_reload(server.tls, &err), 0);
    assert_serves(server.tls, "second");
    server_answer(&server, 40);
    gw_socket_shutdown_write(&server.observed.socket);
    server.observed.stops_on_eof = true;
    fixture_run(&server.observed.fixture);
    pthread_join(client.thread, NULL);
    assert_int_equal(client.received_length, 40);
    assert_string_equal(client.common_name, "first");
    server_fini(&server);
}

static void a_failed_reload_keeps_what_was_there(void **state)
{
    struct server server;
    struct gw_error err;
    (void)state;
    server_init(&server);
    int64_t not_after_s = gw_tls_not_after_s(server.tls);
    assert_true(not_after_s > gw_clock_system()->wall_ms(NULL) / 1000);
    FILE *file = fopen(server.certificate.certificate_file, "w");
    fputs("-----BEGIN CERTIFICATE-----\nnonsense\n", file);
    fclose(file);
    assert_int_equal(gw_tls_reload(server.tls, &err), GW_EINVAL);
    assert_string_equal(err.id, "tls_bad_certificate");
    assert_non_null(strstr(err.message, server.certificate.certificate_file));
    assert_int_equal(gw_tls_not_after_s(server.tls), not_after_s);
    assert_serves(server.tls, "first");
    server_fini(&server);
}

static void refuses_a_key_of_another_certificate(void **state)
{
    struct certificate a, b;
    struct gw_tls *tls = NULL;
    struct gw_error err;
    (void)state;
    certificate_init(&a, "a");
    certificate_init(&b, "b");
    const struct gw_tls_opts opts = {a.certificate_file, b.key_file};
    assert_int_equal(gw_tls_create(&opts, &tls, &err), GW_EINVAL);
    assert_string_equal(err.id, "tls_bad_key");
    const struct gw_tls_opts missing = {"/nowhere/cert.pem", b.key_file};
    assert_int_equal(gw_tls_create(&missing, &tls, &err), GW_EINVAL);
    assert_string_equal(err.id, "tls_bad_certificate");
    assert_null(tls);
    certificate_fini(&a);
    certificate_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serves_tls_1_3),
        cmocka_unit_test(serves_tls_1_2),
        cmocka_unit_test(refuses_tls_1_1),
        cmocka_unit_test(refuses_a_client_that_offers_only_other_protocols),
        cmocka_unit_test(reports_bytes_that_are_not_tls),
        cmocka_unit_test(a_wanted_write_does_not_spin_before_the_handshake),
        cmocka_unit_test(a_peer_that_leaves_without_close_notify_is_at_its_end),
        cmocka_unit_test(a_blocked_write_resumes_with_other_pieces),
        cmocka_unit_test(a_handshake_may_arrive_one_byte_at_a_time),
        cmocka_unit_test(a_reload_serves_new_streams_and_leaves_the_old_alone),
        cmocka_unit_test(a_failed_reload_keeps_what_was_there),
        cmocka_unit_test(refuses_a_key_of_another_certificate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
